from __future__ import annotations

import msgspec
import numpy as np
import pytest

from rules import near as near_rules
from rules.compiler import CompileError, compile_rules
from rules.evaluation import Evaluator
from rules.expression import ExpressionError, parse
from rules.rule import RuleTest
from rules.vectors import run
from sensors.observation import SIMULATED
from sensors.site import Driver
from tests.rules.stage import a_point, a_rule, a_site
from tests.rules.test_evaluation import Play, moves

NORTH = (22.500, 114.0)
CLOSE = (22.505, 114.0)  # 556 m away
FAR = (22.520, 114.0)  # 2.2 km away


def a_play(when: str, **fields: object) -> Play:
    points = (
        a_point("p", location=NORTH),
        a_point("close", area="b", location=CLOSE, unit="cm"),
        a_point("far", area="b", location=FAR),
        a_point("same", area="a"),
        a_point("rain", area="b", quantity="rain", unit="mm", location=CLOSE),
    )
    return Play(a_site(*points), [a_rule(when=when, where={"points": ["p"]}, **fields)])


def test_neighbours_are_near_or_in_the_same_area_and_measure_the_same() -> None:
    play = a_play("value > 1 and neighbours.max(value) > 2 m")
    play.tick(0.0)
    play.read("p", 10.0, 5.0)
    for point, value, level in [("far", 9.0, 0), ("rain", 9.0, 0), ("close", 150.0, 0), ("close", 250.0, 2)]:
        play.read(point, play.evaluator.clock + 1, value)
        play.tick(play.evaluator.clock + 1)
        assert play.evaluator.current[0] == level, point
    play.read("close", play.evaluator.clock + 1, 100.0)
    play.tick(play.evaluator.clock + 1)
    assert play.evaluator.current[0] == 0
    play.read("same", play.evaluator.clock + 1, 3.0)
    (change,) = play.tick(play.evaluator.clock + 1)
    assert change.why is not None
    assert change.why.points == ("p", "same")
    assert change.why.terms[1].value == 3.0


def test_how_near_may_be_said_and_another_quantity_named() -> None:
    play = a_play("neighbours.count(value > 2, '3km') >= 1")
    play.read("far", 1.0, 9.0)
    assert moves(play.tick(2.0)) == [("none", "yellow")]
    play = a_play("neighbours.any(rain.value > 5 mm)")
    play.read("rain", 1.0, 9.0)
    assert moves(play.tick(2.0)) == [("none", "yellow")]


def test_a_point_is_no_neighbour_of_its_own() -> None:
    play = a_play("neighbours.max(value) > 2")
    play.read("p", 1.0, 9.0)
    assert play.tick(2.0) == []


def test_what_only_simulated_neighbours_say_is_simulated() -> None:
    play = a_play("value > 1 and neighbours.max(value) > 2")
    play.read("p", 1.0, 5.0)
    play.read("same", 1.0, 5.0, quality=SIMULATED)
    (change,) = play.tick(2.0)
    assert change.simulated
    play.read("same", 3.0, 5.0)
    (change,) = play.tick(4.0)
    assert not change.simulated


def test_upstream_are_the_points_that_the_site_names() -> None:
    points = (
        a_point("down", drivers=(Driver(point="up"), Driver(point="gauge"))),
        a_point("up", area="b"),
        a_point("gauge", area="b", quantity="rain", unit="mm"),
        a_point("other", area="b"),
    )
    rule = a_rule(
        when="upstream.max(level.value) > 3 m or upstream.any(rain.sum('1h') > 50)", where={"points": ["down"]}
    )
    play = Play(a_site(*points), [rule])
    play.read("down", 1.0, 0.0)
    play.read("other", 1.0, 9.0)
    assert play.tick(2.0) == []
    play.read("gauge", 3.0, 60.0)
    assert moves(play.tick(4.0)) == [("none", "yellow")]


def test_without_neighbours_nothing_is_known() -> None:
    play = Play(a_site(a_point("p")), [a_rule(when="neighbours.max(value) < 5 or neighbours.count(value > 1) < 1")])
    play.read("p", 1.0, 9.0)
    assert play.tick(2.0) == []


def test_figures_around_a_point_survive_a_restart_until_the_next_tick() -> None:
    play = a_play("value > 1 and neighbours.max(value) > 2")
    play.read("same", 1.0, 5.0)
    play.tick(2.0)
    fresh = Evaluator(play.evaluator.book, play.bank)
    fresh.restore(play.evaluator.state())
    play.evaluator = fresh
    assert moves(play.read("p", 3.0, 5.0)) == [("none", "yellow")]


def test_windows_are_kept_for_the_neighbours_only() -> None:
    play = a_play("neighbours.mean(mean('1h')) > 2")
    (rows,) = play.evaluator.book.windows[3600.0].values()
    assert rows.tolist() == [play.row["close"], play.row["same"]]


def test_a_rules_own_test_plays_neighbours_and_drivers() -> None:
    site = a_site(a_point("p"), a_point("r", quantity="rain", unit="mm"))
    rule = a_rule(when="upstream.max(rain.value) > 5 mm and neighbours.max(value) > 1 m", where={"quantity": "level"})
    test = msgspec.convert(
        {
            "name": "n",
            "point": {"values": "0*3"},
            "others": {
                "gauge": {"quantity": "rain", "upstream": True, "values": "0 9*2"},
                "twin": {"quantity": "level", "values": "0 0 2"},
            },
            "expect": "none*2 yellow",
        },
        RuleTest,
    )
    assert run(rule, test, site) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("neighbours.max(value, 'near') > 1", "'500 m' or '2 km'"),
        ("neighbours.max(value, '900 km') > 1", "at most 50 km"),
        ("area.max(value, '2 km') > 1", "takes one expression"),
        ("upstream.max(value, '2 km') > 1", "takes one expression"),
        ("neighbours.max(upstream.max(value)) > 1", "cannot stand inside"),
        ("neighbours.median(value) > 1", "unknown 'neighbours.median'"),
        ("neighbours > 1", "neighbours.max(…)"),
        ("neigbours.max(value) > 1", "belongs inside"),
    ],
)
def test_mistakes_are_named(text: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert part in caught.value.message


def test_an_area_has_no_neighbours_and_units_are_checked() -> None:
    site = a_site(a_point("p"))
    with pytest.raises(CompileError, match="scope: point"):
        compile_rules([a_rule(when="neighbours.max(level.value) > 1", scope="area")], site, site.points)
    with pytest.raises(CompileError, match="do not measure the same"):
        compile_rules([a_rule(when="neighbours.max(value) > 1 °C")], site, site.points)


def test_many_places_are_found_by_a_tree_and_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(8)
    at, where = (chance.uniform(0, 5_000, (count, 3)) for count in (40, 200))
    near = [sorted(found) for found in near_rules._around(at, where, 1_500.0)]
    assert any(near)
    monkeypatch.setattr(near_rules, "DENSE", 0)
    assert [sorted(found) for found in near_rules._around(at, where, 1_500.0)] == near
