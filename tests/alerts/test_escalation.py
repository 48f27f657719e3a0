"""Escalation chains: wait, notify, repeat, go up; stopped by a person, kept over a restart, by level and type."""

from __future__ import annotations

import msgspec
import pytest

from alerts.desk import Desk
from alerts.outcome import AnyOutcome, DispatchChange
from sensors.site import Escalation, EscalationStep
from tests.alerts.cases import SITE, change, command

CHAIN = Escalation(
    levels=("orange", "red"),
    types=("slope",),
    steps=(
        EscalationStep(wait=60.0, do="remind", repeat=2),
        EscalationStep(wait=30.0, do="notify", notify=("u-c2", "district")),
        EscalationStep(wait=120.0),
    ),
)


def sent(*chains: Escalation, level: int = 3, area: str = "slope-1") -> tuple[Desk, str]:
    desk = Desk(msgspec.structs.replace(SITE, escalation=chains))
    out = desk.condition(change(level, area=area), 0.0)
    return desk, next(one for one in out if isinstance(one, DispatchChange)).dispatch


def said(out: list[AnyOutcome]) -> list[tuple[str, str, list[str]]]:
    """List (edge, unit, who is told as well)."""
    found = [one for one in out if isinstance(one, DispatchChange)]
    return [(one.edge, one.unit, one.event["data"]["copies"] if one.event else []) for one in found]


def steps(desk: Desk, until: float, begin: float = 0.0) -> list[tuple[float, list[tuple[str, str, list[str]]]]]:
    """Tick every 10 s and list what the clock alone said, and when."""
    times = [begin + 10.0 * n for n in range(1, int((until - begin) / 10.0) + 1)]
    return [(time, said(out)) for time in times if (out := desk.tick(time))]


def test_the_steps_follow_the_deadline_one_by_one_and_the_unit_above_begins_anew() -> None:
    desk, _ = sent(CHAIN)
    assert steps(desk, 900.0) == [
        (300.0, [("overdue", "u-c1", [])]),
        (360.0, [("overdue", "u-c1", [])]),
        (420.0, [("overdue", "u-c1", [])]),
        (450.0, [("overdue", "u-c1", ["u-c2", "u-d"])]),
        (570.0, [("overdue", "u-c1", ["u-c2", "u-d"]), ("reassigned", "u-s1", ["u-c1"])]),
        (870.0, [("overdue", "u-s1", [])]),
    ]


@pytest.mark.parametrize("after", [310.0, 370.0, 460.0])
def test_a_person_who_acts_stops_it(after: float) -> None:
    desk, order = sent(CHAIN)
    steps(desk, after)
    desk.command(command("accept", order, "c1", actor="unit:u-c1"), after)
    assert steps(desk, after + 1790.0, after) == []
    assert steps(desk, after + 1800.0, after + 1790.0) == [(after + 1800.0, [("overdue", "u-c1", [])])]


def test_a_leg_under_way_keeps_its_unit_and_the_last_step_is_repeated_at_growing_intervals() -> None:
    desk, order = sent(CHAIN)
    desk.command(command("accept", order, "c1", actor="unit:u-c1"), 0.0)
    found = steps(desk, 3000.0)
    assert [time for time, _ in found] == [1800.0, 1860.0, 1920.0, 1950.0, 2070.0, 2370.0, 2970.0]
    assert [told for _, ((_, _, told),) in found[4:6]] == [["u-c2", "u-d", "u-s1"]] * 2, "the district knows already"
    assert {unit for _, ((_, unit, _),) in found} == {"u-c1"}


@pytest.mark.parametrize("chain", [(), (CHAIN,)])
@pytest.mark.parametrize("stop", [300.0, 360.0, 430.0, 570.0])
def test_a_restart_between_two_steps_changes_nothing(chain: tuple[Escalation, ...], stop: float) -> None:
    desk, _ = sent(*chain)
    whole = steps(desk, 2000.0)
    desk, _ = sent(*chain)
    found = steps(desk, stop)
    other = Desk(desk.book.site)
    other.restore(desk.state())
    assert found + steps(other, 2000.0, stop) == whole


@pytest.mark.parametrize(
    ("chain", "level", "area"),
    [
        (msgspec.structs.replace(CHAIN, levels=("red",)), 3, "slope-1"),
        (msgspec.structs.replace(CHAIN, types=("river",)), 3, "slope-1"),
    ],
)
def test_elsewhere_it_goes_up_at_once_as_a_site_without_chains(chain: Escalation, level: int, area: str) -> None:
    plain, _ = sent(level=level, area=area)
    desk, _ = sent(chain, level=level, area=area)
    found = steps(desk, 2000.0)
    assert found == steps(plain, 2000.0) and found[0][1][1][:2] == ("reassigned", "u-s1")


def test_the_first_chain_that_holds_is_taken() -> None:
    first = Escalation(levels=("orange",), steps=(EscalationStep(do="remind"),))
    desk, _ = sent(first, CHAIN)
    assert steps(desk, 600.0)[:2] == [(300.0, [("overdue", "u-c1", [])]), (600.0, [("overdue", "u-c1", [])])]


def test_an_order_goes_up_to_where_another_of_its_incident_has_been_and_left() -> None:
    units = ("u-c1", "u-c2", "u-s1", "u-d")
    desk = Desk(msgspec.structs.replace(SITE, units=tuple(one for one in SITE.units if one.id in units)))
    first = next(one for one in desk.condition(change(3), 0.0) if isinstance(one, DispatchChange))
    clock = 0.0
    while desk.book.cases.dispatches[first.dispatch].unit != "u-d":
        clock += 300.0
        desk.tick(clock)
    out = desk.command(command("dispatch", first.incident, "1", unit="u-c2"), clock)
    second = next(one for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    for _ in range(20):
        clock += 300.0
        desk.tick(clock)
    assert [desk.book.cases.dispatches[one.dispatch].tried for one in (first, second)] == [
        ["u-c1", "u-s1", "u-d"],
        ["u-c2", "u-c1", "u-s1"],
    ], "and not to who has the other order"
