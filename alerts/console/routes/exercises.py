"""Drills (演练): those that run, and what each came to."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from alerts import exercise
from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id
from alerts.console.routes.plans import PDF, Tongue, printed

router = APIRouter(prefix="/api/v1", tags=["exercises"])


@router.get("/exercises", response_model=schema.Drills)
def exercises(
    request: Request,
    identity: Annotated[Identity, Depends(allow("exercises.read"))],
    running: bool = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List drills, the latest first, or only those that run."""
    console: Console = request.app.state.console
    scope = console.scope(identity)
    rows = console.journal.ask(lambda reader: reader.exercises(running, limit))
    return {"items": [row for row in rows if scope.sees_any(row["areas"])]}


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


def _report(console: Console, identity: Identity, id: str) -> dict[str, Any]:
    found = console.journal.ask(lambda reader: reader.exercise(id))
    if found is None or not console.scope(identity).sees_all(found["areas"]):
        raise Problem(404, "not_found")
    return exercise.report(found)
