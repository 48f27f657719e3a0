"""One of several: who holds a database's lock does the work, the others wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Self

from streams.processes.lock import Lock

logger = logging.getLogger(__name__)

NOTIFIER = 1
"""The number of the lock of those who tell people."""

HISTORY = 2
"""That of those who write the history."""

LOOK = 0.5
"""Seconds between two tries, and between two looks whether the lock is still ours."""


class Holder:
    """Wait for a lock, and watch that it is kept.

    `ended` is set when `stop` is, or when the lock may be another's: whoever works must then stop.
    """

    def __init__(self, url: str, number: int, stop: asyncio.Event) -> None:
        self.ended = asyncio.Event()
        self._lock, self._stop = Lock(url, number), stop
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.to_thread(self._lock.close)

    async def take(self) -> bool:
        """Wait for the lock; False when `stop` came first."""
        while not self._stop.is_set():
            if await asyncio.to_thread(self._lock.take):
                self._watching = asyncio.create_task(self._watch())
                return True
            await self._pause()
        return False

    async def _watch(self) -> None:
        while not self._stop.is_set():
            await self._pause()
            if not self._stop.is_set() and not await asyncio.to_thread(self._lock.is_ours):
                logger.error("the connection that holds the lock is gone: another may do this work")
                break
        self.ended.set()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await self._stop.wait()
