"""The plan of an incident: which one it keeps to, its checklist, and who ticks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AnyOutcome, DispatchChange, IncidentChange, Record
from alerts.plans import Plans, checklist, filled
from sensors.plan_checks import versioned
from sensors.site import Plan, PlanStep, Site
from tests.alerts.cases import SITE, change, command, edges, name


def plan(id: str, level: str = "yellow", *steps: str, **where: Any) -> Plan:
    named = tuple(PlanStep(id=step, text=name(step)) for step in steps or ("look", "go"))
    return versioned(Plan(id=id, name=name(id), level=level, steps=named, **where))


def site(*plans: Plan) -> Site:
    return msgspec.structs.replace(SITE, plans=plans)


def incident_of(out: list[AnyOutcome]) -> str:
    return next(one.incident for one in out if isinstance(one, IncidentChange))


@pytest.mark.parametrize(
    ("area", "rank", "wanted"),
    [
        ("slope-1", 1, None),  # below the level of any
        ("slope-1", 2, "own"),
        ("slope-1", 4, "own-red"),
        ("nowhere", 2, "typed"),
        ("nowhere", 4, "typed"),
        ("river-1", 4, None),
    ],
)
def test_an_areas_own_plan_goes_before_that_of_its_type_and_the_highest_level_reached_decides(
    area: str, rank: int, wanted: str | None
) -> None:
    plans = Plans(
        site(
            plan("typed", types=("slope",)),
            plan("own", areas=("slope-1",)),
            plan("own-red", "red", areas=("slope-1",)),
        )
    )
    found = plans.of(area, rank)
    assert (found.id if found is not None else None) == wanted


def test_an_incident_keeps_to_a_plan_before_anyone_is_sent_and_the_order_names_it() -> None:
    desk = Desk(site(plan("slope", types=("slope",))))
    out = desk.condition(change(3), 1000.0)
    words = edges(out)
    assert words.index("incident planned") < words.index("dispatch issued")
    planned = next(one for one in out if isinstance(one, IncidentChange) and one.edge == "planned")
    assert planned.args["content"]["steps"][0]["id"] == "look"
    order = next(one for one in out if isinstance(one, DispatchChange))
    assert order.event is not None
    assert order.event["data"]["plan"]["id"] == "slope"


def test_without_a_plan_nothing_is_recorded_and_a_tick_is_refused() -> None:
    desk = Desk(SITE)
    out = desk.condition(change(2), 1000.0)
    assert edges(out) == ["alarm", "incident opened"]
    assert edges(desk.command(command("tick", incident_of(out), "c1", step="look"), 1001.0)) == ["plan.none"]


def test_a_publication_changes_the_plan_of_new_incidents_only() -> None:
    first, second = plan("slope", "yellow", "look", types=("slope",)), plan("slope", "yellow", "new", types=("slope",))
    desk = Desk(site(first))
    incident = incident_of(desk.condition(change(2), 1000.0))
    desk.publish(site(second))
    assert edges(desk.command(command("tick", incident, "c1", step="new"), 1001.0)) == ["plan.unknown_step"]
    assert edges(desk.command(command("tick", incident, "c2", step="look"), 1002.0)) == ["incident ticked", "ok"]
    desk.condition(change(0), 1003.0)
    desk.command(command("close", incident, "c3", disposition="test"), 1004.0)
    assert not desk.book.cases.plans  # nobody keeps to it any more
    again = incident_of(desk.condition(change(2, time=2000.0), 2000.0))
    assert edges(desk.command(command("tick", again, "c4", step="new"), 2001.0)) == ["incident ticked", "ok"]


def test_a_higher_level_brings_its_own_plan_and_the_ticks_of_the_other_end() -> None:
    desk = Desk(site(plan("slope", types=("slope",)), plan("slide", "red", "leave", types=("slope",))))
    incident = incident_of(desk.condition(change(2), 1000.0))
    desk.command(command("tick", incident, "c1", step="look"), 1001.0)
    out = desk.condition(change(4), 1002.0)
    assert "incident planned" in edges(out)
    assert edges(desk.command(command("tick", incident, "c2", step="look"), 1003.0)) == ["plan.unknown_step"]
    assert edges(desk.command(command("tick", incident, "c3", step="leave"), 1003.0)) == ["incident ticked", "ok"]


@pytest.mark.parametrize(
    ("kind", "args", "wanted"),
    [
        ("tick", {"step": "look"}, "plan.already_ticked"),
        ("tick", {"step": "fly"}, "plan.unknown_step"),
        ("tick", {"step": 7}, "plan.unknown_step"),
        ("tick", {}, "plan.unknown_step"),
        ("tick", {"step": "go", "note": "x" * 5000}, "too_long"),
        ("untick", {"step": "go", "reason": "x"}, "plan.not_ticked"),
        ("untick", {"step": "look"}, "reason_needed"),
    ],
)
def test_a_step_is_ticked_once_and_taken_back_with_a_reason(kind: str, args: dict[str, Any], wanted: str) -> None:
    desk = Desk(site(plan("slope", types=("slope",))))
    incident = incident_of(desk.condition(change(2), 1000.0))
    desk.command(command("tick", incident, "c1", step="look"), 1001.0)
    before = desk.state()
    assert edges(desk.command(command(kind, incident, "c2", **args), 1002.0)) == [wanted]
    desk.book.cases.answered.pop("c2")
    assert desk.state() == before


def test_a_unit_ticks_from_its_own_dispatch_only() -> None:
    desk = Desk(site(plan("slope", types=("slope",))))
    out = desk.condition(change(3), 1000.0)
    order = next(one for one in out if isinstance(one, DispatchChange))
    other = command("tick", order.dispatch, "c1", "unit:u-d", step="go")
    assert edges(desk.command(other, 1001.0)) == ["dispatch.other_unit"]
    mine = desk.command(command("tick", order.dispatch, "c2", f"unit:{order.unit}", step="go", note="done"), 1002.0)
    ticked = next(one for one in mine if isinstance(one, IncidentChange))
    assert (ticked.edge, ticked.actor, ticked.reason, ticked.args["step"]) == (
        "ticked", f"unit:{order.unit}", "done", "go",
    )  # fmt: skip


def test_a_desk_that_is_restored_goes_on_as_the_one_that_never_stopped() -> None:
    desk = Desk(site(plan("slope", types=("slope",))))
    incident = incident_of(desk.condition(change(2), 1000.0))
    desk.command(command("tick", incident, "c1", step="look"), 1001.0)
    other = Desk(site())
    other.restore(desk.state())
    step = command("tick", incident, "c2", step="go")
    assert other.command(step, 1002.0) == desk.command(step, 1002.0)
    assert other.state() == desk.state()


def test_the_journal_keeps_the_plan_whole_and_who_ticked_what(tmp_path: Path) -> None:
    desk = Desk(site(plan("slope", types=("slope",))))
    outs = [desk.condition(change(3), 1000.0)]
    incident = incident_of(outs[0])
    outs += [
        desk.command(command("tick", incident, "c1", "user:an", step="look", note="two cracks"), 1001.0),
        desk.command(command("tick", incident, "c2", "user:an", step="go"), 1002.0),
        desk.command(command("untick", incident, "c3", "user:bo", step="go", reason="another slope"), 1003.0),
    ]
    records = [Record(0, offset, tuple(out)) for offset, out in enumerate(outs)]
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record(records)
    journal.record(records)  # a repeat changes nothing
    found = journal.incident(incident)
    assert found is not None
    assert found["plan"]["name"] == {"zh": "slope区", "en": "slope"}
    assert found["plan"]["ticks"] == {"look": {"by": "user:an", "time": 1001.0, "note": "two cracks"}}
    assert journal.plan_of(incident) == found["plan"]
    assert journal.incidents().items[0]["plan"].startswith("slope@")
    journal.close()


def test_a_checklist_says_who_what_and_whether_it_is_due() -> None:
    steps = (
        PlanStep(id="look", text=name("look"), role="duty"),
        PlanStep(id="leave", text=name("leave"), level="red"),
    )
    whole = msgspec.to_builtins(Plan(id="p", name=name("p"), roles={"duty": name("desk")}, steps=steps))
    found = checklist(whole, {"look": {"by": "user:an", "time": 1.0, "note": ""}}, "orange")
    assert [(step["id"], step["due"], bool(step["ticked"])) for step in found] == [
        ("look", True, True),
        ("leave", False, False),
    ]
    assert found[0]["role"] == {"zh": "desk区", "en": "desk"}


def test_a_message_is_filled_in_in_both_languages_and_names_are_not_filled_in_twice() -> None:
    text = {"zh": "{area}{level}{place}", "en": "{area} is {level} in {place}"}
    area, place = {"zh": "坡", "en": "{place}"}, {"zh": "街", "en": "here"}
    found = filled(text, area=area, level="red", place=place)
    assert found["zh"] == "坡红色街"
    assert found["en"] == "{place} is red in here"


def test_steps_that_were_done_on_an_incident_are_done_on_the_one_that_it_is_merged_into(tmp_path: Path) -> None:
    shared = plan("both", "yellow", "look", "go", areas=("slope-1", "river-1"))
    desk = Desk(site(shared, plan("other", areas=("nowhere",))))
    told = [desk.condition(change(3), 1000.0), desk.condition(change(2, scope="p3", area="river-1"), 1000.0)]
    slope, river = (incident_of(out) for out in told)
    told.append(desk.command(command("tick", river, "c1", step="look", note="dry"), 1001.0))
    told.append(desk.command(command("tick", slope, "c2", step="go"), 1002.0))
    told.append(desk.command(command("merge", slope, "c3", incidents=[river]), 1003.0))
    assert edges(told[-1])[-2:] == ["incident ticked", "ok"]
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, at, tuple(out)) for at, out in enumerate(told)])
    found = journal.plan_of(slope)
    journal.close()
    assert found is not None
    assert {step: (one["time"], one["note"]) for step, one in found["ticks"].items()} == {
        "look": (1001.0, "dry"), "go": (1002.0, ""),
    }  # fmt: skip
    assert edges(desk.command(command("tick", slope, "c4", step="look"), 1004.0)) != ["ok"]
