"""Rows of a two-dimensional array, taken and put as wholes: what a batch reads and writes of the bank's state.

To numpy a row is here one item of as many bytes, which it copies several times as quickly as that many numbers. The
memory that a batch works in is kept from one to the next: to ask the system for it anew costs more than the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
_APART, _ALIKE = 8, 512  # numbers between columns whose length is a multiple of so many
Numbers = TypeVar("Numbers", np.float32, np.float64)


@cache
def _item(size: int) -> np.dtype[np.void]:
    return np.dtype((np.void, size))


def items(block: npt.NDArray[Numbers]) -> npt.NDArray[np.void]:
    """Return an array ([rows, n], contiguous) as one of items, void[rows], over the same memory."""
    return block.view(_item(block.shape[1] * block.itemsize))[:, 0]


def put(block: npt.NDArray[Numbers], rows: Rows, new: npt.NDArray[Numbers]) -> None:
    """Write rows (intp[n] without repeats) of a block; `new` [n, fields] is contiguous."""
    items(block)[rows] = items(new)


class Bench:
    """Hold the memory in which up to `most` rows of `fields` float64 are worked on, turned to columns and back."""

    def __init__(self, most: int, fields: int) -> None:
        self._fields = fields
        self._rows = np.empty((most, fields))
        self._columns = np.empty(fields * (most + _APART))

    def take(self, block: npt.NDArray[np.float64], rows: Rows) -> npt.NDArray[np.float64]:
        """Return rows of a block as columns, f8[fields, n], to be worked on until the next call."""
        count = len(rows)
        # all columns must not share one place of the processor's cache; else what is contiguous is quicker
        wide = count + _APART * (count % _ALIKE == 0)
        taken, columns = self._rows[:count], self._columns[: self._fields * wide].reshape(self._fields, wide)[:, :count]
        block.take(rows, axis=0, out=taken, mode="clip")
        columns[:] = taken.T
        return columns

    def put(self, block: npt.NDArray[np.float64], rows: Rows, columns: Sequence[npt.NDArray[np.float64]]) -> None:
        """Write columns (f8[n] each) back to rows of a block."""
        turned = self._rows[: len(rows)]
        turned[:] = np.array(columns).T
        put(block, rows, turned)
