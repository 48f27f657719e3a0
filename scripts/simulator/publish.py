"""Play a world, or a recorded series, into a real MQTT broker."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

import msgspec
import numpy as np

from scripts.simulator.scenes import Seen
from scripts.simulator.world import Floats, Rows, World
from sensors.observation import HISTORICAL, SIMULATED
from sensors.publisher import BrokerError, Publisher
from sensors.site import Site
from streams.drill_signals import simulated_event

FAR, NEAR = 300.0, 60.0
"""Seconds between a point's readings in the past: what a gateway keeps of long ago, and of the last hours."""

NEAR_HOURS = 2.0

GATHER = 12
"""Steps of the past that go into one frame: a gateway catches up in large messages."""

SINGLES = 300.0
"""Readings a second up to which each is a message of its own; beyond it areas are sent as frames."""


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
