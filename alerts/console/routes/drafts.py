"""Drafts of rules: kept on the server for each person, checked by the loader, run in the shadow, put in force."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.responses import JSONResponse

from alerts.console import messages, schema
from alerts.console.accounts import drop_draft, find_draft, list_drafts, other_drafts, record_audit, save_draft
from alerts.console.commands import hand_over
from alerts.console.config import DraftDesk
from alerts.console.console import Console
from alerts.console.errors import Problem, admit, language_of, not_publishable
from alerts.console.identity import Identity, allow
from alerts.console.rule_words import told
from sensors.document import DocumentError

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])

MOST_PROBLEMS = 200
WAIT = 5.0
"""Seconds for the log to take a set of rules."""

MOST_WAITING = 8
"""Drafts that wait to be checked; further ones are asked to come again."""

Reader = Annotated[Identity, Depends(allow("publications.read"))]
Writer = Annotated[Identity, Depends(allow("publications.write"))]
Rule = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]

_BROKEN: dict[int | str, dict[str, Any]] = {
    422: {"model": schema.Broken, "description": "The draft is broken; what is in force stays"}
}
_checking = CapacityLimiter(1)


@router.get("/schema", response_class=Response, responses={200: {"content": {"application/schema+json": {}}}})
async def published_schema(request: Request, identity: Reader) -> Response:
    """Give the JSON Schema of a file of rules, as `foreshock schema` does."""

    def made() -> bytes:
        from rules.schema import json_schema  # here: few ask, and all would wait for it at the start

        return msgspec.json.encode(json_schema())

    body = await to_thread.run_sync(made)
    return Response(body, media_type="application/schema+json", headers={"Cache-Control": "private, max-age=3600"})


@router.get("/words", response_model=schema.RuleWords)
async def words(request: Request, identity: Reader) -> dict[str, Any]:
    """List what rules of this site may name beside areas, points and cameras, which `/site` has."""
    return dict(await to_thread.run_sync(_desk(request.app.state.console).words))


@router.get("/drafts", response_model=schema.Drafts)
async def drafts(request: Request, identity: Writer) -> dict[str, Any]:
    """List one's own drafts, the one that was changed last first."""
    console: Console = request.app.state.console
    found = await to_thread.run_sync(list_drafts, console.accounts, identity.actor)
    return {"items": msgspec.to_builtins(found)}


@router.post("/check", response_model=schema.DraftChecked)
async def check(request: Request, body: schema.DraftCheck, identity: Writer) -> dict[str, Any]:
    """Check a draft with the loader of `foreshock rules check`, and run its own tests. Nothing is kept."""
    found = await _checked(request.app.state.console, identity, body.text)
    return {**found, "problems": told(found["problems"], language_of(request))}


@router.get("/{id}/draft", response_model=schema.RuleOpened)
async def opened(request: Request, id: Rule, identity: Writer) -> dict[str, Any]:
    """Open a rule to be edited: as it is in force, one's own draft of it, and who else has one."""
    console: Console = request.app.state.console
    present = await to_thread.run_sync(_desk(console).opened, id)

    def kept() -> dict[str, Any]:
        draft = find_draft(console.accounts, identity.actor, id)
        base = present["base"] if present else ""
        return {
            "id": id,
            "text": present["text"] if present else "",
            "base": base,
            "in_folder": bool(present and present["in_folder"]),
            "template": present.get("template") if present else None,
            "draft": msgspec.to_builtins(draft),
            "others": _others(console, identity, id),
            "moved": draft is not None and draft.base != base,
        }

    return await to_thread.run_sync(kept)


@router.put("/{id}/draft", response_model=schema.DraftSaved)
async def save(request: Request, id: Rule, body: schema.DraftSave, identity: Writer) -> dict[str, Any]:
    """Keep a draft, sound or not, in the place of one's last one of this rule."""
    console: Console = request.app.state.console

    def keep() -> dict[str, Any]:
        first = find_draft(console.accounts, identity.actor, id) is None
        draft = save_draft(console.accounts, identity.actor, id, body.text, body.base, time.time())
        if first:  # each stroke of a key is no event; that somebody works on a rule is
            record_audit(console.accounts, identity.actor, "rules.draft", id, base=body.base)
        return {"draft": msgspec.to_builtins(draft), "others": _others(console, identity, id)}

    return await to_thread.run_sync(keep)


@router.delete("/{id}/draft", status_code=204)
async def drop(request: Request, id: Rule, identity: Writer) -> None:
    """Forget one's draft of a rule. 404 where there is none."""
    console: Console = request.app.state.console
    if not await to_thread.run_sync(drop_draft, console.accounts, identity.actor, id):
        raise Problem(404, "not_found")
    await _note(console, identity, "rules.draft.drop", id)


@router.post("/{id}/shadow", response_model=schema.ShadowBegun, responses=_BROKEN)
async def shadow(request: Request, id: Rule, body: schema.DraftShadow, identity: Writer) -> Response:
    """Run a draft beside the rules in force: it raises nothing. Another set takes its place."""
    console: Console = request.app.state.console
    desk = _desk(console)
    await _checked(console, identity, body.text)
    try:
        begun, records = await to_thread.run_sync(desk.shadow, id, body.text, identity.actor, body.reason)
    except DocumentError as error:
        await _note(console, identity, "rules.shadow", id, reason=body.reason, problems=len(error.problems))
        return _broken(request, error)
    except ValueError as error:
        await _note(console, identity, "rules.shadow", id, reason=body.reason, refused=str(error))
        raise not_publishable(request, error) from error
    await _note(console, identity, "rules.shadow", begun, reason=body.reason, rule=id)
    await hand_over(console.config.feed, records, WAIT)
    return JSONResponse({"id": begun})


@router.post("/{id}/publish", response_model=schema.DraftPublished, responses=_BROKEN)
async def publish(request: Request, id: Rule, body: schema.DraftPublish, identity: Writer) -> Response:
    """Put a draft of one rule in force; where the site takes two persons, propose it. One's draft is dropped then.

    422 lists every problem of a broken draft, 409 says that another version came in force since it was begun
    (`rule_moved`), or why a sound one cannot take force.
    """
    console: Console = request.app.state.console
    desk = _desk(console)
    actor, detail = identity.actor, {"reason": body.reason, "base": body.base}
    await _checked(console, identity, body.text)
    try:
        done = await to_thread.run_sync(desk.publish, id, body.text, body.base, actor, body.reason)
    except DocumentError as error:
        await _note(console, identity, "rules.publish", id, **detail, problems=len(error.problems))
        return _broken(request, error)
    except ValueError as error:
        await _note(console, identity, "rules.publish", id, **detail, refused=str(error))
        if getattr(error, "moved", False):
            raise Problem(409, "rule_moved") from error
        raise not_publishable(request, error) from error
    await _note(console, identity, "rules.publish", id, **detail, version=done["version"], folder=done["folder"])
    await to_thread.run_sync(drop_draft, console.accounts, actor, id)
    return JSONResponse(dict(done))


@router.get("/{id}/history", response_model=schema.RuleHistory)
async def history(request: Request, id: Rule, identity: Reader) -> dict[str, Any]:
    """List the publications that changed a rule, the latest first, with its text at each."""
    desk = _desk(request.app.state.console)
    return {"items": list(await to_thread.run_sync(desk.history, id))}


async def _checked(console: Console, identity: Identity, text: str) -> dict[str, Any]:
    """Have a draft checked where that can be ended, as whatever follows would run its tests in the console itself."""
    desk = _desk(console)
    admit(console.throttle.check(identity.actor), "too_many_checks")
    if _checking.statistics().tasks_waiting >= MOST_WAITING:
        raise Problem(503, "draft_slow", headers={"Retry-After": "2"}, reason=messages.Part("check.waiting"))
    try:
        return dict(await to_thread.run_sync(desk.check, text, limiter=_checking))
    except RuntimeError as error:
        raise Problem(503, "draft_slow", headers={"Retry-After": "2"}, reason=messages.Part("check.failed")) from error


def _desk(console: Console) -> DraftDesk:
    if console.config.draft_desk is None:
        raise Problem(503, "no_engine")
    return console.config.draft_desk


def _others(console: Console, identity: Identity, id: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = msgspec.to_builtins(
        other_drafts(console.accounts, identity.actor, id, time.time())
    )
    return found


def _broken(request: Request, error: DocumentError) -> Response:
    said = messages.text("draft_broken", language_of(request), count=len(error.problems))
    problems = told(error.problems[:MOST_PROBLEMS], language_of(request))
    return JSONResponse({"error": {"code": "draft_broken", "message": said}, "problems": problems}, 422)


async def _note(console: Console, identity: Identity, action: str, target: str, **detail: Any) -> None:
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, action, target, **detail))
