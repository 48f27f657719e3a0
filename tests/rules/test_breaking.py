"""Limits that no test of a rule watches over are found."""

from __future__ import annotations

import pytest

from rules.breaking import Noticed, breaks, failures, notice
from rules.rule import Rule
from rules.vectors import Bench
from tests.rules.stage import a_point, a_rule, a_site

BENCH = Bench(a_site(a_point("p", area="a", levels={"red": 8.0})))


def found(rule: Rule) -> list[Noticed]:
    assert [failures(rule, test, BENCH) for test in rule.tests] == [[]] * len(rule.tests)
    return [notice(one) for one in breaks(rule, BENCH)]


def checked_by(*tests: tuple[str, str], **fields: object) -> Rule:
    made = [
        {"name": f"t{n}", "point": {"values": values}, "expect": expect} for n, (values, expect) in enumerate(tests)
    ]
    return a_rule(where={"quantity": "level"}, tests=made, **fields)


def test_a_limit_is_moved_both_ways_and_the_test_that_notices_is_named() -> None:
    close = found(checked_by(("3 3.9 4.1", "none none yellow"), when="value > 4 m"))
    assert [(one.level, one.part, one.before, one.after, one.test) for one in close] == [
        ("yellow", "when", "value > 4 m", "value > 3 m", "t0"),
        ("yellow", "when", "value > 4 m", "value > 5 m", "t0"),
    ]
    far = found(checked_by(("0 9", "none yellow"), when="value > 4 m"))
    assert [one.test for one in far] == ["", ""]


def test_delays_and_clear_conditions_are_broken_as_well() -> None:
    rule = checked_by(
        ("3 5*3 1.9*3", "none*2 yellow*4 none"),
        levels={"yellow": {"when": "value > 4", "clear": "value < 2", "for": "1 min", "clear_after": "2 min"}},
    )
    assert {(one.part, one.before, one.after): one.test for one in found(rule)} == {
        ("when", "value > 4", "value > 3"): "",
        ("when", "value > 4", "value > 5"): "t0",
        ("clear", "value < 2", "value < 1.5"): "t0",
        ("clear", "value < 2", "value < 2.5"): "",
        ("for", "60 s", "0 s"): "t0",
        ("for", "60 s", "120 s"): "t0",
        ("clear_after", "120 s", "0 s"): "t0",
        ("clear_after", "120 s", "240 s"): "t0",
    }


def test_limits_of_the_registry_are_moved_for_the_site_and_for_what_a_test_describes_itself() -> None:
    rule = checked_by(("7.9 8.1", "none red"), levels={"red": {"when": "beyond('red')"}})
    assert [(one.before, one.after, one.test) for one in found(rule)] == [
        ("the registry's red of level", "× 0.75", "t0"),
        ("the registry's red of level", "× 1.25", "t0"),
    ]
    own = checked_by(levels={"red": {"when": "value > level('red') - 1"}})
    described = {"values": "2.8 3.2", "levels": {"red": 4.0}}
    own = a_rule(
        where={"quantity": "level"},
        levels={"red": {"when": "value > level('red') - 1"}},
        tests=[{"name": "own", "point": described, "expect": "none red"}],
    )
    assert [one.test for one in found(own) if one.before.startswith("the registry")] == ["own", "own"]


@pytest.mark.parametrize("when", ["area.count(level.value > 2) >= 3", "count('10m') >= 3 and value > 0"])
def test_a_number_of_things_is_moved_by_one_at_least(when: str) -> None:
    moved = {one.after for one in breaks(checked_by(when=when), BENCH) if ">= " in one.after}
    assert {after.rpartition(" ")[2] for after in moved} == {"2", "4"}


def test_a_part_deep_inside_is_changed_alone() -> None:
    rule = checked_by(when="not (value > 4 or (abs(value - 2) < 1 and area.any(level.value == 8)))")
    texts = [one.rule.levels.yellow.when for one in breaks(rule, BENCH) if one.rule.levels.yellow is not None]
    assert texts == [
        "not ((value > 3 or (abs((value - 2)) < 1 and area.any(level.value == 8))))",
        "not ((value > 5 or (abs((value - 2)) < 1 and area.any(level.value == 8))))",
        "not ((value > 4 or (abs((value - 2)) < 0.75 and area.any(level.value == 8))))",
        "not ((value > 4 or (abs((value - 2)) < 1.25 and area.any(level.value == 8))))",
        "not ((value > 4 or (abs((value - 2)) < 1 and area.any(level.value == 6))))",
        "not ((value > 4 or (abs((value - 2)) < 1 and area.any(level.value == 10))))",
    ]


def test_a_limit_of_the_registry_is_moved_for_one_quantity_at_a_time() -> None:
    """Two quantities of one rule have limits of their own: a test of the one says nothing of the other."""
    points = (
        a_point("p", area="a", levels={"red": 8.0}),
        a_point("q", area="a", quantity="flow", levels={"red": 40.0}),
        a_point("r", area="a", quantity="rain"),
    )
    rule = a_rule(
        where={"quantity": ["level", "flow", "rain"]},
        levels={"red": {"when": "beyond('red')"}},
        tests=[{"name": "level", "point": {"values": "7.9 8.1"}, "expect": "none red"}],
    )
    told = [notice(one) for one in breaks(rule, Bench(a_site(*points)))]
    assert [(one.before, one.test) for one in told] == [
        ("the registry's red of flow", ""),
        ("the registry's red of flow", ""),
        ("the registry's red of level", "level"),
        ("the registry's red of level", "level"),
    ]


def test_the_limit_of_a_figure_across_the_area_is_that_of_its_quantity() -> None:
    site = a_site(a_point("p", area="a", levels={"red": 8.0}), a_point("q", area="a", quantity="flow"))
    rule = a_rule(
        scope="area",
        levels={"red": {"when": "area.any(level.beyond('red')) and area.max(flow.value) > 3"}},
        tests=[
            {
                "name": "both",
                "others": {"p": {"quantity": "level", "values": "8"}, "q": {"quantity": "flow", "values": "4"}},
                "expect": "red",
            }
        ],
    )
    befores = {one.before for one in breaks(rule, Bench(site))}
    assert befores == {"area.max(flow.value) > 3", "the registry's red of level"}


def test_a_sequence_beside_a_limit_can_be_broken() -> None:
    rule = a_rule(when="sequence('smoke', 'fire', '10m') and count('fire', '10m') >= 3", scope="area")
    found = {one.after for one in breaks(rule, Bench(a_site(a_point("p"))))}
    assert {"count('fire', '10m') >= 2", "count('fire', '10m') >= 4"} <= found
