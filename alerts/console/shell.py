"""What every request passes through: limits of size and time before, security headers and a measurement after."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alerts.console.errors import answer

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:{pictures}",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

STREAMS = re.compile(r"/api/v1/(?:changes|cameras/[^/]+/live\.mjpeg)")
"""Paths without a time limit."""

SQUEEZED = re.compile(r"/api/v1/(?:incidents|alarms|dispatches)(?:/[^/]+)?")
"""Paths of what has a long history, most of it alike: it goes over the wire at a tenth. No secret is among it."""

SQUEEZED_FROM, SQUEEZING = 2_000, 1
"""Bytes from which it is worth it, and how hard: the event loop waits meanwhile, 1 ms for 100 kB."""

Measure = Callable[[str, str, int, float], None]
"""Take method, route, status and seconds of one request."""


class Shell:
    """Wrap the app. `body` is the most bytes of a request's body, `seconds` the most time an answer may take.

    `larger` are the paths whose bodies may be larger, and how large; `pictures()` names another host whose pictures
    the page may show, such as a tile server's, or nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        body: int,
        seconds: float,
        measure: Measure,
        larger: Mapping[str, int] | None = None,
        pictures: Callable[[], str] = str,
    ) -> None:
        self.app, self.seconds, self.measure, self._pictures = app, seconds, measure, pictures
        self._body, self._larger = body, larger or {}
        self._squeezed = GZipMiddleware(app, minimum_size=SQUEEZED_FROM, compresslevel=SQUEEZING)

    def _most(self, scope: Scope) -> int:
        return self._larger.get(scope["path"], self._body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                pictures = self._pictures()
                headers["Content-Security-Policy"] = POLICY.format(pictures=f" {pictures}" if pictures else "")
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._answer(scope, receive, dressed)
        except TimeoutError:
            if status:
                raise
            await self._refuse(scope, receive, dressed, 504, "too_slow")
        finally:
            if not STREAMS.fullmatch(scope["path"]):
                route = scope.get("route")
                name = getattr(route, "path", None) or "other"
                self.measure(scope["method"], name, status or 500, time.perf_counter() - begun)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._most(scope)
        length = next((value for name, value in scope["headers"] if name == b"content-length"), None)
        if length is not None and (not length.isdigit() or int(length[:20]) > most):
            await self._refuse(scope, receive, send, 413, "too_large")
            return
        if STREAMS.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        taken = 0

        async def measured() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413)  # which FastAPI, reading the body, hands on as it is
            return message

        squeezed = scope["method"] == "GET" and SQUEEZED.fullmatch(scope["path"])
        async with asyncio.timeout(self.seconds):
            await (self._squeezed if squeezed else self.app)(scope, measured, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, code: str) -> None:
        headers = {"Connection": "close"} if status == 413 else {}
        response = answer(Request(scope), status, code, headers=headers)
        await response(scope, receive, send)
