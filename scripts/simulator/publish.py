"""Play a world, or a recorded series, into a real MQTT broker through paho."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
import numpy as np
import paho.mqtt.client as mqtt

from scripts.simulator.scenes import Seen
from scripts.simulator.world import World
from sensors.observation import HISTORICAL, SIMULATED
from sensors.site import Site

FLIGHT = 200
"""Messages under way to the broker before the simulator waits for its acknowledgement."""

FAR, NEAR = 300.0, 60.0
"""Seconds between a point's readings in the past: what a gateway keeps of long ago, and of the last hours."""

NEAR_HOURS = 2.0

SINGLES = 300.0
"""Readings a second up to which each is a message of its own; beyond it areas are sent as frames."""


class BrokerError(RuntimeError):
    """Raised when the broker cannot be reached, with its address and the reason."""


class Publisher:
    """A paho client that never has more than FLIGHT messages unacknowledged."""

    def __init__(self, host: str, port: int, username: str = "", password: str = "", name: str = "simulator") -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"foreshock-{name}-{time.time_ns()}")
        self._client.max_inflight_messages_set(FLIGHT)
        if username:
            self._client.username_pw_set(username, password)
        connected = threading.Event()
        refused: list[str] = []

        def on_connect(_client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
            if str(reason) != "Success":
                refused.append(str(reason))
            connected.set()

        self._client.on_connect = on_connect
        try:
            self._client.connect(host, port, keepalive=30)
        except OSError as error:
            raise BrokerError(f"no MQTT broker at {host}:{port}: {error.strerror or error}") from error
        self._client.loop_start()
        if not connected.wait(10) or refused:
            self._client.loop_stop()
            raise BrokerError(f"the MQTT broker at {host}:{port} refused: {refused or 'no answer in 10 s'}")
        self._under_way: deque[mqtt.MQTTMessageInfo] = deque()

    def send(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1; wait when too much is under way. Raise `BrokerError` when nothing moves for 30 s."""
        while self._under_way and self._under_way[0].is_published():
            self._under_way.popleft()
        if len(self._under_way) >= FLIGHT:
            oldest = self._under_way.popleft()
            oldest.wait_for_publish(30)
            if not oldest.is_published():
                raise BrokerError("the MQTT broker has not acknowledged anything for 30 s")
        self._under_way.append(self._client.publish(topic, payload, qos=1))

    def flush(self, seconds: float = 30.0) -> None:
        """Wait until everything sent is acknowledged."""
        deadline = time.monotonic() + seconds
        while self._under_way:
            self._under_way.popleft().wait_for_publish(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Flush and disconnect."""
        self.flush(2.0)
        self._client.disconnect()
        self._client.loop_stop()


class Play:
    """One run of a scene: history first, then the scene at its speed, then on at the pace of the world."""

    def __init__(self, site: Site, world: World, publisher: Publisher, speed: float) -> None:
        self.world, self.publisher, self.speed = world, publisher, speed
        self.prefix = site.signals.native
        self.frigate = site.signals.frigate[0].prefix if site.signals.frigate else None
        self.sources = {camera.id: camera.source or camera.id for camera in site.cameras}
        self.sent = 0
        self._event = itertools.count(1)

    def history(self, seconds: float, advance: Callable[[int], None], stop: threading.Event) -> None:
        """Deliver the past up to the scene's start, as gateways do after an outage: frames, oldest first."""
        before = self.world.start - seconds
        while before < self.world.start and not stop.is_set():
            near = self.world.start - before <= NEAR_HOURS * 3600
            now = min(before + (NEAR if near else FAR), self.world.start)
            self._send(before, now, frames=True, quality=SIMULATED | HISTORICAL)
            advance(int(now - before))
            before = now

    def live(self, stop: threading.Event, seconds: float | None = None, pause: float = 0.2) -> None:
        """Play from the scene's start until stopped, or until `seconds` of the scene have passed."""
        begun, before = time.time(), self.world.start
        seen = deque(sorted(self.world.scene.seen, key=lambda one: one.at))
        rate = float((1 / self.world.interval).sum()) * self.speed
        while not stop.is_set():
            wall = time.time()
            now = min(self.world.start + (wall - begun) * self.speed, wall)
            caught_up = now >= wall - 1e-3
            self._send(before, now, frames=rate > SINGLES and not caught_up)
            while seen and self.world.start + seen[0].at <= now:
                self._see(seen.popleft())
            before = now
            if seconds is not None and now - self.world.start >= seconds:
                return
            stop.wait(pause)

    def _send(self, before: float, now: float, *, frames: bool, quality: int = SIMULATED) -> None:
        which, times, values = self.world.read(before, now)
        self.sent += len(which)
        if not frames:
            for row, at, value in zip(which.tolist(), times.tolist(), values.tolist(), strict=True):
                point = self.world.points[row]
                body = msgspec.json.encode({"value": value, "time": at, "quality": quality})
                self.publisher.send(f"{self.prefix}/readings/{point.areas[0]}/{point.id}", body)
            return
        areas = np.array([self.world.points[row].areas[0] for row in which.tolist()])
        for area in np.unique(areas).tolist():
            mine = np.flatnonzero(areas == area)
            body = msgspec.msgpack.encode(
                {
                    "points": [self.world.points[row].id for row in which[mine].tolist()],
                    "times": times[mine].tolist(),
                    "values": values[mine].tolist(),
                    "quality": quality,
                }
            )
            self.publisher.send(f"{self.prefix}/frames/{area}", body)

    def _see(self, seen: Seen) -> None:
        if self.frigate is None:
            return
        at = self.world.start + seen.at
        identity = f"{at:.3f}-sim{next(self._event)}"
        after = {
            "id": identity,
            "camera": self.sources.get(seen.camera, seen.camera),
            "frame_time": at,
            "label": seen.label,
            "sub_label": None,
            "top_score": seen.score,
            "score": seen.score,
            "false_positive": False,
            "start_time": at,
            "end_time": None,
            "box": [312, 180, 420, 266],
            "area": 9288,
            "ratio": 1.26,
            "current_zones": ["slope"],
            "entered_zones": ["slope"],
            "has_snapshot": True,
            "has_clip": False,
            "active": True,
            "stationary": False,
            "simulated": True,
        }
        event = {"type": "new", "before": {**after, "score": 0.0}, "after": after}
        self.publisher.send(f"{self.frigate}/events", msgspec.json.encode(event))


def play_series(
    publisher: Publisher,
    topic: str,
    readings: Iterable[tuple[float, float]],
    *,
    speed: float,
    shift: float,
    simulated: bool,
    advance: Callable[[int], None],
    stop: threading.Event,
) -> int:
    """Publish (time, value) pairs as single readings, moved by `shift` seconds; speed 0 is as fast as it goes.

    Return how many were sent.
    """
    begun: tuple[float, float] | None = None
    sent = 0
    for at, value in readings:
        if speed > 0:
            begun = begun or (time.monotonic(), at)
            wait = begun[0] + (at - begun[1]) / speed - time.monotonic()
            if wait > 0:
                stop.wait(wait)
        if stop.is_set():
            break
        body: dict[str, object] = {"value": value, "time": at + shift}
        if simulated:
            body["quality"] = "simulated"
        publisher.send(topic, msgspec.json.encode(body))
        sent += 1
        advance(1)
    publisher.flush()
    return sent
