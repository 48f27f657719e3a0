"""Points that measure the same, or move together: when one parts from the rest it is the sensor, not the world.

Each point's usual distance from the median of its set, and how much that varies, are learnt in its first readings and
follow slowly after. A point disagrees while it lies much farther from that median than it usually does: when all move,
the median moves with them and nobody disagrees. Of three or more the odd one is told; of two nobody can say which is
wrong, and both disagree.

What is judged are values as they stand, at a tick after each of the point's readings: neighbours read at other moments
differ for a while when the world moves fast, so a difference must last for some of its readings.

A peer that comes later is learnt beside those that are known, and has no say until it is known itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

LEARN = 60.0
"""Readings from which a member of a set is known."""
MEMORY = 30 * 86400.0
"""Seconds over which usual distances follow: slower than a sensor drifts."""
FAR = 6.0
"""Times the mean distance that a point must part by ..."""
LEAST = 0.1
"""... and this share of the range that its peers have kept lately."""
LASTS = 3.0
"""Readings for which a difference must last, either way."""
STALE = 5.0
"""Intervals after which a peer that is silent has no say."""

STATE = ("time", "readings", "apart", "together")
"""What is kept of a set: the point's last reading, how many there were, and how many in a row were apart and not."""


class Peers:
    """Hold the sets of a partition: one a point that has peers, itself first. Pure."""

    def __init__(self, sets: Sequence[Sequence[int]]) -> None:
        self.sets = tuple(tuple(one) for one in sets if len(one) > 1)
        width = max((len(one) for one in self.sets), default=0)
        self.rows = np.zeros((len(self.sets), width), np.intp)
        self.mine = np.zeros((len(self.sets), width), np.bool_)
        for place, one in enumerate(self.sets):
            self.rows[place, : len(one)], self.mine[place, : len(one)] = one, True
        self.points = self.rows[:, 0] if width else np.empty(0, np.intp)
        self.kept = np.zeros((len(self.sets), len(STATE)))
        self.kept[:, 0] = np.nan
        self.heard = np.zeros((len(self.sets), width))  # readings of the point at which each had something to say
        self.offset = np.zeros((len(self.sets), width))
        self.spread = np.zeros((len(self.sets), width))
        self.disagrees = np.zeros(len(self.sets), np.bool_)

    def step(self, time: Floats, value: Floats, usable: Bools, reach: Floats) -> Rows:
        """Judge the sets whose point was read since the last step; return the rows that disagree at such a reading.

        All by row: `time` f8 unix seconds of last readings, `value` f8, `usable` bool whether what a row stands at is
        known, `reach` f8 the range that its values have kept lately.
        """
        now = time[self.points]
        before = self.kept[:, 0]
        read = usable[self.points] & ((now > before) | np.isnan(before))
        said = self.mine & usable[self.rows] & ~np.isnan(value[self.rows])
        at = np.flatnonzero(read & said[:, :1].any(axis=1) & (said.sum(axis=1) > 1))
        if not len(at):
            return np.empty(0, np.intp)
        there, count, heard = said[at], self.kept[at, 1], self.heard[at]
        passed = np.where(np.isnan(before[at]), 0.0, now[at] - before[at])
        known = there & (heard >= LEARN)
        say = np.where(known.any(axis=1, keepdims=True), known, there)
        stands = value[self.rows[at]] - self.offset[at]
        away = np.where(there, stands - np.nanmedian(np.where(say, stands, np.nan), axis=1)[:, None], 0.0)
        far = np.maximum(FAR * self.spread[at], LEAST * self._reach(reach, at, there)[:, None])
        out = known & (np.abs(away) > far)
        slow = (passed / (passed + MEMORY))[:, None]  # what is apart is hardly learnt, and does not widen what is usual
        gain = np.where(out, slow, np.maximum(1.0 / (heard + 1.0), slow))
        self.offset[at] += gain * np.where(out, np.minimum(np.maximum(away, -far), far), away)
        off = np.where(heard > 0.0, np.abs(away), 0.0)  # the first tells where each stands
        self.spread[at] += np.where(there & ~out, gain * (off - self.spread[at]), 0.0)
        self.heard[at] += there
        apart, judged = out[:, 0], say.sum(axis=1) > 1
        streak = np.where(apart, self.kept[at, 2] + 1.0, 0.0), np.where(apart, 0.0, self.kept[at, 3] + 1.0)
        self.kept[at] = np.array([now[at], count + 1.0, *np.where(judged, streak, self.kept[at, 2:].T)]).T
        settled = np.where(self.disagrees[at], self.kept[at, 3] < LASTS, self.kept[at, 2] >= LASTS)
        self.disagrees[at] = settled
        parted: Rows = self.points[at[settled]]
        return parted

    def _reach(self, reach: Floats, at: Rows, there: Bools) -> Floats:
        """Return the usual range of a set's members: the middle one, so that no broken one decides."""
        return np.asarray(np.nanmedian(np.where(there, reach[self.rows[at]], np.nan), axis=1), np.float64)

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move all times that rows (intp[n] without repeats) keep by `seconds` (f8[n]): their clock was set anew."""
        for row, step in zip(rows.tolist(), seconds.tolist(), strict=True):
            self.kept[self.points == row, 0] += step

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all arrays, with the sets that they stand for, enough for `restore`."""
        sets = np.where(self.mine, self.rows, -1)
        arrays = {"sets": sets, "kept": self.kept, "heard": self.heard, "offset": self.offset, "spread": self.spread}
        return {name: array.copy() for name, array in {**arrays, "disagrees": self.disagrees}.items()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what is known of the sets that are the same here."""
        there = {tuple(row for row in one if row >= 0): place for place, one in enumerate(state["sets"].tolist())}
        for here, one in enumerate(self.sets):
            place = there.get(one)
            if place is not None:
                size = len(one)
                self.kept[here], self.disagrees[here] = state["kept"][place], state["disagrees"][place]
                self.offset[here, :size] = state["offset"][place, :size]
                self.spread[here, :size] = spread = state["spread"][place, :size]
                whole = np.where(spread > 0.0, self.kept[here, 1], 0.0)  # an older state counts the set's readings
                whole[0] = self.kept[here, 1]  # a point that is always the middle one never was off
                self.heard[here, :size] = state["heard"][place, :size] if "heard" in state else whole
