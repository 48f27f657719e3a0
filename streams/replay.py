"""Replay: run the recorded log through a fresh engine and hold what follows against what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from alerts import outcome
from alerts.load import Load, Whole
from alerts.outcome import AlarmTransition, AnyOutcome, Record
from streams.engine import Applied, Engine
from streams.readable import Readable
from streams.stretch import Stretch
from streams.topics import OBSERVATIONS, OUTCOMES

__all__ = ["Readable", "ReplayError", "compare", "entries", "replay_partition"]

BATCH = 256


class ReplayError(RuntimeError):
    """Raised when a log cannot be replayed, with the reason."""


class LetGoError(ReplayError):
    """Raised when a log has let go of what a replay would begin with."""


class First(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the first outcome that is not the same: where in the log, and both sides (None: there is none)."""

    partition: int
    offset: int
    id: str
    recorded: dict[str, Any] | None = None
    replayed: dict[str, Any] | None = None

    @property
    def fields(self) -> list[str]:
        """Name the fields in which both sides differ."""
        before, after = self.recorded or {}, self.replayed or {}
        return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


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
    first: First | None = None
    load: Whole | None = None  # what the replayed alarms asked of the desk

    @property
    def agrees(self) -> bool:
        """Whether the replay gave what the live run gave, transition by transition."""
        return not (self.missing or self.added or self.changed)

    def add(self, other: Difference) -> None:
        """Take in what was found in another partition; the first difference is that of the lowest partition."""
        for name in ("observations", "readings", "recorded", "replayed", "transitions", "same"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.missing += other.missing
        self.added += other.added
        self.changed += other.changed
        self.first = self.first or other.first


class Check:
    """Hold replayed outcomes of one partition's stretch against the recorded ones."""

    def __init__(self, log: Readable, where: Stretch) -> None:
        self._where = where
        self._recorded: dict[str, tuple[int, AnyOutcome]] = {}
        for record in outcomes(log, where.partition, where.first):
            if where.first <= record.offset < where.stop:
                for one in record.outcomes:
                    self._recorded.setdefault(one.id, (record.offset, one))
        self.found = Difference(
            recorded=len(self._recorded),
            transitions=sum(isinstance(one, AlarmTransition) for _, one in self._recorded.values()),
        )

    def take(self, records: list[Record]) -> None:
        """Compare replayed records, in order."""
        found = self.found
        for record in records:
            for one in record.outcomes:
                found.replayed += 1
                offset, before = self._recorded.pop(one.id, (record.offset, None))
                if before is None:
                    found.added.append(one.id)
                    self._differs(record.offset, one.id, None, one)
                elif msgspec.msgpack.encode(before) == msgspec.msgpack.encode(one):  # bit for bit, NaN too
                    found.same += 1
                else:
                    found.changed.append(one.id)
                    self._differs(offset, one.id, before, one)

    def end(self) -> Difference:
        """Name what was recorded and did not come; return all that was found."""
        self.found.missing.extend(self._recorded)
        for id, (offset, before) in self._recorded.items():
            self._differs(offset, id, before, None)
        return self.found

    def _differs(self, offset: int, id: str, recorded: AnyOutcome | None, replayed: AnyOutcome | None) -> None:
        first = self.found.first
        if first is None or offset < first.offset:
            sides = [None if one is None else msgspec.to_builtins(one) for one in (recorded, replayed)]
            self.found.first = First(
                partition=self._where.partition, offset=offset, id=id, recorded=sides[0], replayed=sides[1]
            )


def entries(
    log: Readable, topic: str, partition: int, stop: int | None = None, start: int | None = None
) -> Iterator[list[tuple[int, bytes]]]:
    """Yield a partition's records from its oldest, or from `start`, in batches of (offset, value)."""
    at = log.start(topic, partition) if start is None else start
    end = log.end(topic, partition) if stop is None else stop
    while at < end:
        found = log.read(topic, partition, at, end, limit=BATCH)
        if not found:
            return
        at = found[-1][0] + 1
        yield [(offset, value) for offset, _, value in found]


def outcomes(log: Readable, partition: int, first: int = 0) -> Iterator[Record]:
    """Yield the recorded outcomes of a partition; what came of observations before `first` may be left out."""
    own: Callable[[int, int], int] | None = getattr(log, "outcomes_of", None)  # an archive need not be read whole
    for batch in entries(log, OUTCOMES, partition, start=None if own is None else own(partition, first)):
        for _, value in batch:
            yield outcome.decode(value)


def fresh(log: Readable, partition: int) -> Engine:
    """Make an engine for a partition's first observation. Raise `ReplayError` when the log no longer holds it."""
    if log.start(OBSERVATIONS, partition) > 0:
        raise ReplayError(f"partition {partition} no longer holds its first observations (retention); cannot replay")
    return Engine(partition)


def replay_partition(
    log: Readable, partition: int, stop: int, advance: Callable[[int], None] = lambda n: None
) -> Iterator[Applied]:
    """Run one partition's observations below offset `stop` through a fresh engine; yield what follows, by batches.

    Raise `ReplayError` when the log no longer holds its beginning.
    """
    engine = fresh(log, partition)
    for batch in entries(log, OBSERVATIONS, partition, stop):
        applied = engine.apply(batch)
        advance(len(batch))
        yield applied


def compare(
    log: Readable, committed: Callable[[int], int], advance: Callable[[int], None] = lambda n: None
) -> Difference:
    """Replay every partition up to its committed offset and compare outcome by outcome with the `outcomes` topic."""
    found, load = Difference(), Load()
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        stop = committed(partition)
        check = Check(log, Stretch(partition, 0, stop))
        for applied in replay_partition(log, partition, stop, advance):
            check.found.readings += applied.readings
            check.take(applied.records)
            for one in (one for record in applied.records for one in record.outcomes):
                if isinstance(one, AlarmTransition):
                    load.note([msgspec.structs.asdict(one)])
        check.found.observations = stop
        found.add(check.end())
    found.load = load.whole()
    return found
