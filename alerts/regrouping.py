"""Incidents merged and split by hand: alarms and orders move with their history, and what comes later follows them."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.alarm import Alarm, Refusal
from alerts.casebook import Casebook, current_key
from alerts.dispatch import WORKING, Dispatch
from alerts.grouping import is_cause, note_member, settle, standing
from alerts.identity import incident_id
from alerts.incident import Incident, Tally, add_alarm, make_cause
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
    most: int = MOST,
) -> None:
    """Take other incidents into one; they end as merged. Raise `Refusal` where one of them is of another kind.

    All are of one partition; simulated and real ones, and those of different drills, stay apart.
    """
    found = [_other(book, incident, id) for id in dict.fromkeys(others)]
    if not found:
        raise Refusal("bad_argument")
    if len(found) > most:
        raise Refusal("incident.too_many_at_once")
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
    for other in found:
        _take_ticks_in(book, incident, other, clock, out)
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

    The new one is dispatched as any other, unless orders go with it: those that are named, and those to areas that it
    takes along whole.
    """
    moved = [_member(book, incident, id) for id in dict.fromkeys(alarms)]
    named = [_order(book, incident, id).id for id in dict.fromkeys(dispatches)]
    if not moved:
        raise Refusal("bad_argument")
    if len(moved) == len(incident.members):
        raise Refusal("incident.none_left")
    gone = _areas_gone(book, incident, moved)
    found = [book.cases.dispatches[id] for id in incident.dispatches]
    orders = [one for one in found if not one.device and (one.id in named or one.area in gone)]
    orders += _repairs(book, incident, moved)
    was = standing(incident)
    busy = bool(book.working(incident))
    new = _begin(book, incident, moved, clock)
    book.cases.incidents[new.id] = new
    for alarm in moved:
        incident.drop(alarm.id, alarm.area)
        if alarm.id in incident.alarms:  # of many alarms only some are listed
            incident.alarms.remove(alarm.id)
        _move(book, alarm, new, clock, out, actor, reason)
    _stay(book, incident, new, gone)
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
    if other is None:  # somebody else may have been faster
        raise Refusal(book.cases.gone.get(id, "incident.elsewhere") if isinstance(id, str) else "incident.elsewhere")
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
    cause = other.at or other.area
    if is_cause(book, incident, cause, other.peak):
        make_cause(incident, other.cause, cause, other.title)
    incident.peak = max(incident.peak, other.peak)
    _take_areas_in(incident, other)
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
    incident.rose = max(incident.rose, other.rose)
    incident.held |= other.held  # what a silence put off there is due again where none covers it
    incident.mending = other.mending | incident.mending
    incident.snapshots += [one for one in other.snapshots if one not in incident.snapshots]
    incident.refused += [one for one in other.refused if one not in incident.refused]
    for area in (other.area, *other.also):
        key = current_key(area, other.kind, other.simulated, other.exercise)
        if cases.current.get(key) == other.id:
            cases.current[key] = incident.id
    other.members, other.tally, other.state = {}, Tally(), "closed"
    book.finish_incident(other, "incident.merged")
    args = {"into": incident.id}
    out.append(book.incident_record(other, "merged", clock, actor=actor, reason=reason, args=args))


def _take_ticks_in(book: Casebook, incident: Incident, other: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Have steps of the plan that were done on another incident be done: nobody is to go and do them again."""
    plan = book.plan_of(incident)
    if plan is None or other.plan.partition("@")[0] != plan.id:
        return
    for step in plan.steps:
        tick = other.ticks.get(step.id)
        if tick is not None and step.id not in incident.ticks:
            incident.ticks[step.id] = tick
            args = {"plan": incident.plan, "step": step.id, "from": other.id, "time": tick.time}
            out.append(book.incident_record(incident, "ticked", clock, actor=tick.by, reason=tick.note, args=args))


def _take_areas_in(incident: Incident, other: Incident) -> None:
    """Have an incident be of the areas of another too; a linked area goes on by its own level, and is with it again."""
    known, acted = {incident.area, *incident.also}, [area for area in other.areas if other.is_acted_on(area)]
    new = [area for area in (other.area, *other.also) if area not in known]
    incident.also += new
    incident.linked += [area for area in new if area in other.linked]
    for area in acted:
        incident.act_on(area)
    apart = dict.fromkeys((*incident.apart, *other.apart))
    incident.apart = [area for area in apart if area not in incident.areas]


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


def _areas_gone(book: Casebook, incident: Incident, moved: Sequence[Alarm]) -> set[str]:
    """Name the areas of which no alarm stays behind."""
    going = {alarm.id for alarm in moved}
    return {alarm.area for alarm in moved} - {book.cases.alarms[id].area for id in incident.members if id not in going}


def _first(book: Casebook, incident: Incident, alarms: Sequence[Alarm]) -> Alarm:
    """Choose the cause of some alarms of an incident: the worst that is active and has none upstream of it."""
    active = [alarm for alarm in alarms if incident.members[alarm.id].rank] or alarms
    areas, above = {alarm.area for alarm in active}, book.links.above
    lower = {one for one in areas for other in areas - {one} if above(other, one) and not above(one, other)}
    return max(
        (one for one in active if one.area not in lower), key=lambda one: (incident.members[one.id].rank, one.level)
    )


def _begin(book: Casebook, incident: Incident, moved: Sequence[Alarm], clock: float) -> Incident:
    """Make the incident that alarms go into; what goes by one level goes on to do so."""
    first = _first(book, incident, moved)
    areas = dict.fromkeys([first.area, *(alarm.area for alarm in moved)])
    area = next((one for one in areas if one not in incident.linked), first.area)
    return Incident(
        id=incident_id(first.area, incident.kind, f"{first.id}.{first.sequence + 1}"),
        area=area,
        kind=incident.kind,
        cause=first.id,
        alarms=[first.id, *(alarm.id for alarm in moved if alarm is not first)],
        level=first.level,
        peak=max(alarm.level for alarm in moved),
        opened=clock,
        title=first.title,
        simulated=incident.simulated,
        exercise=incident.exercise,
        also=[one for one in areas if one != area],
        linked=[one for one in areas if one != area and one in incident.linked],
        at=first.area if first.area != area else "",
        rose=incident.rose,
        mending={one: id for one, id in incident.mending.items() if one in {alarm.scope for alarm in moved}},
        sort=incident.sort,
        subject=first.subject,
        refused=[*incident.refused],
        held=incident.held,
    )


def _stay(book: Casebook, incident: Incident, new: Incident, gone: set[str]) -> None:
    """Have an incident go on without the alarms that were taken out; areas of which none is left go with them."""
    left = [book.cases.alarms[id] for id in incident.members]
    if incident.cause not in incident.alarms or (incident.at or incident.area) in gone:
        first = _first(book, incident, left)
        make_cause(incident, first.id, first.area, first.title)
        incident.peak = max(alarm.level for alarm in left)
    for area in sorted(gone):
        key = current_key(area, incident.kind, incident.simulated, incident.exercise)
        if book.cases.current.get(key) == incident.id:
            book.cases.current[key] = new.id
    if incident.area in gone:
        cause = incident.at or incident.area
        areas = [cause, *(alarm.area for alarm in left)]
        area = next((one for one in areas if one not in incident.linked), cause)
        incident.dispatched = incident.is_acted_on(area)
        incident.area, incident.at = area, cause
        incident.recount(book.area_of)
    if incident.at == incident.area:
        incident.at = ""
    incident.also = [area for area in incident.also if area not in gone and area != incident.area]
    incident.linked = [area for area in incident.linked if area in incident.also]
    incident.acted = [area for area in incident.acted if area in incident.linked]
    new.apart = [*{area: None for area in (*incident.apart, incident.area, *incident.also) if area not in gone}]
    incident.apart = [*dict.fromkeys((*incident.apart, *sorted(gone)))]


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
    new.issued = len(orders)
    for dispatch in orders:
        if dispatch.area not in new.areas:  # who goes along goes where that is
            dispatch.area = new.at or new.area
        if dispatch.leg in WORKING:
            new.act_on(dispatch.area)
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
    """Note of a level that was reached before that it is over: only a new demand sends anyone then.

    Not where areas are linked: which of them it was that reached it is not known any more.
    """
    reached = book.reached(incident)
    over = incident.peak >= reached and (incident.calm or incident.level < reached)
    if incident.kind == "risk" and not incident.linked and over:
        incident.dispatched = True
