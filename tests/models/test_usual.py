"""The quick way of a usual reading tells and keeps the same bits as the whole way."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bank import Bank, BankSettings

QUICK = BankSettings(
    warm_up=5, generation=600.0, generation_intervals=20.0, memory=90.0, settle=20.0, settle_intervals=10.0, least=1.0
)


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
        time = time + random.choice([0.5, 1.0, 2.0, 30.0], points, p=[0.1, 0.7, 0.19, 0.01])
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
