"""The columns that `foreshock score --limit` adds: when the limit is reached, within what interval, and the warning."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from models.bank import Bank
from models.creep import QUANTITIES
from models.driver import LAG, RAIN, Brings, Drive, Drivers
from models.warning import HORIZON, Warner

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
    """Write the columns of a bank's row, reading by reading."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.warnings = 0
        self._warner = Warner(limit.horizon)
        self._row, self._limits, self._below = np.zeros(1, np.intp), np.array([limit.value]), np.array([limit.below])
        self._told: tuple[str, ...] = ("", "", "", "0")

    def after(self, bank: Bank, time: float, value: float, taken: bool) -> tuple[str, ...]:
        """Return the columns after a reading; one that was not `taken` changes nothing."""
        if not taken:
            return self._told
        eta = float(bank.eta(self._row, self._limits, self._below)[0])
        low, high = (float(each[0]) for each in bank.eta_range(self._row, self._limits, self._below))
        past = value <= self.limit.value if self.limit.below else value >= self.limit.value
        before = self._warner.warning
        warning = self._warner.see(time, past, eta)
        self.warnings += warning and not before
        self._told = (*(_seconds(each) for each in (eta, low, high)), str(int(warning)))
        return self._told


def _seconds(eta: float) -> str:
    """Write seconds; nothing while the trend is learning, inf where no limit is in sight."""
    return "" if np.isnan(eta) else "inf" if np.isinf(eta) else f"{eta:.0f}"
