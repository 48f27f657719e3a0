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
