"""The two machines that take readings through `models.scoring`: a batch in arrays, one reading in Python floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from models import novelty
from models.arithmetic import ARRAYS, SCALARS, Column
from models.calibration import Hold, hold, hold_many
from models.layout import BEFORE_HIGHS, BEFORE_LOWS, HIGHS, LOWS, RECENT
from models.novelty import Memory, News, compare, compare_many, remember, turn
from models.parts import Parts
from models.reason import CODES, NOTHING, RARE, VALUE_ABOVE, VALUE_BELOW
from models.residual import NO_DEPARTURE, Departure
from models.season import hour
from models.trend import Pace
from models.wander import NO_WANDER, Wander

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
_CLOSE = 0.1  # a value that is a tenth as novel as its means explains more than they do

_NOWHERE = np.empty(0, np.intp)

FEW = 4
"""Rows up to which rare work is quicker one by one."""

Work = Callable[..., tuple[tuple[Column, ...], list[Column]]]


class Batch:
    """Be the machine of a batch."""

    op = ARRAYS

    def __init__(
        self, parts: Parts, rows: Rows, fields: Floats, slow: Floats, pace: Pace, places: Rows | None = None
    ) -> None:
        self.parts, self.rows, self.pace = parts, rows, pace
        self.places = parts.sized.at(rows) if places is None else places
        self.ranges = fields[LOWS], fields[HIGHS], slow[BEFORE_LOWS], slow[BEFORE_HIGHS]
        self._moved: list[Bools] = []

    def compare(
        self, bounds: list[Floats], over: Bools | None, streams: tuple[Floats, Floats, Floats], centre: Floats,
        least: Floats,
    ) -> tuple[News, list[Floats]]:  # fmt: skip
        """Compare the three streams at once; `bounds`, the rows of the batch's fields, change where they are."""
        if over is not None:
            for into, new in zip(self.ranges, turn(ARRAYS, Memory(*self.ranges), over), strict=True):
                into[:] = new
        return compare_many(*self.ranges, streams, centre, least), bounds

    def nowhere(self) -> Bools:
        """Return no row."""
        return np.zeros(len(self.rows), np.bool_)

    def touched(self, where: Bools) -> None:
        """Have the slow fields of some rows written back."""
        self._moved.append(where)

    def moved(self) -> Rows:
        """Return the places of readings whose slow fields have moved."""
        if not self._moved:
            return _NOWHERE
        first, *others = self._moved
        for other in others:
            first = first | other
        return first.nonzero()[0]

    def hold(self, factors: Hold, share: Floats, learning: Bools | None) -> tuple[Floats, Hold]:
        """Hold the ranks of a batch."""
        return hold_many(factors, share) if learning is None else hold(ARRAYS, factors, share, learning)

    def count(self, place: Floats, excess: Floats, counted: Bools | None) -> tuple[Floats, Floats]:
        """Count readings of the batch's rows."""
        return self.parts.survival.count_many(self.places, place, excess, counted)

    def halve(self, full: Bools) -> None:
        """Halve some rows' counts."""
        self.parts.survival.halve(self.places[full])

    def depart(self, where: Bools, time: Floats, value: Floats, over: Bools) -> Departure:
        """Hold the values of the rows that swing against their hours."""
        told = Departure(*np.zeros((len(Departure._fields), len(self.rows))))
        at = where.nonzero()[0]
        if len(at):
            some = self.parts.seasons.depart(self.places[at], time[at], value[at], over[at])
            for into, new in zip(told, some, strict=True):
                into[at] = new
        return told

    def swing(self, where: Bools, time: Floats) -> Floats:
        """Read the profiles of the rows that swing."""
        told = np.zeros(len(self.rows))
        at = where.nonzero()[0]
        told[at] = self.parts.seasons.at(self.places[at], time[at])
        return told

    def season(self, time: Floats, last: Floats, value: Floats, swings: Bools) -> tuple[Bools, Floats]:
        """Learn the profiles of the rows whose hour has turned."""
        at = (hour(ARRAYS, time) != hour(ARRAYS, last)).nonzero()[0]
        now = swings.copy()
        now[at] = self.parts.seasons.turn(self.places[at], time[at], last[at], value[at], swings[at])
        return now, self.swing(now, time)

    def wander(self, where: Bools, certain: float) -> Wander:
        """Hold the mean of the last day of some rows against the weeks before."""
        told = Wander(*np.zeros((len(Wander._fields), len(self.rows))))
        at = where.nonzero()[0]
        for into, new in zip(told, self.parts.seasons.wander(self.places[at], certain), strict=True):
            into[at] = new
        return told

    def rarely(
        self, part: str, where: Bools, work: Work, change: list[Floats], settings: Any, *given: Floats
    ) -> list[Floats]:
        """Work on the readings `where` only, on a few one by one."""
        at = where.nonzero()[0]
        rows, block = self.parts.find(part, self.rows.take(at))
        count, columns = len(change), (*change, *given)
        if len(at) <= FEW:
            for place, row in zip(at.tolist(), rows.tolist(), strict=True):
                one = [column.item(place) for column in columns]
                block[row], news = work(SCALARS, tuple(block[row].tolist()), one[:count], settings, *one[count:])
                for into, new in zip(change, news, strict=True):
                    into[place] = new
            return change
        some = [column.take(at) for column in columns]
        fields, many = work(ARRAYS, tuple(block.take(rows, axis=0).T), some[:count], settings, *some[count:])
        block[rows] = np.array(fields).T
        for into, was, new in zip(change, some, many, strict=False):
            if new is not was:
                into[at] = new
        return change

    def keep(self, seen: Floats, step: Floats) -> None:
        """Keep the batch's steps."""
        self.parts.keep(self.places, seen, step)

    def explain(
        self, telling: Bools, alarm: Bools, time: Floats, since: Floats, score: Floats,
        streams: tuple[Floats, ...], news: News, daily: Departure, least: Floats,
    ) -> Codes:  # fmt: skip
        """Keep why the surprising readings of a batch were surprising."""
        codes = np.zeros(len(self.rows), np.uint8)
        at = telling.nonzero()[0]
        if len(at) > FEW:
            values = np.array([stream.take(at) for stream in streams])
            lows, highs = news.low.take(at, axis=1), news.high.take(at, axis=1)
            excess = novelty.excess(ARRAYS, values, lows, highs, least.take(at))
            if daily is not NO_DEPARTURE:  # the value once more, as it is at its hour, while it is within its range
                excess = np.vstack([excess, np.where(excess[0] > 0.0, 0.0, daily.excess[at])])
                lows, highs = np.vstack([lows, daily.low[at]]), np.vstack([highs, daily.high[at]])
                values = np.vstack([values, values[:1]])
            most = (excess >= _CLOSE * excess.max(axis=0)).argmax(axis=0)  # the first that is about as novel as any
            chosen = most * len(at) + np.arange(len(at))
            value, low, high, beyond = (three.take(chosen) for three in (values, lows, highs, excess))
            code = np.where(beyond > 0.0, CODES[2 * most + (value < low)], float(RARE))
            left = ((code == RARE) & alarm.take(at)).nonzero()[0]
            if len(left):
                value[left] = values[0, left]
                low[left], high[left] = self.parts.stay[self.places[at[left]], :2].T
                code[left] = np.where(value[left] < low[left], VALUE_BELOW, VALUE_ABOVE)
            kept = np.array([code, time.take(at), value, low, high, since.take(at), score.take(at)])
            self.parts.reason[self.rows.take(at)] = kept.T
            codes[at] = code
            return codes
        for place in at.tolist():
            one = Single(self.parts, self.rows.item(place), self.pace)
            news_of = News(0.0, 0.0, *(three[:, place].tolist() for three in news[2:]))
            codes[place] = one.explain(
                True, alarm.item(place), time.item(place), since.item(place), score.item(place),
                tuple(each.item(place) for each in streams), news_of,
                daily if daily is NO_DEPARTURE else Departure(*(each.item(place) for each in daily)), least.item(place),
            )  # fmt: skip
        return codes


class Single:
    """Be the machine of one reading."""

    op = SCALARS

    def __init__(self, parts: Parts, row: int, pace: Pace) -> None:
        self.parts, self.row, self.pace = parts, row, pace
        self.place = parts.sized.of.item(row)

    def compare(
        self, bounds: list[float], over: bool | None, streams: tuple[float, float, float], centre: float, least: float
    ) -> tuple[News, list[float]]:
        """Compare the row's streams."""
        memories = [Memory(*bounds[at::3]) for at in range(3)]
        if over:
            memories = [turn(SCALARS, memory, over) for memory in memories]
        each = zip(memories, streams, (centre, centre, 0.0), strict=True)
        told = [compare(SCALARS, memory, x, about, least) for memory, x, about in each]
        after = [remember(SCALARS, memory, x) for memory, x in zip(memories, streams, strict=True)]
        excess, place, low, high = zip(*told, strict=True)
        return News(max(excess), max(place), low, high), [bound for each in zip(*after, strict=True) for bound in each]

    def nowhere(self) -> bool:
        """Return that it is not this one."""
        return False

    def touched(self, where: bool) -> None:
        """Do nothing: one row is written back whole."""

    def hold(self, factors: Hold, share: float, learning: bool | None) -> tuple[float, Hold]:
        """Hold one rank."""
        return hold(SCALARS, factors, share, learning)

    def count(self, place: float, excess: float, counted: bool | None) -> tuple[float, float]:
        """Count one reading."""
        return self.parts.survival.count_one(self.place, place, excess, counted is not False)

    def halve(self, full: bool) -> None:
        """Halve the row's counts."""
        if full:
            self.parts.survival.halve(np.array([self.place]))

    def depart(self, where: bool, time: float, value: float, over: bool) -> Departure:
        """Hold the row's value against its hour if it swings."""
        return self.parts.seasons.depart_one(self.place, time, value, over) if where else NO_DEPARTURE

    def swing(self, where: bool, time: float) -> float:
        """Read the row's profile if it swings."""
        return self.parts.seasons.at_one(self.place, time) if where else 0.0

    def season(self, time: float, last: float, value: float, swings: bool) -> tuple[bool, float]:
        """Learn the row's profile: its hour has turned."""
        now = self.parts.seasons.turn_one(self.place, time, last, value, swings)
        return now, self.swing(now, time)

    def wander(self, where: bool, certain: float) -> Wander:
        """Hold the mean of the row's last day against the weeks before."""
        return self.parts.seasons.wander_one(self.place, certain) if where else NO_WANDER

    def rarely(
        self, part: str, where: bool, work: Work, change: list[float], settings: Any, *given: float
    ) -> list[float]:
        """Work if `where`."""
        if not where:
            return change
        (place,), block = self.parts.find(part, np.array([self.row]))
        fields, new = work(SCALARS, tuple(block[place].tolist()), change, settings, *given)
        block[place] = fields
        return new

    def keep(self, seen: float, step: float) -> None:
        """Keep one step."""
        with np.errstate(over="ignore", under="ignore"):
            self.parts.recent[self.place, int(seen) % RECENT] = step

    def explain(
        self, telling: bool, alarm: bool, time: float, since: float, score: float, streams: tuple[float, ...],
        news: News, daily: Departure, least: float,
    ) -> int:  # fmt: skip
        """Keep why one reading was surprising."""
        if not telling:
            return NOTHING
        each = [novelty.excess(SCALARS, *stream, least) for stream in zip(streams, news.low, news.high, strict=True)]
        each.append(0.0 if each[0] > 0.0 else daily.excess)
        utmost = max(each)
        most = next(stream for stream, excess in enumerate(each) if excess >= _CLOSE * utmost)
        beside = (*streams, streams[0]), each, (*news.low, daily.low), (*news.high, daily.high)
        value, excess, low, high = (column[most] for column in beside)
        code = int(CODES[2 * most + (value < low)]) if excess > 0.0 else RARE
        if code == RARE and alarm:
            value, (low, high) = streams[0], self.parts.stay[self.place, :2].tolist()
            code = VALUE_BELOW if value < low else VALUE_ABOVE
        self.parts.reason[self.row] = code, time, value, low, high, since, score
        return code
