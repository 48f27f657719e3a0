"""A client for asynchronous processes: the console and the notifiers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from streams.hub.address import connect
from streams.hub.errors import HubClosedError, HubError
from streams.hub.outbox import Outbox
from streams.hub.protocol import (
    RESYNC,
    VERSION,
    Hello,
    Incoming,
    Outgoing,
    Records,
    Refused,
    Resync,
    Splitter,
    Subscribe,
    Written,
    decode_reply,
    encode,
)

logger = logging.getLogger(__name__)

LIMIT_BYTES = 32 * 1024 * 1024
FIRST_WAIT = 0.05
LAST_WAIT = 1.0
READ_BYTES = 1 << 18


class HubClient:
    """Produce to the log's owner and subscribe to what is new; reconnects by itself. Use it from one event loop."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._outbox = Outbox(LIMIT_BYTES)
        self._task: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._closed = False

    @property
    def connected(self) -> bool:
        """Tell whether the worker is connected. While it never was, nothing that was handed over has left."""
        return self._writer is not None

    async def produce(self, records: Sequence[Outgoing], *, seconds: float = 10.0) -> list[int]:
        """Write records (topic, partition, key, value), all or none, and return their offsets once durable.

        Raise `HubRefusedError` if they cannot be written, `TimeoutError` if the worker did not answer in time (they
        may still be written then).
        """
        future = self.hand_over(records)
        async with asyncio.timeout(seconds):
            return await future

    def hand_over(self, records: Sequence[Outgoing]) -> asyncio.Future[list[int]]:
        """Take records to be written, and return what will have their offsets once durable, or why they cannot be.

        Records stay until that is known, however long the worker is away. Raise `HubFullError` if too much waits
        already, another `HubError` if they can never be sent.
        """
        if self._closed:
            raise HubClosedError("this client is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[int]] = loop.create_future()

        def done(error: Exception | None, offsets: list[int]) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(offsets)

        message = self._outbox.add(records, done)
        if self._writer is not None:
            self._writer.write(message)
        if self._task is None:
            self._task = loop.create_task(self._keep_connected())
        return future

    async def subscribe(self, topics: Iterable[str]) -> AsyncIterator[Incoming]:
        """Yield (topic, partition, offset, value) of what is written from now on, for as long as wanted.

        `(RESYNC, -1, -1, b"")` comes first at each (re)connection and whenever records were missed: read then what you
        need from the log or the journal.
        """
        wanted = list(topics)
        wait = FIRST_WAIT
        while not self._closed:
            try:
                reader, writer = await self._open()
            except OSError:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_WAIT)
                continue
            try:
                writer.write(encode(Hello(VERSION)) + encode(Subscribe(wanted)))
                yield (RESYNC, -1, -1, b"")
                wait = FIRST_WAIT
                splitter = Splitter()
                while data := await reader.read(READ_BYTES):
                    for body in splitter.feed(data):
                        reply = decode_reply(body)
                        if isinstance(reply, Records):
                            for record in reply.records:
                                yield record
                        elif isinstance(reply, Resync):
                            yield (RESYNC, -1, -1, b"")
            except (OSError, HubError) as error:
                logger.warning("the subscription to the worker was lost: %s", error)
            finally:
                writer.close()

    async def close(self) -> None:
        """Close; what is not acknowledged fails with `HubClosedError`."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for done in self._outbox.drain():
            done(HubClosedError("the client was closed before the batch was acknowledged"), [])

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        connection = await asyncio.get_running_loop().run_in_executor(None, connect, self.path)
        return await asyncio.open_unix_connection(sock=connection)

    async def _keep_connected(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                reader, writer = await self._open()
            except OSError:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_WAIT)
                continue
            try:
                writer.write(b"".join([encode(Hello(VERSION, self._outbox.producer)), *self._outbox.messages()]))
                self._writer = writer
                wait = FIRST_WAIT
                await self._listen(reader)
            except (OSError, HubError) as error:
                logger.info("the connection to the worker was lost: %s", error)
            finally:
                self._writer = None
                writer.close()
            await asyncio.sleep(LAST_WAIT / 4)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Settle batches until the connection ends or one has to be sent again."""
        splitter = Splitter()
        while data := await reader.read(READ_BYTES):
            for body in splitter.feed(data):
                reply = decode_reply(body)
                outcome = None
                if isinstance(reply, Written):
                    done, error, offsets = self._outbox.written(reply) or (None, None, [])
                    if done is not None:
                        done(error, offsets)
                elif isinstance(reply, Refused):
                    if reply.again:
                        return
                    outcome = self._outbox.refused(reply)
                if outcome is not None:
                    outcome[0](outcome[1], outcome[2])
