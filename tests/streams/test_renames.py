"""What is renamed goes on where it stood: the engine's side of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.desk import Desk
from alerts.outcome import AlarmTransition, DispatchChange, IncidentChange, Published, Record, Refused
from rules.evaluation import Change
from sensors.observation import CameraHealth, encode
from sensors.renames import Renames, between
from sensors.site import Site
from streams.bundle import Bundle
from streams.engine import Engine
from streams.waiting import Waiting
from tests.rules.stage import a_rule
from tests.streams.small_site import START, command, debris, frame_of, published, rules, site, tick
from tests.streams.test_engine import flat, play, same

WIDE = a_rule("wide", when="area.max(displacement.value) > 15 or seen('debris', '20 s')", scope="area")
SIGHT = a_rule(
    "sight",
    levels={
        "blue": {"when": "age > 60 s", "clear_after": "20 s"},
        "yellow": {"when": "fault('any')", "for": "10 s", "clear_after": "20 s"},
    },
    scope="camera",
    kind="data_quality",
)
RULES = (*rules(), WIDE, a_rule("mean", when="mean('60 s') > 12"), SIGHT)


def renamed(before: Site, version: str = "v2") -> Site:
    """Call p0, a0 and cam by other names: q0, b0, eye."""
    change = msgspec.structs.replace
    return change(
        before,
        version=version,
        areas=tuple(
            change(one, id="b0", renamed_from=("a0",), group=one.group) if one.id == "a0" else one
            for one in before.areas
        ),
        points=tuple(
            change(
                one,
                id="q0" if one.id == "p0" else one.id,
                renamed_from=("p0",) if one.id == "p0" else (),
                areas=tuple("b0" if area == "a0" else area for area in one.areas),
            )
            for one in before.points
        ),
        cameras=tuple(change(one, id="eye", renamed_from=("cam",), areas=("b0",)) for one in before.cameras),
    )


OLD = Bundle(site=site(), rules=RULES)
NEW = Bundle(site=renamed(site()), rules=RULES)
NAMES = {"p0": "q0", "a0": "b0", "cam": "eye"}

CAMERA_OF = {"a0": "cam", "b0": "eye"}
FAULTS = ("black", "blur", "loss")

steps = st.lists(
    st.one_of(
        st.tuples(st.just("reading"), st.integers(0, 5), st.sampled_from([1.0, 6.0, 12.0, 25.0, 35.0])),
        st.tuples(st.just("debris"), st.just(0), st.just(0.0)),
        st.tuples(st.just("health"), st.integers(0, 3), st.just(0.0)),
        st.tuples(st.just("wait"), st.integers(1, 70), st.just(0.0)),
    ),
    max_size=30,
)


def health(now: float, area: str, *faults: str) -> bytes:
    return encode(
        CameraHealth(area=area, camera=CAMERA_OF[area], time=now, received=now, faults=dict.fromkeys(faults, 1.0))
    )


def told(values: list[tuple[str, int, float]], start: float, area: str) -> list[bytes]:
    found, now = [], start
    for kind, number, value in values:
        now += 5.0
        if kind == "reading":
            found.append(frame_of([(number, now, value)], now))
        elif kind == "debris":
            found.append(debris(now, area, CAMERA_OF[area]))
        elif kind == "health":
            found.append(health(now, area, *FAULTS[:number]))
        else:
            found += [tick(now + 5.0 * n) for n in range(number // 5)]
            now += number
        found.append(tick(now))
    return found


def gist(records: list[Record]) -> list[Any]:
    """List what happened without what is made of the ids: under the names of now."""
    found: list[Any] = []
    for record in records:
        for one in record.outcomes:
            if isinstance(one, AlarmTransition):
                scope, area = NAMES.get(one.scope, one.scope), NAMES.get(one.area, one.area)
                points = sorted(NAMES.get(p, p) for p in one.explanation.points) if one.explanation else None
                found.append((record.offset, one.rule, scope, area, one.edge, one.level, one.onset, one.time, points))
            elif isinstance(one, IncidentChange | DispatchChange):
                found.append((record.offset, type(one).__name__, NAMES.get(one.area, one.area), one.edge, one.level))
    return found


@settings(deadline=None, max_examples=60)
@given(steps, steps)
def test_a_rename_changes_nothing_but_the_names(before: list[Any], after: list[Any]) -> None:
    middle = START + 2000.0
    one = [published(OLD), tick(START), *told(before, START, "a0"), published(NEW, "v2", middle - 10), tick(middle)]
    other = [published(NEW), tick(START), *told(before, START, "b0"), published(NEW, "v2", middle - 10), tick(middle)]
    rest = told(after, middle, "b0")
    found = play(one + rest)
    assert not [refused for refused in flat(found, Refused) if "error" in refused.reason]
    assert gist(found) == gist(play(other + rest))


@settings(deadline=None, max_examples=40)
@given(steps, steps, st.lists(st.integers(1, 60), max_size=5))
def test_a_rename_is_replayed_bit_for_bit_in_other_batches_and_over_a_restart(
    before: list[Any], after: list[Any], cuts: list[int]
) -> None:
    values = [published(OLD), tick(START), *told(before, START, "a0"), published(NEW, "v2", START + 1990)]
    values += [tick(START + 2000), *told(after, START + 2000, "b0")]
    whole = play(values)
    assert same(play(values, cuts)) == same(whole)
    cut = cuts[0] if cuts else 1
    engine = Engine(0)
    first = play(values[:cut], engine=engine)
    again = Engine.restore(engine.snapshot())
    assert same(first + play(values[cut:], engine=again)) == same(whole)


def test_an_open_alarm_goes_on_under_the_new_names_and_is_closed_under_them() -> None:
    engine = Engine(0)
    values = [published(OLD), tick(START)]
    values += [frame_of([(0, START + 10 * n, 12.0)], START + 10 * n) for n in range(1, 5)]
    opened = [a for a in flat(play(values, engine=engine), AlarmTransition) if a.rule == "creep"]
    assert [(a.scope, a.area, a.edge) for a in opened] == [("p0", "a0", "alarm")]
    now = START + 100
    records = play([published(NEW, "v2", now), tick(now)], engine=engine)
    assert flat(records, AlarmTransition) == []
    assert [one.renamed for one in flat(records, Published)] == [
        {"points": {"p0": "q0"}, "areas": {"a0": "b0"}, "cameras": {"cam": "eye"}}
    ]
    order = command("acknowledge", opened[0].alarm, "b0", now + 1, "c1")
    records = play([order, frame_of([(0, now + 2, 1.0)], now + 2)], engine=engine)
    after = [a for a in flat(records, AlarmTransition) if a.alarm == opened[0].alarm]
    assert [(a.scope, a.area, a.edge, a.after) for a in after] == [
        ("q0", "b0", "acknowledge", "ACKED"),
        ("q0", "b0", "return", "NORM"),
    ]


def test_going_back_to_the_version_before_renames_back() -> None:
    engine = Engine(0)
    back = Bundle(site=msgspec.structs.replace(site(), version="v3"), rules=RULES)
    values = [published(OLD), tick(START)]
    values += [frame_of([(0, START + 10 * n, 12.0)], START + 10 * n) for n in range(1, 5)]
    values += [published(NEW, "v2", START + 60), published(back, "v3", START + 61), tick(START + 62)]
    play(values, engine=engine)
    ended = flat(play([frame_of([(0, START + 70, 1.0)], START + 70)], engine=engine), AlarmTransition)
    assert {(a.rule, a.scope, a.area, a.edge) for a in ended} >= {("creep", "p0", "a0", "return")}


def test_nothing_is_renamed_between_equal_sites_or_where_both_names_are_there() -> None:
    assert not between(site(), site())
    both = renamed(site())
    both = msgspec.structs.replace(both, areas=(*both.areas, *site().areas[:1]))
    assert between(site(), both).areas == {}


def test_the_alarm_of_a_renamed_camera_stays_until_its_fault_is_over() -> None:
    engine = Engine(0)
    (camera,) = site().cameras
    named = msgspec.structs.replace(camera, id="eye", renamed_from=("cam",))
    after = msgspec.structs.replace(site(), version="v2", cameras=(named,))
    values = [published(OLD), tick(START), health(START + 1, "a0", "loss")]
    values += [tick(START + 5 * n) for n in range(1, 4)]
    (opened,) = [a for a in flat(play(values, engine=engine), AlarmTransition) if a.rule == "sight"]
    assert (opened.scope, opened.edge) == ("cam", "alarm")
    again = [published(Bundle(site=after, rules=RULES), "v2", START + 20), *[tick(START + 20 + n) for n in range(60)]]
    assert [a for a in flat(play(again, engine=engine), AlarmTransition) if a.rule == "sight"] == []
    fine = CameraHealth(area="a0", camera="eye", time=START + 81, received=START + 81)
    over = play([encode(fine), *[tick(START + 81 + n) for n in range(30)]], engine=engine)
    ended = [a for a in flat(over, AlarmTransition) if a.rule == "sight"]
    assert [(a.alarm, a.scope, a.edge) for a in ended] == [(opened.alarm, "eye", "return")]


RENAMES = Renames(points={"p0": "q0", "x": "point"}, areas={"a0": "b0", "x": "area"}, cameras={"cam": "eye", "x": "k"})


@pytest.mark.parametrize(
    ("scope", "area", "now"),
    [("p0", "a0", "q0"), ("a0", "a0", "b0"), ("p1", "a1", "p1"), ("cam", "a0", "eye"), ("cam", None, "eye")],
)
def test_a_scope_is_a_point_its_area_or_a_camera(scope: str, area: str | None, now: str) -> None:
    assert RENAMES.scope(scope, area) == now


@pytest.mark.parametrize(("kind", "now"), [("point", "point"), ("area", "area"), ("camera", "k")])
def test_what_a_rule_watches_is_not_taken_for_something_else_of_the_same_id(kind: str, now: str) -> None:
    assert RENAMES.scope("x", "x", kind) == now


def test_a_camera_is_not_renamed_with_its_area_of_the_same_id_nor_counted_anew() -> None:
    desk = Desk(site())

    def change(level: int, scope: str, area: str) -> Change:
        return Change(SIGHT, scope, area, 0, level, START, START, None, False, 0)

    opened = flat_of(desk.condition(change(2, "a0", "a0"), START))
    desk.rename(Renames(areas={"a0": "b0"}), {"sight": "camera"})
    desk.rename(Renames(cameras={"a0": "eye"}), {"sight": "camera"})
    ended = flat_of(desk.condition(change(0, "eye", "b0"), START + 1))
    assert [(a.alarm, a.scope, a.area, a.edge) for a in ended] == [(opened[0].alarm, "eye", "b0", "return")]
    assert list(desk.book.cases.counts) == ["sight\0eye"]
    assert list(desk.book.cases.rings) == ["sight\0eye\0" + "0"]


def flat_of(out: list[Any]) -> list[AlarmTransition]:
    return [one for one in out if isinstance(one, AlarmTransition)]


def test_a_change_of_a_camera_that_waits_follows_its_name() -> None:
    waiting = Waiting()
    waiting.add(Change(SIGHT, "x", "x", 0, 2, START, START, None, False, 0))
    waiting.rename(RENAMES)
    assert [(one.scope, one.area) for one in waiting.all()] == [("k", "area")]
