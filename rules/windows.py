"""Windows over a point's own readings, as rings of panes: arrays only for the points that some rule looks back on.

A window of duration d is `PANES` panes of d / PANES, aligned to the point's own (event) time. It speaks about the
readings of the last 15/16 d to d. What it needs to know:
mean, min, max, sum, spread (max - min): unknown when nothing was received in the window.
count: 0 then, unknown before the point's first reading.
rate: slope of the least-squares line through the panes, units a second; unknown until readings span half of d.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

PANES = 16
_NEVER = -(2**62)
_COLUMN = np.arange(PANES)
_NEEDS: dict[str, tuple[str, ...]] = {
    "count": (),
    "mean": ("total",),
    "sum": ("total",),
    "min": ("low",),
    "max": ("high",),
    "spread": ("low", "high"),
    "rate": ("total", "moment"),
}
_EMPTY = {"total": 0.0, "moment": 0.0, "low": np.inf, "high": -np.inf}
_BIT = {name: 2 << place for place, name in enumerate(_EMPTY)}
_KEPT = 1  # a window is kept at all; its panes' counts suffice for `count`


class Windows:
    """Hold all windows: by duration (seconds) and statistic, the rows that want it.

    State: 8 bytes a window, and a pane's count of 4 bytes and 8 bytes for each figure kept: 200 bytes for a mean, 328
    for a rate. Windows that keep the same figures share one set of arrays, whatever their durations; a row keeps no
    figure that only other rows need.
    """

    def __init__(self, wanted: Mapping[float, Mapping[str, Rows]], total_rows: int) -> None:
        groups: dict[tuple[str, ...], list[tuple[float, Rows]]] = {}
        self._windowed = np.zeros(total_rows, np.bool_)
        for duration, statistics in sorted(wanted.items()):
            code = np.zeros(total_rows, np.uint8)
            for statistic, rows in statistics.items():
                code[rows] |= _KEPT | sum(_BIT[figure] for figure in _NEEDS[statistic])
            self._windowed |= code > 0
            for one in np.unique(code[code > 0]).tolist():
                figures = tuple(name for name, bit in _BIT.items() if one & bit)
                groups.setdefault(figures, []).append((duration, np.flatnonzero(code == one)))
        self._pools = [_Pool(figures, parts, total_rows) for figures, parts in groups.items()]
        self._of: dict[float, list[_Pool]] = {}
        for pool in self._pools:
            for duration in pool.places:
                self._of.setdefault(duration, []).append(pool)

    @property
    def nbytes(self) -> int:
        """Return bytes of state."""
        return sum(pool.nbytes for pool in self._pools)

    def add(self, rows: Rows, time: Floats, value: Floats) -> None:
        """Take in readings: rows unique, each time after the row's last."""
        if not self._pools:
            return
        kept = np.flatnonzero(self._windowed[rows])
        if kept.size:
            if kept.size < rows.size:
                rows, time, value = rows[kept], time[kept], value[kept]
            for pool in self._pools:
                pool.add(rows, time, value)

    def read(self, statistic: str, duration: float, rows: Rows, now: Floats) -> Floats:
        """Return a statistic at each row's own time `now`; NaN where unknown or where no such window is kept."""
        pools = [pool for pool in self._of[duration] if pool.figures.keys() >= set(_NEEDS[statistic])]
        if len(pools) == 1:
            return pools[0].read(statistic, duration, rows, now)
        out = np.full(len(rows), np.nan)
        for pool in pools:
            pool.read_into(out, statistic, duration, rows, now)
        return out

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move what rows (unique) keep by `seconds`, in whole panes: by up to a pane further back than asked for."""
        for pool in self._pools:
            pool.shift(rows, seconds)

    def state(self) -> list[tuple[float, str, Rows, dict[str, npt.NDArray[Any]]]]:
        """List what is kept: duration, names of the figures, the rows and copies of their arrays."""
        return [
            (duration, "+".join(pool.figures), *pool.state(duration))
            for pool in self._pools
            for duration in pool.places
        ]

    def restore(self, duration: float, state: Mapping[str, npt.NDArray[Any]], source: Rows, rows: Rows) -> None:
        """Take over places `source` of a state as the windows of `rows`, those that have one of that duration.

        A figure that the state lacks is unknown until every pane it was not kept in has passed: half a window would
        lie, and to begin all figures anew would let an alarm return on the half that is left.
        """
        for pool in self._of.get(duration, ()):
            pool.restore(duration, state, source, rows)


class _Pool:
    """Windows that keep the same figures, one slot each."""

    def __init__(self, figures: tuple[str, ...], parts: list[tuple[float, Rows]], total_rows: int) -> None:
        size = sum(len(rows) for _, rows in parts)
        self.places: dict[float, tuple[int, Rows]] = {}  # duration → first slot, rows
        self.slot: dict[float, Rows] = {}  # duration → slot by row, -1 none
        self.width = np.empty(size)
        owner = np.empty(size, np.intp)
        start = 0
        for duration, rows in parts:
            stop = start + len(rows)
            self.places[duration] = (start, rows)
            self.slot[duration] = np.full(total_rows, -1, np.intp)
            self.slot[duration][rows] = np.arange(start, stop)
            self.width[start:stop] = duration / PANES
            owner[start:stop] = rows
            start = stop
        self.by_row = np.argsort(owner, kind="stable")
        self.first = np.searchsorted(owner[self.by_row], np.arange(total_rows + 1)).astype(np.intp)
        self.head = np.full(size, _NEVER, np.int64)  # number of the newest pane
        self.count = np.zeros((size, PANES), np.uint32)
        self.figures = {name: np.full((size, PANES), _EMPTY[name]) for name in figures}

    @property
    def nbytes(self) -> int:
        return self.head.nbytes + self.count.nbytes + sum(figure.nbytes for figure in self.figures.values())

    def add(self, rows: Rows, time: Floats, value: Floats) -> None:
        start = self.first[rows]
        each = self.first[rows + 1] - start
        total = int(each.sum())
        if not total:
            return
        which = np.repeat(np.arange(len(rows)), each)
        slot = self.by_row[np.arange(total) + np.repeat(start - (np.cumsum(each) - each), each)]
        time, value, width = time[which], value[which], self.width[slot]
        number = np.floor(time / width)
        pane = number.astype(np.int64)
        moved = np.flatnonzero(pane > self.head[slot])
        if moved.size:
            self._advance(slot[moved], pane[moved])
        place = slot * PANES + (pane & (PANES - 1))
        count = self.count.reshape(-1)
        count[place] += 1
        for name, figure in self.figures.items():
            flat = figure.reshape(-1)
            if name == "total":
                flat[place] += value
            elif name == "moment":
                flat[place] += time - number * width
            elif name == "low":
                flat[place] = np.minimum(flat[place], value)
            else:
                flat[place] = np.maximum(flat[place], value)

    def shift(self, rows: Rows, seconds: Floats) -> None:
        slots = [self.by_row[self.first[row] : self.first[row + 1]] for row in rows.tolist()]
        slot = np.concatenate(slots)
        moved = np.repeat(seconds, [len(each) for each in slots]) / self.width[slot]
        panes = np.where(self.head[slot] == _NEVER, 0, np.floor(moved)).astype(np.int64)
        self.head[slot] += panes
        place = (_COLUMN - panes[:, None]) & (PANES - 1)
        for figure in (self.count, *self.figures.values()):
            figure[slot] = np.take_along_axis(figure[slot], place, axis=1)

    def _advance(self, slot: Rows, pane: npt.NDArray[np.int64]) -> None:
        head = self.head[slot]
        self.head[slot] = pane
        place = slot * PANES + (pane & (PANES - 1))
        if bool((pane - head == 1).all()):  # the usual case: each moves on by one pane
            self.count.reshape(-1)[place] = 0
            for name, figure in self.figures.items():
                figure.reshape(-1)[place] = _EMPTY[name]
            return
        steps = np.minimum(pane - head, PANES)
        stale = ((_COLUMN - head[:, None] - 1) & (PANES - 1)) < steps[:, None]
        self.count[slot] = np.where(stale, 0, self.count[slot])
        for name, figure in self.figures.items():
            figure[slot] = np.where(stale, _EMPTY[name], figure[slot])

    def read(self, statistic: str, duration: float, rows: Rows, now: Floats) -> Floats:
        slot = self.slot[duration][rows]
        if bool((slot >= 0).all()):
            return self._read(statistic, duration, slot, now)
        out = np.full(len(rows), np.nan)
        self.read_into(out, statistic, duration, rows, now)
        return out

    def read_into(self, out: Floats, statistic: str, duration: float, rows: Rows, now: Floats) -> None:
        slot = self.slot[duration][rows]
        here = np.flatnonzero(slot >= 0)
        if here.size:
            out[here] = self._read(statistic, duration, slot[here], now[here])

    def _read(self, statistic: str, duration: float, slot: Rows, now: Floats) -> Floats:
        width = duration / PANES
        head = self.head[slot]
        # How far each row's time stands past its newest pane; a row without readings has nothing to lose.
        ahead = np.maximum(np.floor(now / width) - head, 0.0)
        back: npt.NDArray[np.int64] | None = None  # how many panes before the newest each column is
        if statistic == "rate" or bool(ahead.any()):
            back = (head[:, None] - _COLUMN) & (PANES - 1)
        gone = back + ahead[:, None] >= PANES if back is not None and bool(ahead.any()) else None
        count: npt.NDArray[Any] = self.count[slot]
        if gone is not None:
            count = np.where(gone, 0, count)
        number = count.sum(axis=1)

        def figure(name: str) -> Floats:
            values: Floats = self.figures[name][slot]
            return values if gone is None else np.where(gone, _EMPTY[name], values)

        with np.errstate(invalid="ignore", divide="ignore"):
            match statistic:
                case "count":
                    return np.where(head == _NEVER, np.nan, number.astype(np.float64))
                case "mean":
                    mean: Floats = figure("total").sum(axis=1) / number
                    return mean
                case "sum":
                    return np.where(number > 0, figure("total").sum(axis=1), np.nan)
                case "min":
                    return np.where(number > 0, figure("low").min(axis=1), np.nan)
                case "max":
                    return np.where(number > 0, figure("high").max(axis=1), np.nan)
                case "spread":
                    return np.where(number > 0, figure("high").max(axis=1) - figure("low").min(axis=1), np.nan)
            assert back is not None
            before = (back * width).astype(np.float64)
            return _slope(count, figure("total"), figure("moment"), before, number, duration / 2)

    def state(self, duration: float) -> tuple[Rows, dict[str, npt.NDArray[Any]]]:
        start, rows = self.places[duration]
        part = slice(start, start + len(rows))
        arrays: dict[str, npt.NDArray[Any]] = {name: figure[part].copy() for name, figure in self.figures.items()}
        arrays["head"], arrays["count"] = self.head[part].copy(), self.count[part].copy()
        return rows, arrays

    def restore(self, duration: float, state: Mapping[str, npt.NDArray[Any]], source: Rows, rows: Rows) -> None:
        slot = self.slot[duration][rows]
        source, slot = source[slot >= 0], slot[slot >= 0]
        self.head[slot] = state["head"][source]
        self.count[slot] = state["count"][source]
        for name, figure in self.figures.items():
            if name in state:
                figure[slot] = state[name][source]
            else:  # whatever is added to NaN, or compared with it, stays unknown until the pane is begun anew
                figure[slot] = np.where(self.count[slot] > 0, np.nan, _EMPTY[name])


def _slope(
    count: npt.NDArray[Any], total: Floats, moment: Floats, before: Floats, number: npt.NDArray[Any], least: float
) -> Floats:
    """Fit a line through panes (mean time, mean value, weighted by count); NaN where they span less than `least`."""
    filled = count > 0
    when = moment / count - before  # from the start of the newest pane
    value = total / count
    weight = count.astype(np.float64)
    mean_when = np.where(filled, weight * when, 0.0).sum(axis=1) / number
    mean_value = np.where(filled, weight * value, 0.0).sum(axis=1) / number
    off = np.where(filled, when - mean_when[:, None], 0.0)
    spread = (weight * off * off).sum(axis=1)
    product = np.where(filled, weight * off * (value - mean_value[:, None]), 0.0).sum(axis=1)
    span = np.where(filled, when, -np.inf).max(axis=1) - np.where(filled, when, np.inf).min(axis=1)
    return np.where(span >= least, product / spread, np.nan)
