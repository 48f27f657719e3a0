"""The CONNECT packet: who connects, what it may do, and its last will."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streams.embedded.mqtt import packets, properties
from streams.embedded.mqtt.packets import Body, MalformedPacket
from streams.embedded.mqtt.topics import check_topic

NEVER = 0xFFFFFFFF
"""A session expiry that never comes."""


@dataclass(slots=True)
class Will:
    """What to publish when a client is lost. `delay` and `expiry` are seconds."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    properties: bytes = b""
    delay: int = 0
    expiry: int | None = None


@dataclass(slots=True)
class Connect:
    """What a client asks for. `expiry` is how long its session is kept after it (seconds)."""

    five: bool
    client_id: str
    clean: bool
    keepalive: int
    expiry: int
    username: bytes | None = None
    password: bytes | None = None
    will: Will | None = None
    receive_maximum: int = 65535
    largest: int | None = None
    properties: dict[int, Any] = field(default_factory=dict)


class Refusal(MalformedPacket):
    """Raised when a CONNECT is to be answered with a refusal: `answer` is the whole CONNACK."""

    def __init__(self, text: str, five: bool, reason: int, reason4: int) -> None:
        super().__init__(text, reason)
        self.answer = packets.connack(five, False, reason if five else reason4)


def read(first: int, body: Body) -> Connect:
    """Read a CONNECT. Raise `Refusal` or `MalformedPacket`."""
    if first != packets.CONNECT:
        raise MalformedPacket("flags of a CONNECT that are not 0")
    name = body.binary()
    level = body.number(1)
    if name != b"MQTT" or level not in (4, 5):
        if name in (b"MQTT", b"MQIsdp"):
            raise Refusal(f"MQTT protocol level {level}", level > 5, 0x84, 1)
        raise MalformedPacket("a protocol that is not MQTT")
    five = level == 5
    flags = body.number(1)
    if flags & 1 or flags & 0x18 == 0x18 or (not flags & 4 and flags & 0x38):
        raise MalformedPacket("flags of a CONNECT that contradict each other")
    if not five and not flags & 0x80 and flags & 0x40:
        raise MalformedPacket("a password without a user name")
    keepalive = body.number(2)
    values, _ = properties.read(body, properties.OF_CONNECT) if five else ({}, b"")
    client_id = body.text().decode()
    will = _will(body, flags, five) if flags & 4 else None
    username = body.text() if flags & 0x80 else None
    password = body.binary() if flags & 0x40 else None
    body.end()
    clean = bool(flags & 2)
    if not client_id and not five and not clean:
        raise Refusal("a session without a client id", five, packets.BAD_CLIENT_ID, 2)
    if properties.METHOD in values:
        raise Refusal("an authentication method", five, packets.BAD_METHOD, 5)
    return Connect(
        five=five,
        client_id=client_id,
        clean=clean,
        keepalive=keepalive,
        expiry=values.get(properties.SESSION_EXPIRY, 0) if five else (0 if clean else NEVER),
        username=username,
        password=password,
        will=will,
        receive_maximum=values.get(properties.RECEIVE_MAXIMUM, 65535),
        largest=values.get(properties.LARGEST),
    )


def _will(body: Body, flags: int, five: bool) -> Will:
    values, kept = properties.read(body, properties.OF_WILL) if five else ({}, b"")
    topic = body.text()
    check_topic(topic)
    return Will(
        topic=topic,
        payload=body.binary(),
        qos=flags >> 3 & 3,
        retain=bool(flags & 0x20),
        properties=kept,
        delay=values.get(properties.WILL_DELAY, 0),
        expiry=values.get(properties.EXPIRY),
    )
