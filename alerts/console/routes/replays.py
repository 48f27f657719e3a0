"""Replays: what other rules would have done to the recorded past, worked out in a process of low priority."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.config import ReplayDesk
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.rule_words import told
from alerts.console.work_words import said

router = APIRouter(prefix="/api/v1/replays", tags=["rules"])

Reader = Annotated[Identity, Depends(allow("replays.read"))]
Writer = Annotated[Identity, Depends(allow("replays.write"))]
Id = Annotated[str, Path(max_length=64)]


@router.post("", status_code=202, response_model=schema.Replay)
async def begin(request: Request, body: schema.NewReplay, identity: Writer) -> dict[str, Any]:
    """Begin a replay. 409 while another runs."""
    console: Console = request.app.state.console
    desk = _desk(console)
    asked = body.model_dump(by_alias=True)
    try:
        started = await to_thread.run_sync(desk.start, identity.actor, asked)
    except RuntimeError as error:
        raise Problem(409, "replay_runs") from error
    said = {name: asked[name] for name in ("version", "against", "from", "to")}
    await _note(console, identity, "replays.start", str(started["id"]), **said)
    return dict(started)


@router.get("", response_model=schema.Replays)
async def listed(request: Request, identity: Reader) -> dict[str, Any]:
    """List the latest replays, without what they found."""
    desk = _desk(request.app.state.console)
    return {"items": await to_thread.run_sync(desk.all)}


@router.get("/{id}", response_model=schema.ReplayFound)
async def found(request: Request, id: Id, identity: Reader) -> dict[str, Any]:
    """Tell how far a replay is, and what it found once it is done; mistakes and reasons in the reader's language."""
    desk = _desk(request.app.state.console)
    one = await to_thread.run_sync(desk.get, id)
    if one is None:
        raise Problem(404, "not_found")
    language = language_of(request)
    return {**one, "reason": said(one["reason"], language), "problems": told(one["problems"], language)}


@router.delete("/{id}", status_code=204)
async def cancel(request: Request, id: Id, identity: Writer) -> None:
    """End a replay that runs; forget one that has ended."""
    console: Console = request.app.state.console
    if not await to_thread.run_sync(_desk(console).cancel, id):
        raise Problem(404, "not_found")
    await _note(console, identity, "replays.cancel", id)


def _desk(console: Console) -> ReplayDesk:
    if console.config.replay_desk is None:
        raise Problem(503, "no_engine")
    return console.config.replay_desk


async def _note(console: Console, identity: Identity, action: str, target: str, **detail: Any) -> None:
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, target, **detail))
