"""Load an MQTT broker with readings, from a process of its own: raw sockets, packets made once, stamps patched in.

Modes: `singles` publishes `{"value": …, "time": ms}` to each point's topic in turn, `frames` publishes msgpack
columns. It prints one JSON line. As a library: `Singles` or `Frames` make the packets, `Connection` sends them, `run`
keeps the rate.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.site import Area, AreaType, Field, Flood, Place, Point, Signals, Site, Text

Bytes = npt.NDArray[np.uint8]


def bench_site(points: int = 1000, areas: int = 61, partitions: int = 2, signals: Signals | None = None) -> Site:
    """Make a site of `points` gauges spread over areas of ten subdistricts, for benchmarks and tests."""
    name = Text(zh="测试", en="bench")
    places = [Place(id="d", kind="district", name=name)]
    places += [Place(id=f"s{k}", kind="subdistrict", name=name, parent="d") for k in range(10)]
    places += [Place(id=f"c{k}", kind="community", name=name, parent=f"s{k % 10}") for k in range(areas)]
    return Site(
        id="bench",
        name=name,
        version="bench",
        partitions=partitions,
        fields=(Field(id="natural", name=name),),
        area_types=(AreaType(id="slope", field="natural", name=name),),
        places=tuple(places),
        areas=tuple(Area(id=f"a{k}", name=name, type="slope", place=f"c{k}", group=f"s{k % 10}") for k in range(areas)),
        points=tuple(
            Point(id=f"p{k}", name=name, areas=(f"a{k % areas}",), quantity="level", unit="mm", index=k)
            for k in range(points)
        ),
        signals=signals or Signals(),
        flood=Flood(least=1e5),  # a load sends as fast as it can
    )


def native_topics(site: Site) -> list[str]:
    """List the native topic of each point of a site."""
    return [f"{site.signals.native}/readings/{point.areas[0]}/{point.id}" for point in site.points]


def publish(topic: str, payload: bytes, qos: int = 0, mid: int = 1) -> bytes:
    """Encode an MQTT 3.1.1 PUBLISH."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if qos else b"") + payload
    return bytes((0x30 | qos << 1,)) + remaining(len(body)) + body


def remaining(size: int) -> bytes:
    """Encode a remaining length."""
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | (128 if size else 0))
        if not size:
            return bytes(out)


class Packets(Protocol):
    """Make packets: `burst(count, now)` gives bytes that hold `count` messages of `each` readings."""

    each: int
    qos: int

    @property
    def left(self) -> int:
        """Count the messages that one burst may still hold."""
        ...

    def burst(self, count: int, now: float) -> memoryview:
        """Make the next `count` messages, stamped with `now` (unix seconds)."""
        ...


class Singles:
    """Make single readings, one message each, point after point; no point has the same time twice."""

    each = 1

    def __init__(
        self,
        topics: Sequence[str],
        qos: int = 0,
        *,
        template: str = '{"value": @@.@@, "time": #############}',
        names: Sequence[str] = (),
        seed: int = 1,
    ) -> None:
        self.qos = qos
        payload = template.replace("@@.@@", "00.00").replace("#" * 13, "0" * 13)
        value_at, time_at = template.index("@"), template.index("#")
        payloads = [payload.replace("{name}", name).encode() for name in names or [""] * len(topics)]
        packets = [publish(topic, payload, qos) for topic, payload in zip(topics, payloads, strict=True)]
        starts = np.cumsum([0, *map(len, packets)])
        heads = np.array([len(packet) - len(payload) for packet, payload in zip(packets, payloads, strict=True)])
        self._buffer: Bytes = np.frombuffer(bytearray(b"".join(packets)), np.uint8)
        self._starts = starts
        self._count = len(packets)
        begin = starts[:-1] + heads
        self._values = begin[:, None] + value_at + np.array([0, 1, 3, 4])
        self._times = begin[:, None] + time_at + np.arange(13)
        self._mids = begin[:, None] - np.array([2, 1])
        self._random = np.random.default_rng(seed)
        self._at = 0
        self._round_ms = 0
        self._mid = 0

    def burst(self, count: int, now: float) -> memoryview:
        """Make at most one round of the points at a time; `count` must not exceed their number."""
        count = min(count, self._count - self._at)
        if self._at == 0:
            self._round_ms = max(int(now * 1000), self._round_ms + 1)
        stop = self._at + count
        digits = np.frombuffer(b"%013d" % self._round_ms, np.uint8)
        self._buffer[self._times[self._at : stop]] = digits
        cents = self._random.integers(2000, 7000, count)
        powers = np.array([1000, 100, 10, 1])
        self._buffer[self._values[self._at : stop]] = (cents[:, None] // powers % 10 + 48).astype(np.uint8)
        if self.qos:
            mids = (self._mid + np.arange(count)) % 65535 + 1
            self._buffer[self._mids[self._at : stop]] = np.stack([mids >> 8, mids & 255], 1).astype(np.uint8)
            self._mid = (self._mid + count) % 65535
        out = self._buffer.data[self._starts[self._at] : self._starts[stop]]
        self._at = stop % self._count
        return out

    @property
    def left(self) -> int:
        """Count the messages left in this round of the points."""
        return self._count - self._at


class Frames:
    """Make frames of msgpack columns over the points, cut into groups of `each`; no point has the same time twice."""

    def __init__(self, topic: str, points: Sequence[str], each: int = 1000, qos: int = 0, seed: int = 1) -> None:
        self.qos = qos
        self.each = each
        self._random = np.random.default_rng(seed)
        ids = [points[k % len(points)] for k in range(max(each, len(points) - len(points) % each))]
        self._last_ms = 0
        self._frames: list[tuple[Bytes, npt.NDArray[np.intp], npt.NDArray[np.intp]]] = []
        for start in range(0, len(ids), each):
            columns = {"points": ids[start : start + each], "values": [0.5] * each, "times": [0.25] * each}
            payload = msgspec.msgpack.encode(columns)
            packet = publish(topic, payload, qos)
            begin = len(packet) - len(payload)
            head = len(msgspec.msgpack.encode([0.5] * each)) - 9 * each  # of an array of this length
            values = begin + payload.rindex(msgspec.msgpack.encode("values")) + 7 + head
            times = begin + payload.rindex(msgspec.msgpack.encode("times")) + 6 + head
            places = np.arange(each)[:, None] * 9 + np.arange(1, 9)
            self._frames.append((np.frombuffer(bytearray(packet), np.uint8), values + places, times + places))
        self._at = 0
        self._mid = 0

    def burst(self, count: int, now: float) -> memoryview:
        """Make one frame."""
        buffer, values, times = self._frames[self._at]
        self._at = (self._at + 1) % len(self._frames)
        self._last_ms = max(int(now * 1000), self._last_ms + 1)
        stamps = self._last_ms / 1000 + np.arange(self.each) * 1e-7
        buffer[values] = self._random.uniform(20, 70, self.each).astype(">f8").view(np.uint8).reshape(self.each, 8)
        buffer[times] = stamps.astype(">f8").view(np.uint8).reshape(self.each, 8)
        if self.qos:
            self._mid = self._mid % 65535 + 1
            self._patch_mid(buffer)
        return buffer.data

    def _patch_mid(self, buffer: Bytes) -> None:
        length = 2
        while buffer[length - 1] & 128:
            length += 1
        at = length + 2 + (int(buffer[length]) << 8 | int(buffer[length + 1]))
        buffer[at], buffer[at + 1] = self._mid >> 8, self._mid & 255

    @property
    def left(self) -> int:
        """Give one: frames are made one at a time."""
        return 1


class Connection:
    """Hold one MQTT 3.1.1 connection that only publishes; QoS 1 acknowledgements are counted."""

    def __init__(self, host: str = "127.0.0.1", port: int = 1883, client_id: str = "") -> None:
        self.socket = socket.create_connection((host, port), 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0
        self.acknowledged = 0
        self.acknowledged_mids: list[int] | None = None  # set to [] to have them collected
        self._rest = b""
        name = (client_id or f"load-{os.getpid()}-{id(self):x}").encode()
        body = b"\0\4MQTT\4\2\x02\x58" + len(name).to_bytes(2, "big") + name
        self.socket.sendall(b"\x10" + remaining(len(body)) + body)
        answer = self.socket.recv(4)
        if len(answer) < 4 or answer[3]:
            raise ConnectionError(f"the broker refuses the connection: {answer.hex()}")

    def send(
        self, packets: memoryview | bytes, messages: int, qos: int, window: int = 1000, patience: float = 30
    ) -> None:
        """Send packets; with QoS 1 wait while more than `window` messages are unacknowledged."""
        self.socket.sendall(packets)
        self.sent += messages
        if qos:
            self.poll(0)
            deadline = time.monotonic() + patience
            while self.sent - self.acknowledged > window:
                self.poll(0.05)
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.sent - self.acknowledged} messages are not acknowledged")

    def poll(self, timeout: float) -> None:
        """Count the acknowledgements that came."""
        while select.select([self.socket], [], [], timeout)[0]:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the broker closed the connection")
            data = self._rest + data
            whole = len(data) - len(data) % 4  # nothing but four-byte PUBACKs comes here
            self._rest = data[whole:]
            self.acknowledged += whole // 4
            if self.acknowledged_mids is not None:
                acks = np.frombuffer(data[:whole], ">u2").reshape(-1, 2)
                self.acknowledged_mids += acks[:, 1].tolist()
            timeout = 0

    def drain(self, patience: float = 10) -> bool:
        """Wait until everything sent is acknowledged; tell whether it was."""
        deadline = time.monotonic() + patience
        while self.acknowledged < self.sent and time.monotonic() < deadline:
            self.poll(0.05)
        return self.acknowledged >= self.sent

    def close(self) -> None:
        """Say goodbye and close."""
        try:
            self.socket.sendall(b"\xe0\0")
        finally:
            self.socket.close()


def run(connection: Connection, packets: Packets, rate: float, duration: float, window: int = 1000) -> dict[str, float]:
    """Publish `rate` readings a second (0: flat out) for `duration` seconds; give what was done."""
    begun = time.monotonic()
    readings = 0
    most = 200 if packets.each == 1 else 1
    while True:
        elapsed = time.monotonic() - begun
        if elapsed >= duration:
            break
        due = int((elapsed * rate - readings) / packets.each) if rate else most
        if due <= 0:
            time.sleep(0.002 if packets.each == 1 else min(0.01, packets.each / rate / 2))
            continue
        while due > 0:
            count = min(due, most, packets.left)
            connection.send(packets.burst(count, time.time()), count, packets.qos, window)
            readings += count * packets.each
            due -= count
    if packets.qos:
        connection.drain()
    seconds = time.monotonic() - begun
    return {
        "readings": readings,
        "messages": connection.sent,
        "seconds": round(seconds, 3),
        "rate": round(readings / seconds),
        "acknowledged": connection.acknowledged,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.load", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--mode", choices=("singles", "frames"), default="singles")
    parser.add_argument("--rate", type=float, default=5000, help="readings a second; 0 is flat out")
    parser.add_argument("--duration", type=float, default=10, help="seconds")
    parser.add_argument("--qos", type=int, choices=(0, 1), default=0)
    parser.add_argument("--points", type=int, default=1000, help="points of the bench site")
    parser.add_argument("--frame", type=int, default=1000, help="readings a frame")
    parser.add_argument("--window", type=int, default=1000, help="unacknowledged messages allowed")
    parser.add_argument("--site", type=Path, help="folder of a site whose points to publish, instead of the bench site")
    parser.add_argument("--mapped", action="store_true", help='publish {"ts": ms, "value": …} to site/<area>/<point>')
    parser.add_argument("--senml", action="store_true", help="publish SenML packs of one record to senml/<k>")
    given = parser.parse_args(argv)
    site = bench_site(given.points)
    if given.site:
        from sensors.registry import load_site

        site = load_site(given.site)
    packets: Packets
    if given.mode == "frames":
        topic = f"{site.signals.native}/frames/{site.areas[0].id}"
        packets = Frames(topic, [point.id for point in site.points], given.frame, given.qos)
    elif given.mapped:
        topics = [f"site/{point.areas[0]}/{point.id}" for point in site.points]
        packets = Singles(topics, given.qos, template='{"ts": #############, "value": @@.@@}')
    elif given.senml:
        names = [point.id for point in site.points]
        topics = [f"senml/{k}" for k in range(len(names))]
        template = '[{"v":@@.@@,"t":#############e-3,"u":"mm","n":"{name}"}]'
        packets = Singles(topics, given.qos, template=template, names=names)
    else:
        packets = Singles(native_topics(site), given.qos)
    connection = Connection(given.host, given.port)
    figures = run(connection, packets, given.rate, given.duration, given.window)
    connection.close()
    print(json.dumps({"mode": given.mode, "qos": given.qos, "offered": given.rate, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
