"""A message on its way, and the receipt that its publisher waits for."""

from __future__ import annotations

import time
from typing import Protocol

from streams.embedded.mqtt.packets import length, length_at


class Publisher(Protocol):
    """Wait for receipts."""

    def settle(self, receipt: Receipt) -> None:
        """Answer what is no longer waited for, in the order in which it came."""
        ...


class Receipt:
    """Hold back the answer to a publisher until `waiting` durable subscribers have the message."""

    __slots__ = ("answer", "link", "waiting")

    def __init__(self, link: Publisher, answer: bytes) -> None:
        self.link = link
        self.answer = answer
        self.waiting = 0


class Message:
    """Hold a PUBLISH in two parts, between which the packet identifier goes: `head` (header and topic) and `tail`.

    `expires` is a monotonic time; `size` counts the bytes of the message as it came, with an identifier.
    """

    __slots__ = ("expires", "five", "head", "qos", "receipt", "size", "tail")

    def __init__(
        self,
        head: bytes,
        tail: bytes,
        five: bool,
        qos: int,
        receipt: Receipt | None = None,
        expires: float | None = None,
        size: int = 0,
    ) -> None:
        self.head = head
        self.tail = tail
        self.five = five
        self.qos = qos
        self.receipt = receipt
        self.expires = expires
        self.size = size or len(head) + len(tail) + 2

    @property
    def topic(self) -> bytes:
        """Give the topic."""
        return self.head[length_at(self.head, 1)[1] + 2 :]

    @property
    def retain(self) -> bool:
        """Tell whether it is marked as a stored copy."""
        return bool(self.head[0] & 1)

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Give topic, properties (without their length) and payload."""
        if not self.five:
            return self.topic, b"", self.tail
        size, at = length_at(self.tail, 0)
        return self.topic, self.tail[at : at + size], self.tail[at + size :]

    def variant(self, qos: int, retain: bool, five: bool) -> Message:
        """Give the same message in another shape, with the same receipt."""
        first = 0x30 | qos << 1 | retain
        if five is self.five and qos == self.qos:
            if first == self.head[0]:
                return self
            head = bytes((first,)) + self.head[1:]
            return Message(head, self.tail, five, qos, self.receipt, self.expires, self.size)
        topic, properties, payload = self.parts()
        return make(topic, properties, payload, qos, retain, five, self.receipt, self.expires, self.size)

    def fresh(self, now: float) -> Message:
        """Give the message with the time that is left to it, when it has one (MQTT 5)."""
        if self.expires is None or not self.five:
            return self
        topic, properties, payload = self.parts()
        left = b"\x02" + max(1, round(self.expires - now)).to_bytes(4, "big")
        retain = self.retain
        return make(topic, properties + left, payload, self.qos, retain, True, self.receipt, self.expires, self.size)

    def again(self) -> bytes:
        """Give the head of a second delivery."""
        return bytes((self.head[0] | 8,)) + self.head[1:]


def make(
    topic: bytes,
    properties: bytes,
    payload: bytes,
    qos: int,
    retain: bool,
    five: bool,
    receipt: Receipt | None = None,
    expires: float | None = None,
    size: int = 0,
) -> Message:
    """Make a message."""
    tail = length(len(properties)) + properties + payload if five else payload
    remaining = 2 + len(topic) + (2 if qos else 0) + len(tail)
    head = bytes((0x30 | qos << 1 | retain,)) + length(remaining) + len(topic).to_bytes(2, "big") + topic
    return Message(head, tail, five, qos, receipt, expires, size)


def deadline(expiry: int | None) -> float | None:
    """Turn seconds to live into a monotonic time."""
    return None if expiry is None else time.monotonic() + expiry
