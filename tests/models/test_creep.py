"""Inverse velocity on its own, and in the bank: told early, near the truth, and quiet when a movement comes to rest."""

from __future__ import annotations

import numpy as np
import pytest

from models.arithmetic import ARRAYS, SCALARS
from models.bank import Bank
from models.creep import Creep, failing, follow
from tests.models.recordings import HOUR, creep

EMPTY = (0.0,) * len(Creep._fields)


def followed(time: np.ndarray, value: np.ndarray, noise: float = 0.0) -> tuple[float, ...]:
    fields: tuple[float, ...] = EMPTY
    for now, level in zip(time.tolist(), value.tolist(), strict=True):
        fields, _ = follow(SCALARS, fields, now, level, noise, False)
    return fields


def left(fields: tuple[float, ...], now: float, distance: float, rising: bool = True) -> float:
    told = failing(np.array([fields]), np.array([now]), np.array([distance]), np.array([rising]))
    return float(told[0])


def test_a_perfect_creep_tells_its_failure_and_when_a_limit_is_reached() -> None:
    time = 1e9 + 60.0 * np.arange(1500)
    failure = 1e9 + 100_000.0
    for side in (1.0, -1.0):
        fields = followed(time, side * 6.0 * np.log(100_000.0 / (failure - time)))
        truth = failure - time[-1]
        assert left(fields, time[-1], 1e9, side > 0.0) == pytest.approx(truth, rel=0.02)
        half = 6.0 * np.log(2.0)  # half of the time left passes while it moves so far
        assert left(fields, time[-1], half, side > 0.0) == pytest.approx(0.5 * truth, rel=0.03)
        assert left(fields, time[-1], half, side < 0.0) == np.inf


@pytest.mark.parametrize(
    "value",
    [np.zeros(500), 0.1 * np.arange(500), np.sqrt(np.arange(500.0)), np.random.default_rng(1).normal(size=500)],
    ids=["rest", "steady", "slowing", "noise"],
)
def test_what_does_not_speed_up_does_not_fail(value: np.ndarray) -> None:
    time = 1e9 + 60.0 * np.arange(500)
    assert left(followed(time, value, 0.8), time[-1], 10.0) == np.inf


def test_a_movement_that_has_stopped_is_not_failing() -> None:
    time = 1e9 + 60.0 * np.arange(1000)
    value = 6.0 * np.log(100_000.0 / (1e9 + 100_000.0 - time))
    fields = followed(time, value)
    assert np.isfinite(left(fields, time[-1], 1.0))
    assert left(fields, time[-1] + 3600.0, 1.0) == np.inf


@pytest.mark.parametrize("value", [1e100, -1e100, 0.0, 5e-324])
def test_values_beyond_measure_raise_nothing(value: float) -> None:
    time = 1e9 + np.arange(20.0)
    levels = np.where(np.arange(20) % 3 == 0, value, 1.0)
    assert left(followed(time, levels), time[-1], 1.0) >= 0.0


def test_columns_and_single_readings_give_the_same_bits() -> None:
    series = [creep(seed) for seed in range(5)]
    count = min(len(time) for time, _ in series)
    alone = [followed(time[:count], value[:count], 0.2) for time, value in series]
    fields = tuple(np.zeros(5) for _ in Creep._fields)
    for at in range(count):
        time, level = (np.array([one[which][at] for one in series]) for which in (0, 1))
        fields, _ = follow(ARRAYS, fields, time, level, np.full(5, 0.2), np.zeros(5, np.bool_))
    assert np.array(fields).T.tobytes() == np.array(alone).tobytes()


def test_the_bank_foresees_a_failing_slope_that_the_trend_sees_late() -> None:
    leads: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(3):
        time, value = creep(seed)
        limit = 0.7 * value.max()
        crossed = time[value >= limit][0]
        bank = Bank()
        bank.grow(2)
        bank.configure(0, interval=900.0)
        bank.configure(1, interval=900.0, creeps=True)
        rows = np.arange(2)
        foreseen = np.full(2, np.inf)
        for now, reading in zip(time[time < crossed].tolist(), value.tolist(), strict=False):
            bank.update(rows, np.full(2, now), np.full(2, reading))
            eta = bank.eta(rows, np.full(2, limit), np.zeros(2, np.bool_))
            foreseen = np.where((eta <= 12 * HOUR) & np.isinf(foreseen), crossed - now, foreseen)
        for creeps in (False, True):
            leads[creeps].append(float(foreseen[int(creeps)]))
    assert np.median(leads[True]) > 1.5 * np.median(leads[False])
    assert all(6 * HOUR <= lead <= 24 * HOUR for lead in leads[True])


def test_a_creep_that_comes_to_rest_is_not_warned_of() -> None:
    for seed in range(3):
        time, value = creep(seed, fails=False)
        bank = Bank()
        bank.configure(0, interval=900.0, creeps=True)
        row, limit = np.zeros(1, np.intp), np.array([1.3 * value.max()])
        for now, reading in zip(time.tolist(), value.tolist(), strict=True):
            bank.update(row, np.array([now]), np.array([reading]))
            assert bank.eta(row, limit, np.zeros(1, np.bool_))[0] > 3 * HOUR or np.isnan(
                bank.eta(row, limit, np.zeros(1, np.bool_))[0]
            )
