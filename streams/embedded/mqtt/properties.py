"""The properties of MQTT 5: read and checked; those of a message are passed on as they came."""

from __future__ import annotations

from typing import Any

from streams.embedded.mqtt.packets import BAD_ALIAS, PROTOCOL, Body, MalformedPacket

EXPIRY = 0x02
SESSION_EXPIRY = 0x11
METHOD = 0x15
WILL_DELAY = 0x18
RECEIVE_MAXIMUM = 0x21
LARGEST = 0x27
SUBSCRIPTION_ID = 0x0B
_RESPONSE_TOPIC = 0x08
_ALIAS = 0x23
_USER = 0x26

_SIZES = {0x01: 1, 0x02: 4, 0x11: 4, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x27: 4}
_TEXTS = {0x03, 0x08, 0x15, 0x1F}
_BINARIES = {0x09, 0x16}

OF_MESSAGE = frozenset((0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26))
OF_WILL = frozenset((0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26))
OF_CONNECT = frozenset((0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27))
OF_SUBSCRIBE = frozenset((0x0B, 0x26))
OF_ACK = frozenset((0x1F, 0x26))
OF_DISCONNECT = frozenset((0x11, 0x1F, 0x26))
_DROPPED = {EXPIRY, WILL_DELAY}


def read(body: Body, allowed: frozenset[int]) -> tuple[dict[int, Any], bytes]:
    """Read properties; give their values by number, and the bytes of those to pass on with a message.

    Raise `MalformedPacket` on one that is unknown, not allowed here, or there twice.
    """
    size = body.length()
    if not size:
        return {}, b""
    inner = Body(body.data, body.at, body.at + size)
    if inner.stop > body.stop:
        raise MalformedPacket("properties longer than their packet")
    body.at = inner.stop
    values: dict[int, Any] = {}
    kept: list[bytes] = []
    while inner.left:
        start = inner.at
        number = inner.take(1)[0]
        if number not in allowed:
            raise MalformedPacket(f"a property 0x{number:02x} that has no place here", PROTOCOL)
        value = _value(inner, number)
        if number != _USER:
            if number in values:
                raise MalformedPacket(f"the property 0x{number:02x} twice", PROTOCOL)
            values[number] = value
        if number not in _DROPPED:
            kept.append(inner.data[start : inner.at])
    _check(values)
    return values, b"".join(kept)


def _value(body: Body, number: int) -> Any:
    if number in _SIZES:
        return body.number(_SIZES[number])
    if number in _TEXTS:
        return body.text()
    if number in _BINARIES:
        return body.binary()
    if number == _USER:
        return body.text(), body.text()
    return body.length()  # the subscription identifier


def _check(values: dict[int, Any]) -> None:
    if _ALIAS in values:
        raise MalformedPacket("a topic alias, though none was allowed", BAD_ALIAS)
    if values.get(RECEIVE_MAXIMUM) == 0 or values.get(LARGEST) == 0 or values.get(SUBSCRIPTION_ID) == 0:
        raise MalformedPacket("a property that may not be 0", PROTOCOL)
    if any(values.get(number, 0) > 1 for number in (0x01, 0x17, 0x19)):
        raise MalformedPacket("a property that is 0 or 1", PROTOCOL)
    topic = values.get(_RESPONSE_TOPIC)
    if topic is not None and (not topic or b"+" in topic or b"#" in topic):
        raise MalformedPacket("a response topic that is not a topic", PROTOCOL)
