"""Who is on duty, and the handover from one turn to the next."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response

from alerts import handover
from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id
from alerts.console.routes.plans import PDF, Tongue, printed
from alerts.duty import Turn
from sensors.site import SYSTEM

router = APIRouter(prefix="/api/v1", tags=["duty"])

LONGEST = 86400.0
"""Seconds that a turn without one before it is taken to have lasted."""


@router.get("/duty", response_model=schema.Duty)
def duty(request: Request, identity: Annotated[Identity, Depends(allow("duty.read"))]) -> dict[str, Any]:
    """Say who is on duty now, each with the load of the seat's areas, and which turn is to be taken over."""
    console: Console = request.app.state.console
    now = time.time()
    roster, load = console.roster, console.figures.seats
    turn = roster.turn(now)
    people = [
        {
            **msgspec.to_builtins(one),
            "name": roster.seats[one.seat].name,
            "load": load[one.seat].now(now) if one.seat in load else None,
        }
        for one in roster.at(now)
    ]
    mine = turn is not None and identity.session is not None and identity.name in turn.accounts
    return {"time": now, "people": people, "turn": _turn(console, turn), "mine": mine}


@router.get("/handover", response_model=schema.Handover)
def current(request: Request, identity: Annotated[Identity, Depends(allow("handovers.read"))]) -> dict[str, Any]:
    """Give the handover to the turn that comes on duty: as it was signed, else as things stand."""
    return _current(request.app.state.console)


@router.get("/handover/sheet.pdf", response_class=Response, responses=PDF)
def sheet(
    request: Request, identity: Annotated[Identity, Depends(allow("handovers.read"))], language: Tongue = None
) -> Response:
    """Print the handover to the turn that comes on duty."""
    console: Console = request.app.state.console
    found = _current(console)
    turn = found["turn"] or {"shift": "", "begin": found["sheet"]["time"]}
    whole = {**turn, **(found["signed"] or {}), "people": found["people"], "sheet": found["sheet"]}
    return _print(console, "handover", whole, language or language_of(request))


@router.post("/handover/sign", response_model=schema.Done)
async def sign(
    request: Request, body: schema.Signature, identity: Annotated[Identity, Depends(allow("handovers.sign"))]
) -> dict[str, Any]:
    """Take a turn over: once, by somebody of it. The sheet is kept as it stands at this moment."""
    console: Console = request.app.state.console
    found = await to_thread.run_sync(_current, console)
    args = {"turn": body.turn, "comment": body.comment, "sheet": found["sheet"]}
    return await console.commander.do(request, identity, "sign_handover", f"handover-{body.turn}", SYSTEM, args)


@router.get("/handovers", response_model=schema.Handovers)
def handovers(request: Request, identity: Annotated[Identity, Depends(allow("handovers.read"))]) -> dict[str, Any]:
    """List the turns that were taken over, the latest first: at most 50."""
    console: Console = request.app.state.console
    return {"items": console.journal.ask(lambda reader: reader.handovers())}


@router.get("/handovers/{id}/sheet.pdf", response_class=Response, responses=PDF)
def signed_sheet(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("handovers.read"))], language: Tongue = None
) -> Response:
    """Print a handover as it was signed."""
    console: Console = request.app.state.console
    found = console.journal.ask(lambda reader: reader.handover(id))
    if found is None:
        raise Problem(404, "not_found")
    return _print(console, id.replace(":", ""), found, language or language_of(request))


def _current(console: Console) -> dict[str, Any]:
    now = time.time()
    turn = console.roster.turn(now)
    known = None if turn is None else console.journal.ask(lambda reader: reader.handover(f"handover-{turn.key}"))
    if known is not None:
        return {
            "turn": _turn(console, turn),
            "people": known["people"],
            "sheet": known["sheet"],
            "signed": known,
        }
    begin = now if turn is None else turn.begin
    before = console.roster.turn_before(begin)
    since = max(before.begin if before is not None else begin - LONGEST, now - LONGEST)
    made = console.journal.ask(lambda reader: handover.sheet(reader, now, min(since, now)))
    for silence in made["silences"]["items"]:
        silence["rule_titles"] = console.rule_titles(silence["rules"])
    people = {} if turn is None else {one.seat: one.account for one in turn.people}
    return {"turn": _turn(console, turn), "people": people, "sheet": made, "signed": None}


def _turn(console: Console, turn: Turn | None) -> dict[str, Any] | None:
    if turn is None:
        return None
    signed = console.journal.ask(lambda reader: reader.handover(f"handover-{turn.key}")) is not None
    return {"key": turn.key, "shift": turn.shift, "begin": turn.begin, "end": turn.end, "signed": signed}


def _print(console: Console, name: str, found: dict[str, Any], language: str) -> Response:
    from alerts.duty_sheets import handover_pdf  # here: few print, and its library is slow to load

    site = console.config.site
    return printed(console, name, lambda font: handover_pdf(found, site, language, time.time(), font=font))
