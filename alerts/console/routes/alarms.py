"""Alarms: what is active, all about one, and its acknowledgement."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Area, Before, Id, Limit, State, titled

router = APIRouter(prefix="/api/v1", tags=["alarms"])


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
    page = console.journal.ask(lambda reader: reader.alarms(state, area or None, limit, before))
    return {"items": [titled(console, row) for row in page.items], "next": page.next}


@router.get("/alarms/{id}", response_model=schema.Alarm)
def alarm(request: Request, id: Id, identity: Annotated[Identity, Depends(allow("alarms.read"))]) -> dict[str, Any]:
    """Give an alarm with its explanation, rationale and history."""
    console: Console = request.app.state.console
    row = console.journal.ask(lambda reader: reader.alarm(id))
    if row is None:
        raise Problem(404, "not_found")
    return titled(console, row)


@router.post("/alarms/{id}/acknowledge", response_model=schema.Done)
async def acknowledge(
    request: Request, id: Id, body: schema.Order, identity: Annotated[Identity, Depends(allow("alarms.acknowledge"))]
) -> dict[str, Any]:
    """Acknowledge one alarm."""
    console: Console = request.app.state.console
    area = await console.journal.area("alarm", id)
    if area is None:
        raise Problem(404, "not_found")
    return await console.commander.do(request, identity, "acknowledge", id, area, body.model_dump(exclude_none=True))
