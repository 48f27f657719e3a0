"""Frames: many readings of one partition as columns, in arrival order, as one record of the log.

Layout: one byte `FRAME`, one byte of padding, u16 header length (little endian), msgpack header padded with NUL to a
multiple of eight, then the columns time f8, value f8, point u4, quality u1, each little endian and contiguous.
"""

from __future__ import annotations

import struct

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.observation import FRAME

MAX_READINGS = 65_536
_HEAD = struct.Struct("<BBH")


class FrameError(ValueError):
    """Raised when bytes are not a frame."""


class Header(msgspec.Struct, frozen=True, array_like=True):
    """Head a frame: how many readings, the registry version they were packed with, arrival time, source."""

    count: int
    registry: str
    received: float  # unix seconds when the frame was packed
    source: str = ""


class Frame(msgspec.Struct, frozen=True):
    """Hold readings as columns of one length.

    `point` uint32 registry index, `time` float64 unix seconds, `value` float64 in the point's unit, `quality` uint8
    bit set of `sensors.observation`.
    """

    header: Header
    point: npt.NDArray[np.uint32]
    time: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return self.header.count


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Header)


def encode(
    point: npt.NDArray[np.uint32],
    time: npt.NDArray[np.float64],
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.uint8],
    *,
    registry: str,
    received: float,
    source: str = "",
) -> bytes:
    """Pack columns of equal length (1..MAX_READINGS) into one frame record. Raise `FrameError` on bad lengths."""
    count = len(point)
    if not 0 < count <= MAX_READINGS:
        raise FrameError(f"a frame holds 1 to {MAX_READINGS} readings, not {count}")
    if not len(time) == len(value) == len(quality) == count:
        raise FrameError("columns of a frame must have one length")
    header = _encoder.encode(Header(count, registry, received, source))
    header += b"\0" * (-(len(header) + _HEAD.size) % 8)
    return b"".join(
        (
            _HEAD.pack(FRAME, 0, len(header)),
            header,
            np.ascontiguousarray(time, "<f8").tobytes(),
            np.ascontiguousarray(value, "<f8").tobytes(),
            np.ascontiguousarray(point, "<u4").tobytes(),
            np.ascontiguousarray(quality, "u1").tobytes(),
        )
    )


def decode(record: bytes) -> Frame:
    """Unpack a frame record without copying its columns. Raise `FrameError` on anything that is not one."""
    try:
        kind, _, length = _HEAD.unpack_from(record)
        if kind != FRAME:
            raise FrameError("not a frame")
        start = _HEAD.size + length
        header = _header(record[_HEAD.size : start])
    except (struct.error, msgspec.DecodeError) as error:
        raise FrameError(f"not a frame: {error}") from error
    count = header.count
    if not 0 < count <= MAX_READINGS or len(record) != start + 21 * count:
        raise FrameError("frame length does not match its header")
    return Frame(
        header,
        np.frombuffer(record, "<u4", count, start + 16 * count),
        np.frombuffer(record, "<f8", count, start),
        np.frombuffer(record, "<f8", count, start + 8 * count),
        np.frombuffer(record, "u1", count, start + 20 * count),
    )


def _header(padded: bytes) -> Header:
    """Decode a header in its padding; its own last bytes may be NUL too: a double without a source behind it."""
    bare = padded.rstrip(b"\0")
    for length in range(len(bare), len(padded)):
        try:
            return _decoder.decode(padded[:length])
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:  # cut short: no msgpack value is the beginning of another, so one length fits
            continue
    return _decoder.decode(padded)
