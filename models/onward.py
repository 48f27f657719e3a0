"""Many readings of each row at one go: what a bank says of them in turn, without laying rows aside in between.

A bank's batch gathers the fields of its rows, turns them to columns, and lays them back. Where all readings of a past
are at hand the rows of one round are mostly those of the next. Ordered by how many readings they have, the rows that
go on are the first so many of those before: their columns stay where they are until the last round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.block import Bench
from models.layout import AT, REASON_FIELDS
from models.machine import Batch
from models.parts import Parts
from models.scoring import BankSettings, assess
from models.trend import Pace

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]

_FLAT = AT["flat_since"]
_OUTSIDE = slice(REASON_FIELDS.index("low"), REASON_FIELDS.index("high") + 1)


class Said(NamedTuple):
    """Say what a bank thinks of readings, by reading: see `models.bank.BankResult`.

    `since`: since when the value has stood; `low`, `high`: which range a surprising one was outside of, else 0.
    """

    score: Floats
    alarm: Bools
    reason: npt.NDArray[np.uint8]
    learning: Bools
    gap: Bools
    since: Floats
    low: Floats
    high: Floats

    @classmethod
    def nothing(cls, count: int) -> Said:
        """Say nothing yet of so many readings."""
        return cls(
            np.zeros(count), np.zeros(count, np.bool_), np.zeros(count, np.uint8), np.zeros(count, np.bool_),
            np.zeros(count, np.bool_), np.zeros(count), np.zeros(count), np.zeros(count),
        )  # fmt: skip

    def part(self, part: slice) -> Said:
        """Return what is said of some, to be written to."""
        columns: list[Any] = [column[part] for column in self]
        return Said(*columns)

    def put(self, at: Rows | slice, told: Iterable[npt.NDArray[Any]]) -> None:
        """Write what is said of the readings at places: all columns, or the first ones."""
        columns: tuple[npt.NDArray[Any], ...] = self
        for into, new in zip(columns, told, strict=False):
            into[at] = new


class Turns:
    """The readings of rows in turn: first ones, second ones, and so on, of the rows with the most first.

    `rows` intp[n] below `capacity`, in order of arrival. `mine` are the rows that have readings; `place` intp[n] says
    of each reading in turn where it is among `rows`; `of` intp[n] how many readings of its row came before each; in
    turn k are the first `sizes[k]` of `mine`, from place `edges[k]` on.
    """

    def __init__(self, rows: Rows, capacity: int) -> None:
        count = np.bincount(rows, minlength=capacity)
        self.mine: Rows = np.argsort(-count, kind="stable")[: np.count_nonzero(count)]
        rank = np.zeros(capacity, np.uint16 if capacity <= 1 << 16 else np.intp)  # keys of 16 bits sort in linear time
        rank[self.mine] = np.arange(len(self.mine))
        by_rank = np.argsort(rank[rows], kind="stable")
        each = count[self.mine]
        nth = np.arange(len(rows)) - np.repeat(np.cumsum(each) - each, each)
        self.sizes = np.bincount(nth)
        self.edges = np.cumsum(self.sizes) - self.sizes
        self.of = np.empty(len(rows), np.intp)
        self.of[by_rank] = nth
        self.place = np.empty(len(rows), np.intp)
        self.place[self.edges[nth] + np.repeat(np.arange(len(each)), each)] = by_rank


class Columns:
    """The state of rows of a bank as columns, worked on turn by turn; rows that have had their last are laid back."""

    def __init__(
        self, settings: BankSettings, pace: Pace, parts: Parts, benches: tuple[Bench, Bench],
        blocks: tuple[Floats, Floats], rows: Rows,
    ) -> None:  # fmt: skip
        self._settings, self._pace, self._parts, self._rows = settings, pace, parts, rows
        self._benches, self._blocks = benches, blocks
        self._places = parts.sized.at(rows)
        self._fields, self._slow = (bench.take(block, rows) for bench, block in zip(benches, blocks, strict=True))
        self._columns: list[list[Floats]] = [list(self._fields), list(self._slow)]

    def take(self, time: Floats, value: Floats, into: Said, last: int) -> None:
        """Score a reading of each of the first rows: `time` and `value` f8[n]; `into` [n] is written.

        Every row has begun and has a size, its times rise, and none comes back that was left out once. Of the first
        `last` rows more than `RECENT` readings are to come.
        """
        self.lay_back(len(time))
        rows = self._rows
        batch = _Turn(self._parts, rows, self._fields, self._slow, self._pace, self._places)
        batch.last = last
        columns, slow = self._columns
        outcome, slowly, told = assess(batch, self._settings, columns, slow, time, value, time - columns[0])
        self._columns = [list(outcome), list(slowly)]
        surprising = told.reason.nonzero()[0]
        if len(surprising):
            into.low[surprising], into.high[surprising] = self._parts.reason[rows.take(surprising), _OUTSIDE].T
            into.reason[:] = told.reason
        into.score[:], into.alarm[:], into.learning[:], into.gap[:] = told.score, told.alarm, told.learning, told.gap
        into.since[:] = outcome[_FLAT]

    def lay_back(self, first: int = 0) -> None:
        """Write the rows from `first` on back to the bank, and go on without them."""
        if first == len(self._rows):
            return
        for bench, block, columns in zip(self._benches, self._blocks, self._columns, strict=True):
            bench.put(block, self._rows[first:], [column[first:] for column in columns])
        self._rows, self._places = self._rows[:first], self._places[:first]
        self._fields, self._slow = self._fields[:, :first], self._slow[:, :first]
        self._columns = [[column[:first] for column in columns] for columns in self._columns]


class _Turn(Batch):
    """Be the machine of a batch whose rows have more readings to come."""

    last: int

    def keep(self, seen: Floats, step: Floats) -> None:
        """Keep the steps of rows that have few readings left: those of the others would be written over."""
        if self.last < len(self.rows):
            part = slice(self.last, None)
            self.parts.keep(self.places[part], seen[part], step[part])
