"""Copying the records of one log into another, partition by partition, and comparing them as they come.

A file keeps every record at its offset. Kafka counts: what lies in topics without holes keeps its offsets, too. Where a
file that was filled from Kafka has holes (the ends of transactions took these offsets), records before them move up by
as many as holes follow, and what follows the last hole is where it was. So offsets of a log never become smaller, and
what refers to one after the last hole refers to the same record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from streams.migration.report import Compared, MigrationError
from streams.migration.state import Kept, State
from streams.readable import Reader, Timed

SOME = 2000
"""Records that are read and written at a time; readers give fewer where they are large."""

Told = Callable[[int], None]
"""Hears how many records were dealt with."""


class Filling(Protocol):
    """A log that is filled; `streams.embedded.filling` and `streams.kafka.filling`."""

    @property
    def keeps_offsets(self) -> bool:
        """Whether offsets may have holes."""
        ...

    @property
    def identity(self) -> str:
        """What the log is called and no other."""
        ...

    def start(self, topic: str, partition: int) -> int:
        """Return where a partition begins."""
        ...

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last record."""
        ...

    def begin(self, topic: str, partition: int, offset: int, time: float) -> None:
        """Have a partition begin at an offset, unless it has records already; `time` (unix s) is of what comes."""
        ...

    def write(self, topic: str, partition: int, records: list[Timed]) -> None:
        """Write records behind what is there."""
        ...

    def replace(self, topic: str, partition: int, records: list[Timed]) -> None:
        """Have a compacted partition hold these records."""
        ...

    def finish_at(self, topic: str, partition: int, end: int) -> None:
        """Have the next record of a partition get an offset, where that may lie beyond the last record."""
        ...

    def commit(self, group: str, offsets: dict[tuple[str, int], int]) -> None:
        """Note how far a group has come."""
        ...

    def settle(self) -> None:
        """Have all of it outlast a loss of power."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    @property
    def key(self) -> str:
        """What it is called in files."""
        return f"{self.topic}:{self.partition}"


class Copier:
    """Copy partitions, from where an earlier call has come; `kept` is told before anything goes by it."""

    def __init__(self, source: Reader, target: Filling, state: State, kept: Kept) -> None:
        self._source, self._target, self._state, self._kept = source, target, state, kept

    def copy(self, place: Place, stop: int, told: Told = lambda _: None) -> None:
        """Copy what lies below offset `stop`. Raise `MigrationError` where records are gone that were not copied."""
        at = self._resume(place, stop)
        while at < stop and (found := self._source.read_timed(*place, at, stop, SOME)):
            self._require_following(place, at, found[0][0])
            self._target.write(*place, found)
            at = found[-1][0] + 1
            self._note(place, at)
            told(len(found))
        if at < stop:  # what is left below it are ends of transactions
            self._note(place, stop)

    def target_offset(self, place: Place, offset: int) -> int:
        """Say where in the target lies what in the source lies at an offset, or after it. All must be copied."""
        if self._target.keeps_offsets:
            return offset
        end = self._state.at[place.key][0]
        return self._target.end(*place) - sum(1 for _ in each(self._source, place, offset, end))

    def _resume(self, place: Place, stop: int) -> int:
        """Say from where the source is to be read on; a partition that was not begun is."""
        if place.key not in self._state.base:
            self._begin(place)
        source, target = self._state.base[place.key]
        if place.key not in self._state.at:
            first = next(each(self._source, place, source, stop), None)
            self._target.begin(*place, target, first[1] if first is not None else 0.0)
            self._state.at[place.key] = source, target
            self._kept.write(self._state)
        at, end = self._state.at[place.key]
        more = self._target.end(*place)
        if more < end:
            raise MigrationError(
                f"{place.topic} partition {place.partition}: the target has lost records; begin again",
                f"{place.topic} 分区 {place.partition}：目标端丢失了记录；请重新开始",
            )
        if self._target.keeps_offsets:
            return max(at, more)
        for _, found in zip(range(more - end), each(self._source, place, at, stop), strict=False):
            at = found[0] + 1  # written, and not noted any more
        return at

    def _begin(self, place: Place) -> None:
        start, stop = self._source.start(*place), self._source.end(*place)  # what comes later has no holes
        first = next(each(self._source, place, start, stop), None)
        source = target = first[0] if first is not None else stop
        if not self._target.keeps_offsets:
            target += (stop - source) - sum(1 for _ in each(self._source, place, source, stop))
        if self._target.end(*place):
            raise MigrationError(
                f"{place.topic} partition {place.partition}: the target holds other data",
                f"{place.topic} 分区 {place.partition}：目标端已有其他数据",
            )
        self._state.base[place.key] = source, target
        self._kept.write(self._state)

    def _require_following(self, place: Place, at: int, found: int) -> None:
        if found > at and self._source.start(*place) >= found > self._state.base[place.key][0]:
            raise MigrationError(
                f"{place.topic} partition {place.partition}: records from {at} on are gone by retention before they "
                "were copied; begin again with an empty target",
                f"{place.topic} 分区 {place.partition}：{at} 起的记录在复制前已过保留期；请用空的目标端重新开始",
            )

    def _note(self, place: Place, at: int) -> None:
        self._state.at[place.key] = at, self._target.end(*place)
        self._kept.write(self._state)


class Comparison:
    """Compare a partition in both logs, in order, as far as it is copied; it may be called again as more comes."""

    def __init__(self, place: Place, source: Reader, target: Reader, state: State, *, keeps: bool) -> None:
        """`keeps`: offsets of the target may have holes."""
        self.place, self._source, self._target, self._state = place, source, target, state
        self._hashes = hashlib.sha256(), hashlib.sha256()
        self.records = self.bytes = 0
        begun, offset = state.base[place.key]
        self._at = begun
        now = source.start(*place)
        if now > begun:  # retention has taken some since: as many are passed over in the target
            end = state.at[place.key]
            left = sum(1 for _ in each(source, place, now, end[0]))
            self._at, offset = now, (now if keeps else end[1] - left)
        self.first = self._there = offset

    def go_on(self, told: Told = lambda _: None) -> None:
        """Compare what has come since. Raise `MigrationError` with the first record that differs."""
        stop, end = self._state.at[self.place.key]
        mine, other = (
            each(self._source, self.place, self._at, stop),
            each(self._target, self.place, self._there, end),
        )
        while True:
            one, two = next(mine, None), next(other, None)
            if one is None or two is None or not _same(one, two):
                break
            for digest, record in zip(self._hashes, (one, two), strict=True):
                update(digest, record)
            self.records += 1
            self.bytes += len(one[3]) + len(one[2] or b"")
            if not self.records % SOME:
                told(SOME)
        if one is not None or two is not None:
            raise MigrationError(
                f"{self.place.topic} partition {self.place.partition}: {_difference(one, two)}",
                f"{self.place.topic} 分区 {self.place.partition} 两端不一致：{_difference(one, two)}",
            )
        self._at, self._there = stop, end

    def result(self) -> Compared:
        """Say what was found the same."""
        source, target = (digest.hexdigest() for digest in self._hashes)
        return Compared(*self.place, self.records, self.bytes, source, target, self.first, self._there)


def each(log: Reader, place: Place, start: int, stop: int) -> Iterator[Timed]:
    """Yield the records of offsets start ≤ o < stop."""
    at = start
    while at < stop and (found := log.read_timed(*place, at, stop, SOME)):
        yield from found
        at = found[-1][0] + 1


def latest(log: Reader, place: Place) -> dict[bytes | None, Timed]:
    """Read a compacted partition: the newest record of each key, without those that were deleted."""
    found = {record[2]: record for record in each(log, place, log.start(*place), log.end(*place))}
    return {key: record for key, record in found.items() if record[3]}


def update(digest: Any, record: Timed) -> None:
    """Add a record to a hash: its time (ms), its key, its value."""
    _, time, key, value = record
    digest.update(b"%d %d %d " % (round(time * 1000), -1 if key is None else len(key), len(value)))
    digest.update(key or b"")
    digest.update(value)


def compact_comparison(place: Place, source: Reader, target: Reader) -> Compared:
    """Compare a compacted partition: the same keys, with the same values. Raise `MigrationError`."""
    mine, other = latest(source, place), latest(target, place)
    hashes = []
    for found in (mine, other):
        digest = hashlib.sha256()
        for key in sorted(found, key=lambda key: key or b""):
            update(digest, (0, 0.0, key, found[key][3]))
        hashes.append(digest.hexdigest())
    if hashes[0] != hashes[1]:
        key = next(
            key
            for key in {**mine, **other}
            if mine.get(key, (0, 0, b"", None))[3] != other.get(key, (0, 0, b"", None))[3]
        )
        raise MigrationError(
            f"{place.topic} partition {place.partition}: what stands under {key!r} differs",
            f"{place.topic} 分区 {place.partition}：{key!r} 的内容两端不一致",
        )
    size = sum(len(record[3]) for record in mine.values())
    ends = target.start(*place), target.end(*place)
    return Compared(place.topic, place.partition, len(mine), size, hashes[0], hashes[1], *ends)


def _same(one: Timed, two: Timed) -> bool:
    return one[2:] == two[2:] and round(one[1] * 1000) == round(two[1] * 1000)


def _difference(one: Timed | None, two: Timed | None) -> str:
    if one is None or two is None:
        where, there = ("source", two) if one is None else ("target", one)
        assert there is not None
        return f"the {where} has no record for the other's of offset {there[0]}"
    what = "key" if one[2] != two[2] else "value" if one[3] != two[3] else "time"
    return f"the {what} of the record of offset {one[0]} in the source, {two[0]} in the target, differs"
