"""Windows over a point's own readings, as rings of panes: one row of arrays for each point that some rule looks back on.

A window of duration d is `PANES` panes of d / PANES, aligned to the point's own (event) time. It speaks about the
readings of the last 15/16 d to d. What it needs to know:
mean, min, max, sum, spread (max - min): unknown when nothing was received in the window.
count: 0 then, unknown before the point's first reading.
rate: slope of the least-squares line through the panes, units a second; unknown until readings span half of d.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

PANES = 16
_NEVER = -(2**62)
_COLUMN = np.arange(PANES)
_NEEDS = {
    "count": (),
    "mean": ("total",),
    "sum": ("total",),
    "min": ("low",),
    "max": ("high",),
    "spread": ("low", "high"),
    "rate": ("total", "moment"),
}
_EMPTY = {"total": 0.0, "moment": 0.0, "low": np.inf, "high": -np.inf}


class Windows:
    """Hold the windows of one duration (seconds) for some rows; `statistics` says what is kept.

    State a row: 8 bytes, a count of 4 bytes a pane, and 8 bytes a pane for each figure kept (208 bytes for a mean, 336
    for a rate).
    """

    def __init__(self, duration: float, rows: Rows, total_rows: int, statistics: set[str]) -> None:
        self.duration = duration
        self.width = duration / PANES
        self.rows = rows
        self.slot = np.full(total_rows, -1, np.intp)
        self.slot[rows] = np.arange(len(rows))
        self.everywhere = len(rows) == total_rows
        self.head = np.full(len(rows), _NEVER, np.int64)  # number of the newest pane
        self.count = np.zeros((len(rows), PANES), np.uint32)
        kept = {figure for statistic in statistics for figure in _NEEDS[statistic]}
        self.figures = {name: np.full((len(rows), PANES), _EMPTY[name]) for name in sorted(kept)}

    @property
    def nbytes(self) -> int:
        """Return bytes of state."""
        return self.head.nbytes + self.count.nbytes + sum(a.nbytes for a in self.figures.values()) + self.slot.nbytes

    def add(self, rows: Rows, time: Floats, value: Floats) -> None:
        """Take in readings: rows unique, each time after the row's last."""
        slot = self.slot[rows]
        if not self.everywhere:
            here = np.flatnonzero(slot >= 0)
            if here.size < slot.size:
                if not here.size:
                    return
                slot, time, value = slot[here], time[here], value[here]
        pane = np.floor(time / self.width).astype(np.int64)
        moved = np.flatnonzero(pane > self.head[slot])
        if moved.size:
            self._advance(slot[moved], pane[moved])
        place = slot * PANES + (pane & (PANES - 1))
        flat = self.count.reshape(-1)
        flat[place] += 1
        for name, figure in self.figures.items():
            flat_figure = figure.reshape(-1)
            if name == "total":
                flat_figure[place] += value
            elif name == "moment":
                flat_figure[place] += time - pane * self.width
            elif name == "low":
                flat_figure[place] = np.minimum(flat_figure[place], value)
            else:
                flat_figure[place] = np.maximum(flat_figure[place], value)

    def _advance(self, slot: Rows, pane: npt.NDArray[np.int64]) -> None:
        head = self.head[slot]
        steps = np.minimum(pane - head, PANES)
        stale = ((_COLUMN - head[:, None] - 1) & (PANES - 1)) < steps[:, None]
        self.head[slot] = pane
        self.count[slot] = np.where(stale, 0, self.count[slot])
        for name, figure in self.figures.items():
            figure[slot] = np.where(stale, _EMPTY[name], figure[slot])

    def read(self, statistic: str, rows: Rows, now: Floats) -> Floats:
        """Return a statistic at each row's own time `now`; NaN where unknown or where no window is kept."""
        slot = self.slot[rows]
        if self.everywhere or bool((slot >= 0).all()):
            return self._read(statistic, slot, now)
        out = np.full(len(rows), np.nan)
        here = np.flatnonzero(slot >= 0)
        if here.size:
            out[here] = self._read(statistic, slot[here], now[here])
        return out

    def _read(self, statistic: str, slot: Rows, now: Floats) -> Floats:
        head = self.head[slot]
        with np.errstate(invalid="ignore"):
            ahead = np.where(head == _NEVER, 0, np.floor(now / self.width).astype(np.int64) - head)
        back = (head[:, None] - _COLUMN) & (PANES - 1)  # how many panes before the head each column is
        late = bool((ahead > 0).any())
        gone = back + ahead[:, None] >= PANES if late else None
        count = self.count[slot]
        if gone is not None:
            count = np.where(gone, 0, count)
        number = count.sum(axis=1)

        def figure(name: str) -> Floats:
            values = self.figures[name][slot]
            return values if gone is None else np.where(gone, _EMPTY[name], values)

        with np.errstate(invalid="ignore", divide="ignore"):
            match statistic:
                case "count":
                    return np.where(head == _NEVER, np.nan, number.astype(np.float64))
                case "mean":
                    return figure("total").sum(axis=1) / number
                case "sum":
                    return np.where(number > 0, figure("total").sum(axis=1), np.nan)
                case "min":
                    return np.where(number > 0, figure("low").min(axis=1), np.nan)
                case "max":
                    return np.where(number > 0, figure("high").max(axis=1), np.nan)
                case "spread":
                    return np.where(number > 0, figure("high").max(axis=1) - figure("low").min(axis=1), np.nan)
            when = figure("moment") / count - back * self.width  # mean time of each pane, from the head's start
            value = figure("total") / count
            weight = count.astype(np.float64)
            filled = count > 0
            mean_when = np.where(filled, weight * when, 0.0).sum(axis=1) / number
            mean_value = np.where(filled, weight * value, 0.0).sum(axis=1) / number
            off = np.where(filled, when - mean_when[:, None], 0.0)
            spread = np.where(filled, weight * off * off, 0.0).sum(axis=1)
            product = np.where(filled, weight * off * (value - mean_value[:, None]), 0.0).sum(axis=1)
            span = np.where(filled, when, -np.inf).max(axis=1) - np.where(filled, when, np.inf).min(axis=1)
            return np.where(span >= self.duration / 2, product / spread, np.nan)

    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """Return copies of the arrays, in the order of `rows`."""
        return {"head": self.head.copy(), "count": self.count.copy()} | {
            name: figure.copy() for name, figure in self.figures.items()
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]], source: Rows, target: Rows) -> None:
        """Take over rows `source` of a state as own slots `target`; figures not in the state start empty.

        A row whose figures are incomplete starts anew: half a window would lie.
        """
        if not set(self.figures) <= set(state):
            return
        self.head[target] = state["head"][source]
        self.count[target] = state["count"][source]
        for name, figure in self.figures.items():
            figure[target] = state[name][source]
