"""Rows of a common clock out of points that report when they like: the last value held, gaps marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.interval import usual_interval

Floats = npt.NDArray[np.float64]
MOST_ROWS = 1_000_000
STALE = 5.0
"""Intervals of a point without a reading beyond which its held value is a gap."""


class Rows(NamedTuple):
    """Hold rows: time f8[rows] (unix s), values f8[rows, points], gap bool[rows] (some point's value is held long)."""

    time: Floats
    values: Floats
    gap: npt.NDArray[np.bool_]
    interval: float


class RowsError(ValueError):
    """Raised when there is nothing to make rows of: which point, and what would help."""


def common_rows(
    times: Sequence[Floats], values: Sequence[Floats], names: Sequence[str], interval: float | None = None
) -> Rows:
    """Resample points (times ascending, values finite) to one clock, from when all have reported.

    It ticks every `interval` seconds: that of the model which is to judge them, by default the median of their own.
    A point that reports seldom is held between its readings. Raise `RowsError` where a point has fewer than two
    readings, or where the rows would be more than a million.
    """
    for name, time in zip(names, times, strict=True):
        if len(time) < 2:
            raise RowsError(f"{name} has {len(time)} readings; two are needed at least")
    each = np.array([usual_interval(time.tolist()) for time in times])
    interval = float(np.median(each)) if interval is None else interval
    begin = max(float(time[0]) for time in times)
    end = max(float(time[-1]) for time in times)
    count = int((end - begin) / interval) + 1
    if end < begin or count < 2:
        raise RowsError("the points have no time in common")
    if count > MOST_ROWS:
        raise RowsError(f"{count} rows are more than {MOST_ROWS}; take a shorter range")
    clock = begin + interval * np.arange(count, dtype=np.float64)
    held, gap = np.empty((count, len(times))), np.zeros(count, np.bool_)
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        at = np.searchsorted(time, clock, "right") - 1
        held[:, place] = value[at]
        gap |= clock - time[at] > STALE * max(float(each[place]), interval)
    return Rows(np.asarray(clock, np.float64), held, gap, interval)
