"""Dispatches of the desk: issue, follow the level, pass on after a refusal or no answer, finish."""

from __future__ import annotations

from alerts.casebook import Casebook
from alerts.dispatch import Dispatch, raise_level, set_deadline
from alerts.identity import dispatch_id
from alerts.incident import Incident, derive_state
from alerts.outcome import AnyOutcome

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
    if incident.kind != "risk" or not (first or demand >= reached):
        return
    incident.dispatched = True
    if incident.dispatches:
        return  # who is on the way has just been told of the level
    units = book.router.suggest(incident.area, incident.kind)
    if units:
        issue(book, incident, units[0], clock, out, actor=ENGINE, reason="dispatch.by_level")
    elif first:
        out.append(book.incident_record(incident, "undispatched", clock, actor=ENGINE, reason="dispatch.no_unit"))


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
    """Give a dispatch to another unit, which starts at its first leg."""
    dispatch.unit = unit
    dispatch.tried.append(unit)
    dispatch.leg = "issued"
    set_deadline(dispatch, book.site.deadlines, clock)
    out.append(book.dispatch_record(dispatch, "reassigned", clock, actor=ENGINE, reason=reason))


def pass_to_next(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Give a refused dispatch to the next suggested unit; without one it ends, and the incident says so."""
    units = book.router.suggest(dispatch.area, _kind(book, dispatch), _busy(book, dispatch))
    if units:
        pass_on(book, dispatch, units[0], clock, out, reason="dispatch.next_unit")
    else:
        finish(book, dispatch, clock, out, actor=ENGINE, reason="dispatch.no_unit")


def finish(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome], *, actor: str, reason: str) -> None:
    """Take an ended dispatch off its incident, and say so when nobody is left on it."""
    incident = book.finish_dispatch(dispatch)
    if incident is not None and not incident.dispatches:
        out.append(
            book.incident_record(
                incident, "undispatched", clock, actor=actor, reason=reason, args={"dispatch": dispatch.id}
            )
        )


def expire(book: Casebook, dispatch: Dispatch, clock: float, out: list[AnyOutcome]) -> None:
    """Mark a dispatch whose deadline has passed, once a leg; one that nobody accepted goes up the hierarchy."""
    dispatch.overdue = True
    out.append(book.dispatch_record(dispatch, "overdue", clock, actor=ENGINE))
    if dispatch.leg != "issued":
        return
    unit = book.router.above(dispatch.area, dispatch.unit, _kind(book, dispatch), _busy(book, dispatch))
    if unit is not None:
        pass_on(book, dispatch, unit, clock, out, reason="dispatch.escalated")


def _kind(book: Casebook, dispatch: Dispatch) -> str:
    incident = book.cases.incidents.get(dispatch.incident)
    return incident.kind if incident is not None else "risk"


def _busy(book: Casebook, dispatch: Dispatch) -> set[str]:
    """Name the units that were tried or are on the same incident already."""
    incident = book.cases.incidents.get(dispatch.incident)
    others = incident.dispatches if incident is not None else []
    return {*dispatch.tried, *(book.cases.dispatches[id].unit for id in others)}
