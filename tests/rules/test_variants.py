"""A rule with other thresholds and delays."""

from __future__ import annotations

import pytest

from rules.variants import FACTORS, VariantError, scaled, variants
from tests.streams.small_site import rules


@pytest.mark.parametrize(
    ("text", "factor", "moved", "threshold"),
    [
        ("value > 20", 1.5, "value > 30", 30.0),
        ("20 < value and seen('debris', '5 min')", 0.5, "(10 < value and seen('debris', '5m'))", 10.0),
        ("value > limit", 1.5, "value > limit", None),
    ],
)
def test_the_first_number_is_the_threshold(text: str, factor: float, moved: str, threshold: float | None) -> None:
    found, number = scaled(text, factor)
    assert number == threshold
    if threshold is not None:
        assert found == moved


def test_each_threshold_comes_with_each_delay_and_clear_moves_along() -> None:
    creep = rules()[0]
    found = variants(creep)
    assert len(found) == len(FACTORS) * len({one.delay for one in found}) == len({one.id for one in found})
    (own,) = [one for one in found if one.as_it_is]
    assert (own.level, own.threshold, own.delay, own.when) == ("yellow", 10.0, 20.0, creep.levels.yellow.when)  # type: ignore[union-attr]
    wide = next(one for one in found if one.factor == 1.5)
    assert wide.rule.levels.yellow is not None and wide.rule.levels.yellow.clear == "value < 7.5"
    assert wide.rule.levels.orange is None and wide.rule.levels.red is None
    assert {one.delay for one in variants(creep, delays=[5.0])} == {5.0, 20.0}


def test_there_must_be_something_to_vary() -> None:
    creep = rules()[0]
    with pytest.raises(VariantError, match="has no level blue"):
        variants(creep, "blue")
