"""The states of a recording's point after some readings, side by side, so that what is asked of each is asked once.

Readings of one point can only be scored one after the other. What is asked of a state, such as the time to a limit,
costs an array of one nearly as much as an array of a thousand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.bank import Bank
from models.driver import AHEAD, LAG, Drivers

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class Strip(Bank):
    """Hold states of a bank's row 0, one a row, in the order in which they were kept."""

    def __init__(self, bank: Bank, rows: int) -> None:
        super().__init__(bank.settings)
        self.grow(rows)
        self._parts.size(np.arange(rows))
        self._parts.watch(np.arange(rows))
        self._of = bank
        self._brought = None if bank.drivers is None else _Brought(bank.drivers, rows)
        self.drivers = self._brought

    def keep(self, place: int) -> None:
        """Keep the state as it is now."""
        of = self._of
        self._fields[place] = of._fields[0]
        self._slow[place] = of._slow[0]
        mine, its = self._parts, of._parts
        mine.creep[mine.creeping.of[place]] = its.creep[its.creeping.of[0]]
        mine.seasons.profile[mine.sized.of[place]] = its.seasons.profile[its.sized.of[0]]
        mine.seasons.known[mine.sized.of[place]] = its.seasons.known[its.sized.of[0]]
        if self._brought is not None:
            self._brought.keep(place)


class _Brought(Drivers):
    """Hold what the drivers of row 0 foretold it after some readings."""

    def __init__(self, drivers: Drivers, rows: int) -> None:
        super().__init__((), rows)
        self._of = drivers
        self.driven = np.ones(rows, np.bool_)
        self._believed, self._rise, self._lags = np.zeros(rows, np.bool_), np.zeros((rows, AHEAD)), np.full(rows, LAG)

    def keep(self, place: int) -> None:
        """Keep what they foretell now."""
        (self._believed[place],), (self._rise[place],), (self._lags[place],) = self._of.rise(np.zeros(1, np.intp))

    def rise(self, rows: Rows) -> tuple[Bools, Floats, Floats]:
        """Tell of rows whether a driver was believed, how far it moved them, and over what lag."""
        return self._believed[rows], self._rise[rows], self._lags[rows]
