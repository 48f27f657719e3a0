"""Alarms of linked areas are one incident, with a cause and its symptoms, and somebody goes to each place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.desk import Desk
from alerts.linked import MOST_AREAS, Links
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange
from sensors.site import Area, Link, Site
from tests.alerts.cases import SITE, change, command, edges, name


def linked(*links: Link, more: int = 0) -> Site:
    """Make the small site with links, and with further slopes s-0, s-1, ... beside the first."""
    areas = tuple(Area(id=f"s-{n}", name=name(f"s {n}"), type="slope", place="c1", group="s1") for n in range(more))
    return msgspec.structs.replace(SITE, areas=(*SITE.areas, *areas), links=links)


RIVER_ABOVE = Link(areas=("river-1", "slope-1"), kind="upstream")
BESIDE = Link(areas=("slope-1", "s-0"), kind="neighbour", within=600.0)


def river(rank: int, **how: Any) -> Any:
    return change(rank, rule="r2", scope="p2", area="river-1", **how)


def beside(rank: int, **how: Any) -> Any:
    return change(rank, rule="r3", scope="p3", area="s-0", **how)


def alarm(out: list[AnyOutcome]) -> AlarmTransition:
    return next(one for one in out if isinstance(one, AlarmTransition))


def of(out: list[AnyOutcome], kind: type[Any]) -> Any:
    return next(one for one in reversed(out) if isinstance(one, kind))


@pytest.fixture
def desk() -> Desk:
    return Desk(linked(RIVER_ABOVE, BESIDE, more=1))


def test_an_alarm_of_a_linked_area_joins_and_says_by_which_link(desk: Desk) -> None:
    first = desk.condition(change(2), 0.0)
    second = desk.condition(beside(1), 599.0)
    joined = of(second, IncidentChange)
    assert (joined.edge, joined.reason) == ("joined", "incident.linked_neighbour")
    assert joined.args == {"area": "s-0", "to": "slope-1"}
    assert joined.incident == of(first, IncidentChange).incident
    assert joined.cause == alarm(first).alarm and joined.alarms == (alarm(first).alarm, alarm(second).alarm)
    later = desk.condition(change(1, rule="r4", scope="p3", area="s-0"), 5000.0)
    assert of(later, IncidentChange).incident == joined.incident, "its area's alarms go there until it is closed"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"clock": 601.0}, id="too late"),
        pytest.param({"simulated": True}, id="played"),
        pytest.param({"kind": "data_quality"}, id="about a sensor"),
    ],
)
def test_what_is_another_matter_stays_apart(desk: Desk, other: dict[str, Any]) -> None:
    desk.condition(change(2), 0.0)
    clock = other.pop("clock", 10.0)
    assert of(desk.condition(beside(1, **other), clock), IncidentChange).edge == "opened"


def test_areas_that_are_not_linked_stay_apart(desk: Desk) -> None:
    desk.condition(river(1), 0.0)
    assert of(desk.condition(beside(1), 1.0), IncidentChange).edge == "opened"


def test_upstream_is_the_cause_whichever_came_first_and_is_worse(desk: Desk) -> None:
    below = alarm(desk.condition(change(2), 0.0))
    out = desk.condition(river(1), 10.0)
    joined = of(out, IncidentChange)
    assert (joined.cause, joined.alarms) == (alarm(out).alarm, (alarm(out).alarm, below.alarm))
    assert joined.title["en"].startswith("river 1"), "the title names where the cause is"
    assert joined.area == "slope-1"
    worse = of(desk.condition(change(3), 20.0), IncidentChange)
    assert (worse.cause, worse.peak) == (joined.cause, "orange"), "a worse symptom stays a symptom"


def test_of_neighbours_the_first_at_the_highest_level_is_the_cause(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    out = desk.condition(beside(2), 1.0)
    assert of(out, IncidentChange).cause == alarm(out).alarm


def test_somebody_goes_to_each_place_under_one_lead(desk: Desk) -> None:
    here = of(desk.condition(change(3), 0.0), DispatchChange)
    assert (here.unit, here.area) == ("u-c1", "slope-1")
    low = desk.condition(beside(2), 1.0)
    assert "dispatch issued" not in edges(low), "below its level nobody is sent"
    out = desk.condition(beside(3), 2.0)
    there = next(one for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    assert (there.area, there.unit, there.lead, there.reason) == ("s-0", "u-s1", "u-c1", "dispatch.linked")
    assert there.incident == here.incident
    again = desk.condition(beside(4), 3.0)
    assert "dispatch issued" not in edges(again), "somebody is on the way there"
    refused = desk.command(command("refuse", there.dispatch, "1", actor="unit:u-s1", reason="no car"), 4.0)
    assert of(refused, DispatchChange).area == "s-0"


def test_what_a_person_split_off_no_link_brings_back(desk: Desk) -> None:
    first = of(desk.condition(change(2), 0.0), IncidentChange)
    second = alarm(desk.condition(beside(1), 1.0))
    apart = desk.command(command("split", first.incident, "1", alarms=[second.alarm]), 2.0)
    new = of(apart, IncidentChange).incident
    assert new != first.incident
    desk.command(command("close", new, "2", disposition="nuisance"), 3.0)
    desk.condition(beside(0), 4.0)
    assert of(desk.condition(beside(1), 5.0), IncidentChange).edge == "opened"


def test_sensors_that_one_gateway_carries_fail_together_and_dangers_do_not() -> None:
    desk = Desk(linked(Link(areas=("slope-1", "s-0"), kind="gateway"), more=1))
    desk.condition(change(1, kind="data_quality"), 0.0)
    joined = of(desk.condition(beside(1, kind="data_quality"), 1.0), IncidentChange)
    assert (joined.edge, joined.reason) == ("joined", "incident.linked_gateway")
    desk.condition(change(1, rule="r5"), 2.0)
    assert of(desk.condition(change(1, rule="r6", scope="p3", area="s-0"), 3.0), IncidentChange).edge == "opened"


def test_a_chain_of_links_makes_no_endless_incident() -> None:
    chain = [Link(areas=(f"s-{n}", f"s-{n + 1}"), kind="neighbour") for n in range(MOST_AREAS + 3)]
    desk = Desk(linked(*chain, more=MOST_AREAS + 4))
    found = [
        of(desk.condition(change(1, scope=f"p{n}", area=f"s-{n}"), float(n)), IncidentChange).incident
        for n in range(MOST_AREAS + 4)
    ]
    assert len(set(found[:MOST_AREAS])) == 1 and len(set(found)) == 2


def test_a_snapshot_holds_what_joined(desk: Desk) -> None:
    desk.condition(change(3), 0.0)
    desk.condition(beside(2), 1.0)
    again = Desk(desk.book.site)
    again.restore(desk.state())
    assert edges(again.condition(beside(3), 2.0)) == edges(desk.condition(beside(3), 2.0))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pair: pair[0] != pair[1]), max_size=12))
def test_upstream_is_found_over_any_way_and_circles_end(pairs: list[tuple[int, int]]) -> None:
    links = Links(linked(*(Link(areas=(str(a), str(b)), kind="upstream") for a, b in pairs)))
    reach = {(a, b) for a, b in pairs}
    for _ in range(6):
        reach |= {(a, d) for a, b in reach for c, d in reach if b == c}
    for a in range(6):
        for b in range(6):
            assert a == b or links.above(str(a), str(b)) == ((a, b) in reach)
