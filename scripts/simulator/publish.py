"""Play a world, or a recorded series, into a real MQTT broker through paho."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

import msgspec
import numpy as np
import paho.mqtt.client as mqtt

from scripts.simulator.scenes import Seen
from scripts.simulator.world import Floats, Rows, World
from sensors.observation import HISTORICAL, SIMULATED
from sensors.site import Site

FLIGHT = 200
"""Messages under way to the broker before the simulator waits for its acknowledgement."""

PATIENCE = 30.0
"""Seconds without any acknowledgement from a connected broker after which something is wrong with it."""

FAR, NEAR = 300.0, 60.0
"""Seconds between a point's readings in the past: what a gateway keeps of long ago, and of the last hours."""

NEAR_HOURS = 2.0

GATHER = 12
"""Steps of the past that go into one frame: a gateway catches up in large messages."""

SINGLES = 300.0
"""Readings a second up to which each is a message of its own; beyond it areas are sent as frames."""


class BrokerError(RuntimeError):
    """Raised when the broker cannot be reached, with its address and the reason."""


class Publisher:
    """A paho client that never has more than FLIGHT messages unacknowledged, and outlives the broker's absence.

    Set `stop` to end every wait at once. `tell` is given a sentence when the connection is lost, and when it is back.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str = "",
        password: str = "",
        name: str = "simulator",
        stop: threading.Event | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._address = f"{host}:{port}"
        self._stop, self._tell = stop or threading.Event(), tell
        self._moved = threading.Condition()
        self._sent = self._acknowledged = 0
        self._connected = False
        self._refused = ""
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"foreshock-{name}-{time.time_ns()}")
        client.max_inflight_messages_set(FLIGHT)
        client.reconnect_delay_set(1, 5)
        if username:
            client.username_pw_set(username, password)
        if context is not None:
            client.tls_set_context(context)
        client.on_connect, client.on_disconnect, client.on_publish = self._on_connect, self._on_disconnect, self._on_ack
        self._client = client
        try:
            client.connect(host, port, keepalive=30)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BrokerError(f"no MQTT broker at {self._address}: {reason}") from error
        client.loop_start()
        self._wait(lambda: self._connected or bool(self._refused), 10.0)
        if not self._connected and not self._stop.is_set():
            client.loop_stop()
            raise BrokerError(f"the MQTT broker at {self._address} refused: {self._refused or 'no answer in 10 s'}")

    def send(self, topic: str, payload: bytes) -> None:
        """Publish at QoS 1; wait while too much is under way, for as long as the broker is away.

        Raise `BrokerError` when a connected broker acknowledges nothing for 30 s.
        """
        while self._sent - self._acknowledged >= FLIGHT and not self._stop.is_set():
            before = self._acknowledged + 1
            if not self._wait(partial(self._has_acknowledged, before), PATIENCE) and self._connected:
                raise BrokerError(f"the MQTT broker at {self._address} has not acknowledged anything for 30 s")
        if not self._stop.is_set():
            self._sent += 1
            self._client.publish(topic, payload, qos=1)

    def flush(self, seconds: float = 30.0) -> bool:
        """Wait until everything sent is acknowledged, or `seconds` have passed; tell which."""
        return self._wait(partial(self._has_acknowledged, self._sent), seconds)

    def close(self) -> None:
        """Disconnect; what is under way gets a moment."""
        with self._moved:
            if self._connected:
                self._moved.wait_for(partial(self._has_acknowledged, self._sent), 0.3)
            self._stop.set()
        self._client.disconnect()
        with self._moved:  # paho's thread may sleep for a second between two attempts: it ends by itself
            self._moved.wait_for(lambda: not self._connected, 0.2)

    def _has_acknowledged(self, count: int) -> bool:
        return self._acknowledged >= count

    def _wait(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is reached, the time is over, or a stop is asked for."""
        deadline = time.monotonic() + seconds
        with self._moved:
            while not reached() and not self._stop.is_set() and (left := deadline - time.monotonic()) > 0:
                self._moved.wait(min(left, 0.2))  # a stop comes from a signal handler, which cannot notify
            return reached()

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        with self._moved:
            again = self._sent > 0
            self._connected = str(reason) == "Success"
            self._refused = "" if self._connected else str(reason)
            self._moved.notify_all()
        if again and self._connected:
            self._tell(f"the MQTT broker at {self._address} is back")

    def _on_disconnect(self, _client: object, _data: object, _flags: object, reason: object, _more: object) -> None:
        with self._moved:
            lost, self._connected = self._connected, False
            self._moved.notify_all()
        if lost and not self._stop.is_set():
            self._tell(f"lost the MQTT broker at {self._address} ({reason}); publishing goes on when it is back")

    def _on_ack(self, _client: object, _data: object, _mid: int, _reason: object, _properties: object) -> None:
        with self._moved:
            self._acknowledged += 1
            self._moved.notify_all()


class Play:
    """One run of a scene: history first, then the scene at its speed, then on at the pace of the world."""

    def __init__(self, site: Site, world: World, publisher: Publisher, speed: float) -> None:
        self.world, self.publisher, self.speed = world, publisher, speed
        self.prefix = site.signals.native
        self.frigate = site.signals.frigate[0].prefix if site.signals.frigate else None
        self.sources = {camera.id: camera.source or camera.id for camera in site.cameras}
        self.sent = 0
        self._areas = [area.id for area in site.areas]
        number = {area: place for place, area in enumerate(self._areas)}
        self._home = np.array([number[point.areas[0]] for point in world.points], np.intp)
        self._event = itertools.count(1)

    def history(self, seconds: float, advance: Callable[[int], None], stop: threading.Event) -> None:
        """Deliver the past up to the scene's start, as gateways do after an outage: large frames, oldest first."""
        before, gathered = self.world.start - seconds, []
        while before < self.world.start and not stop.is_set():
            near = self.world.start - before <= NEAR_HOURS * 3600
            now = min(before + (NEAR if near else FAR), self.world.start)
            gathered.append(self.world.read(before, now))
            if len(gathered) == GATHER or now >= self.world.start:
                self._frames(*map(np.concatenate, zip(*gathered, strict=True)), SIMULATED | HISTORICAL)
                gathered = []
            advance(int(now - before))
            before = now

    def live(
        self,
        stop: threading.Event,
        seconds: float | None = None,
        advance: Callable[[float], None] = lambda seconds: None,
        pause: float = 0.2,
    ) -> None:
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
            advance(now - before)
            before = now
            if seconds is not None and now - self.world.start >= seconds:
                return
            stop.wait(pause)

    def _send(self, before: float, now: float, *, frames: bool) -> None:
        which, times, values = self.world.read(before, now)
        if frames:
            self._frames(which, times, values, SIMULATED)
            return
        self.sent += len(which)
        for row, at, value in zip(which.tolist(), times.tolist(), values.tolist(), strict=True):
            point = self.world.points[row]
            body = msgspec.json.encode({"value": value, "time": at, "quality": SIMULATED})
            self.publisher.send(f"{self.prefix}/readings/{point.areas[0]}/{point.id}", body)

    def _frames(self, which: Rows, times: Floats, values: Floats, quality: int) -> None:
        self.sent += len(which)
        home = self._home[which]
        for number in np.unique(home).tolist():
            mine = np.flatnonzero(home == number)
            body = msgspec.msgpack.encode(
                {
                    "points": [self.world.points[row].id for row in which[mine].tolist()],
                    "times": times[mine].tolist(),
                    "values": values[mine].tolist(),
                    "quality": quality,
                }
            )
            self.publisher.send(f"{self.prefix}/frames/{self._areas[number]}", body)

    def _see(self, seen: Seen) -> None:
        if self.frigate is None:
            return
        at = self.world.start + seen.at
        identity = f"{at:.3f}-sim{next(self._event)}"
        event = simulated_event(identity, self.sources.get(seen.camera, seen.camera), seen.label, seen.score, at)
        self.publisher.send(f"{self.frigate}/events", msgspec.json.encode(event))


def simulated_event(id: str, camera: str, label: str, score: float, at: float) -> dict[str, object]:
    """Make what a camera's analytics publish when they see something (Frigate), marked as simulated."""
    after = {
        "id": id,
        "camera": camera,
        "frame_time": at,
        "label": label,
        "sub_label": None,
        "top_score": score,
        "score": score,
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
    return {"type": "new", "before": {**after, "score": 0.0}, "after": after}


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
    if not publisher.flush() and not stop.is_set():
        raise BrokerError("the MQTT broker has not acknowledged the last readings")
    return sent
