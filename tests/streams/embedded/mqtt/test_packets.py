"""Fields of packets, and properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.embedded.mqtt import connect, packets, properties
from streams.embedded.mqtt.message import make
from streams.embedded.mqtt.packets import Body, MalformedPacket


@given(st.integers(0, 268_435_455))
def test_a_length_is_read_as_it_was_written(value: int) -> None:
    data = packets.length(value)
    assert packets.length_at(data + b"x", 0) == (value, len(data))
    assert packets.length_at(data[:-1], 0) == (0, -1)


def test_a_length_of_five_bytes_is_refused() -> None:
    with pytest.raises(MalformedPacket):
        packets.length_at(b"\xff\xff\xff\xff\x01", 0)


@pytest.mark.parametrize("data", [b"\0\2a", b"\0\1\xff", b"\0\1\0", b"\0\3\xed\xa0\x80"])
def test_a_string_that_is_short_or_no_utf_8_or_has_a_null_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        Body(data).text()


def test_properties_to_pass_on_are_those_that_came_without_the_expiry() -> None:
    user = b"\x26\0\1a\0\1b"
    data = b"\x02\0\0\0\x09" + user + b"\x03\0\4text" + user
    values, kept = properties.read(Body(packets.length(len(data)) + data), properties.OF_MESSAGE)
    assert values == {0x02: 9, 0x03: b"text"}
    assert kept == user + b"\x03\0\4text" + user


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x03\x23\0\1", packets.BAD_ALIAS),
        (b"\x02\x0b\1", packets.PROTOCOL),
        (b"\x02\x7f\1", packets.PROTOCOL),
        (b"\x04\x01\1\x01\1", packets.PROTOCOL),
        (b"\x02\x01\2", packets.PROTOCOL),
        (b"\x04\x08\0\1#", packets.PROTOCOL),
        (b"\x05\x02\0", packets.MALFORMED),
        (b"\x02\x02\0", packets.MALFORMED),
    ],
)
def test_properties_that_have_no_place_are_refused_with_the_reason(data: bytes, reason: int) -> None:
    with pytest.raises(MalformedPacket) as caught:
        properties.read(Body(data), properties.OF_MESSAGE)
    assert caught.value.reason == reason


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x26\0\1a\0\1b"]),
    st.tuples(st.integers(0, 2), st.booleans(), st.booleans()),
    st.tuples(st.integers(0, 2), st.booleans(), st.booleans()),
)
def test_a_message_in_another_shape_is_the_one_made_so(
    payload: bytes, extra: bytes, shape: tuple[int, bool, bool], other: tuple[int, bool, bool]
) -> None:
    message = make(b"a/b", extra, payload, shape[0], shape[1], shape[2])
    changed = message.variant(*other)
    kept = extra if shape[2] and other[2] else b""
    expected = make(b"a/b", kept, payload, *other)
    assert (changed.head, changed.tail, changed.topic) == (expected.head, expected.tail, b"a/b")
    assert changed.size == message.size


@given(st.binary(max_size=80))
def test_any_bytes_are_a_connect_or_refused(data: bytes) -> None:
    for start in (b"", b"\0\4MQTT\4", b"\0\4MQTT\5"):
        try:
            connect.read(0x10, Body(start + data))
        except MalformedPacket:
            continue
