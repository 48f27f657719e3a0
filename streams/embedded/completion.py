"""Outputs and offsets together: what was handled in a partition goes to the log in one transaction, in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from streams.embedded.schema import LogClosedError, LogError, LogWriteError, Record, size_of
from streams.embedded.store import Log

logger = logging.getLogger(__name__)

FIRST_RETRY = 0.05
LAST_RETRY = 1.0


class Completion:
    """Write handled offsets of one partition and the outputs they caused; one transaction under way at a time.

    A transaction that fails (a full disk) is tried again until it succeeds: a later offset never overtakes it.
    """

    def __init__(
        self, log: Log, group: str, topic: str, partition: int, committed: Callable[[str, int, int], None]
    ) -> None:
        self._log = log
        self._key = (group, topic, partition)
        self._committed = committed
        self._waiting: list[tuple[int, Sequence[Record], asyncio.Future[list[int]]]] = []
        self._busy = False
        self._closed = False
        self._retry = FIRST_RETRY
        self._idle = asyncio.Event()
        self._idle.set()
        self.bytes = 0

    def add(self, next_offset: int, outputs: Sequence[Record]) -> asyncio.Future[list[int]]:
        """Say that all before `next_offset` is handled; the result is the outputs' offsets, once durable.

        Raise `LogWriteError` at once if an output could never be written.
        """
        self._log.check(outputs)
        future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((next_offset, outputs, future))
        self.bytes += sum(size_of(key, value) for _, _, key, value in outputs)
        self._idle.clear()
        if not self._busy:
            self._write()
        return future

    async def settled(self, seconds: float) -> bool:
        """Wait until nothing is under way, for at most `seconds`; say whether that came true."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def abandon(self) -> None:
        """Give up on what is not written; its offsets will be delivered again."""
        self._closed = True
        for _, _, future in self._waiting:
            future.cancel()
        self._waiting.clear()
        self._idle.set()

    def _write(self) -> None:
        group, topic, partition = self._key
        taken = self._waiting
        self._waiting = []
        records = [record for _, outputs, _ in taken for record in outputs]
        commits = [(group, topic, partition, taken[-1][0])]
        loop = asyncio.get_running_loop()
        self._busy = True

        def written(offsets: list[int] | None, error: Exception | None) -> None:
            loop.call_soon_threadsafe(self._done, taken, offsets, error)

        try:
            self._log.append(records, written, commits=commits)
        except LogError as error:
            self._done(taken, None, error)

    def _done(
        self,
        taken: list[tuple[int, Sequence[Record], asyncio.Future[list[int]]]],
        offsets: list[int] | None,
        error: Exception | None,
    ) -> None:
        if error is not None:
            self._failed(taken, error)
            return
        self._busy = False
        self._retry = FIRST_RETRY
        self._committed(self._key[1], self._key[2], taken[-1][0])
        position, written = 0, offsets or []
        for _, outputs, future in taken:
            self.bytes -= sum(size_of(key, value) for _, _, key, value in outputs)
            if not future.done():
                future.set_result(written[position : position + len(outputs)])
            position += len(outputs)
        if self._waiting and not self._closed:
            self._write()
        else:
            self._idle.set()

    def _failed(self, taken: list[tuple[int, Sequence[Record], asyncio.Future[list[int]]]], error: Exception) -> None:
        self._waiting = taken + self._waiting
        if self._closed or isinstance(error, LogClosedError):
            self._busy = False
            self.abandon()
            return
        level = logging.WARNING if isinstance(error, LogWriteError) else logging.ERROR
        logger.log(level, "partition %d of %s waits for the log: %s", self._key[2], self._key[1], error)
        asyncio.get_running_loop().call_later(self._retry, self._again)
        self._retry = min(self._retry * 2, LAST_RETRY)

    def _again(self) -> None:
        self._busy = False
        if self._waiting and not self._closed:
            self._write()
        else:
            self._idle.set()
