"""How the site stands: figures, areas, traces and pictures."""

from __future__ import annotations

import logging
import re
import time
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.responses import FileResponse

from alerts.console import schema
from alerts.console.config import PastError
from alerts.console.console import Console, console_of
from alerts.console.errors import Problem
from alerts.console.exploring import joined
from alerts.console.identity import Identity, allow
from alerts.console.permissions import allowed
from alerts.console.quality import Mark
from alerts.console.routes.reports import PHOTO, opened
from alerts.console.scope import areas_about
from alerts.console.small_pictures import Width
from alerts.console.traces import RAW, Series, decimate
from models.outlook import outlook
from sensors.site import Point

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1", tags=["watch"])

DAY = 86400.0
"""Seconds that memory reaches back."""

FOLLOWED = 5 * 3600.0
"""Seconds of readings that a forecast follows, at least: six times what the noise of readings each minute is averaged
over."""

_SHA = re.compile(r"[0-9a-f]{64}")
Id = Annotated[str, Path(max_length=200)]
Moment = Annotated[float, Query(ge=0, le=1e11, allow_inf_nan=False)]


@router.get("/status", response_model=schema.Status)
def status(request: Request, identity: Annotated[Identity, Depends(allow("status.read"))]) -> dict[str, Any]:
    """Give the figures of the whole."""
    return console_of(request).status()


@router.get("/load", response_model=schema.Load)
def load(request: Request, identity: Annotated[Identity, Depends(allow("alarms.read"))]) -> dict[str, Any]:
    """Give the desk's alarm load of the last day: rings, floods, and which alarms rang most."""
    console = console_of(request)
    scope = console.scope(identity)
    found: dict[str, Any] = msgspec.to_builtins(console.figures.load.figures(time.time()))
    if scope.areas is not None:  # the load is the whole desk's; what rang is told of one's own areas only
        for listed in ("actors", "chattering", "stale"):
            found[listed] = [
                one for one in found[listed] if scope.sees_any(areas_about(console.registry, one["scope"]))
            ]
    return found


@router.get("/areas/{id}/status", response_model=schema.AreaStatus)
def area_status(
    request: Request, id: Id, identity: Annotated[Identity, Depends(allow("areas.read"))]
) -> dict[str, Any]:
    """Say how an area's points and cameras stand."""
    console = console_of(request)
    area = console.registry.area(id)
    if area is None or not console.scope(identity).sees(area.id):
        raise Problem(404, "not_found")
    id = area.id
    now, site, figures = time.time(), console.config.site, console.figures
    return {
        "area": id,
        "points": [
            figures.point(point.id, point.index, point.interval, now) for point in site.points if id in point.areas
        ],
        "cameras": [figures.camera(camera.id, now) for camera in site.cameras if id in camera.areas],
    }


@router.get("/points/{id}/trace", response_model=schema.Trace)
def trace(
    request: Request,
    id: Id,
    identity: Annotated[Identity, Depends(allow("points.read"))],
    start: Annotated[float | None, Query(alias="from", ge=0, le=1e11, allow_inf_nan=False)] = None,
    stop: Annotated[float | None, Query(alias="to", ge=0, le=1e11, allow_inf_nan=False)] = None,
    most: Annotated[int, Query(alias="max", ge=2, le=20_000)] = 2000,
    ahead: Annotated[float, Query(ge=0, le=7 * DAY, allow_inf_nan=False)] = 0.0,
) -> Response:
    """Give a point's readings, the last hour by default; where there are more than `max`, spans of them.

    With `ahead` (seconds) also where its latest readings lead, when it is live and a movement stands out of the noise.
    """
    console = console_of(request)
    point = console.registry.point(id)
    if point is None or not console.scope(identity).sees_any(point.areas):
        raise Problem(404, "not_found")
    stop = time.time() + 60 if stop is None else stop
    start = stop - 3600 if start is None else start
    answer: dict[str, Any] = {
        "point": id,
        "unit": point.unit,
        "learning": False,
        "time": [],
        "value": [],
        "score": [],
        "flagged": [],
    }
    if 0 <= point.index < len(console.traces):
        series = _trace(console, point.index, start, stop, most)
        answer |= columns_of(series)
        answer["learning"] = console.traces.learning(point.index)
        marks = console.quality.marks(point.index, start, stop)
        answer["flagged"] = [mark_of(mark) for mark in marks]
        if ahead:
            answer["forecast"] = _forecast(console, point, ahead)
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _forecast(console: Console, point: Point, ahead: float) -> dict[str, Any] | None:
    """Say where a gauge's latest readings lead; nothing of a point that is not live, as silence foretells nothing."""
    now = time.time()
    if point.kind != "gauge" or console.figures.point(point.id, point.index, point.interval, now)["state"] != "live":
        return None
    last = float(console.traces.last_time[point.index])
    series = console.traces.trace(point.index, last - max(FOLLOWED, 300.0 * point.interval), last, RAW)
    known = np.isfinite(series.value)
    found = outlook(
        series.time[known], series.value[known], point.interval, ahead, point.limit, below=point.limit_below
    )
    if found is None:
        return None
    path = {name: column.tolist() for name, column in zip(("time", "value", "low", "high"), found[:4], strict=True)}
    eta, soonest, latest = found.eta or (None, None, None)
    return {**path, "eta": eta, "soonest": soonest, "latest": latest if latest != np.inf else None}


def _trace(console: Console, index: int, start: float, stop: float, most: int) -> Series:
    """Give a point's readings of the last day from memory, and of before that from what is kept for long."""
    past, middle = console.config.past, min(stop, time.time() - DAY)
    if past is not None and start < middle:
        try:
            if start < (last := min(middle, past.span()[1])):
                kept = past.series([index], start, last)[index]
                return decimate(joined(kept, console.traces.trace(index, last, stop, 1 << 30)), most)
        except PastError as error:
            logger.warning("the history cannot be asked: %s", error)
    return console.traces.trace(index, start, stop, most)


@router.get(
    "/snapshots/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}, "application/octet-stream": {}}, "description": "The picture"}},
)
def snapshot(
    request: Request,
    name: Id,
    identity: Annotated[Identity, Depends(allow("snapshots.read"))],
    width: Annotated[Width | None, Query()] = None,
) -> Response:
    """Give a camera's picture by the SHA-256 of its bytes, <sha>.jpg; a report's photo only to who may see those.

    `width` asks for it small, 160 or 320 pixels wide, as a strip of many shows it; a photo and a clip come as they are.
    <sha>.clip is what moved around it: a line of JSON, {"frames": [[unix time, bytes], …]}, then those JPEG pictures.
    """
    sha, _, ending = name.partition(".")
    config = console_of(request).config
    path = config.snapshots / f"{sha}.{'clip' if ending == 'clip' else 'jpg'}"
    reported = ending == "jpg" and _SHA.fullmatch(sha) is not None and not path.exists()
    if reported:  # a photo that somebody brought: for fewer eyes, and each look is noted
        path = config.photos / f"{sha}.jpg"
    if ending not in ("jpg", "clip") or not _SHA.fullmatch(sha) or path.is_symlink() or not path.is_file():
        raise Problem(404, "not_found")
    console = console_of(request)
    scope = console.scope(identity)
    if scope.areas is not None and not scope.sees_any(console.journal.ask(lambda reader: reader.pictured(sha))):
        raise Problem(404, "not_found")
    if reported:
        if not allowed(PHOTO, identity.roles):
            raise Problem(403, "forbidden")
        return opened(console_of(request), identity, path, f"sha256:{sha}")
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    kind = "image/jpeg" if ending == "jpg" else "application/octet-stream"
    small = console.small_pictures.of(path, width) if width is not None and ending == "jpg" else None
    if small is not None:
        return Response(small, media_type=kind, headers=headers)
    return FileResponse(path, media_type=kind, headers=headers)


@router.get("/quality", response_model=schema.Quality)
def quality(
    request: Request,
    identity: Annotated[Identity, Depends(allow("quarantine.read"))],
    area: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """List the points whose data are poor, the worst of the last day first, wrong clocks, and guessed kinds."""
    console = _console_with(request, area)
    return {
        "items": console.quality.worst(time.time(), console.clocks(), area=area, limit=limit),
        "cameras": console.quality.cameras(console.camera_clocks(), area=area)[:limit],
        "guessed": console.quality.guessed(console.guessed(), area=area)[:limit],
    }


@router.get("/quality/rates", response_model=schema.Rates)
def rates(
    request: Request,
    identity: Annotated[Identity, Depends(allow("quarantine.read"))],
    area: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """List how often each point's scores and alarms come, against how often they should."""
    console = _console_with(request, area)
    return {"items": console.rates.listed(area=area, limit=limit)}


def _console_with(request: Request, area: str | None) -> Console:
    """Return the console; raise `Problem` 404 when an area is asked for that the site does not have."""
    console = console_of(request)
    if area is not None and area not in console.router.areas:
        raise Problem(404, "not_found")
    return console


def mark_of(mark: Mark) -> dict[str, Any]:
    """Turn a flagged reading into plain data."""
    value = mark.value if np.isfinite(mark.value) else None
    return {"time": mark.time, "value": value, "flags": mark.flags, "aside": mark.aside}


def columns_of(series: Series) -> dict[str, Any]:
    """Turn a series into plain columns; with `min` and `max` where its entries stand for several readings."""
    found = {"time": series.time.tolist(), "value": _plain(series.value), "score": _plain(series.score)}
    if series.low is not None and series.high is not None:
        found |= {"min": _plain(series.low), "max": _plain(series.high)}
    return found


def _plain(column: Any) -> list[float | None]:
    """Turn a column into plain numbers, what is not finite into None."""
    numbers: list[float | None] = column.astype(np.float64).round(9).tolist()
    if np.isfinite(column).all():
        return numbers
    return [number if known else None for number, known in zip(numbers, np.isfinite(column).tolist(), strict=True)]
