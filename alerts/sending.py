"""Dispatches of the desk: issue, follow the level, pass on after a refusal or no answer, finish."""

from __future__ import annotations

from typing import Any

from alerts.casebook import Casebook
from alerts.dispatch import Dispatch, raise_level, set_deadline
from alerts.identity import dispatch_id
from alerts.incident import Incident, derive_state, loud_level
from alerts.outcome import AnyOutcome

ENGINE = "engine"
"""The actor of what the desk does by itself."""

VISIT_LEFT = "dispatch.visit_left"
"""Why nobody is on an incident of which only the follow-up visit is left."""


def follow_level(
    book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome], demand: int = 0, area: str = ""
) -> None:
    """Dispatch a risk incident that reaches its dispatch level; raise the level of dispatches under way.

    Areas that joined by a link of the site go by their own levels, and so do the orders to them; somebody goes to each
    that reaches its own, all under one lead. Once nobody is on it any more, only a new demand dispatches again:
    `demand` is the rank of an alarm that has just been raised, rung again or risen, 0 for any other change. `area` is
    where, if it is in one alone.
    """
    if incident.calm:
        return
    working = book.working(incident)
    loud = loud_level(incident)
    for dispatch in working:
        if dispatch.level >= loud or dispatch.device:  # an order to mend goes by what it is to mend
            continue
        there = _loud_at(incident, incident.head(dispatch.area))
        if dispatch.level < there:
            raise_level(dispatch, book.site.deadlines, there, clock)
            out.append(book.dispatch_record(dispatch, "raised", clock, actor=ENGINE, reason="dispatch.level_raised"))
    if incident.kind != "risk":
        return
    if not incident.linked:  # nearly all edges of nearly all incidents end here
        reached = book.reached(incident)
        if demand < reached and (incident.dispatched or loud < reached):
            return
    heads, issued = [incident.area, *incident.linked], incident.issued
    changed = [incident.head(area)] if area else heads
    wanting = [head for head in changed if not _man(book, incident, head, working, demand, area, clock, out)]
    if incident.issued > issued:  # an order ends the reminders of the others
        wanting = [head for head in heads if _is_wanting(book, incident, head)]
    for head in wanting:
        reason = "dispatch.no_unit_there" if book.working(incident) else "dispatch.no_unit"
        args = {"area": head} if incident.linked else None
        leave(book, incident, clock, out, actor=ENGINE, reason=reason, args=args)


def _man(
    book: Casebook,
    incident: Incident,
    head: str,
    working: list[Dispatch],
    demand: int,
    area: str,
    clock: float,
    out: list[AnyOutcome],
) -> bool:
    """Send somebody to an area that reaches the level it goes by; tell whether nobody is to be told that none went."""
    reached = book.reached(incident, head)
    first = not incident.is_acted_on(head) and _loud_at(incident, head) >= reached
    if not first and (demand < reached or incident.head(area) != head):
        return True
    incident.act_on(head)
    if any(incident.head(one.area) == head for one in working):
        return True  # who is on the way has just been told of the level
    return _send_there(book, incident, head, area, clock, out) or not (first or incident.remind_at is None)


def _send_there(book: Casebook, incident: Incident, head: str, area: str, clock: float, out: list[AnyOutcome]) -> bool:
    """Send somebody to where it is worst of what goes by one level, under one lead; tell whether anybody could be."""
    working = book.together(incident)
    lead = (working[0].lead or working[0].unit) if working else ""
    reason = "dispatch.linked" if working else "dispatch.by_level"
    for place in _places(incident, head, area):
        units = book.suggest(incident, clock, {one.unit for one in working}, place)
        if units:
            if not working and units[0] in book.answering(incident, place):
                reason = "dispatch.by_category"
            send(book, incident, units[:1], lead, "", clock, out, actor=ENGINE, reason=reason, area=place)
            return True
    return False


def _places(incident: Incident, head: str, area: str) -> list[str]:
    """List what goes by one level with an area, the worst first; of equals that of a demand, then that of the cause."""
    if head != incident.area:
        return [head]
    cause = incident.at or incident.area
    return sorted(incident.joined, key=lambda one: (-loud_level(incident, (one,)), one != area, one != cause))


def _loud_at(incident: Incident, head: str) -> int:
    """Return the highest active rank that no silence covers of what goes by one level with an area."""
    if not incident.linked:
        return loud_level(incident)
    return loud_level(incident, incident.joined if head == incident.area else (head,))


def _level_for(incident: Incident, area: str) -> int:
    """Return the level of an order to an area: that of what goes by one level with it, or the incident's in silence."""
    return (_loud_at(incident, incident.head(area)) if incident.linked else 0) or incident.level


def _is_wanting(book: Casebook, incident: Incident, head: str) -> bool:
    """Tell whether an area whose level was acted on stands at it, and nobody has been sent to it."""
    orders = (book.cases.dispatches[id] for id in incident.dispatches)
    return (
        incident.is_acted_on(head)
        and _loud_at(incident, head) >= book.reached(incident, head)
        and all(incident.head(one.area) != head for one in orders)
    )


def send(
    book: Casebook,
    incident: Incident,
    units: list[str],
    lead: str,
    note: str,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str = "",
    area: str = "",
) -> None:
    """Send units at once, under one lead where they are not alone; those on it already come under it too."""
    working = book.together(incident)
    if len(working) + len(units) == 1:
        lead = ""
    for unit in units:
        issue(book, incident, unit, clock, out, actor=actor, reason=reason, note=note, lead=lead, area=area)
    for dispatch in working:
        if dispatch.lead != lead:
            dispatch.lead = lead
            out.append(book.dispatch_record(dispatch, "lead", clock, actor=actor, reason="dispatch.joined"))


def issue(
    book: Casebook,
    incident: Incident,
    unit: str,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str = "",
    note: str = "",
    lead: str = "",
    repair: dict[str, str] | None = None,
    area: str = "",
    level: int = 0,
) -> None:
    """Send a unit to an incident, under the lead of one that is on it already; to one of its areas, if named.

    `repair` says which device is to be mended, and its kind.
    """
    incident.issued += 1
    incident.remind_at = None
    dispatch = Dispatch(
        id=dispatch_id(incident.id, incident.issued),
        incident=incident.id,
        area=area or incident.area,
        unit=unit,
        level=level or _level_for(incident, area or incident.area),
        deadline=None,
        tried=[unit],
        lead=lead,
        note=note,
        repair=repair is not None,
        device=(repair or {}).get("device", ""),
        device_kind=(repair or {}).get("kind", ""),
        simulated=incident.simulated,
        exercise=incident.exercise,
        kind=incident.kind,
    )
    set_deadline(dispatch, book.site.deadlines, clock)
    if actor == ENGINE:
        dispatch.passed_over = book.passed_over(dispatch, incident.kind, clock)
        if dispatch.passed_over and reason == "dispatch.by_level":
            reason = "dispatch.by_load"
    book.cases.dispatches[dispatch.id] = dispatch
    incident.dispatches.append(dispatch.id)
    incident.state = derive_state(incident)
    args = {"dispatch": dispatch.id, "unit": unit}
    out.append(book.incident_record(incident, "dispatched", clock, actor=actor, reason=reason, args=args))
    out.append(book.dispatch_record(dispatch, "issued", clock, actor=actor, reason=note or reason))


def pass_on(
    book: Casebook,
    dispatch: Dispatch,
    unit: str,
    clock: float,
    out: list[AnyOutcome],
    *,
    reason: str,
    actor: str = ENGINE,
    edge: str = "reassigned",
) -> None:
    """Give a dispatch to another unit, which starts at its first leg; the one that loses it is told too."""
    previous, dispatch.unit = dispatch.unit, unit
    dispatch.tried.append(unit)
    dispatch.passed_over = {}
    if reason == "dispatch.next_unit":
        dispatch.passed_over = book.passed_over(dispatch, book.kind_of(dispatch), clock, _busy(book, dispatch) - {unit})
    dispatch.leg = "issued"
    set_deadline(dispatch, book.site.deadlines, clock)
    led = dispatch.lead == previous
    if led:
        dispatch.lead = unit
    out.append(book.dispatch_record(dispatch, edge, clock, actor=actor, reason=reason, previous=previous))
    if led:
        _lead(book, dispatch, previous, unit, clock, out)


def _lead(book: Casebook, dispatch: Dispatch, previous: str, unit: str, clock: float, out: list[AnyOutcome]) -> None:
    """Put the others on an incident under another lead than the one they had."""
    incident = book.cases.incidents.get(dispatch.incident)
    for other in book.together(incident) if incident is not None else ():
        if other is not dispatch and other.lead == previous:
            other.lead = unit
            out.append(book.dispatch_record(other, "lead", clock, actor=ENGINE, reason="dispatch.other_lead"))


def pass_to_next(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Give a refused dispatch to the next suggested unit; without one it ends, and the incident says so."""
    kind, busy, incident = book.kind_of(dispatch), _busy(book, dispatch), book.cases.incidents.get(dispatch.incident)
    unit, load = book.router.units.get(dispatch.unit), book.burden.of(dispatch.simulated)
    mending = kind != "risk" and unit is not None and unit.kind == "maintenance"
    if mending or incident is None:
        find = book.router.menders if mending else book.router.suggest
        units = find(dispatch.area, tried=busy, at=clock, load=load)
    else:
        units = book.suggest(incident, clock, busy, dispatch.area)
    if units:
        pass_on(book, dispatch, units[0], clock, out, reason="dispatch.next_unit")
    else:
        finish(book, dispatch, clock, out, actor=ENGINE, reason="dispatch.no_unit")


def finish(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Take an ended dispatch off its incident, and say so when nobody is left on it."""
    incident = book.cases.incidents.get(dispatch.incident)
    visited = incident is not None and dispatch.id in incident.visits  # nobody was on it any more
    book.finish_dispatch(dispatch)
    hand_lead_over(book, dispatch, clock, out)
    if incident is None or visited:
        return
    if not book.working(incident):
        leave(book, incident, clock, out, actor=actor, reason=reason, args={"dispatch": dispatch.id})
    else:
        _look_who_is_there(book, incident, dispatch, clock, out, actor=actor)
    _keep_reminding(book, incident, dispatch, clock)
    if dispatch.device:
        _give_back(book, dispatch, clock, out)


def _give_back(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Have later incidents that went by an order to mend a device go on without it: its next change sends again."""
    for incident in book.cases.incidents.values():
        if incident.id == dispatch.incident or incident.mending.get(dispatch.device) != dispatch.id:
            continue
        del incident.mending[dispatch.device]
        if not book.working(incident):
            args = {"dispatch": dispatch.id}
            leave(book, incident, clock, out, actor=ENGINE, reason="dispatch.no_unit", args=args)
            book.wake_at(incident.remind_at)


def _look_who_is_there(
    book: Casebook, incident: Incident, dispatch: Dispatch, clock: float, out: list[AnyOutcome], *, actor: str
) -> None:
    """Say so where nobody is left in the linked area that a dispatch was of, and somebody is wanted there."""
    head = incident.head(dispatch.area)
    if incident.linked and incident.kind == "risk" and _is_wanting(book, incident, head):
        args = {"dispatch": dispatch.id, "area": head}
        leave(book, incident, clock, out, actor=actor, reason="dispatch.no_unit_there", args=args)


def _keep_reminding(book: Casebook, incident: Incident, dispatch: Dispatch, clock: float) -> None:
    """Have areas to which nobody was sent be said again: who ends an order has taken up where that was, no other."""
    if incident.remind_at is not None or not incident.linked or incident.kind != "risk":
        return
    seen_to = incident.head(dispatch.area)
    others = (head for head in (incident.area, *incident.linked) if head != seen_to)
    if any(_is_wanting(book, incident, head) for head in others):
        incident.remind_at = book.next_reminder(0, clock)
        book.wake_at(incident.remind_at)


def hand_lead_over(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Have the first of those that are still on an incident lead, where a unit that led is so no more."""
    incident = book.cases.incidents.get(dispatch.incident)
    if not dispatch.lead or dispatch.lead != dispatch.unit or incident is None:
        return
    left = [other for other in book.together(incident) if other is not dispatch]
    if left:
        _lead(book, dispatch, dispatch.unit, left[0].unit, clock, out)


def await_visit(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome], *, actor: str) -> None:
    """Take a dispatch of which only the visit is left off its incident, which may close before."""
    incident = book.cases.incidents.get(dispatch.incident)
    if incident is None or dispatch.id in incident.visits:
        return
    incident.dispatches.remove(dispatch.id)
    incident.visits.append(dispatch.id)
    incident.state = derive_state(incident)
    if not incident.dispatches:
        args = {"dispatch": dispatch.id}
        leave(book, incident, clock, out, actor=actor, reason=VISIT_LEFT, args=args)
    _keep_reminding(book, incident, dispatch, clock)


def leave(
    book: Casebook,
    incident: Incident,
    clock: float,
    out: list[AnyOutcome],
    *,
    actor: str,
    reason: str,
    args: dict[str, Any] | None = None,
) -> None:
    """Say that nobody is on an incident; what the engine could not help is said again until a person takes it up.

    The world is not told where that is as it should be: of a visit arranged for later, and of what is calm by now.
    """
    incident.reminders = 0
    incident.remind_at = book.next_reminder(0, clock) if actor == ENGINE else None
    told = reason != VISIT_LEFT and not incident.calm
    out.append(book.incident_record(incident, "undispatched", clock, actor=actor, reason=reason, args=args, told=told))


def attend(incident: Incident) -> None:
    """Note that a person has taken up an incident: nobody needs to be reminded of it."""
    incident.remind_at = None


def remind(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Say again that nobody is on an incident, or has acknowledged it, at growing intervals.

    Not when it is calm by now, or acknowledged below the dispatch level: then only a new demand says so.
    """
    unsent = bool(incident.dispatched or incident.acted) and not book.working(incident)
    heads = [incident.area, *incident.linked] if incident.linked and incident.kind == "risk" else []
    wanting = [head for head in heads if _is_wanting(book, incident, head)]
    if incident.calm or not (unsent or wanting or incident.state == "open"):
        incident.remind_at = None
        return
    incident.reminders += 1
    incident.remind_at = book.next_reminder(incident.reminders, clock)
    args: dict[str, Any] = {"reminders": incident.reminders}
    edge, reason = ("undispatched", "dispatch.no_unit") if unsent else ("reminded", "incident.unacknowledged")
    for head in wanting:
        said = args | {"area": head}
        out.append(
            book.incident_record(
                incident, "undispatched", clock, actor=ENGINE, reason="dispatch.no_unit_there", args=said
            )
        )
    if not wanting:
        out.append(book.incident_record(incident, edge, clock, actor=ENGINE, reason=reason, args=args))


def resume(book: Casebook, incident: Incident, clock: float) -> None:
    """Have what a silence put off be due again: a deadline that passed at once, reminders after their interval."""
    incident.held = False
    for dispatch in (book.cases.dispatches[id] for id in (*incident.dispatches, *incident.visits)):
        if dispatch.remind_at is not None:
            dispatch.remind_at = book.next_reminder(dispatch.reminders, clock) if dispatch.overdue else None
            book.wake_at(dispatch.due)
    if incident.remind_at is not None:
        incident.remind_at = book.next_reminder(incident.reminders, clock)
        book.wake_at(incident.remind_at)


def expire(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Say that a leg is overdue, and take the next step of its chain, until somebody acts.

    By default a dispatch that nobody accepted goes up the hierarchy. One that was accepted keeps its unit, and each
    time the next place above is told. At the top it is said to whoever has it, at growing intervals.
    """
    again, dispatch.overdue = dispatch.overdue, True
    if again:
        dispatch.reminders += 1
    chain = book.chain(dispatch)
    place = dispatch.reminders - (1 if chain[0].wait else 0)  # before the first step it is only said
    step = chain[min(place, len(chain) - 1)] if place >= 0 else None
    above = _above(book, dispatch, clock) if step is not None and step.do == "up" else None
    if above is not None and dispatch.leg != "issued":
        dispatch.told.append(above)
        dispatch.climbed = above
    if step is not None and step.do == "notify":
        named = book.router.named(dispatch.area, step.notify, clock)
        known = {dispatch.unit, *dispatch.told}
        dispatch.told += [unit for unit in named if unit not in known and book.takes_part(dispatch, unit)]
    if place + 1 < len(chain):
        dispatch.remind_at = clock + chain[place + 1].wait
    else:
        dispatch.remind_at = book.next_reminder(place + 1 - len(chain), clock)
    reason = "dispatch.reminder" if again else ""
    out.append(book.dispatch_record(dispatch, "overdue", clock, actor=ENGINE, reason=reason))
    if above is not None and dispatch.leg == "issued":
        pass_on(book, dispatch, above, clock, out, reason="dispatch.escalated")


def _above(book: Casebook, dispatch: Dispatch, clock: float) -> str | None:
    """Name the next unit up the hierarchy that takes part; None at the top.

    Above who answers for what people told of stand the others that do, and then the place's own: none waits in vain.
    """
    from_unit = dispatch.climbed or dispatch.unit
    known = {*dispatch.tried, *_taken(book, dispatch), *dispatch.told}
    incident = book.cases.incidents.get(dispatch.incident)
    if dispatch.leg == "issued" and incident is not None and from_unit in book.answering(incident, dispatch.area):
        return next(iter(book.suggest(incident, clock, known, dispatch.area)), None)
    before = () if dispatch.climbed else dispatch.tried
    above = book.router.above(dispatch.area, from_unit, book.kind_of(dispatch), known, clock, before)
    while above is not None and not book.takes_part(dispatch, above):
        known.add(above)
        above = book.router.above(dispatch.area, from_unit, book.kind_of(dispatch), known, clock, before)
    return above


def _busy(book: Casebook, dispatch: Dispatch) -> set[str]:
    """Name the units that no order of the same incident is passed on to: tried by any, on it already, or unwilling."""
    tried = [unit for other in _orders(book, dispatch) if other.device == dispatch.device for unit in other.tried]
    return {*dispatch.tried, *tried, *_taken(book, dispatch)}


def _taken(book: Casebook, dispatch: Dispatch) -> set[str]:
    """Name the units that have an order of the same incident now, or would not come."""
    incident = book.cases.incidents.get(dispatch.incident)
    refused = incident.refused if incident is not None else ()
    return {*refused, *(other.unit for other in _orders(book, dispatch))}


def _orders(book: Casebook, dispatch: Dispatch) -> list[Dispatch]:
    """List the open orders of the same incident, this one among them."""
    incident = book.cases.incidents.get(dispatch.incident)
    return [book.cases.dispatches[id] for id in incident.dispatches] if incident is not None else []


def note_refusal(book: Casebook, dispatch: Dispatch) -> None:
    """Remember who has refused an incident, whatever becomes of the order; who accepts one after all is willing."""
    incident = book.cases.incidents.get(dispatch.incident)
    if incident is None or dispatch.device:  # who cannot mend one device may mend another
        return
    if dispatch.leg == "refused" and dispatch.unit not in incident.refused:
        incident.refused.append(dispatch.unit)
    elif dispatch.leg == "accepted" and dispatch.unit in incident.refused:
        incident.refused.remove(dispatch.unit)
