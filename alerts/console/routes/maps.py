"""The site's map: what is drawn under the areas, and how each area stands."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as FromPath

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.routes.incidents import Id
from sensors.drawings import MOST_GEOJSON, MOST_PICTURE, PICTURES

router = APIRouter(prefix="/api/v1", tags=["map"])

GEOJSON = "application/geo+json"
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {GEOJSON: {}, **{kind: {} for kind in PICTURES.values()}}, "description": "The file"}
}


@router.get("/map", response_class=Response, responses=FILE)
async def site_map(request: Request, identity: Annotated[Identity, Depends(allow("site.read"))]) -> Response:
    """Give what is drawn under the areas: the file that the site names, GeoJSON or a picture."""
    console: Console = request.app.state.console
    found = console.config.site.map
    if found is None or not found.file:
        raise Problem(404, "not_found")
    return await _file(request, console, found.file)


@router.get("/plans/{id}/overlays/{file}", response_class=Response, responses={200: {"content": {GEOJSON: {}}}})
async def overlay(
    request: Request,
    id: Id,
    file: Annotated[str, FromPath(max_length=120)],
    identity: Annotated[Identity, Depends(allow("plans.read"))],
) -> Response:
    """Give a drawing of a plan, as what is at risk and the way out: GeoJSON."""
    console: Console = request.app.state.console
    for plan in console.config.site.plans:
        if plan.id == id and any(one.file == file for one in plan.overlays):
            return await _file(request, console, f"plans/{file}")
    raise Problem(404, "not_found")


@router.get("/areas/status", response_model=schema.AreaCounts)
def areas(request: Request, identity: Annotated[Identity, Depends(allow("areas.read"))]) -> dict[str, Any]:
    """Say of each area how many of its points and cameras are live, silent, or never came.

    `places` has the points of each place, each counted once, though it be of several areas; of those places whose areas
    one may see all.
    """
    console: Console = request.app.state.console
    scope, figures, now = console.scope(identity), console.figures, time.time()
    return {
        "items": [one for one in figures.areas(now) if scope.sees(one["area"])],
        "places": [one for one in figures.places(now) if scope.sees_all(figures.inside[one["place"]])],
    }


async def _file(request: Request, console: Console, name: str) -> Response:
    """Answer with a file of the site's folder, which the site itself names."""
    folder = console.config.folder
    if folder is None:
        raise Problem(404, "not_found")
    path = folder / name
    kind = PICTURES.get(path.suffix, GEOJSON)
    content = await to_thread.run_sync(_read, path, MOST_GEOJSON if kind == GEOJSON else MOST_PICTURE)
    if content is None:
        raise Problem(404, "not_found")
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


def _read(path: Path, most: int) -> bytes | None:
    """Read a file again at each asking, as it may have been drawn anew; None where it is none, or grew too large."""
    if path.is_symlink() or not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)
    except OSError:
        return None
    return content if len(content) <= most else None
