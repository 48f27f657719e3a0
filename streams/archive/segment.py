"""One segment: a stretch of a partition's observations and what they led to, packed so that nothing is lost.

A file is the magic, the length of the head (u32, little-endian), the head (JSON), and one zstd frame with a checksum:
msgpack of two tables, observations and outcomes, each of columns: offset and time of writing, lengths of keys (-1:
none) and of values, then all keys and all values.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
import zstandard

from streams.archive.place import ArchiveDamaged
from streams.readable import Timed

MAGIC = b"FSARC\x00\x00\x01"
MOST_HEAD = 1 << 20
MOST_RAW = 1 << 29
"""Bytes of a segment's body, unpacked, at most."""

LEVEL = 6
"""Of zstd. On 728 000 simulated readings (21.1 bytes each in the log) level 3, 6 and 9 leave 7.7, 6.7 and 6.5 bytes of
each, for 0.24, 0.40 and 0.72 µs of CPU; reading them again costs 0.04 µs."""


class State(msgspec.Struct, frozen=True):
    """A state of the engine kept beside the segments: after which offset, its clock (unix s), its bytes, SHA-256."""

    offset: int
    clock: float
    bytes: int
    sha256: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a segment holds: observations begin ≤ offset < stop, and outcomes by their own offsets.

    `since` and `until` are when the first and the last observation were written (unix s). `previous` is the SHA-256 of
    the segment before, empty for the first; `lost` counts the observations in between that the log no longer had.
    """

    partition: int
    begin: int
    stop: int
    outcomes_begin: int
    outcomes_stop: int
    since: float
    until: float
    observations: int
    outcomes: int
    lost: int
    previous: str
    states: tuple[State, ...] = ()


class _Table(msgspec.Struct, frozen=True, array_like=True):
    offsets: bytes  # i8
    times: bytes  # f8
    keys: bytes  # i4, lengths; -1 is None
    values: bytes  # i4, lengths
    key_bytes: bytes
    value_bytes: bytes


class Content(msgspec.Struct, frozen=True):
    """A segment, unpacked: its head, the observations and the outcomes, in order."""

    head: Head
    observations: list[Timed]
    outcomes: list[Timed]


_head = msgspec.json.Decoder(Head)
_body = msgspec.msgpack.Decoder(tuple[_Table, _Table])
_length = struct.Struct("<I")


def digest(content: bytes) -> str:
    """Name what was written by its SHA-256."""
    return hashlib.sha256(content).hexdigest()


def pack(head: Head, observations: Sequence[Timed], outcomes: Sequence[Timed]) -> bytes:
    """Write a segment; the same content always gives the same bytes."""
    body = msgspec.msgpack.encode((_columns(observations), _columns(outcomes)))
    packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(body)
    named = msgspec.json.encode(head)
    return b"".join((MAGIC, _length.pack(len(named)), named, packed))


def head_of(content: bytes) -> Head:
    """Read a segment's head. Raise `ArchiveDamaged`."""
    return _opened(content)[0]


def unpack(content: bytes) -> Content:
    """Read a segment and hold it against its head. Raise `ArchiveDamaged`."""
    head, packed = _opened(content)
    try:
        size = zstandard.get_frame_parameters(packed).content_size
        if size > MOST_RAW:
            raise ArchiveDamaged(f"it says that it unpacks to {size} bytes; {MOST_RAW} are the most that it may")
        tables = _body.decode(zstandard.ZstdDecompressor().decompress(packed, max_output_size=MOST_RAW))
        observations, outcomes = (_entries(table) for table in tables)
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError) as error:
        raise ArchiveDamaged(f"it cannot be unpacked: {error}") from error
    found = Content(head, observations, outcomes)
    _require_whole(found)
    return found


def _opened(content: bytes) -> tuple[Head, memoryview]:
    start = len(MAGIC) + _length.size
    if len(content) < start or content[: len(MAGIC)] != MAGIC:
        raise ArchiveDamaged("it is no segment of an archive, or of another version")
    (size,) = _length.unpack_from(content, len(MAGIC))
    if size > min(MOST_HEAD, len(content) - start):
        raise ArchiveDamaged("its head is cut off")
    view = memoryview(content)
    try:
        return _head.decode(view[start : start + size]), view[start + size :]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"its head cannot be read: {error}") from error


def _require_whole(found: Content) -> None:
    head, offsets = found.head, [entry[0] for entry in found.observations]
    if offsets != list(range(head.begin, head.stop)) or len(offsets) != head.observations:
        raise ArchiveDamaged(f"it should hold the observations {head.begin} to {head.stop - 1} and does not")
    offsets = [entry[0] for entry in found.outcomes]
    rising = all(sooner < later for sooner, later in pairwise(offsets))
    within = not offsets or (head.outcomes_begin <= offsets[0] and offsets[-1] < head.outcomes_stop)
    if not (rising and within and len(offsets) == head.outcomes):
        raise ArchiveDamaged("its outcomes are not those that its head tells of")


def _columns(entries: Sequence[Timed]) -> _Table:
    keys = [entry[2] for entry in entries]
    values = [entry[3] for entry in entries]
    return _Table(
        np.array([entry[0] for entry in entries], "<i8").tobytes(),
        np.array([entry[1] for entry in entries], "<f8").tobytes(),
        np.array([-1 if key is None else len(key) for key in keys], "<i4").tobytes(),
        np.array([len(value) for value in values], "<i4").tobytes(),
        b"".join(key for key in keys if key is not None),
        b"".join(values),
    )


def _entries(table: _Table) -> list[Timed]:
    offsets, times = np.frombuffer(table.offsets, "<i8"), np.frombuffer(table.times, "<f8")
    keys, values = np.frombuffer(table.keys, "<i4"), np.frombuffer(table.values, "<i4")
    key_stops, value_stops = np.cumsum(np.maximum(keys, 0), dtype=np.int64), np.cumsum(values, dtype=np.int64)
    if not len(offsets) == len(times) == len(keys) == len(values):
        raise ValueError("its columns are not of one length")
    if len(offsets) and (
        keys.min() < -1
        or values.min() < 0
        or (key_stops[-1], value_stops[-1]) != (len(table.key_bytes), len(table.value_bytes))
    ):
        raise ValueError("its lengths do not add up")
    found: list[Timed] = []
    at = key_at = 0
    for offset, time, key, key_stop, value_stop in zip(
        offsets.tolist(), times.tolist(), keys.tolist(), key_stops.tolist(), value_stops.tolist(), strict=True
    ):
        found.append(
            (offset, time, None if key < 0 else table.key_bytes[key_at:key_stop], table.value_bytes[at:value_stop])
        )
        at, key_at = value_stop, key_stop
    return found
