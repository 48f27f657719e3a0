"""`deviation`: how far a value is from what is usual at its hour."""

from __future__ import annotations

import numpy as np
import pytest

from models.bank import Bank
from rules.compiler import CompileError, compile_rules
from rules.rule import RuleTest, Series
from rules.vectors import run
from tests.rules.stage import a_point, a_rule, a_site

HOUR = 3600.0
START = 1.7e9 // 86400 * 86400


def swinging(hours: int) -> Bank:
    """Let row 0 swing by 5 about 20 each day, row 1 stand at 20 with little noise; row 2 is never read."""
    bank = Bank()
    bank.grow(3)
    for row in range(3):
        bank.configure(row, interval=HOUR)
    random = np.random.default_rng(1)
    for hour in range(hours):
        time = START + HOUR * hour
        value = np.array([20.0 + 5.0 * np.sin(2 * np.pi * hour / 24), 20.0]) + random.normal(0.0, 0.1, 2)
        bank.update(np.arange(2), np.full(2, time), value)
    return bank


def test_a_daily_swing_is_usual_and_a_step_away_from_it_is_told() -> None:
    bank = swinging(24 * 12)
    rows = np.arange(3)
    assert np.abs(bank.deviation(rows)[:2]).max() < 1.0 and np.isnan(bank.deviation(rows)[2])
    off = []
    for hour in range(24 * 12, 24 * 12 + 12):
        usual = 20.0 + 5.0 * np.sin(2 * np.pi * hour / 24)
        bank.update(np.arange(2), np.full(2, START + HOUR * hour), np.array([usual, 20.0]))
        off.append(bank.deviation(np.arange(1)).item())
    assert np.abs(off).max() < 1.0, "all through the day"
    bank.update(np.arange(2), np.full(2, START + HOUR * 24 * 12.5), np.array([26.0, 26.0]))
    assert bank.deviation(np.arange(2)) == pytest.approx([6.0, 6.0], abs=1.0)
    bank.update(np.arange(2), np.full(2, START + HOUR * 24 * 13), np.array([26.0, 26.0]))
    assert np.isnan(bank.deviation(np.arange(2))).all(), "after a gap the last 24 hours are not known"


def test_it_is_unknown_until_the_days_before_have_shown_what_is_usual() -> None:
    assert np.isnan(swinging(72).deviation(np.arange(2))).all()


def test_rules_compare_it_as_a_difference_and_what_is_unknown_raises_nothing() -> None:
    point = a_point("p", quantity="temperature", unit="°C", index=0)
    rule = a_rule(when="abs(deviation) > 3 K", where={"quantity": "temperature"})
    test = RuleTest(
        name="unlike the hour", step="1 h",
        point=Series(values="20*5", deviation="_ 1 4 -4 0"), expect="none*2 yellow*2 none",
    )  # fmt: skip
    assert run(rule, test, a_site(point)) == []
    with pytest.raises(CompileError, match="cannot be compared"):
        compile_rules([a_rule(when="deviation > 3 mm")], a_site(point), [point])
