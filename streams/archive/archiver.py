"""Lengthen the chains by what the log has: at its own pace, and so that it can be killed at any point.

What a segment holds follows from where it begins and from the log alone, and it is written in one step under a name
that only one can take. So whoever goes on, after a kill or beside another, writes the same or nothing.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from streams.archive import marker
from streams.archive.chain import Chain, Link, Overtaken
from streams.archive.place import ASIDE, ArchiveError
from streams.archive.segment import Head, State, pack
from streams.archive.store import Store
from streams.moments import Moments
from streams.readable import Reader, Timed
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES

logger = logging.getLogger(__name__)

SEGMENT_BYTES = 16 << 20
"""Bytes of observations, and of outcomes, after which a segment ends before its time."""

STATE_SECONDS = 6 * 3600.0
"""Seconds between two states of the engine that are kept: a replay has so much to catch up with, at most."""

GRACE = 2.0
"""Seconds after its time that a segment is left open, for what is being written."""

READ = 1000

_place = msgspec.msgpack.Decoder(tuple[int, int, msgspec.Raw])
"""Of a record of outcomes: its partition, and the offset of what they came from."""


class Archiver:
    """Archive one log. `period` is in seconds: a segment ends where one of the clock ends.

    `moments` is the folder in which the worker keeps states for replays.
    """

    def __init__(self, store: Store, period: float, moments: Path) -> None:
        self._store, self._period, self._moments = store, period, moments
        self._chains: dict[int, Chain] = {}
        self.observations = self.segments = self.bytes = self.lost = self.damaged = 0
        self.mended: list[str] = []
        """What was put right since somebody last asked: he empties it."""

    def step(self, log: Reader, partition: int, now: float, *, everything: bool = False) -> Link | None:
        """Write a partition's next segment, if it is due (unix seconds) or `everything` is; None when nothing was.

        Raise `ArchiveError`, also where the log is not the one that was archived until now; `LogError`.
        """
        chain = self._chain(log, partition)
        last = chain.last()
        stop = log.committed(GROUP, OBSERVATIONS, partition) or 0
        self._require_same(log, chain, last)
        follows = log.start(OBSERVATIONS, partition) if last is None else last.head.stop
        begin = max(follows, log.start(OBSERVATIONS, partition))
        if begin >= stop:
            return None
        first = log.read_timed(OBSERVATIONS, partition, begin, stop, 1)
        if not first:
            return None  # retention takes it at this moment
        edge = (math.floor(first[0][1] / self._period) + 1) * self._period
        if not everything and first[0][1] - self._period < now < edge + GRACE:  # sooner: the clock was set back since
            return None
        observations = _until(log, partition, begin, stop, edge)
        if not observations or observations[0] != first[0]:  # retention has taken some since
            return self.step(log, partition, now, everything=everything)
        begin = observations[0][0]
        if last is None or begin > follows:  # somebody else may have begun, or gone on, and retention have come after
            chain.refresh()
            if chain.last() != last:
                return self.step(log, partition, now, everything=everything)
        outcomes, after, stop = self._outcomes(log, partition, last, begin, observations[-1][0] + 1)
        observations = observations[: stop - begin]
        states = self._states(chain, last, begin, stop)
        head = Head(
            partition=partition,
            begin=begin,
            stop=stop,
            outcomes_begin=outcomes[0][0] if outcomes and last is None else after[0],
            outcomes_stop=after[1],
            since=observations[0][1],
            until=observations[-1][1],
            observations=len(observations),
            outcomes=len(outcomes),
            lost=0 if last is None else begin - follows,
            previous="" if last is None else last.sha256,
            states=states,
        )
        try:
            link = chain.append(head, pack(head, observations, outcomes))
        except Overtaken:
            return chain.last()
        self._count(link)
        return link

    def waiting_since(self, log: Reader, partition: int) -> float | None:
        """Tell when the oldest observation was written that is not archived yet (unix s); None when all are."""
        chain = self._chain(log, partition)
        last = chain.last()
        begin = max(log.start(OBSERVATIONS, partition), 0 if last is None else last.head.stop)
        return log.time_of(OBSERVATIONS, partition, begin)

    def keep_to(self, log: Reader, partitions: Sequence[int], before: float, most_bytes: float = math.inf) -> int:
        """Remove what was written before a time (unix s), or is more than may be kept; return how many bytes went."""
        chains = [self._chain(log, number) for number in partitions]
        for chain in chains:
            chain.refresh()
        return prune(chains, before, most_bytes)

    def _chain(self, log: Reader, partition: int) -> Chain:
        if not self._chains:
            self._store.sweep(time.time())
            count = log.topics().get(OBSERVATIONS, 0)
            _, said = marker.claim(self._store, log.identity, count, is_mine=lambda: self._is_of(log, count))
            self._told([said] if said else [])
        if partition not in self._chains:
            chain = Chain(self._store, partition)
            self._told(chain.mend())
            last = chain.last()
            self._require_same(log, chain, last)
            if last is not None and log.start(OBSERVATIONS, partition) < last.head.stop:
                _require_record(log, chain)
            self._chains[partition] = chain
        return self._chains[partition]

    def _told(self, mended: Sequence[str]) -> None:
        self.mended += mended
        self.damaged += len(mended)

    def _is_of(self, log: Reader, count: int) -> bool:
        """Tell whether what is archived is a log's: nothing is, or the log still holds the end of some chain."""
        if {name for name, _ in self._store.names("")} <= {marker.NAME, marker.NAME + ASIDE}:
            return True
        try:
            chains = [chain for number in range(count) if (chain := Chain(self._store, number)).names]
            held = {_holds_record(log, chain) for chain in chains}
        except ArchiveError:
            return False
        return True in held and False not in held

    def _require_same(self, log: Reader, chain: Chain, last: Link | None) -> None:
        if last is not None and log.end(OBSERVATIONS, chain.partition) < last.head.stop:
            raise ArchiveError(_other(self._store, chain.partition))

    def _outcomes(
        self, log: Reader, partition: int, last: Link | None, begin: int, stop: int
    ) -> tuple[list[Timed], tuple[int, int], int]:
        """Read what observations below `stop` led to: the outcomes, their offsets, and where the segment must end."""
        first = log.start(OUTCOMES, partition) if last is None else last.head.outcomes_stop
        at, end, size = first, log.end(OUTCOMES, partition), 0
        found: list[Timed] = []
        while at < end and (some := log.read_timed(OUTCOMES, partition, at, end, READ)):
            for entry in some:
                _, source, _ = _place.decode(entry[3])
                if source >= stop:
                    return found, (first, entry[0]), stop
                if size > SEGMENT_BYTES and source > begin and source > _source(found[-1]):
                    return found, (first, entry[0]), source
                if source >= begin:  # what came of observations that are not here is not kept
                    found.append(entry)
                    size += len(entry[3])
                at = entry[0] + 1
        return found, (first, at), stop

    def _states(self, chain: Chain, last: Link | None, begin: int, stop: int) -> tuple[State, ...]:
        kept = -math.inf
        for place in range(len(chain) - 1, -1, -1):
            if states := chain.link(place).head.states:
                kept = states[-1].clock
                break
        found = []
        for one in Moments(self._moments, chain.partition).all():
            if begin - 1 <= one.offset < stop and not 0 <= one.clock - kept < STATE_SECONDS:
                try:
                    content = one.file.read_bytes()
                except OSError:  # the worker has removed it meanwhile
                    continue
                found.append(chain.keep_state(one.offset, one.clock, content))
                kept = one.clock
        return tuple(found)

    def _count(self, link: Link) -> None:
        self.segments += 1
        self.observations += link.head.observations
        self.bytes += link.bytes
        self.lost += link.head.lost
        if link.head.lost:
            logger.error(
                "partition %d: %d observations were gone from the log before they were archived",
                link.head.partition,
                link.head.lost,
            )


def cuts(chains: Sequence[Chain], before: float, most_bytes: float = math.inf) -> dict[int, int]:
    """Count by partition the segments that end before a time (unix s), or are the oldest beyond so many bytes."""
    excess = sum(chain.size for chain in chains) - most_bytes
    if excess > 0:
        ages = sorted((link.head.until, link.bytes) for chain in chains for link in chain.links())
        for until, size in ages:
            if excess <= 0:
                break
            before, excess = max(before, math.nextafter(until, math.inf)), excess - size
    return {chain.partition: chain.cut(before) for chain in chains}


def prune(chains: Sequence[Chain], before: float, most_bytes: float = math.inf) -> int:
    """Remove those segments; return how many bytes went."""
    counts = cuts(chains, before, most_bytes)
    return sum(chain.drop(counts[chain.partition]) for chain in chains)


def archive_all(archiver: Archiver, log: Reader, now: float, told: Callable[[Link], None] = lambda link: None) -> None:
    """Archive all that the log has now, also what is not due yet."""
    for partition in range(log.topics().get(OBSERVATIONS, 0)):
        while (link := archiver.step(log, partition, now, everything=True)) is not None:
            told(link)


def _until(log: Reader, partition: int, begin: int, stop: int, edge: float) -> list[Timed]:
    """Read observations up to one written at `edge` or later, or until they are many bytes; at least one."""
    found: list[Timed] = []
    at, size = begin, 0
    while at < stop and (some := log.read_timed(OBSERVATIONS, partition, at, stop, READ)):
        for entry in some:
            if found and (entry[1] >= edge or size > SEGMENT_BYTES or entry[0] != at):
                return found
            found.append(entry)
            size += len(entry[3])
            at = entry[0] + 1
    return found


def _source(entry: Timed) -> int:
    return _place.decode(entry[3])[1]


def _require_record(log: Reader, chain: Chain) -> None:
    """Raise `ArchiveError` when the log holds another record than was archived last."""
    if _holds_record(log, chain) is False:
        raise ArchiveError(_other(chain.store, chain.partition))


def _holds_record(log: Reader, chain: Chain) -> bool | None:
    """Tell whether the log holds what was archived last; None where it holds nothing there any more."""
    last = chain.content(len(chain) - 1).observations[-1]
    found = log.read(OBSERVATIONS, chain.partition, last[0], last[0] + 1, 1)
    return found[0][1:] == last[2:] if found else None


def _other(store: Store, partition: int) -> str:
    return (
        f"the log is not the one that is archived in {store.name}: its partition {partition} does not go on where the "
        "archive ends (was it restored from a backup?). Name a new place in FORESHOCK_ARCHIVE; the old one can still "
        "be replayed"
    )
