"""Readings of some points over any time that is recorded: from memory, out of the log, or what is kept for longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from alerts.console.traces import Series
from sensors.observation import CameraEvent

if TYPE_CHECKING:
    from alerts.console.config import Columns, Past

MOST_READINGS = 5_000_000
"""Readings held at most for one answer: 100 MB."""


class Gathered(NamedTuple):
    """Series by registry index, in order of time without repeats; `complete` is False where time or room ran out.

    `since` is the oldest time (unix seconds) from which on all is there.
    """

    series: dict[int, Series]
    complete: bool
    since: float


def gather(
    records: Iterable[Columns],
    points: Collection[int],
    begin: float,
    end: float,
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Gathered:
    """Take points' readings from `begin` to `end` out of what is recorded, the newest record first.

    It stops after `seconds`, or once it holds `MOST_READINGS`, and keeps what it has: the newest.
    """
    wanted = np.array(sorted(points), np.uint32)
    mine = np.zeros(int(wanted[-1]) + 2, np.bool_)  # the last place is that of all beyond: a third of np.isin's time
    mine[wanted] = True
    parts: list[tuple[np.ndarray[tuple[int], np.dtype[np.generic]], ...]] = []
    held, oldest, began = 0, end, clock()
    complete = True
    for point, at, number, score, _ in records:
        if held >= MOST_READINGS or clock() - began > seconds:
            complete = False
            break
        if not len(at):
            continue
        oldest = min(oldest, float(at.max()))
        chosen = mine[np.minimum(point, len(mine) - 1)] & (at >= begin) & (at <= end)
        if chosen.any():
            parts.append((point[chosen], at[chosen], number[chosen], score[chosen]))
            held += int(chosen.sum())
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else []
    return Gathered(dict(_split(columns, wanted)), complete, begin if complete else max(begin, oldest))


class Seen(NamedTuple):
    """What cameras saw, the newest first; `complete` is False where time or room ran out."""

    events: list[CameraEvent]
    complete: bool


def gather_seen(
    records: Iterable[CameraEvent | None],
    wanted: Callable[[CameraEvent], bool],
    *,
    most: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Seen:
    """Take the camera events that are `wanted`, one of each: of what a source tells again and again, as it began.

    It stops after `seconds`, or with `most` of them.
    """
    found: dict[tuple[str, str], CameraEvent] = {}
    began = clock()
    for count, one in enumerate(records):
        if not count % 256 and clock() - began > seconds:
            return Seen(list(found.values()), False)
        if one is None or not wanted(one):
            continue
        key = one.camera, one.event or f"{one.kind} {one.time}"
        if key not in found and len(found) >= most:
            return Seen(list(found.values()), False)
        known = found.get(key, one)
        found[key] = one if one.time <= known.time else known
    return Seen(sorted(found.values(), key=lambda one: -one.time), True)


def together(
    past: Past,
    recorded: Callable[[float, float], Iterable[Columns]],
    points: Sequence[int],
    begin: float,
    end: float,
    *,
    each: bool,
    seconds: float,
) -> Gathered:
    """Take readings from what is kept for long, and what that does not have from the log: the newest, and the oldest.

    `each` wants each reading, else spans will do. Raise `alerts.console.config.PastError`.
    """
    since, until = past.span()
    last = min(end, until)
    if begin >= last:
        return gather(recorded(begin, end), points, begin, end, seconds=seconds)
    newer = recorded(last, end) if last < end else ()
    older = recorded(begin, min(since, end)) if begin < since else ()  # from before there was a history, if still there
    if each:
        kept = past.readings(points, begin, last)
        return gather(chain(newer, kept, older), points, begin, end, seconds=seconds)
    found = gather(chain(newer, older), points, begin, end, seconds=seconds)
    kept_series = past.series(points, begin, last)
    series = {index: joined(kept_series[index], found.series[index]) for index in points}
    return found._replace(series=series)


def joined(one: Series, other: Series) -> Series:
    """Put two series in order of time; of what is in both, the second's is left out."""
    time, value, score = (
        np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("time", "value", "score")
    )
    _, order = np.unique(time, return_index=True)
    if one.low is None and other.low is None:
        return Series(time[order], value[order], score[order], None, None)
    low, high = (
        np.concatenate([part.value if (found := getattr(part, name)) is None else found for part in (one, other)])
        for name in ("low", "high")
    )
    return Series(time[order], value[order], score[order], low[order], high[order])


def _split(
    columns: list[np.ndarray[tuple[int], np.dtype[np.generic]]], wanted: Iterable[int]
) -> Iterator[tuple[int, Series]]:
    for index in wanted:
        if not columns:
            yield int(index), Series(np.empty(0), np.empty(0), np.empty(0, np.float32), None, None)
            continue
        here = columns[0] == index
        at, value, score = (column[here] for column in columns[1:])
        _, order = np.unique(at, return_index=True)
        yield (
            int(index),
            Series(
                at[order].astype(np.float64),
                value[order].astype(np.float64),
                score[order].astype(np.float32),
                None,
                None,
            ),
        )


def as_csv(series: Mapping[str, Series], units: Mapping[str, str]) -> Iterator[str]:
    """Write series as CSV: time (UTC, ISO 8601), point, value, unit, score; what is not known is empty."""
    yield "time,point,value,unit,score\r\n"
    for point, (at, value, score, _, _) in series.items():
        unit = units[point].replace('"', '""')
        for start in range(0, len(at), 10_000):
            piece = slice(start, start + 10_000)
            stamps = np.datetime_as_string((at[piece] * 1000).round().astype("datetime64[ms]"), timezone="UTC")
            yield "".join(
                f'{stamp},{point},{_plain(number)},"{unit}",{_plain(scored)}\r\n'
                for stamp, number, scored in zip(stamps, value[piece].tolist(), score[piece].tolist(), strict=True)
            )


def _plain(number: float) -> str:
    return f"{number:.9g}" if np.isfinite(number) else ""
