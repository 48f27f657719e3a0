"""Incidents merged and split by hand: what moves, what stays, what follows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange, Record
from alerts.precision import cases
from tests.alerts.cases import SITE, change, command, edges


class Scene:
    """A slope and a river, each with an incident, and what was told of them."""

    def __init__(self) -> None:
        self.desk = Desk(SITE)
        self.told: list[list[AnyOutcome]] = []
        self.slope = self.raised(change(3))  # orange: a unit is sent
        self.river = self.raised(change(2, rule="r2", scope="p3", area="river-1"))

    def raised(self, what: object) -> str:
        out = self.desk.condition(what, 1000.0)  # type: ignore[arg-type]
        self.told.append(out)
        return next(one.incident for one in out if isinstance(one, IncidentChange))

    def order(self, kind: str, target: str, **args: object) -> list[AnyOutcome]:
        out = self.desk.command(command(kind, target, f"c{len(self.told)}", **args), 1100.0)
        self.told.append(out)
        return out

    def alarm(self, scope: str) -> str:
        return next(one.id for one in self.desk.book.cases.alarms.values() if one.scope == scope)


def test_the_other_ends_and_its_alarms_go_on_with_the_one() -> None:
    scene = Scene()
    out = scene.order("merge", scene.slope, incidents=[scene.river], reason="one slide")
    assert edges(out) == ["move", "incident merged", "incident took_in", "ok"]
    moved, ended, took = out[:3]
    assert isinstance(moved, AlarmTransition) and isinstance(ended, IncidentChange) and isinstance(took, IncidentChange)
    assert (moved.incident, moved.before, moved.after, moved.actor) == (scene.slope, "UNACK", "UNACK", "user:an")
    assert (ended.state, ended.args, ended.reason) == ("closed", {"into": scene.slope}, "one slide")
    assert (took.args, len(took.alarms), took.level) == ({"incidents": [scene.river]}, 2, "orange")
    assert edges(scene.order("acknowledge", scene.river)) == ["incident.merged"]


def test_what_the_area_of_the_other_raises_later_joins_until_the_one_is_closed() -> None:
    scene = Scene()
    scene.order("merge", scene.slope, incidents=[scene.river])
    assert scene.raised(change(1, rule="r3", scope="p3", area="river-1")) == scene.slope
    scene.order("close", scene.desk.book.cases.incidents[scene.slope].dispatches[0], reason="recalled")
    assert edges(scene.order("close", scene.slope, disposition="test"))[-1] == "ok"
    assert scene.raised(change(1, rule="r4", scope="p4", area="river-1")) != scene.slope


def test_the_worse_one_gives_the_cause_and_the_lowest_dispatch_level_counts() -> None:
    scene = Scene()
    other = scene.raised(change(3, rule="r5", scope="p3", area="river-1", kind="risk"))
    assert other == scene.river and not scene.desk.book.cases.incidents[other].dispatches  # a river sends at red
    out = scene.order("merge", scene.river, incidents=[scene.slope])
    river = scene.desk.book.cases.incidents[scene.river]
    assert [one.unit for one in scene.desk.book.working(river)] == ["u-c1"], "who was on the way stays so"
    assert "dispatch moved" in edges(out) and "dispatch issued" not in edges(out)
    order = next(one for one in out if isinstance(one, DispatchChange))
    assert (order.incident, order.event is not None) == (scene.river, True), "its unit is told"
    assert scene.desk.book.reached(river) == 3


def test_merging_sends_a_unit_where_the_level_is_reached_only_together() -> None:
    desk = Desk(SITE)
    first = desk.condition(change(2), 1000.0)
    second = desk.condition(change(3, rule="r2", scope="p3", area="river-1"), 1000.0)
    slope, river = (next(o.incident for o in out if isinstance(o, IncidentChange)) for out in (first, second))
    out = desk.command(command("merge", slope, "c1", incidents=[river]), 1001.0)
    assert "dispatch issued" in edges(out)


def test_those_who_were_on_different_ones_work_under_one_lead() -> None:
    scene = Scene()
    scene.order("dispatch", scene.river, unit="u-c2")
    scene.order("merge", scene.slope, incidents=[scene.river])
    working = scene.desk.book.working(scene.desk.book.cases.incidents[scene.slope])
    assert {one.unit: one.lead for one in working} == {"u-c1": "u-c1", "u-c2": "u-c1"}


def test_split_alarms_make_an_incident_of_their_own_that_sends_by_its_level() -> None:
    scene = Scene()
    scene.raised(change(3, scope="p2"))
    second = scene.alarm("p2")
    out = scene.order("split", scene.slope, alarms=[second], reason="another slope")
    assert edges(out) == [
        *("move", "incident split", "incident opened", "incident dispatched", "dispatch issued", "ok"),
    ]
    opened = out[2]
    assert isinstance(opened, IncidentChange)
    assert (opened.args, opened.alarms, opened.cause) == ({"from": scene.slope}, (second,), second)
    assert scene.raised(change(1, rule="r9", scope="p9")) == scene.slope, "what comes later joins the old one"


def test_orders_that_go_along_are_led_apart() -> None:
    scene = Scene()
    scene.raised(change(3, scope="p2"))
    scene.order("dispatch", scene.slope, units=["u-c2", "u-s1"])
    incident = scene.desk.book.cases.incidents[scene.slope]
    leading = next(one for one in scene.desk.book.working(incident) if one.unit == "u-c1")
    out = scene.order("split", scene.slope, alarms=[scene.alarm("p2")], dispatches=[leading.id])
    new = next(one for one in out if isinstance(one, IncidentChange) and one.edge == "opened").incident
    assert "dispatch issued" not in edges(out)
    assert (leading.incident, leading.lead) == (new, "")
    assert {one.unit: one.lead for one in scene.desk.book.working(incident)} == {"u-c2": "u-c2", "u-s1": "u-c2"}


def test_the_incident_that_nobody_is_on_any_more_says_so() -> None:
    scene = Scene()
    scene.raised(change(3, scope="p2"))
    (order,) = scene.desk.book.cases.incidents[scene.slope].dispatches
    out = scene.order("split", scene.slope, alarms=[scene.alarm("p2")], dispatches=[order])
    assert "incident undispatched" in edges(out)


def test_splitting_takes_a_merge_back() -> None:
    scene = Scene()
    scene.order("merge", scene.slope, incidents=[scene.river])
    out = scene.order("split", scene.slope, alarms=[scene.alarm("p1")])
    new = next(one for one in out if isinstance(one, IncidentChange) and one.edge == "opened")
    found = scene.desk.book.cases.incidents
    assert (new.area, found[scene.slope].area, found[scene.slope].also) == ("slope-1", "river-1", [])
    assert scene.raised(change(1, rule="r8", scope="p8")) == new.incident
    assert scene.raised(change(1, rule="r8", scope="p3", area="river-1")) == scene.slope


def test_what_cannot_be_one_is_refused_and_leaves_no_trace() -> None:
    scene = Scene()
    played = scene.raised(change(2, rule="r6", scope="p6", simulated=True))
    quality = scene.raised(change(2, rule="r7", scope="p7", kind="data_quality"))
    state = scene.desk.state()
    asked: list[tuple[str, dict[str, object], str]] = [
        ("merge", {"incidents": [scene.slope]}, "incident.itself"),
        ("merge", {"incidents": ["i-none"]}, "incident.elsewhere"),
        ("merge", {"incidents": [played]}, "incident.other_kind"),
        ("merge", {"incidents": [scene.river, quality]}, "incident.other_kind"),
        ("merge", {"incidents": []}, "bad_argument"),
        ("merge", {"incidents": "all"}, "bad_argument"),
        ("merge", {"incidents": [{"id": 1}]}, "bad_argument"),
        ("merge", {"incidents": ["x"] * 201}, "too_many"),
        ("split", {"alarms": [scene.alarm("p1")]}, "incident.none_left"),
        ("split", {"alarms": [scene.alarm("p3")]}, "incident.not_its_alarm"),
        ("split", {"alarms": []}, "bad_argument"),
        ("split", {"alarms": [scene.alarm("p1")], "dispatches": ["d-none"]}, "incident.not_its_dispatch"),
    ]
    for kind, args, why in asked:
        assert edges(scene.order(kind, scene.slope, **args)) == [why], (kind, args)
    for one in scene.desk.book.cases.answered.copy():
        del scene.desk.book.cases.answered[one]
    before = Desk(SITE)
    before.restore(state)
    before.book.cases.answered.clear()
    assert scene.desk.state() == before.state()


def test_the_journal_has_one_case_with_what_had_ended_before(tmp_path: Path) -> None:
    scene = Scene()
    scene.raised(change(1, rule="r3", scope="p3", area="river-1"))
    scene.order("acknowledge", scene.river)
    out = scene.desk.condition(change(0, rule="r3", scope="p3", area="river-1"), 1050.0)  # normal before the merge
    scene.told.append(out)
    scene.order("snapshot", scene.river, camera="k1", sha="0" * 64, time=1000.0)
    scene.order("merge", scene.slope, incidents=[scene.river])
    (order,) = scene.desk.book.cases.incidents[scene.slope].dispatches
    scene.order("close", order, reason="recalled")
    scene.order("close", scene.slope, disposition="nuisance", reason="cleaning")
    journal = Journal(tmp_path / "journal.sqlite")
    records = [Record(0, at, tuple(out)) for at, out in enumerate(scene.told)]
    journal.record(records)
    journal.record(records)  # as after a crash
    one, other = journal.incident(scene.slope), journal.incident(scene.river)
    assert one is not None and other is not None
    assert (len(one["alarm_details"]), len(one["snapshots"])) == (3, 1)
    assert (other["state"], other["history"][-1]["args"]) == ("closed", {"into": scene.slope})
    assert {found.disposition for found in cases(journal.engine)} == {"nuisance"}
    assert len(cases(journal.engine)) == 3, "the verdict is on all its alarms"
    journal.close()


@pytest.mark.parametrize("kind", ["merge", "split"])
def test_a_crash_and_the_same_order_again_change_nothing(kind: str) -> None:
    scene = Scene()
    scene.raised(change(3, scope="p2"))
    args: dict[str, object] = {"incidents": [scene.river]} if kind == "merge" else {"alarms": [scene.alarm("p2")]}
    one = command(kind, scene.slope, "same", **args)
    before = scene.desk.state()
    first = scene.desk.command(one, 1100.0)
    after, again = scene.desk.state(), Desk(SITE)
    again.restore(before)
    assert (again.command(one, 1100.0), again.state()) == (first, after)
    assert scene.desk.command(one, 1101.0) == [] and scene.desk.state() == after
