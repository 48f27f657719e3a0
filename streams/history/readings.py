"""Readings of some points out of the log of observations: what was measured, and where it cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sensors import frame, observation
from sensors.history import HistoryError as HistoryError
from sensors.observation import FRAME, SIMULATED, UNUSABLE, Tick
from streams.replay import BATCH, Readable
from streams.topics import OBSERVATIONS

Floats = npt.NDArray[np.float64]

EARLY = 60.0
"""Seconds by which a reading's own time may be ahead of its arrival."""

MOST = 50_000_000
"""Readings taken at most: a gigabyte."""


class Readings(NamedTuple):
    """Hold one point's readings in order of time: times f8[n] without repeats, values f8[n].

    A value is NaN where the source or the bridge called it bad or out of range, and, where they are not asked for,
    where it was simulated.
    """

    times: Floats
    values: Floats
    bad: int  # values that are NaN
    simulated: int


def readings(
    log: Readable,
    partition: int,
    points: Collection[int],
    begin: float,
    end: float,
    *,
    simulated: bool = False,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[int, Readings]:
    """Read points (registry indices) of a partition from `begin` until before `end` (unix seconds), by point.

    `advance` is told records read, and how many there are. Raise `HistoryError` on more than 50 million readings.
    """
    wanted = np.array(sorted(points), np.uint32)
    parts: list[tuple[npt.NDArray[np.uint32], Floats, Floats, npt.NDArray[np.uint8]]] = []
    first, stop = arrived_at(log, partition, begin - EARLY), log.end(OBSERVATIONS, partition)
    at, total = first, 0
    while at < stop and (found := log.read(OBSERVATIONS, partition, at, stop, limit=BATCH)):
        at = found[-1][0] + 1
        for _, _, record in found:
            if record[:1] != bytes((FRAME,)):
                continue
            try:
                one = frame.decode(record)
            except frame.FrameError:  # the engine has counted it
                continue
            mine = np.isin(one.point, wanted) & (one.time >= begin) & (one.time < end)
            if mine.any():
                parts.append((one.point[mine], one.time[mine], one.value[mine], one.quality[mine]))
                total += int(mine.sum())
        if total > MOST:
            raise HistoryError(f"there are more than {MOST:,} readings in that time; take a shorter one")
        advance(at - first, stop - first)
    if not parts:
        return {}
    point, time, value, quality = (np.concatenate(column) for column in zip(*parts, strict=True))
    each = {index: _of(point == index, time, value, quality, simulated) for index in wanted.tolist()}
    return {index: one for index, one in each.items() if one is not None}


def _of(
    mine: npt.NDArray[np.bool_], time: Floats, value: Floats, quality: npt.NDArray[np.uint8], simulated: bool
) -> Readings | None:
    if not mine.any():
        return None
    time, value, quality = time[mine], value[mine].copy(), quality[mine]
    drill = (quality & SIMULATED) != 0
    value[((quality & UNUSABLE) != 0) | ~np.isfinite(value) | (drill & (not simulated))] = np.nan
    times, first = np.unique(time, return_index=True)  # of what came twice the first counts
    values = value[first]
    return Readings(times, values, int(np.isnan(values).sum()), int(drill[first].sum()))


def arrived_at(log: Readable, partition: int, time: float) -> int:
    """Find the first record that may have come at or after a time: arrival goes up with the offset."""
    low, high = log.start(OBSERVATIONS, partition), log.end(OBSERVATIONS, partition)
    while high - low > BATCH:
        middle = (low + high) // 2
        arrived = _arrival(log, partition, middle, high)
        if arrived is None or arrived >= time:
            high = middle
        else:
            low = middle
    return low


def _arrival(log: Readable, partition: int, at: int, stop: int) -> float | None:
    """Say when a record, or the first after it that says so, arrived."""
    for _, _, value in log.read(OBSERVATIONS, partition, at, stop, limit=BATCH):
        try:
            if value[:1] == bytes((FRAME,)):
                return frame.decode(value).header.received
            if not observation.is_publication(value) and isinstance(found := observation.decode(value), Tick):
                return found.time
        except ValueError:
            continue
    return None
