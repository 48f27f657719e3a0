"""Jumps of unit: a point that goes on as before, but in another unit, by a power of ten, or with the sign turned.

A gateway that was set up anew sends millimetres for metres, °F for °C, or no longer divides by ten. Such a reading is
far outside everything that the point has kept lately, and converted back it is where the point was before; and so are
those that follow. A real rise by the same factor looks alike, so this is apart from risk: told, and hiding nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.reason import VALUE_ABOVE, VALUE_BELOW

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

SCALES = (10.0, 100.0, 1000.0, 25.4, 3.6)
"""Factors by which units of one quantity differ: decimal prefixes, inch and millimetre, m/s and km/h."""

FACTORS = np.array([*SCALES, *(1.0 / scale for scale in SCALES), -1.0, 1.8, 1.0 / 1.8])
OFFSETS = np.array([*[0.0] * (2 * len(SCALES) + 1), 32.0, -32.0 / 1.8])
"""What a value has become: `value * factor + offset`. The last two, °C and °F, are for temperatures only."""

THERMAL = 2
FAR = 2.0
"""Ranges of the point beyond its range where a jump can have led: nearer, it is a change like any other."""

NEAR = 0.25
"""Ranges of the point within which the reading, converted back, follows the one before it."""

ALIKE = 0.02
"""Share of the value that adds to `NEAR`: a point that stood still has no range."""

STAY = 4
"""Readings, the first included, that must agree before a jump is told."""

SETTLED = 86400.0
"""Seconds after which the new unit is the point's own."""

FIELDS = ("low", "high", "since")


class Jumps:
    """Follow suspected jumps; one row of the arrays is one point. 34 bytes a row, all rarely touched."""

    def __init__(self) -> None:
        self.agreed = np.empty(0, np.uint8)  # readings in a row that agree with a jump; 0 none is suspected
        self._factor = np.empty(0, np.uint8)  # place in FACTORS
        self._kept = np.empty((0, len(FIELDS)))  # range before the jump, and its time
        self._gauge = np.empty(0, np.bool_)
        self._thermal = np.empty(0, np.bool_)
        self.active = False  # some jump is suspected

    def grow(self, rows: int) -> None:
        """Make room for at least `rows` rows of gauges."""
        more = rows - len(self.agreed)
        if more > 0:
            self.agreed = np.concatenate([self.agreed, np.zeros(more, np.uint8)])
            self._factor = np.concatenate([self._factor, np.zeros(more, np.uint8)])
            self._kept = np.concatenate([self._kept, np.zeros((more, len(FIELDS)))])
            self._gauge = np.concatenate([self._gauge, np.ones(more, np.bool_)])
            self._thermal = np.concatenate([self._thermal, np.zeros(more, np.bool_)])

    def configure(self, row: int, *, gauge: bool, thermal: bool) -> None:
        """Tell whether a row is a gauge (others do not jump), and a temperature in °C or °F."""
        self.grow(row + 1)
        self._gauge[row], self._thermal[row] = gauge, thermal

    def update(
        self,
        rows: Rows,
        time: Floats,
        value: Floats,
        reason: npt.NDArray[np.uint8],
        low: Floats,
        high: Floats,
        before: Floats,
    ) -> Bools | None:
        """Tell which readings (rows intp[n] without repeats) are in another unit; None: none is.

        `reason` u1[n] is why the bank was surprised by each. By row: `low` and `high` are the range that its last
        surprise was outside of, `before` its last value.
        """
        found = None
        if self.active:
            at = np.flatnonzero(self.agreed[rows])
            if len(at):
                found = self._follow(at, rows, time, value)
        at = np.flatnonzero((reason == VALUE_ABOVE) | (reason == VALUE_BELOW))
        if len(at):
            at = at[(self.agreed[rows[at]] == 0) & self._gauge[rows[at]]]
            self._suspect(rows[at], time[at], value[at], low[rows[at]], high[rows[at]], before[rows[at]])
        return found

    def begins(self, rows: Rows, value: Floats, reason: npt.NDArray[np.uint8], low: Floats, high: Floats) -> Bools:
        """Tell which surprising readings a jump may begin with, bool[n]; rows may repeat, ranges are by reading."""
        sided = (reason == VALUE_ABOVE) | (reason == VALUE_BELOW)
        found: Bools = sided & self._gauge[rows] & _far(value, low, high)
        return found

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move the times that rows keep by `seconds` (f8[n]): their clock was set anew."""
        self._kept[rows, FIELDS.index("since")] += seconds

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all arrays, enough for `restore`."""
        return {"agreed": self.agreed.copy(), "factor": self._factor.copy(), "kept": self._kept.copy()}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` returned, for as many rows. Raise ValueError on anything else."""
        mine = self.state()
        if any(name not in state or state[name].shape != array.shape for name, array in mine.items()):
            raise ValueError("not the state of jumps of this layout")
        self.agreed, self._factor = state["agreed"].astype(np.uint8), state["factor"].astype(np.uint8)
        self._kept = state["kept"].astype(np.float64)
        self.active = bool(self.agreed.any())

    def _follow(self, at: Rows, rows: Rows, time: Floats, value: Floats) -> Bools | None:
        row = rows[at]
        low, high, since = self._kept[row].T
        back = (value[at] - OFFSETS[self._factor[row]]) / FACTORS[self._factor[row]]
        slack = NEAR * (high - low) + ALIKE * np.abs(back)
        agrees = (back >= low - slack) & (back <= high + slack) & (time[at] - since <= SETTLED)
        self.agreed[row] = np.where(agrees, np.minimum(self.agreed[row] + 1, STAY), 0)
        self.active = bool(self.agreed.any())
        told = self.agreed[row] >= STAY
        if not told.any():
            return None
        found = np.zeros(len(rows), np.bool_)
        found[at[told]] = True
        return found

    def _suspect(self, row: Rows, time: Floats, value: Floats, low: Floats, high: Floats, before: Floats) -> None:
        width = high - low
        far = np.flatnonzero(_far(value, low, high))
        if not len(far):
            return
        row, time, value, width = row[far], time[far], value[far], width[far]
        low, high, before = low[far], high[far], before[far]
        back = (value[:, None] - OFFSETS) / FACTORS
        off = np.abs(back - before[:, None])
        slack = NEAR * width + ALIKE * np.abs(before)
        inside = (back >= (low - slack)[:, None]) & (back <= (high + slack)[:, None])
        off[~(inside & (off <= slack[:, None]))] = np.inf
        off[~self._thermal[row], -THERMAL:] = np.inf
        best = off.argmin(axis=1)
        some = np.flatnonzero(np.isfinite(off[np.arange(len(row)), best]))
        if len(some):
            row = row[some]
            self.agreed[row], self._factor[row] = 1, best[some]
            self._kept[row] = np.array([low[some], high[some], time[some]]).T
            self.active = True


def _far(value: Floats, low: Floats, high: Floats) -> Bools:
    width = high - low
    found: Bools = (value > high + FAR * width) | (value < low - FAR * width)
    return found
