"""How early a limit is foreseen: lead time and false share of eta on one gauge.

A crossing is a reading at or above the limit after at least `apart` seconds below it. A warning begins when eta falls
to the horizon or less while the value is below the limit, and ends when eta has been beyond it for `apart` seconds or
the limit is reached. A warning is true when the limit is reached within `grace` times the horizon of its beginning; a
crossing is detected when a warning is under way as it happens; its lead runs from that warning's beginning.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings

Floats = npt.NDArray[np.float64]
HOUR = 3600.0


class Foresight(msgspec.Struct, frozen=True):
    """Say how well crossings were foreseen. Leads are seconds, one a detected crossing."""

    limit: float
    crossings: int
    detected: int
    leads: tuple[float, ...]
    warnings: int
    false: int

    @property
    def median_lead(self) -> float:
        """Return the median lead in seconds over all crossings, an undetected one counting 0."""
        return float(np.median([*self.leads, *[0.0] * (self.crossings - self.detected)])) if self.crossings else 0.0

    @property
    def false_share(self) -> float:
        """Return false warnings over all."""
        return self.false / self.warnings if self.warnings else 0.0


def read_gauge(path: Path, column: str, time_column: str = "datetime", zone: str = "UTC") -> tuple[Floats, Floats]:
    """Read time (unix seconds) and value of one column of a CSV, without rows that lack a value or repeat a time."""
    times: list[float] = []
    values: list[float] = []
    with path.open(newline="", encoding="utf-8") as stream:
        for record in csv.DictReader(stream):
            if record[column] in ("", "NA"):
                continue
            time = datetime.fromisoformat(record[time_column]).replace(tzinfo=ZoneInfo(zone)).timestamp()
            if not times or time > times[-1]:
                times.append(time)
                values.append(float(record[column]))
    return np.array(times), np.array(values)


def etas(time: Floats, value: Floats, limit: float, interval: float, settings: BankSettings | None = None) -> Floats:
    """Return eta after each reading, as the live bank tells it (f8[n], seconds)."""
    bank = Bank(settings)
    bank.configure(0, interval=interval)
    rows, limits, below = np.zeros(1, np.intp), np.array([limit]), np.zeros(1, np.bool_)
    out = np.empty(len(time))
    for place in range(len(time)):
        bank.update(rows, time[place : place + 1], value[place : place + 1])
        out[place] = bank.eta(rows, limits, below)[0]
    return out


def foresee(
    time: Floats, value: Floats, eta: Floats, limit: float, *, horizon: float, apart: float, grace: float = 2.0
) -> Foresight:
    """Judge `eta` (seconds, f8[n]) against what then happened."""
    crossings = _crossings(time, value, limit, apart)
    warnings = _warnings(time, value, eta, limit, horizon, apart)
    leads: list[float] = []
    true = 0
    for begin, end in warnings:
        met = [crossing for crossing in crossings if begin < crossing <= begin + grace * horizon]
        true += bool(met)
        leads.extend(crossing - begin for crossing in met[:1] if crossing <= end)
    return Foresight(limit, len(crossings), len(leads), tuple(leads), len(warnings), len(warnings) - true)


def _crossings(time: Floats, value: Floats, limit: float, apart: float) -> list[float]:
    crossings: list[float] = []
    last_above = -np.inf
    for now, reading in zip(time.tolist(), value.tolist(), strict=True):
        if reading >= limit:
            if now - last_above >= apart and now > time[0]:
                crossings.append(now)
            last_above = now
    return crossings


def _warnings(
    time: Floats, value: Floats, eta: Floats, limit: float, horizon: float, apart: float
) -> Sequence[tuple[float, float]]:
    """Return (begin, end) of each warning; a warning that the limit ends, ends at that reading."""
    warnings: list[tuple[float, float]] = []
    begin = last = None
    last_above = -np.inf
    for now, reading, left in zip(time.tolist(), value.tolist(), eta.tolist(), strict=True):
        if reading >= limit:
            if begin is not None:
                warnings.append((begin, now))
            begin, last_above = None, now
        elif left <= horizon and now - last_above >= apart:
            begin, last = (now if begin is None else begin), now
        elif begin is not None and last is not None and now - last >= apart:
            warnings.append((begin, now))
            begin = None
    if begin is not None:
        warnings.append((begin, float(time[-1])))
    return warnings
