"""Alarms that ring too often, too briefly or too long, and those that nobody acknowledges."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.desk import Desk
from alerts.flapping import Rings, calm_at, ring
from alerts.outcome import AlarmTransition, AnyOutcome, IncidentChange
from rules.rule import Flapping
from sensors.renames import Renames
from tests.alerts.cases import SITE, Rule, change, command, edges


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def flap(
    desk: Desk, times: int, start: float = 0.0, every: float = 60.0, rank: int = 1, flapping: Flapping | None = None
) -> list[AlarmTransition]:
    """Raise and clear an alarm again and again, acknowledged or not; return its rings."""
    rings = []
    for number in range(times):
        at = start + number * every
        rings += transitions(desk.condition(change(rank, flapping=flapping), at))
        desk.condition(change(0), at + 20.0)
    return rings


def transitions(out: list[AnyOutcome]) -> list[AlarmTransition]:
    return [one for one in out if isinstance(one, AlarmTransition)]


def test_an_alarm_chatters_from_the_fifth_ring_within_ten_minutes_and_the_sixth_is_folded(desk: Desk) -> None:
    marks = [one.marks for one in flap(desk, 7)]
    assert marks == [(), (), (), (), ("chattering",), ("chattering", "folded"), ("chattering", "folded")]
    assert [one.folded for one in flap(desk, 1, start=420.0)] == [3]


def test_an_alarm_that_rings_seldom_does_not_chatter(desk: Desk) -> None:
    assert {one.marks for one in flap(desk, 8, every=151.0)} == {()}


def test_a_rule_says_for_itself_when_its_alarms_chatter(desk: Desk) -> None:
    own = {"flapping": Flapping(rings=3, within="2 min")}
    assert [one.marks for one in flap(desk, 4, every=50.0, **own)] == [
        (),
        (),
        ("chattering",),
        ("chattering", "folded"),
    ]
    assert edges(desk.tick(269.9)) == []
    assert edges(desk.tick(270.0)) == ["settle"], "calm for its two minutes, not for ten"
    assert [one.marks for one in flap(desk, 4, start=1000.0, every=61.0, **own)] == [(), (), (), ()]
    assert [one.marks for one in flap(desk, 3, start=9000.0, **own)][-1] == ()


def test_a_changed_rule_counts_as_it_now_says_under_an_alarm(desk: Desk) -> None:
    flap(desk, 3, flapping=Flapping(rings=9, within="10 min"))
    desk.publish(SITE, [Rule("r1", flapping=Flapping(rings=4, within="10 min"))])
    (fourth,) = flap(desk, 1, start=180.0, flapping=Flapping(rings=4, within="10 min"))
    assert fourth.marks == ("chattering",)


def test_alarms_that_were_acknowledged_in_between_chatter_together(desk: Desk) -> None:
    for number in range(6):
        (ringing,) = transitions(desk.condition(change(1), number * 60.0))
        desk.command(command("acknowledge", ringing.alarm, f"c{number}"), number * 60.0 + 5)
        desk.condition(change(0), number * 60.0 + 20)
    assert ringing.edge == "alarm"
    assert ringing.marks == ("chattering", "folded")


def test_a_higher_level_is_never_folded(desk: Desk) -> None:
    flap(desk, 6)
    assert [one.marks for one in flap(desk, 2, start=400.0, rank=2)] == [("chattering",), ("chattering", "folded")]


def test_somebody_is_sent_for_a_chattering_alarm_when_nobody_is_on_it(desk: Desk) -> None:
    flap(desk, 6, rank=3)
    (dispatch,) = desk.book.cases.dispatches
    desk.command(command("close", dispatch, "1", reason="nothing there"), 350.0)
    out = desk.condition(change(3), 360.0)
    assert "folded" in transitions(out)[0].marks
    assert "dispatch issued" in edges(out)


def test_silence_ends_the_chattering_and_is_said(desk: Desk) -> None:
    last = flap(desk, 7)[-1]
    assert [one for one in transitions(desk.tick(last.time + 599.0)) if one.edge == "settle"] == []
    (settled,) = transitions(desk.tick(last.time + 600.0))
    assert (settled.edge, settled.before, settled.after, settled.marks, settled.folded) == (
        "settle", "RTNUN", "RTNUN", (), 2,
    )  # fmt: skip
    assert desk.book.cases.rings == {}
    assert flap(desk, 1, start=last.time + 700.0)[0].marks == ()


def test_chattering_survives_a_restart(desk: Desk) -> None:
    flap(desk, 5)
    other = Desk(SITE)
    other.restore(desk.state())
    assert flap(other, 1, start=300.0)[0].marks == ("chattering", "folded")


def test_chattering_goes_on_under_a_new_name(desk: Desk) -> None:
    flap(desk, 5)
    desk.rename(Renames(points={"p1": "q1"}), {})
    renamed = [transitions(desk.condition(change(1, scope="q1"), at)) for at in (300.0, 310.0)]
    assert renamed[0][0].marks == ("chattering", "folded")


def test_an_alarm_that_returns_before_anybody_can_act_is_fleeting(desk: Desk) -> None:
    desk.condition(change(1), 0.0)
    assert transitions(desk.condition(change(0), 9.0))[0].marks == ("fleeting",)
    desk.condition(change(1), 100.0)
    assert transitions(desk.condition(change(0), 110.0))[0].marks == ()


@pytest.mark.parametrize("acknowledged", [False, True])
def test_an_alarm_that_is_active_for_a_day_is_stale_and_that_is_said_once(desk: Desk, acknowledged: bool) -> None:
    (raised,) = transitions(desk.condition(change(1), 1.0))
    if acknowledged:
        desk.command(command("acknowledge", raised.alarm, "1"), 2.0)
    assert transitions(desk.tick(86400.0)) == []
    (stale,) = transitions(desk.tick(86401.0))
    assert (stale.edge, stale.before, stale.marks) == ("stale", "ACKED" if acknowledged else "UNACK", ("stale",))
    assert transitions(desk.tick(3 * 86400.0)) == []


class TestReminders:
    def said(self, desk: Desk, *times: float) -> list[float]:
        return [
            one.time
            for time in times
            for one in desk.tick(time)
            if isinstance(one, IncidentChange) and one.edge == "reminded"
        ]

    def test_what_nobody_acknowledges_is_said_again_at_growing_intervals(self, desk: Desk) -> None:
        desk.condition(change(2), 0.0)
        minutes = [float(minute * 60) for minute in range(240)]
        assert [time / 60 for time in self.said(desk, *minutes)] == [5, 15, 35, 75, 135, 195]

    def test_the_world_is_told_in_an_event(self, desk: Desk) -> None:
        desk.condition(change(2), 0.0)
        (told,) = [one for one in desk.tick(300.0) if isinstance(one, IncidentChange)]
        assert told.event is not None
        assert told.event["type"].endswith("incident.reminded")
        assert told.event["data"]["reminders"] == told.args["reminders"] == 1

    @pytest.mark.parametrize("kind", ["acknowledge", "comment", "shelve"])
    def test_any_act_of_a_person_stops_it(self, desk: Desk, kind: str) -> None:
        (raised,) = transitions(desk.condition(change(2), 0.0))
        args: dict[str, Any] = {"text": "seen", "reason": "seen", "seconds": 28800.0}
        desk.command(command(kind, raised.alarm, "1", **args), 10.0)
        assert self.said(desk, 300.0, 4000.0, 9000.0) == []

    def test_a_new_demand_begins_it_anew(self, desk: Desk) -> None:
        (raised,) = transitions(desk.condition(change(1), 0.0))
        desk.command(command("acknowledge", raised.alarm, "1"), 10.0)
        desk.condition(change(2), 1000.0)
        assert self.said(desk, 1299.0, 1300.0) == [1300.0]

    def test_what_is_calm_or_no_risk_is_not_said_again(self, desk: Desk) -> None:
        desk.condition(change(2), 0.0)
        desk.condition(change(0), 100.0)
        desk.condition(change(2, rule="gap", kind="data_quality"), 100.0)
        assert self.said(desk, 300.0, 4000.0) == []


def test_rings_are_forgotten_after_the_window() -> None:
    rings = Rings()
    for clock in (0.0, 10.0, 700.0):
        assert not ring(rings, 1, clock, 3, 600.0)
    assert (rings.times, calm_at(rings)) == ([700.0], 1300.0)
