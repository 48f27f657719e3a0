"""Waiting in an event loop for what a log's own thread writes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from streams.embedded.schema import Commit, Record

Callback = Callable[[list[int] | None, Exception | None], None]


class Appending(ABC):
    """A log that takes records at once, and says in its own thread what became of them."""

    @abstractmethod
    def append(
        self, records: Sequence[Record], callback: Callback | None = None, *, commits: Sequence[Commit] = ()
    ) -> None:
        """Hand records over and return at once; `callback(offsets, error)` runs in the log's thread."""

    async def produce(self, records: Sequence[Record], *, commits: Sequence[Commit] = ()) -> list[int]:
        """Write records (and commits) and return their offsets once durable. Raise `LogWriteError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[int]] = loop.create_future()

        def settle(offsets: list[int] | None, error: Exception | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(offsets or [])

        def written(offsets: list[int] | None, error: Exception | None) -> None:
            loop.call_soon_threadsafe(settle, offsets, error)

        self.append(records, written, commits=commits)
        return await future
