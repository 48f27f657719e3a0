"""Cameras: what they show now, and how they fare."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.console import Console, console_of
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.viewing import BOUNDARY, TooManyLive, Viewing, frames
from alerts.operations import begun, operations

router = APIRouter(prefix="/api/v1/cameras", tags=["cameras"])

VIEW = "cameras.view"
Id = Annotated[str, Path(max_length=200)]
Viewer = Annotated[Identity, Depends(allow(VIEW))]


@router.get("/operations", response_model=schema.CameraOperations)
def fares(
    request: Request,
    identity: Annotated[Identity, Depends(allow("areas.read"))],
    days: Annotated[float, Query(gt=0, le=366)] = 30.0,
) -> dict[str, Any]:
    """Say how cameras fare, each and by area and supplier, the worst first: from their alarms of the last days."""
    console = console_of(request)
    scope = console.scope(identity)
    now, cameras = time.time(), [one for one in console.config.site.cameras if scope.sees_any(one.areas)]
    live = {camera.id: console.figures.camera(camera.id, now)["state"] for camera in cameras}
    published = [float(one["time"]) for one in console.config.publications()]
    since = max(now - 86400.0 * days, begun(published, console.journal.ask(lambda reader: reader.first())))
    changes = console.journal.ask(lambda reader: reader.camera_transitions(console.registry.cameras, since))
    return operations(cameras, changes, live, since, now)


@router.get(
    "/{id}/still.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The newest picture, its time in Last-Modified"}},
)
async def still(request: Request, id: Id, identity: Viewer) -> Response:
    """Give what a camera shows now: its newest picture, not older than ten seconds. Ten a second at most."""
    console = console_of(request)
    _known(console, identity, id)
    if not console.viewing.may_ask(identity.actor):
        raise Problem(429, "too_many_looks", headers={"Retry-After": "1"})
    at, picture = await _newest(console, id)
    if console.viewing.new(identity.actor, id):
        await _note(console, identity, "camera.still", id)
    headers = {"Cache-Control": "no-store", "Last-Modified": formatdate(at, usegmt=True)}
    return Response(picture, media_type="image/jpeg", headers=headers)


@router.get(
    "/{id}/live.mjpeg",
    response_class=StreamingResponse,
    responses={200: {"content": {"multipart/x-mixed-replace": {}}, "description": "A JPEG a part, two a second"}},
)
async def live(request: Request, id: Id, identity: Viewer) -> Response:
    """Show what a camera shows as MJPEG, at most two pictures a second and half an hour long."""
    console = console_of(request)
    _known(console, identity, id)
    await _newest(console, id)
    try:
        console.viewing.open(identity.actor)
    except TooManyLive as error:
        status, code = (429, "too_many_of_yours") if error.own else (503, "too_many_viewers")
        raise Problem(status, code, headers={"Retry-After": "5"}) from error
    try:
        await _note(console, identity, "camera.live", id)
    except BaseException:
        console.viewing.leave(identity.actor)
        raise

    async def may() -> bool:
        return await to_thread.run_sync(console.gate.still, identity, VIEW)

    return _Live(console.viewing, identity.actor, frames(console.config.newest, id, may))


class _Live(StreamingResponse):
    """Send pictures; the viewer is counted out however that ends."""

    def __init__(self, viewing: Viewing, actor: str, parts: AsyncIterator[bytes]) -> None:
        super().__init__(parts, media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self._viewing, self._actor = viewing, actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._viewing.leave(self._actor)


async def _newest(console: Console, id: str) -> tuple[float, bytes]:
    found = await console.config.newest(id)
    if isinstance(found, str):
        status = 404 if found == "not_found" else 409 if found == "camera_not_read" else 503
        raise Problem(status, found, headers={"Retry-After": "5"} if status == 503 else None)
    return found


async def _note(console: Console, identity: Identity, action: str, camera: str) -> None:
    await to_thread.run_sync(record_audit, console.accounts, identity.actor, action, camera)


def _known(console: Console, identity: Identity, id: str) -> None:
    camera = console.registry.cameras.get(id)
    if camera is None or not console.scope(identity).sees_any(camera.areas):
        raise Problem(404, "not_found")
