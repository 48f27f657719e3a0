"""When points crossed their limits: what an alarm should have come before."""

from __future__ import annotations

import msgspec
import numpy as np

from sensors.observation import HISTORICAL, UNUSABLE
from sensors.site import Site
from streams.run import Run

APART = 3600.0
"""Seconds without a reading beyond the limit after which the next one is a crossing of its own."""


class Crossing(msgspec.Struct, frozen=True):
    """Say that a point came to its limit. `time` is the reading's arrival, as alarms' times are: unix seconds."""

    point: str
    area: str
    time: float


class Crossings:
    """Notice crossings in frames of readings. `found` has them in the order in which they came."""

    def __init__(self) -> None:
        self.found: list[Crossing] = []
        self._limits = np.empty(0)  # by index of the registry, NaN where there is none
        self._sign = np.empty(0)
        self._last = np.empty(0)  # when the point was last beyond it
        self._names: dict[int, tuple[str, str]] = {}

    def publish(self, site: Site) -> None:
        """Go by another version of the site."""
        size = max((point.index for point in site.points), default=-1) + 1
        self._limits, self._sign = np.full(size, np.nan), np.ones(size)
        last = np.full(size, -np.inf)
        last[: len(self._last)] = self._last[:size]
        self._last = last
        self._names = {point.index: (point.id, point.areas[0]) for point in site.points if point.areas}
        for point in site.points:
            if point.limit is not None and point.areas:
                self._sign[point.index] = -1.0 if point.limit_below else 1.0
                self._limits[point.index] = self._sign[point.index] * point.limit

    def note(self, run: Run) -> None:
        """Look at the readings of frames, in the order in which they came; what is no reading of now is passed over."""
        if not len(self._limits):
            return
        inside = run.point < len(self._limits)
        point = np.where(inside, run.point, 0).astype(np.intp)
        with np.errstate(invalid="ignore"):
            beyond = inside & (run.value * self._sign[point] >= self._limits[point])
        at = np.flatnonzero(beyond & ((run.quality & (UNUSABLE | HISTORICAL)) == 0))
        which = run.which[at]
        for number in np.unique(which).tolist():
            now = run.frames[number][1].header.received
            mine = np.unique(point[at[which == number]])
            for index in mine[now - self._last[mine] > APART].tolist():
                self.found.append(Crossing(*self._names[index], now))
            self._last[mine] = now
