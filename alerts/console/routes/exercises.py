"""Drills (演练): those that run, and what each came to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response

from alerts import exercise, messages
from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.commands import OBSERVATIONS, hand_over
from alerts.console.config import DrillDesk
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id
from alerts.console.routes.plans import PDF, Tongue, printed
from alerts.console.rule_words import said
from alerts.console.scope import Scope
from sensors.observation import Exercise, encode

router = APIRouter(prefix="/api/v1", tags=["exercises"])

Writer = Annotated[Identity, Depends(allow("exercises.write"))]


@router.get("/exercises", response_model=schema.Drills)
def exercises(
    request: Request,
    identity: Annotated[Identity, Depends(allow("exercises.read"))],
    running: bool = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List drills, the latest first, or only those that run; of one in several places the areas that may be seen."""
    console: Console = request.app.state.console
    scope = console.scope(identity)
    rows = console.journal.ask(lambda reader: reader.exercises(running, limit))
    seen = [row for row in rows if scope.sees_any(row["areas"])]
    return {"items": [{**row, "areas": [area for area in row["areas"] if scope.sees(area)]} for row in seen]}


@router.get("/exercises/scripts", response_model=schema.DrillScripts)
async def scripts(request: Request, identity: Annotated[Identity, Depends(allow("exercises.read"))]) -> dict[str, Any]:
    """List the scripts of drills in the site's folder, with their mistakes, and how the drill begun here last goes."""
    console: Console = request.app.state.console
    desk, language = _desk(console), language_of(request)
    scope = console.scope(identity)
    found, last = await to_thread.run_sync(lambda: (desk.scripts(), desk.last()))
    items = [
        {**one, "problems": [{**each, "told": said(each["message"], language)} for each in one["problems"]]}
        for one in found
        if _plays_in(scope, one)
    ]
    if last is not None:
        told = messages.text(last["error"], language) if last["error"] else ""
        last = {**last, "error": told} if _plays_in(scope, last) else None
    return {"items": items, "last": last}


@router.post("/exercises", status_code=202, response_model=schema.DrillBegun)
async def begin(request: Request, body: schema.NewDrill, identity: Writer) -> dict[str, Any]:
    """Begin a drill from a script of the site's folder: it reaches nobody but who takes part. 409 while one runs."""
    console: Console = request.app.state.console
    desk = _desk(console)
    listed = await to_thread.run_sync(desk.scripts)
    script = next((one for one in listed if one["name"] == body.script), None)
    if script is None or not _plays_in(console.scope(identity), script):
        raise Problem(404, "not_found")
    await _note(console, identity, "exercise.begin", body.script)
    try:
        id = await to_thread.run_sync(desk.begin, body.script, identity.actor)
    except KeyError:
        raise Problem(404, "not_found") from None
    except RuntimeError:
        raise Problem(409, "exercise_runs") from None
    except ValueError as error:
        raise Problem(409, str(error), message=messages.text(str(error), language_of(request))) from error
    return {"id": id}


@router.post("/exercises/{id}/end", response_model=schema.DrillReport)
async def end(request: Request, id: Id, identity: Writer) -> dict[str, Any]:
    """End a drill before its time, whoever began it and wherever: what is open of it is closed as a test."""
    console: Console = request.app.state.console
    live = console.live
    drill = await live.journal.answer(lambda reader: reader.exercise(id))
    if drill is None or not console.scope(identity).sees_all(drill["areas"]):
        raise Problem(404, "not_found")
    if drill["ended"] is None:
        await _note(console, identity, "exercise.end", id)
        what = Exercise(id=id, edge="end", actor=identity.actor, time=time.time(), areas=tuple(drill["areas"]))
        wait = console.config.command_wait
        every = [(OBSERVATIONS, at, None, encode(what)) for at in range(console.config.site.partitions)]
        await hand_over(console.config.feed, every, wait)
        drill = await _ended(console, id, time.monotonic() + wait)
    return exercise.report(drill)


@router.get("/exercises/{id}", response_model=schema.DrillReport)
def report(request: Request, id: Id, identity: Annotated[Identity, Depends(allow("exercises.read"))]) -> dict[str, Any]:
    """Give a drill with its score: time to acknowledge, dispatch, accept, arrive, resolve and close."""
    return _report(request.app.state.console, identity, id)


@router.get("/exercises/{id}/report.pdf", response_class=Response, responses=PDF)
def sheet(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("exercises.read"))], language: Tongue = None
) -> Response:
    """Print a drill's report."""
    from alerts.duty_sheets import exercise_pdf  # here: few print, and its library is slow to load

    console: Console = request.app.state.console
    found = _report(console, identity, id)
    tongue, site = language or language_of(request), console.config.site
    return printed(console, id, lambda font: exercise_pdf(found, site, tongue, time.time(), font=font))


async def _ended(console: Console, id: str, until: float) -> dict[str, Any]:
    """Wait until the journal has the end of a drill. Raise `Problem` 504 when that does not come in time."""
    while True:
        found = await console.live.journal.answer(lambda reader: reader.exercise(id))
        if found is not None and found["ended"] is not None:
            return dict(found)
        if time.monotonic() > until:
            raise Problem(504, "no_answer")
        await asyncio.sleep(0.05)


def _plays_in(scope: Scope, drill: Mapping[str, Any]) -> bool:
    """Tell whether a drill is in areas of one's own alone: of a script with mistakes it is not known where it is."""
    return scope.areas is None or (bool(drill["areas"]) and scope.sees_all(drill["areas"]))


def _desk(console: Console) -> DrillDesk:
    if console.config.drill_desk is None:
        raise Problem(503, "no_engine")
    return console.config.drill_desk


async def _note(console: Console, identity: Identity, action: str, target: str) -> None:
    await to_thread.run_sync(record_audit, console.accounts, identity.actor, action, target)


def _report(console: Console, identity: Identity, id: str) -> dict[str, Any]:
    found = console.journal.ask(lambda reader: reader.exercise(id))
    if found is None or not console.scope(identity).sees_all(found["areas"]):
        raise Problem(404, "not_found")
    return exercise.report(found)
