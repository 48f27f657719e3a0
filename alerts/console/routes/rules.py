"""Rules: try a set in the shadow, promote or drop it; approve what waits for a second person; how each rule fared."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from alerts import shadow
from alerts.console import messages, schema
from alerts.console.accounts import record_audit
from alerts.console.commands import OBSERVATIONS, ask, hand_over, settled
from alerts.console.config import RuleDesk
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of, not_publishable
from alerts.console.identity import Identity, allow
from alerts.console.rule_words import in_words, told
from alerts.lead import lead_times
from alerts.precision import cases, precision
from alerts.rule_costs import Measured, kept
from alerts.situation.facts import limits_of
from sensors.document import DocumentError
from sensors.lookup import Registry
from sensors.observation import Decision, encode
from sensors.site import SYSTEM

router = APIRouter(prefix="/api/v1", tags=["rules"])

MOST_PROBLEMS = 200
WAIT = 5.0
"""Seconds for the log to take a set of rules."""

Reader = Annotated[Identity, Depends(allow("publications.read"))]
Writer = Annotated[Identity, Depends(allow("publications.write"))]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/rules/shadow", response_model=schema.Shadow)
async def shadowed(
    request: Request, identity: Reader, limit: Annotated[int, Query(ge=1, le=shadow.MOST)] = 50
) -> dict[str, Any]:
    """Tell how the newest set of shadow rules compares with those in force: since when, by rule and by area."""
    console: Console = request.app.state.console
    return {"shadow": await console.live.journal.answer(lambda reader: shadow.status(reader.engine, limit=limit))}


@router.post(
    "/rules/shadow",
    response_model=schema.ShadowBegun,
    responses={422: {"model": schema.Broken, "description": "The site folder is broken; nothing runs of it"}},
)
async def begin(request: Request, body: schema.Reasoned, identity: Writer) -> Response:
    """Run the rules of the site folder beside those in force: they raise nothing. Another set takes its place.

    422 lists every problem of a broken folder, 409 says why a sound one cannot run: more than rules differs, or none.
    """
    console: Console = request.app.state.console
    desk = _desk(console)
    try:
        id, records = await to_thread.run_sync(desk.begin, identity.actor, body.reason)
    except DocumentError as error:
        await _note(console, identity, "rules.shadow", "folder", reason=body.reason, problems=len(error.problems))
        said = messages.text("site_broken", language_of(request), count=len(error.problems))
        answer = {
            "error": {"code": "site_broken", "message": said},
            "problems": told(error.problems[:MOST_PROBLEMS], language_of(request)),
        }
        return JSONResponse(answer, 422)
    except ValueError as error:
        await _note(console, identity, "rules.shadow", "folder", reason=body.reason, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, "rules.shadow", id, reason=body.reason)
    await hand_over(console.config.feed, records, WAIT)
    return JSONResponse({"id": id})


@router.post("/rules/shadow/promote", response_model=schema.Promotion)
async def promote(request: Request, body: schema.OfShadow, identity: Writer) -> dict[str, Any]:
    """Put the shadow's rules in force; where the site takes two persons, propose them."""
    console: Console = request.app.state.console
    desk, running = _desk(console), await _running(console, body.shadow)
    try:
        done = await to_thread.run_sync(desk.promote, running, identity.actor, body.reason)
    except ValueError as error:
        await _note(console, identity, "rules.promote", running, reason=body.reason, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, "rules.promote", running, reason=body.reason, version=done["version"])
    return dict(done)


@router.post("/rules/shadow/drop", response_model=schema.ShadowBegun)
async def drop(request: Request, body: schema.OfShadow, identity: Writer) -> dict[str, Any]:
    """End what runs in the shadow; how it compared stays to be read."""
    console: Console = request.app.state.console
    desk, running = _desk(console), await _running(console, body.shadow)
    records = await to_thread.run_sync(desk.end, identity.actor, body.reason)
    await _note(console, identity, "rules.drop", running, reason=body.reason)
    await hand_over(console.config.feed, records, WAIT)
    return {"id": running}


@router.get("/rules/precision", response_model=schema.RulesPrecision)
async def fared(
    request: Request,
    identity: Reader,
    since: Annotated[float, Query(ge=0, le=1e11, allow_inf_nan=False)] = 0.0,
) -> dict[str, Any]:
    """Tell how each rule fared by what incidents were closed as since a time: precision, recall, lead, places."""
    console: Console = request.app.state.console
    found = await console.live.journal.answer(lambda reader: cases(reader.engine, since))
    told = await to_thread.run_sync(precision, found, console.config.site.zone)
    limits = limits_of(console.config.site.points)
    leads = await console.live.journal.answer(lambda reader: lead_times(reader.engine, found, limits))
    items = msgspec.to_builtins(told)
    return {"items": [{**one, "lead": msgspec.to_builtins(leads.get(one["rule"]))} for one in items]}


@router.get("/rules", response_model=schema.Rules)
async def in_force(
    request: Request,
    identity: Reader,
    find: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """List the rules that are in force, by id; `find` is looked for in ids and titles.

    `cost` is what `foreshock rules cost` measured of this version of the rule, None where it has not.
    """
    console: Console = request.app.state.console
    wanted = find.strip().lower()
    measured = await to_thread.run_sync(kept, console.config.data)
    found = [
        {**rule, "id": id, "cost": _cost(measured.get(id), rule)}
        for id, rule in sorted(console.config.rules.items())
        if not wanted or wanted in " ".join((id, *rule["title"].values())).lower()
    ]
    return {"items": found[offset : offset + limit], "total": len(found)}


@router.get("/rules/{id}/text", response_model=schema.RuleText)
async def text_of(request: Request, identity: Reader, id: Annotated[str, Path(max_length=200)]) -> dict[str, Any]:
    """Write a rule that is in force as YAML: what a replay takes, changed."""
    console: Console = request.app.state.console
    text = await to_thread.run_sync(console.config.rule_text, id)
    if text is None:
        raise Problem(404, "not_found")
    return {"id": id, "text": text}


@router.get("/proposals", response_model=schema.ProposedPublications)
async def proposals(request: Request, identity: Reader) -> dict[str, Any]:
    """List the publications that wait, or waited, for a second person's approval, the latest first."""
    console: Console = request.app.state.console
    found = await console.live.journal.answer(lambda reader: reader.proposals())
    return {"items": [in_words(one, language_of(request)) for one in found]}


@router.post("/proposals/{number}/approve", response_model=schema.Done)
async def approve(request: Request, number: Number, body: schema.Decided, identity: Writer) -> dict[str, Any]:
    """Approve a publication that waits: it takes force at once. 409 for one's own, or where none waits."""
    return await _decide(request, identity, number, approved=True, reason=body.reason)


@router.post("/proposals/{number}/reject", response_model=schema.Done)
async def reject(request: Request, number: Number, body: schema.Reasoned, identity: Writer) -> dict[str, Any]:
    """Reject a publication that waits; one may take one's own back."""
    return await _decide(request, identity, number, approved=False, reason=body.reason)


async def _decide(request: Request, identity: Identity, number: int, *, approved: bool, reason: str) -> dict[str, Any]:
    console: Console = request.app.state.console
    live, feed = console.live, console.config.feed
    decision = Decision(
        id=uuid.uuid4().hex, number=number, approve=approved, actor=identity.actor, time=time.time(), reason=reason
    )
    partition = Registry(console.config.site).partition(SYSTEM)
    records = [(OBSERVATIONS, partition, None, encode(decision))]
    result = await ask(feed, live, decision.id, records, console.config.command_wait, WAIT)
    said = {"refused": result["reason"]} if result is not None and not result["ok"] else {}
    action = "rules.approve" if approved else "rules.reject"
    await _note(console, identity, action, str(number), reason=reason, **said)
    return settled(request, decision.id, result)


def _cost(measured: Measured | None, rule: Mapping[str, Any]) -> dict[str, Any] | None:
    if measured is None or measured.version != rule.get("version", 1):
        return None
    cost = measured.cost
    each = cost.cpu / cost.readings if cost.readings else 0.0
    return {"time": measured.time, "seconds": each, "bytes": cost.bytes, "places": cost.places}


def _desk(console: Console) -> RuleDesk:
    if console.config.rule_desk is None:
        raise Problem(503, "no_engine")
    return console.config.rule_desk


async def _running(console: Console, looked_at: str) -> str:
    """Name the set that runs. Raise `Problem` where none does, or another one than somebody `looked_at`."""
    found = await console.live.journal.answer(lambda reader: shadow.status(reader.engine, limit=1))
    if found is None or found["state"] != "running":
        raise Problem(409, "no_shadow")
    if looked_at not in ("", found["id"]):
        raise Problem(409, "shadow_moved")
    return str(found["id"])


async def _note(console: Console, identity: Identity, action: str, target: str, **detail: Any) -> None:
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, target, **detail))
