"""The desk under any sequence of events: against the ISA-18.2 table, and against itself with crashes in between."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from alerts import messages
from alerts.desk import Desk, Settings
from alerts.incident import DISPOSITIONS, Incident, all_silent, loud_level
from alerts.outcome import AlarmTransition, AnyOutcome, CommandResult, DispatchChange, IncidentChange
from sensors.observation import Command, Silence
from sensors.site import LEVELS, Area, Link, Point
from tests.alerts import cases
from tests.alerts.cases import change, command

SITE = msgspec.structs.replace(
    cases.SITE,
    area_types=tuple(
        msgspec.structs.replace(kind, close_needs=("feed_back", "follow_up")) if kind.id == "river" else kind
        for kind in cases.SITE.area_types
    ),
    points=tuple(
        Point(id=f"p{n}", name=cases.name("p"), areas=("slope-1",), quantity="tilt", unit="°") for n in range(5)
    ),
    areas=(*cases.SITE.areas, Area(id="slope-2", name=cases.name("slope 2"), type="slope", place="c2", group="s1")),
    maintenance="yellow",
    links=(
        Link(areas=("river-1", "slope-1"), kind="upstream"),
        Link(areas=("slope-1", "slope-2"), kind="neighbour"),
        Link(areas=("slope-1", "river-1"), kind="gateway"),
    ),
)

TOGETHER = Settings(candidate_areas=2)

# ISA-18.2 as STANDARDS.md writes it, apart from the code
ISA = {
    ("NORM", "alarm"): "UNACK",
    ("UNACK", "acknowledge"): "ACKED",
    ("ACKED", "return"): "NORM",
    ("UNACK", "return"): "RTNUN",
    ("RTNUN", "acknowledge"): "NORM",
    ("RTNUN", "realarm"): "UNACK",
    ("ACKED", "realarm"): "UNACK",
    ("UNACK", "raise"): "UNACK",
    ("UNACK", "lower"): "UNACK",
    ("ACKED", "lower"): "ACKED",
}
ASIDE = {"SHLVD": "shelve", "DSUPR": "suppress", "OOSRV": "out_of_service"}
BACK = {"SHLVD": "unshelve", "DSUPR": "unsuppress", "OOSRV": "in_service"}
NOTES = {  # what leaves the state as it is, and where it may be said
    "hide": {"SHLVD", "DSUPR", "OOSRV"},
    "warn": {"SHLVD", "DSUPR", "OOSRV", "UNACK", "ACKED"},  # of a shelf, or of a silence
    "settle": {"UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"},
    "stale": {"UNACK", "ACKED"},
    "latch": {"UNACK", "ACKED"},
    "assign": {"UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"},
    "comment": {"UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"},
    **{note: {"UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"} for note in ("move", "hush", "unhush")},
}
CALMED = ("UNACK", "ACKED", "RTNUN", "NORM")


def allowed(before: str, edge: str, after: str) -> bool:
    """Say whether ISA-18.2 knows this edge."""
    if edge in NOTES:
        return before == after and before in NOTES[edge]
    if edge in ASIDE.values():
        return ASIDE[after] == edge != ASIDE.get(before) and (edge != "suppress" or before in CALMED)
    if edge in BACK.values():
        return BACK.get(before) == edge and after in ("NORM", "UNACK")
    return ISA.get((before, edge)) == after


LEG_AFTER = {
    "issued": {"issued"},
    "accepted": {"accepted"},
    "refused": {"refused"},
    "on_scene": {"on_scene"},
    "resolved": {"resolved"},
    "closed": {"closed"},
    "fed_back": {"fed_back"},
    "follow_up": {"follow_up"},
    "reassigned": {"issued"},
    "referred": {"issued"},
    "overdue": {"issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up"},
    "raised": {"issued", "accepted", "on_scene"},
    "lead": {"issued", "accepted", "on_scene"},
    "moved": {"issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up"},
}
WORKING = ("issued", "accepted", "on_scene")

PLACES = [("slope-1", "p1"), ("slope-1", "p2"), ("river-1", "p3"), ("slope-2", "p4")]
AREAS = sorted({area for area, _ in PLACES})
ORDERS = ["acknowledge", "dispatch", "comment", "close", "accept", "refuse", "on_scene", "resolve", "snapshot"]
ORDERS += [*ASIDE.values(), *BACK.values(), "assign", "reset", "feed_back", "follow_up", "refer", "call"]
ON_ALARMS = ["acknowledge", "reset", "comment", "assign", *ASIDE.values(), *BACK.values()]
LEGS = ["accept", "refuse", "on_scene", "resolve", "feed_back", "follow_up", "refer", "call"]


class DeskMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk, self.twin = Desk(SITE, TOGETHER), Desk(SITE, TOGETHER)  # the twin never crashes
        self.clock = 1000.0
        self.ids: set[str] = set()
        self.known: list[str] = ["a-none"]  # targets
        self.alarms: dict[str, AlarmTransition] = {}  # last transition
        self.open_scopes: dict[tuple[str, str, bool], str] = {}
        self.incidents: dict[str, IncidentChange] = {}
        self.dispatches: dict[str, DispatchChange] = {}
        self.automatic: set[str] = set()  # alarm transitions that sent someone
        self.demands: dict[str, AlarmTransition] = {}  # of this step, by incident
        self.said: dict[str, float] = {}  # when a dispatch or an incident last spoke by the clock alone
        self.overdue: set[tuple[str, int]] = set()  # dispatch and how often it entered a leg
        self.entered: dict[str, int] = {}
        self.commands = 0
        self.hushed: set[str] = set()  # incidents of which an alarm was silenced
        self.regrouped = False  # whether this step merges or splits

    # What may happen

    @rule(
        place=st.sampled_from(PLACES),
        name=st.sampled_from(["r1", "r2"]),
        rank=st.integers(0, 4),
        kind=st.sampled_from(["risk", "risk", "data_quality"]),
        simulated=st.sampled_from([False, False, False, True]),
    )
    def condition(self, place: tuple[str, str], name: str, rank: int, kind: Any, simulated: bool) -> None:
        area, scope = place
        one = change(
            rank,
            rule=f"{name}-{kind}",
            scope=scope,
            area=area,
            time=self.clock,
            kind=kind,
            simulated=simulated,
            latch=name == "r2",
        )
        self._take(self.desk.condition(one, self.clock), self.twin.condition(one, self.clock))
        if rank and not simulated:
            real = self.desk.book.scopes[f"{name}-{kind}", scope, False]
            rings = real.state in ("UNACK", "ACKED")
            assert (real.process, rings or real.state in ASIDE) == (rank, True), "a real danger has no real alarm"
            assert real.state not in ("SHLVD", "DSUPR") or rank <= real.level, "what is set aside hides what is worse"

    @rule(place=st.sampled_from(PLACES), name=st.sampled_from(["r1-risk", "r2-risk"]))
    def withdraw(self, place: tuple[str, str], name: str) -> None:
        out = self.desk.withdraw(name, place[1], self.clock)
        self._take(out, self.twin.withdraw(name, place[1], self.clock))

    @rule(seconds=st.sampled_from([1.0, 60.0, 300.0, 1000.0, 4000.0, 20000.0]))
    def tick(self, seconds: float) -> None:
        self.clock += seconds
        out = self.desk.tick(self.clock)
        self._take(out, self.twin.tick(self.clock))
        spoke = {
            one.dispatch for one in out if isinstance(one, DispatchChange) and one.edge in ("overdue", "reassigned")
        }
        for one in out:
            if isinstance(one, DispatchChange) and one.reason == "dispatch.reminder":
                assert self.clock - self.said.get(one.dispatch, 0.0) >= 300.0, "reminded too often"
            if isinstance(one, DispatchChange) and one.edge == "overdue":
                self.said[one.dispatch] = self.clock
        assert self.desk.tick(self.clock) == self.twin.tick(self.clock) == [], "a tick said something twice"
        for alarm in self.desk.book.cases.alarms.values():
            assert alarm.shelf is None or alarm.shelf.until > self.clock, "set aside for longer than was said"
            assert (alarm.shelf is not None) == (alarm.state in ASIDE)
        for dispatch in self.dispatches.values():
            if dispatch.leg not in ("closed", "refused") and dispatch.deadline is not None:
                incident = self.desk.book.cases.incidents.get(dispatch.incident)
                held = incident is not None and all_silent(incident)
                assert dispatch.overdue or held or dispatch.deadline > self.clock
                assert not held or dispatch.dispatch not in spoke, "what is silent went up"
        for silent in self.desk.book.cases.silences.values():
            assert silent.until > self.clock, "silent for longer than was said"

    @rule(
        data=st.data(),
        kind=st.sampled_from(ORDERS),
        anything=st.sampled_from([False, False, False, True]),
        disposition=st.sampled_from([*DISPOSITIONS, "nonsense"]),
        unit=st.sampled_from([None, "u-c1", "u-s1", "u-none", ["u-c1", "u-s1"], ["u-s1"]]),
        lead=st.sampled_from([None, None, "u-c1", "u-s1"]),
        area=st.sampled_from([None, None, *AREAS]),
        text=st.sampled_from(["seen", "seen", ""]),
        actor=st.sampled_from(["user:an", "user:bo", "unit:u-c1"]),
        seconds=st.sampled_from([60.0, 600.0, 7200, 28800.0, 28801.0, 0, -1.0, float("nan"), "1 h", True, None]),
    )
    def order(
        self,
        data: st.DataObject,
        kind: str,
        anything: bool,
        disposition: str,
        unit: Any,
        lead: Any,
        area: str | None,
        text: str,
        actor: str,
        seconds: Any,
    ) -> None:
        cases = self.desk.book.cases
        fitting = [*cases.dispatches] if kind in LEGS else [*cases.incidents]
        fitting += [*cases.alarms] if kind in ON_ALARMS else [*cases.dispatches] if kind == "close" else []
        target = data.draw(st.sampled_from(self.known[-12:] if anything or not fitting else fitting))
        self.commands += 1
        args = {"disposition": disposition, "text": text, "reason": text, "seconds": seconds, "lead": lead}
        args |= {"units": unit} if isinstance(unit, list) else {"unit": unit, "to": unit}
        args |= {"area": area}
        if kind == "snapshot":
            args |= {"camera": "k1", "sha": f"{self.commands:064x}", "time": self.clock}
        self._give(command(kind, target, f"c{self.commands}", actor, **args))

    @rule(
        data=st.data(),
        areas=st.sampled_from([(), ("slope-1",), ("river-1",)]),
        scopes=st.sampled_from([(), (), ("p1",)]),
        rules=st.sampled_from([(), (), ("r1-risk",)]),
        level=st.sampled_from(["blue", "yellow", "orange", "orange", "red", "nonsense"]),
        until=st.sampled_from([0.0, 100.0, 5000.0, 30000.0, 1e9, float("nan"), -5.0]),
    )
    def silence(self, data: st.DataObject, areas: Any, scopes: Any, rules: Any, level: str, until: float) -> None:
        lasting = [*self.desk.book.cases.silences, "", "", "s-none"]
        self.commands += 1
        one = Silence(
            id=f"s{self.commands}",
            until=until and self.clock + until,
            actor="user:an",
            reason="works",
            time=self.clock,
            areas=areas,
            scopes=scopes,
            rules=rules,
            level=level,
            of=data.draw(st.sampled_from(lasting)),
        )
        before = self.desk.state()
        out = self.desk.silence(one, AREAS, self.clock)
        self._take(out, self.twin.silence(one, AREAS, self.clock))
        results = [outcome for outcome in out if isinstance(outcome, CommandResult)]
        assert len(results) == (one.of != "s-none"), "an order was not answered, or by whom it does not concern"
        assert out or self.desk.state() == before
        assert self.desk.silence(one, AREAS, self.clock) == []
        self.twin.silence(one, AREAS, self.clock)

    @precondition(lambda self: len(self.desk.book.cases.incidents) > 1)
    @rule(data=st.data(), stray=st.sampled_from([False, False, False, True]))
    def merge(self, data: st.DataObject, stray: bool) -> None:
        found = self.desk.book.cases.incidents
        one = data.draw(st.sampled_from([*found.values()]))
        like = [o.id for o in found.values() if o is not one and (o.kind, o.simulated) == (one.kind, one.simulated)]
        others = data.draw(st.lists(st.sampled_from(like if like and not stray else [*found, "i-none"]), max_size=2))
        self.regrouped = True
        self.commands += 1
        self._give(command("merge", one.id, f"c{self.commands}", incidents=others))

    @precondition(lambda self: any(len(one.members) > 1 for one in self.desk.book.cases.incidents.values()))
    @rule(data=st.data(), stray=st.sampled_from([[], [], [], ["a-none"]]))
    def split(self, data: st.DataObject, stray: list[str]) -> None:
        found = [one for one in self.desk.book.cases.incidents.values() if len(one.members) > 1]
        one = data.draw(st.sampled_from(found))
        most = len(one.members) - 1 + bool(stray)
        alarms = data.draw(st.lists(st.sampled_from([*one.members]), min_size=1, max_size=most)) + stray
        orders = data.draw(st.lists(st.sampled_from([*one.dispatches]), max_size=2)) if one.dispatches else []
        self.regrouped = True
        self.commands += 1
        self._give(command("split", one.id, f"c{self.commands}", alarms=alarms, dispatches=orders))

    @precondition(lambda self: self.desk.book.cases.candidates)
    @rule(data=st.data(), kind=st.sampled_from(["merge", "drop"]))
    def candidate(self, data: st.DataObject, kind: str) -> None:
        one = data.draw(st.sampled_from([*self.desk.book.cases.candidates.values()]))
        self.regrouped = kind == "merge"
        self.commands += 1
        self.known.append(one.id)
        self._give(command(kind, one.id, f"c{self.commands}"))
        assert one.id not in self.desk.book.cases.candidates or kind == "drop"

    def _give(self, one: Command) -> None:
        target = one.target
        out = self.desk.command(one, self.clock)
        self._take(out, self.twin.command(one, self.clock))
        (result,) = [outcome for outcome in out if isinstance(outcome, CommandResult)]
        assert out[-1] is result
        if not result.ok:
            assert len(out) == 1
            assert result.reason in messages.MESSAGES
        else:
            assert target in self.known
        assert self.desk.command(one, self.clock) == self.twin.command(one, self.clock) == []

    # What must hold

    def _take(self, out: list[AnyOutcome], unbroken: list[AnyOutcome]) -> None:
        assert out == unbroken
        saved = self.desk.state()  # a crash after every step
        self.desk = Desk(SITE, TOGETHER)
        self.desk.restore(saved)
        assert self.desk.state() == saved
        self.demands.clear()
        for outcome in out:
            assert outcome.id not in self.ids, "an id came twice"
            self.ids.add(outcome.id)
            if isinstance(outcome, AlarmTransition):
                self._alarm(outcome)
            elif isinstance(outcome, IncidentChange):
                self._incident(outcome)
            elif isinstance(outcome, DispatchChange):
                self._dispatch(outcome)
        self.regrouped = False
        working = [one for one in self.dispatches.values() if one.leg in WORKING]
        for incident, demand in self.demands.items():
            reached = self.desk.book.dispatch_rank(demand.area)
            case = self.desk.book.cases.incidents[incident]
            if demand.kind == "risk" and LEVELS.index(demand.level) + 1 >= reached:
                there = {case.head(one.area) for one in working if one.incident == incident}
                wanted = [one for one in out if isinstance(one, IncidentChange) and one.edge == "undispatched"]
                assert case.head(demand.area) in there | {one.args.get("area") for one in wanted}, (
                    "a demand at the dispatch level sent nobody"
                )

    def _alarm(self, step: AlarmTransition) -> None:
        before = self.alarms.get(step.alarm)
        assert step.id == f"{step.alarm}.{step.sequence}"
        assert (step.sequence, step.before) == ((before.sequence + 1, before.after) if before else (1, "NORM"))
        assert allowed(step.before, step.edge, step.after)
        assert (step.aside is not None) == (step.before in ASIDE or step.after in ASIDE)
        if step.edge in ASIDE.values():
            assert step.aside is not None and step.aside.by == step.actor and step.aside.reason == step.reason
            assert step.aside.until > step.time
        if step.edge in BACK.values():
            alarm = self.desk.book.cases.alarms.get(step.alarm)
            assert step.after == ("UNACK" if alarm is not None else "NORM"), "back as the process is"
            if step.edge == "unshelve" and step.reason == "alarm.worsened":
                assert step.aside is not None
                assert LEVELS.index(step.level) > LEVELS.index(step.aside.level)
        assert before is None or before.after != "NORM", "a finished alarm came back"
        latched = before is not None and "latched" in before.marks
        if step.before == "ACKED" and step.edge == "realarm":
            assert latched or LEVELS.index(step.level) > LEVELS.index(step.level_before or "")
        if step.rule.startswith("r2") and step.edge in ("return", "lower"):
            assert step.edge == "return"
            assert (latched and step.actor.startswith("user:")) or step.reason in (
                "alarm.rule_withdrawn",
                "alarm.real_readings",
            ), "a latched alarm ended by itself"
        scope = (step.rule, step.scope, step.simulated)
        assert self.open_scopes.setdefault(scope, step.alarm) == step.alarm, "two open alarms of a rule and scope"
        if step.after == "NORM":
            del self.open_scopes[scope]
        if before is None:
            self.known.append(step.alarm)
        silent = "silenced" in step.marks
        was_silent = before is not None and "silenced" in before.marks
        if silent:
            self.hushed.add(step.incident or "")
            assert step.level != "red", "red was silenced"
            if was_silent and step.after in ("UNACK", "ACKED") and step.edge in ("raise", "realarm"):
                assert LEVELS.index(step.level) + 1 <= self.desk.book.cases.alarms[step.alarm].quiet
        back = step.edge in BACK.values() and step.after == "UNACK"
        calls = back or step.edge in ("alarm", "realarm", "raise", "unhush")
        if calls and not silent and step.after == "UNACK":
            self.demands[step.incident or ""] = step
        self.alarms[step.alarm] = step

    def _incident(self, step: IncidentChange) -> None:
        before = self.incidents.get(step.incident)
        assert step.sequence == (before.sequence + 1 if before else 1)
        assert before is None or before.state != "closed", "a closed incident moved"
        assert before is None or before.simulated == step.simulated
        assert step.cause == step.alarms[0]
        if before is None:
            self.known.append(step.incident)
            assert step.edge == "opened"
        if step.edge == "closed" and not step.disposition:
            assert step.actor == "engine"
            mine = [one for one in self.dispatches.values() if one.incident == step.incident]
            assert all(one.repair and one.leg == "closed" for one in mine), (
                "somebody was sent, and nobody says what it was"
            )
        self.incidents[step.incident] = step

    def _dispatch(self, step: DispatchChange) -> None:
        before = self.dispatches.get(step.dispatch)
        assert step.sequence == (before.sequence + 1 if before else 1)
        assert step.leg in LEG_AFTER[step.edge]
        if before is None:
            self.known.append(step.dispatch)
            assert step.edge == "issued"
            if step.actor == "engine":
                kind = self.incidents[step.incident].kind
                assert (kind == "data_quality") == bool(step.repair), "by itself it sends to dangers, and to mend"
                incident = self.desk.book.cases.incidents[step.incident]
                others = [one for one in self.dispatches.values() if one.incident == step.incident]
                busy = [one for one in others if one.leg in WORKING]
                if step.repair:
                    assert step.repair not in [one.repair for one in busy], "somebody mends it already"
                elif not self.regrouped and step.incident in self.demands:
                    demand = self.demands[step.incident]
                    assert LEVELS.index(demand.level) + 1 >= self.desk.book.reached(incident, demand.area)
                    assert incident.head(demand.area) == incident.head(step.area), "it was sent elsewhere"
                    assert demand.id not in self.automatic, "an alarm sent someone twice"
                    self.automatic.add(demand.id)
                else:
                    assert self.regrouped or step.incident in self.hushed, "someone was sent for nothing"
                if not step.repair:
                    loud = loud_level(incident, self.under(incident, step.area))
                    assert loud >= self.desk.book.reached(incident, step.area)
                    assert incident.head(step.area) not in {incident.head(one.area) for one in busy}, "someone is there"
                    assert self.regrouped or (step.reason == "dispatch.linked") == bool(busy)
        else:
            assert before.leg not in ("closed",)
            assert before.leg != "refused" or step.edge == "reassigned"
        if step.edge == "closed" and before is not None and before.leg not in WORKING and step.area == "river-1":
            risk = self.incidents[step.incident].kind == "risk"
            assert not risk or before.leg == "follow_up", "the loop was not closed"
        if step.edge not in ("overdue", "raised", "lead", "moved"):
            self.entered[step.dispatch] = self.entered.get(step.dispatch, 0) + 1
        if step.reason == "dispatch.reminder":
            assert before is not None and (step.edge, step.leg) == ("overdue", before.leg)
            assert before.overdue, "a reminder of what is not overdue"
        elif step.edge == "overdue":
            leg = (step.dispatch, self.entered[step.dispatch])
            assert leg not in self.overdue, "overdue was said twice"
            self.overdue.add(leg)
        assert step.event is not None
        assert step.event["id"] == step.id
        assert ("simulation" in step.event) == step.simulated == self.incidents[step.incident].simulated
        self.dispatches[step.dispatch] = step

    @invariant()
    def incidents_stand_where_their_alarms_do(self) -> None:
        for incident in self.desk.book.cases.incidents.values():
            told = self.incidents[incident.id]
            assert (told.state, told.level) == (incident.state, LEVELS[incident.level - 1])
            mine = [one for one in self.alarms.values() if one.incident == incident.id and one.after != "NORM"]
            active = [LEVELS.index(one.level) + 1 for one in mine if one.after in ("UNACK", "ACKED")]
            open_dispatches = [
                one
                for one in self.dispatches.values()
                if one.incident == incident.id and one.leg not in ("closed", "refused", "follow_up")
            ]
            if not active:
                assert incident.state == "calm"
            else:
                assert incident.level == max(active)
                waits = any(one.after in ("UNACK", "RTNUN") for one in mine)
                assert incident.state == ("dispatched" if open_dispatches else "open" if waits else "acknowledged")

    @invariant()
    def every_alarm_and_order_is_of_one_open_incident_that_knows_it(self) -> None:
        found = self.desk.book.cases
        for incident in found.incidents.values():
            for id in incident.members:
                assert found.alarms[id].incident == incident.id and id in incident.alarms
            for id in (*incident.dispatches, *incident.visits):
                assert found.dispatches[id].incident == incident.id
            areas = {found.alarms[id].area for id in incident.members}
            assert areas <= {incident.area, *incident.also} and incident.area not in incident.also
        for key, id in found.current.items():
            assert key.partition("\0")[0] in (found.incidents[id].area, *found.incidents[id].also)

    @invariant()
    def what_is_tallied_is_what_a_count_of_the_members_gives(self) -> None:
        for incident in self.desk.book.cases.incidents.values():
            kept = incident.tally
            incident.recount(lambda id: self.desk.book.cases.alarms[id].area)
            counted, incident.tally = incident.tally, kept
            assert (kept.active, kept.loud, kept.places) == (counted.active, counted.loud, counted.places)
            assert (kept.waiting, kept.shelved) == (counted.waiting, counted.shelved)

    @invariant()
    def what_may_be_one_matter_is_open_and_of_one_kind(self) -> None:
        found = self.desk.book.cases
        taken: set[str] = set()
        for one in found.candidates.values():
            incidents = [found.incidents[id] for id in one.incidents]
            assert len(incidents) > 1 and not taken.intersection(one.incidents)
            assert {(each.kind, each.simulated) for each in incidents} == {("risk", one.simulated)}
            taken.update(one.incidents)

    @invariant()
    def where_several_work_together_one_of_them_leads(self) -> None:
        for incident in self.desk.book.cases.incidents.values():
            working = self.desk.book.together(incident)
            leads = {one.lead for one in working}
            if len(working) > 1:
                assert len(leads) == 1 and leads <= {one.unit for one in working}, leads
            for one in working:
                assert self.dispatches[one.id].lead == one.lead, "what leads was not recorded"

    def under(self, incident: Incident, area: str) -> list[str]:
        """List the areas that go by one level with an area of an incident."""
        return [one for one in incident.areas if incident.head(one) == incident.head(area)]

    @invariant()
    def every_reached_dispatch_level_was_acted_on(self) -> None:
        for incident in self.desk.book.cases.incidents.values():
            assert set(incident.acted) <= set(incident.linked) <= set(incident.also)
            if incident.kind != "risk":
                continue
            for area in incident.areas:
                if loud_level(incident, self.under(incident, area)) >= self.desk.book.reached(incident, area):
                    assert incident.is_acted_on(area)
            reached = self.desk.book.reached(incident)
            if not incident.linked and incident.peak >= reached and incident.id not in self.hushed:
                assert incident.dispatched

    @invariant()
    def units_have_as_much_to_do_as_a_count_of_the_open_orders_gives(self) -> None:
        for simulated in (False, True):
            counted = Counter(
                one.unit
                for one in self.desk.book.cases.dispatches.values()
                if one.leg in WORKING and one.simulated == simulated
            )
            assert self.desk.book.burden.of(simulated) == counted

    @invariant()
    def a_device_is_mended_by_one_order_while_it_is_in_trouble(self) -> None:
        found = self.desk.book.cases
        for incident in found.incidents.values():
            sick = {found.alarms[id].scope for id, member in incident.members.items() if member.rank}
            orders = [found.dispatches[id] for id in incident.dispatches if found.dispatches[id].device]
            assert len({one.device for one in orders if one.leg in WORKING}) == sum(
                one.leg in WORKING for one in orders
            )
            assert set(incident.mending) <= sick
            assert all(one.device in sick for one in orders if one.leg in ("issued", "accepted"))

    def teardown(self) -> None:
        assert msgspec.msgpack.decode(self.desk.state())


DeskMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestDeskMachine = DeskMachine.TestCase
