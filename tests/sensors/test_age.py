"""Ages in words."""

from __future__ import annotations

import math

import pytest

from sensors import age


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.25, "0.25 s"),
        (61.3, "61.3 s"),
        (150.0, "2.5 minutes"),
        (3600.0, "1 hour"),
        (-7_776_000.0, "90 days"),
        (1_795_720_433.866, "57 years"),
        (1e17, "3e9 years"),
        (math.inf, "endlessly"),
    ],
)
def test_a_span_is_said_in_its_largest_fitting_unit(seconds: float, words: str) -> None:
    assert age.span(seconds) == words


def test_what_is_behind_is_old_and_what_is_before_is_ahead() -> None:
    assert age.against(-1_609_459_200.0) == "51 years old"
    assert age.against(300.0) == "5 minutes ahead of our clock"
