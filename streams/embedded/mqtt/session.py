"""One client's session: what is in flight to it, what waits for it, and what it is half through sending."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from streams.embedded.mqtt.limits import BrokerSettings, Counts
from streams.embedded.mqtt.message import Message, Receipt
from streams.embedded.mqtt.packets import IDS, pubrel

if TYPE_CHECKING:
    from streams.embedded.mqtt.connection import Link

_RELEASED = Message(b"\x34\0\0", b"", False, 2)
"""Stands in flight for a QoS 2 message that the client has and whose identifier it still holds."""


class Session:
    """Deliver to one client, at once or later, in order.

    A durable one holds back the publishers' receipts; when it is full, they are not read for a while.
    """

    def __init__(self, client_id: str, settings: BrokerSettings, counts: Counts, *, durable: bool = False) -> None:
        self.client_id = client_id
        self.durable = durable
        self.link: Link | None = None
        self.filters: set[str] = set()
        self.expiry = 0.0
        self.away_since = time.monotonic()
        self.incoming: dict[bytes, Receipt | None] = {}
        """QoS 2 messages from the client, by identifier; None once they are answered with PUBREC."""
        self.in_flight: dict[int, Message] = {}
        self.queue: deque[Message] = deque()
        self.held = 0
        self.held_bytes = 0
        self.full = False
        self.room = settings.unsent
        self._most = settings.kept if durable else settings.queued
        self._most_bytes = settings.kept_bytes if durable else settings.queued_bytes
        self._allowed = settings.durable_in_flight if durable else settings.in_flight
        self._window = self._allowed
        self._next = 0
        self._counts = counts
        self._blocked: list[Link] = []

    # ── to the client ──

    def deliver(self, message: Message) -> None:
        """Send a message of QoS 1 or 2, or keep it until it can be sent."""
        link = self.link
        self.held += 1
        self.held_bytes += message.size
        receipt = message.receipt
        if receipt is not None and self.durable:
            receipt.waiting += 1
        if (
            link is not None
            and not self.queue
            and len(self.in_flight) < self._window
            and link.waiting < self.room
            and message.five is link.five
            and message.expires is None
            and message.size <= link.largest
        ):
            identifier = self._next % 65535 + 1
            while identifier in self.in_flight:
                identifier = identifier % 65535 + 1
            self._next = identifier
            self.in_flight[identifier] = message
            link.out += (message.head, IDS[identifier], message.tail)
            link.waiting += message.size
            link.sent += 1
            if not link.dirty:
                link.mark()
        else:
            self._queue(message)
            self.pump()
        if self.held > self._most or self.held_bytes > self._most_bytes:
            self.full = True

    def deliver_lightly(self, message: Message) -> None:
        """Send a QoS 0 message; a durable client that is away has it kept, as long as there is room."""
        link = self.link
        if link is None:
            if not self.durable:
                return
            if self.full:
                self._counts.drop("durable_full")
                return
            self.held += 1
            self.held_bytes += message.size
            self._queue(message)
            self.full = self.held > self._most or self.held_bytes > self._most_bytes
        elif link.waiting > self.room and not self.durable:
            self._counts.drop("slow_qos0")
        elif self._send(link, message, time.monotonic()) and link.waiting > self.room:
            self.full = self.durable

    def _queue(self, message: Message) -> None:
        if not self.durable and (self.held > self._most or self.held_bytes > self._most_bytes):
            self.held -= 1
            self.held_bytes -= message.size
            self._counts.drop("queue_full")
            return
        self.queue.append(message)

    def pump(self) -> None:
        """Send what waits, as far as the client takes it."""
        link = self.link
        queue = self.queue
        if link is None or not queue:
            return
        now = time.monotonic()
        while queue and len(self.in_flight) < self._window and link.waiting < self.room:
            message = queue.popleft()
            if not self._send(link, message, now) or not message.qos:
                self.complete(message)

    def _send(self, link: Link, message: Message, now: float) -> bool:
        """Send one message; tell whether it could be sent."""
        if message.expires is not None and message.expires <= now:
            self._counts.drop("expired")
            return False
        shaped = message.variant(message.qos, message.retain, link.five)
        wire = shaped.fresh(now)
        if len(wire.head) + len(wire.tail) + 2 > link.largest:
            self._counts.drop("larger_than_client_takes")
            return False
        if not message.qos:
            link.send(wire.head + wire.tail)
        else:
            identifier = self._next % 65535 + 1
            while identifier in self.in_flight:
                identifier = identifier % 65535 + 1
            self._next = identifier
            self.in_flight[identifier] = shaped
            link.send(wire.head + IDS[identifier] + wire.tail)
        link.sent += 1
        return True

    # ── from the client ──

    def acknowledge(self, identifier: int) -> None:
        """Take a PUBACK."""
        message = self.in_flight.pop(identifier, None)
        if message is not None and message is not _RELEASED:
            self.complete(message)

    def received(self, identifier: int, failed: bool) -> bool:
        """Take a PUBREC; tell whether to answer it with PUBREL."""
        message = self.in_flight.get(identifier)
        if message is None:
            return False
        if failed:
            del self.in_flight[identifier]
        else:
            self.in_flight[identifier] = _RELEASED
        if message is not _RELEASED:
            self.complete(message)
        return not failed

    def complete(self, message: Message) -> None:
        """Let a message go that the client has, or that it cannot have."""
        self.held -= 1
        self.held_bytes -= message.size
        receipt = message.receipt
        if receipt is not None and self.durable:
            receipt.waiting -= 1
            if not receipt.waiting:
                receipt.link.settle(receipt)

    def progress(self) -> None:
        """Go on after acknowledgements."""
        if self.queue:
            self.pump()
        if self.full:
            self.relieve()

    # ── its connection ──

    def attach(self, link: Link, receive_maximum: int) -> None:
        """Send again what was in flight, then what waits."""
        self.link = link
        self._window = min(self._allowed, receive_maximum)
        in_flight, self.in_flight = self.in_flight, {}
        late: list[Message] = []
        now = time.monotonic()
        for identifier, message in in_flight.items():
            if message is not _RELEASED and len(self.in_flight) >= self._window:
                late.append(message)
                continue
            self.in_flight[identifier] = message
            if message is _RELEASED:
                link.send(pubrel(identifier))
                continue
            shaped = self.in_flight[identifier] = message.variant(message.qos, message.retain, link.five)
            wire = shaped.fresh(now)
            link.send(wire.again() + IDS[identifier] + wire.tail)
            link.sent += 1
        self.queue.extendleft(reversed(late))
        self.pump()
        self.relieve()

    def detach(self) -> None:
        """Be without a connection."""
        self.link = None
        self.away_since = time.monotonic()
        self.relieve()

    def waiting(self) -> list[Message]:
        """List what the client has not acknowledged, in order, without what it has had."""
        return [message for message in self.in_flight.values() if message is not _RELEASED] + list(self.queue)

    # ── back-pressure ──

    def block(self, link: Link) -> None:
        """Leave a publisher unread until there is room."""
        self._blocked.append(link)
        link.pause()
        self._counts.paused += 1

    def relieve(self) -> None:
        """Read the publishers again if there is room now."""
        if not self.full:
            return
        link = self.link
        if self.held > self._most * 0.75 or self.held_bytes > self._most_bytes * 0.75:
            return
        if link is not None and link.waiting > self.room * 0.75:
            return
        self.full = False
        blocked, self._blocked = self._blocked, []
        for one in blocked:
            one.resume()

    def dismiss(self) -> None:
        """Let every publisher go that waits for room here: the session ends."""
        self.full = False
        blocked, self._blocked = self._blocked, []
        for one in blocked:
            one.resume()
