"""The engine as it stood at a moment of the recorded past."""

from __future__ import annotations

from collections.abc import Callable

from sensors import frame, observation
from sensors.observation import FRAME, Tick
from streams.engine import Engine
from streams.moments import engine_before
from streams.replay import BATCH, Readable, ReplayError
from streams.station import newest_snapshot
from streams.topics import OBSERVATIONS


def engine_at(
    log: Readable,
    partition: int,
    stop: int,
    at: float | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Engine:
    """Bring an engine to where one partition stood at `at` (unix seconds, to the second), or below offset `stop`.

    It begins with the newest state kept of before, else with the log. Raise `ReplayError` when what is needed
    is no longer there.
    """
    try:
        engine, _ = newest_snapshot(log, partition)
    except (ValueError, KeyError, TypeError, AssertionError):  # of another version: the log itself has it all
        engine = None
    oldest = log.start(OBSERVATIONS, partition)
    if engine is None or (at is not None and engine.clock > at) or engine.offset >= stop or engine.offset + 1 < oldest:
        engine = engine_before(log, partition, stop, float("inf") if at is None else at)
    if engine is None:
        if oldest > 0:
            raise ReplayError(f"partition {partition} no longer holds its first observations (retention)")
        engine = Engine(partition)
    first = engine.offset + 1
    while (start := engine.offset + 1) < stop:
        found = log.read(OBSERVATIONS, partition, start, stop, limit=BATCH)
        if not found:
            break
        records = [(offset, value) for offset, _, value in found]
        until = next((place for place, (_, value) in enumerate(records) if at is not None and _after(value, at)), None)
        if records[:until]:
            engine.apply(records[:until])
        advance(engine.offset + 1 - first, stop - first)
        if until is not None:
            break
    return engine


def _after(value: bytes, at: float) -> bool:
    """Tell whether a record came after a time: a tick or a frame does; what is between those counts with them."""
    if not value or observation.is_publication(value):
        return False
    try:
        if value[0] == FRAME:
            return frame.decode(value).header.received > at
        found = observation.decode(value)
    except ValueError:  # the engine says what it is
        return False
    return isinstance(found, Tick) and found.time > at
