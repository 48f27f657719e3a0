"""Jumps of unit: told when a point goes on as before in another unit, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bank import Bank
from models.jump import STAY, Jumps

MINUTE = 60.0


class Point:
    """One point, or several side by side, through a bank and the detector."""

    def __init__(self, rows: int = 1, **kind: bool) -> None:
        self.bank, self.jumps, self.now = Bank(), Jumps(), 0.0
        self.bank.grow(rows)
        for row in range(rows):
            self.jumps.configure(row, gauge=kind.get("gauge", True), thermal=kind.get("thermal", False))

    def read(self, *values: float) -> list[bool]:
        """Take one reading after another of the first row."""
        return [self.read_all([value])[0] for value in values]

    def read_all(self, values: list[float]) -> list[bool]:
        """Take one reading of each row."""
        self.now += MINUTE
        rows, time, value = np.arange(len(values)), np.full(len(values), self.now), np.array(values)
        before = self.bank.last_value.copy()
        reason = self.bank.update(rows, time, value).reason
        told = self.jumps.update(rows, time, value, reason, *self.bank.outside, before)
        return [False] * len(values) if told is None else told.tolist()


def usual(count: int = 200, level: float = 20.0, spread: float = 0.3, seed: int = 1) -> list[float]:
    return (level + spread * np.random.default_rng(seed).normal(size=count)).tolist()


@pytest.mark.parametrize("factor", [10, 100, 1000, 25.4, 3.6, 1 / 10, 1 / 100, 1 / 1000, 1 / 25.4, 1 / 3.6, -1])
def test_a_level_that_stays_at_a_known_factor_has_jumped(factor: float) -> None:
    point = Point()
    point.read(*usual())
    told = point.read(*(factor * value for value in usual(10, seed=2)))
    assert told == [False] * (STAY - 1) + [True] * (10 - STAY + 1)


@pytest.mark.parametrize(("thermal", "found"), [(True, True), (False, False)])
def test_fahrenheit_is_told_of_temperatures_only(thermal: bool, found: bool) -> None:
    point = Point(thermal=thermal)
    point.read(*usual(level=10.0))
    assert any(point.read(*(32 + 1.8 * value for value in usual(10, level=10.0, seed=2)))) is found


def test_celsius_again_ends_it() -> None:
    point = Point(thermal=True)
    point.read(*usual())
    assert point.read(*(32 + 1.8 * value for value in usual(10, seed=2)))[-1]
    assert point.read(*usual(5, seed=3)) == [False] * 5


def test_a_spike_is_no_jump() -> None:
    point = Point()
    point.read(*usual())
    assert not any(point.read(200.0, 201.0, *usual(10, seed=2)))


def test_a_rise_by_another_factor_is_no_jump() -> None:
    point = Point()
    point.read(*usual())
    assert not any(point.read(*(7.0 * value for value in usual(20, seed=2))))


def test_a_rise_that_goes_on_is_no_jump() -> None:
    point = Point()
    point.read(*usual())
    assert not any(point.read(*np.linspace(200.0, 900.0, 20).tolist()))


def test_within_what_the_point_has_shown_nothing_is_a_jump() -> None:
    point = Point()
    point.read(*np.random.default_rng(1).uniform(1.0, 300.0, 400).tolist(), 20.0)
    assert not any(point.read(*usual(20, level=200.0)))


def test_a_counter_does_not_jump() -> None:
    point = Point(gauge=False)
    point.read(*usual())
    assert not any(point.read(*(10 * value for value in usual(10, seed=2))))


def test_after_a_day_the_new_unit_is_the_points_own() -> None:
    point = Point()
    point.read(*usual())
    told = point.read(*(10 * value for value in usual(24 * 60 + 10, seed=2)))
    assert told[24 * 60 - 5] and not told[-1]


def test_the_state_survives_a_snapshot() -> None:
    point, other = Point(), Point()
    turned = [10 * value for value in usual(10, seed=2)]
    point.read(*usual(), *turned[:2])
    other.bank.restore(point.bank.state())
    other.jumps.restore(point.jumps.state())
    other.now = point.now
    assert other.read(*turned[2:]) == point.read(*turned[2:])
    with pytest.raises(ValueError, match="layout"):
        Jumps().restore({"agreed": np.zeros(1, np.uint8)})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([1.0, 10.0, 0.1, -1.0, 25.4, 5.0]), min_size=1, max_size=30))
def test_rows_side_by_side_are_told_as_each_alone(factors: list[float]) -> None:
    steps = [(factor * 20.0, 20.0, factor * 20.0) for factor in factors]
    together, alone = Point(3), Point()
    for value in usual():
        together.read_all([value] * 3)
        alone.read(value)
    for step in steps:
        first, second, third = together.read_all(list(step))
        assert [first] == alone.read(step[0])
        assert not second and third == first
