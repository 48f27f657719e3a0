"""Learnt models: what there is and how it did, putting one in force or the one before, each point's calibration."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request

from alerts import triage
from alerts.console import calibration, schema
from alerts.console.accounts import record_audit
from alerts.console.config import ModelDesk
from alerts.console.console import Console
from alerts.console.errors import Problem, not_publishable
from alerts.console.identity import Identity, allow
from models.triage.drift import said

router = APIRouter(prefix="/api/v1", tags=["models"])

Reader = Annotated[Identity, Depends(allow("models.read"))]
Writer = Annotated[Identity, Depends(allow("models.write"))]


@router.get("/models", response_model=schema.Models)
def models(request: Request, identity: Reader) -> dict[str, Any]:
    """List the areas' models in force with their drift, and all that were learnt, of areas and of triage."""
    console: Console = request.app.state.console
    desk = console.config.model_desk
    known: dict[str, Any] = {"areas": (), "triage": (), "problems": ()}
    if desk is not None:
        try:
            known = dict(desk.known())
            known["triage"] = [_with_drift(console, desk, one) for one in known["triage"]]
        except ValueError as error:
            known["problems"] = (str(error),)
    return {
        "items": list(console.config.models()),
        "learnt": known["areas"],
        "triage": known["triage"],
        "problems": known["problems"],
        "time": time.time(),
    }


@router.post("/models/promote", response_model=schema.ModelDone)
async def promote(request: Request, body: schema.PromoteModel, identity: Writer) -> dict[str, Any]:
    """Put a model of an area, or of triage, in force: a publication. 409 says why it cannot be."""
    console: Console = request.app.state.console
    desk = _desk(console)
    try:
        done = await to_thread.run_sync(desk.promote, body.version, identity.actor, body.reason)
    except ValueError as error:
        await _note(console, identity, "models.promote", body.version, reason=body.reason, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, "models.promote", body.version, reason=body.reason, **_noted(done))
    return dict(done)


@router.post("/models/rollback", response_model=schema.ModelDone)
async def rollback(request: Request, body: schema.RollModelBack, identity: Writer) -> dict[str, Any]:
    """Put the model before `present` in force again; 409 when another is in force by now."""
    console: Console = request.app.state.console
    desk = _desk(console)
    try:
        done = await to_thread.run_sync(desk.rollback, body.of, body.present, identity.actor, body.reason)
    except ValueError as error:
        await _note(console, identity, "models.rollback", body.of, reason=body.reason, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, "models.rollback", body.of, reason=body.reason, **_noted(done))
    return dict(done)


@router.get("/models/points", response_model=schema.Calibration)
def points(
    request: Request,
    identity: Reader,
    area: Annotated[str | None, Query(max_length=200)] = None,
    find: Annotated[str, Query(max_length=200)] = "",
    state: calibration.State | None = None,
    order: calibration.Order = "worst",
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List how well each point's scores keep their promise, the worst first, and sum all points up."""
    console: Console = request.app.state.console
    if area is not None and area not in console.router.areas:
        raise Problem(404, "not_found")
    return calibration.page(
        console.registry, console.rates, console.traces, console.guessed(),
        area=area, find=find, state=state, order=order, offset=offset, limit=limit,
    )  # fmt: skip


def _with_drift(console: Console, desk: ModelDesk, one: dict[str, Any]) -> dict[str, Any]:
    """Hold the triage model in force against the verdicts since; the others are not asked for."""
    if not one["in_force"]:
        return {**one, "since": None, "warning": {}}
    types = {area.id: area.type for area in console.config.site.areas}
    stored = desk.triage(one["version"])
    since = console.journal.ask(lambda reader: triage.come_true(reader, types, stored))
    return {**one, "since": msgspec.to_builtins(since), "warning": said(since, one["version"])}


def _desk(console: Console) -> ModelDesk:
    if console.config.model_desk is None:
        raise Problem(503, "no_engine")
    return console.config.model_desk


def _noted(done: Any) -> dict[str, Any]:
    return {name: done[name] for name in ("of", "version", "before", "publication", "waiting")}


async def _note(console: Console, identity: Identity, action: str, target: str, **detail: Any) -> None:
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, target, **detail))
