"""On/off and coded points: how seldom a change from one code to another comes, among the point's own readings.

A code has no size, so no range; what it has is habits. A change is as surprising as the readings that were changes at
least as rare are seldom (a conformal rank, Vovk 2005): (their number + 1) / (readings + 1). A reading that stays with
its code is no surprise. Kept in memory are the `MOST` changes that come most often of each point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Change = tuple[float, float]

MOST = 64
"""Changes that a point keeps; the rarest gives way to a new one."""
COLUMNS = 4
"""Of the state: row, code before, code after, how often."""


class Seldom(NamedTuple):
    """Say how seldom a change is."""

    share: float  # of the readings so far that were changes at least as rare, this one counted
    times: float  # how often it came before
    unseen: bool  # its code was never seen
    codes: int  # codes known before


class Codes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self._of: dict[int, dict[Change, float]] = {}

    def change(self, row: int, before: float, after: float, readings: float) -> Seldom:
        """Take a change of a row that has had `readings` readings; return how seldom such a one is."""
        counts = self._of.setdefault(row, {})
        times = counts.get((before, after), 0.0)
        rarer = sum(count for count in counts.values() if count <= times) if times else 0.0
        known = {code for change in counts for code in change} or {before}
        if not times and len(counts) >= MOST:
            del counts[min(counts, key=lambda change: (counts[change], change))]
        counts[before, after] = times + 1.0
        return Seldom(min((rarer + 1.0) / (readings + 1.0), 1.0), times, after not in known, len(known))

    def forget(self, row: int) -> None:
        """Forget a row's changes."""
        self._of.pop(row, None)

    def state(self) -> Floats:
        """Return all counts, f8[changes, COLUMNS], in order."""
        rows = [
            (float(row), *change, count)
            for row, counts in sorted(self._of.items())
            for change, count in sorted(counts.items())
        ]
        return np.array(rows, np.float64).reshape(len(rows), COLUMNS)

    def restore(self, state: Floats) -> None:
        """Take over what `state` returned."""
        self._of = {}
        for row, before, after, count in state.tolist():
            self._of.setdefault(int(row), {})[before, after] = count
