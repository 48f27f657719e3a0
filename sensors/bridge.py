"""MQTT in: subscribe, read in bulk, decode, hand on, and acknowledge only once the log has it.

Batches form by themselves: what has piled up is taken at once, handed on, and taken again no sooner than `floor`
seconds later; a reading that comes alone is handed on at once.
"""

from __future__ import annotations

import contextlib
import logging
import random
import select
import socket
import threading
import time
from typing import Any

import msgspec
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from sensors import measure, tls
from sensors.dialects.dialect import Reply
from sensors.flights import Flight, Flights, Sink
from sensors.intake import Intake, Limits
from sensors.lookup import Registry, converts
from sensors.pace import Pace
from sensors.reader import Reader
from sensors.site import Site
from sensors.tls import Tls
from sensors.topics import covers

log = logging.getLogger(__name__)

_SWEEP = 16
"""Receives in a row before a batch is handed on, at the most: 4 MiB."""

_FILTERS = 100
"""Filters of one SUBSCRIBE packet, at the most."""


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a bridge. Times are seconds."""

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = "foreshock-bridge"  # fixed: the broker keeps QoS 1 messages for it while it is away
    username: str | None = None
    password: str | None = None
    tls: Tls | None = None
    version: int = 4  # 4 is MQTT 3.1.1, 5 is MQTT 5
    qos: int = 1
    share: str = ""  # group of a shared subscription: each message goes to one of its bridges
    keepalive: int = 30
    receive_maximum: int = 20_000  # MQTT 5: messages that the broker sends ahead of our acknowledgements
    status_topic: str = ""  # where `online` and, as a last will, `offline` are retained; empty for nowhere
    source: str = "bridge"
    limits: Limits = Limits()
    floor: float = 0.010  # between batches
    max_unlogged: int = 200_000  # readings handed on and not yet durable; beyond it the socket is left alone
    max_unlogged_bytes: int = 64 << 20
    retry_least: float = 0.25
    retry_most: float = 15.0
    reply_pause: float = 10.0  # between equal replies
    session_expiry: int = 86_400  # MQTT 5: how long the broker keeps the session


class Bridge:
    """Carry one site's signals from an MQTT broker to a sink.

    `run` blocks; `stop` and `figures` may be called from any thread.
    """

    def __init__(self, site: Site, sink: Sink, settings: BridgeSettings | None = None) -> None:
        self.settings = settings or BridgeSettings()
        self.intake = self._intake_of(site)
        self._filters = self._filters_of(self.intake)
        self._learnt: dict[str, None] = {}  # topics that payloads told of, beside the filters
        self.trouble = ""
        """Why there is no connection, in a sentence; empty while there is one."""
        self._next: Intake | None = None  # of the site to change to, made in another thread
        self._changed = threading.Event()
        self._change_seconds = 0.0
        self._unwanted: list[str] = []  # filters that the site no longer has, to be told to the broker
        self._flights = Flights(
            sink,
            self.intake.quarantine,
            source=self.settings.source,
            retry_most=self.settings.retry_most,
            landed=self._landed,
        )
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._awake_wanted = False
        self._subscribed = False
        self._refused = False  # by the broker, at the latest attempt
        self._lost = 0  # the latest connection that was
        self.turns = 0
        """Counts turns of the loop, at least one in half a second while connected: if it stands still, it is stuck."""
        self._asked: dict[int, list[str]] = {}  # SUBSCRIBE packets not yet answered: id → filters
        self._refused_filters: dict[str, str] = {}  # filter → why
        self._ask_at = 0.0
        self._ask_pause = self.settings.retry_least
        self._retry = self.settings.retry_least
        self._again_at = 0.0
        self._counts = {"readings": 0, "events": 0, "messages": 0, "batches": 0, "records": 0, "bytes": 0}
        self._more = {"connects": 0, "lost": 0, "redelivered": 0, "waits": 0, "replies": 0}
        self._pace = Pace()
        self._replied: dict[Reply, float] = {}  # → when it may be sent again, monotonic
        self.client = self._client()

    # ── public ──

    def run(self) -> None:
        """Carry until `stop`. Reconnects by itself, for ever."""
        misc_at = 0.0
        read_at = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            self.turns += 1
            self._settle(now)
            if self._next is not None:
                self._change(now)
            if self.client.socket() is None:
                self._connect(now)
                continue
            if now >= misc_at:
                misc_at = now + 0.5
                self.client.loop_misc()
                self._ask_again(now)
                if self._full():
                    self._stay_alive()
                elif self.intake.pending(time.time()):
                    self._hand_on(now)
            read_at = self._step(now, read_at, misc_at)
        self._finish()

    def stop(self) -> None:
        """Ask `run` to end: what was taken is handed on, made durable and acknowledged first."""
        self._stopping.set()
        self._wake()

    def adopt(self, site: Site, wait: float = 0.0) -> bool:
        """Change to another version of the site, without a gap: what has arrived is read by the one before.

        May be called from any thread, which does the work; the change itself is done between two batches. Return once
        it is done, after `wait` seconds at the latest, and whether it is.
        """
        fresh = self._intake_of(site)
        self._changed.clear()
        self._next = fresh
        self._wake()
        return self.adopted(wait)

    def _intake_of(self, site: Site) -> Intake:
        """Make a site's intake; what converts units is loaded here: it takes half a second, which the loop has not."""
        if converts(site):
            measure.load()
        return Intake(Registry(site), source=self.settings.source, limits=self.settings.limits)

    def adopted(self, wait: float | None = None) -> bool:
        """Wait until the change to what was adopted last is done, for at most `wait` seconds; tell whether it is."""
        return self._changed.wait(wait)

    def figures(self) -> dict[str, Any]:
        """Give counts since the start, by name; `refused` by reason.

        `lag` is the age of the oldest batch that is not yet durable, in seconds.
        """
        quarantine = self.intake.quarantine
        oldest = self._flights.begun
        return {
            **self._counts,
            **self._more,
            "failed": self._flights.failed,
            "version": self.intake.registry.version,
            "renamed": self.intake.renamed,
            "change_seconds": self._change_seconds,
            "refused": dict(quarantine.counts),
            "unkept": dict(quarantine.unkept),
            "clocks_wrong": self.intake.checks.clocks.wrong + self.intake.checks.camera_clocks.wrong,
            "clocks": self.intake.checks.clocks.figures(),  # point → seconds ahead, the worst
            "camera_clocks": self.intake.checks.camera_clocks.figures(),  # camera → seconds ahead, the worst
            "connected": self.connected,
            "trouble": self.trouble,
            "refused_filters": len(self._refused_filters),
            "learnt_topics": len(self._learnt),
            "unlogged": self._flights.readings,
            "lag": time.monotonic() - oldest if oldest else 0.0,
        }

    @property
    def connected(self) -> bool:
        """Tell whether the broker has accepted the connection and every subscription."""
        return self._subscribed and not self._asked and not self._refused_filters and self.client.is_connected()

    # ── the connection ──

    def _client(self) -> Reader:
        settings = self.settings
        largest = max(settings.limits.frame, settings.limits.event, settings.limits.single) + 70_000
        client = Reader(self.intake.topics, client_id=settings.client_id, largest=largest, version=settings.version)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.suppress_exceptions = True
        client.enable_logger(logging.getLogger("paho"))
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.status_topic:
            client.will_set(settings.status_topic, "offline", qos=1, retain=True)
        properties = None
        if settings.version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = settings.session_expiry
            properties.ReceiveMaximum = settings.receive_maximum
            client.connect_async(
                settings.host, settings.port, settings.keepalive, clean_start=False, properties=properties
            )
        else:
            client.connect_async(settings.host, settings.port, settings.keepalive)
        return client

    def _connect(self, now: float) -> None:
        """Connect when it is time; wait with jitter after a failure, longer each time."""
        if now < self._again_at:
            self._more["waits"] += 1
            select.select([self._wake_read], [], [], min(self._again_at - now, 0.5))
            self._drain_wakes()
            return
        level = logging.WARNING if self._retry > self.settings.retry_least else logging.INFO  # it may still be starting
        self._retry_later(now)
        self._refused = False
        try:
            if self.settings.tls is not None:  # read anew: certificates are replaced while we run
                self.client.use_tls(tls.context(self.settings.tls))
            self.client.reconnect()
        except (OSError, ValueError) as error:
            self._fail("cannot reach", self._why(error))
            log.log(level, "%s", self.trouble)

    def _fail(self, what: str, why: str) -> None:
        self.trouble = f"{what} the MQTT broker at {self.settings.host}:{self.settings.port}: {why}"

    def _retry_later(self, now: float) -> None:
        self._again_at = now + self._retry * random.uniform(0.5, 1.0)
        self._retry = min(self.settings.retry_most, self._retry * 2)

    def _on_connect(
        self, client: Any, userdata: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refused = True
            self._fail("refused by", tls.refusal(str(reason)))
            log.error("%s", self.trouble)
            return
        self._more["connects"] += 1
        self._pace = Pace()
        unanswered = [topic for filters in self._asked.values() for topic in filters]
        self._asked.clear()
        wanted = [*self._filters, *self._learnt]
        if not flags.session_present:
            self.client.forget_session()
        elif self._subscribed:
            # The broker kept the subscriptions; to send them again would bring all stored copies again.
            wanted = list(dict.fromkeys([*self._refused_filters, *unanswered]))
        if self._unwanted:
            self.client.unsubscribe(self._unwanted)
            self._unwanted = []
        if wanted:
            self._subscribe(wanted)
        else:
            self._retry = self.settings.retry_least
            self.trouble = ""
        self._tell("online")
        log.info("connected to the MQTT broker at %s:%s", self.settings.host, self.settings.port)

    def _on_subscribe(
        self, client: Any, userdata: Any, mid: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        for topic, reason in zip(self._asked.pop(mid, []), reasons, strict=False):
            if not reason.is_failure or not (topic in self._learnt or topic in self._filters):
                self._refused_filters.pop(topic, None)
            elif self._refused_filters.get(topic) != str(reason):
                self._refused_filters[topic] = str(reason)
                log.error("the MQTT broker refuses the subscription to %s: %s", topic, reason)
        self._subscribed = True
        if not self._refused_filters:
            self._retry = self._ask_pause = self.settings.retry_least
            self.trouble = ""
            return
        topic, why = next(iter(self._refused_filters.items()))
        self._fail("not subscribed at", f"it refuses {topic}: {why}")
        self._ask_at = time.monotonic() + self._ask_pause * random.uniform(0.5, 1.0)
        self._ask_pause = min(self.settings.retry_most, self._ask_pause * 2)

    def _ask_again(self, now: float) -> None:
        """Subscribe to what was refused, when it is time: the broker's administrator may have thought better of it."""
        if self._refused_filters and not self._asked and now >= self._ask_at and self.client.is_connected():
            self._subscribe(list(self._refused_filters))

    def _subscribe(self, filters: list[str]) -> None:
        for start in range(0, len(filters), _FILTERS):
            some = filters[start : start + _FILTERS]
            _, mid = self.client.subscribe([(topic, self.settings.qos) for topic in some])
            if mid is not None:
                self._asked[mid] = some
            else:
                self._refused_filters.update(dict.fromkeys(some, "not connected"))  # asked for again on connecting

    def _follow(self, changes: dict[str, bool]) -> None:
        """Subscribe to topics that payloads told of, and no more to those that they took back."""
        gone = [topic for topic, wanted in changes.items() if not wanted and topic in self._learnt]
        for topic in gone:
            del self._learnt[topic]
            self._refused_filters.pop(topic, None)
            self.client.unsubscribe(topic)
        fresh = [
            topic
            for topic, wanted in changes.items()
            if wanted and not any(covers(one, topic) for one in self._filters)  # it would come twice
        ]
        self._subscribe(fresh)
        self._learnt.update(dict.fromkeys(fresh))

    def _filters_of(self, intake: Intake) -> list[str]:
        group = f"$share/{self.settings.share}/" if self.settings.share else ""
        return [group + topic for topic in intake.topics.filters()]

    def _change(self, now: float) -> None:
        """Take the next version of the site into use."""
        fresh, self._next = self._next, None
        assert fresh is not None
        if len(self.client.arrivals) or self.client.arrivals.oversized:
            self._hand_on(now)
        fresh.succeed(self.intake)
        self.intake = fresh
        self.client.route_by(fresh.topics)
        before, self._filters = self._filters, self._filters_of(fresh)
        added = [one for one in self._filters if one not in before]
        gone = [one for one in before if one not in self._filters]
        self._refused_filters = {
            one: why for one, why in self._refused_filters.items() if one in self._filters or one in self._learnt
        }
        connected = self.client.is_connected()
        if added and connected:
            self._subscribe(added)
        elif added:
            self._refused_filters |= dict.fromkeys(added, "not asked for yet")
        if gone and connected:
            self.client.unsubscribe(gone)
        elif gone:
            self._unwanted += gone
        self._unwanted = [one for one in self._unwanted if one not in self._filters]
        if connected:
            self._hand_on(now)  # what is known of sources that are bound anew, and the topics that they want
        self._change_seconds = time.monotonic() - now
        self._changed.set()

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if not self._stopping.is_set() and self.client.connection != self._lost:  # paho may tell it twice
            self._lost = self.client.connection
            self._more["lost"] += 1
            if not self._refused:  # that it hung up after its refusal is no news
                self._fail("lost", self._why_lost(str(reason)))
                log.warning("%s", self.trouble)
            self._again_at = time.monotonic() + self._retry * random.uniform(0.5, 1.0)

    def _why_lost(self, reason: str) -> str:
        if self.client.trouble or reason == "Unspecified error":
            return self._why(self.client.trouble or ConnectionResetError())
        return reason

    def _why(self, error: BaseException) -> str:
        said = tls.sentence(error)
        return tls.HUNG_UP if said == tls.ENDED and not self._more["connects"] else said

    def _tell(self, status: str) -> None:
        if self.settings.status_topic:
            self.client.publish(self.settings.status_topic, status, qos=1, retain=True)

    def _stay_alive(self) -> None:
        """Keep paho from giving up a connection that we choose not to read."""
        with self.client._msgtime_mutex:
            self.client._last_bytes_received = time.monotonic()
        self.client._ping_t = 0.0

    # ── one turn ──

    def _step(self, now: float, read_at: float, misc_at: float) -> float:
        """Wait for something to do and do it; give the earliest time of the next read."""
        sock = self.client.socket()
        if sock is None:
            return read_at
        may_read = now >= read_at and not self._full()
        until = misc_at if may_read or self._full() else min(read_at, misc_at)
        readers: list[Any] = [sock, self._wake_read] if may_read else [self._wake_read]
        writers = [sock] if self.client.want_write() else []
        self._awake_wanted = True
        until = self._flights.due(now, until)
        if may_read and self.client.buffered:
            until = now
        try:
            readable, writable, _ = select.select(readers, writers, [], max(0.0, until - now))
        except (OSError, ValueError):
            return read_at
        self._awake_wanted = False
        if self._wake_read in readable:
            self._drain_wakes()
        if writable:
            self.client.loop_write()
        if sock not in readable and not (may_read and self.client.buffered):
            return read_at
        self._read(sock)
        begun = time.monotonic()
        if not len(self.client.arrivals) and not self.client.arrivals.oversized:
            return read_at
        messages, readings = self._hand_on(begun)
        return begun + self._pace.pause(begun, messages, readings, self.settings.floor)

    def _read(self, sock: Any) -> None:
        client = self.client
        for _ in range(_SWEEP):
            before = client.arrivals.size
            if client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or client.socket() is not sock:
                return
            if client.arrivals.size - before < 65_536:
                return

    def _hand_on(self, now: float) -> tuple[int, int]:
        """Hand the batch on; tell how many of its messages are to be acknowledged, and how many readings it holds."""
        arrivals = self.client.take()
        batch = self.intake.take(arrivals, time.time())
        if batch.filters:
            self._follow(batch.filters)
        counts = self._counts
        if not batch.records and not arrivals.acks and not len(arrivals):
            return 0, 0
        counts["messages"] += len(arrivals)
        counts["readings"] += batch.readings
        counts["events"] += batch.events
        counts["batches"] += 1
        counts["records"] += len(batch.records)
        counts["bytes"] += arrivals.size
        self._more["redelivered"] += arrivals.redelivered
        for reply in batch.replies:
            self._reply(reply, now)
        acks = bytes(arrivals.acks)
        self._flights.add(Flight(batch.records, batch.readings, batch.size, acks, self.client.connection, now))
        return len(acks) // 4, batch.readings

    def _reply(self, reply: Reply, now: float) -> None:
        """Publish what a dialect asks for, equal ones no more often than `reply_pause`."""
        if len(self._replied) > 10_000:
            self._replied.clear()
        if now >= self._replied.get(reply, now):
            self._replied[reply] = now + self.settings.reply_pause
            self.client.publish(reply.topic, reply.payload, qos=0)
            self._more["replies"] += 1

    # ── until it is durable ──

    def _settle(self, now: float) -> None:
        """Acknowledge what has become durable."""
        acks = self._flights.settle(now, self.client.connection)
        self._pace.waiting -= len(acks) // 4
        if acks and self.client.is_connected():
            self.client.send_acks(acks)

    def _landed(self) -> None:
        """Wake the loop, if it sleeps."""
        if self._awake_wanted:
            self._wake()

    def _full(self) -> bool:
        flights, settings = self._flights, self.settings
        return flights.readings > settings.max_unlogged or flights.bytes > settings.max_unlogged_bytes

    def _finish(self, patience: float = 3.0) -> None:
        self.intake.checks.close()  # what was held back of a flood of states would not be told by anybody else
        self.intake.quarantine.close()
        if len(self.client.arrivals) or self.intake.pending(time.time()):
            self._hand_on(time.monotonic())
        deadline = time.monotonic() + patience
        while self._flights and (now := time.monotonic()) < deadline:
            self._settle(now)
            self._awake_wanted = True
            if self._flights.under_way:
                select.select([self._wake_read], [], [], min(0.1, deadline - now))
                self._drain_wakes()
        self._settle(time.monotonic())
        if self.client.is_connected():
            self._tell("offline")  # a will is not for those who take their leave
            self.client.disconnect()
        self.client.loop_misc()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # enough wakes wait already
            self._wake_write.send(b"\0")

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(4096)
