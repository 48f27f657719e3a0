"""Floods: a point that sends far more than is expected of it is held to a rate, and harms no other.

A window of arrival counts what each point sends, and up to its burst everything passes. Beyond, the readings' own times
decide: of any one second of its own time a point may send no more than its rate. So a backlog of thousands of readings,
each of its own time, passes, while a source that repeats itself, or has no times and is stamped on arrival, does not.
What cameras and sources tell beside readings is held to a rate by `sensors.tellers`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.observation import FLOOD

WINDOW = 10.0
"""Seconds of arrival over which readings are counted; the burst is what the rate allows in them."""


class Surplus(NamedTuple):
    """Name the readings that are too many: their places, and which of them are the first of their point in a window."""

    places: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]


class Floods:
    """Hold every point's rate, and what it has sent lately, as arrays by registry index."""

    def __init__(self, registry: Registry) -> None:
        flood = registry.site.flood
        size = max(registry.by_index, default=-1) + 1
        self._rate = np.full(size, flood.least)
        for index, point in registry.by_index.items():
            self._rate[index] = max(flood.least, flood.times / point.interval)
        self._burst = self._rate * WINDOW
        self._least = float(self._burst.min(initial=np.inf))
        self._count = np.zeros(size, np.int64)
        self._limited = np.zeros(size, bool)  # had a surplus in this window
        self._any = False
        self._opened = -np.inf
        self._second = np.full(size, -np.inf)  # the latest second of its own time that a flooding point sent in ...
        self._sent = np.zeros(size, np.int64)  # ... and how many of it passed

    def succeed(self, other: Floods) -> None:
        """Go on with what was counted under an earlier version of the site; indices are never used anew."""
        size = min(len(self._count), len(other._count))
        for name in ("_count", "_limited", "_second", "_sent"):
            getattr(self, name)[:size] = getattr(other, name)[:size]
        self._opened, self._any = other._opened, other._any

    def surplus(self, decoded: Decoded, received: float) -> Surplus | None:
        """Count readings (times stamped) and name those that are too many; flag FLOOD what passes of their points."""
        if not 0.0 <= received - self._opened < WINDOW:
            self._opened = received
            self._count[:] = 0
            self._limited[:] = False
            self._any = False
        point = decoded.point
        np.add.at(self._count, point, 1)
        found = None
        if self._count[point].max() > self._least:
            found = self._judge(decoded, np.flatnonzero(self._count[point] > self._burst[point]))
        if self._any:
            flag = self._limited[point].astype(np.uint8) * np.uint8(FLOOD)
            decoded.quality = decoded.quality | flag
        return found

    def _judge(self, decoded: Decoded, rows: npt.NDArray[np.intp]) -> Surplus | None:
        rows = rows[np.isfinite(decoded.time[rows])]
        if not len(rows):
            return None
        rows = rows[np.lexsort((rows, decoded.time[rows], decoded.point[rows]))]
        point, second = decoded.point[rows], np.floor(decoded.time[rows])
        begins = np.empty(len(rows), bool)
        begins[0] = True
        np.logical_or(np.diff(point) != 0, np.diff(second) != 0.0, out=begins[1:])
        here = np.arange(len(rows))
        rank = here - np.maximum.accumulate(np.where(begins, here, 0))
        rank += np.where(second == self._second[point], self._sent[point], 0)
        over = rank >= self._rate[point]
        ends = np.flatnonzero(np.diff(point, append=-1))  # the latest second of each point
        newer = ends[second[ends] >= self._second[point[ends]]]
        self._second[point[newer]] = second[newer]
        self._sent[point[newer]] = rank[newer] + 1
        if not over.any():
            return None
        places = rows[over]
        fresh = ~self._limited[decoded.point[places]]
        first = places[fresh][np.unique(decoded.point[places[fresh]], return_index=True)[1]]
        self._limited[decoded.point[places]] = True
        self._any = True
        return Surplus(places, first)
