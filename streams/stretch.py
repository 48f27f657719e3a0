"""A stretch of the recorded past in one partition: from one offset to another, found by time."""

from __future__ import annotations

import msgspec

from sensors import frame, observation
from sensors.observation import FRAME, Tick
from streams.embedded.schema import HoleError
from streams.readable import Readable
from streams.topics import OBSERVATIONS

NEAR = 64
"""Records read at a time when one is sought that says what time it is: mostly the next does."""


class Stretch(msgspec.Struct, frozen=True):
    """Offsets first ≤ o < stop of one partition's observations."""

    partition: int
    first: int
    stop: int


def stretch(log: Readable, partition: int, stop: int, begin: float | None, end: float | None) -> Stretch:
    """Find what came from `begin` on and before `end` (unix seconds; None is without bound), below offset `stop`."""
    oldest = log.start(OBSERVATIONS, partition)
    first = oldest if begin is None else offset_at(log, partition, begin, oldest, stop)
    last = stop if end is None else offset_at(log, partition, end, first, stop)
    return Stretch(partition, first, last)


def offset_at(log: Readable, partition: int, time: float, first: int, stop: int) -> int:
    """Return the offset of the first tick or frame from `first` on that came at `time` or later, else `stop`.

    What is between two of these counts with the earlier. Their times rise; where the clock was set back it is one of
    the places that would do.
    """
    low, high, answer = first, stop, stop
    while low < high:
        middle = (low + high) // 2
        found = _next_time(log, partition, middle, high)
        if found is None:
            high = middle
        elif found[1] >= time:
            high, answer = middle, found[0]
        else:
            low = found[0] + 1
    return answer


def begun(log: Readable, where: Stretch) -> float | None:
    """Tell when the first tick or frame of a stretch came (unix seconds); None when it has none."""
    found = _next_time(log, where.partition, where.first, where.stop)
    return None if found is None else found[1]


def time_of(value: bytes) -> float | None:
    """Tell when a record came, by a tick or a frame (unix seconds); None where it is neither, or cannot be read."""
    if not value or observation.is_publication(value):
        return None
    try:
        if value[0] == FRAME:
            return frame.decode(value).header.received
        found = observation.decode(value)
    except ValueError:  # the engine says what it is
        return None
    return found.time if isinstance(found, Tick) else None


def _next_time(log: Readable, partition: int, start: int, stop: int) -> tuple[int, float] | None:
    at = start
    while at < stop:
        try:
            found = log.read(OBSERVATIONS, partition, at, stop, limit=NEAR if at > start else 4)
        except HoleError as hole:  # whoever replays across it is refused; to find what does not, it is passed over
            at = hole.stop
            continue
        if not found:
            return None
        for offset, _, value in found:
            time = time_of(value)
            if time is not None:
                return offset, time
        at = found[-1][0] + 1
    return None
