"""Prepared responses (预案): those in force, and sheets of them to print."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id, whereabouts
from alerts.plans import checklist
from sensors.site import Plan

router = APIRouter(prefix="/api/v1", tags=["plans"])

PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}


Tongue = Annotated[Literal["zh-CN", "en"] | None, Query()]
"""The language of a sheet, which a link cannot say in a header."""


@router.get("/plans", response_model=schema.Plans)
def plans(request: Request, identity: Annotated[Identity, Depends(allow("plans.read"))]) -> dict[str, Any]:
    """List the plans in force, with their steps."""
    console: Console = request.app.state.console
    return {"items": [_shown(plan) for plan in console.config.site.plans]}


@router.get("/plans/{id}", response_model=schema.Plan)
def plan(request: Request, id: Id, identity: Annotated[Identity, Depends(allow("plans.read"))]) -> dict[str, Any]:
    """Give a plan in force."""
    return _shown(_in_force(request.app.state.console, id))


@router.get("/plans/{id}/sheet.pdf", response_class=Response, responses=PDF)
def sheet(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("plans.read"))], language: Tongue = None
) -> Response:
    """Print a plan in force, with nothing ticked."""
    from alerts.plan_sheet import plan_pdf  # here, and below: few print, and its library is slow to load

    console: Console = request.app.state.console
    found = _in_force(console, id)
    tongue, site = language or language_of(request), console.config.site
    return printed(
        console, f"plan-{found.id}", lambda font: plan_pdf(_plain(found), site, tongue, time.time(), font=font)
    )


@router.get("/incidents/{id}/plan.pdf", response_class=Response, responses=PDF)
def incident_sheet(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("incidents.read"))], language: Tongue = None
) -> Response:
    """Print the plan that an incident keeps to, with what is ticked."""
    from alerts.plan_sheet import plan_pdf

    console: Console = request.app.state.console
    row = console.cut(identity, console.visible(identity, console.journal.ask(lambda reader: reader.incident(id))))
    if row["plan"] is None:
        raise Problem(404, "not_found")
    tongue, site, where = language or language_of(request), console.config.site, whereabouts(console, row["area"])
    return printed(
        console,
        f"plan-{id}",
        lambda font: plan_pdf(row["plan"], site, tongue, time.time(), incident=row, where=where, font=font),
    )


def printed(console: Console, name: str, make: Callable[[Any], bytes]) -> Response:
    """Make a sheet, one at a time, and answer with it. Raise `Problem` 503 when there is no font to print with."""
    from alerts import paper

    try:
        font = paper.find_font(console.config.font)
        with paper.printing():
            body = make(font)
    except paper.NoFont as error:
        raise Problem(503, "no_font") from error
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "private, no-store"}
    return Response(body, media_type="application/pdf", headers=headers)


def _in_force(console: Console, id: str) -> Plan:
    found = next((plan for plan in console.config.site.plans if plan.id == id), None)
    if found is None:
        raise Problem(404, "not_found")
    return found


def _plain(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(plan)
    return found


def _shown(plan: Plan) -> dict[str, Any]:
    plain = _plain(plan)
    return {**plain, "steps": checklist(plain, {}, "red")}
