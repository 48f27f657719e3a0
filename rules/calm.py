"""Readings that no rule can have anything to say to: told beforehand for many of a point, and taken in at one go.

A row at rest, no level of it raised and no delay running, is looked at only when a feature of it comes to a bar of its
guard (`rules.guard`). Values and scores of readings that are all at hand can be held against the bars at once. Figures
over windows need not be worked out for each reading: between what a window holds and what comes in they have bounds,
and a row whose bound stays short of the bar needs no look either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rules.binding import Key
from rules.evaluation import Evaluator

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

SLACK = 1e-9
"""Share of a bar by which a bound must stay short of it: a sum of a million readings is rounded by less than that."""

_OWN: tuple[Key, ...] = (("value",), ("score",))


class Series:
    """Readings of many rows in the order in which they came, and where those of each row are.

    `rows` intp[n], may repeat; `time`, `value`, `score` f8[n], `alarm` bool[n]. `order` has the places row by row;
    `mine` are the rows that have any, `first` and `last` the places of their first and last readings.
    """

    def __init__(self, rows: Rows, time: Floats, value: Floats, score: Floats, alarm: Bools, total_rows: int) -> None:
        self.rows, self.time, self.value, self.score, self.alarm = rows, time, value, score, alarm
        # numpy sorts keys of 16 bits in linear time
        self.order = np.argsort(rows.astype(np.uint16) if total_rows <= 1 << 16 else rows, kind="stable")
        ordered = rows[self.order]
        begins = np.empty(len(rows), np.bool_)
        begins[0] = True
        np.not_equal(ordered[1:], ordered[:-1], out=begins[1:])
        self.begins = begins  # in order: a row's first
        self.starts = np.flatnonzero(begins)
        self.mine = ordered[self.starts]
        self.count = np.diff(self.starts, append=len(rows))
        self.first = self.order[self.starts]
        self.last = self.order[self.starts + self.count - 1]

    def rising(self, before: Floats) -> Bools:
        """Tell which readings are later than their row's last, bool[n]; `before` f8[rows], NaN before the first."""
        time = self.time[self.order]
        earlier = np.empty_like(time)
        earlier[1:] = time[:-1]
        earlier[self.starts] = before[self.mine]
        found = np.empty(len(time), np.bool_)
        found[self.order] = ~(time <= earlier)
        return found

    def extremes(self) -> tuple[Floats, Floats]:
        """Return the lowest and the highest value of each of `mine`."""
        value = self.value[self.order]
        return np.minimum.reduceat(value, self.starts), np.maximum.reduceat(value, self.starts)


def possible(evaluator: Evaluator) -> bool:
    """Tell whether rows at rest move by their own readings alone, now and at the ticks to come."""
    if type(evaluator) is not Evaluator or evaluator.goes_by_the_clock or evaluator.been_away or evaluator.gone:
        return False
    return not (evaluator.points.marked or evaluator.unseen.any())


def loud(evaluator: Evaluator, rows: Rows, value: Floats, score: Floats) -> Bools:
    """Tell which readings come to a bar of their row by themselves, bool[n]."""
    guard = evaluator.book.reading_guard
    found = np.zeros(len(rows), np.bool_)
    for key, bars, _, above in guard.tables:
        if key in _OWN:
            values, bar = value if key == ("value",) else score, bars[rows]
            found |= values >= bar if above else values <= bar
    return found


def restless(evaluator: Evaluator, series: Series, loud: Bools) -> Bools:
    """Tell which rows must be looked at reading by reading while these come, bool[rows]; no other can move."""
    book, guard = evaluator.book, evaluator.book.reading_guard
    found = guard.always | (evaluator.awake_rows[: book.rows] > 0)
    found[series.rows[loud]] = True
    extremes: tuple[Floats, Floats] | None = None
    for key, bars, barred, above in guard.tables:
        if key in _OWN:
            continue
        some = np.isfinite(bars) if barred is None else barred
        here = np.flatnonzero(some[series.mine])
        if not here.size:
            continue
        rows, bar = series.mine[here], bars[series.mine[here]]
        extremes = series.extremes() if extremes is None else extremes
        low, high = extremes[0][here], extremes[1][here]
        bound = _bound(evaluator, key, rows, low, high, series.count[here], above=above)
        if bound is None:
            found[rows] = True
            continue
        slack = SLACK * np.abs(bar)
        short = bound < bar - slack if above else bound > bar + slack
        found[rows[~short]] = True
    return found


def _bound(
    evaluator: Evaluator, key: Key, rows: Rows, low: Floats, high: Floats, count: Rows, *, above: bool
) -> Floats | None:
    """Say what a figure of rows stays at or below (`above`) or at or over, while so many such readings come."""
    match key:
        case (str(statistic), float(duration)):
            return evaluator.windows.bound(statistic, duration, rows, low, high, count, above=above)
    return None


def pass_over(evaluator: Evaluator, series: Series, quiet: Bools) -> None:
    """Take in the readings of the rows that are `quiet` (bool[rows]), none of which can move.

    When points were last heard of and how old that is are the caller's to say, once this stretch is over.
    """
    points, here = evaluator.points, quiet[series.mine]
    rows, last = series.mine[here], series.last[here]
    points.last_time[rows] = series.time[last]
    points.value[rows] = series.value[last]
    points.score[rows] = series.score[last]
    points.alarm[rows] = series.alarm[last]
    if evaluator.book.sampled:
        evaluator.read_count[rows] += series.count[here]
    at = np.flatnonzero(quiet[series.rows])
    some = (series.rows, series.time, series.value)
    if at.size < len(series.rows):
        some = (series.rows[at], series.time[at], series.value[at])
    evaluator.windows.add_many(*some)
