"""Incidents merged and split by hand: alarms and orders move with their history, and what comes later follows them."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alarm import Alarm, Refusal
from alerts.casebook import Casebook, current_key
from alerts.dispatch import WORKING, Dispatch
from alerts.grouping import note_member, settle, standing
from alerts.identity import incident_id
from alerts.incident import Incident, add_alarm, make_cause
from alerts.outcome import AnyOutcome
from alerts.sending import attend, leave

MOST = 16
"""Incidents that one order merges."""


def merge(
    book: Casebook,
    incident: Incident,
    others: Sequence[object],
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str = "",
) -> None:
    """Take other incidents into one; they end as merged. Raise `Refusal` where one of them is of another kind.

    All are of one partition; simulated and real ones, and those of different drills, stay apart.
    """
    found = [_other(book, incident, id) for id in dict.fromkeys(others)]
    if not found:
        raise Refusal("bad_argument")
    if len(found) > MOST:
        raise Refusal("too_many")
    was = standing(incident)
    lead = _joint_lead(book, [incident, *found])
    for other in found:
        _take_in(book, incident, other, lead, clock, out, actor, reason)
    for dispatch in book.together(incident):
        if lead and dispatch.lead != lead:
            dispatch.lead = lead
            out.append(book.dispatch_record(dispatch, "lead", clock, actor=actor, reason="dispatch.joined"))
    attend(incident)
    args = {"incidents": [other.id for other in found]}
    settle(book, incident, was, clock, out, actor=actor, edge="took_in", reason=reason, args=args)
    _note_acted_on(book, incident)


def split(
    book: Casebook,
    incident: Incident,
    alarms: Sequence[object],
    dispatches: Sequence[object],
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str = "",
) -> None:
    """Put some alarms of an incident, and some of its orders, into a new one. Raise `Refusal` when none stays behind.

    The new one is dispatched as any other, unless orders go with it.
    """
    moved = [_member(book, incident, id) for id in dict.fromkeys(alarms)]
    orders = [_order(book, incident, id) for id in dict.fromkeys(dispatches)]
    if not moved:
        raise Refusal("bad_argument")
    if len(moved) == len(incident.members):
        raise Refusal("incident.none_left")
    orders = [one for one in orders if not one.device] + _repairs(book, incident, moved)
    was = standing(incident)
    busy = bool(book.working(incident))
    new = _begin(incident, moved, clock)
    book.cases.incidents[new.id] = new
    for alarm in moved:
        incident.drop(alarm.id)
        if alarm.id in incident.alarms:  # of many alarms only some are listed
            incident.alarms.remove(alarm.id)
        _move(book, alarm, new, clock, out, actor, reason)
    _stay(book, incident, new, {alarm.area for alarm in moved})
    told = _divide(book, incident, new, orders)
    attend(incident)
    args = {"into": new.id, "alarms": [alarm.id for alarm in moved]}
    settle(book, incident, was, clock, out, actor=actor, edge="split", reason=reason, args=args)
    settle(book, new, standing(new), clock, out, actor=actor, edge="opened", reason=reason, args={"from": incident.id})
    out += [book.dispatch_record(one, edge, clock, actor=actor, reason=why) for one, edge, why in told]
    for one in (incident, new):
        _note_acted_on(book, one)
    if busy and not incident.calm and not book.working(incident):
        leave(book, incident, clock, out, actor=actor, reason="dispatch.moved")


# Merging


def _other(book: Casebook, incident: Incident, id: object) -> Incident:
    other = book.cases.incidents.get(id) if isinstance(id, str) else None
    if other is None:
        raise Refusal("incident.elsewhere")
    if other is incident:
        raise Refusal("incident.itself")
    if _sort(other) != _sort(incident):
        raise Refusal("incident.other_kind")
    return other


def _sort(incident: Incident) -> tuple[str, str, bool, str]:
    """Say what must be alike in incidents that become one."""
    return incident.kind, incident.sort, incident.simulated, incident.exercise


def _joint_lead(book: Casebook, incidents: Sequence[Incident]) -> str:
    """Name who leads when all who are on these incidents work together; empty where at most one is."""
    working = [dispatch for one in incidents for dispatch in book.together(one)]
    return (working[0].lead or working[0].unit) if len(working) > 1 else ""


def _take_in(
    book: Casebook,
    incident: Incident,
    other: Incident,
    lead: str,
    clock: float,
    out: list[AnyOutcome],
    actor: str,
    reason: str,
) -> None:
    cases = book.cases
    for id in other.alarms:
        if id not in incident.alarms:
            add_alarm(incident, id)
    if other.peak > incident.peak:
        incident.peak = other.peak
        make_cause(incident, other.cause, other.at or other.area, other.title)
    for id in list(other.members):
        _move(book, cases.alarms[id], incident, clock, out, actor, reason)
    for id in [*other.dispatches, *other.visits]:
        dispatch = cases.dispatches[id]
        if dispatch in book.together(other):
            dispatch.lead = lead
        _redirect(dispatch, other, incident)
        out.append(book.dispatch_record(dispatch, "moved", clock, actor=actor, reason="dispatch.moved"))
    incident.issued += other.issued
    incident.withdrawn += other.withdrawn
    incident.dispatched |= other.dispatched
    incident.mending = other.mending | incident.mending
    incident.snapshots += [one for one in other.snapshots if one not in incident.snapshots]
    incident.refused += [one for one in other.refused if one not in incident.refused]
    for area in (other.area, *other.also):
        if area != incident.area and area not in incident.also:
            incident.also.append(area)
        key = current_key(area, other.kind, other.simulated, other.exercise)
        if cases.current.get(key) == other.id:
            cases.current[key] = incident.id
    other.members, other.state = {}, "closed"
    other.recount()
    book.finish_incident(other, "incident.merged")
    args = {"into": incident.id}
    out.append(book.incident_record(other, "merged", clock, actor=actor, reason=reason, args=args))


# Splitting


def _member(book: Casebook, incident: Incident, id: object) -> Alarm:
    if not isinstance(id, str) or id not in incident.members:
        raise Refusal("incident.not_its_alarm")
    return book.cases.alarms[id]


def _order(book: Casebook, incident: Incident, id: object) -> Dispatch:
    if not isinstance(id, str) or id not in incident.dispatches:
        raise Refusal("incident.not_its_dispatch")
    return book.cases.dispatches[id]


def _repairs(book: Casebook, incident: Incident, moved: Sequence[Alarm]) -> list[Dispatch]:
    """List the orders to mend that go along: they follow their devices, whatever is named."""
    going = {alarm.id for alarm in moved}
    stay = {book.cases.alarms[id].scope for id in incident.members if id not in going}
    devices = {alarm.scope for alarm in moved} - stay
    found = [book.cases.dispatches[id] for id in incident.dispatches]
    return [one for one in found if one.device in devices]


def _begin(incident: Incident, moved: Sequence[Alarm], clock: float) -> Incident:
    """Make the incident that alarms go into; the worst that is active is its cause."""
    worst = max(moved, key=lambda alarm: (incident.members[alarm.id].rank, alarm.level))
    areas = dict.fromkeys([worst.area, *(alarm.area for alarm in moved)])
    return Incident(
        id=incident_id(worst.area, incident.kind, f"{worst.id}.{worst.sequence + 1}"),
        area=worst.area,
        kind=incident.kind,
        cause=worst.id,
        alarms=[worst.id, *(alarm.id for alarm in moved if alarm is not worst)],
        level=worst.level,
        peak=max(alarm.level for alarm in moved),
        opened=clock,
        title=worst.title,
        simulated=incident.simulated,
        exercise=incident.exercise,
        also=list(areas)[1:],
        mending={one: id for one, id in incident.mending.items() if one in {alarm.scope for alarm in moved}},
        sort=incident.sort,
        subject=worst.subject,
        refused=[*incident.refused],
    )


def _stay(book: Casebook, incident: Incident, new: Incident, areas: set[str]) -> None:
    """Have an incident go on without the alarms that were taken out; areas of which none is left go with them."""
    left = [book.cases.alarms[id] for id in incident.members]
    if incident.cause not in incident.alarms:
        worst = max(left, key=lambda alarm: (incident.members[alarm.id].rank, alarm.level))
        make_cause(incident, worst.id, worst.area, worst.title)
        incident.peak = max(alarm.level for alarm in left)
    gone = areas - {alarm.area for alarm in left}
    for area in sorted(gone):
        key = current_key(area, incident.kind, incident.simulated, incident.exercise)
        if book.cases.current.get(key) == incident.id:
            book.cases.current[key] = new.id
    if incident.area in gone:
        incident.area = book.cases.alarms[incident.cause].area if incident.cause in incident.members else left[0].area
    if incident.at == incident.area:
        incident.at = ""
    incident.also = [area for area in incident.also if area not in gone and area != incident.area]
    incident.linked = [area for area in incident.linked if area in incident.also]
    incident.apart += sorted(gone)
    new.apart = [*{area: None for area in (*incident.apart, incident.area, *incident.also) if area not in gone}]


def _divide(
    book: Casebook, incident: Incident, new: Incident, orders: Sequence[Dispatch]
) -> list[tuple[Dispatch, str, str]]:
    """Have some of those who are on an incident go with the new one, each side under a lead of its own.

    Return what is to be recorded of it: the order, the edge and the reason.
    """
    if not orders:
        return []
    working = book.together(incident)
    going = [dispatch for dispatch in working if dispatch in orders]
    staying = [dispatch for dispatch in working if dispatch not in orders]
    new.issued, new.dispatched = len(orders), any(dispatch.leg in WORKING for dispatch in orders)
    for dispatch in orders:
        if dispatch in going:
            dispatch.lead = going[0].unit if len(going) > 1 else ""
        _redirect(dispatch, incident, new)
    told = [(dispatch, "moved", "dispatch.moved") for dispatch in orders]
    lead = staying[0].lead if staying else ""
    if len(staying) < 2:
        lead = ""
    elif lead not in {dispatch.unit for dispatch in staying}:
        lead = staying[0].unit
    for dispatch in staying:
        if dispatch.lead != lead:
            dispatch.lead = lead
            told.append((dispatch, "lead", "dispatch.other_lead"))
    return told


# Both


def _move(
    book: Casebook,
    alarm: Alarm,
    incident: Incident,
    clock: float,
    out: list[AnyOutcome],
    actor: str,
    reason: str,
) -> None:
    alarm.incident = incident.id
    out.append(book.alarm_record(alarm, "move", alarm.state, clock, actor=actor, reason=reason))
    note_member(book, incident, alarm)


def _redirect(dispatch: Dispatch, before: Incident, after: Incident) -> None:
    """Have an order be of another incident."""
    for kept, taken in ((before.dispatches, after.dispatches), (before.visits, after.visits)):
        if dispatch.id in kept:
            kept.remove(dispatch.id)
            taken.append(dispatch.id)
    dispatch.incident = after.id


def _note_acted_on(book: Casebook, incident: Incident) -> None:
    """Note of a level that was reached before that it is over: only a new demand sends anyone then."""
    reached = book.reached(incident)
    if incident.kind == "risk" and incident.peak >= reached and (incident.calm or incident.level < reached):
        incident.dispatched = True
