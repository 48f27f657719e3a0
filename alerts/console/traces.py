"""Recent readings of every point, in memory: what charts, last values and honest green figures are drawn from.

Per point a ring of the last `RAW` scored readings, and min/max/last of every minute for `MINUTES` minutes. The arrays
are zero pages until a point is first written, so points that never report cost nothing.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RAW = 1024
MINUTES = 1440

F8 = npt.NDArray[np.float64]
F4 = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


class Series(NamedTuple):
    """Readings of one point in order of time: time f8 unix seconds, value f8, score f4 (NaN unknown).

    `low` and `high` f8 are None when every entry is one reading.
    """

    time: F8
    value: F8
    score: F4
    low: F8 | None
    high: F8 | None


class TraceStore:
    """Keep recent readings of `points` points, by registry index. Safe to share between threads."""

    def __init__(self, points: int) -> None:
        self._lock = threading.Lock()
        self.last_time = np.full(points, np.nan)  # event time of the last reading, unix seconds
        self.last_value = np.full(points, np.nan)
        self.last_seen = np.full(points, np.nan)  # arrival here, unix seconds
        self._count = np.zeros(points, np.int64)
        self._lost = np.full(points, -np.inf)  # event time of the newest reading that the minutes alone have
        self._time = np.zeros((points, RAW))
        self._value = np.zeros((points, RAW))
        self._score = np.zeros((points, RAW), np.float32)
        self._minute = np.zeros((points, MINUTES), np.int32)
        self._low = np.zeros((points, MINUTES), np.float32)
        self._high = np.zeros((points, MINUTES), np.float32)
        self._last = np.zeros((points, MINUTES), np.float32)

    def __len__(self) -> int:
        return len(self._count)

    def grow(self, points: int) -> None:
        """Make room for more points; what was never written stays zero pages."""
        more = points - len(self)
        if more <= 0:
            return
        with self._lock:
            for name in ("last_time", "last_value", "last_seen"):
                setattr(self, name, np.concatenate((getattr(self, name), np.full(more, np.nan))))
            written = np.flatnonzero(self._count)
            for name in ("_time", "_value", "_score", "_minute", "_low", "_high", "_last"):
                before = getattr(self, name)
                fresh = np.zeros((points, before.shape[1]), before.dtype)
                fresh[written] = before[written]
                setattr(self, name, fresh)
            self._count = np.concatenate((self._count, np.zeros(more, np.int64)))
            self._lost = np.concatenate((self._lost, np.full(more, -np.inf)))

    def append(self, point: npt.NDArray[np.uint32], time: F8, value: F8, score: F4, seen: float | None) -> None:
        """Append scored readings, in order of time for each point. `seen` is when they arrived, unix seconds; None
        takes their own time for it.

        Points that the store does not have are left out, and so is what it has: a point that serves areas of several
        partitions is scored in each. What is older than a point's last reading is history told later, if it has no
        score; it is put where it belongs.
        """
        known = point < len(self)
        if not known.all():
            point, time, value, score = point[known], time[known], value[known], score[known]
        if not len(point):
            return
        order = np.argsort(point, kind="stable")
        rows, time, value, score = point[order].astype(np.intp), time[order], value[order], score[order]
        with self._lock:
            known = ~(time <= self.last_time[rows])
            if not known.all():
                past = np.flatnonzero(~known & np.isnan(score))
                self._insert(rows[past], time[past], value[past])
                rows, time, value, score = rows[known], time[known], value[known], score[known]
                if not len(rows):
                    return
            heads = np.flatnonzero(np.diff(rows, prepend=-1))
            sizes = np.diff(heads, append=len(rows))
            self._append_raw(rows, heads, sizes, time, value, score)
            self._append_minutes(rows, time, value)
            tails = heads + sizes - 1
            last = rows[tails]
            self.last_time[last], self.last_value[last] = time[tails], value[tails]
            self.last_seen[last] = np.fmax(self.last_seen[last], time[tails] if seen is None else seen)

    def trace(self, point: int, start: float, stop: float, most: int) -> Series:
        """Return a point's readings from `start` to `stop`, at most `most` entries, by min/max decimation.

        Where readings are no longer kept the minutes stand in, up to the newest that is lost: their time is the
        minute's end, the newest lost or `stop`, whichever is first, their score unknown. The minute of the newest lost
        has the lowest and highest of the readings after it, too, which are told one by one.
        """
        with self._lock:
            count = min(int(self._count[point]), RAW)
            slots = np.argsort(self._time[point, :count], kind="stable")
            time, value, score = self._time[point, slots], self._value[point, slots], self._score[point, slots]
            lost = float(self._lost[point])
            minute, coarse = self._minutes(point, start, min(stop, lost)) if start < lost else (None, None)
        inside = (time >= start) & (time <= stop)
        if minute is not None:
            inside &= ~(np.isin(time // 60, minute) & (time <= lost))  # they are in the minute's span
        time, value, score = time[inside], value[inside], score[inside]
        low, high = value, value
        if minute is not None and coarse is not None and len(minute):
            unknown = np.full(len(minute), np.nan, np.float32)
            ends = np.minimum(minute * 60.0 + 60.0, min(stop, lost))
            ends -= 1e-3 * np.isin(ends, time)  # a reading at a minute's end is the next one's
            if len(time) and minute[-1] == time[0] // 60:
                coarse[2][-1] = value[0]  # the minute's last is told later: here stands what comes next
            time = np.concatenate((ends, time))
            order = np.argsort(time, kind="stable")
            time, value = time[order], np.concatenate((coarse[2], value))[order]
            low, high = np.concatenate((coarse[0], low))[order], np.concatenate((coarse[1], high))[order]
            score = np.concatenate((unknown, score))[order]
        elif len(time) <= most:
            return Series(time, value, score, None, None)
        return decimate(Series(time, value, score, low, high), most)

    def learning(self, point: int) -> bool:
        """Tell whether the model is still learning a point: its last reading has no score."""
        with self._lock:
            count = min(int(self._count[point]), RAW)
            last = np.flatnonzero(self._time[point, :count] == self.last_time[point])
            return len(last) > 0 and bool(np.isnan(self._score[point, last[0]]))

    def ages(self, now: float) -> F8:
        """Return the seconds since each point's last reading arrived; NaN where there was none."""
        return np.maximum(now - self.last_seen, 0.0)

    def _insert(self, rows: Rows, time: F8, value: F8) -> None:
        """Put in what is older than the last reading of its point, unless it is there or older than all that is kept.

        Over the oldest, once a point's places are full: they are searched by time, whatever their order.
        """
        for row, at, number in zip(rows.tolist(), time.tolist(), value.tolist(), strict=True):
            count = min(int(self._count[row]), RAW)
            kept = self._time[row, :count]
            if (kept == at).any():
                continue
            if count == RAW:
                self._lost[row] = max(self._lost[row], min(at, kept.min()))
                if at < kept.min():
                    continue
            slot = count if count < RAW else int(kept.argmin())
            self._count[row] += count < RAW
            self._time[row, slot], self._value[row, slot], self._score[row, slot] = at, number, np.nan
        self._append_minutes(rows, time, value, newest=False)

    def _append_raw(self, rows: Rows, heads: Rows, sizes: Rows, time: F8, value: F8, score: F4) -> None:
        rank = np.arange(len(rows)) - np.repeat(heads, sizes)
        slot = (self._count[rows] + rank) % RAW
        full = self._count[rows] + rank >= RAW
        if full.any():  # readings of a long batch that have no place are lost before those of its end
            gone = np.maximum(rank[full] - RAW, 0) + np.repeat(heads, sizes)[full]
            oldest = np.where(rank[full] >= RAW, time[gone], self._time[rows[full], slot[full]])
            np.maximum.at(self._lost, rows[full], oldest)
        self._count[rows[heads]] += sizes
        if sizes.max() > RAW:  # only the last of a long batch has a place
            kept = rank >= np.repeat(sizes, sizes) - RAW
            rows, slot, time, value, score = rows[kept], slot[kept], time[kept], value[kept], score[kept]
        self._time[rows, slot], self._value[rows, slot], self._score[rows, slot] = time, value, score

    def _append_minutes(self, rows: Rows, time: F8, value: F8, *, newest: bool = True) -> None:
        good = np.isfinite(value) & np.isfinite(time)
        minute = np.where(good, time // 60, 0).astype(np.int32)
        place = rows * MINUTES + minute % MINUTES
        stored, low, high, last = (a.reshape(-1) for a in (self._minute, self._low, self._high, self._last))
        before = stored[place]
        np.maximum.at(stored, place[good], minute[good])
        current = good & (stored[place] == minute)  # not overtaken by a minute of another day
        place, value, fresh = place[current], value[current].astype(np.float32), before[current] < minute[current]
        low[place[fresh]], high[place[fresh]] = np.inf, -np.inf
        np.minimum.at(low, place, value)
        np.maximum.at(high, place, value)
        tells = np.ones(len(place), np.bool_) if newest else fresh  # what is older than a minute's last is not it
        last[place[tells]] = value[tells]

    def _minutes(self, point: int, start: float, stop: float) -> tuple[npt.NDArray[np.int32], tuple[F8, F8, F8]]:
        """Return the minutes, in order, that have some part from `start` to `stop`, and their low, high and last."""
        minute = self._minute[point]
        chosen = np.flatnonzero((minute > 0) & (minute * 60.0 + 60.0 > start) & (minute * 60.0 <= stop))
        chosen = chosen[np.argsort(minute[chosen])]
        low, high, last = (array[point, chosen].astype(np.float64) for array in (self._low, self._high, self._last))
        return minute[chosen], (low, high, last)


def decimate(series: Series, most: int) -> Series:
    """Gather a series into at most `most` spans of equal time: last value, lowest, highest, highest score of each."""
    time, value, score, low, high = series
    low, high = value if low is None else low, value if high is None else high
    if len(time) <= most:
        return Series(time, value, score, low, high)
    width = (time[-1] - time[0]) / most
    span = np.minimum((time - time[0]) // width, most - 1) if width > 0 else np.zeros(len(time))
    heads = np.flatnonzero(np.diff(span, prepend=-1.0))
    tails = np.append(heads[1:], len(time)) - 1
    return Series(
        time[tails],
        value[tails],
        np.fmax.reduceat(score, heads),
        np.fmin.reduceat(low, heads),
        np.fmax.reduceat(high, heads),
    )
