"""Sessions, subscriptions and messages: what the broker does apart from sockets."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from streams.embedded.mqtt import packets, requests
from streams.embedded.mqtt.connect import NEVER, Connect, Will
from streams.embedded.mqtt.connection import Link
from streams.embedded.mqtt.limits import BrokerSettings, Counts
from streams.embedded.mqtt.message import Message, deadline, make
from streams.embedded.mqtt.packets import length_at
from streams.embedded.mqtt.retained import Retained
from streams.embedded.mqtt.session import Session
from streams.embedded.mqtt.topics import Route, Routes, Target


class Exchange:
    """Pass messages on between sessions.

    A QoS 1 or 2 message is acknowledged to its publisher once every durable subscriber has acknowledged it. While
    there is no durable session, what matches `settings.held` and not `settings.unheld` is kept for the first one.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self.settings = settings
        self.counts = Counts()
        self.routes = Routes()
        self.retained = Retained(settings, self.counts)
        self.sessions: dict[str, Session] = {}
        self.dirty: list[Link] = []
        """Links with something to send at the end of this turn."""
        self.moved: list[Link] = []
        """Links to be watched differently."""
        self.ending: list[Link] = []
        """Links to be closed at the end of this turn."""
        self.now = time.monotonic()
        self._wills: list[tuple[float, Session, Will]] = []
        self._holder: Session | None = None
        self._hold()

    def packet(self, link: Link, first: int, data: bytes, body: int, stop: int) -> None:
        """Act on any packet. Raise `MalformedPacket`."""
        requests.handle(self, link, first, data, body, stop)

    def changed(self, link: Link) -> None:
        """Have a link watched for what it now waits for."""
        self.moved.append(link)

    # ── messages ──

    def forward(self, source: Link, route: Route, chunk: bytes, count: int) -> None:
        """Pass on a run of `count` whole QoS 0 messages with one route."""
        self.counts.received += count
        five = source.five
        messages: list[Message] = []
        for target in route.targets:
            session = target.session
            link = session.link
            if link is not None and link.five is five and len(chunk) < link.largest and not target.no_local:
                if link.waiting > session.room and not session.durable:
                    self.counts.drop("slow_qos0", count)
                    continue
                link.send(chunk)
                link.sent += count
                if session.durable and link.waiting > session.room:
                    session.full = True
                    source.press(session)
                continue
            messages = messages or split(chunk, five)
            for message in messages:
                self._offer(target, message, source, False)
        for group in route.groups:
            messages = messages or split(chunk, five)
            for message in messages:
                self._offer(group.next(), message, source, False)

    def publish(self, message: Message, source: Link | None, retain: bool) -> None:
        """Pass on one message; `retain` says how it was published."""
        route = self.routes[message.topic]
        self.counts.received += 1
        if retain:
            self.retained.store(message)
        for target in route.targets:
            self._offer(target, message, source, retain)
        for group in route.groups:
            self._offer(group.next(), message, source, False)

    def _offer(self, target: Target, message: Message, source: Link | None, retain: bool) -> None:
        session = target.session
        if target.no_local and source is not None and session is source.session:
            return
        qos = min(message.qos, target.qos)
        give(session, message.variant(qos, retain and target.as_published, message.five))
        if session.full and session.durable and source is not None and (qos or session.link is not None):
            source.press(session)

    # ── sessions ──

    def open(self, link: Link, wanted: Connect) -> tuple[Session, bool]:
        """Give a client its session, and tell whether it was there before."""
        old = self.sessions.get(wanted.client_id)
        if old is not None and old.link is not None:
            self.close(old.link, packets.TAKEN_OVER)
            old = self.sessions.get(wanted.client_id)
        if old is not None and wanted.clean:
            self.end(old)
            old = None
        self._wills = [one for one in self._wills if one[1] is not old]
        session = old
        if session is None:
            durable = bool(self.settings.durable) and wanted.client_id.startswith(self.settings.durable)
            session = Session(wanted.client_id, self.settings, self.counts, durable=durable)
            self.sessions[wanted.client_id] = session
        session.expiry = wanted.expiry
        if not session.durable:
            session.expiry = min(session.expiry, self.settings.session_expiry)
        link.session = session
        return session, old is not None

    def end(self, session: Session) -> None:
        """Forget a session; what a durable one had not acknowledged goes to another, or is kept for the next."""
        for text in session.filters:
            self.routes.remove(text, session)
        session.filters.clear()
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]
        session.dismiss()
        if session.durable:
            self._hold()
            self._hand_over(session)

    def subscribed(self, session: Session) -> None:
        """Give the first durable subscriber what was kept for it; what it does not subscribe to is acknowledged."""
        holder = self._holder
        if not session.durable or holder is None or not session.filters:
            return
        self._holder = None
        for text in self.settings.held:
            self.routes.remove(text, holder)
        holder.dismiss()
        self._hand_over(holder)

    def _hold(self) -> None:
        if self._holder is not None or any(one.durable and one.filters for one in self.sessions.values()):
            return
        if self.settings.held:
            self._holder = Session("", self.settings, self.counts, durable=True)
            for text in self.settings.held:
                self.routes.add(text, Target(self._holder, 2, but=self.settings.unheld))

    def _hand_over(self, session: Session) -> None:
        for message in session.waiting():
            route = self.routes[message.topic]
            heirs = [one for one in route.targets if one.session.durable]
            heirs += [one for one in (group.next() for group in route.groups) if one.session.durable]
            for heir in heirs:
                give(heir.session, message.variant(min(message.qos, heir.qos), False, message.five))
            session.complete(message)
        session.in_flight.clear()
        session.queue.clear()

    # ── connections ──

    def close(self, link: Link, reason: int | None = None, answer: bytes = b"") -> None:
        """End a connection, with a reason to an MQTT 5 client or a last answer; its will is published."""
        if link.closed:
            return
        if answer:
            link.send(answer)
        elif reason is not None and link.five and link.session is not None:
            link.send(packets.disconnect(reason))
        link.closed = link.closing = True
        link.pending.clear()
        self.ending.append(link)
        session, link.session = link.session, None
        will, link.will = link.will, None
        if session is None:
            return
        session.detach()
        ends = not session.expiry
        if ends:
            self.end(session)
        if will is not None and (ends or not will.delay):
            self._publish_will(will)
        elif will is not None:
            self._wills.append((self.now + min(will.delay, session.expiry), session, will))

    def _publish_will(self, will: Will) -> None:
        message = make(will.topic, will.properties, will.payload, will.qos, False, True, None, deadline(will.expiry))
        self.publish(message, None, will.retain)

    def tick(self, links: Iterable[Link]) -> None:
        """Do what time asks for: silent clients, sessions that expire, wills that are due."""
        now = self.now
        for link in links:
            if link.session is None:
                if now - link.opened > self.settings.connect_timeout:
                    self.counts.refuse("connect_timeout")
                    self.close(link)
            elif link.keepalive and not link.paused and now - link.seen > link.keepalive * 1.5:
                self.counts.refuse("silent")
                self.close(link, packets.SILENT)
        due = [one for one in self._wills if one[0] <= now]
        if due:
            self._wills = [one for one in self._wills if one[0] > now]
            for _, _, will in due:
                self._publish_will(will)
        away = [one for one in self.sessions.values() if one.link is None]
        for session in away:
            if session.expiry != NEVER and now - session.away_since > session.expiry:
                self.end(session)
        spare = [one for one in away if not one.durable and one.client_id in self.sessions]
        if len(spare) > self.settings.sessions:
            spare.sort(key=lambda one: one.away_since)
            for session in spare[: len(spare) - self.settings.sessions]:
                self.counts.drop("session_forgotten", len(session.queue))
                self.end(session)

    def figures(self, links: Iterable[Link]) -> dict[str, Any]:
        """Give counts since the start and what is held now."""
        counts = self.counts
        sessions = list(self.sessions.values())
        durable = [one for one in sessions if one.durable] + ([self._holder] if self._holder is not None else [])
        connected = list(links)
        return {
            "received": counts.received,
            "sent": counts.sent + sum(one.sent for one in connected),
            "acknowledged": counts.acknowledged,
            "accepted": counts.accepted,
            "refused": dict(counts.refused),
            "dropped": dict(counts.dropped),
            "paused": counts.paused,
            "paused_now": sum(one.paused for one in connected),
            "connections": len(connected),
            "sessions": len(sessions),
            "subscriptions": self.routes.count,
            "retained": len(self.retained),
            "unacknowledged": sum(one.held for one in durable),
            "queued": sum(one.held for one in sessions if not one.durable),
        }


def give(session: Session, message: Message) -> None:
    """Deliver a message by its QoS."""
    if message.qos:
        session.deliver(message)
    else:
        session.deliver_lightly(message)


def split(chunk: bytes, five: bool) -> list[Message]:
    """Take a run of QoS 0 messages apart."""
    found = []
    start = 0
    while start < len(chunk):
        size, body = length_at(chunk, start + 1)
        at = body + 2 + (chunk[body] << 8 | chunk[body + 1])
        found.append(Message(chunk[start:at], chunk[at : body + size], five, 0))
        start = body + size
    return found
