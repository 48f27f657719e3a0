"""Conditions become alarms, and alarms incidents: the process side of the desk."""

from __future__ import annotations

from typing import Any, NamedTuple

from alerts import condition
from alerts.alarm import Alarm, Edge, process_edge, step
from alerts.casebook import Casebook, current_key
from alerts.identity import alarm_id, incident_id
from alerts.incident import Incident, Member, add_alarm, derive_level, derive_state, make_cause
from alerts.outcome import AnyOutcome, Explanation
from alerts.sending import follow_level

_DEMANDS: tuple[Edge, ...] = ("alarm", "realarm", "raise")


def apply(book: Casebook, change: condition.Change, clock: float, out: list[AnyOutcome]) -> None:
    """Bring the alarm of a rule and scope to where its condition is now.

    Real and simulated alarms are apart. A simulated condition over an active real alarm leaves that as it is and has
    a simulated one beside it, so that an exercise never sends a real unit; a real one over an active simulated alarm
    ends that and raises a real alarm of its own.
    """
    rank = change.after
    real = book.scopes.get((change.rule.id, change.scope, False))
    simulated = book.scopes.get((change.rule.id, change.scope, True))
    if rank == 0:
        for alarm in (real, simulated):
            if alarm is not None:
                _move(book, alarm, change, 0, clock, out)
        return
    target = simulated if change.simulated else real
    if simulated is not None and simulated.process and not change.simulated:
        _move(book, simulated, change, 0, clock, out, reason="alarm.real_readings")
    if target is None:
        _open(book, change, clock, out)
    else:
        _move(book, target, change, rank, clock, out)


def withdraw(book: Casebook, rule: str, scope: str, clock: float, out: list[AnyOutcome]) -> None:
    """Return the alarms of a rule and scope that are no longer in force: nothing would ever clear them."""
    for simulated in (False, True):
        alarm = book.scopes.get((rule, scope, simulated))
        if alarm is not None:
            _follow(book, alarm, 0, clock, out, reason="alarm.rule_withdrawn")


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
) -> None:
    """Bring an incident up to its alarms, record what changed since `was`, and let the dispatches follow.

    `demand` is the rank of an alarm that has just been raised, rung again or risen.
    """
    incident.level = derive_level(incident)
    incident.state = derive_state(incident)
    now = standing(incident)
    if now.calm and incident.calm_since is None:
        incident.calm_since = clock
    elif not now.calm:
        incident.calm_since = None
    if now.calm and now.acknowledged and incident.issued == 0 and incident.calm_since is not None:
        book.wake_at(incident.calm_since + book.settings.close_after_calm)
    if not edge:
        if now.calm and not was.calm:
            edge = "calmed"
        elif now.level != was.level or (was.calm and not now.calm) or (was.acknowledged and not now.acknowledged):
            edge = "level"
        elif now.acknowledged and not was.acknowledged:
            edge = "acknowledged"
    if edge:
        out.append(book.incident_record(incident, edge, clock, actor=actor, reason=reason))
    follow_level(book, incident, clock, out, demand)


def note_member(incident: Incident, alarm: Alarm) -> None:
    """Put an alarm's standing among the incident's members; one that is normal leaves them."""
    if alarm.state == "NORM":
        incident.members.pop(alarm.id, None)
    else:
        rank = alarm.level if alarm.state in ("UNACK", "ACKED") else 0
        incident.members[alarm.id] = Member(rank, alarm.state not in ("UNACK", "RTNUN"))
        if rank > incident.peak:
            incident.peak = rank
            make_cause(incident, alarm.id)
            incident.title = alarm.title


def _open(book: Casebook, change: condition.Change, clock: float, out: list[AnyOutcome]) -> None:
    """Raise the alarm of a rule and scope that has none."""
    rule = change.rule
    key = f"{rule.id}\0{change.scope}"
    count = book.cases.counts[key] = book.cases.counts.get(key, 0) + 1
    alarm = Alarm(
        id=alarm_id(rule.id, change.scope, change.onset, count),
        rule=rule.id,
        rule_version=str(rule.version),
        kind=rule.kind,
        area=change.area,
        scope=change.scope,
        incident="",
        level=change.after,
        process=0,
        onset=change.onset,
        title=condition.titles(rule.title),
        simulated=change.simulated,
    )
    book.cases.alarms[alarm.id] = alarm
    book.scopes[alarm.rule, alarm.scope, alarm.simulated] = alarm
    _move(book, alarm, change, change.after, clock, out, rationale=condition.rationale(rule))


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
    edge = process_edge(alarm.state, alarm.level, rank)
    why = condition.explanation(change.why) if edge is not None else None
    if edge is not None and rank:
        alarm.rule_version = str(change.rule.version)
        alarm.why = condition.in_short(why) or alarm.why
        if edge == "realarm":
            alarm.onset = change.onset
    _follow(book, alarm, rank, clock, out, reason=reason, why=why, rationale=rationale)


def _follow(
    book: Casebook,
    alarm: Alarm,
    rank: int,
    clock: float,
    out: list[AnyOutcome],
    *,
    reason: str = "",
    why: Explanation | None = None,
    rationale: dict[str, Any] | None = None,
) -> None:
    """Take the edge that the process asks for, and bring the incident along."""
    alarm.process = rank
    edge = process_edge(alarm.state, alarm.level, rank)
    if edge is None:
        return
    after = step(alarm.state, edge)
    level_before = alarm.level if alarm.state != "NORM" else None
    alarm.level = rank or alarm.level
    incident, joined = _incident_of(book, alarm, edge, clock)
    was = standing(incident) if incident is not None else None
    actor = f"rule:{alarm.rule}"
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
        )
    )
    if incident is not None and was is not None:
        note_member(incident, alarm)
        demand = rank if edge in _DEMANDS else 0
        settle(book, incident, was, clock, out, actor=actor, edge=joined, reason=reason, demand=demand)
    if alarm.state == "NORM":
        book.finish_alarm(alarm, "alarm.normal")


def _incident_of(book: Casebook, alarm: Alarm, edge: Edge, clock: float) -> tuple[Incident | None, str]:
    """Find the incident of an alarm that takes an edge, or open one; say whether it opened or was joined."""
    cases = book.cases
    incident = cases.incidents.get(alarm.incident)
    if incident is not None and not (edge == "realarm" and _too_calm(book, incident, clock)):
        return incident, ""
    if edge not in _DEMANDS:
        return None, ""  # its incident was closed over it: only a new demand makes a new case
    if incident is not None:
        incident.members.pop(alarm.id, None)
        book.wake_at(clock)  # it may have waited for this alarm alone
    key = current_key(alarm.area, alarm.kind, alarm.simulated)
    incident = cases.incidents.get(cases.current.get(key, ""))
    if incident is not None and not _too_calm(book, incident, clock):
        alarm.incident = incident.id
        add_alarm(incident, alarm.id)
        return incident, "joined"
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
    )
    alarm.incident = incident.id
    cases.incidents[incident.id] = incident
    cases.current[key] = incident.id
    return incident, "opened"


def _too_calm(book: Casebook, incident: Incident, clock: float) -> bool:
    """Tell whether an incident has been calm for too long to be about the same thing."""
    return incident.calm_since is not None and clock > incident.calm_since + book.settings.join_after_calm
