"""The bulk read side, held against a plain paho client on the same bytes."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion, _ConnectionState
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scripts.load import remaining
from sensors.reader import ProtocolError, Reader


class Numbers(dict[bytes, int]):
    """Give each topic a number; topics that begin with `no` have none."""

    def __missing__(self, topic: bytes) -> int:
        self[topic] = 0 if topic.startswith(b"no") else len(self) + 1
        return self[topic]


def publish(
    topic: str, payload: bytes, qos: int, mid: int, version: int, *, dup: bool = False, retain: bool = False
) -> bytes:
    name = topic.encode()
    properties = b""
    if version == 5:
        chosen = Properties(PacketTypes.PUBLISH)
        if mid % 3 == 0:
            chosen.UserProperty = [("from", "x" * (mid % 200))]
            chosen.MessageExpiryInterval = 60
        properties = chosen.pack()
    head = 0x30 | dup << 3 | qos << 1 | retain
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"") + properties + payload
    return bytes((head,)) + remaining(len(body)) + body


def traffic(version: int) -> list[bytes]:
    """Record what a broker might send: messages of every QoS, acknowledgements and pings between."""
    connack = b"\x20\x02\x00\x00" if version == 4 else b"\x20\x03\x00\x00\x00"
    suback = b"\x90\x03\x00\x01\x01" if version == 4 else b"\x90\x04\x00\x01\x00\x01"
    packets = [connack, suback]
    for mid, (qos, size) in enumerate(itertools.product((0, 1, 2), (0, 1, 30, 90, 130, 300, 20_000)), 1):
        payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
        packets.append(publish(f"t/{qos}/{size % 4}", payload, qos, mid, version))
        if qos == 2:
            packets.append(b"\x62\x02" + mid.to_bytes(2, "big"))
        packets.append(b"\xd0\x00")
    packets.append(publish("t/retained", b"old", 1, 900, version, retain=True))
    packets.append(publish("t/dup", b"again", 1, 901, version, dup=True))
    packets.append(publish("no/route", b"x", 0, 0, version))
    return packets


class Wire:
    """Stand in for a broker's socket: one end is the client's, the other is read here."""

    def __init__(self, client: Client) -> None:
        self.ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        client._sock = theirs  # type: ignore[assignment]
        client._state = _ConnectionState.MQTT_CS_CONNECTED

    def written(self) -> bytes:
        self.ours.setblocking(False)
        try:
            return self.ours.recv(1 << 20)
        except BlockingIOError:
            return b""


def plain(version: int, stream: bytes) -> tuple[list[tuple[bytes, bytes, int, bool, bool]], bytes]:
    """Run paho as it comes over a stream: give its messages and what it answered."""
    protocol = MQTTProtocolVersion(version)
    clean: dict[str, Any] = {} if version == 5 else {"clean_session": False}
    client = Client(CallbackAPIVersion.VERSION2, client_id="plain", protocol=protocol, **clean)
    got: list[tuple[bytes, bytes, int, bool, bool]] = []
    client.on_message = lambda _, __, message: got.append(
        (message._topic, bytes(message.payload), message.qos, bool(message.retain), bool(message.dup))
    )
    wire = Wire(client)
    answered = b""
    for start in range(0, len(stream), 8192):
        wire.ours.sendall(stream[start : start + 8192])
        while client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS and socket_has_data(client):
            pass
        answered += wire.written()
    return got, answered


def socket_has_data(client: Client) -> bool:
    import select

    return bool(select.select([client.socket()], [], [], 0)[0])


def reader(version: int = 4, largest: int = 1_000_000) -> Reader:
    made = Reader(Numbers(), client_id="bulk", version=version, largest=largest)
    made.user_data_set(Wire(made))  # keeps the wire open as long as the reader
    return made


def messages(made: Reader) -> list[tuple[bytes, bytes]]:
    names = {number: topic for topic, number in made._routes.items()}
    arrivals = made.arrivals
    return [
        (arrivals.refused[place] if not route else names[route], payload)
        for place, (route, payload) in enumerate(zip(arrivals.routes, arrivals.payloads, strict=True))
    ]


def key(message: tuple[Any, ...]) -> tuple[bytes, bytes]:
    return message[0], message[1]


@pytest.fixture(params=[4, 5], ids=["mqtt-3.1.1", "mqtt-5"])
def version(request: pytest.FixtureRequest) -> Iterator[int]:
    yield request.param


def test_it_takes_what_a_plain_client_takes(version: int) -> None:
    stream = b"".join(traffic(version))
    expected, answered = plain(version, stream)
    made = reader(version)
    assert made.feed(stream) == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert sorted(messages(made)) == sorted(map(key, expected))
    # paho hands QoS 2 on at PUBREL, we at PUBLISH; QoS 0 and 1 come in one order
    ours = [message for message in messages(made) if not message[0].startswith(b"t/2")]
    assert ours == [key(message) for message in expected if message[2] < 2]
    acks = bytes(made.arrivals.acks)
    split = [acks[at : at + 4] for at in range(0, len(acks), 4)]
    theirs = [answered[at : at + 4] for at in range(0, len(answered), 4)]
    assert split == [ack for ack in theirs if ack[0] in (0x40, 0x50)], "the same PUBACKs and PUBRECs, in the same order"
    assert made.arrivals.redelivered == 1
    assert [made.arrivals.payloads[place] for place in made.arrivals.retained] == [b"old"]


def test_packets_cut_at_every_byte(version: int) -> None:
    packets = [packet for packet in traffic(version) if len(packet) < 2000]
    stream = b"".join(packets)
    whole = reader(version)
    whole.feed(stream)
    byte_by_byte = reader(version)
    for at in range(len(stream)):
        byte_by_byte.feed(stream[at : at + 1])
    assert messages(byte_by_byte) == messages(whole)
    assert byte_by_byte.arrivals.acks == whole.arrivals.acks
    for cut in range(1, len(stream), 7):
        made = reader(version)
        made.feed(stream[:cut])
        made.feed(stream[cut:])
        assert messages(made) == messages(whole)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_cuts_give_the_same(data: st.DataObject) -> None:
    stream = b"".join(traffic(4))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    whole, made = reader(), reader()
    whole.feed(stream)
    for start, stop in itertools.pairwise([0, *cuts, len(stream)]):
        if stop > start:
            made.feed(stream[start:stop])
    assert messages(made) == messages(whole)
    assert made.arrivals.acks == whole.arrivals.acks


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=80), max_size=6))
def test_garbage_is_a_protocol_error_or_waits_for_more(chunks: list[bytes]) -> None:
    made = reader()
    try:
        for chunk in chunks:
            if made.feed(chunk):
                break
    except ProtocolError:
        pass
    assert len(made.arrivals.routes) == len(made.arrivals.payloads)


def test_a_message_too_large_is_read_past_and_its_beginning_kept(version: int) -> None:
    big = publish("t/big", bytes(300_000), 1, 7, version)
    stream = publish("t/a", b"1", 0, 0, version) + big + publish("t/b", b"2", 1, 8, version)
    for step in (len(stream), 65_536, 1000):
        made = reader(version, largest=50_000)
        for at in range(0, len(stream), step):
            made.feed(stream[at : at + step])
        assert messages(made) == [(b"t/a", b"1"), (b"t/b", b"2")]
        [one] = made.arrivals.oversized
        assert (one.place, one.topic, one.size, len(one.head)) == (1, b"t/big", 300_000, 4096)
        assert made.arrivals.acks == b"\x40\x02\x00\x07\x40\x02\x00\x08", (
            "acknowledged, or the broker would send it for ever"
        )


def test_a_qos_2_message_repeated_before_its_release_is_taken_once() -> None:
    made = reader()
    packet = publish("t/2", b"once", 2, 5, 4)
    again = publish("t/2", b"once", 2, 5, 4, dup=True)
    made.feed(packet + again)
    assert messages(made) == [(b"t/2", b"once")]
    assert made.arrivals.acks == b"\x50\x02\x00\x05" * 2
    made.feed(b"\x62\x02\x00\x05" + packet)
    assert len(made.arrivals) == 2, "after its release the identifier is free again"


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x00",
        b"\x30\x01a",
        b"\x30\x04\x00\x09ab",
        b"\x32\x03\x00\x01a",
        b"\x32\x05\x00\x01a\x00\x00",
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x00\x00",
        b"\xf0\x00",
    ],
)
def test_what_is_not_mqtt_ends_the_connection(packet: bytes) -> None:
    made = reader()
    with pytest.raises(ProtocolError):
        if made.feed(packet):
            raise ProtocolError("paho says no")
