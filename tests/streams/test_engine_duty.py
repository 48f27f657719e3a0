"""Drills, plans and handovers through the engine: the same in any batches, and over a restart in the middle."""

from __future__ import annotations

import msgspec
import pytest

from alerts.outcome import AlarmTransition, DispatchChange, ExerciseChange, HandoverSigned, IncidentChange
from sensors.observation import SIMULATED, Command, Exercise
from sensors.plan_checks import versioned
from sensors.site import SYSTEM, Plan, PlanStep, Seat, Shift
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import NAME, START, frame_of, published, record, rules, site, tick
from tests.streams.test_engine import flat, play, same

PLAN = versioned(Plan(id="p", name=NAME, types=("slope",), steps=(PlanStep(id="look", text=NAME),)))
CONTENT = Bundle(
    site=msgspec.structs.replace(
        site(),
        plans=(PLAN,),
        seats=(Seat(id="lead", name=NAME),),
        shifts=(Shift(id="all", name=NAME, start="00:00", end="00:00", staff={"lead": "li"}),),
    ),
    rules=rules(),
)


def drill(edge: str, time: float) -> bytes:
    facts = {"areas": ("a0",), "units": ("team",), "title": {"zh": "演练", "en": "drill"}}
    return record(Exercise(id="e1", edge=edge, actor="user:li", time=time, **facts))  # type: ignore[arg-type]


def night(turn: str) -> list[bytes]:
    """A drill with simulated readings, a tick of the plan, a handover, and a real alarm after it."""
    values = [published(CONTENT), tick(START), drill("begin", START + 1)]
    for n, height in enumerate([1, 12, 12, 12, 25, 25]):
        now = START + 10 * (n + 1)
        values += [frame_of([(0, now, height)], now, SIMULATED), tick(now + 1)]
    sign = Command(
        id="c1",
        kind="sign_handover",
        target="h",
        area=SYSTEM,
        actor="user:li",
        time=START + 70,
        args={"turn": turn, "sheet": {"open": []}},
    )
    values += [record(sign), drill("end", START + 80), tick(START + 81)]
    for n, height in enumerate([1, 12, 12, 12, 25, 25]):
        now = START + 100 + 10 * n
        values += [frame_of([(3, now, height)], now), tick(now + 1)]
    return values


@pytest.fixture(scope="module")
def turn() -> str:
    engine = Engine(0)
    play([published(CONTENT), tick(START)], engine=engine)
    assert engine.desk is not None
    found = engine.desk.book.roster.turn(START + 70)
    assert found is not None
    return found.key


def test_a_drill_is_marked_from_its_alarm_to_its_order_and_what_is_real_is_not(turn: str) -> None:
    records = play(night(turn))
    assert [one.edge for one in flat(records, ExerciseChange)] == ["begin", "end"]
    assert {(one.scope, one.exercise) for one in flat(records, AlarmTransition)} >= {("p0", "e1"), ("p3", "")}
    orders = [one for one in flat(records, DispatchChange) if one.edge == "issued"]
    assert [one.event["data"].get("exercise") for one in orders if one.event] == ["e1", None]
    planned = [one for one in flat(records, IncidentChange) if one.edge == "planned"]
    assert {one.args["plan"] for one in planned} == {f"p@{PLAN.version}"}
    (signed,) = flat(records, HandoverSigned)
    assert (signed.turn, signed.people) == (turn, {"lead": "li"})


@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_any_batches_give_the_same(turn: str, every: int) -> None:
    values = night(turn)
    assert same(play(values, list(range(0, len(values), every)))) == same(play(values))


@pytest.mark.parametrize("at", [3, 9, 13, 16, 17, 20])
def test_a_restart_in_the_middle_changes_nothing(turn: str, at: int) -> None:
    values = night(turn)
    engine = Engine(0)
    before = play(values[:at], engine=engine)
    after = play(values[at:], engine=Engine.restore(engine.snapshot()))
    assert same(before + after) == same(play(values))
