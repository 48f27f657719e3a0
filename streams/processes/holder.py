"""One of several: who holds a PostgreSQL database's lock does the work, the others wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from alerts.queries import open_engine

logger = logging.getLogger(__name__)

LOCK = 5_277_834
LOOK = 0.5
"""Seconds between two tries, and between two looks whether the lock is still ours."""


class Holder:
    """Take the lock of a database and keep it for as long as the connection lives: it goes with the process.

    `ended` is set when `stop` is, or when the lock may be another's: whoever works must then stop.
    """

    def __init__(self, url: str, stop: asyncio.Event) -> None:
        self.ended = asyncio.Event()
        self._engine = open_engine(url, readonly=False)
        self._stop = stop
        self._connection: sa.Connection | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await asyncio.to_thread(self._let_go)

    async def take(self) -> bool:
        """Wait for the lock; False when `stop` came first."""
        while not self._stop.is_set():
            if await asyncio.to_thread(self._try):
                self._watching = asyncio.create_task(self._watch())
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._stop.wait()
        return False

    def _try(self) -> bool:
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            return bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK))))
        except SQLAlchemyError as error:
            logger.warning("the lock of those who tell people cannot be asked for: %s", error)
            self._drop()
            return False

    async def _watch(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._stop.wait()
            if not self._stop.is_set() and not await asyncio.to_thread(self._is_ours):
                logger.error("the connection that holds the lock is gone: another may tell people")
                break
        self.ended.set()

    def _is_ours(self) -> bool:
        try:
            assert self._connection is not None
            self._connection.scalar(sa.select(1))
        except SQLAlchemyError:
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
        self._connection = None

    def _let_go(self) -> None:
        self._drop()  # closed, not given back: the lock goes with the session
        self._engine.dispose()
