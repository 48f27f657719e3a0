"""Alarms that are set aside: for how long, what that hides, and what it may never hide."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from alerts.desk import Desk
from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange
from tests.alerts.cases import SITE, change, command, edges

HOUR = 3600.0
WAYS = [("shelve", "SHLVD", "unshelve"), ("suppress", "DSUPR", "unsuppress"), ("out_of_service", "OOSRV", "in_service")]


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def raised(desk: Desk, rank: int = 2, **other: Any) -> AlarmTransition:
    return next(one for one in desk.condition(change(rank, **other), 0.0) if isinstance(one, AlarmTransition))


def aside(
    desk: Desk, alarm: str, way: str = "shelve", id: str = "1", clock: float = 10.0, **args: Any
) -> list[AnyOutcome]:
    return desk.command(command(way, alarm, id, **{"seconds": HOUR, "reason": "gauge is cleaned", **args}), clock)


def transition(out: list[AnyOutcome], at: int = 0) -> AlarmTransition:
    return [one for one in out if isinstance(one, AlarmTransition)][at]


@pytest.mark.parametrize(("way", "state", "back"), WAYS)
class TestEveryWay:
    def test_who_why_and_until_when_are_recorded(self, desk: Desk, way: str, state: str, back: str) -> None:
        alarm = raised(desk)
        out = aside(desk, alarm.alarm, way)
        step = transition(out)
        assert (step.edge, step.before, step.after, step.actor) == (way, "UNACK", state, "user:an")
        assert step.aside is not None
        assert msgspec.structs.asdict(step.aside) == {
            "by": "user:an",
            "reason": "gauge is cleaned",
            "since": 10.0,
            "until": 10.0 + HOUR,
            "level": "yellow",
            "hidden": 0,
            "mode": "",
            "gateway": "",
        }

    def test_what_would_have_rung_is_recorded_and_counted(self, desk: Desk, way: str, state: str, back: str) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, way)
        assert desk.condition(change(0), 20.0) == []
        hidden = transition(desk.condition(change(2), 30.0))
        assert (hidden.edge, hidden.before, hidden.after) == ("hide", state, state)
        assert hidden.explanation is not None and hidden.explanation.clause == "eta('limit') < 3600"
        assert hidden.aside is not None and hidden.aside.hidden == 1
        assert desk.condition(change(2), 40.0) == [], "it went on, it did not ring anew"

    @pytest.mark.parametrize(("rank", "after"), [(0, "NORM"), (1, "UNACK")])
    def test_it_comes_back_by_command_as_the_process_is(
        self, desk: Desk, way: str, state: str, back: str, rank: int, after: str
    ) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, way)
        desk.condition(change(rank), 20.0)
        step = transition(desk.command(command(back, alarm.alarm, "2", actor="user:bo"), 30.0))
        assert (step.edge, step.before, step.after, step.actor) == (back, state, after, "user:bo")
        assert step.level == ("blue" if rank else "yellow")

    @pytest.mark.parametrize("rank", [0, 2])
    def test_it_is_said_before_it_ends_and_then_it_ends(
        self, desk: Desk, way: str, state: str, back: str, rank: int
    ) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, way)
        desk.condition(change(rank), 20.0)
        assert "warn" not in edges(desk.tick(10.0 + HOUR - 601))
        warned = transition(desk.tick(10.0 + HOUR - 600))
        assert (warned.edge, warned.after, warned.actor, warned.reason) == ("warn", state, "engine", "alarm.aside_ends")
        assert desk.tick(10.0 + HOUR - 1) == []
        ended = transition(desk.tick(10.0 + HOUR))
        assert (ended.edge, ended.after, ended.reason) == (back, "UNACK" if rank else "NORM", "alarm.aside_over")

    @pytest.mark.parametrize(
        ("args", "refusal"),
        [
            ({"reason": ""}, "reason_needed"),
            ({"reason": " "}, "reason_needed"),
            ({"reason": 5}, "bad_argument"),
            ({"reason": "x" * 4001}, "too_long"),
            ({"seconds": None}, "bad_argument"),
            ({"seconds": 0}, "bad_argument"),
            ({"seconds": -5.0}, "bad_argument"),
            ({"seconds": float("inf")}, "bad_argument"),
            ({"seconds": float("nan")}, "bad_argument"),
            ({"seconds": True}, "bad_argument"),
            ({"seconds": "1 h"}, "bad_argument"),
            ({"seconds": 31 * 86400.0}, "alarm.aside_too_long"),
            ({"sequence": 9}, "stale"),
        ],
    )
    def test_what_is_asked_wrongly_is_refused_and_changes_nothing(
        self, desk: Desk, way: str, state: str, back: str, args: dict[str, Any], refusal: str
    ) -> None:
        alarm = raised(desk)
        assert edges(aside(desk, alarm.alarm, way, **args)) == [refusal]
        assert desk.book.cases.alarms[alarm.alarm].state == "UNACK"

    def test_of_two_operators_at_once_one_wins_and_the_other_is_told(
        self, desk: Desk, way: str, state: str, back: str
    ) -> None:
        alarm = raised(desk)
        assert edges(aside(desk, alarm.alarm, way, "1", sequence=1))[-1] == "ok"
        assert edges(aside(desk, alarm.alarm, way, "2", sequence=1)) == ["stale"]
        told = {"shelve": "alarm.already_shelved", "suppress": "alarm.suppressed"}.get(way, "alarm.out_of_service")
        assert edges(aside(desk, alarm.alarm, way, "3")) == [told]

    def test_it_survives_a_restart_and_a_publication(self, desk: Desk, way: str, state: str, back: str) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, way)
        other = Desk(SITE)
        other.restore(desk.state())
        other.publish(SITE)
        out = other.tick(10.0 + HOUR)
        assert out == desk.tick(10.0 + HOUR)
        assert transition(out).edge == back

    def test_as_much_time_is_left_after_the_clock_was_set_back(
        self, desk: Desk, way: str, state: str, back: str
    ) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, way, clock=10_010.0)
        desk.step(-10_000.0)
        desk.tick(3600.0)
        assert desk.book.cases.alarms[alarm.alarm].state == state
        assert transition(desk.tick(10.0 + HOUR)).edge == back


class TestShelf:
    def test_the_site_says_for_how_long_at_most(self) -> None:
        desk = Desk(msgspec.structs.replace(SITE, shelve_longest=1800.0))
        alarm = raised(desk)
        assert edges(aside(desk, alarm.alarm, seconds=1801)) == ["alarm.aside_too_long"]
        assert edges(aside(desk, alarm.alarm, id="2", seconds=1800))[-1] == "ok"

    def test_a_short_one_is_warned_of_in_its_second_half(self, desk: Desk) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm, seconds=100)
        assert desk.tick(59.0) == []
        assert edges(desk.tick(60.0)) == ["warn"]

    def test_it_never_hides_what_is_worse(self, desk: Desk) -> None:
        alarm = raised(desk, 2)
        aside(desk, alarm.alarm)
        out = desk.condition(change(3), 20.0)
        assert edges(out)[:2] == ["unshelve", "incident level"]
        step = transition(out)
        assert (step.after, step.level, step.reason) == ("UNACK", "orange", "alarm.worsened")
        assert [one.edge for one in out if isinstance(one, DispatchChange)] == ["issued"]

    def test_a_returned_alarm_that_comes_back_worse_rings_too(self, desk: Desk) -> None:
        alarm = raised(desk, 2)
        aside(desk, alarm.alarm)
        desk.condition(change(0), 15.0)
        assert transition(desk.condition(change(4), 20.0)).edge == "unshelve"

    def test_nobody_is_sent_for_it_until_it_is_back(self, desk: Desk) -> None:
        issued = next(one for one in desk.condition(change(3), 0.0) if isinstance(one, DispatchChange))
        alarm = next(iter(desk.book.cases.alarms))
        aside(desk, alarm)
        desk.command(command("close", issued.dispatch, "2", reason="sensor is cleaned"), 20.0)
        desk.condition(change(0), 30.0)
        assert edges(desk.condition(change(3), 40.0)) == ["hide"]
        out = desk.command(command("unshelve", alarm, "3"), 50.0)
        assert "dispatch issued" in edges(out)

    def test_its_incident_is_calm_but_stays_listed(self, desk: Desk) -> None:
        alarm = raised(desk, 2)
        told = [one for one in aside(desk, alarm.alarm) if isinstance(one, IncidentChange)]
        assert [(one.edge, one.state, one.unacknowledged) for one in told] == [("set_aside", "calm", False)]
        assert desk.tick(2000.0) == []
        assert alarm.incident in desk.book.cases.incidents
        desk.condition(change(0), 2100.0)
        out = desk.command(command("unshelve", alarm.alarm, "2"), 2200.0) + desk.tick(2201.0)
        assert "incident closed" in edges(out)

    def test_another_alarm_of_the_incident_keeps_its_own_level(self, desk: Desk) -> None:
        alarm = raised(desk, 2)
        raised(desk, 1, rule="r2")
        told = next(one for one in aside(desk, alarm.alarm) if isinstance(one, IncidentChange))
        assert (told.level, told.state) == ("blue", "open")

    def test_it_cannot_be_acknowledged(self, desk: Desk) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm)
        assert edges(desk.command(command("acknowledge", alarm.alarm, "2"), 20.0)) == ["alarm.shelved"]

    def test_its_end_in_a_closed_incident_opens_a_new_one(self, desk: Desk) -> None:
        alarm = raised(desk)
        aside(desk, alarm.alarm)
        desk.command(command("close", alarm.incident or "", "2", disposition="nuisance"), 20.0)
        assert edges(desk.tick(10.0 + HOUR)) == ["unshelve", "incident opened"]


class TestSuppressedByHand:
    def test_it_hides_the_level_that_was_judged_and_nothing_worse(self, desk: Desk) -> None:
        alarm = raised(desk, 2)
        aside(desk, alarm.alarm, "suppress")
        desk.condition(change(0), 15.0)
        assert edges(desk.condition(change(2), 20.0)) == ["hide"]
        out = desk.condition(change(4), 30.0)
        step = transition(out)
        assert (step.edge, step.after, step.level, step.reason) == ("unsuppress", "UNACK", "red", "alarm.worsened")
        assert [one.edge for one in out if isinstance(one, DispatchChange)] == ["issued"]


class TestOutOfService:
    def test_what_is_not_to_be_believed_does_not_ring_when_it_worsens(self, desk: Desk) -> None:
        alarm = raised(desk, 1)
        aside(desk, alarm.alarm, "out_of_service")
        assert edges(desk.condition(change(4), 20.0)) == ["hide"]
        step = transition(desk.command(command("in_service", alarm.alarm, "2"), 30.0))
        assert (step.after, step.level) == ("UNACK", "red")

    def test_a_shelved_alarm_may_be_taken_out_of_service(self, desk: Desk) -> None:
        alarm = raised(desk, 1)
        aside(desk, alarm.alarm)
        step = transition(aside(desk, alarm.alarm, "out_of_service", "2", seconds=7 * 86400.0))
        assert (step.before, step.after) == ("SHLVD", "OOSRV")
        assert step.aside is not None and step.aside.until == 10.0 + 7 * 86400.0


class TestAssignAndComment:
    def test_an_alarm_is_assigned_once_and_carries_it_on(self, desk: Desk) -> None:
        alarm = raised(desk)
        step = transition(desk.command(command("assign", alarm.alarm, "1", to="user:bo"), 1.0))
        assert (step.edge, step.before, step.after, step.assignee) == ("assign", "UNACK", "UNACK", "user:bo")
        assert edges(desk.command(command("assign", alarm.alarm, "2", to="user:bo"), 2.0)) == ["alarm.already_assigned"]
        assert transition(desk.command(command("acknowledge", alarm.alarm, "3"), 3.0)).assignee == "user:bo"

    @pytest.mark.parametrize(
        ("to", "refusal"),
        [
            *((5, "bad_argument"), ("x" * 129, "bad_argument"), (None, "bad_argument")),
            *(("", "alarm.assignee_needed"), (" ", "alarm.assignee_needed")),
        ],
    )
    def test_nobody_in_particular_is_refused(self, desk: Desk, to: Any, refusal: str) -> None:
        alarm = raised(desk)
        assert edges(desk.command(command("assign", alarm.alarm, "1", to=to), 1.0)) == [refusal]

    def test_a_comment_stands_with_the_alarm_and_its_incident(self, desk: Desk) -> None:
        alarm = raised(desk)
        out = desk.command(command("comment", alarm.alarm, "1", text="called the owner"), 1.0)
        assert edges(out) == ["comment", "incident commented", "ok"]
        assert transition(out).reason == "called the owner"
        (said,) = (one for one in out if isinstance(one, IncidentChange))
        assert said.args == {"text": "called the owner", "alarm": alarm.alarm}, "as those may read it who see the alarm"

    def test_a_comment_on_an_alarm_whose_incident_is_closed_stands_with_the_alarm(self, desk: Desk) -> None:
        alarm = raised(desk)
        desk.command(command("close", alarm.incident or "", "1", disposition="nuisance"), 1.0)
        assert edges(desk.command(command("comment", alarm.alarm, "2", text="still on"), 2.0)) == ["comment", "ok"]
