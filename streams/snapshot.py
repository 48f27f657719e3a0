"""Snapshots of the engine's state as records of the compacted `snapshots` topic, in chunks.

They are written a few chunks at a time while the engine goes on, in turn under two sets of keys: while one is half
written, the one before it is still whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.frozen import Piece

CHUNK = 512 * 1024
"""Bytes of one record: well below what any log takes."""

_HEAD = struct.Struct("<4sqIII")  # magic, offset, chunk, chunks, checksum
_MAGICS = (b"SNP1", b"SNP2")  # by set of keys
_KEYS = ("engine/{}/{}", "engine/{}/b{}")


class Found(NamedTuple):
    """A whole snapshot: its bytes, and under which set of keys it lies."""

    content: bytes
    turn: int


def chunks(
    partition: int, offset: int, pieces: bytes | Sequence[Piece], turn: int = 0
) -> Iterator[tuple[bytes, bytes]]:
    """Split a snapshot that stands after `offset` into (key, value) records under a set of keys, 0 or 1."""
    pieces = [pieces] if isinstance(pieces, bytes) else pieces
    count = max(1, -(-sum(map(len, pieces)) // CHUNK))
    for index, part in enumerate(_cut(pieces)):
        head = _HEAD.pack(_MAGICS[turn], offset, index, count, zlib.crc32(part))
        yield _KEYS[turn].format(partition, index).encode(), head + part


def _cut(pieces: Sequence[Piece]) -> Iterator[bytes]:
    held: list[Piece] = []
    size, whole = 0, False
    for piece in pieces:
        at = 0
        while at < len(piece):
            part = piece[at : at + CHUNK - size]
            held.append(part)
            at, size = at + len(part), size + len(part)
            if size == CHUNK:
                whole = True
                yield b"".join(held)
                held, size = [], 0
    if held or not whole:
        yield b"".join(held)


def newest(values: Iterable[bytes]) -> Found | None:
    """Join the newest complete snapshot out of the topic's records, in any order; None when there is none.

    A damaged chunk makes its snapshot incomplete, so that an older whole one is preferred to a newer torn one.
    """
    found: dict[tuple[int, int], dict[int, bytes]] = {}
    wanted: dict[tuple[int, int], int] = {}
    whole = (-1, -1)
    for value in values:
        if len(value) < _HEAD.size:
            continue
        magic, offset, index, count, checksum = _HEAD.unpack_from(value)
        part = value[_HEAD.size :]
        if magic not in _MAGICS or zlib.crc32(part) != checksum:
            continue
        key = offset, _MAGICS.index(magic)
        if key < whole:
            continue
        parts = found.setdefault(key, {})
        parts[index], wanted[key] = part, count
        if len(parts) >= count and all(index in parts for index in range(count)):
            whole = key
            for older in [one for one in found if one < whole]:  # not to be held in memory beside the newer
                del found[older]
    if whole not in found:
        return None
    return Found(b"".join(found[whole][index] for index in range(wanted[whole])), whole[1])


def turn_after(value: bytes) -> int | None:
    """Tell under which set of keys the newest whole snapshot lies, by the topic's last record; None by other bytes.

    Chunks come in order: the last of its snapshot makes it whole; after any other, or a damaged one, the one before it
    still is the newest.
    """
    if len(value) < _HEAD.size:
        return None
    magic, _, index, count, checksum = _HEAD.unpack_from(value)
    if magic not in _MAGICS:
        return None
    turn = _MAGICS.index(magic)
    return turn if index == count - 1 and zlib.crc32(value[_HEAD.size :]) == checksum else 1 - turn
