from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.explanation import Withdrawn
from rules.rule import Rule
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site


def test_raised_conditions_of_a_state_that_hashed_whole_rules_are_carried_over() -> None:
    site = a_site(a_point("p"), a_point("q"))
    book = compile_rules([a_rule(when="value > 5 m")], site, site.points)
    before, after = Evaluator(book, Bank(2)), Evaluator(book, Bank(2))
    rows, good = np.arange(2), np.zeros(2, np.uint8)
    scored = Scored(np.zeros(2), np.zeros(2, np.bool_))
    start, later = np.zeros(2), np.ones(2)
    (change,) = before.readings(rows, start, np.array([9.0, 1.0]), good, start, scored, 0.0)
    assert change.scope == "p"
    state = before.state()
    notes = msgspec.msgpack.decode(state["notes"].tobytes())
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes | {"version": 1}), np.uint8)
    state["instance.key"] = ~state["instance.key"]
    assert after.restore(state) == []
    assert after.current.tolist() == [2, 0]
    (change,) = after.readings(rows, later, np.array([1.0, 1.0]), good, later, scored, 1.0)
    assert (change.scope, change.before, change.after) == ("p", 2, 0)


SITE = a_site(a_point("p"), a_point("q"))


def levels(**red: object) -> dict[str, dict[str, object]]:
    yellow = {"when": "value > 5", "for": "1 min", "clear": "value < 3", "clear_after": "1 min"}
    return {"yellow": yellow, "red": {"when": "value > 9"} | red}


def begun(*readings: tuple[int, float, float]) -> Evaluator:
    """Have a rule of two levels take readings: row, time, value."""
    evaluator = Evaluator(compile_rules([a_rule("r", levels=levels())], SITE, SITE.points), Bank(2))
    for row, at, value in readings:
        time, scored = np.array([at]), Scored(np.zeros(1), np.zeros(1, np.bool_))
        evaluator.readings(np.array([row]), time, np.array([value]), np.zeros(1, np.uint8), time, scored, at)
    return evaluator


def published(rule: Rule, over: Evaluator) -> tuple[Evaluator, list[Withdrawn]]:
    after = Evaluator(compile_rules([rule], SITE, SITE.points), Bank(2))
    withdrawn = after.restore(over.state())
    after.look_anew(over.book)
    return after, withdrawn


CHANGES = [
    a_rule("r", levels=levels(when="value > 20")),
    a_rule("r", levels=levels(), where={"points": ("p",)}),
    a_rule("r", levels={"yellow": levels()["yellow"]}),
]


@pytest.mark.parametrize("after", CHANGES, ids=["another level", "where", "a level less"])
def test_of_a_changed_rule_what_decides_as_it_did_goes_on(after: Rule) -> None:
    before = begun((0, 0.0, 6.0), (0, 60.0, 6.0), (0, 90.0, 2.0), (1, 90.0, 6.0))  # p is to be left, q to be raised
    evaluator, withdrawn = published(after, before)
    assert withdrawn == [] and evaluator.current[0] == 2 and evaluator.running[0]
    found = [*evaluator.tick(149.0), *evaluator.tick(150.0)]
    raised = [] if after.where.points else [("q", 0, 2, 90.0)]
    assert [(one.scope, one.before, one.after, one.onset) for one in found] == [("p", 2, 0, 90.0), *raised]


def test_a_level_that_decides_otherwise_ends_and_begins_anew() -> None:
    before = begun((0, 0.0, 10.0), (0, 30.0, 10.0))
    evaluator, withdrawn = published(a_rule("r", levels=levels(when="value > 9.5")), before)
    assert [(one.scope, one.level) for one in withdrawn] == [("p", 4)] and evaluator.current.tolist() == [0, 0]
    assert [(one.after, one.onset) for one in evaluator.tick(60.0)] == [(4, 60.0)]
    assert evaluator.held_since[evaluator.book.first[0]] == 0.0  # the level beneath it has held since then


def test_what_a_changed_rule_watches_in_another_area_of_the_point_begins_anew() -> None:
    before = begun((0, 0.0, 10.0))
    state = before.state()
    notes = msgspec.msgpack.decode(state["notes"].tobytes(), strict=False)
    moved = [(place, rule, scope, "b") for place, rule, scope, _ in notes["raised"]]
    state["notes"] = np.frombuffer(msgspec.msgpack.encode(notes | {"raised": moved}), np.uint8)
    after = Evaluator(compile_rules([CHANGES[1]], SITE, SITE.points), Bank(2))
    assert [one.scope for one in after.restore(state)] == ["p"]
