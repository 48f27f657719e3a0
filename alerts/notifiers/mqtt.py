"""MQTT outputs: `<prefix>/alarms/<area>` retained with the area's summary, `<prefix>/dispatches/<unit>` with events.

Also `<prefix>/undispatched/<area>` and `<prefix>/reminded/<area>`: events that tell of an incident that nobody is on,
or that nobody acknowledges.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from alerts.notifiers.notice import Notice, Rejected, Unavailable
from alerts.notifiers.targets import ALARMS, DISPATCHES, REMINDED, REMINDING, UNDISPATCHED, MqttTarget, read_secret
from sensors.tls import Tls, context, present

logger = logging.getLogger(__name__)


class MqttSender:
    """Deliver to one broker: QoS 1, done when the broker has acknowledged."""

    retained = True
    areas: Sequence[str] = ()

    def __init__(self, target: MqttTarget, changed: Callable[[], None] = lambda: None) -> None:
        self.target = target
        self._changed = changed  # told when the connection comes up
        self._connected = False
        self._stale = False
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=target.client_id or f"foreshock-{token_hex(6)}")
        password = read_secret(target.password_env, target.password_file)
        if target.username:
            client.username_pw_set(target.username, password or None)
        if target.tls:
            made = context(Tls(ca_file=target.ca_file, cert_file=target.cert_file, key_file=target.key_file))
            client.tls_set_context(made)
            client.on_pre_connect = lambda *_: _renew(made, target)
            client.suppress_exceptions = True  # half-written files: the ones before are tried once more
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_socket_open = _no_delay
        self._client = client

    async def open(self) -> None:
        """Begin to connect, in paho's own thread."""
        self._loop = asyncio.get_running_loop()
        self._client.connect_async(self.target.host, self.target.port, keepalive=30)
        self._client.loop_start()

    async def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def wants(self, kind: str, simulated: bool) -> bool:
        """Take everything; simulated dispatches only as an exercise target."""
        return kind == "area" or not simulated or self.target.exercise

    def take_stale(self) -> bool:
        """Tell, once after each connection, that the broker may have lost its retained messages."""
        stale, self._stale = self._stale, False
        return stale

    async def send(self, notice: Notice) -> None:
        """Publish one notice, to all who are to have it, and wait for the broker's acknowledgements."""
        topics = _topics(notice)
        for _, name in topics:
            if not name or set(name) & set("+#/\0"):
                raise Rejected(f"{name!r} cannot be a level of a topic")
        body = msgspec.json.encode(notice.payload)
        retain = notice.kind == "area"
        await self.publish([(f"{self.target.prefix}/{kind}/{name}", body) for kind, name in topics], retain=retain)

    async def publish(self, messages: Sequence[tuple[str, bytes]], *, retain: bool) -> None:
        """Publish (topic, payload) and wait for all acknowledgements. Raise `Unavailable`."""
        if not self._connected:
            raise Unavailable(f"no connection to {self.target.host}:{self.target.port}")
        assert self._loop is not None, "open first"
        waiting: dict[int, asyncio.Future[None]] = {}
        try:
            for topic, body in messages:
                info = self._client.publish(topic, body, qos=1, retain=retain)
                if info.rc != paho.MQTT_ERR_SUCCESS:
                    raise Unavailable(paho.error_string(info.rc))
                # the acknowledgement comes through the loop, so it cannot come before this line
                self._waiting[info.mid] = waiting[info.mid] = self._loop.create_future()
            async with asyncio.timeout(self.target.timeout):
                await asyncio.gather(*waiting.values())
        except TimeoutError as error:
            raise Unavailable(f"no acknowledgement within {self.target.timeout:g} s") from error
        finally:
            for mid in waiting:
                self._waiting.pop(mid, None)

    # paho's thread

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            logger.warning("broker refused the notifier, target=%s reason=%s", self.target.name, reason)
            return
        self._call(self._come_up)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        self._call(self._go_down)

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._call(self._acknowledge, mid)

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)

    # the event loop's

    def _come_up(self) -> None:
        self._connected = self._stale = True
        self._changed()

    def _go_down(self) -> None:
        self._connected = False
        for done in self._waiting.values():
            if not done.done():
                done.set_exception(Unavailable("the connection was lost"))

    def _acknowledge(self, mid: int) -> None:
        done = self._waiting.get(mid)
        if done is not None and not done.done():
            done.set_result(None)


def _topics(notice: Notice) -> list[tuple[str, str]]:
    """List where a notice goes (one of `KINDS`, name), under the prefix; an order also to the units told of it."""
    if notice.kind == "area":
        return [(ALARMS, notice.area)]
    if not notice.unit:
        reminds = notice.payload.get("data", {}).get("edge") in REMINDING
        return [(REMINDED if reminds else UNDISPATCHED, notice.area)]
    copies = notice.payload.get("data", {}).get("copies", ())
    return [(DISPATCHES, name) for name in dict.fromkeys((notice.unit, *copies))]


def _renew(made: ssl.SSLContext, target: MqttTarget) -> None:
    """Read our certificate anew: it is replaced before it expires."""
    if target.cert_file:
        present(made, target.cert_file, target.key_file)


def _no_delay(_client: paho.Client, _data: Any, connection: Any) -> None:
    """Send small packets at once."""
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
