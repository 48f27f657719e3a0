"""paho's read side in bulk: one `recv` of up to 256 KiB, PUBLISH packets taken apart where they lie in the buffer.

paho keeps connect, subscribe, keep-alive, reconnect and every other packet. It leans on private parts of paho-mqtt 2.2
(`_in_packet`, `_packet_handle`, `_sock_recv`, `_loop_rc_handle`, `_handle_pubrel`, `_msgtime_mutex`, `_ssl_context`):
the version is pinned, and the tests hold it against a plain paho client.
"""

from __future__ import annotations

import ssl
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MQTTException

RECEIVE = 262_144

PUBLISH = 0x30
PUBACK = 0x40
PUBREC = 0x50


class ProtocolError(ValueError):
    """Raised when bytes from the broker are not MQTT."""


@dataclass(slots=True)
class Oversized:
    """Hold the beginning of a message that was too large to take in."""

    place: int  # how many messages of the batch came before it
    topic: bytes
    head: bytes
    size: int


@dataclass(slots=True)
class Arrivals:
    """Hold the messages that arrived and wait to be handed on, in order.

    `routes` and `payloads` are of one length; `retained` holds places of the broker's stored copies. `acks` are the
    PUBACK and PUBREC packets to send once all is durable, joined.
    """

    routes: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    refused: dict[int, bytes] = field(default_factory=dict)  # place → topic of those without a route
    retained: list[int] = field(default_factory=list)
    oversized: list[Oversized] = field(default_factory=list)
    acks: bytearray = field(default_factory=bytearray)
    redelivered: int = 0
    size: int = 0  # bytes received for it

    def __len__(self) -> int:
        return len(self.payloads)


class Reader(Client):
    """Be a paho client that collects what it is sent in `arrivals` instead of calling `on_message`.

    `routes` maps topic bytes to a number (0: no route) and is asked with a subscript, so it may have `__missing__`.
    Packets larger than `largest` bytes are read past; only their beginning is kept.
    """

    def __init__(
        self,
        routes: Mapping[bytes, int],
        *,
        client_id: str,
        largest: int = 1_100_000,
        version: int = 4,
        head: int = 4096,
        kept: bool = True,  # the broker is to keep the session of a client that is away; MQTT 5 says so as it connects
    ) -> None:
        protocol = MQTTProtocolVersion(version)
        clean: dict[str, Any] = {} if protocol == MQTTProtocolVersion.MQTTv5 else {"clean_session": not kept}
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, manual_ack=False, **clean)
        self.arrivals = Arrivals()
        self.trouble: Exception | None = None
        """What the latest read failed with."""
        self.connection = 0
        """Counts the connections made: what belongs to an earlier one must not be acknowledged on a later."""
        self._routes = routes
        self._largest = largest
        self._head = head
        self._five = protocol == MQTTProtocolVersion.MQTTv5
        self._rest = b""
        self._pieces: list[bytes] = []
        self._wanted = 0
        self._skip = 0
        self._unreleased: set[int] = set()

    def take(self) -> Arrivals:
        """Take what has arrived and start anew."""
        arrivals, self.arrivals = self.arrivals, Arrivals()
        return arrivals

    def route_by(self, routes: Mapping[bytes, int]) -> None:
        """Ask `routes` from now on. What has arrived is to be taken before: its numbers are of the other ones."""
        self._routes = routes

    def forget_partial(self) -> None:
        """Forget what was read of an unfinished packet: the connection is a new one."""
        self.connection += 1
        self._rest = b""
        self._pieces.clear()
        self._wanted = 0
        self._skip = 0

    def forget_session(self) -> None:
        """Forget which QoS 2 messages are half done: the broker has no session for us."""
        self._unreleased.clear()

    def send_acks(self, acks: bytes) -> None:
        """Send PUBACK and PUBREC packets, joined, in one go."""
        self._packet_queue(acks[0], acks, 0, 0)

    def reconnect(self) -> MQTTErrorCode:
        """Connect (again), as paho does, with an empty buffer."""
        self.forget_partial()
        self.trouble = None
        return super().reconnect()

    def use_tls(self, context: ssl.SSLContext) -> None:
        """Use TLS from the next connection on, in place of an earlier context."""
        self._ssl_context = None
        self.tls_set_context(context)

    @property
    def buffered(self) -> bool:
        """Tell whether TLS holds bytes that were taken off the socket, of which `select` says nothing."""
        sock = self._sock
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what the socket holds, up to `RECEIVE` bytes, and take it apart."""
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            data = self._sock_recv(RECEIVE)
            if isinstance(self._sock, ssl.SSLSocket):
                data = self._records(data)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            self.trouble = error
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        try:
            rc = self.feed(data)
        except ProtocolError as error:
            self.trouble = error
            rc = MQTTErrorCode.MQTT_ERR_PROTOCOL
        return self._loop_rc_handle(rc) if rc else rc

    def _packet_write(self) -> MQTTErrorCode:
        """Write, as paho does. Where that fails, the broker may have said why: a TLS alert lies in the socket."""
        rc = super()._packet_write()
        if rc == MQTTErrorCode.MQTT_ERR_CONN_LOST and isinstance(self._sock, ssl.SSLSocket):
            try:
                self._sock.recv(RECEIVE)
            except OSError as error:
                self.trouble = error
        return rc

    def _records(self, data: bytes) -> bytes:
        """Read on: TLS gives no more than one record, of 16 KiB at the most, at a time."""
        pieces, size = [data], len(data)
        while data and size < RECEIVE:
            try:
                data = self._sock_recv(RECEIVE - size)
            except OSError:  # nothing more for now; what is broken says so again at the next read
                break
            pieces.append(data)
            size += len(data)
        return b"".join(pieces)

    def feed(self, data: bytes) -> MQTTErrorCode:
        """Take bytes from the broker apart, whole packets at once. Raise `ProtocolError` on what is not MQTT."""
        self.arrivals.size += len(data)
        if self._skip:
            if len(data) <= self._skip:
                self._skip -= len(data)
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            data = data[self._skip :]
            self._skip = 0
        if self._rest:
            self._pieces.append(data)
            self._wanted -= len(data)
            if self._wanted > 0:
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            data = b"".join((self._rest, *self._pieces))
            self._pieces.clear()
            self._rest = b""
        start = self._walk(data)
        while start < 0:
            # Another kind of packet lies at ~start: paho's own handler takes it.
            start = ~start
            rc, start = self._other(data, start)
            if rc:
                return rc
            start = self._walk(data, start)
        if start < len(data):
            return self._keep(data[start:] if start else data)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _walk(self, data: bytes, start: int = 0) -> int:
        """Take PUBLISH packets from `start` on; give where it stopped, or its complement (~) at another packet."""
        arrivals = self.arrivals
        routes = self._routes
        add_route = arrivals.routes.append
        add_payload = arrivals.payloads.append
        five = self._five
        end = len(data) - 1
        while start < end:
            first = data[start]
            size = data[start + 1]
            body = start + 2
            if size > 127:
                size, body = _length(data, start + 1)
                if body < 0:
                    return start
                if size > self._largest:
                    return start
            stop = body + size
            if stop > end + 1:
                return start
            if first & 0xF0 != PUBLISH:
                return ~start
            if size < 2:
                raise ProtocolError("a PUBLISH without a topic")
            begin = body + 2
            at = begin + (data[body] << 8 | data[body + 1])
            topic = data[begin:at]
            if first & 0x0F:
                if first & 0x06:
                    mid = data[at : at + 2]
                    at += 2
                    if not self._acknowledge(first, mid, stop >= at):
                        start = stop
                        continue
                if first & 0x01:
                    arrivals.retained.append(len(arrivals.payloads))
            if five:
                if at >= stop:
                    raise ProtocolError("a PUBLISH without its properties")
                length, at = _length(data, at)
                at += length
            if at > stop:
                raise ProtocolError("a PUBLISH shorter than it says")
            route = routes[topic]
            if not route:
                arrivals.refused[len(arrivals.payloads)] = topic
            add_route(route)
            add_payload(data[at:stop])
            start = stop
        return start

    def _acknowledge(self, first: int, mid: bytes, whole: bool) -> bool:
        """Note the answer to a QoS 1 or 2 message; tell whether the message is to be handed on."""
        if not whole or mid == b"\0\0":
            raise ProtocolError("a PUBLISH without a packet identifier")
        arrivals = self.arrivals
        if first & 0x08:
            arrivals.redelivered += 1
        if first & 0x06 == 0x02:
            arrivals.acks += b"\x40\x02" + mid
            return True
        if first & 0x06 == 0x06:
            raise ProtocolError("a PUBLISH of QoS 3")
        arrivals.acks += b"\x50\x02" + mid
        number = mid[0] << 8 | mid[1]
        if number in self._unreleased:
            return False
        self._unreleased.add(number)
        return True

    def _keep(self, rest: bytes) -> MQTTErrorCode:
        """Keep the beginning of an unfinished packet, or go past one that is too large."""
        success = MQTTErrorCode.MQTT_ERR_SUCCESS
        self._rest = rest
        self._wanted = 1
        if len(rest) < 2:
            return success
        size, body = _length(rest, 1)
        if body < 0:
            return success
        whole = body + size
        if size <= self._largest:
            self._wanted = whole - len(rest)
            return success
        if rest[0] & 0xF0 != PUBLISH:
            raise ProtocolError(f"a packet of {size} bytes")
        needed = min(whole, body + self._head + 70_000)  # a topic and properties lie before the payload
        if len(rest) < needed:
            self._wanted = needed - len(rest)
            return success
        self._oversized(rest, body, size)
        self._rest = b""
        if len(rest) > whole:
            return self.feed(rest[whole:])
        self._skip = whole - len(rest)
        return success

    def _oversized(self, data: bytes, body: int, size: int) -> None:
        at = body + 2 + (data[body] << 8 | data[body + 1])
        topic = data[body + 2 : at]
        if data[0] & 0x06:
            self._acknowledge(data[0], data[at : at + 2], True)
            at += 2
        if self._five:
            length, at = _length(data, at)
            at += length
        head = data[at : min(at + self._head, body + size)]
        self.arrivals.oversized.append(Oversized(len(self.arrivals), topic, head, body + size - at))

    def _other(self, data: bytes, start: int) -> tuple[MQTTErrorCode, int]:
        """Hand one packet to paho's own handler; give its verdict and where the next packet starts."""
        size, body = _length(data, start + 1)
        packet = self._in_packet
        packet["command"] = data[start]
        packet["remaining_length"] = size
        packet["packet"] = bytearray(data[body : body + size])
        packet["pos"] = 0
        try:
            rc = self._packet_handle()
        except (MQTTException, ValueError, IndexError, KeyError, struct.error) as error:
            raise ProtocolError(f"a broken packet {data[start] >> 4}: {error}") from error
        finally:
            packet["command"] = 0
            packet["packet"] = bytearray()
        return rc, body + size

    def _handle_pubrel(self) -> MQTTErrorCode:
        mid = self._in_packet["packet"][:2]
        if len(mid) == 2:
            self._unreleased.discard(mid[0] << 8 | mid[1])
        return super()._handle_pubrel()


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a variable length at `at`; give it and where it ends, or (0, -1) while its bytes are not all there."""
    value = shift = 0
    for place in range(at, at + 4):
        if place >= len(data):
            return 0, -1
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place + 1
        shift += 7
    raise ProtocolError("a length of more than four bytes")
