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
from sensors.observation import Silence
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


def test_an_order_goes_by_the_level_of_the_place_it_was_made_for(desk: Desk) -> None:
    here = of(desk.condition(change(3), 0.0), DispatchChange)
    assert here.level == "orange" and here.deadline is not None
    out = desk.condition(river(4), 1.0)
    there = next(one for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    assert (there.area, there.level) == ("river-1", "red")
    assert "dispatch raised" not in edges(out), "the slope is as it was, and so is its deadline"
    assert desk.book.cases.dispatches[here.dispatch].deadline == here.deadline
    worse = desk.condition(change(4), 2.0)
    assert [(one.area, one.level) for one in worse if isinstance(one, DispatchChange)] == [("slope-1", "red")]


def test_an_order_by_hand_goes_by_the_level_of_where_it_sends(desk: Desk) -> None:
    incident = of(desk.condition(change(2), 0.0), IncidentChange).incident
    desk.condition(beside(1), 1.0)
    low = of(desk.command(command("dispatch", incident, "1", unit="u-c2", area="s-0"), 2.0), DispatchChange)
    assert (low.area, low.level) == ("s-0", "blue")
    rising = desk.condition(beside(2), 3.0)
    assert [(one.edge, one.level) for one in rising if isinstance(one, DispatchChange)] == [("raised", "yellow")]
    desk.condition(beside(0), 4.0)
    calm = of(desk.command(command("dispatch", incident, "2", unit="u-s1", area="s-0"), 5.0), DispatchChange)
    assert calm.level == "yellow", "where nothing rings, by the incident's"


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


def sent(out: list[AnyOutcome]) -> list[tuple[str, str]]:
    return [(one.area, one.unit) for one in out if isinstance(one, DispatchChange) and one.edge == "issued"]


def walk(desk: Desk, order: DispatchChange, last: str) -> list[str]:
    """Have a unit deal with an order, and end it by `last`; return what that leads to."""
    for leg in ("accept", "on_scene", "resolve", "feed_back"):
        desk.command(command(leg, order.dispatch, leg, actor=f"unit:{order.unit}"), 2.0)
    return edges(desk.command(command(last, order.dispatch, last, seconds=86400.0), 3.0))


def test_the_first_order_goes_where_the_level_is_reached_and_by_that_areas_level(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    assert sent(desk.condition(river(3), 1.0)) == [], "a river sends at red"
    assert sent(desk.condition(change(2), 2.0)) == [], "a slope at orange"
    assert [area for area, _ in sent(desk.condition(river(4), 3.0))] == ["river-1"]
    assert [area for area, _ in sent(desk.condition(change(3), 4.0))] == ["slope-1"]


def test_the_end_of_a_silence_sends_to_the_area_that_it_covered(desk: Desk) -> None:
    desk.condition(change(3), 0.0)
    quiet = Silence(id="q", until=1000.0, actor="user:an", reason="works", time=1.0, areas=("s-0",), level="orange")
    assert desk.silence(quiet, [area.id for area in SITE.areas] + ["s-0"], 1.0)
    assert sent(desk.condition(beside(3), 2.0)) == []
    ended = desk.tick(1001.0)
    assert [area for area, _ in sent(ended)] == ["s-0"]


def test_an_order_by_hand_stands_where_the_cause_is(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    opened = of(desk.condition(river(1), 1.0), IncidentChange)
    out = desk.command(command("dispatch", opened.incident, "1", unit="u-c2"), 2.0)
    assert sent(out) == [("river-1", "u-c2")]
    assert sent(desk.condition(river(4), 3.0)) == [], "somebody is there"


def test_what_rises_in_silence_is_joined_all_the_same(desk: Desk) -> None:
    quiet = Silence(id="q", until=9000.0, actor="user:an", reason="works", time=1.0, areas=("slope-1",), level="orange")
    assert desk.silence(quiet, ["slope-1"], 5000.0)
    first = of(desk.condition(change(2), 5001.0), IncidentChange)
    joined = of(desk.condition(beside(2), 5002.0), IncidentChange)
    assert (joined.incident, joined.edge) == (first.incident, "joined")


def test_somebody_goes_to_where_it_opened_too_once_it_is_at_its_level(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    assert sent(desk.condition(beside(3), 1.0)) == [("s-0", "u-c1")]
    out = desk.condition(change(3), 2.0)
    here = next(one for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    assert (here.area, here.reason, here.lead) == ("slope-1", "dispatch.linked", "u-c1")


def test_where_nobody_is_left_for_a_linked_area_that_is_said_until_a_person_sends_there(desk: Desk) -> None:
    desk = Desk(msgspec.structs.replace(desk.book.site, units=SITE.units[:1]))
    first = of(desk.condition(change(3), 0.0), IncidentChange)
    alone = of(desk.condition(beside(3), 1.0), IncidentChange)
    assert (alone.edge, alone.reason, alone.args) == ("undispatched", "dispatch.no_unit_there", {"area": "s-0"})
    assert alone.event is not None and alone.event["data"]["area"]["id"] == "s-0"
    (again,) = [one for one in desk.tick(400.0) if isinstance(one, IncidentChange)]
    assert (again.edge, again.args) == ("undispatched", {"reminders": 1, "area": "s-0"})
    desk.publish(msgspec.structs.replace(desk.book.site, units=SITE.units))
    assert edges(desk.command(command("dispatch", first.incident, "1", area="river-1"), 500.0)) == [
        "incident.not_its_area"
    ]
    assert sent(desk.command(command("dispatch", first.incident, "2", area="s-0", unit="u-c2"), 500.0)) == [
        ("s-0", "u-c2")
    ]
    assert not [one for one in desk.tick(5000.0) if isinstance(one, IncidentChange)]


@pytest.mark.parametrize("last", ["close", "follow_up"])
def test_a_linked_area_that_nobody_reached_is_said_again_when_the_order_of_another_ends(desk: Desk, last: str) -> None:
    desk = Desk(msgspec.structs.replace(desk.book.site, units=SITE.units[:1]))
    order = of(desk.condition(change(3), 0.0), DispatchChange)
    desk.condition(beside(3), 1.0)
    assert walk(desk, order, last)[-1] == "ok"
    said = [one for one in desk.tick(400.0) if isinstance(one, IncidentChange)]
    assert {"reminders": 1, "area": "s-0"} in [one.args for one in said]
    assert all(one.edge == "undispatched" and one.event is not None for one in said)
    desk.condition(beside(0), 500.0)
    desk.condition(change(0), 500.0)
    assert not [one for one in desk.tick(50_000.0) if isinstance(one, IncidentChange) and one.edge == "undispatched"]


def test_a_visit_to_a_linked_area_calls_nobody_there(desk: Desk) -> None:
    desk.condition(change(3), 0.0)
    there = next(one for one in desk.condition(beside(3), 1.0) if isinstance(one, DispatchChange))
    assert walk(desk, there, "follow_up") == ["dispatch follow_up", "ok"]


def test_a_refusal_that_leaves_a_linked_area_alone_says_so(desk: Desk) -> None:
    desk = Desk(msgspec.structs.replace(desk.book.site, units=(SITE.units[0], SITE.units[2])))
    desk.condition(change(3), 0.0)
    there = next(one for one in desk.condition(beside(3), 1.0) if isinstance(one, DispatchChange))
    out = desk.command(command("refuse", there.dispatch, "1", actor="unit:u-s1", reason="no car"), 2.0)
    alone = of(out, IncidentChange)
    assert (alone.edge, alone.args) == ("undispatched", {"dispatch": there.dispatch, "area": "s-0"})


def test_who_is_called_comes_to_where_the_one_who_calls_is(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    order = of(desk.condition(beside(3), 1.0), DispatchChange)
    desk.command(command("accept", order.dispatch, "1"), 2.0)
    assert sent(desk.command(command("call", order.dispatch, "2", units=["u-s1"]), 3.0)) == [("s-0", "u-s1")]


def test_who_was_sent_to_a_linked_area_goes_along_when_that_is_split_off(desk: Desk) -> None:
    first = of(desk.condition(change(3), 0.0), IncidentChange).incident
    out = desk.condition(beside(3), 1.0)
    there = next(one.dispatch for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    split = desk.command(command("split", first, "1", alarms=[alarm(out).alarm]), 2.0)
    assert sent(split) == [], "somebody is there"
    new = next(one.incident for one in split if isinstance(one, IncidentChange) and one.edge == "opened")
    assert desk.book.cases.dispatches[there].incident == new
    assert sent(desk.condition(beside(4), 3.0)) == sent(desk.condition(change(4), 3.0)) == []


def test_who_goes_along_by_name_goes_where_that_is(desk: Desk) -> None:
    first = of(desk.condition(change(3), 0.0), DispatchChange)
    second = alarm(desk.condition(beside(2), 1.0))
    orders = {"alarms": [second.alarm], "dispatches": [first.dispatch]}
    split = desk.command(command("split", first.incident, "1", **orders), 2.0)
    moved = next(one for one in split if isinstance(one, DispatchChange) and one.edge == "moved")
    assert moved.area == "s-0"


def test_what_goes_on_without_the_area_where_it_opened_sends_nobody_anew(desk: Desk) -> None:
    opened = desk.condition(beside(1), 0.0)
    out = desk.condition(change(3), 1.0)
    assert sent(out) == [("slope-1", "u-c1")]
    first = of(opened, IncidentChange).incident
    split = desk.command(command("split", first, "1", alarms=[alarm(opened).alarm]), 2.0)
    left = desk.book.cases.incidents[first]
    assert (left.area, left.linked, left.dispatched, sent(split)) == ("slope-1", [], True, [])


def test_a_merge_by_hand_keeps_what_is_linked_and_what_was_put_apart() -> None:
    desk = Desk(linked(BESIDE, Link(areas=("slope-1", "s-1"), kind="neighbour"), more=2))
    further = {"rule": "r4", "scope": "p4", "area": "s-1"}
    first = of(desk.condition(change(1), 0.0), IncidentChange).incident
    desk.condition(beside(1), 1.0)
    away = alarm(desk.condition(change(1, **further), 2.0))
    desk.command(command("split", first, "1", alarms=[away.alarm]), 3.0)
    other = of(desk.condition(river(3), 4.0), IncidentChange).incident
    desk.command(command("merge", other, "2", incidents=[first]), 5.0)
    merged = desk.book.cases.incidents[other]
    assert (merged.joined, merged.linked, merged.apart) == (["river-1", "slope-1"], ["s-0"], ["s-1"])
    back = desk.command(command("merge", other, "3", incidents=[desk.book.cases.alarms[away.alarm].incident]), 6.0)
    assert edges(back)[-1] == "ok" and merged.apart == [], "a person has brought them together again"


def test_upstream_stays_the_cause_of_what_is_merged_and_split_by_hand(desk: Desk) -> None:
    above = of(desk.condition(river(1), 0.0), IncidentChange)
    worse = of(desk.condition(change(3), 5000.0), IncidentChange)
    assert above.incident != worse.incident, "too late to join by itself"
    desk.command(command("merge", above.incident, "1", incidents=[worse.incident]), 5001.0)
    merged = desk.book.cases.incidents[above.incident]
    assert merged.cause == above.cause
    away = alarm(desk.condition(beside(3), 5002.0)).alarm
    split = desk.command(command("split", above.incident, "2", alarms=[worse.cause, above.cause]), 5003.0)
    new = next(one for one in split if isinstance(one, IncidentChange) and one.edge == "opened")
    assert (new.cause, new.title["en"][:7]) == (above.cause, "river 1")
    assert merged.cause == away


def test_a_snapshot_from_before_places_were_tallied_is_counted_anew(desk: Desk) -> None:
    desk.condition(change(3), 0.0)
    desk.condition(beside(2), 1.0)
    state = msgspec.msgpack.decode(desk.state())
    for incident in state["incidents"].values():
        del incident["tally"][-1]
    again = Desk(desk.book.site)
    again.restore(msgspec.msgpack.encode(state))
    assert sent(again.condition(beside(3), 2.0)) == [("s-0", "u-s1")]


def test_a_snapshot_from_before_linked_areas_were_acted_on_sends_nobody_twice(desk: Desk) -> None:
    desk.condition(change(3), 0.0)
    out = desk.condition(beside(4), 1.0)
    there = next(one for one in out if isinstance(one, DispatchChange) and one.edge == "issued")
    for leg in ("accept", "on_scene", "resolve"):
        desk.command(command(leg, there.dispatch, leg, actor=f"unit:{there.unit}"), 2.0)
    state = msgspec.msgpack.decode(desk.state())
    for incident in state["incidents"].values():
        assert incident.pop("acted") == ["s-0"]
    del state["linked_acted"]
    again = Desk(desk.book.site)
    again.restore(msgspec.msgpack.encode(state))
    assert sent(again.condition(beside(3), 400.0)) == sent(desk.condition(beside(3), 400.0)) == []


def test_a_restored_desk_takes_an_order_by_hand_for_no_more_than_that(desk: Desk) -> None:
    """Somebody was sent to a linked area below its level: as it reaches it in silence, it is still to be acted on."""
    here = of(desk.condition(change(3), 0.0), DispatchChange)
    desk.condition(beside(1), 1.0)
    desk.command(command("dispatch", here.incident, "1", unit="u-c2", area="s-0"), 2.0)
    again = Desk(desk.book.site)
    again.restore(desk.state())
    assert again.state() == desk.state()
    (incident,) = again.book.cases.incidents.values()
    assert incident.dispatched and incident.acted == []


def test_what_a_visit_is_for_is_known_when_its_incident_is_closed(desk: Desk) -> None:
    opened = of(desk.condition(river(1, kind="data_quality"), 0.0), IncidentChange)
    order = of(desk.command(command("dispatch", opened.incident, "1", unit="u-mend"), 1.0), DispatchChange).dispatch
    for number, leg in enumerate(("accept", "on_scene", "resolve", "follow_up")):
        desk.command(command(leg, order, f"l{number}", seconds=60.0), 2.0)
    assert edges(desk.command(command("close", opened.incident, "2", disposition="nuisance"), 3.0))[-1] == "ok"
    late = [one for one in desk.tick(100.0) if isinstance(one, DispatchChange)]
    assert late and not desk.book.cases.dispatches[order].told, "maintenance goes up to none of those for risks"
