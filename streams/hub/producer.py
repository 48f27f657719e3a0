"""A producer for synchronous processes: the MQTT bridge and the cameras."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.hub.address import connect
from streams.hub.errors import HubClosedError, HubError
from streams.hub.outbox import Done, Outbox
from streams.hub.protocol import VERSION, Hello, Outgoing, Refused, Splitter, Written, decode_reply, encode

logger = logging.getLogger(__name__)

LIMIT_BYTES = 128 * 1024 * 1024
QUIET = 60.0
"""Seconds between two lines in the log about the same trouble."""

FIRST_WAIT = 0.05
LAST_WAIT = 1.0


class HubProducer:
    """Hand records to the log's owner from any thread.

    `produce` returns at once; `done` is called from the producer's thread when the batch is durable, or has failed for
    good. Batches stay in order, survive a restart of the worker (they are sent again) and are bounded in bytes.
    """

    def __init__(self, path: Path | str, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = Path(path)
        self._outbox = Outbox(limit_bytes)
        self._lock = threading.Lock()
        self._unsent: list[bytes] = []
        self._connected = False
        self._closing: float | None = None  # monotonic time by which to be gone
        self._alarm, self._bell = socket.socketpair()
        self._alarm.setblocking(False)
        self._bell.setblocking(False)
        self._rung = False
        self._quiet_until = 0.0  # monotonic
        self._thread = threading.Thread(target=self._run, name="hub-producer", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Say whether the worker is connected."""
        return self._connected

    @property
    def waiting(self) -> int:
        """Count the batches not yet acknowledged."""
        with self._lock:
            return len(self._outbox)

    def produce(self, records: list[tuple[str, int, bytes]], done: Callable[[Exception | None], None]) -> None:
        """Hand over records (topic, partition, value), written all or none; `done` gets None once they are durable.

        `done` is called at once, with `HubFullError`, if too much waits already.
        """
        self.produce_keyed(
            [(topic, partition, None, value) for topic, partition, value in records], lambda error, _: done(error)
        )

    def produce_keyed(self, records: Sequence[Outgoing], done: Done) -> None:
        """Hand over records (topic, partition, key, value); `done` gets (error or None, offsets)."""
        try:
            with self._lock:
                if self._closing is not None:
                    raise HubClosedError("this producer is closed")
                message = self._outbox.add(records, done)
                if self._connected:
                    self._unsent.append(message)
                ring, self._rung = not self._rung, True
        except HubError as error:
            done(error, [])
            return
        if ring:
            self._ring()

    def close(self, timeout: float = 2.0) -> None:
        """Wait for acknowledgements for `timeout` seconds, then give up the rest (`done` gets `HubClosedError`)."""
        with self._lock:
            self._closing = time.monotonic() + timeout
        self._ring()
        self._thread.join(timeout + 2.0)

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    # the thread ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._finished():
            try:
                connection = connect(self.path)
            except OSError:
                self._pause(wait)
                wait = min(wait * 2, LAST_WAIT)
                continue
            try:
                again = self._converse(connection)
            except (OSError, HubError) as error:
                logger.info("the connection to the worker was lost: %s", error)
                again = FIRST_WAIT
            finally:
                with self._lock:
                    self._connected = False
                    self._unsent.clear()
                connection.close()
            if not self._finished():
                self._pause(again)
                wait = FIRST_WAIT
        with self._lock:
            abandoned = self._outbox.drain()
        for done in abandoned:
            _tell(done, HubClosedError("this producer was closed before the batch was acknowledged"), [])
        self._alarm.close()
        self._bell.close()

    def _finished(self) -> bool:
        with self._lock:
            closing = self._closing
            return closing is not None and (not len(self._outbox) or time.monotonic() >= closing)

    def _pause(self, seconds: float) -> None:
        """Wait, but not past the time to be gone."""
        with self._lock:
            closing = self._closing
        if closing is not None:
            seconds = min(seconds, max(0.0, closing - time.monotonic()))
            time.sleep(seconds)
            return
        deadline = time.monotonic() + seconds
        while self._closing is None and (left := deadline - time.monotonic()) > 0:
            if select.select([self._alarm], [], [], left)[0]:
                self._listen()

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._alarm.recv(4096):
                pass
        with self._lock:
            self._rung = False  # only now: who rings while the bell is emptied would be taken for rung ever after

    def _converse(self, connection: socket.socket) -> float:
        """Send and receive until the connection ends (raises) or a batch has to wait: return for how long."""
        connection.setblocking(False)
        splitter = Splitter()
        with self._lock:
            self._unsent = [encode(Hello(VERSION, self._outbox.producer)), *self._outbox.messages()]
            self._connected = True
        rest = memoryview(b"")
        while not self._finished():
            if not rest:
                with self._lock:
                    unsent, self._unsent = self._unsent, []
                rest = memoryview(b"".join(unsent))
            if rest:
                with contextlib.suppress(BlockingIOError):
                    rest = rest[connection.send(rest) :]
            readable, _, _ = select.select([connection, self._alarm], [connection] if rest else [], [], 0.5)
            if self._alarm in readable:
                self._listen()
            if connection in readable:
                data = connection.recv(1 << 18)
                if not data:
                    raise ConnectionResetError("the worker hung up")
                for body in splitter.feed(data):
                    if not self._answered(body):
                        return LAST_WAIT / 4
        return 0.0

    def _answered(self, body: bytes) -> bool:
        """Settle a batch; say whether the conversation may go on (not if it has to be sent again)."""
        reply = decode_reply(body)
        with self._lock:
            if isinstance(reply, Written):
                outcome: tuple[Done, Exception | None, list[int]] | None = self._outbox.written(reply)
            elif isinstance(reply, Refused):
                if reply.again:
                    if time.monotonic() >= self._quiet_until:  # it is tried again several times a second
                        self._quiet_until = time.monotonic() + QUIET
                        logger.warning("the log cannot take records now: %s", reply.message)
                    return False
                outcome = self._outbox.refused(reply)
            else:
                return True
        if outcome is not None:
            _tell(*outcome)
        return True


def _tell(done: Done, error: Exception | None, offsets: list[int]) -> None:
    try:
        done(error, offsets)
    except Exception:
        logger.exception("the callback of a batch failed")
