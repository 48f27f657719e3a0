"""What was read lately, so that what the broker delivers again after a crash is known as a repeat.

Of each reading its point, time and value are kept as one number of 64 bits: enough to know it again.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.run import Run

SEEN = 32_768
"""Readings of a partition that are remembered: more than a bridge has on its way without an acknowledgement."""

RUNS = 64
"""Runs that are kept as they came until somebody asks: of large ones, whose marks cost the most, all that is needed."""

Marks = npt.NDArray[np.uint64]
_MIX = tuple(np.uint64(one) for one in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))  # of splitmix64
_HALF = np.uint64(31)


class Seen:
    """Keep the marks of the last `SEEN` readings, in the order of the log."""

    def __init__(self) -> None:
        self._ring = np.zeros(SEEN, np.uint64)
        self._count = 0
        self._unmarked: deque[Run] = deque()  # the latest runs: their marks are worked out when somebody asks
        self._waiting = 0  # readings of these
        self._asked: tuple[Run, npt.NDArray[np.bool_]] | None = None  # a run, and which of its readings are repeats

    def add(self, run: Run) -> None:
        """Remember the readings of a run."""
        self._asked = None
        self._unmarked.append(run)
        self._waiting += len(run.point)
        while self._waiting - len(self._unmarked[0].point) >= SEEN:  # those after it are as many as are remembered
            passed = len(self._unmarked.popleft().point)
            self._waiting -= passed
            self._count += passed
        if len(self._unmarked) >= RUNS:
            self._mark()

    def _mark(self) -> None:
        """Put the marks of the runs that have none into the ring."""
        for run in self._unmarked:
            marks = marks_of(run)
            at = (self._count + max(0, len(marks) - SEEN)) % SEEN
            kept = marks[-SEEN:]
            first = min(len(kept), SEEN - at)
            self._ring[at : at + first] = kept[:first]
            self._ring[: len(kept) - first] = kept[first:]
            self._count += len(marks)
        self._unmarked.clear()
        self._waiting = 0

    def repeats(self, run: Run, at: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Tell of the readings at places of a run, which is not remembered yet, whether each came before, lately.

        It is found for a whole run when that is first asked for: a run of many late readings asks in every round.
        """
        if self._asked is None or self._asked[0] is not run:
            self._asked = run, self._repeated(run)
        return self._asked[1][at]

    def _repeated(self, run: Run) -> npt.NDArray[np.bool_]:
        before = self._marks()
        marks = np.concatenate((before, marks_of(run)))
        ordered = np.sort(marks)
        repeated = np.zeros(len(run.point), np.bool_)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if len(twice):
            some = np.flatnonzero(np.isin(marks, twice))
            some = some[np.argsort(marks[some], kind="stable")]
            again = (marks[some[1:]] == marks[some[:-1]]) & (some[1:] - some[:-1] <= SEEN)
            place = some[1:][again] - len(before)
            repeated[place[place >= 0]] = True
        return repeated

    def state(self) -> npt.NDArray[Any]:
        """Return the marks, the oldest first, enough for `restore`."""
        return self._marks()

    def restore(self, state: npt.NDArray[Any]) -> None:
        """Take over what `state` returned."""
        self._asked = None
        self._unmarked.clear()
        self._waiting = 0
        kept = state.astype(np.uint64)[-SEEN:]
        self._ring[: len(kept)] = kept
        self._count = len(kept)

    def _marks(self) -> Marks:
        self._mark()
        if self._count <= SEEN:
            return self._ring[: self._count].copy()
        return np.roll(self._ring, -(self._count % SEEN))


def marks_of(run: Run) -> Marks:
    """Mark readings, u8[n]: equal for equal point, time and value, else different but for one pair in 2^60 or so."""
    mark = np.ascontiguousarray(run.time, np.float64).view(np.uint64) * _MIX[0]
    mark ^= mark >> _HALF
    mark += np.ascontiguousarray(run.value, np.float64).view(np.uint64)
    mark *= _MIX[1]
    mark ^= mark >> _HALF
    mark += run.point
    mark *= _MIX[2]
    mark ^= mark >> _HALF
    return mark
