"""A station: one partition's engine at work on a log, restored, caught up, and never past a gap."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from alerts import outcome
from sensors import observation
from sensors.observation import Publication
from streams import snapshot
from streams.engine import Applied, Engine
from streams.frozen import Piece
from streams.history import columns
from streams.readable import Followed, Readable
from streams.topics import OBSERVATIONS, OUTCOMES, SCORES, SNAPSHOTS

logger = logging.getLogger(__name__)

Output = tuple[str, int, bytes | None, bytes]
READ = 500
CHUNKS = 16
"""Chunks of snapshots that are read at once: 8 MiB."""


class Frozen(NamedTuple):
    """A partition's state as it stood after an offset, and under which set of keys it is written."""

    partition: int
    offset: int
    clock: float
    pieces: list[Piece]
    turn: int

    def records(self) -> Iterator[Output]:
        """Yield the records of the snapshot; it is whole once all are in the log."""
        for key, value in snapshot.chunks(self.partition, self.offset, self.pieces, self.turn):
            yield SNAPSHOTS, self.partition, key, value


class GapError(RuntimeError):
    """Raised when observations are missing from the log itself; the partition must not go on over it."""


class Station:
    """Run one partition's engine. `committed` is the next offset whose outcomes are not in the log yet.

    `caught_up` is told how many observations are read again, of how many, while the state is brought up to there.
    `lost` says in a sentence what the state does not know though it was observed; empty when it knows all.
    """

    def __init__(
        self,
        partition: int,
        log: Followed,
        committed: int | None,
        caught_up: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self.partition = partition
        self.lost = ""
        self._caught_up = caught_up
        self.log = log
        self.readings = 0
        self.gaps = 0
        self.refused: dict[str, int] = {}
        self._turn = 1  # the set of keys under which the newest whole snapshot lies
        self.busy = 0.0  # seconds of work in the engine
        self.found: list[outcome.Record] = []  # after a loss: what the state was made of anew, which no log says
        self.engine = self._restored(committed or 0)
        self._silent(committed or 0)
        self._at_snapshot = self.engine.offset

    def take(self, records: Sequence[tuple[int, bytes]]) -> list[Output]:
        """Apply records and return what is to be written with their offsets in one transaction.

        Records that the state already holds are passed over; over a gap the log is read again.
        Raise `GapError` when the log itself does not hold what is missing.
        """
        expected = self.engine.offset + 1
        records = [one for one in records if one[0] >= expected]
        if not records:
            return []
        outputs: list[Output] = []
        if records[0][0] > expected:
            self.gaps += 1
            logger.warning("partition %d: read again from %d to %d", self.partition, expected, records[0][0])
            for batch in self._read(expected, records[0][0]):
                outputs += self._outputs(self._apply(batch))
        if records[-1][0] - records[0][0] + 1 != len(records):
            raise GapError(f"partition {self.partition}: batch is not contiguous after offset {records[0][0]}")
        return outputs + self._outputs(self._apply(records))

    def follow(self, committed: int) -> None:
        """Bring a standby's state up to what its owner has committed since.

        Raise `GapError` when the log no longer holds that, or when the owner's state is not what this one comes to.
        """
        for batch in self._read(self.engine.offset + 1, committed):
            begun = 0
            for place, (offset, value) in enumerate(batch):
                if not observation.is_publication(value):
                    continue
                if place > begun:  # to know what is in force at it: another may have come just before
                    self._come_to(batch[begun:place])
                    begun = place
                if self._again(value):
                    raise GapError(f"partition {self.partition}: its owner began anew at observation {offset}")
            self._come_to(batch[begun:])

    def _come_to(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Apply records and say nothing. Raise `GapError` where that breaks off: the state is no good then."""
        try:
            self.engine.apply(records)
        except Exception as error:
            raise GapError(f"partition {self.partition}: its standby broke at an observation: {error!r}") from error

    def take_over(self, committed: int) -> None:
        """Bring a standby's state up to what is committed, to go on as the owner. Raise as `follow` does."""
        self.follow(committed)
        turn = newest_turn(self.log, self.partition)
        if turn is not None:
            self._turn = turn

    def _again(self, record: bytes) -> bool:
        """Tell whether a publication puts in force what is: as an owner does whose state was lost."""
        try:
            found = observation.decode(record)
        except ValueError:
            return False  # the engine refuses it
        return isinstance(found, Publication) and bool(found.version) and found.version == self.engine.version

    def snapshot(self, committed: int | None) -> list[Output]:
        """Return the records of a snapshot, or none when nothing has happened since the last; see `freeze`."""
        frozen = self.freeze(committed)
        if frozen is None:
            return []
        records = list(frozen.records())
        self.kept(frozen)
        return records

    def freeze(self, committed: int | None) -> Frozen | None:
        """Take the state as it stands, to be written while the engine goes on; None when nothing has happened since.

        None either while the state is ahead of `committed`: a snapshot that outlived a crash there would hold what the
        log has not been told, and it would never be said.
        """
        engine = self.engine
        if engine.offset == self._at_snapshot or engine.offset >= (committed or 0):
            return None
        self._at_snapshot = engine.offset
        return Frozen(self.partition, engine.offset, engine.clock, engine.freeze(), 1 - self._turn)

    def kept(self, frozen: Frozen) -> None:
        """Note that all records of a frozen state are in the log: the next is written beside it, not over it."""
        self._turn = frozen.turn

    @property
    def lag(self) -> int:
        """Records in the log that the engine has not taken yet."""
        return max(0, self.log.seen_end(OBSERVATIONS, self.partition) - self.engine.offset - 1)

    def _restored(self, committed: int) -> Engine:
        """Restore the newest snapshot that can be used, else begin with what the log still holds."""
        try:
            engine, self._turn = newest_snapshot(self.log, self.partition)
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            logger.error("partition %d: the snapshot cannot be read (%s); reading the log again", self.partition, error)
            engine = None
        if engine is not None and engine.offset >= committed:
            logger.error(
                "partition %d: the snapshot is ahead of what is committed; reading the log again", self.partition
            )
            engine = None
        oldest = self.log.start(OBSERVATIONS, self.partition)
        if engine is not None and engine.offset + 1 < oldest:
            # over the gap it would go on with conditions that have long ended, under ids that are taken
            self._forget(engine.offset + 1, oldest)
            engine = None
        elif engine is None and oldest > 0:
            self._forget(0, oldest)
        if engine is None:
            engine = Engine(self.partition)
            engine.offset = oldest - 1
        return engine

    def _forget(self, first: int, oldest: int) -> None:
        """Note that the state begins anew with the log, because what it would need is gone."""
        self.lost = f"partition {self.partition}: observations {first} to {oldest - 1} are no longer in the log"
        logger.error("%s, nor a snapshot of what followed; conditions and cases from before are forgotten", self.lost)

    def _silent(self, committed: int) -> None:
        """Bring the state up to what is committed, without saying again what the log already holds."""
        begun = time.perf_counter()
        count, total = 0, committed - self.engine.offset - 1
        for batch in self._read(self.engine.offset + 1, committed):
            applied = self.engine.apply(batch)
            if self.lost:
                self.found += applied.records
            count += len(batch)
            self._caught_up(count, total)
        if count:
            took = time.perf_counter() - begun
            logger.info("partition %d: caught up %d observations in %.2f s", self.partition, count, took)

    def _read(self, start: int, stop: int) -> Iterator[list[tuple[int, bytes]]]:

        at = start
        while at < stop:
            found = self.log.read(OBSERVATIONS, self.partition, at, stop, limit=READ)
            if not found or found[0][0] != at or found[-1][0] - at + 1 != len(found):
                raise GapError(
                    f"partition {self.partition}: observations from {at} on are missing from the log "
                    f"(it holds {self.log.start(OBSERVATIONS, self.partition)} to "
                    f"{self.log.end(OBSERVATIONS, self.partition)})"
                )
            yield [(offset, value) for offset, _, value in found]
            at = found[-1][0] + 1

    def _apply(self, records: Sequence[tuple[int, bytes]]) -> Applied:
        begun = time.perf_counter()
        applied = self.engine.apply(records)
        self.busy += time.perf_counter() - begun
        self.readings += applied.readings
        for reason, count in applied.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count
        return applied

    def _outputs(self, applied: Applied) -> list[Output]:
        outputs: list[Output] = [(OUTCOMES, self.partition, None, outcome.encode(one)) for one in applied.records]
        if applied.scored is not None:
            outputs.append((SCORES, self.partition, None, columns.encode(applied.scored)))
        if applied.aside is not None:
            outputs.append((SCORES, self.partition, None, columns.encode(applied.aside)))
        return outputs


def newest_snapshot(log: Readable, partition: int) -> tuple[Engine | None, int]:
    """Restore the engine from the newest snapshot of a partition; None when there is none. Say where it lies, too.

    Raise `ValueError`, `KeyError`, `TypeError` or `AssertionError` on one that cannot be read.
    """
    stored = snapshot.newest(_snapshots(log, partition))
    return (None, 1) if stored is None else (Engine.restore(stored.content), stored.turn)


def newest_turn(log: Readable, partition: int) -> int | None:
    """Tell under which set of keys the newest whole snapshot lies, by the last record alone; None where none is.

    A log may have offsets without a record (ends of transactions, what was compacted): it is looked for further back.
    """
    oldest, end, wide = log.start(SNAPSHOTS, partition), log.end(SNAPSHOTS, partition), 2
    at = end
    while at > oldest:
        at = max(oldest, end - wide)
        for _, _, value in reversed(log.read(SNAPSHOTS, partition, at, end, limit=wide)):
            turn = snapshot.turn_after(value)
            if turn is not None:
                return turn
        wide *= 4
    return None


def _snapshots(log: Readable, partition: int) -> Iterator[bytes]:
    at, end = log.start(SNAPSHOTS, partition), log.end(SNAPSHOTS, partition)
    while at < end:
        found = log.read(SNAPSHOTS, partition, at, end, limit=CHUNKS)
        if not found:
            break
        yield from (value for _, _, value in found)
        at = found[-1][0] + 1
