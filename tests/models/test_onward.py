"""Many readings of each row at one go: what the bank says of them round by round, and where it stands, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import bank as bank_module
from models.bank import Bank, BankSettings
from models.onward import Said, Turns
from models.rounds import rounds

ROWS = 48
QUICK = BankSettings(
    warm_up=20, generation=60.0, generation_intervals=40.0, settle=30.0, settle_intervals=20.0, ranks=50
)
KINDS = ("gauge", "gauge", "gauge", "gauge", "counter", "angle", "switch", "state")


def made(mixed: bool) -> Bank:
    """Make a bank of plain gauges, or of all kinds, some of which creep, are guessed at or were never read."""
    bank = Bank(QUICK)
    for row in range(ROWS):
        bank.configure(row, interval=1.0 + row % 3, kind=KINDS[row % len(KINDS)] if mixed else "gauge", creeps=row == 5)
    return bank


def past(seed: int, rows: int, turns: int, mixed: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make readings of rows, of some far more than of others; steps, spikes, gaps and hours turning among them."""
    random = np.random.default_rng(seed)
    count = random.integers(1, turns + 1, rows)
    row = random.permutation(np.repeat(np.arange(rows), count))
    nth = np.zeros(len(row), np.intp)
    for taken_at, taken in enumerate(rounds(row, ROWS)):
        nth[taken] = taken_at
    time = 3570.0 + nth * (1.0 + row % 3) + random.random(len(row)) * 0.5 + (nth > 20) * (row % 5 == 0) * 40.0
    value = 10.0 + row + random.standard_normal(len(row)) + (nth > 15) * (row % 7 == 0) * 30.0
    value = np.where(row % 4 == 0, np.round(value), value)
    value += (random.random(len(row)) < 0.01) * 50.0
    if mixed:
        value[random.random(len(row)) < 0.01] = np.inf
        value = np.where(row % len(KINDS) >= 6, np.floor(10.0 * random.random(len(row))) % 3.0, value)
    return row, time, value


@pytest.mark.parametrize("mixed", [False, True])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), most=st.sampled_from([16, 40, 8192]))
def test_all_at_once_is_said_what_is_said_round_by_round(mixed: bool, seed: int, most: int) -> None:
    before, after = made(mixed), made(mixed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bank_module, "_FEW", 6)
        patch.setattr(bank_module, "_MANY", most)
        for begin in (0.0, 200.0):  # rows that are new, then known ones
            row, time, value = past(seed + int(begin), ROWS, 30, mixed)
            time += begin
            said, turn = after.update_all(row, time, value)
            for nth, taken in enumerate(rounds(row, ROWS)):
                found = before.update(row[taken], time[taken], value[taken])
                assert (turn[taken] == nth).all()
                for name in found._fields:
                    assert getattr(said, name)[taken].tobytes() == getattr(found, name).tobytes(), name
                assert said.since[taken].tobytes() == before.flat_since[row[taken]].tobytes()
                low, high = before.outside
                surprising = taken[found.reason > 0]
                assert said.low[surprising].tobytes() == low[row[surprising]].tobytes()
                assert said.high[surprising].tobytes() == high[row[surprising]].tobytes()
    one, other = before.state(), after.state()
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_turns_put_the_rows_with_the_most_readings_first() -> None:
    rows = np.array([3, 1, 3, 0, 3, 1])
    turns = Turns(rows, 5)
    assert turns.mine.tolist() == [3, 1, 0] and turns.sizes.tolist() == [3, 2, 1]
    assert rows[turns.place].tolist() == [3, 1, 0, 3, 1, 3] and turns.of.tolist() == [0, 0, 1, 0, 2, 1]


def test_of_no_readings_nothing_is_said() -> None:
    said, turn = made(False).update_all(np.empty(0, np.intp), np.empty(0), np.empty(0))
    assert not len(turn) and all(not len(column) for column in said) and len(said) == len(Said._fields)
