"""Where those rows of a bank stand that need arrays which others do without."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]


class Places:
    """Know the places of rows in arrays of their own; place 0 is nobody's, and stays as of a row that saw nothing.

    So what is asked of a row without a place is asked of that one.
    """

    def __init__(self) -> None:
        self.of = np.empty(0, np.int32)
        """The place of each row, 0: none."""
        self.count = 1
        self._free: list[int] = []

    def grow(self, rows: int) -> None:
        """Add rows without a place."""
        self.of = np.concatenate([self.of, np.zeros(rows, np.int32)])

    def at(self, rows: Rows) -> Rows:
        """Return the places of rows (intp[n]), 0: none."""
        return self.of.take(rows).astype(np.intp)

    def give(self, rows: Rows) -> int:
        """Give a place to those of `rows` (intp[n] without repeats) that have none; return how many more there are.

        A place that another row has left is as that row left it.
        """
        rows = rows[self.of[rows] == 0]
        more = len(rows) - len(self._free)
        if more > 0:
            more = max(more, self.count // 32)
            self._free += range(self.count + more - 1, self.count - 1, -1)
            self.count += more
        self.of[rows] = [self._free.pop() for _ in range(len(rows))]
        return max(more, 0)

    def leave(self, row: int) -> int:
        """Take a row's place away; return it, 0: it had none."""
        place = int(self.of[row])
        if place:
            self._free.append(place)
            self.of[row] = 0
        return place
