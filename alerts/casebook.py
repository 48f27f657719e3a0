"""The cases one partition has open: alarms, incidents, dispatches; and the records that each change of them makes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from alerts import cloudevent, messages
from alerts.alarm import Alarm, Edge, Note, Shelf
from alerts.burden import Burden
from alerts.condition import Carried, Rule, carried
from alerts.dispatch import WORKING, Dispatch, allowed_seconds
from alerts.drill import Drill
from alerts.duty import Roster
from alerts.escalation import DEFAULT, Chains
from alerts.flapping import Rings
from alerts.hush import Silenced
from alerts.incident import Candidate, Incident, derive_state, loud_level
from alerts.linked import Links
from alerts.mode import Down, Spell, governing, spell_key
from alerts.outcome import (
    AlarmState,
    AlarmTransition,
    Aside,
    Attachment,
    DispatchChange,
    Explanation,
    IncidentChange,
    Mark,
)
from alerts.plans import Plans, key
from alerts.routing import Router
from sensors.renames import Renames
from sensors.site import LEVELS, RANK, SYSTEM, EscalationStep, Loop, Plan, Site


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk may be told otherwise. Times are seconds."""

    join_after_calm: float = 1800.0  # an incident calm for longer takes no new alarm: a new one opens
    close_after_calm: float = 900.0  # a calm, acknowledged incident to which nobody was sent closes after this
    remind_first: float = 300.0  # what waits for a person is said again after this, then after twice as long, ...
    remind_longest: float = 3600.0  # ... and at least this often
    remember: int = 4096  # ids of answered commands and of closed cases
    longest_text: int = 4000  # characters of a comment, note or reason
    most_snapshots: int = 64  # pictures of one incident
    most_attachments: int = 16  # files of one alarm
    aside_longest: float = 30 * 86400.0  # an alarm is out of service or suppressed no longer than this
    shelf_warning: float = 600.0  # before a shelf ends it is said so, at half its time when that is shorter
    chatter_raises: int = 5  # an alarm that rings so often within the window chatters, until it has been
    chatter_window: float = 600.0  # silent for as long
    fleeting: float = 10.0  # an alarm that returns unacknowledged within this gave nobody the time to act
    candidate_window: float = 1800.0  # incidents that rise within this of each other may be one matter ...
    candidate_areas: int = 3  # ... when they are of so many areas of a subdistrict
    silence_longest: float = 86400.0  # a silence lasts no longer than this
    stale_after: float = 86400.0  # an alarm that is active for longer is stale (EEMUA 191)
    links: str = ""  # where the console is served, for links in events: "https://desk.example"


class Cases(msgspec.Struct, kw_only=True):
    """The state of one partition's desk, as it is saved."""

    alarms: dict[str, Alarm] = {}
    incidents: dict[str, Incident] = {}
    dispatches: dict[str, Dispatch] = {}
    counts: dict[str, int] = {}  # rule and scope → alarms so far
    current: dict[str, str] = {}  # area, kind and simulated → the incident that takes new alarms
    gone: dict[str, str] = {}  # id of a finished case → why a command on it is refused; bounded
    answered: dict[str, bool] = {}  # ids of commands; bounded
    modes: dict[str, Spell] = {}  # mode and area → the spell that the site is in there
    rings: dict[str, Rings] = {}  # by `condition_key`: when its alarm rang of late
    settled: dict[str, str] = {}  # alike: a condition of events that holds on → the incident closed over it
    candidates: dict[str, Candidate] = {}  # what may be one matter
    silences: dict[str, Silenced] = {}  # those that last
    gateways: dict[str, Down] = {}  # those that are gone, and those just back
    drills: dict[str, Drill] = {}  # those that run
    signed: dict[str, str] = {}  # turns of duty that were taken over → by whom; bounded
    plans: dict[str, Plan] = {}  # those that open incidents keep to, whatever is published meanwhile
    linked_acted: bool = False  # its incidents say on which of their linked areas was acted; older snapshots do not


CALLS = ("undispatched", "reminded")
"""Changes of an incident that the world is told of."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Cases)


class Casebook:
    """Hold the open cases of one partition, and write the record of every change of them."""

    def __init__(self, site: Site, settings: Settings, partition: int = 0) -> None:
        self.partition = partition
        self.settings = settings
        self.cases = Cases(linked_acted=True)
        self.scopes: dict[tuple[str, str, bool], Alarm] = {}
        self._of: dict[str, dict[str, Alarm]] = {}
        self.burden = Burden()
        self.wake = float("inf")  # nothing is due before this time
        self.publish(site)

    def publish(self, site: Site) -> None:
        """Put another version of the site in force; open cases stay."""
        self.site = site
        self._carried: dict[str, Carried] = {}
        self.router = Router(site)
        self._plans = Plans(site)
        self.chains = Chains(site)
        self.roster = Roster(site)
        self.links = Links(site)
        self.gateways = {gateway.id: gateway for gateway in site.gateways}
        self.points = {point.id for point in site.points}
        self._carried_by = {point.id: point.gateway for point in site.points if point.gateway}
        self.report_kinds = {kind.category: kind for kind in site.reports}
        self._dispatch_rank = {kind.id: RANK[kind.levels_dispatch] for kind in site.area_types}
        self._close_needs = {kind.id: kind.close_needs for kind in site.area_types}

    def carried(self, rule: Rule) -> Carried:
        """Return what the alarms of a rule take over from it, gathered once."""
        found = self._carried.get(rule.id)
        if found is None or found.rule is not rule:
            found = self._carried[rule.id] = carried(rule)
        return found

    def dump(self) -> bytes:
        """Encode all cases (msgpack)."""
        return _encoder.encode(self.cases)

    def load(self, state: bytes) -> None:
        """Take back what `dump` encoded. Raise `msgspec.DecodeError` on anything else, changing nothing."""
        self.cases = _decoder.decode(state)
        self._index()
        for incident in self.cases.incidents.values():
            incident.recount(self.area_of)  # an older snapshot has no tally, or one without places
            if not self.cases.linked_acted:
                self._guess_acted(incident)
        self.cases.linked_acted = True
        self.burden = Burden()
        for dispatch in self.cases.dispatches.values():
            self.burden.note(dispatch)
        self.wake = float("-inf")

    def _guess_acted(self, incident: Incident) -> None:
        """Take the linked areas that somebody is on for those on which was acted: it is all that was kept once."""
        if incident.dispatched and incident.kind == "risk" and incident.linked and not incident.acted:
            held = (self.cases.dispatches.get(id) for id in (*incident.dispatches, *incident.visits))
            sent = {one.area for one in held if one is not None and not one.repair}
            incident.acted = [area for area in incident.linked if area in sent]

    def add_alarm(self, alarm: Alarm) -> None:
        """Hold an alarm that is new."""
        self.cases.alarms[alarm.id] = alarm
        self.scopes[alarm.rule, alarm.scope, alarm.simulated] = alarm
        self._of.setdefault(alarm.scope, {})[alarm.id] = alarm

    def area_of(self, alarm: str) -> str:
        """Return the area of an alarm that is held."""
        return self.cases.alarms[alarm].area

    def alarms_of(self, scope: str) -> list[Alarm]:
        """List the alarms of a point, area or camera that are not normal."""
        return [*self._of.get(scope, {}).values()]

    def _index(self) -> None:
        """Find all alarms by rule and scope, and by scope, anew."""
        self.scopes, self._of = {}, {}
        for alarm in self.cases.alarms.values():
            self.add_alarm(alarm)

    def rename(self, renames: Renames, kinds: Mapping[str, str]) -> None:
        """Have open cases go on under the ids of now; `kinds` says of rules whether they watch points or what else."""
        cases = self.cases
        for alarm in cases.alarms.values():
            alarm.scope = renames.scope(alarm.scope, alarm.area, kinds.get(alarm.rule))
            alarm.area = renames.area(alarm.area)
        for incident in cases.incidents.values():
            mending = incident.mending.items()
            incident.mending = {renames.scope(device, incident.area): id for device, id in mending}
            incident.area = renames.area(incident.area)
            for areas in (incident.also, incident.linked, incident.acted, incident.apart):
                areas[:] = [renames.area(area) for area in areas]
            incident.at = renames.area(incident.at) if incident.at else ""
            incident.recount(self.area_of)
        for dispatch in cases.dispatches.values():
            if dispatch.device:
                dispatch.device = renames.scope(dispatch.device, dispatch.area)
            dispatch.area = renames.area(dispatch.area)
        self._index()
        counts: dict[str, int] = {}
        for counted, count in cases.counts.items():  # an id that comes back must not give the ids of alarms anew
            rule, _, scope = counted.partition("\0")
            named = f"{rule}\0{renames.scope(scope, kind=kinds.get(rule))}"
            counts[named] = max(count, counts.get(named, 0))
        cases.counts = counts

        def now(key: str) -> str:
            rule, scope, simulated = key.split("\0")
            return condition_key(rule, renames.scope(scope, kind=kinds.get(rule)), simulated == "1")

        cases.rings = {now(key): one for key, one in cases.rings.items()}
        cases.settled = {now(key): incident for key, incident in cases.settled.items()}
        for spell in cases.modes.values():
            spell.area = renames.area(spell.area) if spell.area else ""
        cases.modes = {spell_key(spell.mode, spell.area): spell for spell in cases.modes.values()}
        for silence in cases.silences.values():
            silence.rename(renames)
        for running in cases.drills.values():
            running.areas = tuple(renames.area(area) for area in running.areas)
        current: dict[str, str] = {}
        for named, id in cases.current.items():
            area, _, rest = named.partition("\0")
            if id in cases.incidents:
                current[f"{renames.area(area)}\0{rest}"] = id
        cases.current = current

    def wake_at(self, time: float | None) -> None:
        """Have the tick look at this time."""
        if time is not None and time < self.wake:
            self.wake = time

    def step(self, seconds: float) -> None:
        """Move all times that are still to come, or counted from, by a step of the wall clock."""
        for dispatch in self.cases.dispatches.values():
            dispatch.deadline = _moved(dispatch.deadline, seconds)
            dispatch.remind_at = _moved(dispatch.remind_at, seconds)
        for alarm in self.cases.alarms.values():
            alarm.raised += seconds if alarm.raised else 0.0
            if alarm.shelf is not None:
                alarm.shelf.since += seconds
                alarm.shelf.until += seconds
        for spell in self.cases.modes.values():
            spell.since += seconds
            spell.until += seconds
        for silence in self.cases.silences.values():
            silence.since += seconds
            silence.until += seconds
        for drill in self.cases.drills.values():
            drill.until += seconds
        for down in self.cases.gateways.values():
            down.since += seconds
            down.until = _moved(down.until, seconds)
        for rings in self.cases.rings.values():
            rings.times = [time + seconds for time in rings.times]
        for incident in self.cases.incidents.values():
            incident.calm_since = _moved(incident.calm_since, seconds)
            incident.remind_at = _moved(incident.remind_at, seconds)
            incident.rose += seconds if incident.rose else 0.0
        self.wake += seconds

    def next_reminder(self, said: int, clock: float) -> float:
        """Return when something that waits for a person is said again, after it was said `said` times more."""
        settings = self.settings
        return clock + min(settings.remind_first * 2.0 ** min(said, 16), settings.remind_longest)

    def alarm_due(self, alarm: Alarm) -> float | None:
        """Return when the clock alone has something to say of an alarm, None when never."""
        shelf = alarm.shelf
        if shelf is not None:
            return shelf.until if shelf.warned else warn_at(shelf, self.settings.shelf_warning)
        if alarm.stale or alarm.state not in ("UNACK", "ACKED"):
            return None
        return (alarm.raised or alarm.onset) + self.settings.stale_after  # one of an older snapshot has the onset alone

    def yields_to(self, alarm: Alarm, rank: int) -> Spell | None:
        """Return the spell, of a mode or a gateway, that suppresses an alarm at a rank by design; None: it may ring."""
        inhibited = self.inhibited_by(alarm)
        if inhibited is not None:
            return inhibited
        if not self.cases.modes or rank > alarm.yields_to:
            return None
        return governing(self.cases.modes.values(), alarm.yields, alarm.area)

    def inhibited_by(self, alarm: Alarm) -> Spell | None:
        """Return the spell of the gateway that is gone and of whose trouble an alarm is a symptom."""
        if not self.cases.gateways or not alarm.of_silence:
            return None
        down = self.cases.gateways.get(self._carried_by.get(alarm.scope, ""))
        if down is None or down.simulated != alarm.simulated:
            return None
        return Spell(
            order="",
            mode="",
            area=alarm.area,
            since=down.since,
            until=down.since + self.settings.aside_longest,
            by=f"gateway:{down.gateway}",
            reason="gateway.gone",
            gateway=down.gateway,
        )

    def silence_of(self, rule: str, scope: str, area: str, rank: int) -> Silenced | None:
        """Return the silence that covers an alarm of a rule and scope at a rank, the one that lasts longest."""
        found = [one for one in self.cases.silences.values() if one.covers(rule, scope, area, rank)]
        return max(found, key=lambda one: (one.until, one.id), default=None)

    def dispatch_rank(self, area: str) -> int:
        """Return the rank at which an incident of an area is dispatched at once."""
        found = self.router.areas.get(area)
        return self._dispatch_rank.get(found.type, RANK["orange"]) if found is not None else RANK["orange"]

    def reached(self, incident: Incident, area: str = "") -> int:
        """Return the rank at which somebody is sent to an area of an incident at once.

        A linked area goes by its own; the incident's own and those that were merged into it by the lowest of theirs.
        """
        if area in incident.linked:
            return self.dispatch_rank(area)
        if not incident.also:
            return self.dispatch_rank(incident.area)
        return min(self.dispatch_rank(one) for one in incident.joined)

    def needs(self, dispatch: Dispatch) -> tuple[Loop, ...]:
        """Name what must come before a dispatch that was dealt with may be closed; a repair needs nothing."""
        area = self.router.areas.get(dispatch.area)
        if area is None or self.kind_of(dispatch) != "risk":
            return ()
        return self._close_needs.get(area.type, ())

    def kind_of(self, dispatch: Dispatch) -> str:
        """Say of which kind what somebody was sent for is, also once its incident is closed."""
        incident = self.cases.incidents.get(dispatch.incident)
        if dispatch.kind or incident is None:  # one of an older snapshot says of itself only that it mends
            return dispatch.kind or ("data_quality" if dispatch.repair or dispatch.device else "risk")
        return incident.kind

    def working(self, incident: Incident) -> list[Dispatch]:
        """List the dispatches of an incident that somebody is on, the first first."""
        found = (self.cases.dispatches[id] for id in incident.dispatches)
        return [dispatch for dispatch in found if dispatch.leg in WORKING]

    def together(self, incident: Incident) -> list[Dispatch]:
        """List those of them that work together, under one lead: not who is sent to mend one device."""
        return [dispatch for dispatch in self.working(incident) if not dispatch.device]

    # Units

    def suggest(self, incident: Incident, clock: float, tried: Collection[str] = (), area: str = "") -> list[str]:
        """List the units to send to an incident, or to one of its areas, best first: in a drill none but its own.

        Who answers for what people told of comes first. Who has refused this incident comes last: a new danger asks
        again rather than have nobody.
        """
        found = self.router.suggest(
            area or incident.area, incident.kind, tried, clock, self.burden.of(incident.simulated)
        )
        first = [unit for unit in self.answering(incident, area) if unit not in tried]
        found = [*first, *(unit for unit in found if unit not in first)]
        found.sort(key=incident.refused.__contains__)
        return [unit for unit in found if self.takes_part(incident, unit)]

    def answering(self, incident: Incident, area: str = "") -> list[str]:
        """List the units that the site has answer for the category that a case by report was last told of."""
        cause = self.cases.alarms.get(incident.cause) if incident.sort else None
        kind = self.report_kinds.get(cause.category) if cause is not None else None
        return self.router.answering(area or incident.area, kind.units) if kind is not None else []

    def passed_over(self, dispatch: Dispatch, kind: str, clock: float, tried: Collection[str] = ()) -> dict[str, int]:
        """Return the units before which the one that is sent goes by their load alone, and how many orders each has."""
        load = self.burden.of(dispatch.simulated)
        if not load:
            return {}
        plain, loaded = (self.router.suggest(dispatch.area, kind, tried, clock, by) for by in (None, load))
        if dispatch.unit not in plain:  # somebody from elsewhere
            return {}
        before, after = plain[: plain.index(dispatch.unit)], loaded[loaded.index(dispatch.unit) :]
        return {one: load[one] for one in before if one in after and self.takes_part(dispatch, one)}

    def takes_part(self, case: Incident | Dispatch, unit: str) -> bool:
        """Tell whether a unit may be sent to an incident, or get a dispatch: a drill reaches those alone it names."""
        if not case.exercise:
            return True
        drill = self.cases.drills.get(case.exercise)
        return drill is not None and unit in drill.units

    def chain(self, dispatch: Dispatch) -> tuple[EscalationStep, ...]:
        """Return what the clock does about a dispatch that is overdue; a site's own chains are for risks alone."""
        ours = dispatch.leg in WORKING and self.kind_of(dispatch) == "risk"
        return self.chains.of(dispatch.area, dispatch.level) if ours else DEFAULT

    # Plans

    def plan_of(self, incident: Incident) -> Plan | None:
        """Return the plan that an incident keeps to."""
        return self.cases.plans.get(incident.plan)

    def pin_plan(self, incident: Incident) -> Plan | None:
        """Have an incident keep to the plan for its highest level so far; return it if it is another than before."""
        incident.planned = incident.peak
        plan = self._plans.of(incident.area, incident.peak)
        if plan is None or key(plan) == incident.plan:
            return None
        before, incident.plan = incident.plan, key(plan)
        same = {step.id for step in plan.steps} if before.partition("@")[0] == plan.id else set()
        incident.ticks = {step: tick for step, tick in incident.ticks.items() if step in same}
        self.cases.plans[incident.plan] = plan
        self._drop_plan(before)
        return plan

    def _drop_plan(self, key: str) -> None:
        if key and all(incident.plan != key for incident in self.cases.incidents.values()):
            self.cases.plans.pop(key, None)

    # Finished cases

    def finish_alarm(self, alarm: Alarm, why: str) -> None:
        """Drop an alarm that is normal again."""
        self.cases.alarms.pop(alarm.id, None)
        self.scopes.pop((alarm.rule, alarm.scope, alarm.simulated), None)
        held = self._of.get(alarm.scope)
        if held is not None:
            held.pop(alarm.id, None)
            if not held:
                del self._of[alarm.scope]
        self._gone(alarm.id, why)

    def finish_incident(self, incident: Incident, why: str = "incident.closed") -> None:
        """Drop a closed incident."""
        self.cases.incidents.pop(incident.id, None)
        for area in (incident.area, *incident.also):
            current = current_key(area, incident.kind, incident.simulated, incident.exercise)
            if self.cases.current.get(current) == incident.id:
                del self.cases.current[current]
        self._drop_plan(incident.plan)
        self._gone(incident.id, why)

    def finish_dispatch(self, dispatch: Dispatch) -> None:
        """Drop a dispatch that nobody works any more."""
        self.cases.dispatches.pop(dispatch.id, None)
        self._gone(dispatch.id, f"dispatch.{dispatch.leg}")
        incident = self.cases.incidents.get(dispatch.incident)
        if incident is not None:
            (incident.visits if dispatch.id in incident.visits else incident.dispatches).remove(dispatch.id)
            incident.state = derive_state(incident)

    def finish_candidate(self, one: Candidate, why: str) -> None:
        """Drop a candidate that was decided, or has nothing left to decide."""
        self.cases.candidates.pop(one.id, None)
        self._gone(one.id, why)

    def _gone(self, id: str, why: str) -> None:
        bound(self.cases.gone, self.settings.remember)
        self.cases.gone[id] = why

    # Records

    def alarm_record(
        self,
        alarm: Alarm,
        edge: Edge | Note,
        after: AlarmState,
        clock: float,
        *,
        actor: str,
        reason: str = "",
        level_before: int | None = None,
        explanation: Explanation | None = None,
        rationale: dict[str, Any] | None = None,
        marks: tuple[Mark, ...] = (),
        attachment: Attachment | None = None,
    ) -> AlarmTransition:
        """Move an alarm along an edge and record it, with `marks` of this edge beside those of the alarm."""
        before, alarm.state = alarm.state, after
        alarm.sequence += 1
        self.wake_at(self.alarm_due(alarm))
        return AlarmTransition(
            id=f"{alarm.id}.{alarm.sequence}",
            alarm=alarm.id,
            sequence=alarm.sequence,
            rule=alarm.rule,
            rule_version=alarm.rule_version,
            kind=alarm.kind,
            area=alarm.area,
            scope=alarm.scope,
            incident=alarm.incident,
            edge=edge,
            before=before,
            after=after,
            level=LEVELS[alarm.level - 1],
            level_before=LEVELS[level_before - 1] if level_before else None,
            onset=alarm.onset,
            time=clock,
            actor=actor,
            reason=reason,
            explanation=explanation,
            title=alarm.title if edge == "alarm" or alarm.sequence == 1 else {},
            rationale=rationale or {},
            simulated=alarm.simulated,
            aside=_aside(alarm.shelf),
            assignee=alarm.assignee,
            marks=alarm.marks + marks,
            folded=alarm.folded,
            exercise=alarm.exercise,
            attachment=attachment,
        )

    def asks_for_verdict(self, incident: Incident) -> bool:
        """Tell whether the site wants a person to say what an incident was, though nobody was sent."""
        return self.site.disposition == "always" and incident.kind == "risk" and not incident.simulated

    def incident_record(
        self,
        incident: Incident,
        edge: str,
        clock: float,
        *,
        actor: str = "",
        reason: str = "",
        disposition: str = "",
        args: dict[str, Any] | None = None,
        told: bool = True,
    ) -> IncidentChange:
        """Record a change of an incident as it stands now; without `told` the world does not hear of it."""
        incident.sequence += 1
        id = f"{incident.id}.{incident.sequence}"
        self.wake_at(incident.remind_at)
        return IncidentChange(
            id=id,
            incident=incident.id,
            sequence=incident.sequence,
            area=incident.area,
            kind=incident.kind,
            edge=edge,
            state=incident.state,
            level=LEVELS[incident.level - 1],
            peak=LEVELS[incident.peak - 1],
            cause=incident.cause,
            alarms=tuple(incident.alarms),
            opened=incident.opened,
            time=clock,
            actor=actor,
            reason=reason,
            disposition=disposition,
            title=self.incident_title(incident),
            args=args or {},
            event=self._call(incident, id, edge, reason, clock, args or {}) if told and edge in CALLS else None,
            simulated=incident.simulated,
            unacknowledged=not incident.acknowledged,
            exercise=incident.exercise,
            sort=incident.sort,
            subject=incident.subject,
            areas=tuple(incident.areas) if incident.also else (),
        )

    def _call(
        self, incident: Incident, id: str, edge: str, reason: str, clock: float, args: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Make the CloudEvent that tells the world that nobody is on an incident, or that nobody acknowledges it."""
        cause = self.cases.alarms.get(incident.cause)
        # of several areas the one whose level the incident has, its cause's before others
        worst = max(incident.areas, key=lambda area: loud_level(incident, (area,)))
        return cloudevent.incident_event(
            id=id,
            site=self.site.id,
            edge=edge,
            incident=incident.id,
            time=clock,
            data={
                "incident": incident.id,
                "title": self.incident_title(incident),
                "area": self._area_data(args.get("area") or worst),
                "level": LEVELS[incident.level - 1],
                "why": cause.why if cause is not None else "",
                "rule": cause.rule if cause is not None else "",
                "edge": edge,
                "state": incident.state,
                "reason": reason,
                "reminders": incident.reminders,
                **({"exercise": incident.exercise} if incident.exercise else {}),
                "links": {"incident": f"{self.settings.links}/#/incidents/{incident.id}"},
            },
            simulated=incident.simulated,
        )

    def incident_title(self, incident: Incident) -> dict[str, str]:
        """Title an incident by its area, its cause and its level; by its highest one once closed."""
        level = incident.peak if incident.state == "closed" else incident.level
        return messages.incident_title(self.area_name(incident.at or incident.area), incident.title, LEVELS[level - 1])

    def dispatch_record(
        self,
        dispatch: Dispatch,
        edge: str,
        clock: float,
        *,
        actor: str = "",
        reason: str = "",
        previous: str = "",
        recalled: bool = False,
    ) -> DispatchChange:
        """Record a change of a dispatch as it stands now, with its CloudEvent.

        `recalled`: it ends while somebody is still on it, who must hear of that.
        """
        dispatch.sequence += 1
        self.burden.note(dispatch)
        id = f"{dispatch.id}.{dispatch.sequence}"
        self.wake_at(dispatch.due)
        return DispatchChange(
            id=id,
            dispatch=dispatch.id,
            sequence=dispatch.sequence,
            incident=dispatch.incident,
            area=dispatch.area,
            unit=dispatch.unit,
            edge=edge,
            leg=dispatch.leg,
            level=LEVELS[dispatch.level - 1],
            lead=dispatch.lead,
            deadline=dispatch.deadline,
            time=clock,
            overdue=dispatch.overdue,
            actor=actor,
            reason=reason,
            previous=previous,
            event=cloudevent.dispatch_event(
                id=id,
                site=self.site.id,
                edge=edge,
                incident=dispatch.incident,
                time=clock,
                data=self._dispatch_data(dispatch, edge, reason, previous) | ({"recalled": True} if recalled else {}),
                simulated=dispatch.simulated,
            ),
            simulated=dispatch.simulated,
            repair=_repair(dispatch),
        )

    def _dispatch_data(self, dispatch: Dispatch, edge: str, reason: str, previous: str) -> dict[str, Any]:
        """Gather what whoever is sent needs to know."""
        incident = self.cases.incidents.get(dispatch.incident)
        cause = self.cases.alarms.get(incident.cause) if incident is not None else None
        unit = self.router.units.get(dispatch.unit)
        deadlines = {
            due: allowed_seconds(self.site.deadlines, leg, dispatch.level)
            for leg, due in zip(WORKING, ("accept", "on_scene", "resolve"), strict=True)
        }
        return {
            "dispatch": dispatch.id,
            "incident": dispatch.incident,
            "title": self.incident_title(incident) if incident is not None else {},
            "area": self._area_data(dispatch.area),
            "level": LEVELS[dispatch.level - 1],
            "why": cause.why if cause is not None else "",
            "rule": cause.rule if cause is not None else "",
            "unit": {
                "id": dispatch.unit,
                "name": {"zh": unit.name.zh, "en": unit.name.en} if unit is not None else {},
                "contact": unit.contact if unit is not None else "",
            },
            "lead": dispatch.lead or None,
            "previous": previous or None,
            "copies": [previous] if previous else list(dispatch.told),
            **({"repair": _repair(dispatch)} if dispatch.device else {}),
            **({"passed_over": dispatch.passed_over} if dispatch.passed_over else {}),
            "edge": edge,
            "leg": dispatch.leg,
            "deadline": cloudevent.timestamp(dispatch.deadline) if dispatch.deadline is not None else None,
            "deadlines": deadlines,
            "overdue": dispatch.overdue,
            **({"exercise": dispatch.exercise} if dispatch.exercise else {}),
            "reminders": dispatch.reminders,
            "note": dispatch.note,
            "plan": _named(self.plan_of(incident) if incident is not None else None),
            "reason": reason,
            "links": {
                "incident": f"{self.settings.links}/#/incidents/{dispatch.incident}",
                "dispatch": f"{self.settings.links}/#/dispatches/{dispatch.id}",
            },
        }

    def _area_data(self, id: str) -> dict[str, Any]:
        area = self.router.areas.get(id)
        location = area.location if area is not None else None
        return {"id": id, "name": self.area_name(id), "location": list(location) if location is not None else None}

    def area_name(self, id: str) -> dict[str, str]:
        """Return the name of an area by language; its id where there is no such area."""
        if id == SYSTEM:
            return messages.both("area.system")
        area = self.router.areas.get(id)
        return {"zh": area.name.zh, "en": area.name.en} if area is not None else {"zh": id, "en": id}


def _repair(dispatch: Dispatch) -> dict[str, str] | None:
    return {"kind": dispatch.device_kind, "device": dispatch.device} if dispatch.device else None


def _named(plan: Plan | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    return {"id": plan.id, "version": plan.version, "name": {"zh": plan.name.zh, "en": plan.name.en}}


def warn_at(shelf: Shelf, warning: float) -> float:
    """Return when to say that a shelf ends soon: `warning` seconds before, but not in its first half."""
    return max(shelf.until - warning, (shelf.since + shelf.until) / 2)


def _aside(shelf: Shelf | None) -> Aside | None:
    if shelf is None:
        return None
    level = LEVELS[shelf.level - 1]
    return Aside(
        by=shelf.by,
        reason=shelf.reason,
        since=shelf.since,
        until=shelf.until,
        level=level,
        hidden=shelf.hidden,
        mode=shelf.mode,
        gateway=shelf.gateway,
    )


def _moved(time: float | None, seconds: float) -> float | None:
    return None if time is None else time + seconds


def current_key(area: str, kind: str, simulated: bool, exercise: str = "") -> str:
    """Key of the incident that takes new alarms."""
    return f"{area}\0{kind}\0{int(simulated)}" + (f"\0{exercise}" if exercise else "")


def condition_key(rule: str, scope: str, simulated: bool) -> str:
    """Key of what is remembered of a condition beyond its alarm."""
    return f"{rule}\0{scope}\0{int(simulated)}"


def bound(memory: dict[str, Any], most: int) -> None:
    """Forget the oldest entries of a memory so that one more fits."""
    while len(memory) >= most:
        del memory[next(iter(memory))]
