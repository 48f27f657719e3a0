"""One partition's desk: from a condition to a closed case."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from alerts.casebook import Settings
from alerts.desk import Desk
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, DispatchChange, IncidentChange, Record, encode
from sensors.site import Camera, Text
from tests.alerts.cases import SITE, change, command, edges


@pytest.fixture
def desk() -> Desk:
    return Desk(SITE)


def only(outcomes: list[AnyOutcome], kind: type) -> Any:
    (found,) = [outcome for outcome in outcomes if isinstance(outcome, kind)]
    return found


def last(outcomes: list[AnyOutcome], kind: type) -> Any:
    return [outcome for outcome in outcomes if isinstance(outcome, kind)][-1]


class TestAlarms:
    def test_a_condition_raises_one_alarm_in_one_incident(self, desk: Desk) -> None:
        out = desk.condition(change(2), 1000.0)
        assert edges(out) == ["alarm", "incident opened"]
        alarm, incident = only(out, AlarmTransition), only(out, IncidentChange)
        assert (alarm.before, alarm.after, alarm.level, alarm.onset, alarm.time) == (
            "NORM",
            "UNACK",
            "yellow",
            995,
            1000,
        )
        assert alarm.incident == incident.incident
        assert (incident.state, incident.level, incident.cause, incident.alarms) == (
            "open", "yellow", alarm.alarm, (alarm.alarm,),
        )  # fmt: skip
        assert incident.title == {"zh": "slope 1区：位移（黄色）", "en": "slope 1: creep (yellow)"}
        assert alarm.explanation.clause == "eta('limit') < 3600"

    def test_a_repeated_level_says_nothing(self, desk: Desk) -> None:
        desk.condition(change(2), 1000.0)
        assert desk.condition(change(2), 1001.0) == []

    def test_a_calm_condition_without_an_alarm_says_nothing(self, desk: Desk) -> None:
        assert desk.condition(change(0), 1000.0) == []

    def test_level_goes_up_and_down_on_one_alarm(self, desk: Desk) -> None:
        assert edges(desk.condition(change(1), 1.0)) == ["alarm", "incident opened"]
        assert edges(desk.condition(change(2), 2.0)) == ["raise", "incident level"]
        assert edges(desk.condition(change(1), 3.0)) == ["lower", "incident level"]

    def test_an_acknowledged_alarm_rings_again_only_at_a_higher_level(self, desk: Desk) -> None:
        alarm = only(desk.condition(change(2), 1.0), AlarmTransition).alarm
        assert edges(desk.command(command("acknowledge", alarm, "1"), 2.0)) == [
            "acknowledge", "incident acknowledged", "ok",
        ]  # fmt: skip
        assert edges(desk.condition(change(1), 3.0)) == ["lower", "incident level"]
        out = desk.condition(change(2), 4.0)
        assert edges(out) == ["realarm", "incident level"]
        assert last(out, IncidentChange).state == "open"

    def test_after_normal_the_next_alarm_is_another_one(self, desk: Desk) -> None:
        first = only(desk.condition(change(1), 1.0), AlarmTransition)
        desk.command(command("acknowledge", first.alarm, "1"), 2.0)
        assert edges(desk.condition(change(0), 3.0)) == ["return", "incident calmed"]
        second = only(desk.condition(change(1), 4.0), AlarmTransition)
        assert second.alarm != first.alarm
        assert second.incident == first.incident  # still the same case

    def test_an_unacknowledged_return_waits_and_rings_again_as_the_same_alarm(self, desk: Desk) -> None:
        first = only(desk.condition(change(1), 1.0), AlarmTransition)
        assert only(desk.condition(change(0), 2.0), AlarmTransition).after == "RTNUN"
        again = only(desk.condition(change(1), 3.0), AlarmTransition)
        assert (again.edge, again.alarm) == ("realarm", first.alarm)


class TestIncidents:
    def test_alarms_of_one_area_join_and_the_highest_is_the_cause(self, desk: Desk) -> None:
        first = only(desk.condition(change(1, rule="rain"), 1.0), AlarmTransition)
        out = desk.condition(change(2, rule="creep"), 2.0)
        assert edges(out) == ["alarm", "incident joined"]
        incident, second = only(out, IncidentChange), only(out, AlarmTransition)
        assert incident.alarms == (second.alarm, first.alarm)
        assert incident.cause == second.alarm
        third = only(desk.condition(change(2, rule="tilt"), 3.0), IncidentChange)
        assert third.cause == second.alarm

    def test_other_areas_kinds_and_simulations_are_other_incidents(self, desk: Desk) -> None:
        ids = {
            only(desk.condition(one, 1.0), AlarmTransition).incident
            for one in (
                change(1),
                change(1, area="river-1", scope="p2"),
                change(1, rule="gap", kind="data_quality"),
                change(1, rule="sim", simulated=True),
            )
        }
        assert len(ids) == 4

    def test_a_case_calm_for_long_leaves_a_new_danger_to_a_new_case(self, desk: Desk) -> None:
        first = last(desk.condition(change(3), 0.0), DispatchChange)
        desk.condition(change(0), 10.0)
        out = desk.condition(change(3), 10.0 + 1801)
        assert last(out, DispatchChange).dispatch != first.dispatch
        assert last(out, DispatchChange).incident != first.incident

    def test_an_undispatched_case_closes_by_itself_when_calm_and_acknowledged(self, desk: Desk) -> None:
        alarm = only(desk.condition(change(1), 0.0), AlarmTransition)
        desk.condition(change(0), 10.0)
        assert desk.tick(5000.0) == []  # nobody has seen it
        desk.command(command("acknowledge", alarm.alarm, "1"), 5000.0)
        out = desk.tick(5001.0)
        assert edges(out) == ["incident closed"]
        assert only(out, IncidentChange).disposition == ""

    def test_where_the_site_says_so_every_real_case_waits_for_a_disposition(self) -> None:
        strict = msgspec.structs.replace(SITE, disposition="always")
        desk = Desk(strict)
        raised = [
            only(desk.condition(change(1, rule=rule, kind=kind, simulated=simulated), 0.0), AlarmTransition)
            for rule, kind, simulated in (("a", "risk", False), ("b", "data_quality", False), ("c", "risk", True))
        ]
        for number, alarm in enumerate(raised):
            desk.condition(change(0, rule=alarm.rule, kind=alarm.kind, simulated=alarm.simulated), 10.0)
            desk.command(command("acknowledge", alarm.alarm, str(number)), 11.0)
        closed = [one.incident for one in desk.tick(5000.0) if isinstance(one, IncidentChange)]
        assert closed == [raised[1].incident, raised[2].incident]
        assert desk.tick(99999.0) == []
        refused = desk.command(command("close", raised[0].incident or "", "9"), 99999.0)
        assert edges(refused) == ["unknown_disposition"]
        for number, reason in enumerate(("", " ")):
            args = {"disposition": "nuisance", "reason": reason}
            refused = desk.command(command("close", raised[0].incident or "", f"r{number}", **args), 99999.0)
            assert edges(refused) == ["reason_needed"], "the verdict has to say why"
        desk.publish(SITE)
        assert edges(desk.tick(100000.0)) == ["incident closed"], "the site no longer says so"

    def test_a_dispatched_case_waits_for_a_disposition(self, desk: Desk) -> None:
        issued = last(desk.condition(change(3), 0.0), DispatchChange)
        desk.command(command("acknowledge", issued.incident, "1"), 1.0)
        desk.command(command("close", issued.dispatch, "2", reason="recalled"), 2.0)
        desk.condition(change(0), 3.0)
        assert desk.tick(99999.0) == []
        out = desk.command(command("close", issued.incident, "3", disposition="real", reason="slid"), 100000.0)
        assert edges(out) == ["incident closed", "ok"]
        assert only(out, IncidentChange).disposition == "real"

    def test_closing_as_a_nuisance_leaves_the_active_alarm_until_it_worsens(self, desk: Desk) -> None:
        first = only(desk.condition(change(1), 0.0), AlarmTransition)
        out = desk.command(command("close", first.incident, "1", disposition="nuisance"), 1.0)
        assert edges(out) == ["acknowledge", "incident closed", "ok"]
        assert edges(desk.condition(change(2), 2.0)) == ["realarm", "incident opened"]

    def test_closing_as_a_nuisance_then_calm_is_quiet(self, desk: Desk) -> None:
        first = only(desk.condition(change(1), 0.0), AlarmTransition)
        desk.command(command("close", first.incident, "1", disposition="nuisance"), 1.0)
        assert edges(desk.condition(change(0), 2.0)) == ["return"]

    def test_a_flood_of_alarms_is_one_incident_with_a_bounded_list(self, desk: Desk) -> None:
        out: list[AnyOutcome] = []
        for number in range(300):
            out = desk.condition(change(1, scope=f"p{number}"), float(number))
            alarm = only(out, AlarmTransition).alarm
            desk.command(command("acknowledge", alarm, f"c{number}"), float(number))
            desk.condition(change(0, scope=f"p{number}"), float(number))
        assert len(desk.book.cases.incidents) == 1
        assert len(last(out, IncidentChange).alarms) == 200


class TestSimulation:
    def test_it_is_carried_to_the_dispatch_event_as_an_exercise(self, desk: Desk) -> None:
        issued = last(desk.condition(change(4, simulated=True), 0.0), DispatchChange)
        assert issued.simulated
        assert issued.event["simulation"] is True
        assert issued.event["data"]["status"] == "Exercise"

    def test_real_readings_over_a_simulated_alarm_raise_a_real_one(self, desk: Desk) -> None:
        desk.condition(change(4, simulated=True), 0.0)
        out = desk.condition(change(3), 1.0)
        assert edges(out) == [
            "return", "incident calmed", "alarm", "incident opened", "incident dispatched", "dispatch issued",
        ]  # fmt: skip
        assert last(out, DispatchChange).simulated is False
        assert "simulation" not in last(out, DispatchChange).event

    def test_a_simulated_condition_over_a_real_alarm_sends_no_real_unit(self, desk: Desk) -> None:
        real = only(desk.condition(change(1), 0.0), AlarmTransition)
        out = desk.condition(change(4, simulated=True), 1.0)
        assert edges(out) == ["alarm", "incident opened", "incident dispatched", "dispatch issued"]
        beside = only(out, AlarmTransition)
        assert (beside.simulated, beside.level) == (True, "red")
        assert {one.simulated for one in out} == {True}
        assert beside.incident != real.incident
        issued = last(out, DispatchChange)
        assert issued.event["data"]["status"] == "Exercise"
        kept = desk.book.cases.alarms[real.alarm]
        assert (kept.level, kept.process, kept.simulated) == (1, 1, False)
        # back at what is real, the exercise ends and the alarm goes on
        out = desk.condition(change(1), 2.0)
        assert [(one.edge, one.simulated) for one in out if isinstance(one, AlarmTransition)] == [("return", True)]
        assert desk.book.cases.alarms[real.alarm].state == "UNACK"

    def test_a_real_worsening_over_both_raises_the_real_alarm_and_sends_a_real_unit(self, desk: Desk) -> None:
        desk.condition(change(1), 0.0)
        desk.condition(change(4, simulated=True), 1.0)
        out = desk.condition(change(3), 2.0)
        assert [(one.edge, one.simulated) for one in out if isinstance(one, AlarmTransition)] == [
            ("return", True), ("raise", False),
        ]  # fmt: skip
        assert (last(out, DispatchChange).edge, last(out, DispatchChange).simulated) == ("issued", False)

    def test_the_same_level_made_real_raises_a_real_alarm_that_dispatches(self, desk: Desk) -> None:
        desk.condition(change(3, simulated=True), 0.0)
        real = dataclasses.replace(change(3), before=3)
        out = desk.condition(real, 1.0)
        assert [one.simulated for one in out if isinstance(one, AlarmTransition)] == [True, False]
        assert last(out, DispatchChange).simulated is False
        assert desk.condition(real, 2.0) == []


class TestDispatch:
    def test_reaching_the_dispatch_level_sends_the_nearest_unit_once(self, desk: Desk) -> None:
        out = desk.condition(change(3), 1000.0)
        assert edges(out) == ["alarm", "incident opened", "incident dispatched", "dispatch issued"]
        issued = last(out, DispatchChange)
        assert (issued.unit, issued.leg, issued.level, issued.deadline) == ("u-c1", "issued", "orange", 1300.0)
        assert last(out, IncidentChange).state == "dispatched"
        assert edges(desk.condition(change(3, rule="other"), 1001.0)) == ["alarm", "incident joined"]

    def test_each_area_type_has_its_own_dispatch_level(self, desk: Desk) -> None:
        assert edges(desk.condition(change(3, area="river-1"), 0.0)) == ["alarm", "incident opened"]
        assert "dispatch issued" in edges(desk.condition(change(4, area="river-1"), 1.0))

    def test_data_quality_never_dispatches_by_itself(self, desk: Desk) -> None:
        out = desk.condition(change(4, kind="data_quality"), 0.0)
        assert edges(out) == ["alarm", "incident opened"]
        sent = desk.command(command("dispatch", last(out, IncidentChange).incident, "1"), 1.0)
        assert last(sent, DispatchChange).unit == "u-mend"

    def test_trouble_with_a_camera_sends_maintenance_once_where_the_site_asks_for_it(self) -> None:
        camera = Camera(id="k1", name=Text(zh="", en=""), areas=("slope-1",))
        desk = Desk(msgspec.structs.replace(SITE, cameras=(camera,), maintenance="yellow"))
        quiet = desk.condition(change(4, rule="gap", kind="data_quality", scope="p1"), 0.0)
        assert "dispatch issued" not in edges(quiet), "a point's trouble is none of a camera"
        low = desk.condition(change(1, rule="lost", kind="data_quality", scope="k1"), 1.0)
        assert "dispatch issued" not in edges(low)
        out = desk.condition(change(2, rule="lost", kind="data_quality", scope="k1"), 2.0)
        order = last(out, DispatchChange)
        assert (order.edge, order.unit, order.reason) == ("issued", "u-mend", "dispatch.repair")
        again = desk.condition(change(3, rule="blind", kind="data_quality", scope="k1"), 3.0)
        assert "dispatch issued" not in edges(again)
        risk = desk.condition(change(3), 4.0)
        assert last(risk, DispatchChange).unit == "u-c1", "whoever is sent to a risk is still there for it"
        late = desk.tick(5.0e6)
        moved = [one for one in late if isinstance(one, DispatchChange) and one.dispatch == order.dispatch]
        assert moved
        assert {one.unit for one in moved} == {"u-mend"}, "no answer calls on none of those for risks"

    @pytest.mark.parametrize("taken", [False, True])
    def test_maintenance_is_called_back_when_the_camera_is_well_before_anybody_took_it_up(self, taken: bool) -> None:
        camera = Camera(id="k1", name=Text(zh="", en=""), areas=("slope-1",))
        desk = Desk(msgspec.structs.replace(SITE, cameras=(camera,), maintenance="yellow"))
        order = last(desk.condition(change(2, rule="lost", kind="data_quality", scope="k1"), 0.0), DispatchChange)
        if taken:
            desk.command(command("accept", order.dispatch, "1"), 1.0)
        out = desk.condition(change(0, rule="lost", kind="data_quality", scope="k1"), 2.0)
        if taken:
            assert edges(out) == ["return", "incident calmed"], "whoever is on the way goes on"
            return
        assert edges(out) == ["return", "incident calmed", "dispatch closed"]
        assert (out[-1].actor, out[-1].reason) == ("engine", "dispatch.well_again")
        again = desk.condition(change(2, rule="lost", kind="data_quality", scope="k1"), 3.0)
        assert "dispatch issued" in edges(again), "the next trouble sends again"
        desk.condition(change(0, rule="lost", kind="data_quality", scope="k1"), 4.0)
        desk.command(command("acknowledge", again[0].incident, "2"), 5.0)
        assert "incident closed" in edges(desk.tick(5000.0)), "nobody was needed"

    def test_a_higher_level_brings_the_deadline_nearer(self, desk: Desk) -> None:
        desk.condition(change(3), 1000.0)
        out = desk.condition(change(4), 1010.0)
        assert edges(out) == ["raise", "incident level", "dispatch raised"]
        raised = last(out, DispatchChange)
        assert (raised.level, raised.deadline) == ("red", 1190.0)
        assert desk.condition(change(3), 1020.0)[-1].edge == "level"  # a lower one does not give time back

    def test_an_area_without_a_unit_says_so_once(self, desk: Desk) -> None:
        out = desk.condition(change(3, area="nowhere"), 0.0)
        assert edges(out) == ["alarm", "incident opened", "incident undispatched"]
        assert edges(desk.condition(change(4, area="nowhere"), 1.0)) == ["raise", "incident level"]

    def test_the_whole_loop(self, desk: Desk) -> None:
        id = last(desk.condition(change(3), 0.0), DispatchChange).dispatch
        seen = []
        for number, (order, clock) in enumerate(
            (("accept", 10.0), ("on_scene", 20.0), ("resolve", 30.0), ("close", 40.0))
        ):
            out = desk.command(command(order, id, str(number), actor="unit:u-c1"), clock)
            changed = only(out, DispatchChange)
            seen.append((changed.edge, changed.leg, changed.deadline))
        assert seen == [
            ("accepted", "accepted", 10.0 + 1800),
            ("on_scene", "on_scene", 20.0 + 14400),
            ("resolved", "resolved", None),
            ("closed", "closed", None),
        ]
        assert edges(out) == ["dispatch closed", "incident undispatched", "ok"]

    def test_a_refusal_goes_to_the_next_unit_until_none_is_left(self, desk: Desk) -> None:
        issued = last(desk.condition(change(3), 0.0), DispatchChange)
        units = [issued.unit]
        for number in range(9):
            out = desk.command(command("refuse", issued.dispatch, str(number), reason="away"), 1.0)
            if "dispatch reassigned" not in edges(out):
                break
            assert edges(out) == ["dispatch refused", "dispatch reassigned", "ok"]
            assert out[0].reason == "away"
            units.append(last(out, DispatchChange).unit)
        assert units == ["u-c1", "u-s1", "u-s1-near", "u-s1-far", "u-d"]
        assert edges(out) == ["dispatch refused", "incident undispatched", "ok"]
        assert out[1].reason == "dispatch.no_unit"

    def test_no_answer_goes_up_the_hierarchy_and_is_said_again_at_the_top(self, desk: Desk) -> None:
        desk.condition(change(3), 0.0)
        assert desk.tick(299.0) == []
        out = desk.tick(300.0)
        assert edges(out) == ["dispatch overdue", "dispatch reassigned"]
        assert out[0].overdue
        assert (last(out, DispatchChange).unit, last(out, DispatchChange).deadline) == ("u-s1", 600.0)
        assert desk.tick(301.0) == []
        assert last(desk.tick(700.0), DispatchChange).unit == "u-d"
        assert edges(desk.tick(1100.0)) == ["dispatch overdue"]
        assert self.reminded(desk, 1100.0, 30_000.0) == [1400.0, 2000.0, 3200.0, 5600.0, *range(9200, 30_000, 3600)]

    def reminded(self, desk: Desk, after: float, until: float) -> list[float]:
        """Tick every 100 s and return when the clock alone said anything."""
        times = [after + 100.0 * n for n in range(1, int((until - after) / 100.0) + 1)]
        return [time for time in times if desk.tick(time)]

    def test_the_reminders_of_a_dispatch_end_when_its_unit_moves(self, desk: Desk) -> None:
        id = last(desk.condition(change(3), 0.0), DispatchChange).dispatch
        for time in (300.0, 600.0, 900.0):
            desk.tick(time)
        (reminder,) = desk.tick(1200.0)
        assert (reminder.edge, reminder.reason, reminder.unit) == ("overdue", "dispatch.reminder", "u-d")
        assert reminder.event["data"]["reminders"] == 1
        accepted = desk.command(command("accept", id, "1", actor="unit:u-d"), 1300.0)
        assert last(accepted, DispatchChange).event["data"]["reminders"] == 0
        assert self.reminded(desk, 1300.0, 1300.0 + 1700.0) == []

    def test_who_was_away_for_long_is_reminded_once(self, desk: Desk) -> None:
        desk.condition(change(3), 0.0)
        for time in (300.0, 600.0, 900.0):
            desk.tick(time)
        assert edges(desk.tick(80_000.0)) == ["dispatch overdue"]
        assert desk.tick(80_001.0) == []

    def test_an_order_that_is_passed_on_names_who_loses_it(self, desk: Desk) -> None:
        issued = last(desk.condition(change(3), 0.0), DispatchChange)
        assert (issued.previous, issued.event["data"]["previous"], issued.event["data"]["copies"]) == ("", None, [])
        moved = last(desk.tick(300.0), DispatchChange)
        assert (moved.unit, moved.previous) == ("u-s1", "u-c1")
        assert (moved.event["data"]["previous"], moved.event["data"]["copies"]) == ("u-c1", ["u-c1"])
        out = desk.command(command("refuse", issued.dispatch, "1", actor="unit:u-s1", reason="away"), 301.0)
        assert last(out, DispatchChange).previous == "u-s1"

    @pytest.mark.parametrize(("leg", "late"), [("accept", 1810.0), ("on_scene", 14_410.0)])
    def test_a_late_leg_keeps_its_unit_and_is_told_upward(self, desk: Desk, leg: str, late: float) -> None:
        issued = last(desk.condition(change(3), 0.0), DispatchChange)
        for order in ("accept", "on_scene")[: 1 + (leg == "on_scene")]:
            desk.command(command(order, issued.dispatch, order), 10.0)
        (told,) = desk.tick(late)
        assert (told.edge, told.unit, told.event["data"]["copies"]) == ("overdue", "u-c1", ["u-s1"])
        assert desk.tick(late + 299.0) == []
        (again,) = desk.tick(late + 300.0)
        assert (again.unit, again.reason, again.event["data"]["copies"]) == (
            "u-c1", "dispatch.reminder", ["u-s1", "u-d"],
        )  # fmt: skip
        order = "on_scene" if leg == "accept" else "resolve"
        moved = only(desk.command(command(order, issued.dispatch, "2"), late + 400.0), DispatchChange)
        assert (moved.overdue, moved.event["data"]["copies"]) == (False, [])

    def all_refuse(self, desk: Desk) -> IncidentChange:
        """Have all units refuse, and return what the incident then says."""
        id = last(desk.condition(change(3), 0.0), DispatchChange).dispatch
        while id in desk.book.cases.dispatches:
            out = desk.command(command("refuse", id, f"refuse {desk.book.cases.dispatches[id].unit}", reason="no"), 0.0)
        said: IncidentChange = last(out, IncidentChange)
        return said

    def test_an_incident_that_nobody_is_on_is_told_to_the_world_and_again(self, desk: Desk) -> None:
        said = self.all_refuse(desk)
        assert (said.edge, said.reason) == ("undispatched", "dispatch.no_unit")
        assert said.event is not None
        assert said.event["type"] == "com.foreshock.incident.undispatched"
        assert said.event["data"]["area"]["id"] == "slope-1"
        assert said.event["data"]["status"] == "Actual"
        assert self.reminded(desk, 0.0, 10_000.0) == [300.0, 900.0, 2100.0, 4500.0, 8100.0]
        (again,) = desk.tick(11_700.0)
        assert (again.edge, again.args, again.event["data"]["reminders"]) == ("undispatched", {"reminders": 6}, 6)

    @pytest.mark.parametrize(
        ("kind", "args"),
        [
            ("acknowledge", {}),
            ("comment", {"text": "the fire brigade is on its way"}),
            ("dispatch", {"unit": "u-d"}),
            ("close", {"disposition": "nuisance"}),
        ],
    )
    def test_a_person_who_takes_an_incident_up_ends_its_reminders(
        self, desk: Desk, kind: str, args: dict[str, Any]
    ) -> None:
        incident = self.all_refuse(desk).incident
        assert edges(desk.command(command(kind, incident, "1", **args), 10.0))[-1] == "ok"
        assert self.reminded(desk, 10.0, 290.0 if kind == "dispatch" else 10_000.0) == []

    def test_a_calm_incident_is_not_reminded_of_and_a_new_demand_sends_again(self, desk: Desk) -> None:
        self.all_refuse(desk)
        desk.condition(change(0), 10.0)
        assert self.reminded(desk, 10.0, 1000.0) == []
        assert "dispatch issued" in edges(desk.condition(change(3), 1100.0))

    def test_a_worse_demand_says_again_that_there_is_nobody_to_send(self, desk: Desk) -> None:
        incident = last(desk.condition(change(3, area="nowhere"), 0.0), IncidentChange).incident
        desk.command(command("acknowledge", incident, "1"), 1.0)
        assert self.reminded(desk, 1.0, 5000.0) == []
        assert "incident undispatched" in edges(desk.condition(change(4, area="nowhere"), 5001.0))
        assert self.reminded(desk, 5001.0, 5401.0) == [5301.0]

    def test_a_step_of_the_clock_moves_all_that_is_due(self, desk: Desk) -> None:
        self.all_refuse(desk)
        desk.condition(change(3, scope="p9", rule="other", area="river-1", time=0.0), 0.0)
        desk.condition(change(4, scope="p9", rule="other", area="river-1", time=0.0), 0.0)
        moved = Desk(SITE)
        moved.restore(desk.state())
        moved.tick(0.0)
        moved.step(-3600.0)
        due = [100.0 * n for n in range(60)]
        assert [edges(desk.tick(time)) for time in due] == [edges(moved.tick(time - 3600.0)) for time in due]

    def test_an_operator_sends_a_unit_below_the_level(self, desk: Desk) -> None:
        incident = only(desk.condition(change(1), 0.0), IncidentChange).incident
        out = desk.command(command("dispatch", incident, "1", unit="u-s1", note="have a look"), 1.0)
        assert edges(out) == ["incident dispatched", "dispatch issued", "ok"]
        assert last(out, DispatchChange).event["data"]["note"] == "have a look"
        # the level is reached later: the unit on the way is told, nobody is sent twice
        assert edges(desk.condition(change(3), 2.0)) == ["raise", "incident level", "dispatch raised"]

    def finish(self, desk: Desk, out: list[AnyOutcome], clock: float) -> DispatchChange:
        issued: DispatchChange = last(out, DispatchChange)
        closed = desk.command(command("close", issued.dispatch, f"close {clock}", reason="nothing seen"), clock)
        assert edges(closed) == ["dispatch closed", "incident undispatched", "ok"]  # a close alone sends nobody
        return issued

    @pytest.mark.parametrize("again", ["alarm", "realarm", "raise", "acknowledged raise"])
    def test_a_new_demand_when_nobody_is_on_it_dispatches_again(self, desk: Desk, again: str) -> None:
        first = self.finish(desk, desk.condition(change(3), 0.0), 1.0)
        if again == "alarm":
            out = desk.condition(change(3, rule="other"), 2.0)
        elif again == "realarm":
            assert edges(desk.condition(change(0), 2.0)) == ["return", "incident calmed"]
            out = desk.condition(change(3), 3.0)
        else:
            if again == "acknowledged raise":
                acknowledged = desk.command(command("acknowledge", first.incident, "1"), 2.0)
                assert "dispatch issued" not in edges(acknowledged)
            out = desk.condition(change(4), 3.0)
        second = last(out, DispatchChange)
        assert (second.edge, second.incident, second.unit) == ("issued", first.incident, "u-c1")
        assert second.dispatch != first.dispatch
        assert edges(out).count("dispatch issued") == 1

    def test_a_lesser_demand_when_nobody_is_on_it_sends_nobody(self, desk: Desk) -> None:
        self.finish(desk, desk.condition(change(4), 0.0), 1.0)
        assert edges(desk.condition(change(2, rule="other"), 2.0)) == ["alarm", "incident joined"]
        assert edges(desk.condition(change(3), 3.0)) == ["lower", "incident level"]
        assert "dispatch issued" in edges(desk.condition(change(3, rule="other"), 4.0))


class TestRefusals:
    def prepare(self, desk: Desk) -> dict[str, str]:
        issued = last(desk.condition(change(3), 0.0), DispatchChange)
        low = only(desk.condition(change(1, area="river-1", scope="p9"), 0.0), AlarmTransition)
        return {"incident": issued.incident, "dispatch": issued.dispatch, "alarm": low.alarm, "low": low.incident}

    @pytest.mark.parametrize(
        ("kind", "target", "args", "reason"),
        [
            ("acknowledge", "nothing", {}, "unknown_target"),
            ("fly", "incident", {}, "unknown_command"),
            ("accept", "incident", {}, "unknown_command"),
            ("dispatch", "dispatch", {}, "unknown_command"),
            ("comment", "incident", {"sequence": 1, "text": "x"}, "stale"),
            ("acknowledge", "incident", {"sequence": 99}, "stale"),
            ("acknowledge", "incident", {"sequence": "1"}, "stale"),
            ("acknowledge", "incident", {"sequence": 0}, "worse"),
            ("close", "low", {"sequence": 0, "disposition": "test"}, "worse"),
            ("acknowledge", "alarm", {"text": "x" * 4001}, "too_long"),
            ("acknowledge", "alarm", {"text": 7}, "bad_argument"),
            ("dispatch", "low", {"unit": "u-unknown"}, "unknown_unit"),
            ("dispatch", "low", {"unit": 3}, "unknown_unit"),
            ("dispatch", "incident", {"unit": "u-c1"}, "dispatch.already_sent"),
            ("comment", "incident", {}, "text_needed"),
            ("comment", "incident", {"text": "  "}, "text_needed"),
            ("close", "incident", {"disposition": "real"}, "incident.dispatch_open"),
            ("close", "low", {"disposition": "real"}, "incident.active"),
            ("close", "low", {"disposition": "whatever"}, "unknown_disposition"),
            ("close", "low", {"disposition": ["real"]}, "unknown_disposition"),
            ("snapshot", "low", {"camera": "k", "sha": "../../etc", "time": 1.0}, "bad_argument"),
            ("snapshot", "low", {"camera": "k", "sha": "a" * 64}, "bad_argument"),
            ("on_scene", "dispatch", {}, "dispatch.wrong_leg"),
            ("resolve", "dispatch", {}, "dispatch.wrong_leg"),
            ("close", "dispatch", {}, "reason_needed"),
            ("refuse", "dispatch", {}, "reason_needed"),
            ("refuse", "dispatch", {"reason": "  "}, "reason_needed"),
        ],
    )
    def test_a_wrong_order_is_answered_and_changes_nothing(
        self, desk: Desk, kind: str, target: str, args: dict[str, Any], reason: str
    ) -> None:
        ids = self.prepare(desk)
        before = desk.book.cases
        saved = msgspec.msgpack.encode([before.alarms, before.incidents, before.dispatches])
        out = desk.command(command(kind, ids.get(target, target), "1", **args), 1.0)
        assert edges(out) == [reason]
        assert msgspec.msgpack.encode([before.alarms, before.incidents, before.dispatches]) == saved

    @pytest.mark.parametrize("of", ["alarm", "incident"])
    def test_what_got_worse_is_not_acknowledged_by_who_saw_less_and_what_only_moved_is(
        self, desk: Desk, of: str
    ) -> None:
        raised = only(desk.condition(change(2), 0.0), AlarmTransition)
        target = raised.alarm if of == "alarm" else raised.incident
        held = desk.book.cases.alarms if of == "alarm" else desk.book.cases.incidents
        seen = held[target].sequence
        desk.condition(change(4), 0.5)
        assert edges(desk.command(command("acknowledge", target, "1", sequence=seen), 1.0)) == ["worse"]
        assert held[target].worsened > seen
        seen = held[target].sequence
        desk.command(command("comment", target, "2", text="two cracks"), 2.0)
        assert held[target].sequence > seen
        assert edges(desk.command(command("acknowledge", target, "3", sequence=seen), 3.0))[-1] == "ok"
        # what rings anew once it was acknowledged asks for another look
        seen = held[target].sequence
        desk.condition(change(0), 4.0)
        if of == "incident":
            desk.condition(change(1, rule="other"), 5.0)
            assert edges(desk.command(command("close", target, "4", sequence=seen, disposition="test"), 6.0)) == [
                "worse"
            ]

    def test_another_units_dispatch_is_not_ones_own(self, desk: Desk) -> None:
        ids = self.prepare(desk)
        out = desk.command(command("accept", ids["dispatch"], "1", actor="unit:u-c2"), 1.0)
        assert edges(out) == ["dispatch.other_unit"]

    @pytest.mark.parametrize("legs", [[], ["accept"], ["accept", "on_scene"]])
    def test_a_unit_cannot_drop_an_order_that_it_has_not_carried_out(self, desk: Desk, legs: list[str]) -> None:
        id = self.prepare(desk)["dispatch"]
        for order in legs:
            desk.command(command(order, id, order, actor="unit:u-c1"), 1.0)
        out = desk.command(command("close", id, "1", actor="unit:u-c1", reason="too far"), 2.0)
        assert edges(out) == ["dispatch.not_resolved"]
        assert id in desk.book.cases.dispatches
        # the desk may recall it, and send somebody else
        recalled = desk.command(command("close", id, "2", actor="user:an", reason="too far"), 3.0)
        assert edges(recalled) == ["dispatch closed", "incident undispatched", "ok"]
        (incident,) = {one.incident for one in recalled if isinstance(one, IncidentChange)}
        assert edges(desk.command(command("dispatch", incident, "3"), 4.0))[-2:] == ["dispatch issued", "ok"]

    def test_a_unit_closes_what_it_has_resolved(self, desk: Desk) -> None:
        id = self.prepare(desk)["dispatch"]
        for order in ("accept", "on_scene", "resolve", "close"):
            out = desk.command(command(order, id, order, actor="unit:u-c1"), 1.0)
        assert edges(out) == ["dispatch closed", "incident undispatched", "ok"]

    @pytest.mark.parametrize(
        ("kind", "target", "args", "reason"),
        [
            ("acknowledge", "alarm", {}, "alarm.already_acknowledged"),
            ("acknowledge", "low", {}, "incident.already_acknowledged"),
            ("accept", "dispatch", {}, "dispatch.already_done"),
            ("close", "dispatch", {"reason": "recalled"}, "dispatch.closed"),
            ("close", "low", {"disposition": "test"}, "incident.closed"),
            ("snapshot", "low", {"camera": "k", "sha": "a" * 64, "time": 1.0}, "dispatch.already_done"),
        ],
    )
    def test_of_two_at_once_one_wins_and_the_other_is_told(
        self, desk: Desk, kind: str, target: str, args: dict[str, Any], reason: str
    ) -> None:
        id = self.prepare(desk)[target]
        assert edges(desk.command(command(kind, id, "1", actor="user:an", **args), 1.0))[-1] == "ok"
        assert edges(desk.command(command(kind, id, "2", actor="user:bo", **args), 1.0)) == [reason]

    def test_a_repeated_command_is_answered_once(self, desk: Desk) -> None:
        ids = self.prepare(desk)
        assert desk.command(command("acknowledge", ids["incident"], "same"), 1.0)
        assert desk.command(command("acknowledge", ids["incident"], "same"), 1.0) == []

    def test_memory_of_commands_is_bounded(self) -> None:
        desk = Desk(SITE, Settings(remember=3))
        for number in range(10):
            desk.command(command("acknowledge", "x", str(number)), 1.0)
        assert list(desk.book.cases.answered) == ["7", "8", "9"]


class TestPictures:
    def test_a_snapshot_is_attached_to_the_incident_of_its_alarm(self, desk: Desk) -> None:
        alarm = only(desk.condition(change(2), 0.0), AlarmTransition)
        out = desk.command(command("snapshot", alarm.alarm, "1", camera="k1", sha="a" * 64, time=5), 6.0)
        attached = only(out, IncidentChange)
        assert (attached.incident, attached.edge) == (alarm.incident, "snapshot")
        assert attached.args == {"camera": "k1", "sha": "a" * 64, "time": 5.0}


def test_the_same_night_twice_gives_the_same_ids() -> None:
    def night() -> list[AnyOutcome]:
        desk = Desk(SITE)
        out = [*desk.condition(change(3), 1.0), *desk.tick(400.0), *desk.condition(change(0), 500.0)]
        return [*out, *desk.condition(change(4), 600.0)]

    first, second = night(), night()
    assert encode(Record(0, 1, tuple(first))) == encode(Record(0, 1, tuple(second)))
    ids = [outcome.id for outcome in first]
    assert len(set(ids)) == len(ids)


def test_a_refused_state_leaves_the_desk_as_it_was(desk: Desk) -> None:
    desk.condition(change(3), 1.0)
    before = desk.state()
    with pytest.raises(msgspec.DecodeError):
        desk.restore(b"\xc1 not a state")
    assert desk.state() == before


def test_results_name_command_and_target(desk: Desk) -> None:
    result = only(desk.command(command("acknowledge", "a-1", "c-1"), 7.0), CommandResult)
    assert (result.id, result.target, result.ok, result.time) == ("c-1", "a-1", False, 7.0)
