"""Incidents of risk for other systems: messages of CAP 1.2, and an Atom feed that lists them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response

from alerts.cap import TYPE, Feed, areas_of
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow
from alerts.console.journal import Row
from alerts.console.routes.incidents import Id
from alerts.console.scope import Scope
from alerts.queries import Reader, each, newest
from alerts.tables import incident_changes, incidents

router = APIRouter(prefix="/api/v1", tags=["cap"])

_INCIDENTS = 100
_XML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/atom+xml": {}}}}


@router.get("/cap.atom", response_class=Response, responses=_XML)
def feed(request: Request, identity: Annotated[Identity, Depends(allow("incidents.read"))]) -> Response:
    """List the CAP messages of the latest 100 incidents of risk, the newest first, as an Atom feed.

    An account confined to places gets those of incidents that lie there whole.
    """
    console: Console = request.app.state.console
    made = Feed(console.config.site)
    root = console.config.site.console.rstrip("/") or str(request.base_url).rstrip("/")
    scope = console.scope(identity)
    histories = console.journal.ask(lambda reader: _histories(reader, scope.areas))
    body = made.atom([history for history in histories if _is_open(scope, history)], root)
    tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/atom+xml", headers=headers)


@router.get("/cap/{id}", response_class=Response, responses={200: {"content": {TYPE: {}}}})
def message(request: Request, id: Id, identity: Annotated[Identity, Depends(allow("incidents.read"))]) -> Response:
    """Give one CAP message: Alert, Update or Cancel of an incident, with references to those before it."""
    console: Console = request.app.state.console
    incident = id.rpartition(".")[0]
    history = console.journal.ask(lambda reader: _history(reader, [incident])).get(incident, [])
    if not _is_open(console.scope(identity), history):
        raise Problem(404, "not_found")
    body = Feed(console.config.site).message(history, id)
    if body is None:
        raise Problem(404, "not_found")
    return Response(body, media_type=TYPE)


def _is_open(scope: Scope, history: list[Row]) -> bool:
    """Tell whether an account may have the messages of an incident: each tells of all areas, and cannot be cut."""
    return all(scope.sees_all(areas_of(change)) for change in history)


def _histories(reader: Reader, areas: Collection[str] | None) -> list[list[Row]]:
    risk = incidents.c.kind == "risk"
    with reader.engine.connect() as connection:
        ids = [str(row["id"]) for row in newest(connection, incidents, [risk], _INCIDENTS, each(incidents, areas))]
    return list(_history(reader, ids).values())


def _history(reader: Reader, ids: list[str]) -> dict[str, list[Row]]:
    """Read the changes of incidents of risk, the oldest first."""
    query = (
        sa.select(incident_changes.c.incident, incident_changes.c.record)
        .where(incident_changes.c.incident.in_(ids))
        .order_by(incident_changes.c.position)
    )
    found: dict[str, list[Row]] = {}
    with reader.engine.connect() as connection:
        for id, record in connection.execute(query):
            if record["kind"] == "risk":
                found.setdefault(str(id), []).append(record)
    return found
