"""A handover is signed once, by somebody of the turn that comes on duty, with the sheet as it stood."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.handover import MOST, sheet
from alerts.journal import Journal
from alerts.outcome import HandoverSigned, IncidentChange, Record
from sensors.observation import Command, Exercise
from tests.alerts.cases import change, command, edges
from tests.alerts.test_duty import at, site

NOW = at("2026-11-27 17:20")  # the night begins at 17:30
TURN = "2026-11-27T17:30"


def order(actor: str = "user:an", **args: Any) -> Command:
    args = {"turn": TURN, "sheet": {"open": []}, **args}
    return Command(
        id=f"{actor}{sorted(args)}", kind="sign_handover", target="h", area="@system", actor=actor, time=NOW, args=args
    )


def test_it_is_signed_once_and_the_second_is_told() -> None:
    desk = Desk(site())
    out = desk.command(order(comment="all quiet"), NOW)
    (signed,) = [one for one in out if isinstance(one, HandoverSigned)]
    assert (signed.id, signed.shift, signed.actor, signed.reason) == (
        f"handover-{TURN}",
        "night",
        "user:an",
        "all quiet",
    )
    assert (signed.people, signed.sheet) == ({"lead": "an"}, {"open": []})
    again = desk.command(order("user:an@terminal"), NOW + 1)
    assert [one.reason for one in again] == ["handover.signed"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("actor", "args", "when", "wanted"),
    [
        ("user:li", {}, NOW, "handover.not_on_duty"),  # of the outgoing turn
        ("unit:an", {}, NOW, "handover.not_on_duty"),
        ("token:an#1", {}, NOW, "handover.not_on_duty"),  # no person
        ("user:an", {"turn": "2026-11-27T08:30"}, NOW, "handover.other_turn"),
        ("user:an", {"turn": 7}, NOW, "handover.other_turn"),
        ("user:an", {}, at("2026-11-27 17:00"), "handover.other_turn"),  # too early
        ("user:an", {"sheet": "x"}, NOW, "bad_argument"),
        ("user:an", {"sheet": {"x": "y" * 500_000}}, NOW, "handover.too_large"),
        ("user:an", {"comment": "x" * 5000}, NOW, "too_long"),
    ],
)
def test_what_is_not_to_be_signed_is_refused_and_leaves_no_trace(
    actor: str, args: dict[str, Any], when: float, wanted: str
) -> None:
    desk = Desk(site())
    out = desk.command(order(actor, **args), when)
    assert [one.reason for one in out] == [wanted]  # type: ignore[union-attr]
    assert desk.book.cases.signed == {}


def test_without_a_roster_nobody_signs() -> None:
    out = Desk(site(shifts=())).command(order(), NOW)
    assert [one.reason for one in out] == ["handover.nobody"]  # type: ignore[union-attr]


def test_a_restored_desk_remembers_the_signature() -> None:
    desk = Desk(site())
    desk.command(order(), NOW)
    other = Desk(site())
    other.restore(desk.state())
    assert [one.reason for one in other.command(order("user:an", more=1), NOW)] == ["handover.signed"]  # type: ignore[union-attr]


def test_the_sheet_says_what_is_left_and_leaves_a_drill_out(tmp_path: Path) -> None:
    desk = Desk(site())
    outs = [
        desk.condition(change(3), 1000.0),
        desk.condition(change(2, rule="r2", scope="p2", area="river-1"), 1001.0),
        desk.condition(change(2, rule="gone", scope="p3", area="river-1", kind="data_quality"), 1002.0),
    ]
    incident = desk.book.cases.current["slope-1\0risk\x000"]
    alarm = next(one.id for one in desk.book.cases.alarms.values() if one.rule == "r2")
    outs += [
        desk.command(command("comment", incident, "c1", text="two cracks"), 1003.0),
        desk.command(command("shelve", alarm, "c2", seconds=3600, reason="cleaning"), 1004.0),
        desk.tick(1400.0),  # nobody accepted
    ]
    assert "dispatch overdue" in edges(outs[-1])
    outs += [
        desk.exercise(Exercise(id="e1", edge="begin", actor="user:an", time=0.0, areas=("slope-1",)), 1410.0),
        desk.condition(change(2, rule="played", scope="p1", simulated=True), 1411.0),
        desk.condition(change(2, rule="mute", scope="p1", kind="data_quality", simulated=True), 1412.0),
    ]
    assert len(desk.book.cases.alarms) == 5
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record([Record(0, offset, tuple(out)) for offset, out in enumerate(outs)])
    made = sheet(journal, 1500.0, 900.0)
    assert made["open"]["items"][0]["id"] == incident and len(made["open"]["items"]) == 2
    assert [one["reason"] for one in made["shelved"]["items"]] == ["cleaning"]
    assert [one["scope"] for one in made["degraded"]["items"]] == ["p3"]
    assert made["outside"]["items"] == []
    assert [(one["text"], one["actor"]) for one in made["comments"]["items"]] == [("two cracks", "user:an")]
    assert made["load"]["rings"] == 2
    closed = desk.condition(change(2, rule="r4", scope="p4", area="river-2"), 1412.0)
    over = next(one.incident for one in closed if isinstance(one, IncidentChange))
    closed += desk.command(command("close", over, "c3", disposition="nuisance", reason="spray"), 1413.0)
    journal.record([Record(0, len(outs), tuple(closed))])
    assert [(one["scope"], one["state"]) for one in sheet(journal, 1500.0, 900.0)["outside"]["items"]] == [
        ("p4", "ACKED")
    ]
    later = sheet(journal, 1500.0, 1450.0)
    assert later["comments"]["items"] == [] and len(later["open"]["items"]) == len(made["open"]["items"])
    journal.close()


def test_a_long_list_is_cut_and_says_so(tmp_path: Path) -> None:
    desk = Desk(site())
    journal = Journal(tmp_path / "journal.sqlite")
    for n in range(MOST + 5):
        out = desk.condition(change(1, rule=f"r{n}", scope=f"p{n}", area=f"x{n}"), 1000.0)
        journal.record([Record(0, n, tuple(out))])
    made = sheet(journal, 1500.0, 900.0)["open"]
    assert (len(made["items"]), made["more"]) == (MOST, 5)
    journal.close()
