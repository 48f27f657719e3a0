"""How seldom changes from one code to another are, and what is kept of them."""

from __future__ import annotations

import numpy as np

from models.codes import MOST, Codes


def test_a_change_is_as_seldom_as_the_changes_that_are_at_least_as_rare() -> None:
    codes = Codes()
    for turn in range(10):
        codes.change(0, 0.0, 1.0, 20.0 * turn)
        codes.change(0, 1.0, 0.0, 20.0 * turn + 5.0)
    new = codes.change(0, 0.0, 2.0, 199.0)
    assert (new.share, new.times, new.unseen, new.codes) == (1.0 / 200.0, 0.0, True, 2)
    codes.change(0, 2.0, 0.0, 200.0)
    again = codes.change(0, 0.0, 2.0, 399.0)
    assert (again.share, again.times, again.unseen) == (3.0 / 400.0, 1.0, False)  # once there, once back, and this one
    usual = codes.change(0, 0.0, 1.0, 499.0)
    assert usual.share == (10 + 10 + 2 + 1 + 1) / 500.0


def test_rows_know_nothing_of_each_other_and_forget() -> None:
    codes = Codes()
    codes.change(0, 0.0, 1.0, 10.0)
    assert codes.change(1, 0.0, 1.0, 10.0).unseen
    codes.forget(0)
    assert codes.change(0, 0.0, 1.0, 10.0).unseen
    assert not codes.change(1, 0.0, 1.0, 20.0).unseen


def test_memory_is_bounded_and_keeps_what_comes_most_often() -> None:
    codes = Codes()
    for turn in range(5):
        codes.change(0, 0.0, 1.0, float(turn))
    for code in range(1000):
        codes.change(0, float(code), float(code + 1), 10.0 + code)
    assert len(codes.state()) == MOST
    assert codes.change(0, 0.0, 1.0, 2000.0).times >= 5.0


def test_state_goes_on_where_it_stopped() -> None:
    one, other = Codes(), Codes()
    random = np.random.default_rng(1)
    last = 0.0
    for turn in range(300):
        now = float(random.integers(0, 12))
        one.change(turn % 3, last, now, float(turn))
        last = now
    other.restore(one.state())
    assert other.state().tobytes() == one.state().tobytes()
    for turn in range(300, 400):
        now = float(random.integers(0, 12))
        assert one.change(turn % 3, last, now, float(turn)) == other.change(turn % 3, last, now, float(turn))
        last = now
