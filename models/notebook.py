"""The models in a notebook: score a table of readings as the live engine would have, one reading after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankResult
from models.equipment import budgets_of, drivers_of, equip, told_of
from models.interval import UNKNOWN, paces
from models.jump import Jumps
from models.rounds import rounds
from sensors.flags import GAP, JUMP
from sensors.history import HistoryError, checked, pandas
from sensors.observation import UNUSABLE
from sensors.site import Point, Site, Text

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
NO_TEXT = Text(zh="", en="")


class Taken(NamedTuple):
    """Hold readings that were scored at once: rows are unique; `at` are their places in the table, by arrival."""

    at: Rows
    rows: Rows
    result: BankResult
    flags: npt.NDArray[np.uint16]


class Scorer:
    """Hold a bank for the points of a site that a table speaks of, and give it the readings second by second.

    As in the engine, what is bad, out of range, not finite, or not later than its point's last reading is not scored.
    Intervals are those that the points have, or unless `declared` those that have shown up to each reading.
    """

    def __init__(self, history: pd.DataFrame, site: Site, points: tuple[Point, ...], *, declared: bool = True) -> None:
        ids, self.time, self.value, self.quality, self.received = checked(history)
        row_of = {point.id: row for row, point in enumerate(points)}
        unknown = sorted({str(name) for name in ids} - set(row_of))
        if unknown:
            raise HistoryError(f"the site has no point {', '.join(unknown[:5])}; rename them, or add them to the site")
        self.rows = np.array([row_of[name] for name in ids], np.intp)
        self.bank, self.jumps, self.last = Bank(), Jumps(), np.full(len(points), np.nan)
        self.low, self.high = np.array([point.range or (-np.inf, np.inf) for point in points]).reshape(-1, 2).T
        self.bank.grow(len(points))
        self.jumps.grow(len(points))
        budgets = budgets_of(site)
        equip(self.bank, self.jumps, (told_of(row, point, budgets) for row, point in enumerate(points)))
        self.bank.drivers = drivers_of(points)
        self._last_value = np.full(len(points), np.nan)
        self._paces = np.full(len(self.rows), np.nan)  # seconds, where another interval begins
        for row in () if declared else range(len(points)):
            mine = np.flatnonzero((self.rows == row) & np.isfinite(self.value))
            for place, interval in paces(self.time[mine].tolist()):
                self._paces[mine[place]] = interval

    def take(self, start: int, stop: int) -> Iterator[Taken]:
        """Score the readings from place `start` to `stop`, by arrival."""
        for within in rounds(self.rows[start:stop], len(self.last)):
            at = within + start
            for place in at[~np.isnan(self._paces[at])].tolist():
                self.bank.configure(int(self.rows[place]), interval=float(self._paces[place]))
            rows, time, value, quality = self.rows[at], self.time[at], self.value[at], self.quality[at]
            fresh = ~(time <= self.last[rows])  # NaN before the first
            self.last[rows[fresh]] = time[fresh]
            inside = (value >= self.low[rows]) & (value <= self.high[rows])
            good = fresh & ((quality & UNUSABLE) == 0) & np.isfinite(value) & inside
            at, rows, time, value = at[good], rows[good], time[good], value[good]
            if not len(at):
                continue
            result = self.bank.update(rows, time, value)
            flags = self.quality[at] | result.gap.astype(np.uint16) * np.uint16(GAP)
            if self.jumps.active or result.reason.any():
                low, high = self.bank.outside
                jumped = self.jumps.update(rows, time, value, result.reason, low, high, self._last_value)
                if jumped is not None:
                    flags[jumped] |= JUMP
            self._last_value[rows] = value
            yield Taken(at, rows, result, flags)


def score(history: pd.DataFrame, site: Site | None = None, *, language: str = "en") -> pd.DataFrame:
    """Return the table by arrival with `score` (0..1, NaN while learning), `alarm` and `reason`; nothing looks ahead.

    With a `site`, its points say interval, kind and budget; without one, each point is a gauge of the interval that
    has been usual so far. Readings that the engine would set aside have no score.
    """
    declared = site is not None
    site, points = known(history, site)
    scorer = Scorer(history, site, points, declared=declared)
    total = len(scorer.rows)
    scores, alarms, reasons = np.full(total, np.nan), np.zeros(total, np.bool_), np.full(total, "", object)
    driven = scorer.bank.drivers is not None
    for start, stop in by_tick(scorer.received) if driven else [(0, total)]:
        for taken in scorer.take(start, stop):
            scores[taken.at] = np.where(taken.result.learning, np.nan, taken.result.score)
            alarms[taken.at] = taken.result.alarm
            for place in np.flatnonzero(taken.result.alarm).tolist():
                reasons[taken.at[place]] = scorer.bank.reason_text(int(taken.rows[place]), language)
        scorer.bank.drive()
    found = history.iloc[_order(history)].copy()
    found["score"], found["alarm"], found["reason"] = scores, alarms, reasons
    return found


def by_tick(received: Floats, tick: float = 1.0) -> Iterator[tuple[int, int]]:
    """Yield the places (from, to) of readings, by arrival, that came before the same tick, every `tick` seconds."""
    edges = np.flatnonzero(np.diff(np.ceil(received / tick), prepend=np.nan) != 0)
    yield from zip(edges.tolist(), [*edges[1:].tolist(), len(received)], strict=True)


def known(history: pd.DataFrame, site: Site | None) -> tuple[Site, tuple[Point, ...]]:
    """Return a site and its points that a table speaks of, their drivers too; without a site, make gauges of them."""
    ids, *_ = checked(history)
    names = list(dict.fromkeys(str(name) for name in ids))
    if site is None:
        points = tuple(_gauge(name, index) for index, name in enumerate(names))
        return Site(id="notebook", name=NO_TEXT, points=points), points
    wanted = set(names)
    wanted |= {one.point for point in site.points if point.id in wanted for one in point.drivers}
    return site, tuple(point for point in site.points if point.id in wanted)


def _gauge(name: str, index: int) -> Point:
    return Point(id=name, name=NO_TEXT, areas=("notebook",), quantity="", unit="1", interval=UNKNOWN, index=index)


def _order(history: pd.DataFrame) -> Any:
    column: Any = pandas().Series(history["received" if "received" in history else "time"])
    return np.argsort(column.to_numpy(), kind="stable")
