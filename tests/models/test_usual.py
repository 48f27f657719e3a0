"""The quick way of a usual reading tells and keeps the same bits as the whole way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import bank as bank_module
from models.bank import Bank, BankSettings

QUICK = BankSettings(
    warm_up=5, generation=600.0, generation_intervals=20.0, memory=90.0, settle=20.0, settle_intervals=10.0,
    least=1.0, ranks=20.0,
)  # fmt: skip


@settings(max_examples=16, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_single_readings_of_learnt_gauges_keep_the_bits_of_a_batch(seed: int, shipped: bool) -> None:
    random = np.random.default_rng(seed)
    one, batch = (Bank(None if shipped else QUICK) for _ in range(2))
    points = 40  # more than are worked one by one
    for bank in (one, batch):
        bank.grow(points)
        for row in range(points):
            bank.configure(row, interval=1.0 + row % 2, kind="gauge")
    rows = np.arange(points)
    time, level = np.zeros(points), np.zeros(points)
    for _ in range(160):
        time = time + random.choice([0.5, 1.0, 2.0, 30.0, 1.6e7], points, p=[0.1, 0.7, 0.188, 0.01, 0.002])
        level = np.where(
            random.random(points) < 0.2, level, np.round(random.normal(size=points), 1)
        )  # stands, ties, -0.0
        level = np.where(random.random(points) < 0.01, level + 9.0, level)
        told = batch.update(rows, time, level)
        for row in rows.tolist():
            single = one.update(rows[row : row + 1], time[row : row + 1], level[row : row + 1])
            for column, expected in zip(single, told, strict=True):
                assert column.tobytes() == expected[row : row + 1].tobytes()
    for name, array in one.state().items():
        assert array.tobytes() == batch.state()[name].tobytes()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_readings_of_new_hours_keep_the_bits_of_a_batch_with_a_daily_swing_or_without(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, batch = Bank(), Bank()
    points = 40
    for bank in (one, batch):
        bank.grow(points)
        for row in range(points):
            bank.configure(row, interval=(3600.0, 1800.0)[row % 2])
    rows, time = np.arange(points), 1_767_225_600.0 + random.integers(0, 7200, points).astype(float)
    for _ in range(150):  # the swing is told from the fourth day on, and ends when the value goes its own way
        steps = random.choice([1.0, 4.2, 50.0], points, p=[0.988, 0.01, 0.002])
        time = time + steps * np.where(rows % 2, 1800.0, 3600.0)
        swing = np.where(rows < 30, 5.0 * np.sin(time / 13751.0 + rows), 0.0)
        value = np.where(time - 1_767_225_600.0 > 110 * 3600.0, 0.0, swing) + np.round(random.normal(size=points), 1)
        told = batch.update(rows, time, value)
        for row in rows.tolist():
            single = one.update(rows[row : row + 1], time[row : row + 1], value[row : row + 1])
            for column, expected in zip(single, told, strict=True):
                assert column.tobytes() == expected[row : row + 1].tobytes()
    for name, array in one.state().items():
        assert array.tobytes() == batch.state()[name].tobytes()


@pytest.mark.parametrize("interval", [60.0, 86400.0])
def test_last_bits_of_a_constant_raise_nothing_and_keep_the_bits_of_a_batch(interval: float) -> None:
    level = np.repeat([20.1, -3e-7, 1e9, 0.0], 10)  # more points than are worked one by one
    rows, one, batch = np.arange(len(level)), Bank(), Bank()
    for bank in (one, batch):
        bank.grow(len(level))
        for row in rows.tolist():
            bank.configure(row, interval=interval, kind="angle" if row == 7 else "gauge")
    nudges = np.resize([0.0, 2e-16, -2e-16, 4e-16, 1e-15, -1e-12, 5e-10, -9e-10, 3e-9, -1e-8], len(level))
    for step in range(340):
        time, value = np.full(len(level), interval * step), level * (1.0 + nudges * (step == 330))
        told = batch.update(rows, time, value)
        for row in rows.tolist():
            single = one.update(rows[row : row + 1], time[row : row + 1], value[row : row + 1])
            for column, expected in zip(single, told, strict=True):
                assert column.tobytes() == expected[row : row + 1].tobytes()
        off = np.where(level == 0.0, 0.0, np.abs(nudges) * (step == 330))
        if step <= 330:
            assert told.alarm.tolist() == (off > 1e-9).tolist()  # a billionth of a reading is news
            assert not told.score[off < 2e-12].any()
    for name, array in one.state().items():
        assert array.tobytes() == batch.state()[name].tobytes()


def test_the_quick_way_takes_hourly_readings_too(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = []
    assess = bank_module.assess
    monkeypatch.setattr(bank_module, "assess", lambda *given: slow.append(given) or assess(*given))
    bank = Bank()
    bank.grow(1)
    bank.configure(0, interval=3600.0)
    for hour in range(160):  # of which a day and more with a daily swing
        bank.update(np.array([0]), np.array([3600.0 * hour]), np.array([np.sin(hour * np.pi / 12) + 0.01 * (hour % 7)]))
    assert len(slow) == 1  # the first of all
    for again in range(1, 4):  # twice a year: after a gap, a week of memory over
        told = bank.update(np.array([0]), np.array([3600.0 * 160 + 1.6e7 * again]), np.array([0.1]))
        assert told.gap[0]
    assert len(slow) == 1
