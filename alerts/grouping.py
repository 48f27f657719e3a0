"""Conditions become alarms, and alarms incidents: the process side of the desk."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from alerts import candidate, condition, repair
from alerts.alarm import Alarm, Edge, Shelf, process_edge, step
from alerts.casebook import Casebook, condition_key, current_key
from alerts.drill import drill_at
from alerts.flapping import Rings, ring
from alerts.identity import alarm_id, incident_id
from alerts.incident import (
    Incident,
    Member,
    add_alarm,
    all_silent,
    derive_level,
    derive_state,
    make_cause,
    may_close_by_itself,
)
from alerts.linked import Way
from alerts.mode import Spell
from alerts.outcome import AnyOutcome, Explanation, Mark
from alerts.sending import ENGINE, follow_level, resume
from sensors.site import GATEWAY_RULE, LEVELS, RANK

_DEMANDS: tuple[Edge, ...] = ("alarm", "realarm", "raise", "unshelve", "unsuppress", "in_service")
_RINGS: tuple[Edge, ...] = ("alarm", "realarm")


def apply(book: Casebook, change: condition.Change, clock: float, out: list[AnyOutcome]) -> None:
    """Bring the alarm of a rule and scope to where its condition is now.

    Real and simulated alarms are apart. A simulated condition over an active real alarm leaves that as it is and has
    a simulated one beside it, so that an exercise never sends a real unit; a real one over an active simulated alarm
    ends that and raises a real alarm of its own.
    """
    rank = change.after
    settled = bool(book.cases.settled) and _stays_settled(book, change)
    real = book.scopes.get((change.rule.id, change.scope, False))
    simulated = book.scopes.get((change.rule.id, change.scope, True))
    if rank == 0:
        for alarm in (real, simulated):
            if alarm is not None:
                _move(book, alarm, change, 0, clock, out)
        return
    target = simulated if change.simulated else real
    if simulated is not None and simulated.process and not change.simulated:
        simulated.latch = False  # what was played makes way for what is real
        _move(book, simulated, change, 0, clock, out, reason="alarm.real_readings")
    if target is not None:
        _move(book, target, change, rank, clock, out)
    elif not settled:
        _open(book, change, clock, out)


def _stays_settled(book: Casebook, change: condition.Change) -> bool:
    """Tell whether a person closed the case of a condition of events, and it only falls since.

    What is told at the level where it stood is news: another event came, or what is real over what was played.
    """
    settled, key = book.cases.settled, condition_key(change.rule.id, change.scope, change.simulated)
    if not change.after:
        _forget_settled(book, change.rule.id, change.scope)
    elif change.after >= change.before:
        settled.pop(key, None)
    return key in settled


def _forget_settled(book: Casebook, rule: str, scope: str) -> None:
    for simulated in (False, True):
        book.cases.settled.pop(condition_key(rule, scope, simulated), None)


def withdraw(book: Casebook, rule: str, scope: str, clock: float, out: list[AnyOutcome]) -> None:
    """Return the alarms of a rule and scope that are no longer in force: nothing would ever clear them."""
    _forget_settled(book, rule, scope)
    for simulated in (False, True):
        alarm = book.scopes.get((rule, scope, simulated))
        if alarm is not None:
            alarm.latch = False
            _follow(book, alarm, 0, _edge(alarm, 0), False, clock, out, reason="alarm.rule_withdrawn")


class Standing(NamedTuple):
    """How an incident stood before a change."""

    level: int
    calm: bool
    acknowledged: bool


def standing(incident: Incident) -> Standing:
    """Note how an incident stands."""
    return Standing(incident.level, incident.calm, incident.acknowledged)


def settle(
    book: Casebook,
    incident: Incident,
    was: Standing,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    edge: str = "",
    reason: str = "",
    demand: int = 0,
    silent: bool = False,
    area: str = "",
    device: str = "",
    args: dict[str, Any] | None = None,
) -> None:
    """Bring an incident up to its alarms, record what changed since `was`, and let the dispatches follow.

    `demand` is the rank of an alarm that has just been raised, rung again or risen, and `area` where; one that is
    `silent` calls nobody. Where one alarm alone has changed, `device` is its scope.
    """
    incident.level = derive_level(incident)
    incident.state = derive_state(incident)
    now = standing(incident)
    if now.calm and incident.calm_since is None:
        incident.calm_since = clock
    elif not now.calm:
        incident.calm_since = None
    if may_close_by_itself(incident) and incident.calm_since is not None:
        book.wake_at(incident.calm_since + book.settings.close_after_calm)
    if not edge:
        if now.calm and not was.calm:
            edge = "calmed"
        elif now.level != was.level or (was.calm and not now.calm) or (was.acknowledged and not now.acknowledged):
            edge = "level"
        elif now.acknowledged and not was.acknowledged:
            edge = "acknowledged"
    if edge:
        out.append(book.incident_record(incident, edge, clock, actor=actor, reason=reason, args=args))
        if now.level > was.level or (was.calm and not now.calm) or (was.acknowledged and not now.acknowledged):
            incident.worsened = incident.sequence
    if incident.peak > incident.planned and incident.kind == "risk" and not incident.sort:
        plan_for(book, incident, clock, out)
    if incident.held and not all_silent(incident):
        resume(book, incident, clock)
    if incident.kind == "data_quality":
        repair.follow(book, incident, clock, out, device)
    loud = 0 if silent else demand
    follow_level(book, incident, clock, out, loud, area)
    if demand and (edge == "opened" or now.level > was.level or was.calm):
        incident.rose = clock
        if loud:
            candidate.look(book, incident, clock, out)
    if loud and incident.kind == "risk" and incident.state == "open" and incident.remind_at is None:
        incident.reminders = 0
        incident.remind_at = book.next_reminder(0, clock)
        book.wake_at(incident.remind_at)


def plan_for(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Give an incident the plan for the level that it has reached, and record it whole: it is kept with the case."""
    plan = book.pin_plan(incident)
    if plan is not None:
        args = {"plan": incident.plan, "content": msgspec.to_builtins(plan)}
        out.append(book.incident_record(incident, "planned", clock, actor=ENGINE, args=args))


def note_member(book: Casebook, incident: Incident, alarm: Alarm) -> None:
    """Put an alarm's standing among the incident's members; one that is normal leaves them."""
    if alarm.state == "NORM":
        incident.drop(alarm.id, alarm.area)
    else:
        rank = alarm.level if alarm.state in ("UNACK", "ACKED") else 0
        acknowledged = alarm.state not in ("UNACK", "RTNUN")
        member = Member(rank, acknowledged, alarm.state == "SHLVD", bool(alarm.silence))
        incident.put(alarm.id, member, alarm.area)
        if rank and is_cause(book, incident, alarm.area, rank):
            make_cause(incident, alarm.id, alarm.area, alarm.title)
        incident.peak = max(incident.peak, rank)


def is_cause(book: Casebook, incident: Incident, area: str, rank: int) -> bool:
    """Tell whether what is active at a rank in an area takes the place of an incident's cause."""
    cause = incident.at or incident.area
    if area == cause or not book.links:
        return rank > incident.peak
    if book.links.above(area, cause):  # what lies downstream is a symptom, however bad it is
        return True
    return rank > incident.peak and not book.links.above(cause, area)


def _open(book: Casebook, change: condition.Change, clock: float, out: list[AnyOutcome]) -> None:
    """Raise the alarm of a rule and scope that has none."""
    rule = change.rule
    carried = book.carried(rule)
    first = getattr(change, "report", "")
    if first:  # subjects are many, and not to be remembered
        named = alarm_id(rule.id, f"{change.scope}\0{first}", change.time, 1)
    else:
        key = f"{rule.id}\0{change.scope}"
        count = book.cases.counts[key] = book.cases.counts.get(key, 0) + 1
        within = getattr(change, "within", "")  # of those of a scope in several partitions
        scope = f"{change.scope}\0{within}" if within else change.scope
        named = alarm_id(rule.id, scope, change.onset, count)
    alarm = Alarm(
        id=named,
        rule=rule.id,
        rule_version=str(rule.version),
        kind=rule.kind,
        area=change.area,
        scope=change.scope,
        incident="",
        level=change.after,
        process=0,
        onset=change.onset,
        title=carried.title,
        simulated=change.simulated,
        exercise=drill_at(book, change.area) if change.simulated else "",
        sort=getattr(change, "sort", ""),
        subject=getattr(change, "subject", ""),
        category=getattr(change, "category", ""),
    )
    book.add_alarm(alarm)
    _move(book, alarm, change, change.after, clock, out, rationale=carried.rationale)


def _move(
    book: Casebook,
    alarm: Alarm,
    change: condition.Change,
    rank: int,
    clock: float,
    out: list[AnyOutcome],
    *,
    reason: str = "",
    rationale: dict[str, Any] | None = None,
) -> None:
    """Follow a change of condition to a rank (0 is calm)."""
    if rank:
        carried = book.carried(change.rule)
        alarm.latch, alarm.chatters = carried.latch, carried.chatters
        alarm.yields, alarm.yields_to = carried.yields, carried.yields_to
        alarm.of_silence, alarm.of_events = carried.of_silence, carried.of_events
    edge, hides = _edge(alarm, rank), _hides(alarm, rank)
    told = edge is not None or hides
    why = condition.explanation(change.why) if told else None
    if told and rank:
        alarm.rule_version = str(change.rule.version)
        alarm.why = condition.in_short(why) or alarm.why
        if edge in ("realarm", "unshelve"):
            alarm.onset = change.onset
    _follow(book, alarm, rank, edge, hides, clock, out, reason=reason, why=why, rationale=rationale)


def _follow(
    book: Casebook,
    alarm: Alarm,
    rank: int,
    edge: Edge | None,
    hides: bool,
    clock: float,
    out: list[AnyOutcome],
    *,
    reason: str = "",
    why: Explanation | None = None,
    rationale: dict[str, Any] | None = None,
) -> None:
    """Take the edge that the process asks for; one that is set aside only counts that it would have rung."""
    was_latched, alarm.process = alarm.latched, rank
    actor = f"rule:{alarm.rule}"
    if alarm.latched and not was_latched:
        out.append(book.alarm_record(alarm, "latch", alarm.state, clock, actor=actor))
    elif edge is not None:
        reason = "alarm.worsened" if edge in ("unshelve", "unsuppress") else reason
        rank = max(rank, alarm.level) if was_latched else rank
        spell = book.yields_to(alarm, rank) if edge in ("alarm", "realarm", "raise") else None
        if spell is not None:
            give_way(book, alarm, spell, rank, clock, out, actor=actor, why=why, rationale=rationale)
            return
        take_edge(book, alarm, edge, rank, clock, out, actor=actor, reason=reason, why=why, rationale=rationale)
    elif hides and alarm.shelf is not None:
        alarm.shelf.hidden += 1
        out.append(book.alarm_record(alarm, "hide", alarm.state, clock, actor=actor, explanation=why))


def give_way(
    book: Casebook,
    alarm: Alarm,
    spell: Spell,
    rank: int,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    why: Explanation | None = None,
    rationale: dict[str, Any] | None = None,
    hidden: int = 1,
) -> None:
    """Suppress an alarm by design for as long as a mode of the site lasts; it stays listed and follows its process.

    `hidden` is 1 where it would have rung at this.
    """
    after = step(alarm.state, "suppress")
    incident = book.cases.incidents.get(alarm.incident)
    edge = "set_aside"
    if incident is None and spell.gateway:
        incident, edge = _as_symptom(book, alarm, spell.gateway), "joined"
    was = standing(incident) if incident is not None else None
    level_before = alarm.level if alarm.state != "NORM" else None
    alarm.level = rank
    alarm.shelf = Shelf(
        by=spell.by,
        reason=spell.reason,
        since=clock,
        until=spell.until,
        level=rank,
        hidden=hidden,
        mode=spell.mode,
        gateway=spell.gateway,
    )
    out.append(
        book.alarm_record(
            alarm,
            "suppress",
            after,
            clock,
            actor=actor,
            reason=spell.reason,
            level_before=level_before,
            explanation=why,
            rationale=rationale,
        )
    )
    if incident is not None and was is not None:
        note_member(book, incident, alarm)
        settle(book, incident, was, clock, out, actor=actor, edge=edge, reason=spell.reason, device=alarm.scope)


def _as_symptom(book: Casebook, alarm: Alarm, gateway: str) -> Incident | None:
    """Put an alarm that is in no incident into that of its gateway's alarm, if there is one."""
    cause = book.scopes.get((GATEWAY_RULE, gateway, alarm.simulated))
    incident = book.cases.incidents.get(cause.incident) if cause is not None else None
    if incident is None:
        return None
    alarm.incident = incident.id
    add_alarm(incident, alarm.id)
    if alarm.area != incident.area and alarm.area not in incident.also:
        incident.also.append(alarm.area)
    return incident


def _edge(alarm: Alarm, rank: int) -> Edge | None:
    """Name the edge that a condition at `rank` asks of an alarm, as its latch allows.

    A latched alarm neither returns nor falls by itself; once its condition is back it rings again, at its level.
    """
    edge = process_edge(alarm.state, alarm.level, rank)
    if alarm.state == "DSUPR" and alarm.shelf is not None and rank > _suppressed_to(alarm, alarm.shelf):
        return "unsuppress"
    if not alarm.latch or alarm.state not in ("UNACK", "ACKED"):
        return edge
    if alarm.latched and rank:
        return "realarm" if alarm.state == "ACKED" else "raise"
    return None if edge in ("return", "lower") else edge


def _suppressed_to(alarm: Alarm, shelf: Shelf) -> int:
    """Return the rank up to which a suppressed alarm stays silent: a mode's, a person's, or none where none was heard.

    Who suppresses by hand judged the level that it had then; what is of a gateway that is gone says nothing of danger.
    """
    if shelf.gateway:
        return RANK[LEVELS[-1]]
    return alarm.yields_to if shelf.mode else alarm.level


def _hides(alarm: Alarm, rank: int) -> bool:
    """Tell whether an alarm that is set aside would have rung as its process goes to a rank."""
    return alarm.shelf is not None and rank > alarm.process


def take_edge(
    book: Casebook,
    alarm: Alarm,
    edge: Edge,
    rank: int,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str = "",
    why: Explanation | None = None,
    rationale: dict[str, Any] | None = None,
) -> None:
    """Take an edge at the rank that the process has now, record it, and bring the incident along."""
    after = step(alarm.state, edge, active=rank > 0)
    level_before = alarm.level if alarm.state != "NORM" else None
    marks: tuple[Mark, ...] = ()
    if edge == "return" and alarm.state == "UNACK" and clock - alarm.raised < book.settings.fleeting:
        marks = ("fleeting",)
    elif edge in _RINGS and alarm.state != "ACKED":  # one that was acknowledged rings again because it is worse
        marks = _ring(book, alarm, rank, clock)
    if after == "UNACK" and alarm.state != "UNACK":
        alarm.raised, alarm.stale = clock, False
    alarm.level = rank or alarm.level
    if edge in _DEMANDS:
        _listen(book, alarm, edge, rank)
    demand = rank if edge in _DEMANDS else 0
    incident, joined, way = _incident_of(book, alarm, demand, clock)
    was = standing(incident) if incident is not None else None
    out.append(
        book.alarm_record(
            alarm,
            edge,
            after,
            clock,
            actor=actor,
            reason=reason,
            level_before=level_before,
            explanation=why,
            rationale=rationale,
            marks=marks,
        )
    )
    if demand:
        alarm.worsened = alarm.sequence
    if alarm.shelf is not None:
        alarm.shelf = None
        book.wake_at(book.alarm_due(alarm))
    if incident is not None and was is not None:
        note_member(book, incident, alarm)
        settle(
            book,
            incident,
            was,
            clock,
            out,
            actor=actor,
            edge=joined,
            reason=reason if way is None else f"incident.linked_{way.kind}",
            demand=demand,
            silent=bool(alarm.silence),
            area=alarm.area,
            device=alarm.scope,
            args=None if way is None else {"area": alarm.area, "to": way.area},
        )
    if alarm.state == "NORM":
        book.finish_alarm(alarm, "alarm.normal")


def _listen(book: Casebook, alarm: Alarm, edge: Edge, rank: int) -> None:
    """Have a silence cover an alarm that is raised, and no longer one that is worse than when it fell silent."""
    if edge == "alarm":
        found = book.silence_of(alarm.rule, alarm.scope, alarm.area, rank) if book.cases.silences else None
        alarm.silence, alarm.quiet = (found.id, rank) if found is not None else ("", 0)
    elif alarm.silence and rank > alarm.quiet:
        alarm.silence, alarm.quiet = "", 0


def _ring(book: Casebook, alarm: Alarm, rank: int, clock: float) -> tuple[Mark, ...]:
    """Count a ring of an alarm, and mark it when it chatters so that this one is not to be heard."""
    rings = book.cases.rings.setdefault(rings_key(alarm), Rings())
    most, window = alarm.chatters or (book.settings.chatter_raises, book.settings.chatter_window)
    folded = ring(rings, rank, clock, most, window)
    alarm.chattering, alarm.folded = rings.chattering, rings.folded
    book.wake_at(clock + window)
    return ("folded",) if folded else ()


def rings_key(alarm: Alarm) -> str:
    """Key of an alarm's rings: they outlive it."""
    return condition_key(alarm.rule, alarm.scope, alarm.simulated)


def _incident_of(book: Casebook, alarm: Alarm, demand: int, clock: float) -> tuple[Incident | None, str, Way | None]:
    """Find the incident of an alarm that takes an edge, or open one.

    Say whether it opened or was joined, and by way of which linked area.
    """
    cases = book.cases
    incident = cases.incidents.get(alarm.incident)
    if incident is not None and not (demand and _too_calm(book, incident, clock)):
        return incident, "", None
    if not demand:
        return None, "", None  # its incident was closed over it: only a new demand makes a new case
    if incident is not None:
        incident.drop(alarm.id, alarm.area)
        book.wake_at(clock)  # it may have waited for this alarm alone
    key = current_key(alarm.area, alarm.kind, alarm.simulated, alarm.exercise)
    incident = cases.incidents.get(cases.current.get(key, "")) if not alarm.sort else None
    if incident is not None and _too_calm(book, incident, clock):
        incident = None
    way = None
    if incident is None and book.links and not alarm.sort:
        incident, way = _join_linked(book, alarm, key, clock)
    if incident is not None:
        alarm.incident = incident.id
        if not alarm.sequence or alarm.id not in incident.alarms:  # one that is new is not listed
            add_alarm(incident, alarm.id)
        return incident, "joined", way
    incident = Incident(
        id=incident_id(alarm.area, alarm.kind, f"{alarm.id}.{alarm.sequence + 1}"),
        area=alarm.area,
        kind=alarm.kind,
        cause=alarm.id,
        alarms=[alarm.id],
        level=alarm.level,
        peak=0,
        opened=clock,
        simulated=alarm.simulated,
        exercise=alarm.exercise,
        sort=alarm.sort,
        subject=alarm.subject,
    )
    alarm.incident = incident.id
    cases.incidents[incident.id] = incident
    if not alarm.sort:  # what people tell of is a case of its own, and takes in no sensors' alarms
        cases.current[key] = incident.id
    return incident, "opened", None


def _join_linked(book: Casebook, alarm: Alarm, key: str, clock: float) -> tuple[Incident | None, Way | None]:
    """Find the incident of a linked area that an alarm belongs to; from then on its area's alarms go there."""
    cases = book.cases
    open_there: dict[str, Incident] = {}
    for area in book.links.near(alarm.area):
        there = current_key(area, alarm.kind, alarm.simulated, alarm.exercise)
        incident = cases.incidents.get(cases.current.get(there, ""))
        if incident is not None and not _too_calm(book, incident, clock):
            open_there[area] = incident
    found = book.links.find(alarm.area, alarm.kind, open_there, clock)
    if found is None:
        return None, None
    incident, way = found
    if alarm.area != incident.area and alarm.area not in incident.also:
        incident.also.append(alarm.area)
        incident.linked.append(alarm.area)
    cases.current[key] = incident.id
    return incident, way


def _too_calm(book: Casebook, incident: Incident, clock: float) -> bool:
    """Tell whether an incident has been calm for too long to be about the same thing."""
    return incident.calm_since is not None and clock > incident.calm_since + book.settings.join_after_calm
