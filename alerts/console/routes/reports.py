"""What people reported: listed, and their photos."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import FileResponse

from alerts.console import schema
from alerts.console.accounts import record_audit
from alerts.console.console import Console, console_of
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.permissions import allowed
from alerts.queries import MAX_PAGE

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

PHOTO = "reports.photo"
Name = Annotated[str | None, Query(max_length=128)]
Moment = Annotated[float | None, Query(ge=0, le=1e11, allow_inf_nan=False)]


@router.get("", response_model=schema.Reports)
def listed(
    request: Request,
    identity: Annotated[Identity, Depends(allow("reports.read"))],
    category: Annotated[str | None, Query(max_length=48)] = None,
    area: Name = None,
    place: Name = None,
    subject: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[Moment, Query(alias="from")] = None,
    until: Annotated[Moment, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> dict[str, Any]:
    """List what people reported, the newest first: of a category, an area, a place and all in it, a subject, a time."""
    console = console_of(request)
    areas = _areas(console, area or None, place or None)
    scope = console.scope(identity)
    if scope.areas is not None:
        areas = sorted(scope.areas if areas is None else scope.areas.intersection(areas))
    page = console.journal.ask(
        lambda reader: reader.reports(areas, category or None, subject or None, since, until, limit, before)
    )
    may = allowed(PHOTO, identity.roles)
    for row in page.items:
        row["photo"] = f"/api/v1/reports/{row['id']}/photo.jpg" if row["photo"] and may else None
    return {"items": page.items, "next": page.next}


@router.get(
    "/{id}/photo.jpg",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}}, "description": "The photo"}},
)
def photo(
    request: Request,
    id: Annotated[str, Path(max_length=200)],
    identity: Annotated[Identity, Depends(allow(PHOTO))],
) -> FileResponse:
    """Give the photo of a report. Each look is audited."""
    console = console_of(request)
    row = console.journal.ask(lambda reader: reader.report(id))
    if row is not None and not console.scope(identity).sees(row["area"]):
        row = None
    path = None if row is None or not row["photo"] else console.config.photos / f"{row['photo']}.jpg"
    if path is None or path.is_symlink() or not path.is_file():
        raise Problem(404, "not_found")
    return opened(console, identity, path, id)


def opened(console: Console, identity: Identity, path: Any, report: str) -> FileResponse:
    """Note in the audit who opens a photo, and give it; it stays in no cache, so that the next look is noted too."""
    record_audit(console.accounts, identity.actor, "report.photo", report)
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


def _areas(console: Console, area: str | None, place: str | None) -> list[str] | None:
    """List the areas that are asked for, None for all. Raise `Problem` on one that there is not."""
    if area is None and place is None:
        return None
    found = [one.id for one in console.registry.areas_of(place)] if place is not None else None
    if place is not None and console.registry.place(place) is None:
        raise Problem(422, "unknown_place", field="place")
    if area is None:
        return found
    known = console.registry.area(area)
    if known is None:
        raise Problem(422, "unknown_area", field="area")
    return [known.id] if found is None or known.id in found else []
