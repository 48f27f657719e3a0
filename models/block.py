"""Rows of a two-dimensional array, taken and put as wholes: what a batch reads and writes of the bank's state.

To numpy a row is here one item of as many bytes, which it copies several times as quickly as that many numbers. The
memory that a batch works in is kept from one to the next: to ask the system for it anew costs more than the work.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Numbers = TypeVar("Numbers", np.float32, np.float64)


def items(block: npt.NDArray[Numbers]) -> npt.NDArray[np.void]:
    """Return an array ([rows, n], contiguous) as one of items, void[rows], over the same memory."""
    return block.view(np.dtype((np.void, block.shape[1] * block.itemsize))).reshape(len(block))


def put(block: npt.NDArray[Numbers], rows: Rows, new: npt.NDArray[Numbers]) -> None:
    """Write rows (intp[n] without repeats) of a block; `new` [n, fields] is contiguous."""
    items(block)[rows] = items(new)


class Bench:
    """Hold the memory in which up to `most` rows of `fields` float64 are worked on, turned to columns and back."""

    def __init__(self, most: int, fields: int) -> None:
        self._rows = np.empty((most, fields))
        # 64 bytes more than a power of two, or all columns would share one place of the processor's cache
        self._columns = np.empty((fields, most + 8))

    def take(self, block: npt.NDArray[np.float64], rows: Rows) -> npt.NDArray[np.float64]:
        """Return rows of a block as columns, f8[fields, n], to be worked on until the next call."""
        taken, columns = self._rows[: len(rows)], self._columns[:, : len(rows)]
        block.take(rows, axis=0, out=taken, mode="clip")
        columns[:] = taken.T
        return columns

    def put(self, block: npt.NDArray[np.float64], rows: Rows, columns: npt.NDArray[np.float64]) -> None:
        """Write columns (f8[fields, n]) back to rows of a block."""
        turned = self._rows[: len(rows)]
        turned[:] = columns.T
        put(block, rows, turned)
