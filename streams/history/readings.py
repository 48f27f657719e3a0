"""Readings of some points out of the log of observations, and out of the history of what it has let go of.

What was measured, and where it cannot be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from sensors import frame, observation
from sensors.history import HistoryError as HistoryError
from sensors.observation import FRAME, SIMULATED, UNUSABLE, Tick
from streams.history.columns import Scored
from streams.replay import BATCH, Readable
from streams.topics import OBSERVATIONS

Floats = npt.NDArray[np.float64]

EARLY = 60.0
"""Seconds by which a reading's own time may be ahead of its arrival."""

MOST = 50_000_000
"""Readings taken at most: a gigabyte."""


_Columns = tuple[npt.NDArray[np.uint32], Floats, Floats, npt.NDArray[np.uint8]]


class Older(Protocol):
    """A history that has what the log has let go of: `streams.history.store`."""

    def readings(self, points: Sequence[int], begin: float, end: float) -> Iterator[Scored]:
        """Yield readings of points between two times."""
        ...


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
    log: Readable | None,
    partition: int,
    points: Collection[int],
    begin: float,
    end: float,
    *,
    simulated: bool = False,
    older: Older | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[int, Readings]:
    """Read points (registry indices) of a partition from `begin` until before `end` (unix seconds), by point.

    `older` is asked for what came before the log begins, or for all of it where there is no log that can be read.
    `advance` is told records of the log read, and how many there are. Raise `HistoryError` on more than 50 million
    readings, and what `older` raises.
    """
    wanted = np.array(sorted(points), np.uint32)
    parts: list[_Columns] = []
    total = 0
    for found in (_older(older, log, partition, wanted, begin, end), _logged(log, partition, begin, advance)):
        for point, time, value, quality in found:
            mine = np.isin(point, wanted) & (time >= begin) & (time < end)
            if mine.any():
                parts.append((point[mine], time[mine], value[mine], quality[mine]))
                total += int(mine.sum())
            if total > MOST:
                raise HistoryError(f"there are more than {MOST:,} readings in that time; take a shorter one")
    if not parts:
        return {}
    point, time, value, quality = (np.concatenate(column) for column in zip(*parts, strict=True))
    each = {index: _of(point == index, time, value, quality, simulated) for index in wanted.tolist()}
    return {index: one for index, one in each.items() if one is not None}


def _logged(
    log: Readable | None, partition: int, begin: float, advance: Callable[[int, int], None]
) -> Iterator[_Columns]:
    """Yield what the log's frames hold of all that may be of a time or later."""
    if log is None:
        return
    first, stop = arrived_at(log, partition, begin - EARLY), log.end(OBSERVATIONS, partition)
    at = first
    while at < stop and (found := log.read(OBSERVATIONS, partition, at, stop, limit=BATCH)):
        at = found[-1][0] + 1
        for _, _, record in found:
            if record[:1] != bytes((FRAME,)):
                continue
            try:
                one = frame.decode(record)
            except frame.FrameError:  # the engine has counted it
                continue
            yield one.point, one.time, one.value, one.quality
        advance(at - first, stop - first)


def _older(
    older: Older | None,
    log: Readable | None,
    partition: int,
    wanted: npt.NDArray[np.uint32],
    begin: float,
    end: float,
) -> Iterator[_Columns]:
    """Yield what a history holds from before the log's first record on."""
    if older is None:
        return
    if log is not None:
        start, stop = log.start(OBSERVATIONS, partition), log.end(OBSERVATIONS, partition)
        since = _arrival(log, partition, start, stop)
        end = min(end, since + EARLY) if since is not None else end
    if begin < end:
        for one in older.readings(wanted.tolist(), begin, end):
            flags = one.flags if len(one.flags) else np.zeros(len(one.point), np.uint16)
            yield one.point, one.time, one.value, flags.astype(np.uint8)  # the bits of a quality are the low ones


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
