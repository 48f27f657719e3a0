"""The page itself, and every path that no other route has."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from alerts.console.console import Console
from alerts.console.errors import Problem

router = APIRouter(include_in_schema=False)


@router.api_route("/api/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(request: Request, path: str) -> Response:
    """Answer a path of the API that does not exist."""
    raise Problem(404, "not_found")


@router.api_route("/{path:path}", methods=["GET", "HEAD"])
def page(request: Request, path: str) -> Response:
    """Give a file of the built page; `/` is its index."""
    console: Console = request.app.state.console
    return console.pages.get(request, path)
