"""What a rule costs is measured, and measuring changes nothing."""

from __future__ import annotations

import numpy as np

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.metering import Metered
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

SITE = a_site(*(a_point(f"p{n}", area="a") for n in range(50)))
RULES = (
    a_rule("plain", when="value > 100"),
    a_rule("windows", when="mean('1h') > 3 or max('10m') > 8 or rate('30m') > 5 m/h"),
    a_rule("left-out", when="value > 7"),
)


def played(metered: bool) -> tuple[list[tuple[str, str, int]], Evaluator]:
    book = compile_rules(RULES, SITE, SITE.points)
    evaluator: Evaluator = Evaluator(book, Bank(50))
    if metered:
        evaluator = Metered(evaluator, SITE, SITE.points, {"plain", "windows"})
    rows, found = np.arange(50), []
    for step in range(20):
        now = 1000.0 + 60 * step
        value = np.full(50, step / 2.0)
        scored = Scored(np.zeros(50), np.zeros(50, np.bool_))
        at = np.full(50, now)
        changes = evaluator.readings(rows, at, value, np.zeros(50, np.uint8), at, scored, now)
        changes += evaluator.tick(now + 1)
        found += [(change.rule.id, change.scope, change.after) for change in changes]
    return found, evaluator


def test_what_is_measured_decides_the_same() -> None:
    (plain, before), (measured, after) = played(False), played(True)
    assert plain == measured and plain
    assert (before.current == after.current).all()


def test_a_rule_with_windows_costs_more_than_one_without() -> None:
    _, evaluator = played(True)
    assert isinstance(evaluator, Metered)
    costs = {cost.rule: cost for cost in evaluator.costs()}
    assert set(costs) == {"plain", "windows"}
    assert costs["windows"].cpu > costs["plain"].cpu
    assert costs["windows"].bytes > costs["plain"].bytes + 50 * 16 * 8
    assert {cost.readings for cost in costs.values()} == {1000} and costs["plain"].places == 50
