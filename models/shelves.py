"""Rows of which each needs arrays of another length: those that need about as much share arrays that are no wider.

A row moves to a wider shelf as it grows, and a shelf that many have left is closed up, so that memory is what the rows
need, and a batch is judged in arrays all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]

_SMALL = 16  # places of a shelf that are not worth giving back
_NONE = np.int32(-1)
_LEVEL_BITS = 5
_LEVEL = (1 << _LEVEL_BITS) - 1


class Shelf:
    """Hold what is `whole` (a number a row) and `each` (`width` of them), by name: their dtypes."""

    owner: npt.NDArray[np.int32]  # the row of a place

    def __init__(self, width: int, whole: Mapping[str, Any], each: Mapping[str, Any]) -> None:
        self.width = width
        self.free: list[int] = []
        self.whole, self.each = tuple(whole), tuple(each)
        self.owner = np.empty(0, np.int32)
        for name, kind in whole.items():
            setattr(self, name, np.empty(0, kind))
        for name, kind in each.items():
            setattr(self, name, np.empty((0, width), kind))

    def room(self, rows: Rows) -> Rows:
        """Return free places, one for each of `rows`, with zeros."""
        more = len(rows) - len(self.free)
        if more > 0:
            size = len(self.owner)
            more = max(more, size // 32)
            for name in ("owner", *self.whole, *self.each):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)]))
            self.free += range(size + more - 1, size - 1, -1)
        places = np.array([self.free.pop() for _ in range(len(rows))], np.intp)
        self.owner[places] = rows
        for name in (*self.whole, *self.each):
            getattr(self, name)[places] = 0
        return places

    @property
    def sparse(self) -> bool:
        """Return whether much of it is free, or all."""
        free, every = len(self.free), len(self.owner)
        return 4 * free > every > _SMALL or free == every

    def close_up(self) -> Rows:
        """Give back the memory of free places; return the rows that are on it, by their places from here on."""
        taken = np.delete(np.arange(len(self.owner)), self.free)
        for name in ("owner", *self.whole, *self.each):
            setattr(self, name, getattr(self, name)[taken])
        self.free = []
        return self.owner.astype(np.intp)

    @property
    def taken(self) -> Rows:
        """Return the places that rows have."""
        return np.delete(np.arange(len(self.owner)), self.free)

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return sum(int(getattr(self, name).nbytes) for name in ("owner", *self.whole, *self.each))


Kind = TypeVar("Kind", bound=Shelf)


class Shelves(Generic[Kind]):
    """Know on which of up to 31 shelves each row is, and where."""

    def __init__(self, shelves: Sequence[Kind]) -> None:
        self.shelves = tuple(shelves)
        self._where = np.empty(0, np.int32)

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return self._where.nbytes + sum(shelf.nbytes for shelf in self.shelves)

    @property
    def stocked(self) -> list[Kind]:
        """Return the shelves that have places."""
        return [shelf for shelf in self.shelves if len(shelf.owner)]

    def find(self, row: int) -> tuple[int, int]:
        """Return level and place of a row, both -1: it has none."""
        if row >= len(self._where):
            return -1, -1
        where = int(self._where[row])
        return (where & _LEVEL, where >> _LEVEL_BITS) if where >= 0 else (-1, -1)

    def levels(self, rows: Rows) -> Rows:
        """Return the levels of rows (intp[n]), -1: none."""
        self._reach(rows)
        where = self._where[rows]
        return np.where(where >= 0, where & _LEVEL, -1).astype(np.intp)

    def places(self, rows: Rows) -> Rows:
        """Return the places of rows that have one."""
        return (self._where[rows] >> _LEVEL_BITS).astype(np.intp)

    def put(self, level: int, rows: Rows) -> Rows:
        """Give rows without one a place; return them."""
        self._reach(rows)
        places = self.shelves[level].room(rows)
        self._set(level, rows, places)
        return places

    def move(self, level: int, to: int, rows: Rows) -> tuple[Rows, Rows]:
        """Give rows of one shelf places of another; return both: old ones are free once their arrays are copied.

        What is whole is copied.
        """
        here, there = self.shelves[level], self.shelves[to]
        old, new = self.places(rows), there.room(rows)
        for name in here.whole:
            getattr(there, name)[new] = getattr(here, name)[old]
        self._set(to, rows, new)
        return old, new

    def leave(self, level: int, places: Rows) -> None:
        """Make places free, and close the shelf up where many are."""
        shelf = self.shelves[level]
        shelf.free += places.tolist()
        if shelf.sparse:
            owners = shelf.close_up()
            self._set(level, owners, np.arange(len(owners)))

    def forget(self, row: int) -> None:
        """Take a row away."""
        level, place = self.find(row)
        if level >= 0:
            self._where[row] = _NONE
            self.leave(level, np.array([place], np.intp))

    def _set(self, level: int, rows: Rows, places: Rows) -> None:
        self._where[rows] = places << _LEVEL_BITS | level

    def _reach(self, rows: Rows) -> None:
        more = int(rows.max(initial=-1)) + 1 - len(self._where)
        if more > 0:
            self._where = np.concatenate([self._where, np.full(more, _NONE)])
