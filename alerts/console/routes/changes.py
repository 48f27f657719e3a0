"""The live stream of changes and figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.live import Live, TooManyViewers, Viewer

router = APIRouter(prefix="/api/v1", tags=["changes"])

_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


class _Stream(StreamingResponse):
    """Send a viewer its events. It leaves however that ends, also when it is gone before the first one."""

    def __init__(self, live: Live, viewer: Viewer, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=_HEADERS)
        self._live, self._viewer = live, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._viewer)


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
    try:
        viewer = console.live.open(identity.own_unit("changes.read"), identity.actor, console.scope(identity))
    except TooManyViewers as error:
        status, code = (429, "too_many_of_yours") if error.own else (503, "too_many_viewers")
        raise Problem(status, code, headers={"Retry-After": "5"}) from error
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdigit() and len(last) <= 16:
        since = int(last)

    async def allowed() -> bool:
        return await to_thread.run_sync(console.gate.still, identity, "changes.read")

    return _Stream(console.live, viewer, console.live.stream(viewer, since, allowed))
