"""Explore what is recorded: several points over one time, with the alarms and reports of their areas."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.config import PastError
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.exploring import Gathered, Seen, as_csv, gather, gather_seen, together
from alerts.console.identity import Identity, allow
from alerts.console.routes.watch import DAY, columns_of, mark_of
from alerts.console.traces import decimate
from alerts.queries import JournalMissing, Reader
from sensors.observation import SIMULATED, CameraEvent
from sensors.site import Point

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["explore"])

MOST_POINTS = 8
LOG_SECONDS = 8.0
"""Seconds for which the log is read at most: what is not reached then is said to be missing."""

MOST_WAITING = 4
MOST_ALARMS = 500
MOST_REPORTS = 500
MOST_EVENTS = 500

Points = Annotated[list[Annotated[str, Query(max_length=128)]], Query(min_length=1, max_length=MOST_POINTS)]
Moment = Annotated[float, Query(ge=0, le=1e11, allow_inf_nan=False)]
From = Annotated[float, Query(alias="from", ge=0, le=1e11, allow_inf_nan=False)]


@router.get("/explore", response_model=schema.Explored)
async def explore(
    request: Request,
    identity: Annotated[Identity, Depends(allow("points.read"))],
    points: Points,
    start: From,
    to: Moment,
    most: Annotated[int, Query(alias="max", ge=2, le=20_000)] = 2000,
) -> dict[str, Any]:
    """Give up to eight points' readings over one time in spans, and the alarms and reports of their areas.

    The last day is read from memory, what is older from what is kept for long, or from the log. `complete` is false
    where that took too long or cannot be asked: then all is there from `since` on.
    """
    console: Console = request.app.state.console
    chosen = _chosen(console, identity, points, start, to)
    found = await _read(console, chosen, start, to, log=start < time.time() - DAY)
    scope = console.scope(identity)
    areas = sorted({area for point in chosen for area in point.areas if scope.sees(area)})

    def context() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        try:
            return console.journal.ask(lambda reader: _context(reader, areas, start, to))
        except JournalMissing:
            return [], []

    def answer() -> dict[str, Any]:
        raised, reported = context()
        return {
            "items": [
                {
                    "point": point.id,
                    "unit": point.unit,
                    **columns_of(decimate(found.series[point.index], most)),
                    "flagged": [mark_of(mark) for mark in console.quality.marks(point.index, start, to)],
                }
                for point in chosen
            ],
            "alarms": raised,
            "reports": reported,
            "complete": found.complete,
            "since": found.since,
        }

    return await to_thread.run_sync(answer)


@router.get("/explore/events", response_model=schema.ExploredEvents)
async def events(
    request: Request,
    identity: Annotated[Identity, Depends(allow("points.read"))],
    points: Points,
    start: From,
    to: Moment,
) -> dict[str, Any]:
    """Give what cameras saw in the areas of up to eight points, the newest first, at most 500 events.

    They are read from the log, apart from the readings: that may take seconds. `complete` is false where it took too
    long, or there were more.
    """
    console: Console = request.app.state.console
    chosen = _chosen(console, identity, points, start, to)
    scope = console.scope(identity)
    areas = {area for point in chosen for area in point.areas if scope.sees(area)}
    if console.config.seen is None:
        return {"items": [], "complete": True}
    _admit(console)
    partitions = sorted({console.registry.partition(area) for area in areas})
    records, watched = console.config.seen(partitions, start, to), _watched(console, areas)

    def read() -> Seen:
        return gather_seen(
            records,
            lambda one: one.area in areas or one.camera in watched,
            most=MOST_EVENTS,
            seconds=LOG_SECONDS,
        )

    found = await to_thread.run_sync(read, limiter=console.exploring)
    items = [{**_event(one), "area": one.area if one.area in areas else watched[one.camera]} for one in found.events]
    return {"items": items, "complete": found.complete}


def _watched(console: Console, areas: set[str]) -> dict[str, str]:
    """Name the cameras that look at areas, each with the first of them that it looks at."""
    looks = {camera.id: [area for area in camera.areas if area in areas] for camera in console.config.site.cameras}
    return {camera: mine[0] for camera, mine in looks.items() if mine}


def _event(one: CameraEvent) -> dict[str, Any]:
    kept = {name: getattr(one, name) for name in ("camera", "kind", "time", "confidence", "detail")}
    return {**kept, "simulated": bool(one.quality & SIMULATED)}


@router.get("/explore.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export(
    request: Request,
    identity: Annotated[Identity, Depends(allow("points.read"))],
    points: Points,
    start: From,
    to: Moment,
) -> Response:
    """Give the same readings, each of them, as CSV; 422 where that is more than can be read at once. It is audited."""
    console: Console = request.app.state.console
    chosen = _chosen(console, identity, points, start, to)
    found = await _read(console, chosen, start, to, log=True, each=True)
    if not found.complete:
        raise Problem(422, "too_much", field="from")
    named, span = ",".join(point.id for point in chosen), {"from": start, "to": to}
    await to_thread.run_sync(lambda: record_audit(console.accounts, identity.actor, "points.export", named, **span))
    rows = as_csv({point.id: found.series[point.index] for point in chosen}, {point.id: point.unit for point in chosen})
    headers = {"Content-Disposition": 'attachment; filename="readings.csv"', "Cache-Control": "private, no-store"}
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)


def _chosen(console: Console, identity: Identity, names: list[str], start: float, stop: float) -> list[Point]:
    if stop <= start:
        raise Problem(422, "bad_time", field="to")
    found = [console.registry.point(name) for name in dict.fromkeys(names)]
    scope = console.scope(identity)
    seen = [point for point in found if point is not None and scope.sees_any(point.areas)]
    if len(seen) < len(found):
        raise Problem(404, "not_found", field="points")
    return seen


def _admit(console: Console) -> None:
    """Raise `Problem` 503 when too many wait to read the log."""
    if console.exploring.statistics().tasks_waiting >= MOST_WAITING:
        raise Problem(503, "too_many_readers", headers={"Retry-After": "10"})


async def _read(
    console: Console, chosen: list[Point], start: float, stop: float, *, log: bool, each: bool = False
) -> Gathered:
    """Read points from memory, or from log and history where that is wanted; one at a time reads these."""
    indices = [point.index for point in chosen]
    if not log or console.config.recorded is None:
        series = {index: console.traces.trace(index, start, stop, 1 << 30) for index in indices}
        return Gathered(series, start >= time.time() - DAY, start)
    _admit(console)
    partitions = sorted({console.registry.partition(point.areas[0]) for point in chosen})
    recorded, past = console.config.recorded, console.config.past

    def read() -> Gathered:
        logged = partial(recorded, partitions)
        if past is not None:
            try:
                return together(past, logged, indices, start, stop, each=each, seconds=LOG_SECONDS)
            except PastError as error:
                logger.warning("the history cannot be asked: %s", error)
        found = gather(logged(start, stop), indices, start, stop, seconds=LOG_SECONDS)
        oldest = min((float(one.time[0]) for one in found.series.values() if len(one.time)), default=stop)
        return found if past is None else found._replace(complete=False, since=max(found.since, oldest))

    return await to_thread.run_sync(read, limiter=console.exploring)


def _context(
    reader: Reader, areas: list[str], start: float, stop: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    spells = reader.spells(areas, start, stop)[-MOST_ALARMS:]
    facts = reader.about({one["alarm"] for one in spells})
    raised = [{**one, **facts[one["alarm"]]} for one in spells if one["alarm"] in facts]
    page = reader.reports(areas, since=start, until=stop, limit=MOST_REPORTS)
    return raised, [{name: row[name] for name in ("id", "area", "category", "time")} for row in page.items]
