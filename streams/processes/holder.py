"""One of several: who holds a database's lock does the work, the others wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Self

from streams.figures import keep_writing
from streams.processes import child
from streams.processes.lock import Lock
from streams.settings import Settings

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


async def in_turn(
    found: Settings, number: int, name: str, stop: asyncio.Event, serve: Callable[[asyncio.Event], Awaitable[None]]
) -> None:
    """Have one run of a cluster do the work of the process `name`, until it is told to end; the others stand by.

    `serve` does it until the event that it is given; without a cluster it is called once.
    """
    if not found.cluster:
        await serve(stop)
        return
    while not stop.is_set():
        async with Holder(found.journal_url, number, stop) as holder:
            writing = keep_writing(found.data_folder, name, lambda: {"holder": False}, child.parent().alive)
            standing_by = asyncio.create_task(writing)
            try:
                held = await holder.take()
            finally:
                standing_by.cancel()
                await asyncio.gather(standing_by, return_exceptions=True)
            if held:
                logger.info("this run does the work of the %s from now on", name)
                await serve(holder.ended)
