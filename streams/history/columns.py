"""Scored readings as columns: the records of the `scores` topic, from which charts are drawn."""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import numpy.typing as npt

_HEAD = struct.Struct("<4sI")
_MAGIC = b"SCR1"


class ColumnsError(ValueError):
    """Raised when bytes are not a record of the `scores` topic."""


class Scored(msgspec.Struct, frozen=True):
    """Hold scored readings: point u4 (registry index), time f8 (unix s), value f8 (point's unit), score f4 (0..1).

    A score is NaN while the point's baseline is being learnt: nothing is known then, which is not that all is well.
    """

    point: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    score: npt.NDArray[np.float32]


def encode(scored: Scored) -> bytes:
    """Pack columns of equal length as one record."""
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(scored.point)),
            np.ascontiguousarray(scored.time, "<f8").tobytes(),
            np.ascontiguousarray(scored.value, "<f8").tobytes(),
            np.ascontiguousarray(scored.point, "<u4").tobytes(),
            np.ascontiguousarray(scored.score, "<f4").tobytes(),
        )
    )


def decode(record: bytes) -> Scored:
    """Unpack a record without copying its columns. Raise `ColumnsError` on anything else."""
    if len(record) < _HEAD.size:
        raise ColumnsError("too short for scored readings")
    magic, count = _HEAD.unpack_from(record)
    start = _HEAD.size
    if magic != _MAGIC or len(record) != start + 24 * count:
        raise ColumnsError("not a record of scored readings")
    return Scored(
        np.frombuffer(record, "<u4", count, start + 16 * count),
        np.frombuffer(record, "<f8", count, start),
        np.frombuffer(record, "<f8", count, start + 8 * count),
        np.frombuffer(record, "<f4", count, start + 20 * count),
    )
