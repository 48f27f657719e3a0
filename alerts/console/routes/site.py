"""The site as it is: places, areas, points, cameras, units. Made once, sent as it stands."""

from __future__ import annotations

import gzip
import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.identity import Identity, allow
from alerts.console.permissions import allowed
from alerts.console.scope import WHOLE, Scope
from sensors.camera.viewer import viewer_of
from sensors.lookup import Registry
from sensors.site import SiteMap

router = APIRouter(prefix="/api/v1", tags=["site"])

_ANSWERS = 64  # that are kept, one for each set of places and each right to see contacts


@router.get("/site", response_model=schema.Site)
def site(request: Request, identity: Annotated[Identity, Depends(allow("site.read"))]) -> Response:
    """Describe the site: of its areas, points and cameras those that the account may see."""
    console: Console = request.app.state.console
    contacts = allowed("incidents.dispatch", identity.roles)
    made, key = console.site_answers, (contacts, identity.places)
    known = made.get(key)
    if known is None:
        body = msgspec.json.encode(describe(console.registry, contacts=contacts, scope=console.scope(identity)))
        if len(made) >= _ANSWERS:
            made.clear()
        known = made[key] = body, gzip.compress(body, 6), hashlib.sha256(body).hexdigest()[:20]
    body, squeezed, tag = known
    small = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{tag}{"-gzip" if small else ""}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Cookie, Authorization"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if small:
        headers["Content-Encoding"] = "gzip"
    return Response(squeezed if small else body, media_type="application/json", headers=headers)


def describe(registry: Registry, *, contacts: bool, scope: Scope = WHOLE) -> dict[str, Any]:
    """Describe a site as /site does, with or without how to reach its units."""
    site = registry.site
    fields = {kind.id: kind.field for kind in site.area_types}
    return {
        "id": site.id,
        "name": site.name,
        "version": site.version,
        "zone": site.zone,
        "language": site.language,
        "fields": [{"id": field.id, "name": field.name} for field in site.fields],
        "area_types": [
            _chosen(kind, "id", "name", "field", "levels_dispatch", "close_needs", "alarms_per_day")
            for kind in site.area_types
        ],
        "places": [_chosen(place, "id", "name", "kind", "parent") for place in site.places],
        "areas": [
            {
                **_chosen(area, "id", "name", "type", "place", "location"),
                "field": fields.get(area.type, ""),
                "subdistrict": place.id if (place := registry.subdistrict(area.id)) else None,
                "points": [point.id for point in registry.points_of(area.id)],
                "cameras": [camera.id for camera in registry.cameras_of(area.id)],
            }
            for area in site.areas
            if scope.sees(area.id)
        ],
        "points": [
            _chosen(
                point,
                *("id", "name", "areas", "quantity", "unit", "limit", "limit_below", "levels", "range", "normal"),
                *("interval", "location"),
            )
            for point in site.points
            if scope.sees_any(point.areas)
        ],
        "cameras": [
            {
                **_chosen(camera, "id", "name", "areas", "view", "location", "supplier"),
                "viewer": viewer_of(camera),
            }
            for camera in site.cameras
            if scope.sees_any(camera.areas)
        ],
        "units": [
            _chosen(unit, "id", "name", "kind", "place", "types", "location", *(["contact"] * contacts))
            for unit in site.units
        ],
        "seats": [_chosen(seat, "id", "name") for seat in site.seats],
        "map": _map(site.map),
    }


def _map(found: SiteMap | None) -> dict[str, Any]:
    found = found or SiteMap()
    kind = "none" if not found.file else "geojson" if found.file.endswith(".geojson") else "picture"
    return {"kind": kind, **_chosen(found, "bounds", "tiles", "attribution")}


def _chosen(part: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(part, name) for name in names}
