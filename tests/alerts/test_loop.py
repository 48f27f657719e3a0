"""A dispatch that comes back: fed back, visited again, handed over, and worked by several units together."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from alerts.desk import Desk
from alerts.outcome import AnyOutcome, DispatchChange, IncidentChange
from tests.alerts.cases import SITE, change, command, edges

DAY = 86400.0


class Scene:
    """A red alarm on a slope, with the unit that the desk sent."""

    def __init__(self, *needs: str) -> None:
        kinds = tuple(msgspec.structs.replace(kind, close_needs=needs) for kind in SITE.area_types)
        self.desk = Desk(msgspec.structs.replace(SITE, area_types=kinds))
        self.clock, self.count = 0.0, 0
        out = self.desk.condition(change(4), 0.0)
        self.order = next(one for one in out if isinstance(one, DispatchChange)).dispatch
        self.incident = next(one for one in out if isinstance(one, IncidentChange)).incident

    def do(self, kind: str, target: str = "", actor: str = "user:an", **args: Any) -> list[AnyOutcome]:
        self.count += 1
        self.clock += 1.0
        one = command(kind, target or self.order, f"c{self.count}", actor, **args)
        return self.desk.command(one, self.clock)

    def resolve(self, order: str = "") -> None:
        for kind in ("accept", "on_scene", "resolve"):
            assert edges(self.do(kind, order))[-1] == "ok"

    @property
    def leads(self) -> dict[str, str]:
        return {one.unit: one.lead for one in self.desk.book.cases.dispatches.values()}


def test_the_loop_goes_from_the_scene_over_feedback_to_the_visit_and_ends_with_what_it_found() -> None:
    scene = Scene("feed_back", "follow_up")
    scene.resolve()
    assert edges(scene.do("close")) == ["dispatch.feed_back_needed"]
    assert edges(scene.do("feed_back")) == ["reason_needed"]
    out = scene.do("feed_back", actor="unit:u-c1", reason="told the family at the foot of the slope")
    assert edges(out) == ["dispatch fed_back", "ok"]
    assert edges(scene.do("close", reason="done")) == ["dispatch.follow_up_needed"]
    out = scene.do("follow_up", seconds=7 * DAY)
    assert edges(out) == ["dispatch follow_up", "incident undispatched", "ok"]
    assert out[0].deadline == scene.clock + 7 * DAY  # type: ignore[union-attr]
    assert out[1].event is None, "nobody needs to hear that nobody is on it"  # type: ignore[union-attr]
    assert edges(scene.do("close")) == ["reason_needed"]
    assert edges(scene.do("close", reason="the ditch is clear")) == ["dispatch closed", "ok"]
    assert edges(scene.do("close", reason="again")) == ["dispatch.closed"]


def test_a_visit_to_come_keeps_no_incident_open_and_is_told_when_it_is_due() -> None:
    scene = Scene()
    scene.resolve()
    assert edges(scene.do("follow_up", seconds=2 * DAY, reason="look at the crack"))[-1] == "ok"
    assert edges(scene.do("refer", to="u-talk", reason="theirs")) == ["dispatch.visit_only"]
    scene.desk.condition(change(0), scene.clock)
    scene.do("acknowledge", scene.incident)
    assert edges(scene.do("close", scene.incident, disposition="real"))[-1:] == ["ok"]
    assert edges(scene.desk.tick(scene.clock + DAY)) == []
    saved = scene.desk.state()
    scene.desk = Desk(SITE)
    scene.desk.restore(saved)
    [late] = scene.desk.tick(scene.clock + 2 * DAY)
    assert isinstance(late, DispatchChange) and (late.edge, late.leg, late.unit) == ("overdue", "follow_up", "u-c1")
    scene.clock += 2 * DAY
    assert edges(scene.do("follow_up", seconds=DAY)) == ["reason_needed"]
    assert edges(scene.do("follow_up", seconds=DAY, reason="rain")) == ["dispatch follow_up", "ok"]
    assert edges(scene.do("close", reason="it has not grown")) == ["dispatch closed", "ok"]


def test_a_danger_that_comes_back_sends_again_though_a_unit_has_yet_to_report_or_to_visit() -> None:
    scene = Scene()
    scene.resolve()
    scene.desk.condition(change(0), scene.clock)
    assert "dispatch issued" in edges(scene.desk.condition(change(4), scene.clock + 1)), "nobody is on it"
    other = scene.leads
    assert set(other.values()) == {""}


def test_an_order_that_ends_over_a_danger_is_told_and_over_a_calm_one_is_not() -> None:
    for rank in (4, 0):
        scene = Scene()
        scene.resolve()
        scene.desk.condition(change(rank), scene.clock)
        ended = [one for one in scene.do("close") if isinstance(one, IncidentChange)]
        assert [(one.edge, one.event is not None) for one in ended] == [("undispatched", rank > 0)]


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), 367 * DAY, "a week", True])
def test_a_visit_at_no_time_is_refused(seconds: Any) -> None:
    scene = Scene()
    scene.resolve()
    assert edges(scene.do("follow_up", seconds=seconds)) == ["bad_argument"]
    assert scene.desk.book.cases.dispatches[scene.order].leg == "resolved"


def test_a_case_is_handed_over_in_one_action_and_its_trail_goes_on() -> None:
    scene = Scene()
    scene.do("accept")
    assert edges(scene.do("refer", to="u-talk")) == ["reason_needed"]
    assert edges(scene.do("refer", to="u-none", reason="theirs")) == ["unknown_unit"]
    assert edges(scene.do("refer", to="u-c1", reason="theirs")) == ["dispatch.already_sent"]
    assert edges(scene.do("refer", actor="unit:u-s1", to="u-talk", reason="theirs")) == ["dispatch.other_unit"]
    out = scene.do("refer", actor="unit:u-c1", to="u-talk", reason="neighbours at odds over the wall")
    assert edges(out) == ["dispatch referred", "ok"]
    told = out[0]
    assert isinstance(told, DispatchChange) and told.event is not None
    assert (told.dispatch, told.unit, told.previous, told.leg) == (scene.order, "u-talk", "u-c1", "issued")
    assert (told.actor, told.reason) == ("unit:u-c1", "neighbours at odds over the wall")
    assert told.event["data"]["copies"] == ["u-c1"], "who had it is told"
    assert told.deadline == scene.clock + 180.0
    assert edges(scene.do("accept", actor="unit:u-c1")) == ["dispatch.other_unit"]
    assert edges(scene.do("accept", actor="unit:u-talk")) == ["dispatch accepted", "ok"]


def test_who_is_on_scene_whistles_and_leads_those_who_come() -> None:
    scene = Scene()
    scene.do("accept")
    assert scene.leads == {"u-c1": ""}, "alone"
    out = scene.do("call", actor="unit:u-c1", units=["u-s1", "u-s1-near"], note="close the road")
    assert edges(out) == ["incident dispatched", "dispatch issued"] * 2 + ["dispatch lead", "ok"]
    assert scene.leads == dict.fromkeys(("u-c1", "u-s1", "u-s1-near"), "u-c1")
    data = out[1].event["data"]  # type: ignore[index, union-attr]
    assert (data["lead"], data["note"], data["unit"]["id"]) == ("u-c1", "close the road", "u-s1")
    assert edges(scene.do("call", units=["u-s1"])) == ["dispatch.already_sent"]
    assert edges(scene.do("call", units=[])) == ["unknown_unit"]
    assert edges(scene.do("call", units=["u-none"])) == ["unknown_unit"]
    scene.do("on_scene")
    out = scene.do("resolve")
    assert edges(out) == ["dispatch resolved", "dispatch lead", "dispatch lead", "ok"]
    assert {scene.leads["u-s1"], scene.leads["u-s1-near"]} == {"u-s1"}, "the first of those still on it leads"
    assert edges(scene.do("call", units=["u-d"])) == ["dispatch.already_done"]


def test_the_desk_sends_several_at_once_under_a_lead_it_names() -> None:
    scene = Scene()
    refused = scene.do("dispatch", scene.incident, units=["u-s1", "u-d"], lead="u-s1-near")
    assert edges(refused) == ["dispatch.lead_not_sent"]
    out = scene.do("dispatch", scene.incident, units=["u-s1", "u-d"], lead="u-d")
    assert edges(out)[-2:] == ["dispatch lead", "ok"]
    assert set(scene.leads.values()) == {"u-d"}
    led = next(one.id for one in scene.desk.book.cases.dispatches.values() if one.unit == "u-d")
    out = scene.do("refuse", led, reason="on another fire")
    assert edges(out)[:2] == ["dispatch refused", "dispatch reassigned"]
    units = set(scene.leads)
    assert len(set(scene.leads.values())) == 1 and set(scene.leads.values()) <= units, "the lead goes with the order"
    many = [f"u-{number}" for number in range(17)]
    assert edges(scene.do("dispatch", scene.incident, units=many)) == ["too_many"]
    assert edges(scene.do("dispatch", scene.incident, units=["u-s1"], unit="u-s1")) == ["bad_argument"]
