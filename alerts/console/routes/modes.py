"""Modes of the site: which last, and to begin or end one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.commands import OBSERVATIONS, ask, named, settled
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from sensors.observation import SiteMode, encode

router = APIRouter(prefix="/api/v1", tags=["modes"])

Writer = Annotated[Identity, Depends(allow("modes.write"))]


@router.get("/modes", response_model=schema.Modes)
async def lasting(
    request: Request,
    identity: Annotated[Identity, Depends(allow("modes.read"))],
    past: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """List the modes that the site and its areas are in; with `past` also those that are over, the newest first."""
    console: Console = request.app.state.console
    site = console.config.site
    rows = await console.live.journal.answer(lambda reader: reader.modes(only_on=not past))
    scope = console.scope(identity)
    seen = [row for row in rows if not row["area"] or scope.sees(row["area"])]
    return {"modes": msgspec.to_builtins(site.modes), "items": seen}


@router.post("/modes", response_model=schema.Done)
async def begin(request: Request, body: schema.ModeBegun, identity: Writer) -> dict[str, Any]:
    """Put areas, or the whole site, into a mode for a time: alarms of rules that give way to it are suppressed."""
    return await _order(request, identity, body.mode, body.areas, body.seconds, body.reason)


@router.post("/modes/end", response_model=schema.Done)
async def end(request: Request, body: schema.ModeEnded, identity: Writer) -> dict[str, Any]:
    """End a mode where it was begun, before its time: what still holds rings."""
    return await _order(request, identity, body.mode, body.areas, 0.0, body.reason)


async def _order(
    request: Request, identity: Identity, mode: str, areas: Sequence[str], seconds: float, reason: str
) -> dict[str, Any]:
    console: Console = request.app.state.console
    site, live = console.config.site, console.live
    known = {area.id for area in site.areas}
    if not known.issuperset(areas):
        raise Problem(404, "not_found")
    action = "mode.begin" if seconds else "mode.end"
    said = {"areas": list(areas), "seconds": seconds, "reason": reason}
    id, answered = await named(live, request.headers.get("idempotency-key"), identity.actor, action, mode, said)
    if answered is not None:
        return settled(request, id, answered)
    now = time.time()
    until = now + seconds if seconds else 0.0
    what = SiteMode(
        id=id,
        mode=mode,
        until=until,
        actor=identity.actor,
        reason=reason,
        time=now,
        areas=tuple(areas),
    )
    detail: dict[str, Any] = {"areas": list(areas), "until": until, "reason": reason, "order": what.id}
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, mode, **detail))
    record, wait = encode(what), console.config.command_wait
    every = [(OBSERVATIONS, partition, None, record) for partition in range(site.partitions)]
    return settled(request, what.id, await ask(console.config.feed, live, what.id, every, wait, wait))
