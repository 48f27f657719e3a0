"""Silences: what calls nobody for a time; to begin, prolong or end one."""

from __future__ import annotations

import time
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request

from alerts import messages as texts
from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.commands import OBSERVATIONS, ask, named, settled
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.journal import Row
from alerts.console.scope import Scope, areas_about
from sensors.lookup import Registry
from sensors.observation import Silence, encode

router = APIRouter(prefix="/api/v1", tags=["silences"])

Writer = Annotated[Identity, Depends(allow("silences.write"))]
Id = Annotated[str, Path(max_length=64)]


@router.get("/silences", response_model=schema.Silences)
async def lasting(
    request: Request,
    identity: Annotated[Identity, Depends(allow("silences.read"))],
    past: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """List silences that last, what ends first leading; with `past` also those that are over, the newest first."""
    console: Console = request.app.state.console
    scope = console.scope(identity)
    rows = await console.live.journal.answer(lambda reader: reader.silences(only_on=not past))
    seen = (cut for row in rows if (cut := _cut(console.registry, scope, row)) is not None)
    return {"items": [{**row, "rule_titles": console.rule_titles(row["rules"])} for row in seen]}


def _cut(registry: Registry, scope: Scope, row: Row) -> Row | None:
    """Return a silence as far as it covers what may be seen; None where it covers nothing of that."""
    areas = [area for area in row["areas"] if scope.sees(area)]
    scopes = [one for one in row["scopes"] if scope.sees_any(areas_about(registry, one))]
    if (row["areas"] and not areas) or (row["scopes"] and not scopes):
        return None
    return {**row, "areas": areas, "scopes": scopes}


@router.post("/silences", response_model=schema.Done)
async def begin(request: Request, body: schema.SilenceBegun, identity: Writer) -> dict[str, Any]:
    """Silence alarms of areas, points or rules for a time: they are listed as ever, and call nobody."""
    console: Console = request.app.state.console
    if not {area.id for area in console.config.site.areas}.issuperset(body.areas):
        raise Problem(404, "not_found")
    covered: dict[str, Any] = {
        "areas": tuple(body.areas),
        "scopes": tuple(body.scopes),
        "rules": tuple(body.rules),
        "level": body.level,
    }
    return await _give(request, identity, "silence.begin", body.seconds, body.reason, **covered)


@router.post("/silences/{id}/prolong", response_model=schema.Done)
async def prolong(request: Request, id: Id, body: schema.SilenceProlonged, identity: Writer) -> dict[str, Any]:
    """Have a silence end at another time, counted from now."""
    return await _give(request, identity, "silence.prolong", body.seconds, body.reason, of=id)


@router.post("/silences/{id}/end", response_model=schema.Done)
async def end(request: Request, id: Id, body: schema.SilenceEnded, identity: Writer) -> dict[str, Any]:
    """End a silence before its time: what is still active calls."""
    return await _give(request, identity, "silence.end", 0.0, body.reason, of=id)


async def _give(
    request: Request, identity: Identity, action: str, seconds: float, reason: str, *, of: str = "", **covered: Any
) -> dict[str, Any]:
    console: Console = request.app.state.console
    site, live = console.config.site, console.live
    said = {"seconds": seconds, "reason": reason, **covered}
    id, answered = await named(live, request.headers.get("idempotency-key"), identity.actor, action, of, said)
    if answered is not None:
        return settled(request, id, answered)
    if of:
        lasting = await live.journal.answer(lambda reader: reader.silences())
        if of not in {one["id"] for one in lasting}:
            raise Problem(409, "silence.not_on", message=texts.text("silence.not_on", language_of(request)))
    now = time.time()
    until = now + seconds if seconds else 0.0
    what = Silence(id=id, until=until, actor=identity.actor, reason=reason, time=now, of=of, **covered)
    detail: dict[str, Any] = {name: getattr(what, name) for name in ("until", "reason", "level")}
    detail |= {name: list(getattr(what, name)) for name in ("areas", "scopes", "rules")}
    target = what.of or what.id
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, target, **detail))
    record, wait = encode(what), console.config.command_wait
    every = [(OBSERVATIONS, partition, None, record) for partition in range(site.partitions)]
    return settled(request, what.id, await ask(console.config.feed, live, what.id, every, wait, wait))
