"""A point's daily swing: an hourly profile of the day, used only while it foretells what comes.

Classical decomposition, made causal: at each full hour the value of twelve hours ago is held against the mean of the
24 hours around it, and what is left is learnt as the profile of that hour. Before it is learnt it is foretold: the
swing counts as there while the profile of the days before explains more than half of the variance of what is left, and
until it explains less than a quarter. A river's flood is not in the days before, so it explains nothing of it.

Values are kept in single precision, as what they are from an origin that moves along with the day's mean: of 1013.25 or
of ten millions the last digits are as good as of 0.01.
"""

from __future__ import annotations

from math import floor, sqrt

import numpy as np
import numpy.typing as npt

from models import residual
from models.arithmetic import ARRAYS, SCALARS, Arithmetic, Column
from models.wander import NO_WANDER, Wander, Weeks, wandered

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

HOURS = 24
HOUR = 3600.0
DAYS = 5.0
"""Days over which the profile follows."""
TESTED = 72.0
"""Hours over which its skill is measured, and from the first day on needed to say anything."""
ENTER, LEAVE = 0.5, 0.75
"""Shares of the variance left unexplained: below the first the swing is there, from the second on it has gone."""
_BRIDGED = 3
_UTMOST = 5.0  # usual spreads that an hour may lie from the one before: a spike is not the day's habit

CONTIGUOUS, LEARNT, SPREAD, MISSED, MEAN, SWUNG, RANGE = range(7)
"""Columns of what is known of a profile: hours without a gap, hours learnt, variance without and with the profile, the
mean of the last day, hours that the swing was there, and the first of the four of the residual's range."""
WEEKS = RANGE + len(residual.Range._fields)
"""The first of the four of the ranges of the day's mean."""
WIDTH = WEEKS + len(Weeks._fields)


def hour(op: type[Arithmetic], time: Column) -> Column:
    """Return the full hour (hours since 1970) that a time lies in."""
    return op.whole(time / HOUR)


class Seasons:
    """Hold the daily profiles of all rows: 260 bytes a row."""

    def __init__(self) -> None:
        day, profile = np.empty((0, HOURS), np.float32), np.empty((0, HOURS), np.float32)
        self.take(day, profile, np.empty((0, WIDTH), np.float32), np.empty(0))

    def take(self, day: Singles, profile: Singles, known: Singles, origin: Floats) -> None:
        """Go on with these arrays."""
        self.day = day  # the last value of each hour, from `origin` on
        self.profile = profile  # its usual distance from the day's mean
        self.known = known
        self.origin = origin  # what means of days, and the ranges of these, are told from on
        self._day, self._profile, self._known = (
            each.reshape(-1).view(np.uint8).data.cast("f") for each in (day, profile, known)
        )
        self._origin = origin.view(np.uint8).data.cast("d")

    @property
    def row_bytes(self) -> int:
        """Return bytes a row."""
        return 4 * (2 * HOURS + WIDTH) + 8

    def grow(self, more: int) -> None:
        """Add rows that know nothing."""
        self.take(
            np.concatenate([self.day, np.zeros((more, HOURS), np.float32)]),
            np.concatenate([self.profile, np.zeros((more, HOURS), np.float32)]),
            np.concatenate([self.known, np.zeros((more, WIDTH), np.float32)]),
            np.concatenate([self.origin, np.zeros(more)]),
        )

    def forget(self, row: int) -> None:
        """Make a row know nothing again."""
        self.day[row] = self.profile[row] = 0.0
        self.known[row] = self.origin[row] = 0.0

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Turn the days of rows by whole hours: their clock was set anew by seconds (f8[n])."""
        turn = np.mod(np.rint(seconds / HOUR), HOURS).astype(np.intp)
        at = (np.arange(HOURS) - turn[:, None]) % HOURS
        self.day[rows] = self.day[rows[:, None], at]
        self.profile[rows] = self.profile[rows[:, None], at]

    def at(self, rows: Rows, time: Floats) -> Floats:
        """Return the profile (f8[n]) of rows at times (f8[n] unix seconds), between two hours a straight line."""
        hours = np.floor(time / HOUR)
        part = time / HOUR - hours
        first = np.mod(hours, HOURS).astype(np.intp)
        before = self.profile[rows, first].astype(np.float64)
        told: Floats = before + (self.profile[rows, (first + 1) % HOURS] - before) * part
        return told

    def mean(self, rows: Rows) -> Floats:
        """Return the mean of the last 24 hours (f8[n]) of rows; NaN where an hour lacks or the days are too few."""
        day = np.add.accumulate(self.day[rows], axis=1, dtype=np.float64)[:, -1]
        known = self.known[rows]
        there = (known[:, LEARNT] >= TESTED) & (known[:, CONTIGUOUS] > HOURS)
        return np.where(there, self.origin[rows] + day / HOURS, np.nan)

    def ahead(self, rows: Rows, time: Floats, hours: int) -> Floats:
        """Return the profile (f8[n, hours]) of rows at the full hours after their times."""
        first = np.mod(np.floor(time / HOUR), HOURS).astype(np.intp)
        at = (first[:, None] + np.arange(1, hours + 1)) % HOURS
        told: Floats = self.profile[rows[:, None], at].astype(np.float64)
        return told

    def error(self, rows: Rows) -> Floats:
        """Return how far the profile is usually off (f8[n], units, root mean square)."""
        return np.asarray(np.sqrt(self.known[rows, MISSED].astype(np.float64)), np.float64)

    def at_one(self, row: int, time: float) -> float:
        """Do the same as `at` for one row."""
        hours = time / HOUR
        first = floor(hours)
        start, place = row * HOURS, first % HOURS
        before: float = self._profile[start + place]
        return before + (self._profile[start + (place + 1) % HOURS] - before) * (hours - first)

    def depart(self, rows: Rows, time: Floats, value: Floats, over: Bools) -> residual.Departure:
        """Hold values (f8[n]) of rows against what is usual at their times (f8[n]), and remember the residuals."""
        hours = np.floor(time / HOUR)
        places = np.mod(hours + np.arange(-1.0, 3.0)[:, None], HOURS).astype(np.intp)
        around = tuple(self.profile.reshape(-1).take(rows * HOURS + places).astype(np.float64))
        known = self.known.take(rows, axis=0).astype(np.float64).T
        swung = np.where(known[CONTIGUOUS] > HOURS, known[SWUNG], 0.0)
        origin = self.origin.take(rows)
        told, after = residual.depart(
            ARRAYS, residual.Range(*known[RANGE:WEEKS]), around, time / HOUR - hours, known[MEAN], known[SPREAD],
            known[MISSED], swung, value - origin, over,
        )  # fmt: skip
        self.known[rows, RANGE:WEEKS] = np.array(after).T
        return told._replace(low=origin + told.low, high=origin + told.high)

    def depart_one(self, row: int, time: float, value: float, over: bool) -> residual.Departure:
        """Do the same for one row, in plain Python, to the same bits."""
        hours = time / HOUR
        whole = floor(hours)
        start, first, at = row * HOURS, whole % HOURS, row * WIDTH
        around = tuple(self._profile[start + (first + step) % HOURS] for step in (-1, 0, 1, 2))
        contiguous, _, spread, missed, mean, swung, *ranges = self._known[at : at + WEEKS]
        origin = self._origin[row]
        told, after = residual.depart(
            SCALARS, residual.Range(*ranges), around, hours - whole, mean, spread, missed,
            swung if contiguous > HOURS else 0.0, value - origin, over,
        )  # fmt: skip
        for place, bound in enumerate(after, at + RANGE):
            self._known[place] = bound
        return residual.Departure(told.swing, told.excess, origin + told.low, origin + told.high)

    def wander(self, rows: Rows, certain: float) -> Wander:
        """Hold the mean of the last day against the weeks before, of rows whose hour has turned just now.

        Then move the origin to that mean, once a day.
        """
        with np.errstate(under="ignore"):
            told = Wander(*np.zeros((len(Wander._fields), len(rows))))
            at = (self.known[rows, CONTIGUOUS] > HOURS).nonzero()[0]
            if len(at):
                rows = rows[at]
                known, origin = self.known[rows].astype(np.float64).T, self.origin[rows]
                some, weeks = wandered(ARRAYS, Weeks(*known[WEEKS:]), known[MEAN], origin, known[LEARNT], certain)
                for into, new in zip(told, some, strict=True):
                    into[at] = new
                self.known[rows, WEEKS:] = np.array(weeks).T
                daily = (known[LEARNT] - np.floor(known[LEARNT] / HOURS) * HOURS == 0.0).nonzero()[0]
                if len(daily):
                    rows, mean = rows[daily], known[MEAN][daily]
                    self.origin[rows] += mean
                    self.day[rows] -= mean.astype(np.float32)[:, None]
                    self.known[rows, WEEKS:] -= mean.astype(np.float32)[:, None]
                    self.known[rows, MEAN] = 0.0
        return told

    def wander_one(self, row: int, certain: float) -> Wander:
        """Do the same for one row, in plain Python, to the same bits."""
        known, at = self._known, row * WIDTH
        if not known[at + CONTIGUOUS] > HOURS:
            return NO_WANDER
        learnt, mean, origin = known[at + LEARNT], known[at + MEAN], self._origin[row]
        told, weeks = wandered(SCALARS, Weeks(*known[at + WEEKS : at + WIDTH]), mean, origin, learnt, certain)
        daily = learnt % HOURS == 0.0
        for place, bound in enumerate(weeks, at + WEEKS):
            known[place] = bound
            if daily:
                known[place] -= mean
        if daily:
            self._origin[row] = origin + mean
            for place in range(row * HOURS, row * HOURS + HOURS):
                self._day[place] -= mean
            known[at + MEAN] = 0.0
        return told

    def turn_one(self, row: int, time: float, last: float, value: float, swinging: bool) -> bool:
        """Do the same as `turn` for one row, in plain Python, to the same bits."""
        now = floor(time / HOUR)
        passed, place, start = now - floor(last / HOUR), now % HOURS, row * HOURS
        known = self._known
        first = row * WIDTH
        contiguous, learnt, spread, missed = known[first : first + MEAN]
        if contiguous == 0.0:
            self._origin[row] = min(max(value, -residual.LARGEST), residual.LARGEST)
        value -= self._origin[row]
        fresh = passed > _BRIDGED or contiguous == 0.0
        day = [0.0] * HOURS if fresh else self._day[start : start + HOURS].tolist()
        before = day[place - 1]
        most = _UTMOST * sqrt(spread) if not fresh and learnt >= TESTED and spread > 0.0 else residual.LARGEST
        value = min(max(value, before - most), before + most)
        value = min(max(value, -residual.LARGEST), residual.LARGEST)
        changed = range(start, start + HOURS) if fresh else [start + (place - back) % HOURS for back in range(passed)]
        for at in changed:
            self._day[at] = value
        yesterday = self._day[start + place] if fresh else day[place]
        contiguous = 1.0 if fresh else contiguous + passed
        known[first + CONTIGUOUS] = contiguous
        if contiguous <= HOURS:
            return swinging
        total = 0.0
        for each in self._day[start : start + HOURS]:
            total += each
        ends = 0.5 * (yesterday - self._day[start + place])
        at = start + (place - HOURS // 2) % HOURS
        rest, profile = self._day[at] - (total + ends) / HOURS, self._profile[at]
        off = rest - profile
        tested = max(learnt - HOURS + 1.0, 1.0)
        gain = max(1.0 / tested, 1.0 / TESTED) if learnt >= HOURS else 0.0
        spread += (rest * rest - spread) * gain
        missed += (off * off - missed) * gain
        self._profile[at] = profile + off * max(1.0 / (1.0 + learnt // HOURS), 1.0 / DAYS)
        known[first + LEARNT], known[first + SPREAD], known[first + MISSED] = learnt + 1.0, spread, missed
        known[first + MEAN] = total / HOURS
        there = missed < (LEAVE if swinging else ENTER) * spread and learnt + 1.0 >= TESTED
        known[first + SWUNG] += there
        return there

    def turn(self, rows: Rows, time: Floats, last: Floats, value: Floats, swinging: Bools) -> Bools:
        """Take the values (f8[n]) of rows whose hour is not that of their last reading; return which swing."""
        with np.errstate(under="ignore"):  # what is too small for single precision is 0
            return self._turn(rows, time, last, value, swinging)

    def _turn(self, rows: Rows, time: Floats, last: Floats, value: Floats, swinging: Bools) -> Bools:
        now = np.floor(time / HOUR)
        passed = now - np.floor(last / HOUR)
        place = np.mod(now, HOURS).astype(np.intp)
        known, day = self.known[rows].astype(np.float64), self.day[rows]
        each = np.arange(len(rows))
        first = (known[:, CONTIGUOUS] == 0.0).nonzero()[0]
        if len(first):
            self.origin[rows[first]] = np.minimum(np.maximum(value[first], -residual.LARGEST), residual.LARGEST)
        value = value - self.origin[rows]
        fresh = (passed > _BRIDGED) | (known[:, CONTIGUOUS] == 0.0)
        spread = known[:, SPREAD]
        most = np.where(
            ~fresh & (known[:, LEARNT] >= TESTED) & (spread > 0.0), _UTMOST * np.sqrt(spread), residual.LARGEST
        )
        before = np.where(fresh, 0.0, day[each, (place - 1) % HOURS])
        value = np.minimum(np.maximum(value, before - most), before + most)
        value = np.minimum(np.maximum(value, -residual.LARGEST), residual.LARGEST)  # spreads may have grown beyond it
        day = np.where(fresh[:, None], value.astype(np.float32)[:, None], day)
        yesterday = day[each, place].astype(np.float64)
        for back in range(_BRIDGED):
            at = (place - back) % HOURS
            day[each, at] = np.where(passed > back, value, day[each, at])
        known[:, CONTIGUOUS] = np.where(fresh, 1.0, known[:, CONTIGUOUS] + passed)
        self.day[rows] = day
        whole = np.flatnonzero(known[:, CONTIGUOUS] > HOURS)
        told = swinging
        if len(whole):
            total = np.add.accumulate(day[whole], axis=1, dtype=np.float64)[:, -1]
            known[whole, MEAN] = total / HOURS
            ends = 0.5 * (yesterday[whole] - day[whole, place[whole]].astype(np.float64))
            middle = (place[whole] - HOURS // 2) % HOURS
            rest = day[whole, middle] - (total + ends) / HOURS
            told = swinging.copy()
            told[whole] = self._learn(rows[whole], known, whole, middle, rest, swinging[whole])
        self.known[rows] = known
        return told

    def _learn(self, rows: Rows, known: Floats, at: Rows, hour: Rows, rest: Floats, swinging: Bools) -> Bools:
        """Hold what is left of an hour against its profile, then learn it; return whether the swing is there."""
        profile = self.profile[rows, hour].astype(np.float64)
        missed = rest - profile
        learnt = known[at, LEARNT]
        tested = np.maximum(learnt - HOURS + 1.0, 1.0)
        gain = np.where(learnt >= HOURS, np.maximum(1.0 / tested, 1.0 / TESTED), 0.0)
        known[at, SPREAD] += (rest * rest - known[at, SPREAD]) * gain
        known[at, MISSED] += (missed * missed - known[at, MISSED]) * gain
        days = np.floor(learnt / HOURS)
        self.profile[rows, hour] = profile + missed * np.maximum(1.0 / (1.0 + days), 1.0 / DAYS)
        known[at, LEARNT] = learnt + 1.0
        bound = np.where(swinging, LEAVE, ENTER) * known[at, SPREAD]
        there: Bools = (known[at, MISSED] < bound) & (learnt + 1.0 >= TESTED)
        known[at, SWUNG] += there
        return there
