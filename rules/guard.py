"""Guards: the bars that a row's features must pass before any of its conditions can hold.

For a row at rest (no level raised, no delay running) nothing can change while every feature stays short of its bars,
however many rules look at it: a few comparisons a reading, not one for each rule.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from rules.binding import Key, column_cost

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


_AT_HAND = ("value", "score")


class Guard:
    """Bars of rows by feature column: at or above `high`, or at or below `low`, a row must be looked at."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.always = np.zeros(rows, np.bool_)  # some condition of the row has no bar
        self._laid: dict[tuple[Key, bool], list[tuple[Rows, Array | float]]] = {}
        self.tables: list[tuple[Key, Array, npt.NDArray[np.bool_] | None, bool]] = []

    @classmethod
    def builder(cls, rows: int) -> Guard:
        """Start an empty guard."""
        return cls(rows)

    def lay(self, key: Key, above: bool, rows: Rows, value: Array | float) -> None:
        """Lay a bar for each of `rows` (unique); a NaN bar can never be passed."""
        self._laid.setdefault((key, above), []).append((rows, value))

    def finish(self) -> Guard:
        """Settle the order: columns at hand first, costly ones last and only for rows that have a bar there."""
        tables = []
        for (key, above), laid in sorted(self._laid.items(), key=lambda one: not one[0][1]):
            bar = np.full(self.rows, np.inf if above else -np.inf)
            sizes = [len(rows) for rows, _ in laid]
            if all(isinstance(value, float) for _, value in laid):
                values = np.repeat(np.array([value for _, value in laid], np.float64), sizes)
            else:
                values = np.concatenate([np.full(size, value) for size, (_, value) in zip(sizes, laid, strict=True)])
            (np.fmin if above else np.fmax).at(bar, np.concatenate([rows for rows, _ in laid]), values)
            tables.append((key, bar, above))
        self._laid = {}
        tables.sort(key=lambda table: (str(table[0][0]) not in _AT_HAND, column_cost(table[0])))
        self.tables = [
            (key, bar, np.isfinite(bar) if str(key[0]) not in _AT_HAND else None, above) for key, bar, above in tables
        ]
        return self

    def passed(self, rows: Rows, column: Callable[[Key, Rows | None], Array]) -> npt.NDArray[np.bool_]:
        """Tell which rows have a feature at or past a bar; unknown (NaN) features pass none.

        `column(key, chosen)` gives a feature of all rows (None) or of some (places in `rows`).
        """
        found = self.always[rows]
        for key, bars, barred, above in self.tables:
            if barred is None:
                values, bar = column(key, None), bars[rows]
                found |= values >= bar if above else values <= bar
            else:
                chosen = np.flatnonzero(barred[rows] & ~found)
                if chosen.size:
                    values, bar = column(key, chosen), bars[rows[chosen]]
                    found[chosen] = values >= bar if above else values <= bar
        return found
