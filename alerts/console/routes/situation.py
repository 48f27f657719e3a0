"""Situation reports: a day, a week or a month of a place, as figures and as PDF."""

from __future__ import annotations

import time
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem, language_of
from alerts.console.identity import Identity, allow
from alerts.console.routes.plans import PDF, Tongue, printed
from alerts.situation import Period, latest, span_of
from alerts.situation.report import top_place
from sensors.site import Site

router = APIRouter(prefix="/api/v1/situation", tags=["situation"])

Day = Annotated[str | None, Query(max_length=10, description="A day in it, YYYY-MM-DD; the last one over without.")]
Where = Annotated[str | None, Query(max_length=128, description="A place; one's own, or the whole, without.")]
Reader = Annotated[Identity, Depends(allow("situation.read"))]


@router.get("", response_model=schema.Situation)
def situation(
    request: Request, identity: Reader, period: Period = "week", day: Day = None, place: Where = None
) -> dict[str, Any]:
    """Report a place; a period that is not over is told as far as it goes, against as much of the one before."""
    return _reported(request, identity, period, day, place)


@router.get("/report.pdf", response_class=Response, responses=PDF)
def sheet(
    request: Request,
    identity: Reader,
    period: Period = "week",
    day: Day = None,
    place: Where = None,
    language: Tongue = None,
) -> Response:
    """Print a report, with its plots."""
    from alerts.situation.sheet import situation_pdf  # here: few print, and its library is slow to load

    console: Console = request.app.state.console
    found = _reported(request, identity, period, day, place)
    tongue, site = language or language_of(request), console.config.site
    name = f"situation-{found['place']}-{period}-{found['first']}"
    return printed(console, name, lambda font: situation_pdf(found, site, tongue, time.time(), font=font))


def _reported(
    request: Request, identity: Identity, period: Period, day: str | None, place: str | None
) -> dict[str, Any]:
    console: Console = request.app.state.console
    site, now = console.config.site, time.time()
    where = _place(site, identity, place)
    try:
        span = latest(period, now, site.zone) if day is None else span_of(period, date.fromisoformat(day), site.zone)
    except (ValueError, OverflowError):
        raise Problem(422, "bad_day", field="day") from None
    if span.begin > now:
        raise Problem(422, "bad_day", field="day")
    never = console.figures.never(now) if console.connected() else set()
    return console.journal.ask(
        lambda reader: console.situations.report(reader, site, where, span.until(now), now, never)
    )


def _place(site: Site, identity: Identity, place: str | None) -> str:
    """Return the place to report. Raise `Problem` 404 when there is none, 403 when it is not in one's own."""
    parents = {one.id: one.parent for one in site.places}
    own = [one for one in identity.places if one in parents]  # single areas have no report
    where = place or (own[0] if own else top_place(site))
    if where not in parents:
        raise Problem(404, "unknown_place", field="place")
    at: str | None = where
    while identity.places and at not in own:
        at = parents.get(at or "")
        if at is None:
            raise Problem(403, "other_place", field="place")
    return where
