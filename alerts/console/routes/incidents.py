"""Incidents: what is open, all about one, and what can be done with it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request

from alerts.console import schema
from alerts.console.attachments import shown
from alerts.console.console import Console
from alerts.console.identity import Identity, allow
from alerts.console.journal import Row
from alerts.console.routes import orders
from alerts.plans import checklist, filled, further, place_of
from alerts.queries import MAX_PAGE
from alerts.reason_words import in_both
from alerts.triage import likeliest
from sensors.camera.clip import ENDING, file_of
from sensors.site import Plan

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Id = Annotated[str, Path(max_length=200)]
State = Literal["open", "closed", "all", "acknowledged", "dispatched", "calm"]
Area = Annotated[str | None, Query(max_length=128)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
Before = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/incidents", response_model=schema.Incidents)
def incidents(
    request: Request,
    identity: Annotated[Identity, Depends(allow("incidents.read"))],
    state: State = "open",
    area: Area = None,
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """List incidents, the newest first: `state` is open, closed, all, or one state. At most 500 come at once."""
    console: Console = request.app.state.console
    areas = console.scope(identity).asked(area or None)
    page = console.journal.ask(lambda reader: reader.incidents(state, areas, limit, before))
    items = console.cut_list(identity, page.items)
    console.add_odds(items, of_incidents=True)
    return {"items": items, "next": page.next}


@router.get("/incidents/{id}", response_model=schema.Incident)
def incident(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("incidents.read"))]
) -> dict[str, Any]:
    """Give an incident with its alarms, dispatches, history and pictures, and whom to send."""
    console: Console = request.app.state.console
    row = console.cut(identity, console.visible(identity, console.journal.ask(lambda reader: reader.incident(id))))
    busy = {dispatch["unit"] for dispatch in row["dispatch_details"] if dispatch["leg"] not in ("closed", "refused")}
    for dispatch in row["dispatch_details"]:
        dispatch["title"] = row["title"]
    console.add_odds(row["alarm_details"])
    row["odds"] = None if row["state"] == "closed" else likeliest(row["alarm_details"])
    for alarm in row["alarm_details"]:
        titled(console, alarm)
    row["further_plans"] = further_plans(console, row, [(one["area"], one["level"]) for one in row["alarm_details"]])
    row["plan"] = planned(console, row, row["plan"])
    for one in row["snapshots"]:
        if file_of(console.config.snapshots, one["sha"]).is_file():
            one["clip"] = f"/api/v1/snapshots/{one['sha']}.{ENDING}"
    for change in row["history"]:
        change.get("args", {}).pop("content", None)  # the plan stands beside the history, once
    shown(identity.roles, row["attachments"])
    known = (change.get("areas") for change in reversed(row["history"]))
    scope = console.scope(identity)
    areas = [area for area in next(known, None) or [row["area"]] if scope.sees(area)]
    suggested = _suggested(console, row, areas, busy)
    return {
        **row,
        "suggested_units": next(iter(suggested.values()), []),
        "suggested_at": suggested if len(suggested) > 1 else {},
    }


def _suggested(console: Console, row: Row, areas: Sequence[str], busy: set[str]) -> dict[str, list[str]]:
    """List whom to send to each area, best first, as the engine would; in a drill none but those that take part."""
    load: Counter[str] = Counter()
    here = _partition(console, row["area"])
    for unit, area, count in console.journal.ask(lambda reader: reader.burden(row["simulated"])):
        if _partition(console, area) == here:
            load[unit] += count
    found = {area: console.router.suggest(area, row["kind"], busy, time.time(), load) for area in areas}
    refused = _refused(row)
    for area, units in found.items():
        first = [unit for unit in _answering(console, row, area) if unit not in busy]
        units[:] = [*first, *(unit for unit in units if unit not in first)]
        units.sort(key=refused.__contains__)
    if not row["exercise"]:
        return found
    running = console.journal.ask(lambda reader: reader.exercises(running=True))
    part = {unit for one in running if one["id"] == row["exercise"] for unit in one["units"]}
    return {area: [unit for unit in units if unit in part] for area, units in found.items()}


def _answering(console: Console, row: Row, area: str) -> list[str]:
    """List who answers for the category that a case by report was last told of; nobody where the site names none."""
    told = (change["args"].get("category") for change in reversed(row["history"]) if change["edge"] == "reported")
    category = next(told, None)
    kinds = (kind for kind in console.config.site.reports if kind.category == category)
    return [unit for kind in kinds for unit in console.router.answering(area, kind.units)]


def _refused(row: Row) -> set[str]:
    """Name the units that have refused an incident, and have accepted no order of it since: they come last."""
    told = [one for order in row["dispatch_details"] if not order["repair"] for one in order["history"]]
    latest = {one["unit"]: one["edge"] for one in sorted(told, key=_time) if one["edge"] in ("refused", "accepted")}
    return {unit for unit, edge in latest.items() if edge == "refused"}


def _time(change: Row) -> float:
    return float(change["time"])


def _partition(console: Console, area: str) -> int | None:
    """Name the partition of an area, None where the site has it no more."""
    try:
        return console.registry.partition(area)
    except KeyError:
        return None


@router.post("/incidents/{id}/acknowledge", response_model=schema.Done)
async def acknowledge(
    request: Request,
    id: Id,
    body: schema.Order,
    identity: Annotated[Identity, Depends(allow("incidents.acknowledge"))],
) -> dict[str, Any]:
    """Acknowledge an incident and all its alarms."""
    return await orders.give(request, identity, "incident", "acknowledge", id, body)


@router.post("/incidents/{id}/dispatch", response_model=schema.Done)
async def dispatch(
    request: Request, id: Id, body: schema.Send, identity: Annotated[Identity, Depends(allow("incidents.dispatch"))]
) -> dict[str, Any]:
    """Send a unit."""
    return await orders.give(request, identity, "incident", "dispatch", id, body)


@router.post("/incidents/{id}/comment", response_model=schema.Done)
async def comment(
    request: Request, id: Id, body: schema.Comment, identity: Annotated[Identity, Depends(allow("incidents.comment"))]
) -> dict[str, Any]:
    """Note something on an incident."""
    return await orders.give(request, identity, "incident", "comment", id, body)


@router.post("/incidents/{id}/close", response_model=schema.Done)
async def close(
    request: Request, id: Id, body: schema.Close, identity: Annotated[Identity, Depends(allow("incidents.close"))]
) -> dict[str, Any]:
    """Close an incident with what it turned out to be."""
    return await orders.give(request, identity, "incident", "close", id, body)


@router.post("/incidents/{id}/merge", response_model=schema.Done)
async def merge(
    request: Request, id: Id, body: schema.Merge, identity: Annotated[Identity, Depends(allow("incidents.regroup"))]
) -> dict[str, Any]:
    """Take other incidents into this one, with their alarms and orders."""
    return await orders.give(request, identity, "incident", "merge", id, body)


@router.post("/incidents/{id}/split", response_model=schema.Done)
async def split(
    request: Request, id: Id, body: schema.Split, identity: Annotated[Identity, Depends(allow("incidents.regroup"))]
) -> dict[str, Any]:
    """Put some alarms of an incident, and orders of it, into a new one."""
    return await orders.give(request, identity, "incident", "split", id, body)


@router.post("/incidents/{id}/tick", response_model=schema.Done)
async def tick(
    request: Request, id: Id, body: schema.TickOrder, identity: Annotated[Identity, Depends(allow("incidents.tick"))]
) -> dict[str, Any]:
    """Tick a step of the incident's plan."""
    return await orders.give(request, identity, "incident", "tick", id, body)


@router.post("/incidents/{id}/untick", response_model=schema.Done)
async def untick(
    request: Request, id: Id, body: schema.UntickOrder, identity: Annotated[Identity, Depends(allow("incidents.tick"))]
) -> dict[str, Any]:
    """Take a tick back, with a reason."""
    return await orders.give(request, identity, "incident", "untick", id, body)


def planned(console: Console, incident: Row, plan: Row | None) -> Row | None:
    """Say how the plan of an incident (area and level) stands, its messages filled in; None without one."""
    if plan is None:
        return None
    return filled_in(plan, incident["level"], whereabouts(console, incident["area"]))


def further_plans(console: Console, incident: Row, levels: Sequence[tuple[str, str]]) -> list[Row]:
    """Say what plans an open incident's areas have beside the one that it keeps to, by the levels of its alarms there.

    `incident` names `area`, `state`, `kind` and `sort`, and has its `plan` as the journal gives it.
    """
    if incident["state"] == "closed" or incident["kind"] != "risk" or incident["sort"]:
        return []
    kept = incident["plan"]["id"] if incident["plan"] is not None else ""
    elsewhere = [one for one in levels if one[0] != incident["area"]]
    return [offered(console, *one) for one in further(console.plans, kept, elsewhere)]


def offered(console: Console, areas: Sequence[str], level: str, plan: Plan) -> Row:
    """Say what a plan in force asks of areas at a level, its messages filled in, and nothing ticked."""
    told = [whereabouts(console, area) for area in areas]
    places = {
        name: {
            tongue: comma.join(dict.fromkeys(one[name][tongue] for one in told))
            for tongue, comma in (("zh", "、"), ("en", ", "))
        }
        for name in ("area", "place")
    }
    plain = {**msgspec.to_builtins(plan), "ticks": {}}
    return {**filled_in(plain, level, places), "areas": list(areas)}


def filled_in(plan: Row, level: str, where: Mapping[str, Mapping[str, str]]) -> Row:
    """Give a plan's checklist as it stands at a level, and its messages for a place."""
    drafts = [{**one, "text": filled(one["text"], level=level, **where)} for one in plan["drafts"]]
    return {**plan, "steps": checklist(plan, plan["ticks"], level), "drafts": drafts}


def whereabouts(console: Console, id: str) -> dict[str, dict[str, str]]:
    """Name an area and its place in both languages."""
    return {"area": console.area_name(id), "place": place_of(console.registry.area(id), console.config.site)}


def titled(console: Console, row: Row) -> Row:
    """Fill in a rule's title and rationale where the journal does not have them, and its plan."""
    rule = console.config.rules.get(row["rule"], {})
    for name, key in (("rule_title", "title"), ("rationale", "rationale")):
        if not row.get(name):
            row[name] = rule.get(key)
    row["plan"] = rule.get("plan")
    if row.get("explanation"):
        row["explanation"] = in_both(row["explanation"], row["rule"])
    return row
