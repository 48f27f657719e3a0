"""What other rules change: gained, lost, earlier, later, another level; dispatches, lead, load."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.comparison import NEAR, Comparison, Past, compare, paired
from alerts.desk import Desk
from alerts.outcome import AlarmTransition
from alerts.spells import Sending, Spell
from tests.alerts.cases import SITE, change

NOON = 1_700_000_000.0 // 3600 * 3600


class Limit(NamedTuple):
    point: str
    area: str
    time: float


def spell(raised: float, end: float | None = None, level: str = "yellow", **more: Any) -> Spell:
    fields = {"rule": "r", "scope": "p", "area": "slope-1", "kind": "risk", "simulated": False, "alarm": "a"}
    return Spell(raised=NOON + raised, onset=NOON, end=None if end is None else NOON + end, level=level,
                 **{**fields, **more})  # fmt: skip


def sending(issued: float, end: float | None = None, unit: str = "u", level: str = "orange") -> Sending:
    return Sending(dispatch="d", area="slope-1", unit=unit, simulated=False, issued=NOON + issued, level=level,
                   end=None if end is None else NOON + end)  # fmt: skip


def held(
    before: list[Spell],
    after: list[Spell],
    crossings: list[Limit] | None = None,
    sent: tuple[list[Sending], list[Sending]] = ([], []),
    begin: float = -60.0,
    end: float = 86400.0,
) -> Comparison:
    sides = (
        Past(spells=spells, sendings=sendings, transitions=[])
        for spells, sendings in zip((before, after), sent, strict=True)
    )
    return compare(*sides, crossings or [], NOON + begin, NOON + end)


@pytest.mark.parametrize(
    ("before", "after", "what", "shift"),
    [
        ([], [spell(0)], ("gained",), None),
        ([spell(0)], [], ("lost",), None),
        ([spell(60, 600)], [spell(0, 600)], ("earlier",), -60.0),
        ([spell(0, 600)], [spell(60, 600)], ("later",), 60.0),
        ([spell(0, 600)], [spell(0, 600, "red")], ("level",), 0.0),
        ([spell(60, 600)], [spell(0, 600, "red")], ("earlier", "level"), -60.0),
    ],
    ids=lambda one: one if isinstance(one, tuple) else "",
)
def test_each_way_to_differ_is_named(
    before: list[Spell], after: list[Spell], what: tuple[str, ...], shift: float | None
) -> None:
    found = held(before, after)
    [one] = found.alarms
    assert (one.what, one.shift, found.same) == (what, shift, 0)
    assert {name for name, count in found.counts.items() if count} == set(what)
    assert found.by_rule == {"r": found.counts} and found.by_area == {"slope-1": found.counts}
    assert found.by_hour == {NOON: found.counts}


def test_what_is_as_it_was_is_counted_only() -> None:
    found = held([spell(0, 600), spell(9000)], [spell(0.5, 700), spell(9000)])
    assert (found.alarms, found.same) == ((), 2)


def test_far_apart_they_are_not_the_same_alarm() -> None:
    near, far = (held([spell(0, 60)], [spell(60 + NEAR + more, 9000)]) for more in (-1, 1))
    assert [one.what for one in near.alarms] == [("later",)]
    assert [one.what for one in far.alarms] == [("lost",), ("gained",)]


def test_of_another_scope_or_simulated_it_is_another_alarm() -> None:
    found = held([spell(0)], [spell(0, scope="q"), spell(0, simulated=True)])
    assert sorted(one.what for one in found.alarms) == [("gained",), ("gained",), ("lost",)]


def test_a_chatter_that_ends_leaves_one_alarm_and_loses_the_others() -> None:
    found = held([spell(at, at + 30) for at in (0, 60, 120, 180)], [spell(60, 240)])
    assert [(one.what, one.before and one.before.raised - NOON) for one in found.alarms] == [
        (("lost",), 0.0),
        (("lost",), 120.0),
        (("lost",), 180.0),
    ]
    assert found.same == 1


def test_what_stood_before_the_stretch_on_both_sides_is_left_out() -> None:
    assert not held([spell(-900)], [spell(-1000)]).alarms
    assert [one.what for one in held([spell(-900)], [spell(10)]).alarms] == [("later",)]
    assert not held([spell(90000)], []).alarms


def test_dispatches_are_compared_by_area_and_unit() -> None:
    found = held([], [], sent=([sending(0, 600), sending(0, unit="v")], [sending(300, 900, level="red")]))
    assert [(one.what, one.unit, one.shift) for one in found.dispatches] == [
        (("later", "level"), "u", 300.0),
        (("lost",), "v", None),
    ]
    assert (found.before.dispatches, found.after.dispatches) == (2, 1)


def test_the_lead_is_from_the_first_alarm_of_risk_that_is_about_the_point_to_its_limit() -> None:
    limits = [Limit("p", "slope-1", NOON + 3600), Limit("q", "slope-1", NOON + 7200)]
    before = [spell(1800, 3700), spell(600, kind="data_quality"), spell(3700, scope="x", points=["q"])]
    found = held(before, [spell(600, 700, rule="s")], limits)
    assert [(one.before, one.after) for one in found.leads] == [(1800.0, 3000.0), (3500.0, None)]
    assert (found.before.warned, found.after.warned) == (2, 1)
    assert (found.before.lead, found.after.lead) == (2650.0, 3000.0)


def test_an_alarm_after_the_limit_is_no_warning() -> None:
    [lead] = held([spell(3601)], [spell(3600)], [Limit("p", "slope-1", NOON + 3600)]).leads
    assert (lead.before, lead.after) == (None, 0.0)


def test_the_load_is_told_by_the_hour_and_by_the_seat() -> None:
    def past(times: range) -> Past:
        desk, found = Desk(SITE), []
        for at in times:
            found += desk.condition(change(2), NOON + at) + desk.condition(change(0), NOON + at + 30)
        return Past(spells=[], sendings=[], transitions=[one for one in found if isinstance(one, AlarmTransition)])

    seats = {"all": None, "slopes": frozenset({"slope-1"}), "rivers": frozenset({"river-1"})}
    found = compare(past(range(0, 7200, 1800)), past(range(0, 3600, 3600)), [], NOON, NOON + 86400, seats)
    assert found.before.hours == {NOON: 2, NOON + 3600: 2} and found.after.hours == {NOON: 1}
    assert {name: load.rings for name, load in found.before.seats.items()} == {"all": 4, "slopes": 4, "rivers": 0}
    assert found.before.seat_hours["slopes"] == found.before.hours
    assert found.after.seats["slopes"].peak == 1


times = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 4_000), st.sampled_from("pq")), max_size=12)


def side(drawn: list[tuple[int, int, str]]) -> list[Spell]:
    return [spell(begin, begin + length, scope=scope) for begin, length, scope in drawn]


@given(times, times, st.randoms())
def test_every_alarm_is_told_once_whatever_their_order(
    before: list[tuple[int, int, str]], after: list[tuple[int, int, str]], mixer: random.Random
) -> None:
    old, new = side(before), side(after)
    pairs = paired(old, new)
    assert sorted(one.raised for one, _ in pairs if one) == sorted(one.raised for one in old)
    assert sorted(one.raised for _, one in pairs if one) == sorted(one.raised for one in new)
    assert all(a.key == b.key for a, b in pairs if a and b)
    found = held(old, new)
    mixed = list(old)
    mixer.shuffle(mixed)
    again = held(mixed, new)
    assert (again.counts, again.same) == (found.counts, found.same)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison).counts == found.counts


@given(times)
def test_a_course_held_against_itself_does_not_differ(drawn: list[tuple[int, int, str]]) -> None:
    found = held(side(drawn), side(drawn))
    assert (found.alarms, found.same) == ((), len(drawn))
