"""What a client asks for, packet by packet."""

from __future__ import annotations

import hmac
import uuid
from typing import TYPE_CHECKING

from streams.embedded.mqtt import connect, packets, properties, topics
from streams.embedded.mqtt.connection import UNLIMITED, Link
from streams.embedded.mqtt.message import Receipt, deadline, make
from streams.embedded.mqtt.packets import Body, MalformedPacket

if TYPE_CHECKING:
    from streams.embedded.mqtt.exchange import Exchange
    from streams.embedded.mqtt.session import Session

_NOT_FOUND = 0x92
_NO_SUBSCRIPTION = 0x11
_WITH_WILL = 0x04


def handle(exchange: Exchange, link: Link, first: int, data: bytes, body: int, stop: int) -> None:
    """Act on one packet. Raise `MalformedPacket` (or `Refusal`) when the connection is to end for it."""
    inner = Body(data, body, stop)
    if link.session is None:
        if first & 0xF0 != packets.CONNECT:
            raise MalformedPacket("a packet before CONNECT", packets.PROTOCOL)
        _connect(exchange, link, first, inner)
        return
    kind = first & 0xF0
    if kind == packets.PUBLISH:
        _publish(exchange, link, link.session, first, inner)
    elif kind in _ACKS and first == _ACKS[kind]:
        _acknowledge(link, link.session, kind, inner)
    elif first == packets.SUBSCRIBE:
        _subscribe(exchange, link, link.session, inner)
    elif first == packets.UNSUBSCRIBE:
        _unsubscribe(exchange, link, link.session, inner)
    elif first == packets.PINGREQ:
        inner.end()
        link.send(packets.PINGRESP)
    elif first == packets.DISCONNECT:
        _disconnect(exchange, link, link.session, inner)
    else:
        raise MalformedPacket(f"a packet that has no place here: 0x{first:02x}", packets.PROTOCOL)


_ACKS = {packets.PUBACK: 0x40, packets.PUBREC: 0x50, 0x60: packets.PUBREL, packets.PUBCOMP: 0x70}


def _connect(exchange: Exchange, link: Link, first: int, body: Body) -> None:
    settings = exchange.settings
    wanted = connect.read(first, body)
    if settings.username or settings.password:
        name = hmac.compare_digest(wanted.username or b"", settings.username.encode())
        word = hmac.compare_digest(wanted.password or b"", settings.password.encode())
        if not (name and word):
            raise connect.Refusal("a wrong user name or password", wanted.five, packets.BAD_LOGIN, 4)
    more = b""
    if not wanted.client_id:
        wanted.client_id = f"auto-{uuid.uuid4().hex}"
        more += b"\x12" + packets.string(wanted.client_id.encode())
    session, present = exchange.open(link, wanted)
    link.five = wanted.five
    link.keepalive = wanted.keepalive
    link.will = wanted.will
    link.largest = wanted.largest or UNLIMITED
    if session.expiry < wanted.expiry:
        more += b"\x11" + int(session.expiry).to_bytes(4, "big")
    offer = b"\x27" + settings.largest.to_bytes(4, "big") + b"\x22\0\0\x29\0" + more
    link.send(packets.connack(link.five, present, 0, offer))
    session.attach(link, wanted.receive_maximum)


def _publish(exchange: Exchange, link: Link, session: Session, first: int, body: Body) -> None:
    qos = first >> 1 & 3
    if qos == 3 or (not qos and first & 8):
        raise MalformedPacket("flags of a PUBLISH that contradict each other")
    topic = body.binary()
    if topic not in exchange.routes:
        topics.check_topic(topic)
    receipt = None
    if qos:
        identifier = packets.IDS[body.identifier()]
        receipt = Receipt(link, (b"\x40\x02" if qos == 1 else b"\x50\x02") + identifier)
    values, kept = properties.read(body, properties.OF_MESSAGE) if link.five else ({}, b"")
    payload = body.rest()
    if qos == 2 and identifier in session.incoming:
        _published_again(link, session, identifier)
        return
    expires = deadline(values.get(properties.EXPIRY))
    message = make(topic, kept, payload, qos, False, link.five, receipt, expires)
    exchange.publish(message, link, bool(first & 1))
    if receipt is None:
        return
    if qos == 2:
        session.incoming[identifier] = receipt
    link.pending.append(receipt)
    link.settle(link.pending[0])


def _published_again(link: Link, session: Session, identifier: bytes) -> None:
    """Take a QoS 2 message for the second time: it is not passed on again."""
    receipt = session.incoming[identifier]
    if receipt is None:
        link.send(b"\x50\x02" + identifier)
    elif receipt not in link.pending:
        receipt.link = link
        link.pending.append(receipt)
        link.settle(link.pending[0])


def _acknowledge(link: Link, session: Session, kind: int, body: Body) -> None:
    identifier = body.identifier()
    reason = 0
    if body.left and link.five:
        reason = body.number(1)
        if body.left:
            properties.read(body, properties.OF_ACK)
    body.end()
    if kind == packets.PUBREC:
        if session.received(identifier, reason >= 0x80) or reason < 0x80:
            link.send(packets.pubrel(identifier))
    elif kind == 0x60:
        known = session.incoming.pop(packets.IDS[identifier], False) is not False
        late = b"" if known or not link.five else bytes((_NOT_FOUND,))
        link.send(packets.packet(packets.PUBCOMP, packets.IDS[identifier] + late))
    else:
        session.acknowledge(identifier)
    session.progress()


def _subscribe(exchange: Exchange, link: Link, session: Session, body: Body) -> None:
    identifier = body.identifier()
    if link.five:
        values, _ = properties.read(body, properties.OF_SUBSCRIBE)
        if properties.SUBSCRIPTION_ID in values:
            raise MalformedPacket("a subscription identifier", packets.NO_SUBSCRIPTION_IDS)
    if not body.left:
        raise MalformedPacket("a SUBSCRIBE to nothing", packets.PROTOCOL)
    reasons = []
    stored: list[tuple[str, int]] = []
    while body.left:
        text = body.text().decode()
        options = body.number(1)
        if options & 3 == 3 or options & (0xC0 if link.five else 0xFC) or options >> 4 == 3:
            raise MalformedPacket("options of a subscription that contradict each other")
        shared = text.startswith(topics.SHARE)
        if shared and options & 4:
            raise MalformedPacket("a shared subscription without its own messages", packets.PROTOCOL)
        reason, fresh = _add(exchange, session, text, options)
        reasons.append(reason if link.five or reason < 0x80 else 0x80)
        handling = options >> 4
        if reason < 0x80 and not shared and (handling == 0 or (handling == 1 and fresh)):
            stored.append((text, options & 3))
    link.send(packets.suback(link.five, identifier, reasons))
    for text, qos in stored:
        for message in exchange.retained.matching(text):
            shaped = message.variant(min(message.qos, qos), True, message.five)
            if shaped.qos:
                session.deliver(shaped)
            else:
                session.deliver_lightly(shaped)
    exchange.subscribed(session)


def _add(exchange: Exchange, session: Session, text: str, options: int) -> tuple[int, bool]:
    if len(session.filters) >= exchange.settings.subscriptions and text not in session.filters:
        exchange.counts.refuse("too_many_subscriptions")
        return packets.TOO_MUCH, False
    target = topics.Target(session, options & 3, bool(options & 4), bool(options & 8))
    try:
        fresh = exchange.routes.add(text, target)
    except MalformedPacket as error:
        exchange.counts.refuse("bad_filter")
        return error.reason, False
    session.filters.add(text)
    return options & 3, fresh


def _unsubscribe(exchange: Exchange, link: Link, session: Session, body: Body) -> None:
    identifier = body.identifier()
    if link.five:
        properties.read(body, frozenset((0x26,)))
    if not body.left:
        raise MalformedPacket("an UNSUBSCRIBE from nothing", packets.PROTOCOL)
    reasons = []
    while body.left:
        text = body.text().decode()
        known = text in session.filters
        if known:
            session.filters.discard(text)
            exchange.routes.remove(text, session)
        reasons.append(0 if known else _NO_SUBSCRIPTION)
    link.send(packets.unsuback(link.five, identifier, reasons))


def _disconnect(exchange: Exchange, link: Link, session: Session, body: Body) -> None:
    reason = 0
    if body.left:
        if not link.five:
            raise MalformedPacket("a DISCONNECT with a body")
        reason = body.number(1)
        if body.left:
            values, _ = properties.read(body, properties.OF_DISCONNECT)
            expiry = values.get(properties.SESSION_EXPIRY)
            if expiry and not session.expiry:
                raise MalformedPacket("a session that is to be kept after all", packets.PROTOCOL)
            if expiry is not None:
                session.expiry = expiry if session.durable else min(expiry, exchange.settings.session_expiry)
    body.end()
    if reason != _WITH_WILL:
        link.will = None
    exchange.close(link)
