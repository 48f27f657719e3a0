"""Read a camera that gives stills over HTTP: ask for one `rate` times a second, within limits of time and size."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

import httpx

from sensors.camera.address import AddressError, parsed
from sensors.camera.picture import MOST_BYTES, PictureError, decode
from sensors.camera.stream import RETRY, Frame, Refuse, StreamError, redacted, unheeded

logging.getLogger("httpx").setLevel(logging.WARNING)  # its own lines would hold addresses with their keys

PREFIX = "still+"
"""What stands before the address of a still, where a stream's could stand: `still+http://camera/snapshot.jpg`."""

TYPES = ("image/jpeg", "image/jpg", "image/pjpeg", "image/png", "application/octet-stream", "")
"""Types that a still may be sent as; its first bytes decide then."""


class Stills:
    """One camera's stills; the same to use as `Stream`."""

    def __init__(self, source: str, rate: float = 1.0, *, timeout: float = 5.0, refuse: Refuse = unheeded) -> None:
        self.source = source
        self.rate = rate
        self.moved = time.monotonic()
        self._timeout, self._refuse = timeout, refuse
        self._auth: httpx.Auth | None = None

    def run(
        self,
        take: Callable[[float, Frame], None],
        stop: threading.Event,
        trouble: Callable[[str], None] = lambda sentence: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Give `take` a still (unix time, BGR image) `rate` times a second until stopped; see `Stream.run`."""
        failures = 0
        client = httpx.AsyncClient(timeout=self._timeout, follow_redirects=False, trust_env=False)
        with asyncio.Runner() as runner:
            try:
                while not stop.is_set():
                    begun = self.moved = time.monotonic()
                    try:
                        data = runner.run(self._within(client))
                        take(clock(), self._decoded(data))
                        failures = 0
                        wait = max(0.0, 1.0 / self.rate - (time.monotonic() - begun))
                    except (StreamError, AddressError, httpx.HTTPError) as error:
                        failures += 1
                        if failures == 1:
                            shown = f"{redacted(self.source)} gives no still: {type(error).__name__}"
                            trouble(shown if isinstance(error, httpx.HTTPError) else str(error))
                        wait = RETRY[min(failures, len(RETRY)) - 1]
                    self.moved = time.monotonic() + wait
                    stop.wait(wait)
            finally:
                runner.run(client.aclose())

    async def _within(self, client: httpx.AsyncClient) -> bytes:
        """Get one still in time, however slowly its headers or its bytes come. Raise as `_fetch` does."""
        try:
            async with asyncio.timeout(2 * self._timeout):
                return await self._fetch(client)
        except TimeoutError as error:
            raise StreamError(
                f"{redacted(self.source)} takes longer than {2 * self._timeout:g} s for a still"
            ) from error

    async def _fetch(self, client: httpx.AsyncClient) -> bytes:
        """Get one still. Raise `StreamError`, `AddressError`, `httpx.HTTPError`."""
        address = parsed(self.source.removeprefix(PREFIX))
        url = address.copy_with(username=None, password=None)
        for attempt in range(2):
            async with client.stream("GET", url, auth=self._auth) as response:
                asked = response.headers.get("www-authenticate", "").lower()
                if response.status_code == 401 and attempt == 0 and address.username:
                    kind = httpx.DigestAuth if asked.startswith("digest") else httpx.BasicAuth
                    self._auth = kind(address.username, address.password)
                    continue
                if response.status_code != 200:
                    raise StreamError(f"{redacted(self.source)} answers {response.status_code}")
                kind_of = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind_of not in TYPES:
                    self._refuse("image_type", f"sent as {kind_of[:100]}", b"")
                    raise StreamError(f"{redacted(self.source)} gives no still but {kind_of[:100]}")
                found = bytearray()
                async for part in response.aiter_bytes():
                    found += part
                    if len(found) > MOST_BYTES:
                        self._refuse("oversized", f"a still of more than {MOST_BYTES:,} bytes", bytes(found[:4096]))
                        raise StreamError(f"{redacted(self.source)} gives a still of more than {MOST_BYTES:,} bytes")
                return bytes(found)
        raise StreamError(f"{redacted(self.source)} answers 401")

    def _decoded(self, data: bytes) -> Frame:
        try:
            return decode(data)
        except PictureError as error:
            self._refuse(error.reason, error.detail, data)
            raise StreamError(f"{redacted(self.source)} gives {error.detail}") from error
