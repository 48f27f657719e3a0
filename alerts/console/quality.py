"""Quality of data by point, in memory: how many readings were flagged, how, and the latest of them to be shown."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sensors.flags import ASIDE, FLAGS, names
from sensors.lookup import Registry
from sensors.observation import SIMULATED

MARKS = 256
HOURS = 24
NAMES = tuple(name for name, bit in FLAGS.items() if bit != SIMULATED)
"""Flags that are counted: that a reading is simulated says nothing about its quality."""

PLAIN = ("historical",)
"""Flags that are counted and make a point no worse."""

_BITS = np.array([FLAGS[name] for name in NAMES], np.uint16)
_WORSE = np.array([name not in PLAIN for name in NAMES])

F8 = npt.NDArray[np.float64]


class Mark(NamedTuple):
    """A flagged reading; `aside`: it was neither scored nor put to a rule of risk."""

    time: float
    value: float
    flags: tuple[str, ...]
    aside: bool


def _longer(array: npt.NDArray[Any], rows: int, fill: float = 0) -> npt.NDArray[Any]:
    """Give an array room for `rows` rows; new ones hold `fill`."""
    shape = (rows, *array.shape[1:])
    longer = np.full(shape, fill, array.dtype) if fill else np.zeros(shape, array.dtype)
    longer[: len(array)] = array
    return longer


class QualityStore:
    """Count flagged readings of a site's points. Safe to share between threads.

    A point that serves areas of several partitions is counted where its home area is.
    """

    def __init__(self, registry: Registry) -> None:
        self._lock = threading.Lock()
        self._home = np.full(0, -1, np.intp)
        self.last_good = np.full(0, np.nan)  # event time, unix seconds
        self.total = np.zeros((0, len(NAMES)), np.int64)
        self._hourly = np.zeros((0, HOURS, len(NAMES)), np.int32)
        self._hour = np.zeros((0, HOURS), np.int32)  # which hour since 1970 stands in a place of `_hourly`
        self._count = np.zeros(0, np.int64)
        self._time, self._value = np.zeros((0, MARKS)), np.zeros((0, MARKS))
        self._flags = np.zeros((0, MARKS), np.uint16)
        self.adopt(registry)

    def adopt(self, registry: Registry) -> None:
        """Count for another version of the site from now on; what was counted stays."""
        points = max(len(self._home), max(registry.by_index, default=-1) + 1)
        with self._lock:
            self._registry = registry
            self._home = _longer(self._home, points, -1)
            for index, point in registry.by_index.items():
                self._home[index] = registry.partition(point.areas[0])
            self.last_good = _longer(self.last_good, points, np.nan)
            self.total, self._hourly = _longer(self.total, points), _longer(self._hourly, points)
            self._hour, self._count = _longer(self._hour, points), _longer(self._count, points)
            self._time, self._value = _longer(self._time, points), _longer(self._value, points)
            self._flags = _longer(self._flags, points)

    def append(
        self,
        partition: npt.NDArray[np.intp],
        point: npt.NDArray[np.uint32],
        time: F8,
        value: F8,
        flags: npt.NDArray[np.uint16],
        seen: float | None,
    ) -> None:
        """Count readings of `partition`. `seen` is when they arrived, unix seconds; None takes their own time."""
        rows = point.astype(np.intp)
        mine = rows < len(self._home)
        mine[mine] = self._home[rows[mine]] == partition[mine]
        with self._lock:
            good = mine & ((flags & ASIDE) == 0) & np.isfinite(time)
            self.last_good[rows[good]] = np.fmax(self.last_good[rows[good]], time[good])
            some = np.flatnonzero(mine & ((flags & np.uint16(_BITS.sum())) != 0))
            if len(some):
                arrived = time[some] if seen is None else np.full(len(some), seen)
                self._add(rows[some], time[some], value[some], flags[some], arrived)

    def marks(self, point: int, start: float, stop: float) -> list[Mark]:
        """List a point's latest flagged readings from `start` to `stop`, oldest first."""
        with self._lock:
            kept = slice(0, min(int(self._count[point]), MARKS))
            columns = (self._time[point, kept], self._value[point, kept], self._flags[point, kept])
            times, values, flags = (column.tolist() for column in columns)
        found = [
            Mark(time, value, tuple(name for name in names(flag) if name in NAMES), bool(flag & ASIDE))
            for time, value, flag in zip(times, values, flags, strict=True)
            if start <= time <= stop
        ]
        return sorted(found, key=lambda mark: mark.time)

    def worst(
        self, now: float, clocks: Mapping[str, float], *, area: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """List points whose readings were flagged within a day, or whose clock is wrong, the worst first.

        `clocks` are the wrong ones: point → seconds ahead.
        """
        ids = self._registry.by_index
        with self._lock:
            day = self._within_a_day(now)
            rank = day[:, _WORSE].sum(axis=1)
            for id in clocks:
                point = self._registry.point(id)
                if point is not None and point.index < len(rank):
                    rank[point.index] += 1
            order = np.argsort(-rank, kind="stable")
            found: Iterable[int] = order[: int(np.count_nonzero(rank))].tolist()
            if area is not None:
                inside = {point.index for point in self._registry.points_of(area)}
                found = [index for index in found if index in inside]
            return [
                {
                    "point": ids[index].id,
                    "areas": ids[index].areas,
                    "day": _counts(day[index]),
                    "total": _counts(self.total[index]),
                    "clock": clocks.get(ids[index].id),
                    "last_good": None if np.isnan(self.last_good[index]) else float(self.last_good[index]),
                }
                for index in list(found)[:limit]
                if index in ids
            ]

    def cameras(self, clocks: Mapping[str, float], *, area: str | None = None) -> list[dict[str, Any]]:
        """List cameras whose clock is wrong, the furthest off first. `clocks`: camera → seconds ahead."""
        found = []
        for id, ahead in sorted(clocks.items(), key=lambda pair: -abs(pair[1])):
            camera = self._registry.camera(id)
            if camera is not None and area in (None, *camera.areas):
                found.append({"camera": camera.id, "areas": camera.areas, "clock": ahead})
        return found

    def guessed(self, kinds: Mapping[str, str], *, area: str | None = None) -> list[dict[str, Any]]:
        """List points that declare no kind and were guessed to be no gauges. `kinds`: point → kind."""
        points = ((self._registry.point(id), kind) for id, kind in sorted(kinds.items()))
        return [
            {"point": point.id, "areas": point.areas, "kind": kind}
            for point, kind in points
            if point is not None and area in (None, *point.areas)
        ]

    def totals(self) -> dict[str, int]:
        """Count all flagged readings by flag."""
        with self._lock:
            return dict(zip(NAMES, self.total.sum(axis=0).tolist(), strict=True))

    def _add(self, rows: npt.NDArray[np.intp], time: F8, value: F8, flags: npt.NDArray[np.uint16], seen: F8) -> None:
        hour = (np.where(np.isfinite(seen), seen, 0.0) // 3600).astype(np.int32)
        place = hour % HOURS
        fresh = self._hour[rows, place] < hour
        self._hourly[rows[fresh], place[fresh]] = 0
        self._hour[rows[fresh], place[fresh]] = hour[fresh]
        current = self._hour[rows, place] == hour
        for number, bit in enumerate(_BITS.tolist()):
            has = (flags & bit) != 0
            if has.any():
                np.add.at(self.total, (rows[has], number), 1)
                has &= current
                np.add.at(self._hourly, (rows[has], place[has], number), 1)
        for row, at, what, flag in zip(rows.tolist(), time.tolist(), value.tolist(), flags.tolist(), strict=True):
            slot = self._count[row] % MARKS
            self._time[row, slot], self._value[row, slot], self._flags[row, slot] = at, what, flag
            self._count[row] += 1

    def _within_a_day(self, now: float) -> npt.NDArray[np.int64]:
        recent = self._hour > int(now // 3600) - HOURS
        day = np.zeros((len(self._hour), len(NAMES)), np.int64)
        some = np.flatnonzero(recent.any(axis=1))
        day[some] = (self._hourly[some] * recent[some][:, :, None]).sum(axis=1)
        return day


def _counts(row: npt.NDArray[np.int64]) -> dict[str, int]:
    return {name: count for name, count in zip(NAMES, row.tolist(), strict=True) if count}
