"""What payloads look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.adoption.shape import Shape, shape_of

NOW = 1_763_900_000.0


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"21.5", Shape("number", {"": 21.5})),
        (b" -3 ", Shape("number", {"": -3.0})),
        (b"true", Shape("number", {"": 1.0})),
        (b'{"v": 2, "ts": 1763900000123}', Shape("json", {"v": 2.0}, {"ts": "ms"})),
        (b'{"v": "2.5", "t": "1763900000"}', Shape("json", {"v": 2.5}, {"t": "s"})),
        (b'{"v": 2, "time": "2025-11-23T12:00:00Z"}', Shape("json", {"v": 2.0}, {"time": "iso"})),
        (b'{"counter": 1763900000}', Shape("json", {"counter": 1763900000.0})),
        (
            b'{"data": {"value": 1, "unit": "mm"}, "items": [{"x": 4}]}',
            Shape("json", {"data.value": 1.0, "items.0.x": 4.0}, {}, {"data": "mm"}),
        ),
        ('{"水位": 3.2, "采集时间": 1763900000}'.encode(), Shape("json", {"水位": 3.2}, {"采集时间": "s"})),
        (b'{"a.b": 1, "": 2, "7": 3}', Shape("json")),
        (b'[{"bn": "urn:dev:1", "n": "t", "v": 3}]', Shape("senml")),
        (b"", Shape("empty")),
        (b"hello", Shape("text")),
        (b"\xff\x00", Shape("binary")),
        (b"9" * 70_000, Shape("large")),
        (b"[" * 5_000, Shape("text")),
    ],
)
def test_a_payload_is_recognised(payload: bytes, wanted: Shape) -> None:
    assert shape_of("plant/x", payload, NOW) == wanted


def test_sparkplug_is_known_by_its_topic() -> None:
    assert shape_of("spBv1.0/g/DDATA/n/d", b"\x08", NOW) == Shape("sparkplug")


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_no_payload_breaks_it_or_makes_much_of_itself(payload: bytes) -> None:
    shape = shape_of("x", payload, NOW)
    assert len(shape.numbers) + len(shape.times) + len(shape.units) <= 64
