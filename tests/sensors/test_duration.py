"""Durations as people write them."""

from __future__ import annotations

import pytest

from sensors.duration import seconds


@pytest.mark.parametrize(
    ("text", "value"), [(90, 90), (1.5, 1.5), ("90 s", 90), ("10 min", 600), ("1.5 h", 5400), ("30d", 2_592_000)]
)
def test_durations_are_seconds(text: float | str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "90", "-1 s", "1e9 s", "s", "1 month", "1 s x"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)
