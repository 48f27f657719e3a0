"""Slow creeps: the mean of the last day against the four weeks before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arithmetic import ARRAYS, SCALARS
from models.bank import Bank, Kind
from models.reason import DAY_ABOVE, DAY_BELOW
from models.season import WEEKS
from models.wander import KEPT, Weeks, wandered
from tests.models.recordings import HOUR, START

STEP, A_DAY = 1800.0, 48
ONSET, END = 30 * A_DAY, 44 * A_DAY
POINTS = 36  # more than are worked one by one


def creeping(random: np.random.Generator, points: int = POINTS) -> np.ndarray:
    """Return values f8[END, points] of noise, a third with a daily swing: half of them rise by 1.5 of it a week."""
    at, each = np.arange(END)[:, None], np.arange(points)
    swing = np.where(each % 3, 0.0, 5.0 * np.sin(at * 2.0 * np.pi / A_DAY))
    creep = np.where(each % 2, -1.0, 1.0) * 1.5 * np.maximum(at - ONSET, 0.0) / (7 * A_DAY)
    return 1000.0 + swing + creep + random.normal(size=(END, points))


def run(value: np.ndarray, batch: int, kind: Kind = "gauge") -> tuple[Bank, np.ndarray, np.ndarray]:
    """Return the bank after values, and the alarms and reasons, [readings, points]."""
    bank, count = Bank(), value.shape[1]
    for row in range(count):
        bank.configure(row, interval=STEP, kind=kind)
    alarm, reason = np.zeros(value.shape, np.bool_), np.zeros(value.shape, np.uint8)
    for at, now in enumerate(value):
        for first in range(0, count, batch):
            rows = np.arange(first, min(first + batch, count))
            told = bank.update(rows, np.full(len(rows), START + STEP * at), now[rows])
            alarm[at, rows], reason[at, rows] = told.alarm, told.reason
    return bank, alarm, reason


def test_a_creep_by_less_a_day_than_the_noise_is_told_within_two_weeks_alone_as_in_batches() -> None:
    value = creeping(np.random.default_rng(3))
    bank, alarm, reason = run(value, POINTS)
    told = alarm & (reason == np.where(np.arange(POINTS) % 2, DAY_BELOW, DAY_ABOVE))
    assert told.any(axis=0).mean() > 0.6  # the others by their values
    assert alarm[ONSET:].any(axis=0).mean() > 0.95
    assert not (alarm & np.isin(reason, (DAY_ABOVE, DAY_BELOW)))[:ONSET].any()
    alone, alarmed, _ = run(value[:, :2], 1)
    assert (alarmed == alarm[:, :2]).all()
    for name, array in alone.state().items():
        assert len(array) != 2 or array.tobytes() == bank.state()[name][:2].tobytes(), name


def test_what_has_wandered_off_is_told_in_both_languages() -> None:
    value = creeping(np.random.default_rng(3), 1)
    _, alarm, reason = run(value, 1)
    at = int((alarm[:, 0] & (reason[:, 0] == DAY_ABOVE)).argmax())
    bank, _, _ = run(value[: at + 1], 1)
    assert bank.reason_text(0).startswith("mean of the last day 100")
    assert bank.reason_text(0).endswith(" times the range beyond it")
    assert bank.reason_text(0, "zh-CN").startswith("最近一天的均值 100")


def test_a_step_that_was_told_is_not_told_again_as_a_creep_and_only_gauges_creep() -> None:
    random = np.random.default_rng(5)
    step = 20.0 + random.normal(size=(END, 3)) + 40.0 * (np.arange(END)[:, None] >= ONSET)
    _, alarm, reason = run(step, 3)
    assert alarm[ONSET].any()
    assert not np.isin(reason[alarm], (DAY_ABOVE, DAY_BELOW)).any()
    _, alarm, reason = run(np.cumsum(random.exponential(size=(END, 3)), axis=0), 3, "counter")
    assert not np.isin(reason[alarm], (DAY_ABOVE, DAY_BELOW)).any()


def test_the_last_digits_of_a_large_value_are_told_in_its_deviation() -> None:
    bank = Bank()
    hours = 4 * 24 + 1
    level = np.array([1e7, 1013.25, -4e8, 0.0])
    for row in range(len(level)):
        bank.configure(row, interval=HOUR)
    for hour in range(hours):
        off = 0.01 if hour == hours - 1 else 0.001 * (hour % 2)
        bank.update(np.arange(4), np.full(4, START + HOUR * hour), level + off)
    told = bank.deviation(np.arange(4))
    assert 0.009 < told[3] < 0.01
    assert told == pytest.approx(told[3], abs=1e-6)


def test_a_state_that_knows_no_weeks_begins_them() -> None:
    value = creeping(np.random.default_rng(7), 2)
    bank, _, _ = run(value[:ONSET], 2)
    kept = bank.state()
    state = {name: array for name, array in kept.items() if name != "origin"}
    state["day"] = kept["day"] + kept["origin"].astype(np.float32)  # as it was then
    state["season"] = kept["season"][:, :WEEKS]
    other = Bank()
    other.restore(state)
    assert other.deviation(np.arange(2)) == pytest.approx(bank.deviation(np.arange(2)), abs=1e-3)
    for at in range(ONSET, END):
        told = other.update(np.arange(2), np.full(2, START + STEP * at), value[at])
        assert not np.isin(told.reason[told.alarm], (DAY_ABOVE, DAY_BELOW)).any()


numbers = st.floats(-1e6, 1e6, width=32)


@given(st.lists(numbers, min_size=4, max_size=4), numbers, numbers, st.integers(1, 3 * int(KEPT)))
def test_an_excess_is_the_same_in_both_machines_and_only_of_what_lies_outside(
    bounds: list[float], mean: float, origin: float, learnt: int
) -> None:
    low, high, before_low, before_high = (*sorted(bounds[:2]), *sorted(bounds[2:]))
    weeks = Weeks(low, high, before_low, before_high)
    told, after = wandered(SCALARS, weeks, mean, origin, float(learnt), 1.2)
    columns = Weeks(*np.array(weeks)[:, None])
    many, also = wandered(ARRAYS, columns, np.array([mean]), np.array([origin]), np.array([float(learnt)]), 1.2)
    assert np.array([*told, *after]).tobytes() == np.array([*many, *also]).tobytes()
    assert told.excess == 0.0 or (learnt > KEPT and not told.low <= told.mean <= told.high)
    assert after.low <= mean <= after.high
    if told.excess >= 1.2:
        assert after.before_low <= mean <= after.before_high
