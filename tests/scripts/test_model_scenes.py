"""The made scenes of docs/models.md show what the page says of them."""

from __future__ import annotations

import pytest

from models.evaluation.plot import Panel
from scripts.model_scenes import DAY, HOUR, MADE, START


def only(name: str) -> Panel:
    """Return the one panel of a made scene."""
    (panel,) = MADE[name]()
    return panel


def hours(panel: Panel) -> list[float]:
    return [(mark.time - START) / HOUR for mark in panel.marks]


def test_a_light_by_the_clock_is_a_surprise_only_at_night() -> None:
    assert [24.0 * 7 < hour < 24.0 * 7 + 6 for hour in hours(only("codes"))] == [True, True]


@pytest.mark.parametrize(
    ("name", "earliest", "latest"), [("hours", 266, 266.5), ("guesses", 16, 80), ("jumps", 75, 77), ("peers", 4.2, 7)]
)
def test_what_comes_is_told_once_and_soon(name: str, earliest: float, latest: float) -> None:
    (told,) = hours(only(name))
    assert earliest <= told <= latest


def test_three_times_as_many_are_found_and_hardly_any_other_quarter_of_an_hour_is() -> None:
    looks = [mark.look for mark in only("counts").marks]
    assert looks.count("found") >= 6
    assert looks.count("false") <= 5  # one or two are due in 14 days


def test_the_more_often_somebody_is_reported_the_higher_the_score() -> None:
    values = only("repeats").values
    assert (values[1:] >= values[:-1]).all() and values[-1] > 0.99


def test_alarms_that_prove_real_were_given_the_higher_odds() -> None:
    panel = only("triage")
    real = [odds for odds, mark in zip(panel.values, panel.marks, strict=True) if mark.look == "found"]
    nuisance = [odds for odds, mark in zip(panel.values, panel.marks, strict=True) if mark.look == "false"]
    assert sum(real) / len(real) > sum(nuisance) / len(nuisance) + 0.1
    assert panel.times[-1] - panel.times[0] > 20 * DAY
