"""What the hub knows of one producer: each of its batches is written once, and in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Protocol

from streams.hub.protocol import Outgoing, Put, Refused, Reply, Written

logger = logging.getLogger(__name__)

Produce = Callable[[list[tuple[str, int, bytes | None, bytes]]], Awaitable[list[int]]]

REMEMBERED = 1024  # answers kept for a producer that reconnects
MERGED_BYTES = 8 * 1024 * 1024
QUIET = 60.0
"""Seconds between two lines in the log about a batch that is tried again."""


class Listener(Protocol):
    """Somebody who gets replies."""

    def reply(self, message: Reply) -> None:
        """Send a reply, or drop it if the connection is gone."""


class Ledger:
    """Write one producer's batches in the order of their sequences; what piled up goes as one.

    `temporary(error)` says whether sending again may help. After a temporary failure nothing later is written before
    the failed batch has come again.
    """

    def __init__(self, produce: Produce, temporary: Callable[[Exception], bool]) -> None:
        self._produce = produce
        self._temporary = temporary
        self._next: int | None = None  # the sequence to come; None: whatever comes first
        self._waiting: OrderedDict[int, tuple[Put, int]] = OrderedDict()
        self._listeners: dict[int, Listener] = {}
        self._answers: OrderedDict[int, Reply] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._quiet_until = 0.0  # monotonic
        self.bytes = 0

    @property
    def busy(self) -> bool:
        """Say whether batches are being written."""
        return self._task is not None and not self._task.done()

    def put(self, put: Put, size: int, listener: Listener) -> None:
        """Take a batch of `size` bytes in, or answer at once what is known of it."""
        sequence = put.sequence
        if sequence in self._answers:
            listener.reply(self._answers[sequence])
        elif sequence in self._listeners:
            self._listeners[sequence] = listener  # sent again over a new connection while under way
        elif self._next is not None and sequence < self._next:
            listener.reply(Written(sequence, []))  # long ago
        elif self._next is not None and sequence > self._next:
            listener.reply(Refused(sequence, True, "an earlier batch has to come first"))
        else:
            self._next = sequence + 1
            self._waiting[sequence] = (put, size)
            self._listeners[sequence] = listener
            self.bytes += size
            if not self.busy:
                self._task = asyncio.get_running_loop().create_task(self._write())

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        while self._waiting:
            batches = self._take()
            try:
                await self._write_merged(batches)
            except Exception as error:
                if self._temporary(error) or len(batches) == 1:
                    self._fail(batches, error)
                else:
                    await self._write_singly(batches)

    def _take(self) -> list[tuple[Put, int]]:
        batches, size = [], 0
        while self._waiting and size < MERGED_BYTES:
            _, item = self._waiting.popitem(last=False)
            batches.append(item)
            size += item[1]
        return batches

    async def _write_merged(self, batches: list[tuple[Put, int]]) -> None:
        records: list[Outgoing] = [record for put, _ in batches for record in put.records]
        offsets = await self._produce(records)
        position = 0
        for put, size in batches:
            count = len(put.records)
            self._answer(Written(put.sequence, offsets[position : position + count]), put.sequence, size)
            position += count

    async def _write_singly(self, batches: list[tuple[Put, int]]) -> None:
        for index, batch in enumerate(batches):
            try:
                await self._write_merged([batch])
            except Exception as error:
                if self._temporary(error):
                    self._fail(batches[index:], error)
                    return
                self._fail([batch], error)

    def _fail(self, batches: list[tuple[Put, int]], error: Exception) -> None:
        again = self._temporary(error)
        if not again or time.monotonic() >= self._quiet_until:  # it is tried again several times a second
            self._quiet_until = time.monotonic() + QUIET
            logger.warning("the hub could not write a batch: %s", error)
        for put, size in batches:
            reply = Refused(put.sequence, again, str(error) or type(error).__name__)
            if again:
                self._forget(put.sequence, size, reply)
            else:
                self._answer(reply, put.sequence, size)
        if again:
            self._next = batches[0][0].sequence
            while self._waiting:
                sequence, (_, size) = self._waiting.popitem(last=False)
                self._forget(sequence, size, Refused(sequence, True, "an earlier batch has to come first"))

    def _answer(self, reply: Reply, sequence: int, size: int) -> None:
        self._answers[sequence] = reply
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        self._forget(sequence, size, reply)

    def _forget(self, sequence: int, size: int, reply: Reply) -> None:
        self.bytes -= size
        self._listeners.pop(sequence).reply(reply)
