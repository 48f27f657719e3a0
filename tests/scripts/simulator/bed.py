"""A test bed: play a scene through the engines of a site in this process, on a clock of its own.

It does what `foreshock run` does without broker, log and waiting: the simulator's readings pass the bridge's inspection
and are packed into frames, camera events and a tick a second of arrival time go beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from alerts.outcome import AlarmTransition, AnyOutcome, DispatchChange, IncidentChange
from rules.rule import load_rules
from scripts.simulator.publish import FAR, NEAR, NEAR_HOURS
from scripts.simulator.scenes import SCENES, Scene
from scripts.simulator.world import World
from sensors import observation
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.observation import HISTORICAL, SIMULATED, CameraEvent, Publication, Tick
from sensors.packing import Packer
from sensors.quality import Inspector
from sensors.registry import load_site
from sensors.site import Point
from streams import bundle
from streams.bundle import Bundle
from streams.engine import Engine

DISTRICT = Path(__file__).parents[3] / "examples" / "district"
NOW = 1_795_420_800.0  # 2026-11-23T08:00Z, 16:00 in the district
HISTORY = 30 * 3600.0
LAG = 12 * 3600.0
"""Seconds by which the arrival of the scene's start is later than its own time: readings never come from the future."""

DELIVERY = 10.0
"""Seconds of arrival time that the delivery of the history takes."""

PAUSE = 0.2
"""Seconds of arrival time between the simulator's deliveries in a scene."""

RANK = {"": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}


def district() -> Bundle:
    """Load the example district with its rules."""
    site = load_site(DISTRICT)
    return Bundle(site=site, rules=load_rules(DISTRICT / "rules", site))


class Bed:
    """The engines of a site, and what they have said."""

    def __init__(self, content: Bundle) -> None:
        self.content = content
        self.registry = Registry(content.site)
        self.engines = [Engine(partition) for partition in range(content.site.partitions)]
        self.outcomes: list[AnyOutcome] = []
        self.readings = 0
        self.refused: dict[str, int] = {}
        self._inspector, self._packer = Inspector(self.registry), Packer(self.registry, "bed")
        self._pending: list[list[bytes]] = [[] for _ in self.engines]
        self._offset = [engine.offset for engine in self.engines]
        self._kept: list[tuple[float, np.ndarray, np.ndarray]] = []
        self._points: tuple[Point, ...] = ()
        self.wall = NOW + LAG
        self._ticked = math.floor(self.wall)

    @classmethod
    def published(cls, content: Bundle) -> Bed:
        """Make a bed in which the site is in force."""
        bed = cls(content)
        packed = bundle.pack(content)
        version = bundle.version_of(packed)
        record = observation.encode(Publication(version=version, bundle=packed, author="", reason="", time=bed.wall))
        for pending in bed._pending:
            pending.append(record)
        bed.flush()
        return bed

    def copy(self) -> Bed:
        """Make a bed that goes on from here, with nothing said yet."""
        other = Bed(self.content)
        other.engines = [Engine.restore(engine.snapshot()) for engine in self.engines]
        other._offset = list(self._offset)
        other.wall, other._ticked = self.wall, self._ticked
        return other

    # -- arrivals ----------------------------------------------------------------------------------------------------

    def deliver(self, points: np.ndarray, times: np.ndarray, values: np.ndarray, quality: int = SIMULATED) -> None:
        """Have readings arrive now, as the bridge would pack them."""
        if not len(points):
            return
        decoded = Decoded(np.arange(len(points)), points, times, values, np.full(len(points), quality, np.uint8))
        bad = self._inspector.inspect(decoded, self.wall)
        if bad is not None:
            self.refused["bridge"] = self.refused.get("bridge", 0) + int((bad > 0).sum())
            keep = bad == 0
            decoded = Decoded(
                decoded.message[keep],
                decoded.point[keep],
                decoded.time[keep],
                decoded.value[keep],
                decoded.quality[keep],
            )
        for _, partition, record in self._packer.pack(decoded, self.wall):
            self._pending[partition].append(record)

    def see(self, camera: str, kind: str, time: float, confidence: float = 0.9) -> None:
        """Have a camera event arrive now."""
        area = self.registry.cameras[camera].areas[0]
        event = CameraEvent(
            area=area,
            camera=camera,
            kind=kind,
            event=f"{camera}-{time:.3f}",
            time=time,
            received=self.wall,
            confidence=confidence,
            quality=SIMULATED,
        )
        self._pending[self.registry.partition(area)].append(observation.encode(event))

    def until(self, wall: float) -> None:
        """Move the arrival clock on, with a tick at every full second."""
        while self._ticked + 1 <= wall:
            self._ticked += 1
            for pending in self._pending:
                pending.append(observation.encode(Tick(time=float(self._ticked))))
        self.wall = wall

    def flush(self) -> None:
        """Apply what has piled up."""
        for partition, engine in enumerate(self.engines):
            pending, self._pending[partition] = self._pending[partition], []
            if not pending:
                continue
            start = self._offset[partition] + 1
            self._offset[partition] += len(pending)
            applied = engine.apply(list(enumerate(pending, start)))
            self.readings += applied.readings
            for reason, count in applied.refused.items():
                self.refused[reason] = self.refused.get(reason, 0) + count
            self.outcomes += [one for record in applied.records for one in record.outcomes]

    # -- a world -----------------------------------------------------------------------------------------------------

    def world(self, scene: Scene | str, seed: int = 1, after: World | None = None) -> World:
        """Make the world of a scene; `after`: the world whose history has been delivered, to go on from."""
        world = World(self.content.site, seed, SCENES[scene] if isinstance(scene, str) else scene, NOW)
        if after is not None:
            world.last, world.red, world.total = after.last.copy(), after.red.copy(), after.total.copy()
        return world

    def history(self, world: World, seconds: float = HISTORY) -> None:
        """Deliver the past as `Play.history` does, within `DELIVERY` seconds of arrival time."""
        index = self._index(world)
        begun, before = self.wall, world.start - seconds
        while before < world.start:
            near = world.start - before <= NEAR_HOURS * 3600
            now = min(before + (NEAR if near else FAR), world.start)
            self.until(begun + DELIVERY * (1 - (world.start - now) / seconds))
            which, times, values = world.read(before, now)
            self.deliver(index[which], times, values, SIMULATED | HISTORICAL)
            before = now
        self.flush()

    def play(self, world: World, seconds: float, speed: float = 30.0, *, first: float = 0.0) -> None:
        """Play the scene from its `first` second to its `seconds`-th, as `Play.live` does at a speed."""
        index = self._index(world)
        self._points = world.points
        seen = sorted((one for one in world.scene.seen if one.at > first), key=lambda one: one.at)
        begun, before = self.wall, world.start + first
        for turn in range(1, math.ceil((seconds - first) / (speed * PAUSE)) + 1):
            self.until(begun + turn * PAUSE)
            now = min(world.start + first + turn * PAUSE * speed, world.start + seconds)
            which, times, values = world.read(before, now)
            self.deliver(index[which], times, values)
            self._kept += [(self.wall, which, values)]
            while seen and world.start + seen[0].at <= now:
                one = seen.pop(0)
                self.see(one.camera, one.label, world.start + one.at, one.score)
            before = now
            if turn % 20 == 0:
                self.flush()
        self.flush()

    def _index(self, world: World) -> np.ndarray:
        return np.array([point.index for point in world.points], np.intp)

    def heard(self, point: str) -> list[tuple[float, float]]:
        """List (arrival time, value) of a point's readings in the scene."""
        mine = next(row for row, one in enumerate(self._points) if one.id == point)
        return [(wall, float(value)) for wall, which, values in self._kept for value in values[which == mine]]

    # -- what was said -----------------------------------------------------------------------------------------------

    def alarms(self, kind: str = "risk", area: str | None = None) -> list[AlarmTransition]:
        """List the edges at which alarms were raised to a level, in order."""
        return [
            one
            for one in self.outcomes
            if isinstance(one, AlarmTransition)
            and one.kind == kind
            and one.edge in ("alarm", "raise", "realarm")
            and area in (None, one.area)
        ]

    def dispatches(self) -> list[DispatchChange]:
        """List the dispatches issued."""
        return [one for one in self.outcomes if isinstance(one, DispatchChange) and one.edge == "issued"]

    def incidents(self, kind: str = "risk") -> dict[str, IncidentChange]:
        """Map incidents to their latest change."""
        return {one.incident: one for one in self.outcomes if isinstance(one, IncidentChange) and one.kind == kind}


class Minutes(NamedTuple):
    """Tell minutes of a scene that began at an arrival time and is played at a speed."""

    begun: float
    speed: float

    def __call__(self, time: float) -> float:
        """Return the minute of the scene at an arrival time."""
        return (time - self.begun) * self.speed / 60


def peak(alarms: Iterable[AlarmTransition]) -> str:
    """Name the highest level of some alarms; "" for none."""
    return max((one.level for one in alarms), key=RANK.__getitem__, default="")
