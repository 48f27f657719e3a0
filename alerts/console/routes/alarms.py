"""Alarms: what is active or set aside, all about one, and what can be done with it."""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Request

from alerts.console import schema
from alerts.console.accounts import find_user
from alerts.console.attachments import shown
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.routes import orders
from alerts.console.routes.incidents import Area, Before, Id, Limit, titled

router = APIRouter(prefix="/api/v1", tags=["alarms"])

State = Literal["open", "all", "NORM", "UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV"]


@router.get("/alarms", response_model=schema.Alarms)
def alarms(
    request: Request,
    identity: Annotated[Identity, Depends(allow("alarms.read"))],
    state: State = "open",
    area: Area = None,
    limit: Limit = 50,
    before: Before = None,
) -> dict[str, Any]:
    """List alarms, the newest first: `state` is open, all, or one ISA-18.2 state. At most 500 come at once."""
    console: Console = request.app.state.console
    areas = console.scope(identity).asked(area or None)
    page = console.journal.ask(lambda reader: reader.alarms(state, areas, limit, before))
    console.add_odds(page.items)
    return {"items": [titled(console, row) for row in page.items], "next": page.next}


@router.get("/shelved", response_model=schema.Shelved)
def shelved(
    request: Request, identity: Annotated[Identity, Depends(allow("alarms.read"))], area: Area = None
) -> dict[str, Any]:
    """List what is shelved, suppressed or out of service with the time left; what comes back first leads."""
    console: Console = request.app.state.console
    now = time.time()
    areas = console.scope(identity).asked(area or None)
    rows = console.journal.ask(lambda reader: reader.set_aside(areas))
    items = [{**titled(console, row), "left": max(0.0, row["aside"]["until"] - now)} for row in rows]
    return {"items": items, "time": now}


@router.get("/alarms/{id}", response_model=schema.Alarm)
def alarm(request: Request, id: Id, identity: Annotated[Identity, Depends(allow("alarms.read"))]) -> dict[str, Any]:
    """Give an alarm with its explanation, rationale and history."""
    console: Console = request.app.state.console
    row = console.visible(identity, console.journal.ask(lambda reader: reader.alarm(id)))
    console.add_odds([row])
    shown(identity.roles, row["attachments"])
    return titled(console, row)


@router.post("/alarms/{id}/acknowledge", response_model=schema.Done)
async def acknowledge(
    request: Request, id: Id, body: schema.Order, identity: Annotated[Identity, Depends(allow("alarms.acknowledge"))]
) -> dict[str, Any]:
    """Acknowledge one alarm."""
    return await orders.give(request, identity, "alarm", "acknowledge", id, body)


@router.post("/alarms/{id}/reset", response_model=schema.Done)
async def reset(
    request: Request, id: Id, body: schema.BringBack, identity: Annotated[Identity, Depends(allow("alarms.reset"))]
) -> dict[str, Any]:
    """End a latched alarm whose condition is gone, once it is acknowledged."""
    return await orders.give(request, identity, "alarm", "reset", id, body)


@router.post("/alarms/{id}/comment", response_model=schema.Done)
async def comment(
    request: Request, id: Id, body: schema.Comment, identity: Annotated[Identity, Depends(allow("alarms.comment"))]
) -> dict[str, Any]:
    """Note something on an alarm, and on its incident."""
    return await orders.give(request, identity, "alarm", "comment", id, body)


@router.post("/alarms/{id}/assign", response_model=schema.Done)
async def assign(
    request: Request, id: Id, body: schema.Assign, identity: Annotated[Identity, Depends(allow("alarms.assign"))]
) -> dict[str, Any]:
    """Say who sees to an alarm: yourself, unless `to` names another person with an account."""
    if body.to is not None:
        console: Console = request.app.state.console
        name = body.to.strip().removeprefix("user:")
        user = await to_thread.run_sync(find_user, console.accounts, name) if name else None
        if user is None or user.disabled:
            raise Problem(422, "unknown_person", field="to")
        body = body.model_copy(update={"to": f"user:{user.name}"})
    return await orders.give(request, identity, "alarm", "assign", id, body)


@router.post("/alarms/{id}/shelve", response_model=schema.Done)
async def shelve(
    request: Request, id: Id, body: schema.SetAsideOrder, identity: Annotated[Identity, Depends(allow("alarms.shelve"))]
) -> dict[str, Any]:
    """Shelve an alarm for a time, with a reason; it rings at once when it rises above its level."""
    return await orders.give(request, identity, "alarm", "shelve", id, body)


@router.post("/alarms/{id}/unshelve", response_model=schema.Done)
async def unshelve(
    request: Request, id: Id, body: schema.BringBack, identity: Annotated[Identity, Depends(allow("alarms.shelve"))]
) -> dict[str, Any]:
    """Take an alarm off the shelf before its time."""
    return await orders.give(request, identity, "alarm", "unshelve", id, body)


@router.post("/alarms/{id}/out-of-service", response_model=schema.Done)
async def out_of_service(
    request: Request,
    id: Id,
    body: schema.SetAsideOrder,
    identity: Annotated[Identity, Depends(allow("alarms.out_of_service"))],
) -> dict[str, Any]:
    """Take an alarm out of service while its sensor is mended; it stays silent whatever its process does."""
    return await orders.give(request, identity, "alarm", "out_of_service", id, body)


@router.post("/alarms/{id}/in-service", response_model=schema.Done)
async def in_service(
    request: Request,
    id: Id,
    body: schema.BringBack,
    identity: Annotated[Identity, Depends(allow("alarms.out_of_service"))],
) -> dict[str, Any]:
    """Put an alarm back into service."""
    return await orders.give(request, identity, "alarm", "in_service", id, body)


@router.post("/alarms/{id}/suppress", response_model=schema.Done)
async def suppress(
    request: Request,
    id: Id,
    body: schema.SetAsideOrder,
    identity: Annotated[Identity, Depends(allow("alarms.suppress"))],
) -> dict[str, Any]:
    """Suppress an alarm that means nothing in the way its place is run for a time."""
    return await orders.give(request, identity, "alarm", "suppress", id, body)


@router.post("/alarms/{id}/unsuppress", response_model=schema.Done)
async def unsuppress(
    request: Request, id: Id, body: schema.BringBack, identity: Annotated[Identity, Depends(allow("alarms.suppress"))]
) -> dict[str, Any]:
    """Let a suppressed alarm ring again."""
    return await orders.give(request, identity, "alarm", "unsuppress", id, body)
