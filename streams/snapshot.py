"""Snapshots of the engine's state as records of the compacted `snapshots` topic, in chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

CHUNK = 512 * 1024
"""Bytes of one record: well below what any log takes."""

_HEAD = struct.Struct("<4sqIII")  # magic, offset, chunk, chunks, checksum
_MAGIC = b"SNP1"


def chunks(partition: int, offset: int, snapshot: bytes) -> list[tuple[bytes, bytes]]:
    """Split a snapshot that stands after `offset` into (key, value) records, to be written in one transaction."""
    count = max(1, -(-len(snapshot) // CHUNK))
    records = []
    for index in range(count):
        part = snapshot[index * CHUNK : (index + 1) * CHUNK]
        head = _HEAD.pack(_MAGIC, offset, index, count, zlib.crc32(part))
        records.append((f"engine/{partition}/{index}".encode(), head + part))
    return records


def newest(values: Iterable[bytes]) -> bytes | None:
    """Join the newest complete snapshot out of the topic's records, in any order; None when there is none.

    A damaged chunk makes its snapshot incomplete, so that an older whole one is preferred to a newer torn one.
    """
    found: dict[int, dict[int, bytes]] = {}
    wanted: dict[int, int] = {}
    for value in values:
        if len(value) < _HEAD.size:
            continue
        magic, offset, index, count, checksum = _HEAD.unpack_from(value)
        part = value[_HEAD.size :]
        if magic != _MAGIC or zlib.crc32(part) != checksum:
            continue
        found.setdefault(offset, {})[index] = part
        wanted[offset] = count
    for offset in sorted(found, reverse=True):
        parts = found[offset]
        if all(index in parts for index in range(wanted[offset])):
            return b"".join(parts[index] for index in range(wanted[offset]))
    return None
