"""Dispatches of the desk: issue, follow the level, pass on after a refusal or no answer, finish."""

from __future__ import annotations

from typing import Any

from alerts.casebook import Casebook
from alerts.dispatch import Dispatch, raise_level, set_deadline
from alerts.identity import dispatch_id
from alerts.incident import Incident, derive_state
from alerts.outcome import AnyOutcome
from sensors.site import RANK

ENGINE = "engine"
"""The actor of what the desk does by itself."""


def follow_level(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome], demand: int = 0) -> None:
    """Dispatch a risk incident that reaches its dispatch level; raise the level of dispatches under way.

    Once nobody is on it any more, only a new demand dispatches again: `demand` is the rank of an alarm that has just
    been raised, rung again or risen, 0 for any other change.
    """
    if incident.calm:
        return
    for id in incident.dispatches:
        dispatch = book.cases.dispatches[id]
        if dispatch.level < incident.level:
            raise_level(dispatch, book.site.deadlines, incident.level, clock)
            out.append(book.dispatch_record(dispatch, "raised", clock, actor=ENGINE, reason="dispatch.level_raised"))
    reached = book.dispatch_rank(incident.area)
    first = not incident.dispatched and incident.level >= reached
    if incident.kind == "data_quality":
        _order_repair(book, incident, clock, out)
    if incident.kind != "risk" or not (first or demand >= reached):
        return
    incident.dispatched = True
    if incident.dispatches:
        return  # who is on the way has just been told of the level
    units = book.router.suggest(incident.area, incident.kind)
    if units:
        issue(book, incident, units[0], clock, out, actor=ENGINE, reason="dispatch.by_level")
    elif first or incident.remind_at is None:
        leave(book, incident, clock, out, actor=ENGINE, reason="dispatch.no_unit")


def _order_repair(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Send maintenance, once, when an alarm about a camera reaches the site's level; without a unit, nobody."""
    wanted = RANK.get(book.site.maintenance, 0)
    if not wanted or incident.dispatched or incident.dispatches:
        return
    alarms = [book.cases.alarms[id] for id in incident.members if id in book.cases.alarms]
    if not any(alarm.scope in book.router.cameras and alarm.level >= wanted for alarm in alarms):
        return
    incident.dispatched = True
    units = book.router.menders(incident.area)
    if units:
        issue(book, incident, units[0], clock, out, actor=ENGINE, reason="dispatch.repair")


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
) -> None:
    """Send a unit to an incident."""
    incident.issued += 1
    incident.remind_at = None
    dispatch = Dispatch(
        id=dispatch_id(incident.id, incident.issued),
        incident=incident.id,
        area=incident.area,
        unit=unit,
        level=incident.level,
        deadline=None,
        tried=[unit],
        note=note,
        simulated=incident.simulated,
    )
    set_deadline(dispatch, book.site.deadlines, clock)
    book.cases.dispatches[dispatch.id] = dispatch
    incident.dispatches.append(dispatch.id)
    incident.state = derive_state(incident)
    args = {"dispatch": dispatch.id, "unit": unit}
    out.append(book.incident_record(incident, "dispatched", clock, actor=actor, reason=reason, args=args))
    out.append(book.dispatch_record(dispatch, "issued", clock, actor=actor, reason=note or reason))


def pass_on(book: Casebook, dispatch: Dispatch, unit: str, clock: float, out: list[AnyOutcome], *, reason: str) -> None:
    """Give a dispatch to another unit, which starts at its first leg; the one that loses it is told too."""
    previous, dispatch.unit = dispatch.unit, unit
    dispatch.tried.append(unit)
    dispatch.leg = "issued"
    set_deadline(dispatch, book.site.deadlines, clock)
    out.append(book.dispatch_record(dispatch, "reassigned", clock, actor=ENGINE, reason=reason, previous=previous))


def pass_to_next(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Give a refused dispatch to the next suggested unit; without one it ends, and the incident says so."""
    kind, busy = _kind(book, dispatch), _busy(book, dispatch)
    unit = book.router.units.get(dispatch.unit)
    mending = kind != "risk" and unit is not None and unit.kind == "maintenance"
    units = book.router.menders(dispatch.area, busy) if mending else book.router.suggest(dispatch.area, kind, busy)
    if units:
        pass_on(book, dispatch, units[0], clock, out, reason="dispatch.next_unit")
    else:
        finish(book, dispatch, clock, out, actor=ENGINE, reason="dispatch.no_unit")


def finish(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Take an ended dispatch off its incident, and say so when nobody is left on it."""
    incident = book.finish_dispatch(dispatch)
    if incident is not None and not incident.dispatches:
        leave(book, incident, clock, out, actor=actor, reason=reason, args={"dispatch": dispatch.id})


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
    """Say that nobody is on an incident; what the engine could not help is said again until a person takes it up."""
    incident.reminders = 0
    incident.remind_at = book.next_reminder(0, clock) if actor == ENGINE else None
    out.append(book.incident_record(incident, "undispatched", clock, actor=actor, reason=reason, args=args))


def attend(incident: Incident) -> None:
    """Note that a person has taken up an incident: nobody needs to be reminded of it."""
    incident.remind_at = None


def remind(book: Casebook, incident: Incident, clock: float, out: list[AnyOutcome]) -> None:
    """Say again that nobody is on an incident, or has acknowledged it, at growing intervals.

    Not when it is calm by now, or acknowledged below the dispatch level: then only a new demand says so.
    """
    unsent = incident.dispatched and not incident.dispatches
    if incident.calm or not (unsent or incident.state == "open"):
        incident.remind_at = None
        return
    incident.reminders += 1
    incident.remind_at = book.next_reminder(incident.reminders, clock)
    args = {"reminders": incident.reminders}
    edge, reason = ("undispatched", "dispatch.no_unit") if unsent else ("reminded", "incident.unacknowledged")
    out.append(book.incident_record(incident, edge, clock, actor=ENGINE, reason=reason, args=args))


def expire(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Say that a leg is overdue, and again from time to time until somebody acts.

    A dispatch that nobody accepted goes up the hierarchy. One that was accepted keeps its unit, and each time the next
    place above is told. At the top it is said to whoever has it.
    """
    again, dispatch.overdue = dispatch.overdue, True
    if again:
        dispatch.reminders += 1
    from_unit = dispatch.told[-1] if dispatch.told else dispatch.unit
    known = {*_busy(book, dispatch), *dispatch.told}
    above = book.router.above(dispatch.area, from_unit, _kind(book, dispatch), known)
    if above is not None and dispatch.leg != "issued":
        dispatch.told.append(above)
    dispatch.remind_at = book.next_reminder(dispatch.reminders, clock)
    reason = "dispatch.reminder" if again else ""
    out.append(book.dispatch_record(dispatch, "overdue", clock, actor=ENGINE, reason=reason))
    if above is not None and dispatch.leg == "issued":
        pass_on(book, dispatch, above, clock, out, reason="dispatch.escalated")


def _kind(book: Casebook, dispatch: Dispatch) -> str:
    incident = book.cases.incidents.get(dispatch.incident)
    return incident.kind if incident is not None else "risk"


def _busy(book: Casebook, dispatch: Dispatch) -> set[str]:
    """Name the units that were tried or are on the same incident already."""
    incident = book.cases.incidents.get(dispatch.incident)
    others = incident.dispatches if incident is not None else []
    return {*dispatch.tried, *(book.cases.dispatches[id].unit for id in others)}
