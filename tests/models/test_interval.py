"""The expected interval."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.nab import Series
from models.interval import FIRST, Pace, paces, usual_interval


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], 60.0),
        ([5.0], 60.0),
        ([5.0, 5.0, 4.0], 60.0),
        ([0.0, 10.0, 20.0, 50.0], 10.0),
        ([0.0, 10.0, 9.0, 29.0], 15.0),
    ],
)
def test_it_is_the_median_step_forward(times: list[float], expected: float) -> None:
    assert usual_interval(times) == expected


def test_what_comes_later_is_not_looked_at() -> None:
    slow = FIRST * 60.0 + 3600.0 * np.arange(1, 2000)
    time = np.concatenate([60.0 * np.arange(FIRST), slow])
    assert Series("late", time, np.zeros(len(time)), ()).interval == 60.0


def test_the_first_steps_say_what_is_usual_as_they_come() -> None:
    time = np.cumsum(np.random.default_rng(0).uniform(1.0, 900.0, FIRST))
    pace = Pace()
    for place, now in enumerate(time.tolist()):
        pace.changed(now)
        assert pace.interval == pytest.approx(usual_interval(time[: place + 1].tolist()))


def test_what_changes_the_pace_of_a_whole_series_is_told_with_its_places() -> None:
    time = 7.0 + 300.0 * np.arange(100)
    assert list(paces(time.tolist())) == [(1, 300.0)]
    assert list(paces([5.0, 5.0, 4.0])) == []


def test_a_logger_that_is_set_anew_is_followed_from_what_has_come() -> None:
    pace = Pace()
    once = [at for at in range(300) if pace.changed(30.0 * at)]
    assert (once, pace.interval) == ([1], 30.0)
    slower = [at for at in range(300) if pace.changed(9_000.0 + 900.0 * at)]
    assert len(slower) == 1
    assert slower[0] <= Pace.LAST
    assert pace.interval == 900.0


def test_gaps_repeats_and_some_irregularity_change_no_pace_that_is_known() -> None:
    random = np.random.default_rng(0)
    steps = 60.0 * random.uniform(0.3, 3.0, 2000)
    steps[::20], steps[1::20] = 7200.0, -30.0
    time = np.cumsum(steps)
    assert all(place < FIRST for place, _ in paces(time.tolist()))
