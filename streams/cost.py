"""What rules cost on what was recorded: the log's observations through the engine, each rule measured by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection

from rules.metering import Cost, Metered
from sensors import frame, observation
from sensors.observation import FRAME, Tick
from streams.past import engine_at
from streams.replay import BATCH, Readable
from streams.topics import OBSERVATIONS


def costs(
    log: Readable,
    partition: int,
    stop: int,
    since: float,
    rules: Collection[str],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> list[Cost]:
    """Measure rules over one partition's observations from `since` (unix seconds) up to offset `stop`.

    A publication meanwhile begins the measurement anew. Raise `ReplayError` when the log no longer holds enough.
    """
    engine = engine_at(log, partition, stop, since, advance)
    engine.drop_shadow()
    first = engine.offset + 1
    metered: Metered | None = None
    while (start := engine.offset + 1) < stop:
        if engine.evaluator is not None and not isinstance(engine.evaluator, Metered) and engine.registry is not None:
            book = engine.evaluator.book
            metered = Metered(engine.evaluator, engine.registry.site, book.points, rules)
            engine.evaluator = metered
        found = log.read(OBSERVATIONS, partition, start, stop, limit=BATCH)
        if not found:
            break
        engine.apply([(offset, value) for offset, _, value in found])
        advance(engine.offset + 1 - first, stop - first)
    return metered.costs() if metered is not None else []


def latest(log: Readable, partition: int, stop: int, among: int = 1000) -> float:
    """Find when the newest tick or frame below an offset came, unix seconds; 0 without one among so many records."""
    for _, _, value in reversed(log.read(OBSERVATIONS, partition, max(stop - among, 0), stop, limit=among)):
        try:
            if value and value[0] == FRAME:
                return float(frame.decode(value).header.received)
            if value and not observation.is_publication(value):
                known = observation.decode(value)
                if isinstance(known, Tick):
                    return known.time
        except ValueError:  # the engine says what it is
            continue
    return 0.0
