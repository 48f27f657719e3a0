"""What cameras saw, out of the log of observations, the newest first."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sensors import observation
from sensors.observation import CameraEvent
from streams.embedded.reader import LogReader
from streams.history.readings import EARLY, arrived_at
from streams.replay import BATCH
from streams.topics import OBSERVATIONS

_MARK = b"camera_event"  # the tag of one, as it stands in a record: what has none is not decoded

LATE = 600.0
"""Seconds after a time in which events of it are still looked for."""


def seen(log: LogReader, partition: int, begin: float, end: float) -> Iterator[CameraEvent | None]:
    """Yield a partition's camera events of `begin` to `end`, the newest first; None for each record of another kind.

    So whoever takes them may stop where that takes too long.
    """
    if log.topics().get(OBSERVATIONS, 0) <= partition:
        return
    first, last = (arrived_at(log, partition, at) for at in (begin - EARLY, end + LATE))
    stop = last + BATCH + 1  # the place that is told may be so many too early
    for _, _, value in log.newest_first(OBSERVATIONS, partition, stop - first, first=first, stop=stop):
        if _MARK not in value[:64]:
            yield None
            continue
        try:
            one = observation.decode(value)
        except msgspec.DecodeError:  # the engine has counted it
            continue
        yield one if isinstance(one, CameraEvent) and begin <= one.time <= end else None
