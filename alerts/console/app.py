"""The application: routes, errors, OpenAPI, and the shell around them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from alerts.console import errors
from alerts.console.config import ConsoleConfig
from alerts.console.console import Console
from alerts.console.identity import COOKIE, CSRF
from alerts.console.routes import ROUTERS, pages
from alerts.console.schema import Error
from alerts.console.schema.commands import ATTACHMENT
from alerts.console.schema.inputs import PHOTO
from alerts.console.shell import Shell
from sensors.map_checks import tile_origin

VERSION = "1.0"

LARGER = {
    "/api/v1/readings": 2_000_000,
    "/api/v1/reports": PHOTO + 64_000,
    "/api/v1/attachments": ATTACHMENT + 64_000,
    "/api/v1/replays": 2_000_000,
}
"""Bytes of a body, on paths that take more than others."""


@functools.cache
def _routes() -> tuple[BaseRoute, ...]:
    """Make the routes once a process: FastAPI takes 0.2 s for each application that includes them."""
    shared = APIRouter(responses={"4XX": {"model": Error, "description": "Refused, with the reason"}})
    for router in ROUTERS:
        shared.include_router(router)
    shared.include_router(pages.router)  # last: it takes every path that is left
    return tuple(shared.routes)


def create_app(config: ConsoleConfig) -> FastAPI:
    """Make the console's application. It opens the accounts at once; the journal may appear later."""
    console = Console(config)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with console.serving():
            yield

    app = FastAPI(
        title="Foreshock",
        version=VERSION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page is loaded from another host
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.config = config
    app.state.console = console
    app.state.gate = console.gate
    app.state.live = console.live
    errors.install(app)
    app.router.routes.extend(_routes())
    app.add_middleware(
        Shell,
        body=config.body_bytes,
        larger=LARGER,
        seconds=config.request_seconds,
        measure=console.metrics.measure,
        pictures=lambda: tile_origin(console.config.site.map),
    )

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _openapi(app)
        return app.openapi_schema

    app.__dict__["openapi"] = openapi
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        description="Alarms, incidents and dispatches of a site. Times are unix seconds. Errors are "
        '{"error": {code, message, field?}} in the language of Accept-Language or of the account.',
    )
    schemes = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "csrf": {"type": "apiKey", "in": "header", "name": CSRF, "description": "`csrf` of /me, on every write"},
        "token": {"type": "http", "scheme": "bearer"},
    }
    document.setdefault("components", {})["securitySchemes"] = schemes
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            if "422" in responses:  # FastAPI's own shape of it is not what we answer
                del responses["422"]
            open_to_all = path in ("/healthz", "/readyz", "/metrics") or (path, method) in (
                ("/api/v1/sign-in", "get"),
                ("/api/v1/oidc/begin", "get"),
                ("/api/v1/oidc/callback", "get"),
                ("/api/v1/oidc/end", "get"),
                ("/api/v1/oidc/logout", "post"),
                ("/api/v1/session", "post"),
                ("/api/v1/first-administrator", "post"),
                ("/api/v1/replies", "post"),
                ("/reply/{code}", "get"),
                ("/reply/{code}", "post"),
                ("/api/v1/callbacks/{target}", "post"),
            )
            if not open_to_all:
                session: dict[str, list[str]] = {"session": []} if method == "get" else {"session": [], "csrf": []}
                operation["security"] = [session, {"token": []}]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"].get("schemas", {}).pop(name, None)
    return document
