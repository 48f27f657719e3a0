"""MQTT packets, 3.1.1 and 5: the fields they are made of, and those that the broker sends."""

from __future__ import annotations

from collections.abc import Sequence

CONNECT = 0x10
CONNACK = 0x20
PUBLISH = 0x30
PUBACK = 0x40
PUBREC = 0x50
PUBREL = 0x62
PUBCOMP = 0x70
SUBSCRIBE = 0x82
SUBACK = 0x90
UNSUBSCRIBE = 0xA2
UNSUBACK = 0xB0
PINGREQ = 0xC0
PINGRESP = b"\xd0\x00"
DISCONNECT = 0xE0

# Reason codes of MQTT 5, as far as they are used here.
UNSPECIFIED = 0x80
MALFORMED = 0x81
PROTOCOL = 0x82
BAD_LOGIN = 0x86
BAD_CLIENT_ID = 0x85
UNAUTHORIZED = 0x87
BUSY = 0x89
SHUTTING_DOWN = 0x8B
BAD_METHOD = 0x8C
SILENT = 0x8D
TAKEN_OVER = 0x8E
BAD_FILTER = 0x8F
BAD_TOPIC = 0x90
BAD_ALIAS = 0x94
TOO_LARGE = 0x95
TOO_MUCH = 0x97
NO_SUBSCRIPTION_IDS = 0xA1

IDS = [number.to_bytes(2, "big") for number in range(65536)]
"""Packet identifiers as they are sent."""


class MalformedPacket(ValueError):
    """Raised when a packet breaks the protocol; `reason` is the MQTT 5 code that says how."""

    def __init__(self, text: str, reason: int = MALFORMED) -> None:
        super().__init__(text)
        self.reason = reason


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """Read a variable length; give it and where it ends, or (0, -1) while its bytes are not all there."""
    value = shift = 0
    end = len(data)
    for place in range(at, at + 4):
        if place >= end:
            return 0, -1
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
    raise MalformedPacket("a length of more than four bytes")


def length(value: int) -> bytes:
    """Encode a variable length."""
    if value < 128:
        return bytes((value,))
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class Body:
    """Read the fields of one packet's body in order; every read past its end raises `MalformedPacket`."""

    __slots__ = ("at", "data", "stop")

    def __init__(self, data: bytes, at: int = 0, stop: int | None = None) -> None:
        self.data = data
        self.at = at
        self.stop = len(data) if stop is None else stop

    @property
    def left(self) -> int:
        """Count the bytes left."""
        return self.stop - self.at

    def take(self, count: int) -> bytes:
        """Read `count` bytes."""
        end = self.at + count
        if end > self.stop:
            raise MalformedPacket("a packet shorter than it says")
        found = self.data[self.at : end]
        self.at = end
        return found

    def number(self, size: int) -> int:
        """Read a big-endian number of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def length(self) -> int:
        """Read a variable length."""
        value, at = length_at(self.data, self.at)
        if at < 0 or at > self.stop:
            raise MalformedPacket("a packet shorter than it says")
        self.at = at
        return value

    def binary(self) -> bytes:
        """Read bytes after their length."""
        return self.take(self.number(2))

    def text(self) -> bytes:
        """Read a string, checked to be UTF-8 without a null character, as bytes."""
        found = self.binary()
        check_text(found)
        return found

    def identifier(self) -> int:
        """Read a packet identifier."""
        found = self.number(2)
        if not found:
            raise MalformedPacket("a packet identifier of 0", PROTOCOL)
        return found

    def rest(self) -> bytes:
        """Read what is left."""
        return self.take(self.left)

    def end(self) -> None:
        """Raise `MalformedPacket` if something is left."""
        if self.left:
            raise MalformedPacket("a packet longer than it says")


def check_text(data: bytes) -> None:
    """Raise `MalformedPacket` unless the bytes are a string that MQTT allows."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise MalformedPacket("a string that is not UTF-8") from error
    if b"\0" in data:
        raise MalformedPacket("a string with a null character")


def packet(first: int, body: bytes) -> bytes:
    """Put the fixed header before a body."""
    return bytes((first,)) + length(len(body)) + body


def string(data: bytes) -> bytes:
    """Put its length before a string."""
    return len(data).to_bytes(2, "big") + data


def connack(five: bool, present: bool, reason: int, properties: bytes = b"") -> bytes:
    """Answer a CONNECT; `reason` is a code of the client's version."""
    return packet(CONNACK, bytes((present, reason)) + (length(len(properties)) + properties if five else b""))


def suback(five: bool, identifier: int, reasons: Sequence[int]) -> bytes:
    """Answer a SUBSCRIBE."""
    return packet(SUBACK, IDS[identifier] + (b"\0" if five else b"") + bytes(reasons))


def unsuback(five: bool, identifier: int, reasons: Sequence[int]) -> bytes:
    """Answer an UNSUBSCRIBE."""
    return packet(UNSUBACK, IDS[identifier] + (b"\0" + bytes(reasons) if five else b""))


def pubrel(identifier: int) -> bytes:
    """Release a QoS 2 message."""
    return b"\x62\x02" + IDS[identifier]


def disconnect(reason: int) -> bytes:
    """Say why an MQTT 5 connection ends."""
    return bytes((DISCONNECT, 1, reason))
