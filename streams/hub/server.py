"""The hub's server, in the worker's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from pathlib import Path
from typing import cast

from streams.embedded.schema import LogUnavailableError
from streams.hub.address import listen
from streams.hub.errors import HubError
from streams.hub.ledger import Ledger, Produce
from streams.hub.protocol import (
    VERSION,
    Hello,
    Incoming,
    Put,
    Records,
    Reply,
    Request,
    Resync,
    Splitter,
    Subscribe,
    decode_request,
    encode,
)

logger = logging.getLogger(__name__)

SUBSCRIBER_BYTES = 8 * 1024 * 1024  # unread, beyond which a subscriber is told to read again instead
PRODUCER_BYTES = 64 * 1024 * 1024  # taken and not yet written, beyond which a producer is not read
PRODUCERS = 256


def is_temporary(error: Exception) -> bool:
    """Say whether a batch that failed so may be sent again; not when its records are at fault."""
    return isinstance(error, LogUnavailableError | asyncio.CancelledError | ConnectionError | MemoryError)


class HubServer:
    """Serve producers and subscribers at a unix socket; use it from its event loop only.

    `produce(records)` writes [(topic, partition, key, value)] all or none and returns their offsets once durable.
    """

    def __init__(self, path: Path | str, produce: Produce) -> None:
        self.path = Path(path)
        self._produce = produce
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._ledgers: OrderedDict[str, Ledger] = OrderedDict()

    async def start(self) -> None:
        """Listen. Raise `HubError` if another worker answers at the socket."""
        listener = listen(self.path)
        self._server = await asyncio.get_running_loop().create_unix_server(lambda: _Connection(self), sock=listener)

    async def stop(self) -> None:
        """Close all connections and remove the socket; batches under way are finished first, for at most a second."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self.path.unlink(missing_ok=True)
        for connection in self._connections:
            connection.pause()
        busy = [ledger.settled() for ledger in self._ledgers.values() if ledger.busy]
        if busy:
            await asyncio.wait([asyncio.ensure_future(each) for each in busy], timeout=1.0)
        for connection in list(self._connections):
            connection.close()

    def publish(self, topic: str, partition: int, offset: int, value: bytes, *, now: bool = False) -> None:
        """Tell the subscribers of a topic; one that does not keep up gets a resync marker instead.

        `now`: not with what else is told in this turn of the event loop, which may be followed by a long one.
        """
        for connection in self._connections:
            if topic in connection.topics:
                connection.tell((topic, partition, offset, value))
                if now:
                    connection.flush()

    @property
    def subscribers(self) -> int:
        """Count connections that have subscribed."""
        return sum(bool(connection.topics) for connection in self._connections)

    def _ledger(self, producer: str) -> Ledger:
        ledger = self._ledgers.get(producer)
        if ledger is None:
            ledger = self._ledgers[producer] = Ledger(self._produce, is_temporary)
            for name in list(self._ledgers):
                if len(self._ledgers) <= PRODUCERS:
                    break
                if not self._ledgers[name].busy and name != producer:
                    del self._ledgers[name]
        self._ledgers.move_to_end(producer)
        return ledger


class _Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, hub: HubServer) -> None:
        self.topics: frozenset[str] = frozenset()
        self._hub = hub
        self._splitter = Splitter()
        self._ledger: Ledger | None = None
        self._transport: asyncio.Transport | None = None
        self._news: list[Incoming] = []
        self._news_bytes = 0
        self._missed = False
        self._slow = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=SUBSCRIBER_BYTES // 2, low=SUBSCRIBER_BYTES // 8)
        self._hub._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._hub._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._splitter.feed(data):
                self._handle(decode_request(body), len(body))
        except HubError as error:
            logger.warning("a client of the hub was disconnected: %s", error)
            self.close()

    def pause_writing(self) -> None:
        self._slow = True

    def resume_writing(self) -> None:
        self._slow = False
        if self._missed:
            self._missed = False
            self.reply(Resync())

    def close(self) -> None:
        """Hang up once what was written has gone out."""
        if self._transport is not None:
            self._transport.close()

    def pause(self) -> None:
        """Read no more."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def reply(self, message: Reply) -> None:
        """Send a reply, or drop it if the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode(message))
            ledger = self._ledger
            if ledger is not None and ledger.bytes < PRODUCER_BYTES // 2 and self._hub._server is not None:
                self._resume()

    def tell(self, record: Incoming) -> None:
        """Send a record soon, with others of this turn of the loop."""
        transport = self._transport
        if transport is None or self._missed:
            return
        size = len(record[3]) + 64
        if transport.get_write_buffer_size() + self._news_bytes + size > SUBSCRIBER_BYTES:
            self._missed = True
            self._news.clear()
            self._news_bytes = 0
            if not self._slow:
                self.resume_writing()
            return
        if not self._news:
            asyncio.get_running_loop().call_soon(self.flush)
        self._news.append(record)
        self._news_bytes += size

    def flush(self) -> None:
        """Send what there is to tell."""
        news, self._news, self._news_bytes = self._news, [], 0
        if news:
            self.reply(Records(news))

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_reading():
            self._transport.resume_reading()

    def _handle(self, message: Request, size: int) -> None:
        if isinstance(message, Hello):
            if message.version != VERSION:
                raise HubError(f"it speaks version {message.version}, not {VERSION}")
            if message.producer:
                self._ledger = self._hub._ledger(message.producer[:64])
        elif isinstance(message, Subscribe):
            self.topics = frozenset(message.topics)
        elif isinstance(message, Put):
            if self._ledger is None:
                raise HubError("it produced without saying who it is")
            self._ledger.put(message, size, self)
            if self._ledger.bytes > PRODUCER_BYTES:
                self.pause()
