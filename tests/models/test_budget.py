"""The budget of false alarms is held to its rate, and no danger is silenced by what was spent of it."""

from __future__ import annotations

import numpy as np
import pytest

from models.arithmetic import ARRAYS, SCALARS
from models.bank import Bank, BankSettings
from models.budget import enough, owed, spend
from models.layout import AT, SLOW_AT

DAY = 86400.0
FREE, MOST, CERTAIN = 60 * DAY, 7.0, 1.2


def test_what_is_paid_back_within_the_free_time_is_not_owed_and_the_rest_is_bounded() -> None:
    rate, spent = 0.03 / DAY, 0.0
    for alarms, owes in ((1, 0.0), (2, 2 - 1.8), (3, 3 - 1.8), (30, MOST - 1.8)):
        while round(spent * rate) < min(alarms, MOST):
            spent = spend(SCALARS, spent, 0.0, rate, True, MOST)
        assert owed(SCALARS, spent, 0.0, rate, FREE, MOST) == pytest.approx(owes, abs=1e-9)
    assert spend(SCALARS, spent, 0.0, rate, True, MOST) == pytest.approx(spent)  # no further than `most` alarms ahead
    assert owed(SCALARS, spent, 300 * DAY, rate, FREE, MOST) == 0.0  # months later it is paid back
    assert spend(SCALARS, spent, 0.0, rate, False, MOST) == spent


def test_who_owes_needs_a_larger_excess_and_a_certain_one_is_enough_always() -> None:
    share, scale, asked = 1e-3, 0.02, 1e-4

    def least(owes: float) -> float:
        excess = np.linspace(0.0, 2.0, 20_001)
        told = enough(ARRAYS, np.full(20_001, share), excess, scale, asked, np.full(20_001, owes), CERTAIN)
        assert np.all(np.diff(told.astype(int)) >= 0)  # what is enough stays so for all that is larger
        return float(excess[told.argmax()])

    needed = [least(owes) for owes in (0.0, 0.5, 1.0, 3.0, 7.0, 1e9)]
    assert needed == sorted(needed) and needed[0] < 0.05 < needed[2] < needed[-1] == CERTAIN
    assert not enough(SCALARS, share, 0.0, scale, 1.0, 0.0, CERTAIN)


def test_a_budget_of_next_to_nothing_gives_finite_figures() -> None:
    assert 0.0 < spend(SCALARS, 0.0, 0.0, 5e-324, True, MOST) < np.inf
    assert owed(SCALARS, 1e30, 0.0, 5e-324, FREE, MOST) >= 0.0


EACH, DAYS = 8, 150
# Of hourly readings, as many are a memory and a stay as the shipped settings make of readings every five minutes.
HOURLY = BankSettings(generation_intervals=168.0, settle_intervals=24.0, refractory=6.0, memory=500.0)


def run(settings: BankSettings) -> tuple[Bank, dict[str, float]]:
    """Run points of heavy tails and of a steady trend; return the bank and the alarms a point and day after 60."""
    random, bank, rows = np.random.default_rng(5), Bank(settings), np.arange(2 * EACH)
    for row in rows.tolist():
        bank.configure(row, interval=3600.0)
    alarms = np.zeros(len(rows))
    for place in range(DAYS * 24):
        value = np.concatenate([random.standard_t(2, size=EACH), place + random.normal(size=EACH)])
        alarms += bank.update(rows, np.full(len(rows), 3600.0 * place), value).alarm * (place >= 60 * 24)
    return bank, {
        "heavy tails": alarms[:EACH].sum() / EACH / (DAYS - 60),
        "trend": alarms[EACH:].sum() / EACH / (DAYS - 60),
    }


@pytest.fixture(scope="module")
def told() -> tuple[Bank, dict[str, float]]:
    """Without what is owed it is 0.14 and 0.92."""
    return run(HOURLY)


@pytest.mark.parametrize("kind", ["heavy tails", "trend"])
def test_alarms_come_at_most_twice_as_often_as_the_budget_allows(
    told: tuple[Bank, dict[str, float]], kind: str
) -> None:
    assert 0.0 < told[1][kind] <= 2.0 * 0.03


def test_a_danger_is_told_of_points_that_have_spent_all(told: tuple[Bank, dict[str, float]]) -> None:
    state = told[0].state()
    state["slow"][:, SLOW_AT["spent"]] = 1e12
    bank, rows = Bank(HOURLY), np.arange(EACH)
    bank.restore(state)
    later = np.full(EACH, float(bank.last_time.max()) + 3600.0)
    alarm = {}
    for ranges in (0.3, 1.5):
        bank.restore(state)
        highs = state["fields"][:EACH, AT["value_high"]], state["slow"][:EACH, SLOW_AT["value_before_high"]]
        high = np.maximum(*highs)
        alarm[ranges] = bank.update(rows, later, high + ranges * bank.reach[:EACH]).alarm
    assert alarm[1.5].all() and not alarm[0.3].any()


def test_codes_that_were_never_seen_do_not_ring_one_after_the_other() -> None:
    """A point that has sent two codes for weeks and then a new one at every reading."""
    bank = Bank()
    bank.configure(0, interval=60.0, kind="state")
    alarms, steady = 0, 4_000_000
    rows = np.zeros(1, np.intp)
    for place in range(200):
        bank.update(rows, np.array([60.0 * place]), np.array([float(place % 2)]))
    state = bank.state()
    state["fields"][0, AT["seen"]] = steady  # as if it had lived through them
    bank.restore(state)
    start = 60.0 * 200
    for place in range(300):
        alarms += int(bank.update(rows, np.array([start + 60.0 * place]), np.array([5.0 + place])).alarm[0])
    assert 1 <= alarms <= 300 // 75 + 1


def test_a_larger_budget_pays_back_what_is_owed_sooner() -> None:
    """Events every three days, at a budget that was raised a hundredfold meanwhile and at one that was not."""

    def alarms(first: float, later: float) -> int:
        bank, random, count = Bank(), np.random.default_rng(3), 0
        bank.configure(0, interval=600.0, budget=first)
        for place in range(60 * 144):
            if place == 20 * 144:
                bank.configure(0, interval=600.0, budget=later)
            value = random.normal() + (40.0 * (1.0 + place / 4000.0) if place % 432 == 431 else 0.0)
            told = bank.update(np.zeros(1, np.intp), np.array([600.0 * place]), np.array([value]))
            count += int(told.alarm[0]) if place >= 20 * 144 else 0
        return count

    assert alarms(0.003, 0.3) >= alarms(0.003, 0.003)
    assert alarms(0.003, 0.3) >= alarms(0.3, 0.3) - 1
