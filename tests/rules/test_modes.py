"""Modes of the site in conditions: seen by the clock, in their areas, known always."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.expression import ExpressionError, parse
from rules.modes import Modes
from rules.rule import RuleTest
from rules.unparse import unparse
from rules.vectors import VectorError, run
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

SITE = a_site(a_point("p"), a_point("q", area="b"))


def evaluator(when: str, **fields: object) -> Evaluator:
    return Evaluator(compile_rules((a_rule(when=when, **fields),), SITE, SITE.points), Bank(2))


def read(one: Evaluator, now: float, *values: float) -> None:
    rows, count = np.arange(len(values)), len(values)
    at, plain = np.full(count, now), np.zeros(count, np.uint8)
    one.readings(rows, at, np.array(values), plain, at, Scored(np.zeros(count), np.zeros(count, np.bool_)), now)


def test_a_rule_that_asks_for_a_mode_follows_it_by_the_clock_where_it_lasts() -> None:
    one = evaluator("value > 2 and not mode('maintenance')")
    one.modes.put([("maintenance", "a", 100.0)])
    read(one, 10.0, 3.0, 3.0)
    assert one.current.tolist() == [0, 2]
    assert [(change.scope, change.after) for change in one.tick(99.0)] == []
    assert [(change.scope, change.after) for change in one.tick(100.0)] == [("p", 2)]
    one.modes.put([("maintenance", "", 200.0)])
    assert {change.scope: change.after for change in one.tick(101.0)} == {"p": 0, "q": 0}
    assert [change.after for change in one.tick(200.0)] == [2, 2]


def test_a_mode_itself_may_be_what_is_looked_for_without_any_reading_of_the_areas_points() -> None:
    one = evaluator("mode('exercise')", scope="area")
    assert one.tick(1.0) == []
    one.modes.put([("exercise", "b", 60.0)])
    (change,) = one.tick(2.0)
    assert (change.scope, change.after) == ("b", 2)
    assert change.why is not None and [(term.name, term.holds) for term in change.why.terms] == [
        ("mode('exercise')", True)
    ]
    assert one.tick(60.0)[0].after == 0


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("mode('maintenence')", "no mode of this site (did you mean 'maintenance'?)"),
        ("mode('')", "no mode of this site"),
        ("mode('<script>')", "no mode of this site: exercise, maintenance"),
    ],
)
def test_a_mode_that_the_site_does_not_have_is_refused(when: str, said: str) -> None:
    with pytest.raises(CompileError, match=said.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        evaluator(when)


@pytest.mark.parametrize(
    "text", ["mode", "mode()", "mode(maintenance)", "mode('a', 'b')", "area.any(mode('exercise'))", "mode('x') > 1"]
)
def test_what_is_no_question_for_a_mode_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_it_is_written_again_as_it_was() -> None:
    assert unparse(parse("not mode('maintenance') and value > 1")) == "(not (mode('maintenance')) and value > 1)"


def test_the_longest_of_an_areas_spells_counts_and_others_elsewhere_do_not() -> None:
    modes, areas = Modes({"a": 0, "b": 1}), np.array([0, 1, 0])
    modes.put([("works", "a", 5.0), ("works", "a", 9.0), ("works", "zz", 50.0)])
    assert modes.column("works", areas, 8.0).tolist() == [1.0, 0.0, 1.0]
    assert modes.column("works", areas, 9.0).tolist() == [0.0] * 3
    assert modes.column("other", areas, 1.0).tolist() == [0.0] * 3


def test_a_rules_own_test_may_have_modes() -> None:
    rule = a_rule(when="value > 2 and not mode('maintenance')", where={"quantity": "level", "types": ["slope"]})

    def test(modes: list[dict[str, object]], expect: str) -> RuleTest:
        plain = {"name": "x", "step": "1 min", "point": {"values": "3*4"}, "modes": modes, "expect": expect}
        return msgspec.convert(plain, RuleTest)

    assert run(rule, test([{"mode": "maintenance", "at": "1 min", "for": "2 min"}], "yellow none*2 yellow"), SITE) == []
    assert run(rule, test([{"mode": "maintenance", "at": "2 min"}], "yellow*2 none*2"), SITE) == []
    assert run(rule, test([{"mode": "exercise"}], "yellow*4"), SITE) == []
    with pytest.raises(VectorError, match="modes: 'works' is no mode"):
        run(rule, test([{"mode": "works"}], "yellow*4"), SITE)
