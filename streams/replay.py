"""Replay: run the recorded log through a fresh engine and hold what follows against what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from alerts import outcome
from alerts.load import Load, Whole
from alerts.outcome import AlarmTransition, AnyOutcome, Record
from streams.engine import Engine
from streams.topics import OBSERVATIONS, OUTCOMES

BATCH = 256


class ReplayError(RuntimeError):
    """Raised when a log cannot be replayed, with the reason."""


class Readable(Protocol):
    """What replay asks of a log."""

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        ...

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset still stored."""
        ...

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        ...

    def read(
        self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000
    ) -> list[tuple[int, bytes | None, bytes]]:
        """Read records in order."""
        ...


class Difference(msgspec.Struct, kw_only=True):
    """What a replay found: counts, and the ids that are not the same on both sides."""

    observations: int = 0
    readings: int = 0
    recorded: int = 0  # outcomes in the log
    replayed: int = 0  # outcomes that the replay gave
    transitions: int = 0  # alarm transitions among the recorded
    same: int = 0
    missing: list[str] = []  # recorded, not replayed
    added: list[str] = []  # replayed, not recorded
    changed: list[str] = []  # same id, other content
    load: Whole | None = None  # what the replayed alarms asked of the desk

    @property
    def agrees(self) -> bool:
        """Whether the replay gave what the live run gave, transition by transition."""
        return not (self.missing or self.added or self.changed)


def entries(log: Readable, topic: str, partition: int, stop: int | None = None) -> Iterator[list[tuple[int, bytes]]]:
    """Yield a partition's records from its oldest, in batches of (offset, value)."""
    at = log.start(topic, partition)
    end = log.end(topic, partition) if stop is None else stop
    while at < end:
        found = log.read(topic, partition, at, end, limit=BATCH)
        if not found:
            return
        at = found[-1][0] + 1
        yield [(offset, value) for offset, _, value in found]


def replay_partition(
    log: Readable, partition: int, stop: int, advance: Callable[[int], None] = lambda n: None
) -> Iterator[tuple[list[Record], int]]:
    """Run one partition's observations below offset `stop` through a fresh engine; yield (records, readings) a batch.

    Raise `ReplayError` when the log no longer holds its beginning.
    """
    if log.start(OBSERVATIONS, partition) > 0:
        raise ReplayError(f"partition {partition} no longer holds its first observations (retention); cannot replay")
    engine = Engine(partition)
    for batch in entries(log, OBSERVATIONS, partition, stop):
        applied = engine.apply(batch)
        advance(len(batch))
        yield applied.records, applied.readings


def compare(
    log: Readable, committed: Callable[[int], int], advance: Callable[[int], None] = lambda n: None
) -> Difference:
    """Replay every partition up to its committed offset and compare outcome by outcome with the `outcomes` topic."""
    found, load = Difference(), Load()
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        stop = committed(partition)
        recorded: dict[str, AnyOutcome] = {}
        for batch in entries(log, OUTCOMES, partition):
            for _, value in batch:
                for one in outcome.decode(value).outcomes:
                    recorded.setdefault(one.id, one)
        found.observations += stop
        found.recorded += len(recorded)
        found.transitions += sum(isinstance(one, AlarmTransition) for one in recorded.values())
        for records, readings in replay_partition(log, partition, stop, advance):
            found.readings += readings
            for one in (one for record in records for one in record.outcomes):
                found.replayed += 1
                if isinstance(one, AlarmTransition):
                    load.note([msgspec.structs.asdict(one)])
                before = recorded.pop(one.id, None)
                if before is None:
                    found.added.append(one.id)
                elif msgspec.msgpack.encode(before) == msgspec.msgpack.encode(one):  # bit for bit, NaN too
                    found.same += 1
                else:
                    found.changed.append(one.id)
        found.missing.extend(recorded)
    found.load = load.whole()
    return found
