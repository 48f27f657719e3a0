"""The two machines that take readings through `models.scoring`: a batch in arrays, one reading in Python floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from models.arithmetic import ARRAYS, SCALARS, Column
from models.calibration import Survival
from models.novelty import Novelty
from models.reason import NOTHING, RARE
from models.season import Seasons, hour

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
_CLOSE = 0.1  # a value that is a tenth as novel as its means explains more than they do
_FEW = 8  # up to this many rare happenings in a batch are worked one by one

Work = Callable[..., tuple[tuple[Column, ...], tuple[Column, ...]]]


class Batch:
    """Be the machine of a batch."""

    op = ARRAYS

    def __init__(self, rare: dict[str, Floats], survival: Survival, seasons: Seasons, rows: Rows) -> None:
        self.rare, self.survival, self.seasons, self.rows = rare, survival, seasons, rows

    def count(self, place: Floats, excess: Floats, counted: Bools) -> tuple[Floats, Floats]:
        """Count readings of the batch's rows."""
        return self.survival.count_many(self.rows, place, excess, counted)

    def halve(self, full: Bools) -> None:
        """Halve some rows' counts."""
        self.survival.halve(self.rows[full])

    def swing(self, where: Bools, time: Floats) -> Floats:
        """Read the profiles of the rows that swing."""
        told = np.zeros(len(self.rows))
        at = np.flatnonzero(where)
        told[at] = self.seasons.at(self.rows[at], time[at])
        return told

    def season(self, time: Floats, last: Floats, value: Floats, swings: Bools) -> tuple[Bools, Floats]:
        """Learn the profiles of the rows whose hour has turned."""
        at = np.flatnonzero(hour(self.op, time) != hour(self.op, last))
        now = swings.copy()
        now[at] = self.seasons.turn(self.rows[at], time[at], last[at], value[at], swings[at])
        return now, self.swing(now, time)

    def rarely(
        self, part: str, where: Bools, work: Work, change: tuple[Column, ...], *given: Column
    ) -> tuple[Column, ...]:
        """Work on the readings `where` only."""
        at = np.flatnonzero(where)
        changed = tuple(column.copy() for column in change)
        if len(at) <= _FEW:
            for place in at.tolist():
                single = Single(self.rare, self.survival, self.seasons, int(self.rows[place]))
                one = single.rarely(
                    part,
                    True,
                    work,
                    tuple(float(column[place]) for column in change),
                    *(float(column[place]) for column in given),
                )
                for into, new in zip(changed, one, strict=True):
                    into[place] = new
            return changed
        rows, block = self.rows[at], self.rare[part]
        fields, many = work(
            self.op, tuple(block.take(rows, axis=0).T), *(column[at] for column in change), *(g[at] for g in given)
        )
        block[rows] = np.array(fields).T
        for into, news in zip(changed, many, strict=True):
            into[at] = news
        return changed

    def apart(
        self, where: Bools, work: Callable[..., tuple[Column, ...]], change: tuple[Column, ...], settings: Any,
        *given: Column,
    ) -> tuple[Column, ...]:  # fmt: skip
        """Work on the readings `where` only."""
        at = np.flatnonzero(where)
        some = work(self.op, *(column[at] for column in change), settings, *(column[at] for column in given))
        changed = tuple(column.copy() for column in change)
        for into, news in zip(changed, some, strict=True):
            into[at] = news
        return changed

    def keep(self, seen: Floats, value: Floats) -> None:
        """Keep the batch's values."""
        recent = self.rare["recent"]
        width = recent.shape[1]
        recent.reshape(-1)[self.rows * width + seen.astype(np.intp) % width] = value

    def explain(
        self, telling: Bools, time: Floats, since: Floats, score: Floats, streams: tuple[Floats, ...],
        news: list[Novelty],
    ) -> Codes:  # fmt: skip
        """Keep why the surprising readings of a batch were surprising."""
        codes = np.zeros(len(self.rows), np.uint8)
        at = np.flatnonzero(telling)
        if len(at):
            excess = np.array([new.excess[at] for new in news])
            most = (excess >= _CLOSE * excess.max(axis=0)).argmax(axis=0)  # the first that is about as novel as any
            each = np.arange(len(at))
            value = np.array([stream[at] for stream in streams])[most, each]
            low = np.array([new.low[at] for new in news])[most, each]
            high = np.array([new.high[at] for new in news])[most, each]
            code = np.where(excess[most, each] > 0.0, 1.0 + (value < low) + 2.0 * most, float(RARE))
            self.rare["reason"][self.rows[at]] = np.array([code, time[at], value, low, high, since[at], score[at]]).T
            codes[at] = code
        return codes


class Single:
    """Be the machine of one reading."""

    op = SCALARS

    def __init__(self, rare: dict[str, Floats], survival: Survival, seasons: Seasons, row: int) -> None:
        self.rare, self.survival, self.seasons, self.row = rare, survival, seasons, row

    def count(self, place: float, excess: float, counted: bool) -> tuple[float, float]:
        """Count one reading."""
        return self.survival.count_one(self.row, place, excess, counted)

    def halve(self, full: bool) -> None:
        """Halve the row's counts."""
        if full:
            self.survival.halve(np.array([self.row]))

    def swing(self, where: bool, time: float) -> float:
        """Read the row's profile if it swings."""
        return float(self.seasons.at(np.array([self.row]), np.array([time]))[0]) if where else 0.0

    def season(self, time: float, last: float, value: float, swings: bool) -> tuple[bool, float]:
        """Learn the row's profile: its hour has turned."""
        one = (np.array([each]) for each in (self.row, time, last, value, swings))
        now = bool(self.seasons.turn(*one)[0])
        return now, self.swing(now, time)

    def rarely(
        self, part: str, where: bool, work: Work, change: tuple[Column, ...], *given: Column
    ) -> tuple[Column, ...]:
        """Work if `where`."""
        if not where:
            return change
        block = self.rare[part]
        fields, new = work(self.op, tuple(block[self.row].tolist()), *change, *given)
        block[self.row] = fields
        return new

    def apart(
        self, where: bool, work: Callable[..., tuple[Column, ...]], change: tuple[Column, ...], settings: Any,
        *given: Column,
    ) -> tuple[Column, ...]:  # fmt: skip
        """Work if `where`."""
        return work(self.op, *change, settings, *given) if where else change

    def keep(self, seen: float, value: float) -> None:
        """Keep one value."""
        recent = self.rare["recent"][self.row]
        recent[int(seen) % len(recent)] = value

    def explain(
        self, telling: bool, time: float, since: float, score: float, streams: tuple[float, ...], news: list[Novelty]
    ) -> int:
        """Keep why one reading was surprising."""
        if not telling:
            return NOTHING
        utmost = max(new.excess for new in news)
        most = next(stream for stream, new in enumerate(news) if new.excess >= _CLOSE * utmost)
        value, (excess, _, low, high) = streams[most], news[most]
        code = 1 + (value < low) + 2 * most if excess > 0.0 else RARE
        self.rare["reason"][self.row] = code, time, value, low, high, since, score
        return code
