"""Bytes in, bytes out, without a network: the same whatever way they are cut."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.embedded.mqtt.connection import Link
from streams.embedded.mqtt.exchange import Exchange
from streams.embedded.mqtt.limits import BrokerSettings
from streams.embedded.mqtt.packets import MalformedPacket, packet, string
from tests.streams.embedded.mqtt.peers import connect, publish


def talk(five: bool) -> bytes:
    """Say one of each."""
    none = b"\0" if five else b""
    user = b"\x26\0\1a\0\1b" if five else b""
    return (
        connect("pub", five=five)
        + publish("cut/a", b"zero" * 40, five=five)
        + publish("cut/a", b"zero", five=five)
        + publish("cut/b", b"one", 1, 7, five=five)
        + publish("cut/b", b"again", 1, 7, 8, five=five)
        + publish("cut/c", b"two", 2, 8, five=five)
        + packet(0x62, b"\0\x08")
        + publish("cut/d", b"kept", 0, 0, 1, five=five, properties=user)
        + packet(0x82, b"\0\1" + none + string(b"x") + b"\1")
        + packet(0xA2, b"\0\2" + none + string(b"x"))
        + b"\xc0\0"
        + publish("cut/e", b"", five=five)
        + b"\xe0\0"
    )


class Stage:
    """An exchange with a subscriber of each version at work."""

    def __init__(self, qos: int = 1) -> None:
        self.exchange = Exchange(BrokerSettings())
        self.ends: list[socket.socket] = []
        self.subs = []
        for five in (False, True):
            sub = self.link()
            sub.feed(connect(f"sub{five:d}", five=five))
            sub.feed(packet(0x82, b"\0\1" + (b"\0" if five else b"") + string(b"#") + bytes((qos,))))
            self.subs.append(sub)

    def link(self) -> Link:
        one, other = socket.socketpair()
        self.ends += [one, other]
        return Link(one, self.exchange)

    def close(self) -> None:
        for end in self.ends:
            end.close()


def outcome(parts: Iterable[bytes], qos: int) -> list[bytes]:
    """Give what each of publisher and subscribers is sent for the parts."""
    stage = Stage(qos)
    pub = stage.link()
    for part in parts:
        pub.feed(part)
    stage.close()
    assert pub.closed
    return [b"".join(link.out) for link in (pub, *stage.subs)]


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("five", [False, True])
def test_packets_cut_at_every_byte(five: bool, qos: int) -> None:
    data = talk(five)
    whole = outcome([data], qos)
    assert whole[1].count(b"cut/") == whole[2].count(b"cut/") == 7
    for at in range(1, len(data)):
        assert outcome([data[:at], data[at:]], qos) == whole, at
    assert outcome([data[at : at + 1] for at in range(len(data))], qos) == whole


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_changed_at_random_end_the_connection_or_are_taken(data: st.DataObject) -> None:
    five = data.draw(st.booleans())
    said = bytearray(talk(five))
    for _ in range(data.draw(st.integers(1, 6))):
        said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.integers(0, 255))
    stage = Stage()
    pub = stage.link()
    at = data.draw(st.integers(0, len(said)))
    try:
        pub.feed(bytes(said[:at]))
        pub.feed(bytes(said[at:]))
    except MalformedPacket as error:
        stage.exchange.close(pub, error.reason)
    other = stage.link()
    other.feed(connect("other") + publish("fine", b"1", 1, 3))
    assert other.out[-1] == b"\x40\2\0\3"
    stage.close()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=8), st.booleans())
def test_packets_of_any_content_end_the_connection_or_are_taken(said: list[tuple[int, bytes]], five: bool) -> None:
    stage = Stage()
    pub = stage.link()
    pub.feed(connect("pub", five=five))
    try:
        for first, body in said:
            pub.feed(packet(first, body))
    except MalformedPacket as error:
        stage.exchange.close(pub, error.reason)
    for sub in stage.subs:
        sub.feed(b"\xc0\0")
        assert sub.out[-1] == b"\xd0\0"
    stage.close()


def test_what_came_before_a_broken_packet_is_passed_on() -> None:
    stage = Stage()
    pub = stage.link()
    with pytest.raises(MalformedPacket):
        pub.feed(connect("pub") + publish("a", b"1") + publish("a", b"2") + b"\x30\x05\0\1#xx")
    assert b"".join(stage.subs[0].out).endswith(publish("a", b"1") + publish("a", b"2"))
    stage.close()


def test_a_run_of_qos_0_is_passed_on_as_one_slice() -> None:
    stage = Stage()
    pub = stage.link()
    run = b"".join(publish(f"topic/{k}", b"x") for k in range(100))
    pub.feed(connect("pub") + run)
    assert stage.subs[0].out[-1] == run
    assert stage.subs[0].sent == stage.subs[1].sent == 100
    stage.close()


def test_retained_messages_are_bounded_and_counted() -> None:
    exchange = Exchange(BrokerSettings(retained=2))
    one, other = socket.socketpair()
    pub = Link(one, exchange)
    pub.feed(connect("pub") + b"".join(publish(topic, b"x", flags=1) for topic in ("a", "b", "c", "a")))
    assert len(exchange.retained) == 2
    assert exchange.counts.dropped == {"retained_full": 1}
    one.close()
    other.close()
