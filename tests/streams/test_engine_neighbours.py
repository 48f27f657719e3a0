"""Redundant points in the engine: the sensor that parts has an alarm of its own, and its alarms of risk say so."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from alerts.condition import in_short
from alerts.outcome import AlarmTransition, Record
from sensors.flags import DISAGREES
from sensors.site import Site
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.streams.small_site import START, frame_of, published, site, tick
from tests.streams.test_engine import flat, play, same

RISK = a_rule("creep", when="value > 20", clear="value < 15")
QUALITY = a_rule("disagrees", when="flagged('disagrees', '2 min')", kind="data_quality")
STEPS = 120


def redundant(version: str = "v1") -> Site:
    """Let three points of one area measure the same."""
    made = site(points=3, version=version)
    names = [point.id for point in made.points]
    points = (
        msgspec.structs.replace(
            point, areas=("a0",), limit=None, redundant=tuple(name for name in names if name != point.id)
        )
        for point in made.points
    )
    return msgspec.structs.replace(made, points=tuple(points))


CONTENT = Bundle(site=redundant(), rules=(RISK, QUALITY))


def scene(parts: tuple[int, ...]) -> list[bytes]:
    """Three points go together; after 80 steps those of `parts` rise past 20."""
    random = np.random.default_rng(0)
    world = 5.0 + np.cumsum(random.normal(0.0, 0.1, STEPS))
    values = [published(CONTENT), tick(START)]
    for step in range(STEPS):
        now = START + 10.0 * (step + 1)
        rise = min(max(step - 80, 0) * 1.0, 25.0)
        readings = [
            (point, now, float(world[step] + 0.02 * random.normal() + rise * (point in parts))) for point in range(3)
        ]
        values += [frame_of([one], now) for one in readings]
        values += [tick(now + 1.0 + second) for second in range(3)]
    return values


def alarms(records: list[Record], rule: str) -> list[AlarmTransition]:
    return [one for one in flat(records, AlarmTransition) if one.rule == rule and one.edge == "alarm"]


def test_one_that_parts_is_told_as_a_sensor_and_its_alarm_of_risk_stands_and_says_so() -> None:
    records = play(scene((1,)))
    assert [one.scope for one in alarms(records, "disagrees")] == ["p1"]
    [risk] = alarms(records, "creep")
    assert risk.scope == "p1"
    assert risk.explanation is not None
    assert risk.explanation.unconfirmed == ("p1",)
    assert "p1 not confirmed by neighbours" in in_short(risk.explanation)
    [quality] = alarms(records, "disagrees")
    assert quality.explanation is not None
    assert quality.explanation.unconfirmed == ()
    assert quality.time < risk.time, "the sensor is told before its values matter"


def test_when_all_move_together_it_is_the_world() -> None:
    records = play(scene((0, 1, 2)))
    assert not alarms(records, "disagrees")
    risks = alarms(records, "creep")
    assert {one.scope for one in risks} == {"p0", "p1", "p2"}
    assert all(one.explanation is not None and not one.explanation.unconfirmed for one in risks)


def test_readings_of_a_point_that_disagrees_carry_the_flag() -> None:
    engine = Engine(0)
    values = scene((1,))
    applied = engine.apply(list(enumerate(values)))
    assert applied.scored is not None
    flagged = applied.scored.flags & DISAGREES > 0
    assert set(applied.scored.point[flagged].tolist()) == {1}
    assert flagged.sum() > 20


@pytest.mark.parametrize("cuts", [[1], list(range(0, 800, 7)), list(range(800))])
def test_cutting_the_log_into_other_batches_changes_nothing(cuts: list[int]) -> None:
    assert same(play(scene((1,)), cuts)) == same(play(scene((1,))))


@pytest.mark.parametrize("at", [5, 430, 500, 600])
def test_a_snapshot_goes_on_as_if_nothing_had_been(at: int) -> None:
    values = scene((1,))
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    after = play(values[at:], engine=Engine.restore(engine.snapshot()))
    assert same(before + after) == same(play(values))


def test_a_publication_keeps_what_is_known_and_a_snapshot_from_before_the_flag_is_taken() -> None:
    engine = Engine(0)
    play(scene((1,)), engine=engine)
    assert engine.evaluator is not None
    assert engine.evaluator.neighbours.disagrees.tolist() == [False, True, False]
    kept = Bundle(site=redundant("v2"), rules=CONTENT.rules)
    play([published(kept, "v2", engine.clock)], engine=engine)
    assert engine.evaluator.neighbours.disagrees.tolist() == [False, True, False]
    state = engine.evaluator.state()
    state["point.flagged"] = state["point.flagged"][:, :-1]
    fresh = Engine(0)
    play([published(CONTENT)], engine=fresh)
    assert fresh.evaluator is not None
    fresh.evaluator.restore(state)
    assert np.isnan(fresh.evaluator.points.flagged[:, -1]).all()
