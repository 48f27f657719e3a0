"""The live stream of changes and figures."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow

router = APIRouter(prefix="/api/v1", tags=["changes"])

_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


@router.get(
    "/changes",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "Events `change` (id: position; data: {position, kind, id, record}, where a record leaves "
            "out fields that hold their default), `pulse` (data: as /status, once a second) and `resync` (read the "
            "lists afresh)",
        }
    },
)
async def changes(
    request: Request,
    identity: Annotated[Identity, Depends(allow("changes.read"))],
    since: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> StreamingResponse:
    """Stream what changes after position `since` (or Last-Event-ID), as server-sent events."""
    console: Console = request.app.state.console
    viewer = console.live.open(identity.own_unit("changes.read"))
    if viewer is None:
        raise Problem(503, "too_many_viewers", headers={"Retry-After": "5"})
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdigit() and len(last) <= 16:
        since = int(last)

    async def allowed() -> bool:
        return await to_thread.run_sync(console.gate.still, identity, "changes.read")

    stream = console.live.stream(viewer, since, allowed)
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)
