"""Scored readings as columns: the records of the `scores` topic, from which charts are drawn."""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import numpy.typing as npt

_HEAD = struct.Struct("<4sI")
_MAGIC = b"SCR2"
_OLD = b"SCR1"  # without flags


class ColumnsError(ValueError):
    """Raised when bytes are not a record of the `scores` topic."""


class Scored(msgspec.Struct, frozen=True):
    """Hold readings: point u4 (registry index), time f8 (unix s), value f8 (point's unit), score f4 (0..1), flags u2.

    A score is NaN while the point's baseline is being learnt: nothing is known then, which is not that all is well.
    Those that `sensors.flags.ASIDE` sets aside are here with a NaN score too, to be shown.
    """

    point: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    score: npt.NDArray[np.float32]
    flags: npt.NDArray[np.uint16] = msgspec.field(default_factory=lambda: np.empty(0, np.uint16))  # none: all plain


def encode(scored: Scored) -> bytes:
    """Pack columns of equal length as one record."""
    flags = scored.flags if len(scored.flags) else np.zeros(len(scored.point), np.uint16)
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(scored.point)),
            np.ascontiguousarray(scored.time, "<f8").tobytes(),
            np.ascontiguousarray(scored.value, "<f8").tobytes(),
            np.ascontiguousarray(scored.point, "<u4").tobytes(),
            np.ascontiguousarray(scored.score, "<f4").tobytes(),
            np.ascontiguousarray(flags, "<u2").tobytes(),
        )
    )


def decode(record: bytes) -> Scored:
    """Unpack a record without copying its columns. Raise `ColumnsError` on anything else."""
    if len(record) < _HEAD.size:
        raise ColumnsError("too short for scored readings")
    magic, count = _HEAD.unpack_from(record)
    start = _HEAD.size
    size = {_MAGIC: 26, _OLD: 24}.get(magic)
    if size is None or len(record) != start + size * count:
        raise ColumnsError("not a record of scored readings")
    return Scored(
        np.frombuffer(record, "<u4", count, start + 16 * count),
        np.frombuffer(record, "<f8", count, start),
        np.frombuffer(record, "<f8", count, start + 8 * count),
        np.frombuffer(record, "<f4", count, start + 20 * count),
        np.zeros(count, "<u2") if magic == _OLD else np.frombuffer(record, "<u2", count, start + 24 * count),
    )
