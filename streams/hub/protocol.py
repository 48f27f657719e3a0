"""Messages of the hub and how they are framed."""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import msgspec

from streams.hub.errors import HubError

VERSION = 1
MAX_MESSAGE = 32 * 1024 * 1024
RESYNC: Final = "resync"  # topic of the marker that says: records were missed, read again what you need

# (topic, partition, key or None, value)
Outgoing: TypeAlias = "tuple[str, int, bytes | None, bytes]"
# (topic, partition, offset, value)
Incoming: TypeAlias = "tuple[str, int, int, bytes]"

_LENGTH = struct.Struct("<I")


class Hello(msgspec.Struct, tag="hello", array_like=True, frozen=True):
    """Begin: protocol version and, for one that produces, its name for life."""

    version: int
    producer: str = ""


class Put(msgspec.Struct, tag="put", array_like=True, frozen=True):
    """Ask for records to be written, all or none; sequences of one producer rise by one."""

    sequence: int
    records: list[tuple[str, int, bytes | None, bytes]]


class Subscribe(msgspec.Struct, tag="subscribe", array_like=True, frozen=True):
    """Ask to hear of new records in topics."""

    topics: list[str]


class Written(msgspec.Struct, tag="written", array_like=True, frozen=True):
    """Say that a batch is durable."""

    sequence: int
    offsets: list[int]


class Refused(msgspec.Struct, tag="refused", array_like=True, frozen=True):
    """Say that a batch was not written, and whether sending it again may help."""

    sequence: int
    again: bool
    message: str


class Records(msgspec.Struct, tag="records", array_like=True, frozen=True):
    """Tell of new records."""

    records: list[tuple[str, int, int, bytes]]


class Resync(msgspec.Struct, tag="resync", array_like=True, frozen=True):
    """Say that this subscriber was too slow and has missed records."""


Request: TypeAlias = Hello | Put | Subscribe
Reply: TypeAlias = Written | Refused | Records | Resync

_encoder = msgspec.msgpack.Encoder()
_requests = msgspec.msgpack.Decoder(Hello | Put | Subscribe)
_replies = msgspec.msgpack.Decoder(Written | Refused | Records | Resync)


def encode(message: Request | Reply) -> bytes:
    """Frame a message. Raise `HubError` if it is too large."""
    buffer = bytearray(_LENGTH.size)
    _encoder.encode_into(message, buffer, _LENGTH.size)
    size = len(buffer) - _LENGTH.size
    if size > MAX_MESSAGE:
        raise HubError(f"a message to the hub has {size} bytes; {MAX_MESSAGE} are allowed")
    _LENGTH.pack_into(buffer, 0, size)
    return bytes(buffer)


def decode_request(body: bytes) -> Request:
    """Read what a client sent. Raise `HubError`."""
    try:
        request: Request = _requests.decode(body)
    except msgspec.DecodeError as error:
        raise HubError(f"not a request: {error}") from error
    return request


def decode_reply(body: bytes) -> Reply:
    """Read what the server sent. Raise `HubError`."""
    try:
        reply: Reply = _replies.decode(body)
    except msgspec.DecodeError as error:
        raise HubError(f"not a reply: {error}") from error
    return reply


class Splitter:
    """Cut a stream of bytes into message bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes in and return the bodies now complete. Raise `HubError` for one that would be too large."""
        buffer = self._buffer
        buffer += data
        bodies, position, end = [], 0, len(buffer)
        while end - position >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer, position)
            if size > MAX_MESSAGE:
                raise HubError(f"a message of {size} bytes is too large")
            if end - position - _LENGTH.size < size:
                break
            position += _LENGTH.size
            bodies.append(bytes(memoryview(buffer)[position : position + size]))
            position += size
        if position:
            del buffer[:position]
        return bodies
