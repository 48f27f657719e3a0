"""How early a limit is foreseen: lead time and false share of early warnings on one gauge.

A crossing is a reading at or past the limit after at least `apart` seconds short of it. Warnings are those of
`models.warning`. A warning is true when the limit is reached within `grace` times the horizon of its beginning; a
crossing is detected when a warning is under way as it happens; its lead runs from that warning's beginning.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings, Kind
from models.driver import Brings, Drive, Drivers
from models.evaluation.plot import Band, Look, Mark, Panel, around
from models.interval import Paces
from models.warning import GRACE, warnings

Floats = npt.NDArray[np.float64]
HOUR = 3600.0
DAY = 24 * HOUR
WEEK = 7 * DAY


class Driven(msgspec.Struct, frozen=True):
    """Say what drives a series: values (f8[n], nan where not read) at the same times, the lag in seconds."""

    value: Floats
    lag: float
    brings: Brings


class Warned(msgspec.Struct, frozen=True):
    """Hold one warning: unix seconds, and whether its limit was reached in time."""

    begin: float
    end: float
    right: bool


class Crossing(msgspec.Struct, frozen=True):
    """Hold one crossing: unix seconds, and how many seconds before it the warning began; None: it was missed."""

    time: float
    lead: float | None


class Foresight(msgspec.Struct, frozen=True):
    """Say how well the crossings of a limit were foreseen in a span of so many seconds."""

    limit: float
    span: float
    crossed: tuple[Crossing, ...]
    warned: tuple[Warned, ...]

    @property
    def crossings(self) -> int:
        """Return how often the limit was crossed."""
        return len(self.crossed)

    @property
    def leads(self) -> tuple[float, ...]:
        """Return the leads in seconds, one a detected crossing."""
        return tuple(one.lead for one in self.crossed if one.lead is not None)

    @property
    def detected(self) -> int:
        """Return how many crossings a warning preceded."""
        return len(self.leads)

    @property
    def warnings(self) -> int:
        """Return how many warnings there were."""
        return len(self.warned)

    @property
    def false(self) -> int:
        """Return how many of them nothing followed in time."""
        return sum(not one.right for one in self.warned)

    @property
    def median_lead(self) -> float:
        """Return the median lead in seconds over all crossings, an undetected one counting 0."""
        return float(np.median([one.lead or 0.0 for one in self.crossed])) if self.crossed else 0.0

    @property
    def false_share(self) -> float:
        """Return false warnings over all."""
        return self.false / self.warnings if self.warnings else 0.0

    @property
    def false_a_week(self) -> float:
        """Return false warnings a week."""
        return self.false * WEEK / self.span if self.span else 0.0


def read_gauge(path: Path, column: str, time_column: str = "datetime", zone: str = "UTC") -> tuple[Floats, Floats]:
    """Read time (unix seconds) and value of one column of a CSV, without rows that lack a value or repeat a time."""
    times: list[float] = []
    values: list[float] = []
    with path.open(newline="", encoding="utf-8") as stream:
        for record in csv.DictReader(stream):
            if record[column] in ("", "NA"):
                continue
            told = datetime.fromisoformat(record[time_column])
            time = (told if told.tzinfo is not None else told.replace(tzinfo=ZoneInfo(zone))).timestamp()
            if not times or time > times[-1]:
                times.append(time)
                values.append(float(record[column]))
    return np.array(times), np.array(values)


def etas(
    time: Floats, value: Floats, limit: float, interval: float | None = None, settings: BankSettings | None = None, *,
    below: bool = False, creeps: bool = False, drivers: Sequence[Driven] = (),
    progress: Callable[[int], None] | None = None,
) -> Floats:  # fmt: skip
    """Return eta after each reading, as the live bank tells it (f8[n], seconds). `progress` is told readings done.

    Without an `interval`, readings are expected at the pace that they have shown so far, as `foreshock score` does.
    """
    bank = Bank(settings)
    kinds: list[Kind] = ["gauge", *("counter" if one.brings == "total" else "gauge" for one in drivers)]

    def expect(row: int, every: float) -> None:
        bank.configure(row, interval=every, kind=kinds[row], creeps=creeps and not row)
        if bank.drivers is not None:
            bank.drivers.expect(row, every)

    paces = Paces(len(kinds), interval, expect)
    drives = [Drive(0, row, one.lag, one.brings, paces.interval) for row, one in enumerate(drivers, 1)]
    bank.drivers = Drivers(drives, len(bank)) if drives else None
    values = np.array([value, *(one.value for one in drivers)])
    first, limits, floor = np.zeros(1, np.intp), np.array([limit]), np.array([below])
    out = np.empty(len(time))
    for place in range(len(time)):
        rows = np.flatnonzero(~np.isnan(values[:, place])) if drives else first
        paces.read(rows.tolist(), float(time[place]))
        bank.update(rows, np.full(len(rows), time[place]), values[rows, place])
        bank.drive()
        out[place] = bank.eta(first, limits, floor)[0]
        if progress is not None and place % 500 == 0:
            progress(place)
    return out


def foresee(
    time: Floats, value: Floats, eta: Floats, limit: float, *, horizon: float, apart: float, grace: float = GRACE,
    below: bool = False,
) -> Foresight:  # fmt: skip
    """Judge the warnings that `eta` (seconds, f8[n]) makes against what then happened."""
    past = value <= limit if below else value >= limit
    crossings = _crossings(time, past, apart)
    spans = _spans(time, warnings(time, past, eta, horizon))
    warned = tuple(
        Warned(begin, end, any(begin < at <= begin + grace * horizon for at in crossings)) for begin, end in spans
    )
    leads = [[at - begin for begin, end in spans if begin < at <= end] for at in crossings]
    crossed = tuple(Crossing(at, max(lead, default=None)) for at, lead in zip(crossings, leads, strict=True))
    return Foresight(limit, float(time[-1] - time[0]) if len(time) else 0.0, crossed, warned)


def _crossings(time: Floats, past: npt.NDArray[np.bool_], apart: float) -> list[float]:
    crossings: list[float] = []
    last = -np.inf
    for now in time[past].tolist():
        if now - last >= apart and now > time[0]:
            crossings.append(now)
        last = now
    return crossings


def _spans(time: Floats, warning: npt.NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Return (begin, end) of each warning; it ends at the reading that ends it, or with the record."""
    turns = np.flatnonzero(np.diff(warning, prepend=False, append=False))
    begins, ends = turns[::2], np.minimum(turns[1::2], len(time) - 1)
    return list(zip(time[begins].tolist(), time[ends].tolist(), strict=True))


def panels(time: Floats, value: Floats, found: Foresight, *, every: bool = False, most: int = 60) -> list[Panel]:
    """Draw the whole record, then each miss and each false warning with the days about it (`every`: what was right)."""
    marks = [Mark(one.time, "", "missed" if one.lead is None else "found") for one in found.crossed]
    bands = [Band(one.begin, one.end, "", "found" if one.right else "false") for one in found.warned]
    drawn = [Panel("all readings", time, value, marks, bands, found.limit)]
    moments: list[tuple[float, float, Look, str]] = [
        (one.time, one.time, "missed", "missed") if one.lead is None
        else (one.time, one.time, "found", f"warned {one.lead / HOUR:.1f} h before")
        for one in found.crossed
    ]  # fmt: skip
    moments += [(one.begin, one.end, "false", "false warning") for one in found.warned if not one.right]
    wanted = [one for one in sorted(moments) if every or one[2] != "found"]
    for begin, end, _, words in wanted[:most]:
        part = around(time, begin, end, 1.5 * DAY)
        moment = datetime.fromtimestamp(begin, UTC).strftime("%Y-%m-%d %H:%M UTC")
        drawn.append(Panel(words, time[part], value[part], marks, bands, found.limit, note=moment))
    return drawn
