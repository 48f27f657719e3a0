"""The two machines that take readings through `models.scoring`: a batch in arrays, one reading in Python floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arithmetic import ARRAYS, SCALARS, Column
from models.calibration import Survival
from models.novelty import Memory, Novelty, compare, remember, turn
from models.reason import CODES, NOTHING, RARE, VALUE_ABOVE, VALUE_BELOW
from models.residual import NO_DEPARTURE, Departure
from models.season import Seasons, hour

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
_CLOSE = 0.1  # a value that is a tenth as novel as its means explains more than they do

Work = Callable[..., tuple[tuple[Column, ...], list[Column]]]


class Batch:
    """Be the machine of a batch."""

    op = ARRAYS

    def __init__(
        self, rare: dict[str, Floats], survival: Survival, seasons: Seasons, rows: Rows, bounds: Floats
    ) -> None:
        self.rare, self.survival, self.seasons, self.rows, self.bounds = rare, survival, seasons, rows, bounds

    def compare(
        self, bounds: list[Floats], over: Bools, streams: tuple[Floats, Floats, Floats], centre: Floats, least: Floats
    ) -> tuple[Novelty, list[Floats]]:
        """Compare the three streams at once; `bounds`, the rows of `self.bounds`, change where they are."""
        memory = Memory(*(self.bounds[at::4] for at in range(4)))
        if np.count_nonzero(over):
            for into, new in zip(memory, turn(ARRAYS, memory, over), strict=True):
                into[:] = new
        x = np.array(streams)
        centres = np.zeros_like(x)
        centres[:2] = centre
        new = compare(ARRAYS, memory, x, centres, least)
        np.minimum(memory.low, x, out=memory.low)
        np.maximum(memory.high, x, out=memory.high)
        return new, bounds

    def count(self, place: Floats, excess: Floats, counted: Bools) -> tuple[Floats, Floats]:
        """Count readings of the batch's rows."""
        return self.survival.count_many(self.rows, place, excess, counted)

    def halve(self, full: Bools) -> None:
        """Halve some rows' counts."""
        self.survival.halve(self.rows[full])

    def depart(self, where: Bools, time: Floats, value: Floats, over: Bools) -> Departure:
        """Hold the values of the rows that swing against their hours."""
        told = Departure(*np.zeros((len(Departure._fields), len(self.rows))))
        at = where.nonzero()[0]
        if len(at):
            some = self.seasons.depart(self.rows[at], time[at], value[at], over[at])
            for into, new in zip(told, some, strict=True):
                into[at] = new
        return told

    def swing(self, where: Bools, time: Floats) -> Floats:
        """Read the profiles of the rows that swing."""
        told = np.zeros(len(self.rows))
        at = where.nonzero()[0]
        told[at] = self.seasons.at(self.rows[at], time[at])
        return told

    def season(self, time: Floats, last: Floats, value: Floats, swings: Bools) -> tuple[Bools, Floats]:
        """Learn the profiles of the rows whose hour has turned."""
        at = (hour(ARRAYS, time) != hour(ARRAYS, last)).nonzero()[0]
        now = swings.copy()
        now[at] = self.seasons.turn(self.rows[at], time[at], last[at], value[at], swings[at])
        return now, self.swing(now, time)

    def rarely(
        self, part: str, where: Bools, work: Work, change: list[Floats], settings: Any, *given: Floats
    ) -> list[Floats]:
        """Work on the readings `where` only."""
        at = where.nonzero()[0]
        rows, block = self.rows[at], self.rare[part]
        some = [column.take(at) for column in (*change, *given)]
        count = len(change)
        fields, many = work(ARRAYS, tuple(block.take(rows, axis=0).T), some[:count], settings, *some[count:])
        block[rows] = np.array(fields).T
        for into, was, news in zip(change, some, many, strict=False):
            if news is not was:
                into[at] = news
        return change

    def keep(self, seen: Floats, value: Floats) -> None:
        """Keep the batch's values."""
        recent = self.rare["recent"]
        width = recent.shape[1]
        recent.reshape(-1)[self.rows * width + seen.astype(np.intp) % width] = value

    def explain(
        self, telling: Bools, alarm: Bools, time: Floats, since: Floats, score: Floats,
        streams: tuple[Floats, ...], news: Novelty, daily: Departure,
    ) -> Codes:  # fmt: skip
        """Keep why the surprising readings of a batch were surprising."""
        codes = np.zeros(len(self.rows), np.uint8)
        at = telling.nonzero()[0]
        if len(at):
            excess, lows, highs = (column.take(at, axis=1) for column in (news.excess, news.low, news.high))
            value = np.array([stream.take(at) for stream in streams])
            if daily is not NO_DEPARTURE:  # the value once more, as it is at its hour, while it is within its range
                excess = np.vstack([excess, np.where(excess[0] > 0.0, 0.0, daily.excess[at])])
                lows, highs = np.vstack([lows, daily.low[at]]), np.vstack([highs, daily.high[at]])
                value = np.vstack([value, value[:1]])
            most = (excess >= _CLOSE * excess.max(axis=0)).argmax(axis=0)  # the first that is about as novel as any
            each = np.arange(len(at))
            value, low, high = value[most, each], lows[most, each], highs[most, each]
            code = np.where(excess[most, each] > 0.0, CODES[2 * most + (value < low)], float(RARE))
            left = np.flatnonzero((code == RARE) & alarm[at])
            if len(left):
                value[left] = streams[0][at[left]]
                low[left], high[left] = self.rare["stay"][self.rows[at[left]], :2].T
                code[left] = np.where(value[left] < low[left], VALUE_BELOW, VALUE_ABOVE)
            self.rare["reason"][self.rows[at]] = np.array([code, time[at], value, low, high, since[at], score[at]]).T
            codes[at] = code
        return codes


class Single:
    """Be the machine of one reading."""

    op = SCALARS

    def __init__(self, rare: dict[str, Floats], survival: Survival, seasons: Seasons, row: int) -> None:
        self.rare, self.survival, self.seasons, self.row = rare, survival, seasons, row

    def compare(
        self, bounds: list[float], over: bool, streams: tuple[float, float, float], centre: float, least: float
    ) -> tuple[Novelty, list[float]]:
        """Compare the row's streams."""
        memories = [Memory(*bounds[at : at + 4]) for at in (0, 4, 8)]
        if over:
            memories = [turn(SCALARS, memory, over) for memory in memories]
        each = zip(memories, streams, (centre, centre, 0.0), strict=True)
        news = [compare(SCALARS, memory, x, about, least) for memory, x, about in each]
        after = [remember(SCALARS, memory, x) for memory, x in zip(memories, streams, strict=True)]
        return Novelty(*zip(*news, strict=True)), [bound for memory in after for bound in memory]

    def count(self, place: float, excess: float, counted: bool) -> tuple[float, float]:
        """Count one reading."""
        return self.survival.count_one(self.row, place, excess, counted)

    def halve(self, full: bool) -> None:
        """Halve the row's counts."""
        if full:
            self.survival.halve(np.array([self.row]))

    def depart(self, where: bool, time: float, value: float, over: bool) -> Departure:
        """Hold the row's value against its hour if it swings."""
        return self.seasons.depart_one(self.row, time, value, over) if where else NO_DEPARTURE

    def swing(self, where: bool, time: float) -> float:
        """Read the row's profile if it swings."""
        return self.seasons.at_one(self.row, time) if where else 0.0

    def season(self, time: float, last: float, value: float, swings: bool) -> tuple[bool, float]:
        """Learn the row's profile: its hour has turned."""
        now = self.seasons.turn_one(self.row, time, last, value, swings)
        return now, self.swing(now, time)

    def rarely(
        self, part: str, where: bool, work: Work, change: list[float], settings: Any, *given: float
    ) -> list[float]:
        """Work if `where`."""
        if not where:
            return change
        block = self.rare[part]
        fields, new = work(SCALARS, tuple(block[self.row].tolist()), change, settings, *given)
        block[self.row] = fields
        return new

    def keep(self, seen: float, value: float) -> None:
        """Keep one value."""
        recent = self.rare["recent"][self.row]
        recent[int(seen) % len(recent)] = value

    def explain(
        self, telling: bool, alarm: bool, time: float, since: float, score: float, streams: tuple[float, ...],
        news: Novelty, daily: Departure,
    ) -> int:  # fmt: skip
        """Keep why one reading was surprising."""
        if not telling:
            return NOTHING
        new = *news.excess, 0.0 if news.excess[0] > 0.0 else daily.excess
        utmost = max(new)
        most = next(stream for stream, excess in enumerate(new) if excess >= _CLOSE * utmost)
        beside = (*streams, streams[0]), new, (*news.low, daily.low), (*news.high, daily.high)
        value, excess, low, high = (column[most] for column in beside)
        code = int(CODES[2 * most + (value < low)]) if excess > 0.0 else RARE
        if code == RARE and alarm:
            value, (low, high) = streams[0], self.rare["stay"][self.row, :2].tolist()
            code = VALUE_BELOW if value < low else VALUE_ABOVE
        self.rare["reason"][self.row] = code, time, value, low, high, since, score
        return code
