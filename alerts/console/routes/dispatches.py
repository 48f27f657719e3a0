"""Dispatches: the orders that send a unit, and the unit's answers.

Who may answer because of the role `field` answers for its own unit, whatever else it may look at.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.journal import Row
from alerts.console.routes import orders
from alerts.console.routes.incidents import Before, Id, Limit, offered, planned
from alerts.dispatch import OPEN
from sensors.site import RANK

router = APIRouter(prefix="/api/v1", tags=["dispatches"])

State = Literal[
    "open", "all", "issued", "accepted", "on_scene", "resolved", "fed_back", "follow_up", "closed", "refused"
]


@router.get("/dispatches", response_model=schema.Dispatches)
def dispatches(
    request: Request,
    identity: Annotated[Identity, Depends(allow("dispatches.read"))],
    unit: Annotated[str | None, Query(max_length=128)] = None,
    state: State = "open",
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """List dispatches, the newest first: `state` is open, all, or one leg. At most 500 come at once."""
    console: Console = request.app.state.console
    own = identity.own_unit("dispatches.read")
    if own is not None and unit not in (None, "", own):
        raise Problem(403, "other_unit")
    asked = own if own is not None else unit or None
    areas = console.scope(identity).areas
    page = console.journal.ask(lambda reader: reader.dispatches(asked, state, limit, before, area=areas))
    titles = console.titles(identity, page.items)
    return {"items": [{**row, "title": titles.get(row["id"])} for row in page.items], "next": page.next}


@router.get("/dispatches/{id}", response_model=schema.Dispatch)
def dispatch(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("dispatches.read"))]
) -> dict[str, Any]:
    """Give a dispatch with its history."""
    console: Console = request.app.state.console
    row = _visible(console, identity, console.journal.ask(lambda reader: reader.dispatch(id)))
    plan = console.journal.ask(lambda reader: reader.plan_of(row["incident"]))
    title = console.titles(identity, [row]).get(row["id"])
    shown = {"title": title, "plan": planned(console, row, plan), "area_plan": _area_plan(console, row, plan)}
    return {**console.cut_order(identity, row), **shown}


@router.post("/dispatches/{id}/accept", response_model=schema.Done)
async def accept(
    request: Request, id: Id, body: schema.Step, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Accept a dispatch for the unit."""
    return await _answer(request, identity, "accept", id, body)


@router.post("/dispatches/{id}/refuse", response_model=schema.Done)
async def refuse(
    request: Request, id: Id, body: schema.Refuse, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Refuse a dispatch, with a reason."""
    return await _answer(request, identity, "refuse", id, body)


@router.post("/dispatches/{id}/on-scene", response_model=schema.Done)
async def on_scene(
    request: Request, id: Id, body: schema.Step, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Say that the unit is on scene."""
    return await _answer(request, identity, "on_scene", id, body)


@router.post("/dispatches/{id}/resolve", response_model=schema.Done)
async def resolve(
    request: Request, id: Id, body: schema.Step, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Say that it is dealt with."""
    return await _answer(request, identity, "resolve", id, body)


@router.post("/dispatches/{id}/feed-back", response_model=schema.Done)
async def feed_back(
    request: Request, id: Id, body: schema.FeedBack, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Say what was fed back to those who called or reported."""
    return await _answer(request, identity, "feed_back", id, body)


@router.post("/dispatches/{id}/follow-up", response_model=schema.Done)
async def follow_up(
    request: Request, id: Id, body: schema.FollowUp, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Arrange a follow-up visit, or put it off with a reason; its incident may be closed before."""
    return await _answer(request, identity, "follow_up", id, body)


@router.post("/dispatches/{id}/refer", response_model=schema.Done)
async def refer(
    request: Request, id: Id, body: schema.Refer, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Hand a dispatch over to another body, such as mediators: its trail goes on with that."""
    return await _answer(request, identity, "refer", id, body)


@router.post("/dispatches/{id}/call", response_model=schema.Done)
async def call(
    request: Request, id: Id, body: schema.Call, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Call other units to the scene at once: they work together, and the one that calls leads."""
    return await _answer(request, identity, "call", id, body)


@router.post("/dispatches/{id}/close", response_model=schema.Done)
async def close(
    request: Request, id: Id, body: schema.Step, identity: Annotated[Identity, Depends(allow("dispatches.close"))]
) -> dict[str, Any]:
    """Close a dispatch: its unit once it is resolved, the desk at any time, before that with a reason.

    After a follow-up visit the reason says what it found.
    """
    return await _answer(request, identity, "close", id, body, action="dispatches.close")


@router.post("/dispatches/{id}/tick", response_model=schema.Done)
async def tick(
    request: Request, id: Id, body: schema.TickOrder, identity: Annotated[Identity, Depends(allow("dispatches.answer"))]
) -> dict[str, Any]:
    """Tick a step of the plan, from where the unit is."""
    return await _answer(request, identity, "tick", id, body)


@router.post("/dispatches/{id}/untick", response_model=schema.Done)
async def untick(
    request: Request,
    id: Id,
    body: schema.UntickOrder,
    identity: Annotated[Identity, Depends(allow("dispatches.answer"))],
) -> dict[str, Any]:
    """Take a tick back, with a reason."""
    return await _answer(request, identity, "untick", id, body)


async def _answer(
    request: Request, identity: Identity, kind: str, id: str, body: schema.Order, action: str = "dispatches.answer"
) -> dict[str, Any]:
    console: Console = request.app.state.console
    row = _visible(console, identity, await console.journal.answer(lambda reader: reader.dispatch(id)))
    own = identity.own_unit(action)
    if own not in (None, row["unit"]):
        raise Problem(403, "other_unit")
    return await orders.give(request, identity, "dispatch", kind, id, body, unit=own)


def _area_plan(console: Console, order: Row, kept: Row | None) -> Row | None:
    """Say what the plan of the area that an order goes to asks for, where its incident keeps to another area's."""
    if order["repair"] or order["leg"] not in OPEN:
        return None
    opened = console.journal.ask(lambda reader: reader.areas_by_id([order["incident"]])).get(order["incident"])
    plan = console.plans.of(order["area"], RANK[order["level"]])
    if opened in (None, order["area"]) or plan is None or (kept is not None and kept["id"] == plan.id):
        return None
    return offered(console, [order["area"]], order["level"], plan)


def _visible(console: Console, identity: Identity, row: Row | None) -> Row:
    """Return a dispatch that may be looked at. Raise `Problem` 404 on any other, so that nobody learns of it."""
    row = console.visible(identity, row)
    if identity.own_unit("dispatches.read") not in (None, row["unit"]):
        raise Problem(404, "not_found")
    return row
