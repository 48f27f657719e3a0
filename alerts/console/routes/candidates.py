"""Incidents that rose together: what may be one matter, and what a person makes of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request

from alerts.console import schema
from alerts.console.console import Console
from alerts.console.errors import Problem
from alerts.console.identity import Identity, allow

router = APIRouter(prefix="/api/v1", tags=["candidates"])

Id = Annotated[str, Path(max_length=64)]
Writer = Annotated[Identity, Depends(allow("incidents.regroup"))]


@router.get("/candidates", response_model=schema.Candidates)
async def candidates(
    request: Request,
    identity: Annotated[Identity, Depends(allow("incidents.read"))],
    state: Annotated[Literal["open", "dropped", "merged", "over"], Query()] = "open",
) -> dict[str, Any]:
    """List incidents of several areas of one subdistrict that rose together, the latest first."""
    console: Console = request.app.state.console
    scope = console.scope(identity)
    rows = await console.live.journal.answer(lambda reader: reader.candidates(state))
    return {"items": [row for row in rows if scope.sees_all(row["areas"])]}


@router.post("/candidates/{id}/merge", response_model=schema.Done)
async def merge(request: Request, id: Id, body: schema.Regroup, identity: Writer) -> dict[str, Any]:
    """Merge incidents that rose together, into the worst of them."""
    return await _give(request, identity, "merge", id, body)


@router.post("/candidates/{id}/drop", response_model=schema.Done)
async def drop(request: Request, id: Id, body: schema.Regroup, identity: Writer) -> dict[str, Any]:
    """Say that they are different matters: it is not suggested again unless another area joins."""
    return await _give(request, identity, "drop", id, body)


async def _give(request: Request, identity: Identity, kind: str, id: str, body: schema.Regroup) -> dict[str, Any]:
    console: Console = request.app.state.console
    row = await console.live.journal.answer(lambda reader: reader.candidate(id))
    if row is None or not row["areas"]:
        raise Problem(404, "not_found")
    args = body.model_dump(exclude_none=True)
    return await console.commander.do(request, identity, kind, id, row["areas"][0], args)
