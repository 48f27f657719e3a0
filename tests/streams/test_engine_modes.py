"""Modes of the site in the engine: whatever the batches, over a snapshot, in the areas of its partition."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, ModeChange
from rules.rule import Levels, Suppress
from sensors.observation import SiteMode
from streams.bundle import Bundle
from streams.engine import Engine
from tests.streams.small_site import START, frame_of, published, record, rules, site, tick

YIELDING = tuple(msgspec.structs.replace(rule, suppress=Suppress(modes=("maintenance",))) for rule in rules())
CONTENT = Bundle(site=site(), rules=YIELDING)


def mode(until: float, now: float, *areas: str, id: str = "m1") -> bytes:
    what = SiteMode(id=id, mode="maintenance", until=until, actor="user:li", reason="pumps", time=now, areas=areas)
    return record(what)


def night() -> list[bytes]:
    """Creep of one point past orange, under a mode that ends by its time."""
    values = [published(CONTENT), tick(START), mode(START + 100.0, START, "a0")]
    for n, height in enumerate([1, 1, 12, 12, 12, 12, 25, 25, 25, 25, 25, 2, 2, 2, 2]):
        now = START + 10.0 * (n + 1)
        values += [frame_of([(0, now, float(height)), (1, now, 1.0)], now), tick(now)]
    return values


def run(engine: Engine, values: list[bytes]) -> list[AnyOutcome]:
    first = engine.offset + 1
    applied = engine.apply([(first + place, value) for place, value in enumerate(values)])
    return [one for entry in applied.records for one in entry.outcomes]


def of(outcomes: list[AnyOutcome], kind: type) -> list:
    return [one for one in outcomes if isinstance(one, kind)]


def test_what_is_under_a_mode_rings_when_the_mode_ends() -> None:
    found = run(Engine(0), night())
    creep = [(one.edge, one.after, one.level) for one in of(found, AlarmTransition) if one.rule == "creep"]
    assert creep[:2] == [("suppress", "DSUPR", "yellow"), ("hide", "DSUPR", "yellow")]
    assert ("unsuppress", "UNACK", "orange") in creep
    assert [(one.edge, one.area) for one in of(found, ModeChange)] == [
        ("began", "a0"),
        ("warned", "a0"),
        ("over", "a0"),
    ]
    assert [one.ok for one in of(found, CommandResult)] == [True]


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(1, 32)), st.integers(3, 30))
def test_neither_batches_nor_a_restart_change_what_comes_of_it(cuts: set[int], stop: int) -> None:
    values = night()
    engine, found, last = Engine(0), [], 0
    for cut in sorted({*(one for one in cuts if one < len(values)), len(values)}):
        found += run(engine, values[last:cut])
        if last < stop <= cut:
            engine = Engine.restore(engine.snapshot())
        last = cut
    assert found == run(Engine(0), values)


@pytest.mark.parametrize(("area", "edge"), [("a0", "suppress"), ("a1", "alarm"), ("", "suppress")])
def test_it_holds_where_it_was_begun(area: str, edge: str) -> None:
    engine = Engine(0)
    run(engine, [published(CONTENT), tick(START), mode(START + 900.0, START, *([area] if area else []))])
    found = run(
        engine,
        [
            value
            for n in range(1, 5)
            for value in (frame_of([(0, START + 10.0 * n, 25.0)], START + 10 * n), tick(START + 10.0 * n))
        ],
    )
    first = next(one for one in of(found, AlarmTransition) if one.scope == "p0" and one.rule == "creep")
    assert first.edge == edge


def test_a_publication_that_names_no_such_mode_leaves_it_to_end_by_its_time() -> None:
    engine = Engine(0)
    run(engine, [published(CONTENT), tick(START), mode(START + 60.0, START)])
    without = msgspec.structs.replace(CONTENT, site=msgspec.structs.replace(site(version="v2"), modes=()))
    run(engine, [published(without, "v2", START + 1.0)])
    assert [one.edge for one in of(run(engine, [tick(START + 30.0), tick(START + 60.0)]), ModeChange)] == [
        "warned",
        "over",
    ]


CREEP = rules()[0]
assert CREEP.levels.yellow is not None
ASKS = msgspec.structs.replace(CREEP.levels.yellow, when="value > 10 and not mode('maintenance')", clear=None, hold=0)
ASKING = (msgspec.structs.replace(CREEP, levels=Levels(yellow=ASKS)),)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 32)), st.integers(3, 30), st.booleans())
def test_conditions_see_modes_whatever_the_batches_and_over_a_restart(cuts: set[int], stop: int, ended: bool) -> None:
    values = [published(Bundle(site=site(), rules=ASKING)), *night()[1:]]
    if ended:
        values.insert(12, mode(0.0, START + 45.0, "a0", id="m2"))
    engine, found, last = Engine(0), [], 0
    for cut in sorted({*(one for one in cuts if one < len(values)), len(values)}):
        found += run(engine, values[last:cut])
        last = cut
        if cut == stop or cut % 5 == 0:
            engine = Engine.restore(engine.snapshot())
    assert found == run(Engine(0), values)
    rang = [one.time - START for one in of(found, AlarmTransition) if one.edge == "alarm"]
    assert rang == ([50.0] if ended else [100.0])
