"""Rules' own tests, run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from rules import vectors
from rules.compiler import CompileError
from rules.rule import EventStep, RuleTest, Series
from rules.vectors import Bench, VectorError
from tests.rules.stage import a_point, a_rule, a_site

BENCH = Bench(a_site(a_point("p", area="a", levels={"red": 8.0})))
RULE = a_rule(
    where={"quantity": "level"},
    levels={"yellow": {"when": "value > 4", "for": "20 s", "clear_after": "10 min"}},
)


def a_test(values: str, expect: str | dict[str, str], **fields: object) -> RuleTest:
    return RuleTest(name="t", point=Series(values=values), expect=expect, **fields)


def test_steps_of_different_lengths_meet_delays_of_different_lengths_in_a_few_readings() -> None:
    test = a_test("3 5*2 3*2", "none*2 yellow*2 none", step="20s*3 10m")
    assert BENCH.run(RULE, test) == []
    assert BENCH.run(RULE, a_test("3 5*2 3*2", "none*2 yellow*2 none", step="20s*3 599s")) == [
        "at 10.98 min the level is yellow, expected none"
    ]


def test_times_of_expectations_are_found_among_uneven_steps() -> None:
    test = a_test("3 5*2 3*2", {"0 s": "none", "45 s": "yellow", "11 min": "none"}, step="20s*3 10m")
    assert BENCH.run(RULE, test) == []
    (told,) = BENCH.run_all(RULE, [a_test("3 5", {"1 min": "none"}, step="20s")])
    assert isinstance(told, VectorError) and "after the last step" in told.message


def test_tests_run_side_by_side_give_what_each_gives_alone() -> None:
    """Of different lengths, some that fail, one that cannot run: each keeps its place and its word."""
    tests = [
        a_test("3 5*3", "none*2 yellow*2", step="20s"),
        a_test("5*2", "none*2", step="20s"),
        a_test("5 six", "none*2", step="20s"),
        a_test("5*6", "none yellow*5", step="20s"),
        a_test("5*2 3", "none yellow none", step="30s"),
    ]
    together = BENCH.run_all(RULE, tests)
    for test, told in zip(tests, together, strict=True):
        (alone,) = BENCH.run_all(RULE, [test])
        assert str(told) == str(alone)
    assert [bool(told) if isinstance(told, list) else "refused" for told in together] == [
        False,
        True,
        "refused",
        False,
        True,
    ]


def test_a_test_says_how_long_events_were_watched_before_it() -> None:
    rule = a_rule(where={"quantity": "level"}, when="value > 4 and not seen('debris', '5m')")
    fresh, longer = ({"step": "1m", "watched": watched} for watched in (0.0, 180.0))
    tests = [a_test("5*7", "yellow*7", step="1m"), a_test("5*7", "none*5 yellow*2", **fresh)]
    assert BENCH.run_all(rule, [*tests, a_test("5*7", "none*2 yellow*5", **longer)]) == [[], [], []]


def test_an_event_of_one_test_is_not_seen_by_another_beside_it() -> None:
    rule = a_rule(where={"quantity": "level"}, when="value > 4 and seen('debris', '5m')")
    seen = msgspec.convert(
        {
            "name": "seen",
            "point": {"values": "5*3"},
            "events": [{"kind": "debris", "at": "50 s"}],
            "expect": "none yellow*2",
            "step": "1m",
        },
        RuleTest,
    )
    assert BENCH.run_all(rule, [seen, a_test("5*3", "none*3", step="1m")]) == [[], []]


def test_figures_across_an_area_are_of_the_tests_own_points() -> None:
    rule = a_rule(where={"quantity": "level"}, when="area.count(level.value > 4) >= 2")
    two = RuleTest(
        name="two", point=Series(values="5*2"), others={"q": Series(quantity="level", values="5*2")}, expect="yellow*2"
    )
    assert BENCH.run_all(rule, [a_test("5*2", "none*2"), two, a_test("5*2", "none*2")]) == [[], [], []]


def test_rules_of_a_template_that_differ_by_their_area_alone_are_tested_once_and_others_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = a_site(*(a_point(f"p{n}", area=f"a{n}") for n in range(3)), areas=("a0", "a1", "a2"))
    test = msgspec.convert({"name": "over", "point": {"values": "1 5"}, "expect": "none yellow"}, RuleTest)
    made = [
        a_rule(f"t.a{n}", when=f"value > {limit}", where={"areas": [f"a{n}"], "quantity": "level"}, template="t")
        for n, limit in enumerate((3, 3, 9))
    ]
    bench, played, begun = Bench(site), [], vectors._Scene.__init__

    def noted(self: Any, stands: Sequence[Any], bench: Bench) -> None:
        played.extend(stand.rule.id for stand in stands)
        begun(self, stands, bench)

    monkeypatch.setattr(vectors._Scene, "__init__", noted)
    found = [bench.run_all(rule, (test,)) for rule in made]
    assert played == ["t.a0", "t.a2"]
    assert found[:2] == [[[]], [[]]]
    assert "expected yellow" in str(found[2])
    played.clear()
    assert Bench(site).run_many([(rule, (test,)) for rule in made]) == found
    assert played == ["t.a0", "t.a2"]


def test_rules_tested_side_by_side_give_what_each_gives_alone() -> None:
    """Of every scope, that fail, do not fit or mean nothing: no rule sees the points, events or units of another."""
    rules = [
        a_rule("over", when="value > 4", where={"quantity": "level"}),
        a_rule("named", when="value > 4", where={"points": ["p*"]}),
        a_rule("named-too", when="value > 3", where={"points": ["p*"]}),
        a_rule("in-area", when="area.max(level.value) > 4 m", scope="area", where={"areas": ["a"]}),
        a_rule("with-event", when="seen('debris', '5m')", scope="area"),
        a_rule("camera", when="fault('blur')", scope="camera", where={"cameras": ["c*"]}),
        a_rule("misfit", when="value > 4 m", where={"quantity": "level"}),
        a_rule("nowhere", when="value > 4", where={"quantity": "rain"}),
        a_rule("left-out", when="value > 4", where={"areas": ["a"], "without_areas": ["a"]}),
        a_rule("near", when="neighbours.max(value) > 4", where={"quantity": "level"}),
    ]
    low, high = a_test("3*3", "none*3", step="1m"), a_test("3 5*2", "none yellow*2", step="1m")
    centimetres = RuleTest(name="cm", point=Series(values="350*2 450", unit="cm"), expect="none*2 yellow", step="1m")
    other = {"q": Series(quantity="level", values="3 5*2")}
    figures = RuleTest(name="f", others=other, expect="none yellow*2", step="1m")
    debris = msgspec.convert({"kind": "debris", "at": "50 s"}, EventStep)
    seen = RuleTest(name="e", others=other, events=(debris,), expect="none yellow*2", step="1m")
    unseen = RuleTest(name="u", others=other, expect="none*3", step="1m")
    blurred = RuleTest(name="c", camera="none blur*2", expect="none yellow*2", step="1m")
    cold = RuleTest(name="cold", point=Series(values="3 5", unit="degC", limit=9.0), expect="none yellow", step="1m")
    wanted = [
        (rules[0], [low, high, a_test("5*3", "none*3", step="1m"), centimetres]),
        (rules[1], [high, low]),
        (rules[2], [high]),
        (rules[3], [figures, unseen]),
        (rules[4], [seen, unseen]),
        (rules[5], [blurred, blurred]),
        (rules[6], [high, cold]),
        (rules[7], [RuleTest(name="n", point=Series(quantity="level", values="5*3"), expect="none*3", step="1m")]),
        (rules[8], [high]),
        (rules[9], [RuleTest(name="n", point=Series(values="1*3"), others=other, expect="none yellow*2", step="1m")]),
    ]
    together = BENCH.run_many(wanted)
    for (rule, tests), told in zip(wanted, together, strict=True):
        (alone,) = BENCH.run_many([(rule, tests)])
        assert str(told) == str(alone), rule.id
        for test, of_test in zip(tests, told if isinstance(told, list) else [], strict=False):
            ((by_itself,),) = BENCH.run_many([(rule, [test])])
            assert str(of_test) == str(by_itself), rule.id
    passed = [told == [[]] * len(tests) for (_, tests), told in zip(wanted, together, strict=True)]
    assert passed == [False, True, True, False, True, True, False, False, False, True]
    assert isinstance(together[6], CompileError)
    assert "does not cover" in str(together[7]) and "does not cover" in str(together[8])
