"""The protocol's small print, over bare sockets."""

from __future__ import annotations

import time

import pytest

from streams.embedded.mqtt.packets import disconnect, packet, string
from tests.streams.embedded.mqtt.peers import Bare, Running, connect, fresh_name, publish, serving
from tests.waiting import until

pytestmark = pytest.mark.server


def test_one_byte_at_a_time(broker: Running) -> None:
    pub = Bare(broker.port)
    for byte in connect("slowly") + publish("slow/x", b"x" * 200, 1, 3) + b"\xc0\0":
        pub.send(bytes((byte,)))
    assert [pub.next()[0] for _ in range(3)] == [0x20, 0x40, 0xD0]
    pub.close()


@pytest.mark.parametrize("five", [False, True])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (connect("again"), 0x82),
        (b"\x36\x05\0\1a\0\1", 0x81),  # QoS 3
        (b"\x38\x04\0\1ax", 0x81),  # dup of QoS 0
        (b"\x30\x03\0\x09a", 0x81),  # topic beyond the packet
        (b"\x30\x01\0", 0x81),
        (b"\x30\x04\0\0\0x", 0x90),  # no topic
        (b"\x30\x05\0\1#\0x", 0x90),
        (b"\x30\x05\0\1\xff\0x", 0x81),
        (b"\x32\x06\0\1a\0\0\0", 0x82),  # identifier 0
        (b"\x32\x04\0\1a\0", 0x81),
        (b"\x80\x06\0\1\0\1a\0", 0x82),  # flags of SUBSCRIBE
        (b"\x82\x02\0\1", None),
        (b"\xc1\0", 0x82),
        (b"\x60\x02\0\1", 0x82),
        (b"\xf0\0", 0x82),
        (b"\x00\0", 0x82),
        (b"\x20\x02\0\0", 0x82),
        (b"\x30\xff\xff\xff\xff\x01", 0x81),
        (b"\x30\xff\xff\xff\x7f" + b"\0" * 9, 0x95),
    ],
)
def test_a_broken_packet_ends_its_connection_with_the_reason(
    broker: Running, data: bytes, reason: int | None, five: bool
) -> None:
    other = Bare(broker.port, fresh_name())
    bad = Bare(broker.port, fresh_name(), five=five)
    bad.send(data)
    if five:
        first, body = bad.next()
        assert first == 0xE0
        assert reason is None or body[0] == reason
    assert bad.closed()
    other.send(b"\xc0\0")
    assert other.next() == (0xD0, b"")
    other.close()


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"\xc0\0", None),
        (b"GET / HTTP/1.1\r\n\r\n", None),
        (packet(0x10, b"\0\4MQTT\3\2\0\0" + string(b"a")), b"\0\1"),
        (packet(0x10, b"\0\6MQIsdp\3\2\0\0" + string(b"a")), b"\0\1"),
        (packet(0x10, b"\0\4MQTT\6\2\0\0\0" + string(b"a")), b"\0\x84\0"),
        (packet(0x10, b"\0\4MQTT\4\0\0\0" + string(b"")), b"\0\2"),
        (packet(0x10, b"\0\4MQTT\5\2\0\0\x06\x15\0\3abc" + string(b"a")), b"\0\x8c\0"),
        (packet(0x10, b"\0\4MQTT\4\3\0\0" + string(b"a")), None),
        (packet(0x10, b"\0\4MQTT\4\x42\0\0" + string(b"a") + string(b"p")), None),
    ],
)
def test_a_connect_that_is_refused(broker: Running, data: bytes, answer: bytes | None) -> None:
    bare = Bare(broker.port)
    bare.send(data)
    if answer is not None:
        assert bare.next() == (0x20, answer)
    assert bare.closed()


def test_mqtt_5_is_told_the_limits_and_a_name(broker: Running) -> None:
    bare = Bare(broker.port)
    bare.send(connect("", five=True))
    first, body = bare.next()
    assert (first, body[1]) == (0x20, 0)
    assert b"\x27\0\x20\0\0\x22\0\0\x29\0\x12\0\x25auto-" in body
    bare.send(packet(0x82, b"\0\1\2\x0b\1" + string(b"a") + b"\1"))
    assert bare.next() == (0xE0, b"\xa1"), "a subscription identifier"
    assert bare.closed()
    aliased = Bare(broker.port, fresh_name(), five=True)
    aliased.send(publish("a", b"x", five=True, properties=b"\x23\0\1"))
    assert aliased.next() == (0xE0, b"\x94")


def test_a_bad_filter_is_answered_and_the_others_stand(broker: Running) -> None:
    for five, refused in ((False, 0x80), (True, 0x8F)):
        bare = Bare(broker.port, fresh_name(), five=five)
        bare.send(packet(0x82, b"\0\5" + (b"\0" if five else b"") + string(b"a/#/b") + b"\1" + string(b"ok") + b"\2"))
        assert bare.next() == (0x90, b"\0\5" + (b"\0" if five else b"") + bytes((refused, 2)))
        bare.close()


def test_reason_codes_of_unsubscribing_and_releasing(broker: Running) -> None:
    bare = Bare(broker.port, fresh_name(), five=True)
    bare.subscribe("u")
    bare.send(packet(0xA2, b"\0\6\0" + string(b"u") + string(b"v")))
    assert bare.next() == (0xB0, b"\0\6\0\0\x11")
    bare.send(packet(0x62, b"\0\x09"))
    assert bare.next() == (0x70, b"\0\x09\x92")
    bare.close()


def test_a_qos_2_message_sent_twice_is_passed_on_once(broker: Running) -> None:
    name = fresh_name()
    sub = Bare(broker.port, fresh_name())
    sub.subscribe("twice", 0)
    pub = Bare(broker.port, name, clean=False)
    pub.publish("twice", b"1", 2, 9)
    assert pub.next() == (0x50, b"\0\x09")
    pub.close()
    pub = Bare(broker.port, name, clean=False)
    assert pub.present
    pub.publish("twice", b"1", 2, 9, flags=8)
    assert pub.next() == (0x50, b"\0\x09")
    pub.send(packet(0x62, b"\0\x09"))
    assert pub.next() == (0x70, b"\0\x09")
    pub.publish("twice", b"2", 2, 9)
    assert [sub.next()[1][-1:] for _ in range(2)] == [b"1", b"2"]
    assert sub.silent()


def test_a_silent_client_is_sent_away() -> None:
    with serving() as broker:
        sub = Bare(broker.port, fresh_name())
        sub.subscribe("gone")
        begun = time.monotonic()
        bare = Bare(broker.port)
        body = b"\0\4MQTT\5\x06\0\1\0" + string(b"silent") + b"\0" + string(b"gone") + string(b"will")
        bare.send(packet(0x10, body))
        assert bare.next()[0] == 0x20
        assert bare.next() == (0xE0, b"\x8d")
        assert time.monotonic() - begun >= 1.4
        assert sub.next()[1].endswith(b"will")
        assert broker.counts.refused == {"silent": 1}


def test_a_will_may_be_delayed_and_called_off() -> None:
    with serving() as broker:
        sub = Bare(broker.port, fresh_name())
        sub.subscribe("gone")
        body = (
            b"\0\4MQTT\5\x04\0\x3c\x05\x11\0\0\0\x3c"
            + string(b"delayed")
            + b"\x05\x18\0\0\0\1"
            + string(b"gone")
            + string(b"will")
        )
        for returns in (True, False):
            bare = Bare(broker.port)
            bare.send(packet(0x10, body))
            assert bare.next()[0] == 0x20
            bare.close()
            if returns:
                assert sub.silent(0.1)
        assert sub.next()[1].endswith(b"will")
        assert sub.silent(1.2), "the first was called off"


def test_who_does_not_connect_is_sent_away_and_so_is_one_too_many() -> None:
    with serving(connect_timeout=0.1, connections=2) as broker:
        idle = Bare(broker.port)
        assert idle.closed()
        first, second = Bare(broker.port, fresh_name()), Bare(broker.port, fresh_name())
        assert Bare(broker.port).closed()
        assert broker.counts.refused["connect_timeout"] == 1
        assert broker.counts.refused["too_many_connections"] == 1
        first.close()
        second.close()


def test_many_idle_connections(broker: Running) -> None:
    idle = [Bare(broker.port, fresh_name()) for _ in range(600)]
    sub, pub = Bare(broker.port, fresh_name()), Bare(broker.port, fresh_name())
    sub.subscribe("quick")
    spent = []
    for _ in range(50):
        begun = time.perf_counter()
        pub.publish("quick", b"x", 0)
        sub.next()
        spent.append(time.perf_counter() - begun)
    assert sorted(spent)[5] < 0.005
    for one in idle:
        one.close()
    assert until(lambda: len(broker.server._links) <= 4)


def test_a_client_that_takes_small_packets_only_is_spared_large_ones() -> None:
    with serving() as broker:
        small = Bare(broker.port)
        small.send(packet(0x10, b"\0\4MQTT\5\2\0\x3c\x05\x27\0\0\0\x64" + string(b"small")))
        assert small.next()[0] == 0x20
        small.five = True
        small.subscribe("s")
        pub = Bare(broker.port, fresh_name(), five=True)
        for qos in (0, 1):
            pub.publish("s", b"x" * 200, qos)
            pub.publish("s", b"short", qos, 2)
        assert [small.next()[1][-5:] for _ in range(2)] == [b"short"] * 2
        assert broker.counts.dropped == {"larger_than_client_takes": 2}


def test_goodbye_is_said_to_mqtt_5_when_the_broker_stops() -> None:
    with serving() as broker:
        bare = Bare(broker.port, fresh_name(), five=True)
        broker.stop()
        assert bare.next() == (0xE0, disconnect(0x8B)[2:])
        broker.stop = lambda: None  # type: ignore[method-assign]
