"""Rounds: split a batch so that each point occurs at most once in a pass, in arrival order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def rounds(rows: npt.NDArray[np.intp], capacity: int) -> Iterator[npt.NDArray[np.intp]]:
    """Yield index arrays into `rows`: the first occurrence of each row, then the second, and so on.

    `rows` intp[n] below `capacity`. Within a round indices rise, and a row's k-th reading is in round k, so that
    vectorised passes over the rounds do to each row what one pass a reading would.
    """
    count = len(rows)
    here = np.arange(count)
    if count < 2:
        if count:
            yield here
        return
    last = np.empty(capacity, np.intp)
    last[rows] = here
    if bool((last[rows] == here).all()):
        yield here
        return
    by_row = np.argsort(rows, kind="stable")
    ordered = rows[by_row]
    starts = np.empty(count, bool)
    starts[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    occurrence = here - np.maximum.accumulate(np.where(starts, here, 0))
    nth = np.empty(count, np.intp)
    nth[by_row] = occurrence
    by_round = np.argsort(nth, kind="stable")
    edges = np.cumsum(np.bincount(nth))
    start = 0
    for edge in edges:
        yield by_round[start:edge]
        start = int(edge)
