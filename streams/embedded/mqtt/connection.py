"""One client's connection: bytes in, taken apart in bulk where they lie; bytes out, joined.

A run of QoS 0 messages to the same subscribers is never taken apart further than its topics: it is passed on as one
slice of what was received.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from typing import TYPE_CHECKING

from streams.embedded.mqtt import packets
from streams.embedded.mqtt.connect import Will
from streams.embedded.mqtt.message import Message, Receipt
from streams.embedded.mqtt.packets import MalformedPacket, length_at
from streams.embedded.mqtt.session import Session

if TYPE_CHECKING:
    from streams.embedded.mqtt.exchange import Exchange
    from streams.embedded.mqtt.topics import Target

RECEIVE = 262_144
UNLIMITED = 1 << 40
_JOINED = 1 << 20


class Link:
    """Hold one connection. `out` is what is to be sent, `waiting` its bytes with what the socket did not take yet."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self.sock = sock
        self.exchange = exchange
        self.session: Session | None = None
        self.five = False
        self.will: Will | None = None
        self.keepalive = 0
        self.largest = UNLIMITED
        self.out: list[bytes] = []
        self.waiting = 0
        self.sent = 0
        self.dirty = False
        self.paused = False
        self.closed = False
        self.closing = False
        """Ends once what is to be sent is sent."""
        self.pending: deque[Receipt] = deque()
        self.seen = self.opened = time.monotonic()
        self.interest = 0
        self._unsent = memoryview(b"")
        self._rest = b""
        self._pieces: list[bytes] = []
        self._wanted = 0

    # ── in ──

    def read(self) -> bool:
        """Read what the socket holds, up to `RECEIVE` bytes, and act on it; False when the other side is gone."""
        try:
            data = self.sock.recv(RECEIVE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if not data:
            return False
        self.seen = self.exchange.now
        self.feed(data)
        return True

    def feed(self, data: bytes) -> None:
        """Act on bytes from the client, whole packets at once. Raise `MalformedPacket`."""
        if self._rest:
            self._pieces.append(data)
            self._wanted -= len(data)
            if self._wanted > 0:
                return
            data = b"".join((self._rest, *self._pieces))
            self._pieces.clear()
            self._rest = b""
        start = self._walk(data)
        if start < len(data) and not self.closing:
            self._keep(data[start:] if start else data)

    def _keep(self, rest: bytes) -> None:
        """Keep the beginning of an unfinished packet."""
        if self.session is None and rest[0] != packets.CONNECT:
            raise MalformedPacket("a packet before CONNECT", packets.PROTOCOL)
        self._rest = rest
        self._wanted = 1
        size, body = length_at(rest, 1)
        if body < 0:
            return
        if size > self.exchange.settings.largest:
            raise MalformedPacket(f"a packet of {size} bytes", packets.TOO_LARGE)
        self._wanted = body + size - len(rest)

    def _walk(self, data: bytes) -> int:
        """Act on the whole packets of `data`; give where the first unfinished one starts."""
        exchange = self.exchange
        routes = exchange.routes
        five = self.five
        ready = self.session is not None
        end = len(data)
        start = run_from = run = 0
        run_route = None
        acked = False
        try:
            while end - start > 1:
                first = data[start]
                size = data[start + 1]
                body = start + 2
                if size > 127:
                    size, body = length_at(data, start + 1)
                    if body < 0:
                        break
                    if size > exchange.settings.largest:
                        raise MalformedPacket(f"a packet of {size} bytes", packets.TOO_LARGE)
                stop = body + size
                if stop > end:
                    break
                if first == 0x30 and ready and size > 2:
                    at = body + 2 + (data[body] << 8 | data[body + 1])
                    if at + five > stop:
                        raise MalformedPacket("a PUBLISH shorter than it says")
                    if not five or not data[at]:
                        route = routes[data[body + 2 : at]]
                        if route is not run_route:
                            if run_route is not None:
                                exchange.forward(self, run_route, data[run_from:start], run)
                            run_route, run_from, run = route, start, 0
                        run += 1
                        start = stop
                        continue
                if run_route is not None:
                    exchange.forward(self, run_route, data[run_from:start], run)
                    run_route = None
                if first == 0x32 and ready and size > 4:
                    at = body + 2 + (data[body] << 8 | data[body + 1])
                    if at + 2 + five > stop:
                        raise MalformedPacket("a PUBLISH shorter than it says")
                    if not five or not data[at + 2]:
                        route = routes[data[body + 2 : at]]
                        if route.plain:
                            self._publish(route.targets, data[start:at], data[at : at + 2], data[at + 2 : stop])
                            start = stop
                            continue
                elif first == 0x40 and ready and size == 2:
                    self.session.acknowledge(data[body] << 8 | data[body + 1])  # type: ignore[union-attr]
                    acked = True
                    start = stop
                    continue
                exchange.packet(self, first, data, body, stop)
                start = stop
                if self.closing:
                    return end
                five = self.five
                ready = self.session is not None
        finally:  # what came before a broken packet is passed on
            if run_route is not None:
                exchange.forward(self, run_route, data[run_from:start], run)
        if acked and self.session is not None:
            self.session.progress()
        return start

    def _publish(self, targets: tuple[Target, ...], head: bytes, identifier: bytes, tail: bytes) -> None:
        """Pass on a QoS 1 message to subscribers that all wish QoS 1 or more."""
        if identifier == b"\0\0":
            raise MalformedPacket("a packet identifier of 0", packets.PROTOCOL)
        receipt = Receipt(self, b"\x40\x02" + identifier)
        self.exchange.counts.received += 1
        if targets:
            message = Message(head, tail, self.five, 1, receipt)
            for target in targets:
                session = target.session
                session.deliver(message)
                if session.full and session.durable:
                    self.press(session)
        if receipt.waiting or self.pending:
            self.pending.append(receipt)
        else:
            self.answer(receipt)

    def press(self, session: Session) -> None:
        """Do not read on while a durable subscriber is full; a durable one itself is always read, for its answers."""
        if not self.paused and not self.closed and not (self.session is not None and self.session.durable):
            session.block(self)

    # ── receipts ──

    def answer(self, receipt: Receipt) -> None:
        """Send the answer that a publisher waits for."""
        self.exchange.counts.acknowledged += 1
        self.out.append(receipt.answer)
        self.waiting += 4
        if not self.dirty:
            self.mark()

    def settle(self, receipt: Receipt) -> None:
        """Answer what is no longer waited for, in the order in which it came."""
        pending = self.pending
        if not pending or pending[0] is not receipt:
            return
        while pending and not pending[0].waiting:
            done = pending.popleft()
            session = self.session
            if done.answer[0] == packets.PUBREC and session is not None and done.answer[2:] in session.incoming:
                session.incoming[done.answer[2:]] = None
            self.answer(done)

    # ── out ──

    def send(self, data: bytes) -> None:
        """Send a packet with what else is sent in this turn."""
        self.out.append(data)
        self.waiting += len(data)
        if not self.dirty:
            self.mark()

    def mark(self) -> None:
        """Have this turn's output sent at its end."""
        self.dirty = True
        self.exchange.dirty.append(self)

    def flush(self) -> bool:
        """Send what the socket takes; False when the connection is gone. `unsent` tells if it took less than all."""
        self.dirty = False
        try:
            while self._unsent or self.out:
                if not self._unsent:
                    self._unsent = memoryview(self._joined())
                sent = self.sock.send(self._unsent)
                self.waiting -= sent
                whole = sent == len(self._unsent)
                self._unsent = self._unsent[sent:]
                if not whole:
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            return False
        if not self._unsent and not self.out:
            self.waiting = 0
        return True

    def _joined(self) -> bytes:
        out = self.out
        if self.waiting > _JOINED and len(out) > 1:  # not all at once: a slow reader may leave much
            place = size = 0
            while place < len(out) and size < _JOINED:
                size += len(out[place])
                place += 1
            self.out = out[place:]
            return b"".join(out[:place])
        self.out = []
        return b"".join(out)

    @property
    def unsent(self) -> bool:
        """Tell whether the socket did not take all."""
        return bool(self._unsent) or bool(self.out)

    # ── being left unread ──

    def pause(self) -> None:
        """Leave the socket unread."""
        self.paused = True
        self.exchange.changed(self)

    def resume(self) -> None:
        """Read the socket again."""
        if not self.closed:
            self.paused = False
            self.seen = time.monotonic()
            self.exchange.changed(self)
