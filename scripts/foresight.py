"""The columns that `foreshock score --limit` adds: when the limit is reached, within what interval, and the warning."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np

from models.bank import Bank
from models.creep import QUANTITIES
from models.driver import LAG, RAIN, Brings, Drive, Drivers
from models.warning import HORIZON, Warner

NO_LIMIT = "the limit must be a number, and its horizon a positive number of seconds"
HEADING = ("eta", "eta_low", "eta_high", "warning")

_CREEPS = re.compile("|".join(sorted(QUANTITIES)) + "|displ|inclin|creep|extens|位移|倾斜|倾角|裂缝|沉降|收敛", re.I)


_RAIN = re.compile("|".join(sorted(RAIN)) + "|precip|雨|降水|融雪", re.I)


class Limit(msgspec.Struct, frozen=True):
    """Say what a series must not reach. `creeps`: its movement may speed up until it fails (displacement, tilt).

    `drivers` are columns that foretell it, `lag` the seconds until what they bring has arrived.
    """

    value: float
    below: bool = False
    horizon: float = HORIZON
    creeps: bool = False
    drivers: tuple[str, ...] = ()
    lag: float = LAG


def brings(heading: str) -> Brings:
    """Guess from a column's heading whether its readings are amounts (rain) or a level."""
    return "amounts" if _RAIN.search(heading) else "level"


def drive(bank: Bank, limit: Limit, interval: float) -> None:
    """Give row 0 of a bank its drivers: rows 1 and on, in their order, which the bank has."""
    drives = [Drive(0, row, limit.lag, brings(name), interval) for row, name in enumerate(limit.drivers, 1)]
    bank.drivers = Drivers(drives, len(bank)) if drives else None


def creeps(heading: str) -> bool:
    """Guess from a column's heading whether it is a quantity that creeps before it fails."""
    return _CREEPS.search(heading) is not None


class Foresight:
    """Write the columns of a recording's point, readings at a time."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.warnings = 0
        self._warner = Warner(limit.horizon)
        self._told: tuple[str, ...] = ("", "", "", "0")

    def after(self, states: Bank, readings: Iterable[tuple[float, float, bool]]) -> Iterator[tuple[str, ...]]:
        """Yield the columns after readings (time, value, taken); row n of `states` is the point's state after the n-th.

        One that was not taken changes nothing.
        """
        readings = list(readings)
        rows, limit = np.arange(len(readings)), self.limit
        asked = rows, np.full(len(rows), limit.value), np.full(len(rows), limit.below)
        etas = (each.tolist() for each in (states.eta(*asked), *states.eta_range(*asked)))
        for (time, value, taken), eta, low, high in zip(readings, *etas, strict=True):
            if taken:
                past = value <= limit.value if limit.below else value >= limit.value
                before = self._warner.warning
                warning = self._warner.see(time, past, eta)
                self.warnings += warning and not before
                self._told = _seconds(eta), _seconds(low), _seconds(high), str(int(warning))
            yield self._told


def _seconds(eta: float) -> str:
    """Write seconds; nothing while the trend is learning, inf where no limit is in sight."""
    return "" if math.isnan(eta) else "inf" if math.isinf(eta) else f"{eta:.0f}"
