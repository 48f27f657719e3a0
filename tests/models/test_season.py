"""The daily profile: learnt where there is a swing, not where there is none, and never from what is to come."""

from __future__ import annotations

import numpy as np
import pytest

from models.season import HOUR, MISSED, SPREAD, Seasons
from tests.models.recordings import DAY, START, creek, river

ROW = np.array([0])


def learn(time: np.ndarray, value: np.ndarray) -> tuple[Seasons, list[bool]]:
    seasons = Seasons()
    seasons.grow(1)
    swinging = [False]
    last = time[0] - 900.0
    for now, reading in zip(time.tolist(), value.tolist(), strict=True):
        if now // HOUR != last // HOUR:
            told = seasons.turn(ROW, np.array([now]), np.array([last]), np.array([reading]), np.array(swinging[-1:]))
            swinging.append(bool(told[0]))
        last = now
    return seasons, swinging


def test_a_daily_swing_is_found_and_its_profile_is_the_swing() -> None:
    time = START + 900.0 * np.arange(10 * 96)
    seasons, swinging = learn(time, 5.0 + 2.0 * np.sin(2.0 * np.pi * time / DAY))
    assert swinging[-1]
    at = START + 600.0 * np.arange(144)
    told = seasons.at(np.zeros(144, np.intp), at)
    assert np.abs(told - 2.0 * np.sin(2.0 * np.pi * at / DAY)).max() < 0.05


def test_the_swing_of_a_creek_is_found_within_a_week_and_stays() -> None:
    _, swinging = learn(*creek(1))
    assert not any(swinging[: 3 * 24])
    assert all(swinging[7 * 24 :])


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("noise", np.random.default_rng(2).normal(size=30 * 24)),
        ("a ramp with noise", 0.1 * np.arange(30 * 24) + np.random.default_rng(3).normal(size=30 * 24)),
        ("a walk", np.cumsum(np.random.default_rng(4).normal(size=30 * 24))),
        ("nothing", np.full(30 * 24, 7.0)),
        ("a river", river(5, days=30)[1]),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_has_no_daily_swing_gets_none(what: str, value: np.ndarray) -> None:
    _, swinging = learn(START + HOUR * np.arange(30 * 24), value)
    assert sum(swinging) <= 0.02 * len(swinging), what


def test_a_swing_that_ends_is_given_up() -> None:
    time = START + HOUR * np.arange(30 * 24)
    random = np.random.default_rng(6)
    value = np.where(time < START + 10 * DAY, 2.0 * np.sin(2.0 * np.pi * time / DAY), 0.0)
    _, swinging = learn(time, value + 0.3 * random.normal(size=len(time)))
    assert swinging[10 * 24]
    assert not swinging[-1]


def test_a_gap_keeps_the_profile_but_begins_the_day_anew() -> None:
    time, value = creek(7, days=10)
    seasons, _ = learn(time, value)
    known, profile = seasons.known.copy(), seasons.profile.copy()
    later, last = np.array([time[-1] + 6 * HOUR]), time[-1:]
    assert seasons.turn(ROW, later, last, np.array([500.0]), np.array([True]))[0]
    assert (seasons.profile == profile).all()
    assert (seasons.known[0, [SPREAD, MISSED]] == known[0, [SPREAD, MISSED]]).all()


def test_a_value_beyond_measure_costs_the_profile_two_weeks_at_most() -> None:
    time, value = creek(8, days=40)
    value[10 * 96] = 1e99
    seasons, swinging = learn(time, value)
    assert np.isfinite(seasons.profile).all()
    assert np.isfinite(seasons.known).all()
    assert all(swinging[25 * 24 :])


def test_values_beyond_measure_again_and_again_leave_numbers_in_the_profile() -> None:
    time = START + HOUR * np.arange(40 * 24)
    value = np.where(np.arange(len(time)) % 5 == 0, 1e99, -1e99)
    with np.errstate(over="raise", invalid="raise"):
        seasons, _ = learn(time, value)
    assert np.isfinite(seasons.profile).all() and np.isfinite(seasons.day).all() and np.isfinite(seasons.known).all()


def test_hours_of_a_clock_set_anew_turn_with_it() -> None:
    time, value = creek(9, days=10)
    seasons, _ = learn(time, value)
    before = seasons.at(ROW, time[-1:])
    seasons.shift(ROW, np.array([5 * HOUR]))
    assert seasons.at(ROW, time[-1:] + 5 * HOUR)[0] == pytest.approx(before[0])


def test_many_rows_at_once_are_as_each_alone() -> None:
    series = [creek(seed, days=6) for seed in range(4)]
    alone = [learn(*one)[0] for one in series]
    together = Seasons()
    together.grow(4)
    rows, swinging = np.arange(4), np.zeros(4, np.bool_)
    for at in range(0, 6 * 96, 4):
        time = np.array([one[0][at] for one in series])
        last = time - 900.0
        swinging = together.turn(rows, time, last, np.array([one[1][at] for one in series]), swinging)
    for row in range(4):
        assert together.profile[row].tobytes() == alone[row].profile[0].tobytes()
        assert together.known[row].tobytes() == alone[row].known[0].tobytes()
