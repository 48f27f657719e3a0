"""Points in other units than their quantity: what is measured decides, in rules and in their own tests."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.rule import Rule, RuleTest
from rules.typical import as_usual, typical_point
from rules.vectors import VectorError, run
from sensors.site import Point, Quantity, Site
from tests.rules.stage import Bank, Scored, a_point, a_rule, a_site

CRACK = Quantity(id="crack", unit="mm", levels={"yellow": 5, "red": 15}, limit=15, range=(0, 100))
HEAT = Quantity(id="heat", unit="°C", levels={"red": 60}, limit=60)
CRACKS = (
    a_point("in-mm", quantity="crack", unit="mm", levels={"yellow": 5, "red": 15}),
    a_point("in-cm", quantity="crack", unit="cm", levels={"yellow": 0.5, "red": 1.5}),
)


def a_measured_site(*points: Point, quantities: Sequence[Quantity] = (CRACK, HEAT)) -> Site:
    return msgspec.structs.replace(a_site(*points), quantities=tuple(quantities))


def levels(site: Site, rule: Rule, values: dict[str, float]) -> dict[str, int]:
    """Return the rank of each point (or of area a) when they read these at once, and a second later."""
    evaluator = Evaluator(book := compile_rules((rule,), site, site.points), Bank(len(site.points)))
    row = {point.id: place for place, point in enumerate(site.points)}
    rows = np.array([row[id] for id in values])
    for now in (0.0, 1.0):
        then, none = np.full(len(rows), now), np.zeros(len(rows))
        scored = Scored(none, none > 0)
        evaluator.readings(rows, then, np.array(list(values.values())), none.astype(np.uint8), then, scored, now)
        evaluator.tick(now)
    scopes = {id: book.instance(rule.id, id) for id in (*values, "a")}
    return {id: int(evaluator.current[place]) for id, place in scopes.items() if place is not None}


@pytest.mark.parametrize(
    "when",
    ["beyond('red')", "value >= 15 mm", "value >= 1.5 cm", "value >= 15", "value - 5 >= 10", "value >= 3 * 5",
     "max(value, 2) >= 15", "abs(value) > level('red') - 1"],
)  # fmt: skip
def test_the_same_crack_is_the_same_alarm_in_any_unit(when: str) -> None:
    rule = a_rule(when=when, where={"quantity": "crack"})
    site = a_measured_site(*CRACKS)
    assert levels(site, rule, {"in-mm": 15.0, "in-cm": 1.5}) == {"in-mm": 2, "in-cm": 2}
    assert levels(site, rule, {"in-mm": 13.9, "in-cm": 1.39}) == {"in-mm": 0, "in-cm": 0}


@pytest.mark.parametrize(
    "when",
    ["area.max(crack.value) >= 15", "area.any(crack.value >= 15)", "area.max(crack.value) >= 1.5 cm"],
)
@pytest.mark.parametrize("order", [1, -1])
def test_a_figure_over_an_area_is_in_the_quantitys_unit_whichever_point_comes_first(when: str, order: int) -> None:
    rule = a_rule(when=when, scope="area")
    site = a_measured_site(*CRACKS[::order])
    assert levels(site, rule, {"in-mm": 1.0, "in-cm": 1.5})["a"] == 2
    assert levels(site, rule, {"in-mm": 1.0, "in-cm": 1.4})["a"] == 0
    assert levels(site, rule, {"in-mm": 15.0, "in-cm": 0.1})["a"] == 2


def test_a_bare_temperature_has_its_offset_and_a_bare_step_is_refused_where_it_could_be_one() -> None:
    site = a_measured_site(a_point("f", quantity="heat", unit="degF"))
    hot = a_rule(when="value > 60", where={"quantity": "heat"})
    assert levels(site, hot, {"f": 139.0}) == {"f": 0}
    assert levels(site, hot, {"f": 141.0}) == {"f": 2}
    with pytest.raises(CompileError, match="a step or a temperature could be meant"):
        compile_rules((a_rule(when="value - 20 > 5"),), site, site.points)


def test_a_bare_number_beside_a_point_that_measures_something_else_is_refused() -> None:
    site = a_measured_site(a_point("w", quantity="crack", unit="%"))
    with pytest.raises(CompileError, match="mm cannot be compared with %"):
        compile_rules((a_rule(when="value > 5"),), site, site.points)


def test_where_the_site_says_nothing_of_a_quantity_a_bare_number_is_in_the_points_unit() -> None:
    site = a_measured_site(a_point("cm", unit="cm"), a_point("m", unit="m"), quantities=())
    assert levels(site, a_rule(when="value > 5"), {"cm": 6.0, "m": 6.0}) == {"cm": 2, "m": 2}


WHERE: dict[str, object] = {"quantity": "crack"}
RISING = {"yellow": {"when": "beyond('yellow')"}, "red": {"when": "beyond('red')"}}


def a_test(**fields: object) -> RuleTest:
    return msgspec.convert({"name": "t", "expect": "none yellow red"} | fields, RuleTest)


@pytest.mark.parametrize(
    "points",
    [
        (),
        (a_point("first", quantity="crack", unit="m", levels={"yellow": 0.005, "red": 0.015}),),
        (a_point("first", quantity="crack", unit="mm", levels={"yellow": 500, "red": 900}),),
        (a_point("first", quantity="crack", unit="%"),),
    ],
)
def test_a_rules_own_test_is_run_by_the_quantity_whatever_points_there_are(points: tuple[Point, ...]) -> None:
    rule = a_rule(levels=RISING, where=WHERE)
    site = a_measured_site(*points)
    assert run(rule, a_test(point={"values": "1 6 16"}), site) == []
    figure = a_rule(when="area.max(crack.value) > 5", scope="area")
    assert run(figure, a_test(others={"c": {"quantity": "crack", "values": "1 6"}}, expect="none yellow"), site) == []


def test_an_area_types_own_settings_are_those_of_its_rules_tests() -> None:
    own = Quantity(id="crack", type="slope", unit="cm", levels={"yellow": 1, "red": 2})
    site = a_measured_site(*CRACKS, quantities=(CRACK, own))
    usual = typical_point(site, "crack", "slope")
    assert usual is not None and (usual.unit, usual.levels) == ("cm", own.levels)
    assert typical_point(site, "heap", "slope") is None
    in_slopes = a_rule(levels=RISING, where=WHERE | {"areas": ["a"]})
    assert run(in_slopes, a_test(point={"values": "0.9 1.5 2.5"}), site) == []
    assert run(a_rule(levels=RISING, where=WHERE), a_test(point={"values": "1 6 16"}), site) == []


def test_a_point_that_a_rule_names_lends_its_limits_in_the_quantitys_unit() -> None:
    mine = a_point("mine", quantity="crack", unit="cm", levels={"yellow": 0.3, "red": 0.4}, normal=(0, 0.1))
    site = a_measured_site(mine)
    rule = a_rule(levels=RISING, where={"points": ["mine"]})
    assert run(rule, a_test(point={"values": "2 3 4"}), site) == []
    assert as_usual(site, mine, "").normal == (0, 1)
    other = msgspec.structs.replace(mine, unit="%")
    assert as_usual(site, other, "") is other


def test_a_test_in_a_unit_of_its_own_has_the_limits_in_it() -> None:
    rule = a_rule(levels=RISING, where=WHERE)
    site = a_measured_site(*CRACKS)
    assert run(rule, a_test(point={"unit": "cm", "values": "0.1 0.6 1.6"}), site) == []
    with pytest.raises(VectorError, match="do not measure the same: give the test its own limit or levels") as caught:
        run(rule, a_test(point={"unit": "%", "values": "1 6 16"}), site)
    assert caught.value.field == "point.unit"
    own = {"unit": "%", "values": "1 6 16", "levels": {"yellow": 5, "red": 15}}
    assert run(rule, a_test(point=own), site) == []
