"""Signed webhooks. Source of the headers and the signature: Standard Webhooks 1.0.0.

`webhook-id`, and `idempotency-key` for receivers that know that one (IETF draft-ietf-httpapi-idempotency-key-header),
is the event's id, `webhook-timestamp` unix seconds of the attempt, and `webhook-signature` is
`v1,<base64 of HMAC-SHA256 over "<id>.<timestamp>.<body>">`. A secret `whsec_<base64>` is decoded, any other is taken
as it stands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from alerts import cloudevent
from alerts.notifiers.address import is_public, resolve
from alerts.notifiers.notice import Failed, Notice, Rejected, Unavailable
from alerts.notifiers.signature import secret_bytes, sign, verify
from alerts.notifiers.targets import TargetError, WebhookTarget, read_secret

__all__ = ["WebhookSender", "is_public", "secret_bytes", "sign", "verify", "wrong_url"]

_NEVER = {400, 410, 413, 415, 422}  # the same request will not fare better


def wrong_url(url: str) -> str:
    """Say what is wrong with a webhook's URL; empty when it can be used."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and not (parts.username or parts.password)
        _ = parts.port
    except ValueError:
        good = False
    return "" if good else "the URL must be http(s)://host…, without a name or password"


class WebhookSender:
    """Deliver to one webhook. Redirects are refused; the address is checked at every attempt and then kept to."""

    retained = False
    areas: Sequence[str] = ()

    def __init__(self, target: WebhookTarget, clock: Callable[[], float] = time.time) -> None:
        if wrong := wrong_url(target.url):
            raise TargetError(f"{target.name}: {wrong}")
        parts = urlsplit(target.url)
        if not (target.secret_env or target.secret_file):
            raise TargetError(f"{target.name}: a webhook needs secret_env or secret_file to sign with")
        self.target = target
        self._secret = secret_bytes(read_secret(target.secret_env, target.secret_file))
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Make the client; it follows no redirect and heeds no proxy of the environment."""
        self._client = httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=self.target.timeout, limits=httpx.Limits(max_connections=4)
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take dispatch events; simulated ones only as an exercise target."""
        return kind == "dispatch" and (not simulated or self.target.exercise)

    def take_stale(self) -> bool:
        """Say no: a webhook retains nothing."""
        return False

    async def send(self, notice: Notice) -> None:
        """POST one event. Raise `Failed` when it may be taken later, `Rejected` when never.

        Raise `Unavailable` when not even a connection came about.
        """
        body = msgspec.json.encode(notice.payload)
        if len(body) > self.target.max_bytes:
            raise Rejected(f"the event has {len(body)} bytes, more than {self.target.max_bytes}")
        reached = asyncio.Event()

        async def note(event: str, _info: Any) -> None:
            if event.endswith("send_request_headers.started"):
                reached.set()

        try:
            async with asyncio.timeout(self.target.timeout):
                status, headers = await self._post(notice.id, body, await self._resolve(), note)
        except TimeoutError as error:
            if not reached.is_set():
                raise Unavailable(f"no connection within {self.target.timeout:g} s") from error
            raise Failed(f"no answer within {self.target.timeout:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            failure = Failed if reached.is_set() else Unavailable
            raise failure(f"{type(error).__name__}: {error}") from error
        if 200 <= status < 300:
            return
        if 300 <= status < 400:  # as a page of maintenance does for a while
            raise Failed(f"answered {status}: redirects are not followed")
        if status in _NEVER:
            raise Rejected(f"answered {status}")
        raise Failed(f"answered {status}", _seconds(headers.get("retry-after")))

    async def _resolve(self) -> str:
        return await resolve(self._host, self._port, allow_private=self.target.allow_private)

    async def _post(
        self, id: str, body: bytes, address: str, note: Callable[[str, Any], Awaitable[None]]
    ) -> tuple[int, httpx.Headers]:
        """Send the request to the very address that was checked; read no more than the answer's head."""
        assert self._client is not None, "open first"
        url = httpx.URL(self.target.url)
        stamp = int(self._clock())
        headers = {
            "host": url.netloc.decode(),
            "content-type": cloudevent.CONTENT_TYPE,
            "user-agent": "foreshock",
            "webhook-id": id,
            "idempotency-key": f'"{id}"',  # a string of RFC 8941
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(self._secret, id, stamp, body),
        }
        async with self._client.stream(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers=headers,
            extensions={"sni_hostname": self._host, "trace": note},
        ) as answer:
            return answer.status_code, answer.headers


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After in seconds; None for a date or nothing."""
    return float(text) if text is not None and text.isdecimal() else None
