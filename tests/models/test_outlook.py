"""Where a point's latest readings lead, for a chart: the bank's own trend, drawn ahead."""

from __future__ import annotations

import numpy as np
import pytest

from models.bank import Bank
from models.outlook import outlook

INTERVAL = 60.0


def ramp(readings: int, rate: float = 0.1, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    time = 1.7e9 + np.arange(readings) * INTERVAL
    return time, rate * np.arange(readings) + np.random.default_rng(3).normal(0.0, noise or 1e-9, readings)


def test_the_cone_begins_at_the_last_reading_and_opens_around_its_path() -> None:
    time, value = ramp(60)
    found = outlook(time, value, INTERVAL, 1800.0, limit=7.0)
    assert found is not None
    assert found.time[0] == time[-1]
    assert found.time[-1] == time[-1] + 1800.0
    assert found.low[0] == found.value[0] == found.high[0] == pytest.approx(value[-1], abs=0.05)
    assert (found.low[1:] < found.value[1:]).all()
    assert (found.value[1:] < found.high[1:]).all()
    assert (np.diff(found.high - found.low) > 0.0).all()
    assert found.eta is not None
    expected, soonest, latest = found.eta
    assert soonest < expected < latest
    assert np.interp(expected, found.time - time[-1], found.value) == pytest.approx(7.0, abs=0.1)


def test_it_foresees_the_limit_when_the_bank_does() -> None:
    time, value = ramp(60, noise=0.02)
    bank = Bank()
    bank.configure(0, interval=INTERVAL)
    for when, one in zip(time, value, strict=True):
        bank.update(np.array([0]), np.array([when]), np.array([one]))
    rows, limit, below = np.array([0]), np.array([8.0]), np.array([False])
    found = outlook(time, value, INTERVAL, 3600.0, limit=8.0)
    assert found is not None
    assert found.eta is not None
    told = [bank.eta(rows, limit, below)[0], *(one[0] for one in bank.eta_range(rows, limit, below))]
    assert found.eta == pytest.approx(told, rel=0.05)


@pytest.mark.parametrize("case", ["noise", "few", "none", "gap"])
def test_no_movement_has_no_cone(case: str) -> None:
    time, value = ramp(200, rate=0.0, noise=1.0) if case == "noise" else ramp({"few": 5, "none": 0}.get(case, 40))
    if case == "gap":  # what was before it says nothing of now
        time[-4:] += 3600.0
    assert outlook(time, value, INTERVAL, 600.0, limit=1e6) is None


@pytest.mark.parametrize(("limit", "below"), [(2.0, False), (-50.0, True), (1e6, False), (None, False)])
def test_a_limit_that_is_passed_or_not_in_sight_has_no_time(limit: float | None, below: bool) -> None:
    found = outlook(*ramp(60), INTERVAL, 600.0, limit=limit, below=below)
    assert found is not None
    assert found.eta is None
