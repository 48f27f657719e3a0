"""A state that stands still: what an engine held at one offset, encoded piece by piece while the engine goes on.

The bytes are those of one msgpack document. Large arrays are handed out as they are, so that a state of hundreds of
megabytes is copied once, and never encoded in one go that all else would have to wait for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Piece: TypeAlias = "bytes | memoryview"

LARGE = 1 << 16
"""Bytes from which an array is a piece of its own: from here on msgpack writes their number in four bytes."""


class Arrays(dict[str, npt.NDArray[Any]]):
    """Arrays by name that nobody writes to any more."""


def pieces(content: Mapping[str, Any]) -> Iterator[Piece]:
    """Yield a mapping's msgpack encoding piece by piece; each array as its dtype, its shape and its bytes."""
    yield _head(len(content))
    for name, value in content.items():
        yield msgspec.msgpack.encode(name)
        if not isinstance(value, Arrays):
            yield msgspec.msgpack.encode(value)
            continue
        yield _head(len(value))
        for own, array in value.items():
            yield msgspec.msgpack.encode(own)
            yield from _array(array)


def pack(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Turn arrays into what any encoder takes: dtype, shape and bytes of each."""
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}


def unpack(packed: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Turn what `pack` or `pieces` made of arrays into arrays again, which may be written to."""
    return {
        name: np.frombuffer(content, np.dtype(kind)).reshape(shape).copy()
        for name, (kind, shape, content) in packed.items()
    }


def _array(array: npt.NDArray[Any]) -> Iterator[Piece]:
    if array.nbytes < LARGE:
        yield msgspec.msgpack.encode((array.dtype.str, array.shape, array.tobytes()))
        return
    yield b"\x93" + msgspec.msgpack.encode(array.dtype.str) + msgspec.msgpack.encode(array.shape)
    yield struct.pack(">BI", 0xC6, array.nbytes)
    yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _head(entries: int) -> bytes:
    return bytes((0x80 | entries,)) if entries < 16 else struct.pack(">BH", 0xDE, entries)
