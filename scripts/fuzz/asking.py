"""Ask an ASGI application without a client in between, as oddly as a network can, and a thousand times a second."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote

from scripts.fuzz.mutator import Mutator

KEPT = 500
"""Bytes of an answer's body that are kept, to tell what was wrong."""

_NASTY = (
    b"", b"0", b"-1", b"9" * 40, b"1e999", b"NaN", b"null", b"true", b"..", b"../../etc/passwd", b"%", b"%00", b"\x00",
    b"\xff\xfe", b"'", b'"', b"<svg onload=alert(1)>", b"a" * 5000, b"2026-02-30", b"2026-11-28T00:00:00Z", b"P1D",
    b"*", b"[]", b"{}", b"\r\nX-Injected: 1", "\u202e\u0000\ud7ff".encode(), b"1,2,3", b"zh-CN", b"en",
)  # fmt: skip
_TYPES = (b"application/json", b"application/json", b"application/json", b"text/plain", b"multipart/form-data", b"x")

Scope = MutableMapping[str, Any]


class Request(NamedTuple):
    """One request: the path as it is described, what stands in its gaps, the query, and the body (None: none)."""

    method: str
    path: str
    gaps: Mapping[str, bytes]
    query: Sequence[tuple[bytes, bytes]]
    body: bytes | None
    type: bytes = b"application/json"

    @property
    def address(self) -> bytes:
        """The path as it goes over the wire."""
        path = self.path
        for name, value in self.gaps.items():
            path = path.replace(f"{{{name}}}", quote_from_bytes(value, safe=""))
        return path.encode()


class Requests:
    """Make one request after another from good ones of an operation; the same seed makes the same ones.

    `ids` are of things that are there: they mostly stand in an address, so that operations are reached.
    """

    def __init__(self, good: Sequence[Request], ids: Sequence[str], seed: int) -> None:
        self._random = random.Random(seed)
        self._good = list(good)
        self._ids = [one.encode() for one in ids]
        bodies = [one.body for one in good if one.body is not None]
        self._bodies = Mutator(bodies, seed) if bodies else None

    def next(self) -> Request:
        """Make the next request."""
        pick = self._random
        one = pick.choice(self._good)
        gaps = {name: self._gap(value) for name, value in one.gaps.items()}
        query = [pair for pair in one.query if pick.random() < 0.8]
        if query and pick.random() < 0.5:
            at = pick.randrange(len(query))
            query[at] = (query[at][0], pick.choice(_NASTY))
        if pick.random() < 0.05:
            query.append((pick.choice(_NASTY), pick.choice(_NASTY)))
        body = one.body
        if self._bodies is not None and body is not None and pick.random() < 0.8:
            body = self._bodies.next()
        type = pick.choice(_TYPES) if body is not None and pick.random() < 0.1 else one.type
        return one._replace(gaps=gaps, query=query, body=body, type=type)

    def _gap(self, value: bytes) -> bytes:
        draw = self._random.random()
        if draw < 0.85:
            return self._random.choice(self._ids)
        return self._random.choice(_NASTY) if draw < 0.95 else value


class Answer(NamedTuple):
    """What was answered: status (0: nothing), the beginning of the body, and seconds by the clock."""

    status: int
    body: bytes
    seconds: float


async def ask(app: Any, request: Request, headers: Mapping[str, str], most: float) -> Answer:
    """Ask, and wait for the whole answer at most `most` seconds: status 0 where it is not over by then."""
    loop = asyncio.get_running_loop()
    path = request.address
    query = b"&".join(b"=".join(quote_from_bytes(part).encode() for part in pair) for pair in request.query)
    sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    sent.append((b"host", b"127.0.0.1:8700"))
    if request.body is not None:
        sent += [(b"content-type", request.type), (b"content-length", str(len(request.body)).encode())]
    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": request.method, "path": unquote(path.decode(), errors="replace"), "raw_path": path, "root_path": "",
        "headers": sent,
        "query_string": query,
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8700), "state": {},
    }  # fmt: skip
    given, status, body = False, 0, b""
    over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": request.body or b"", "more_body": False}
        await over.wait()  # a client that hangs up only once it was answered
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, body
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            body = (body + message.get("body", b""))[:KEPT]
            if not message.get("more_body"):
                over.set()

    begun = loop.time()
    try:
        async with asyncio.timeout(most):
            await app(scope, receive, send)
    except TimeoutError:
        return Answer(0, body, loop.time() - begun)
    except Exception as error:  # servers answer 500 to it
        return Answer(500, repr(error).encode(), loop.time() - begun)
    return Answer(status, body, loop.time() - begun)
