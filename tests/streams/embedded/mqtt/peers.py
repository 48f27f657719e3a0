"""A broker in this process, and clients of it: paho's, and bare sockets that send what they are told to."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from streams.embedded.mqtt.limits import BrokerSettings
from streams.embedded.mqtt.packets import length_at, packet, string
from streams.embedded.mqtt.server import Server

_ids = itertools.count()


def fresh_name(prefix: str = "peer") -> str:
    return f"{prefix}-{next(_ids)}"


class Running:
    """A broker on a thread of its own."""

    def __init__(self, **settings: Any) -> None:
        self.server = Server(BrokerSettings(ports=(0,), **settings))
        self.server.listen()
        self.port = self.server.ports[0]
        self.counts = self.server.exchange.counts
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop:
            self.server.turn(0.02)
            self.server.tick()
        self.server.close()

    def stop(self) -> None:
        self._stop = True
        self._thread.join(5)
        assert not self._thread.is_alive()


@contextmanager
def serving(**settings: Any) -> Iterator[Running]:
    running = Running(**settings)
    try:
        yield running
    finally:
        running.stop()


class Peer:
    """A paho client that keeps what it gets."""

    def __init__(
        self,
        port: int,
        version: int = 4,
        name: str = "",
        clean: bool = True,
        will: tuple[str, str, int, bool] | None = None,
        expiry: int = 3600,
        receive_maximum: int | None = None,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.got: list[tuple[str, bytes, int, bool]] = []
        self.messages: list[Any] = []
        self.present = False
        self.reason: Any = None
        self.five = version == 5
        self._ready = threading.Event()
        self._answered = threading.Event()
        self.granted: list[Any] = []
        options: dict[str, Any] = {} if self.five else {"clean_session": clean}
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name or fresh_name(),
            protocol=MQTTProtocolVersion(version),
            **options,
        )
        self.client.max_inflight_messages_set(500)
        self.client.on_message = self._message
        self.client.on_connect = self._connected
        self.client.on_subscribe = self._subscribed
        self.client.on_unsubscribe = lambda *_: self._answered.set()
        if will is not None:
            self.client.will_set(*will)
        if login is not None:
            self.client.username_pw_set(*login)
        connect: dict[str, Any] = {}
        if self.five:
            connect["clean_start"] = clean
            connect["properties"] = Properties(PacketTypes.CONNECT)
            connect["properties"].SessionExpiryInterval = expiry
            if receive_maximum:
                connect["properties"].ReceiveMaximum = receive_maximum
        self.client.connect("127.0.0.1", port, **connect)
        self.client.loop_start()
        assert self._ready.wait(5)

    def _message(self, _client: Any, _data: Any, message: Any) -> None:
        self.messages.append(message)
        self.got.append((message.topic, bytes(message.payload), message.qos, message.retain))

    def _connected(self, _client: Any, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        self.present = flags.session_present
        self.reason = reason
        self._ready.set()

    def _subscribed(self, _client: Any, _data: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        self.granted = [reason.value for reason in reasons]
        self._answered.set()

    def subscribe(self, *filters: str, qos: int = 1, options: Any = None) -> list[int]:
        self._answered.clear()
        self.client.subscribe([(one, options if options is not None else qos) for one in filters])
        assert self._answered.wait(5)
        return self.granted

    def unsubscribe(self, *filters: str) -> None:
        self._answered.clear()
        self.client.unsubscribe(list(filters))
        assert self._answered.wait(5)

    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _, _ in list(self.got)]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def break_off(self) -> None:
        """Lose the connection without a goodbye."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()


@contextmanager
def peers(port: int, count: int, version: int = 4) -> Iterator[list[Peer]]:
    made = [Peer(port, version) for _ in range(count)]
    yield made
    for one in made:
        one.close()


class Bare:
    """A socket that sends what it is told to and takes whole packets apart."""

    def __init__(self, port: int, name: str | None = None, *, five: bool = False, clean: bool = True) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.five = five
        self._rest = b""
        if name is not None:
            self.send(connect(name, five=five, clean=clean))
            first, body = self.next()
            assert first == 0x20 and body[1] == 0, (first, body)
            self.present = bool(body[0])

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def next(self, timeout: float = 5.0) -> tuple[int, bytes]:
        """Give the next packet's first byte and body; `ConnectionError` when the broker closes."""
        self.sock.settimeout(timeout)
        while True:
            if len(self._rest) >= 2:
                size, at = length_at(self._rest, 1)
                if at > 0 and len(self._rest) >= at + size:
                    first, body = self._rest[0], self._rest[at : at + size]
                    self._rest = self._rest[at + size :]
                    return first, body
            data = self.sock.recv(262_144)
            if not data:
                raise ConnectionError("closed")
            self._rest += data

    def silent(self, timeout: float = 0.15) -> bool:
        """Tell that nothing comes for a while."""
        try:
            self.next(timeout)
        except TimeoutError:
            return True
        return False

    def closed(self) -> bool:
        """Read until the broker closes."""
        try:
            while True:
                self.next(5)
        except TimeoutError:
            return False
        except OSError:
            return True

    def subscribe(self, text: str, qos: int = 1) -> None:
        body = b"\0\1" + (b"\0" if self.five else b"") + string(text.encode()) + bytes((qos,))
        self.send(packet(0x82, body))
        while self.next()[0] != 0x90:
            pass

    def publish(self, topic: str, payload: bytes, qos: int = 1, mid: int = 1, flags: int = 0) -> None:
        self.send(publish(topic, payload, qos, mid, flags, five=self.five))

    def close(self) -> None:
        self.sock.close()


def connect(name: str, *, five: bool = False, clean: bool = True, keepalive: int = 60, expiry: int = 3600) -> bytes:
    properties = b"\x05\x11" + expiry.to_bytes(4, "big") if five else b""
    flags = bytes((2 if clean else 0,))
    body = b"\0\4MQTT" + bytes((5 if five else 4,)) + flags + keepalive.to_bytes(2, "big") + properties
    return packet(0x10, body + string(name.encode()))


def publish(
    topic: str,
    payload: bytes,
    qos: int = 0,
    mid: int = 1,
    flags: int = 0,
    *,
    five: bool = False,
    properties: bytes = b"",
) -> bytes:
    body = string(topic.encode()) + (mid.to_bytes(2, "big") if qos else b"")
    if five:
        body += bytes((len(properties),)) + properties
    return packet(0x30 | qos << 1 | flags, body + payload)
