"""The district's physics: what each point would measure, as arrays over all points.

Every signal is a base, a daily swing, slow drift and coloured noise, drawn once from the seed; a scene adds its effects
on top. Nothing here reads a clock: time is an argument, so that a seed and a start give the same district again.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scripts.simulator.scenes import Scene
from sensors.site import Point, Site

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

DAY = 86400.0

# How a quantity moves, as shares of half its normal band: (daily swing, noise, correlation time in s).
CHARACTER: dict[str, tuple[float, float, float]] = {
    "temperature": (0.45, 0.02, 1800.0),
    "humidity": (0.45, 0.03, 1800.0),
    "wind": (0.20, 0.08, 300.0),
    "flow": (0.35, 0.04, 600.0),
    "pressure": (0.25, 0.03, 600.0),
    "people": (0.55, 0.04, 900.0),
    "density": (0.45, 0.04, 900.0),
    "displacement": (0.06, 0.04, 3600.0),
    "tilt": (0.06, 0.04, 3600.0),
    "crack": (0.06, 0.04, 3600.0),
}
PLAIN = (0.15, 0.05, 900.0)

# The same where the kind of area says more than the quantity: a reservoir does not move like an underpass.
IN_AREA: dict[tuple[str, str], tuple[float, float, float]] = {
    ("river", "level"): (0.02, 0.002, 6 * 3600.0),
    ("river", "flow"): (0.05, 0.01, 6 * 3600.0),
    ("chemical", "level"): (0.25, 0.004, 4 * 3600.0),
}

RECORDED = "recorded"
"""Tag of points that the world leaves alone: a recorded series is played into them."""

TIDE = (0.5, 12.42 * 3600.0)
"""The tide at a sea wall: share of half the normal band, and seconds from high water to high water."""


class World:
    """Hold each point's signal; `sample` gives values at a time."""

    def __init__(self, site: Site, seed: int, scene: Scene, start: float) -> None:
        self.points: tuple[Point, ...] = tuple(point for point in site.points if RECORDED not in point.tags)
        self.scene = scene
        self.start = start
        count = len(self.points)
        self.interval = np.array([point.interval for point in self.points])
        random = np.random.default_rng(seed)
        low, high = (np.array(side) for side in zip(*(band(point) for point in self.points), strict=True))
        half = (high - low) / 2
        kind = {area.id: area.type for area in site.areas}
        shape = np.array([_character(point, kind) for point in self.points]).reshape(count, 3)
        self.base = (low + high) / 2 + half * random.uniform(-0.15, 0.15, count)
        self.swing = half * shape[:, 0] * random.uniform(0.7, 1.1, count)
        self.period = np.full(count, DAY)
        tidal = np.flatnonzero([_tidal(point) for point in self.points])
        self.swing[tidal], self.period[tidal] = half[tidal] * TIDE[0], TIDE[1]
        self.noise = half * shape[:, 1]
        self.memory = shape[:, 2]
        self.phase = random.uniform(0, 3600.0, count) + 8 * 3600.0
        self.offset = random.uniform(0, 1, count) * self.interval  # points do not all speak at once
        self.floor = np.array([point.range[0] if point.range else -np.inf for point in self.points])
        self.ceiling = np.array([point.range[1] if point.range else np.inf for point in self.points])
        self.switch = np.array([point.kind == "switch" for point in self.points])
        self.rain = np.array([point.quantity == "rain" for point in self.points])
        self.counter = np.array([point.kind == "counter" for point in self.points])
        self.total = np.zeros(count)
        self.red = np.zeros(count)
        self.last = np.full(count, start - 3600.0)
        self._random = np.random.default_rng([seed, zlib.crc32(scene.name.encode())])
        self._effects = [(self._match(effect.points), effect) for effect in scene.effects]

    def due(self, before: float, now: float) -> Rows:
        """Return the points whose next reading falls in (before, now]."""
        return np.flatnonzero(
            np.floor((now - self.offset) / self.interval) > np.floor((before - self.offset) / self.interval)
        )

    def stamp(self, which: Rows, now: float) -> Floats:
        """Return the times, in unix seconds, at which points took their latest reading up to `now`."""
        interval, offset = self.interval[which], self.offset[which]
        return np.floor((now - offset) / interval) * interval + offset

    def read(self, before: float, now: float) -> tuple[Rows, Floats, Floats]:
        """Take the readings that fall due in (before, now]: points (intp), times in unix seconds, values.

        A point that falls due several times gives its latest reading only; one that a scene silences gives none.
        """
        which = self.due(before, now)
        times = self.stamp(which, now)
        values, silent = self.sample(which, times)
        heard = ~silent
        return which[heard], times[heard], values[heard]

    def sample(self, which: Rows, time: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Measure points `which` at `time` (same length); return values in the points' units, and who is silent."""
        passed = np.maximum(time - self.last[which], 0.0)
        self.last[which] = time
        keep = np.exp(-passed / self.memory[which])
        shock = self._random.standard_normal(len(which)) * np.sqrt(1 - keep**2)
        self.red[which] = self.red[which] * keep + shock
        value = (
            self.base[which]
            + self.swing[which] * np.sin(2 * np.pi * (time - self.phase[which]) / self.period[which])
            + self.noise[which] * (2 * self.red[which] + self._random.standard_normal(len(which)) * 0.5)
        )
        quiet = self.switch[which] | self.rain[which]
        value[quiet] = 0.0
        silent = np.zeros(len(which), bool)
        for members, effect in self._effects:
            touched = members[which]
            if touched.any():
                value[touched] = effect.apply(value[touched], time[touched] - self.start, self._random)
                silent |= touched & effect.silences(time - self.start)
        rising = self.counter[which]
        if rising.any():
            rows = which[rising]
            self.total[rows] += np.abs(value[rising]) * passed[rising] / 3600.0
            value[rising] = self.total[rows]
        value = np.clip(value, self.floor[which], self.ceiling[which])
        return np.round(value, 3), silent

    def _match(self, patterns: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Mark the points whose id, or `quantity@area`, matches one of the patterns (a trailing * matches the rest)."""
        marked = np.zeros(len(self.points), bool)
        for row, point in enumerate(self.points):
            names = [point.id, *(f"{point.quantity}@{area}" for area in point.areas)]
            marked[row] = any(
                name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
                for pattern in patterns
                for name in names
            )
        return marked


def _character(point: Point, kind: dict[str, str]) -> tuple[float, float, float]:
    """Say how a point moves: by its kind of area and quantity, else by its quantity."""
    return IN_AREA.get((kind[point.areas[0]], point.quantity)) or CHARACTER.get(point.quantity, PLAIN)


def _tidal(point: Point) -> bool:
    """Tell a gauge of the sea: a level whose normal band reaches below the datum."""
    return point.quantity == "level" and point.normal is not None and point.normal[0] < 0


def band(point: Point) -> tuple[float, float]:
    """Return the normal band of a point: as the registry has it, else guessed from its limit or range."""
    if point.normal:
        return point.normal
    if point.limit is not None:
        return (point.limit * 1.1, point.limit * 1.6) if point.limit_below else (0.1 * point.limit, 0.4 * point.limit)
    if point.range:
        low, high = point.range
        return low + 0.2 * (high - low), low + 0.5 * (high - low)
    return 0.0, 1.0
