"""Readings summed up as spans of time of one point each; spans of parts can be joined to spans of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streams.history.columns import Scored
from streams.history.lines import NANO, nanoseconds

F8 = npt.NDArray[np.float64]


class Spans(NamedTuple):
    """Hold spans: point u4, begin i8 (ns), low, high, sum and last f8, counted u4, highest score f4 (NaN unknown).

    In order of point and time, each once.
    """

    point: npt.NDArray[np.uint32]
    begin: npt.NDArray[np.int64]
    low: F8
    high: F8
    sum: F8
    last: F8
    counted: npt.NDArray[np.uint32]
    score: npt.NDArray[np.float32]


def of_readings(scored: Scored, seconds: float) -> Spans:
    """Sum up readings in order of time for each point; those without a value are left out."""
    good = np.isfinite(scored.value)
    stamps, value = nanoseconds(scored.time[good]), scored.value[good]
    width = int(seconds * NANO)
    ones = np.ones(len(value), np.uint32)
    return joined(
        [Spans(scored.point[good], stamps // width * width, value, value, value, value, ones, scored.score[good])]
    )


def joined(parts: Sequence[Spans]) -> Spans:
    """Join spans to one for each point and time; of the last values the last part's counts."""
    point, begin, low, high, total, last, count, score = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((begin, point))  # stable: what came later stays later
    point, begin = point[order], begin[order]
    if not len(point):
        return Spans(point, begin, low, high, total, last, count, score)
    heads = np.flatnonzero((np.diff(point, prepend=point[0]) != 0) | (np.diff(begin, prepend=begin[0] - 1) != 0))
    tails = np.append(heads[1:], len(point)) - 1
    return Spans(
        point[heads],
        begin[heads],
        np.minimum.reduceat(low[order], heads),
        np.maximum.reduceat(high[order], heads),
        np.add.reduceat(total[order], heads),
        last[order][tails],
        np.add.reduceat(count[order], heads).astype(np.uint32),
        np.fmax.reduceat(score[order], heads),
    )
