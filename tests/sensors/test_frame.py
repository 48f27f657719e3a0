import struct

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors import frame


def packed(count: int = 3) -> bytes:
    here = np.arange(count)
    return frame.encode(
        here.astype("u4"), here * 1.5, here * -2.0, here.astype("u1"), registry="v1", received=9.0, source="gw"
    )


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(), st.floats(), st.integers(0, 255)), min_size=1))
def test_readings_come_back_bit_for_bit(readings: list[tuple[int, float, float, int]]) -> None:
    point, time, value, quality = (np.array(c, t) for c, t in zip(zip(*readings), ("u4", "f8", "f8", "u1")))  # noqa: B905
    back = frame.decode(frame.encode(point, time, value, quality, registry="é", received=1.25, source="s"))
    assert back.header == frame.Header(len(readings), "é", 1.25, "s")
    assert back.point.tobytes() == point.tobytes()
    assert back.time.tobytes() == time.tobytes()
    assert back.value.tobytes() == value.tobytes()
    assert back.quality.tobytes() == quality.tobytes()


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(record: bytes) -> None:
    with pytest.raises(frame.FrameError):
        frame.decode(record)


@given(st.integers(0, len(packed()) - 1))
def test_a_cut_frame_is_refused(cut: int) -> None:
    with pytest.raises(frame.FrameError):
        frame.decode(packed()[:cut])


def test_an_empty_or_uneven_frame_cannot_be_made() -> None:
    none = np.empty(0)
    with pytest.raises(frame.FrameError, match="1 to"):
        frame.encode(none.astype("u4"), none, none, none.astype("u1"), registry="", received=0.0)
    with pytest.raises(frame.FrameError, match="one length"):
        frame.encode(np.zeros(2, "u4"), np.zeros(1), np.zeros(2), np.zeros(2, "u1"), registry="", received=0.0)


@pytest.mark.parametrize("received", [1_700_000_000.0, 0.0, 1.0, 1_700_000_000.123])
def test_a_header_without_a_source_is_taken_whatever_its_arrival_time_ends_in(received: float) -> None:
    header = msgspec.msgpack.encode([1, "v1", received])  # another producer's: the source may be left out
    header += b"\0" * (-(len(header) + 4) % 8)
    record = struct.pack("<BBH", 1, 0, len(header)) + header + struct.pack("<ddIB", 5.0, 2.5, 7, 0)
    back = frame.decode(record)
    assert back.header == frame.Header(1, "v1", received, "")
    assert (back.time.tolist(), back.value.tolist(), back.point.tolist()) == ([5.0], [2.5], [7])
