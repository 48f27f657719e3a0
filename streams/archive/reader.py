"""Reading the archive as a log: by itself, or before what the log still has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

from streams.archive import marker
from streams.archive.chain import Chain
from streams.archive.place import ArchiveError, Place
from streams.archive.segment import Content, State
from streams.archive.store import Store
from streams.embedded.reader import READ_BYTES
from streams.embedded.schema import Entry, HoleError, LogError, size_of
from streams.moments import Moment, moments_of
from streams.readable import Reader, Timed
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES

HELD = 3
"""Segments that are held unpacked: some 30 MB each."""


class StateFile(NamedTuple):
    """A state of the engine in the archive, read as a file is."""

    chain: Chain
    state: State

    @property
    def name(self) -> str:
        """Its object's name."""
        return self.chain.state_name(self.state.offset, self.state.clock)

    def read_bytes(self) -> bytes:
        """Read it. Raise `OSError` when it is not what was written."""
        try:
            return self.chain.state(self.state)
        except ArchiveError as error:
            raise OSError(str(error)) from error


class _Opened:
    """To be closed at the end of a block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        raise NotImplementedError


class ArchiveReader(_Opened):
    """Read the topics `observations` and `outcomes` as `LogReader` does; for one thread. Raise `LogError`."""

    def __init__(self, place: Place) -> None:
        self._store = Store(place, make=False)
        found = marker.read(self._store)
        if found is None:
            raise LogError(f"nothing is archived in {place.where} yet")
        self.marker = found
        self._chains: dict[int, Chain] = {}
        self._held: OrderedDict[tuple[int, int], Content] = OrderedDict()

    def close(self) -> None:
        """Let go of what is held."""
        self._held.clear()

    @property
    def identity(self) -> str:
        """What the archived log is called."""
        return self.marker.identity

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        return {OBSERVATIONS: self.marker.partitions, OUTCOMES: self.marker.partitions}

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset that is archived, or the end if there is none."""
        chain = self._chain(partition)
        if topic not in self.topics() or not len(chain):
            return 0
        head = chain.link(0).head
        return head.begin if topic == OBSERVATIONS else head.outcomes_begin

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the newest that is archived."""
        last = self._chain(partition).last()
        if topic not in self.topics() or last is None:
            return 0
        return last.head.stop if topic == OBSERVATIONS else last.head.outcomes_stop

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return where the archive ends: all in it was handled."""
        return self.end(topic, partition) if group == GROUP else None

    def read(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry]:
        """Read records of offsets start ≤ o < stop in order: at most `limit`, about `max_bytes`, and at least one."""
        stop = self.end(topic, partition) if stop is None else stop
        entries = self.read_timed(topic, partition, start, stop, limit, max_bytes)
        return [(offset, key, value) for offset, _, key, value in entries]

    def read_timed(
        self, topic: str, partition: int, start: int, stop: int, limit: int = 1000, max_bytes: int = READ_BYTES
    ) -> list[Timed]:
        """Read records as `read` does, with when each was written (unix s)."""
        chain = self._chain(partition)
        found: list[Timed] = []
        size = 0
        start = max(start, self.start(topic, partition))
        place = chain.holding(start) if topic == OBSERVATIONS else chain.holding_outcome(start)
        while place is not None and place < len(chain) and len(found) < limit:
            head = chain.link(place).head
            begin = head.begin if topic == OBSERVATIONS else head.outcomes_begin
            if begin >= stop:
                break
            if topic == OBSERVATIONS and begin > start and head.lost:
                if found:
                    break
                raise HoleError(
                    f"observations {start} to {begin - 1} of partition {partition} were never archived: choose a later "
                    "--from, or an earlier --to",
                    begin,
                )
            for entry in self._entries(chain, place, topic, start):
                size += size_of(entry[2], entry[3])
                if entry[0] >= stop or len(found) == limit or (found and size > max_bytes):
                    return found
                found.append(entry)
            start, place = max(start, head.stop if topic == OBSERVATIONS else head.outcomes_stop), place + 1
        return found

    def newest_first(
        self, topic: str, partition: int, most: int, *, first: int = 0, stop: int | None = None
    ) -> Iterator[Entry]:
        """Yield the last `most` records of offsets first ≤ o < stop, the newest first."""
        chain = self._chain(partition)
        stop = self.end(topic, partition) if stop is None else stop
        for place in range(len(chain) - 1, -1, -1):
            for offset, _, key, value in reversed(self._entries(chain, place, topic, first)):
                if most <= 0:
                    return
                if offset < stop:
                    most -= 1
                    yield offset, key, value

    def keyed(self, topic: str, partition: int, start: int) -> Iterator[Entry]:
        """Yield the records from offset `start` on that have a key, in order."""
        end = self.end(topic, partition)
        while start < end and (found := self.read(topic, partition, start, end)):
            yield from (entry for entry in found if entry[1] is not None)
            start = found[-1][0] + 1

    def offset_at(self, topic: str, partition: int, time: float) -> int:
        """Return the offset of the first record written at `time` (unix s) or later, or the end."""
        chain = self._chain(partition)
        for place in range(len(chain)):
            if chain.link(place).head.until >= time:
                for entry in self._entries(chain, place, topic, 0):
                    if entry[1] >= time:
                        return entry[0]
        return self.end(topic, partition)

    def time_of(self, topic: str, partition: int, offset: int) -> float | None:
        """Return when a record was written (unix s), or None if it is not archived."""
        found = self.read_timed(topic, partition, offset, offset + 1, 1)
        return found[0][1] if found else None

    def outcomes_of(self, partition: int, offset: int) -> int:
        """Return the offset of an outcome at or before the first of those that an observation led to."""
        chain = self._chain(partition)
        place = chain.holding(offset)
        return self.start(OUTCOMES, partition) if place is None else chain.link(place).head.outcomes_begin

    def moments(self, partition: int) -> list[Moment]:
        """List the states that are kept, the oldest first."""
        chain = self._chain(partition)
        return [
            Moment(state.offset, state.clock, StateFile(chain, state), state.bytes)
            for link in chain.links()
            for state in link.head.states
        ]

    def _chain(self, partition: int) -> Chain:
        if not 0 <= partition < self.marker.partitions:
            raise LogError(f"there is no partition {partition} in the archive")
        if partition not in self._chains:
            self._chains[partition] = Chain(self._store, partition)
        return self._chains[partition]

    def _entries(self, chain: Chain, place: int, topic: str, start: int) -> Sequence[Timed]:
        key = chain.partition, place
        if key not in self._held:
            while len(self._held) >= HELD:
                self._held.popitem(last=False)
            self._held[key] = chain.content(place)
        self._held.move_to_end(key)
        content = self._held[key]
        entries = content.observations if topic == OBSERVATIONS else content.outcomes
        if not entries or start <= entries[0][0]:
            return entries
        if topic == OBSERVATIONS:
            return entries[start - content.head.begin :]
        return [entry for entry in entries if entry[0] >= start]


class Joined(_Opened):
    """Read a log, and before its oldest observation what is archived of it. Else as the log does."""

    def __init__(self, log: Reader, archive: ArchiveReader) -> None:
        if log.identity != archive.identity:
            raise LogError("the archive is of another log")
        self._log, self._archive = log, archive

    def close(self) -> None:
        """Close both."""
        self._log.close()
        self._archive.close()

    @property
    def identity(self) -> str:
        """What the log is called."""
        return self._log.identity

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        return self._log.topics()

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset that either has, where the archive reaches to what the log has."""
        oldest = self._log.start(topic, partition)
        if topic in self._archive.topics() and self._reaches(partition):
            return min(oldest, self._archive.start(topic, partition))
        return oldest

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        return self._log.end(topic, partition)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group of consumers will read, or None."""
        return self._log.committed(group, topic, partition)

    def read(self, topic: str, partition: int, start: int, stop: int | None = None, limit: int = 1000) -> list[Entry]:
        """Read records in order."""
        if older := self._older(topic, partition, start, stop):
            return self._archive.read(topic, partition, start, older, limit)
        return self._log.read(topic, partition, start, stop, limit)

    def read_timed(self, topic: str, partition: int, start: int, stop: int, limit: int = 1000) -> list[Timed]:
        """Read records as `read` does, with when each was written."""
        if older := self._older(topic, partition, start, stop):
            return self._archive.read_timed(topic, partition, start, older, limit)
        return self._log.read_timed(topic, partition, start, stop, limit)

    def newest_first(
        self, topic: str, partition: int, most: int, *, first: int = 0, stop: int | None = None
    ) -> Iterator[Entry]:
        """Yield the last `most` records of the log, the newest first."""
        return self._log.newest_first(topic, partition, most, first=first, stop=stop)

    def keyed(self, topic: str, partition: int, start: int) -> Iterator[Entry]:
        """Yield the log's records from offset `start` on that have a key, in order."""
        return self._log.keyed(topic, partition, start)

    def offset_at(self, topic: str, partition: int, time: float) -> int:
        """Return the offset of the first record written at `time` (unix s) or later, or the end."""
        if topic in self._archive.topics() and self._reaches(partition):
            found = self._archive.offset_at(topic, partition, time)
            if found < self._archive.end(topic, partition):
                return found
        return self._log.offset_at(topic, partition, time)

    def time_of(self, topic: str, partition: int, offset: int) -> float | None:
        """Return when a record was written (unix s), or None if neither has it."""
        source: Reader = self._archive if self._older(topic, partition, offset, None) else self._log
        return source.time_of(topic, partition, offset)

    def outcomes_of(self, partition: int, offset: int) -> int:
        """Return the offset of an outcome at or before the first of those that an observation led to."""
        if self._reaches(partition) and offset < self._archive.end(OBSERVATIONS, partition):
            return self._archive.outcomes_of(partition, offset)
        return self._log.start(OUTCOMES, partition)

    def moments(self, partition: int) -> list[Moment]:
        """List the states that are kept, the oldest first."""
        archived = self._archive.moments(partition) if self._reaches(partition) else []
        return sorted([*archived, *moments_of(self._log, partition)], key=lambda one: (one.offset, one.clock))

    def _reaches(self, partition: int) -> bool:
        return self._archive.end(OBSERVATIONS, partition) >= self._log.start(OBSERVATIONS, partition)

    def _older(self, topic: str, partition: int, start: int, stop: int | None) -> int | None:
        """Return up to where the archive is asked for what begins at `start`; None when the log has it."""
        if topic not in self._archive.topics() or start >= self._log.start(topic, partition):
            return None
        end = self._archive.end(topic, partition)
        if not self._reaches(partition) or start >= end:
            return None
        return end if stop is None else min(stop, end)
