"""The segments of one partition: which there are, that each follows the one before it, and which are too old.

Names are PARTITION/DAY/BEGIN.seg, by the day (UTC) on which its first observation was written. Each day has an
`index.json` of its segments; it can be made again from them, and is where it is behind.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

import msgspec

from streams.archive.place import ASIDE, ArchiveDamaged, ArchiveError
from streams.archive.segment import Content, Head, State, digest, head_of, unpack
from streams.archive.store import Store

logger = logging.getLogger(__name__)

T = TypeVar("T")

SEGMENT, STATE, INDEX, START = ".seg", ".state", "index.json", "start.json"

FROM_OLDEST = "where the archive begins was taken from its oldest segment"

SMALL = 1 << 16
"""Bytes that the object may have which says where a chain begins."""

SPARED = 86400.0
"""Seconds that are kept beyond the policy, at most, so that what is kept can be replayed from its beginning."""


class Link(msgspec.Struct, frozen=True):
    """A segment in the chain: its name, what its head says, its bytes and its SHA-256."""

    name: str
    bytes: int
    sha256: str
    head: Head


class Start(msgspec.Struct, frozen=True):
    """Where a chain begins since what was older has been removed: an offset, and the hash of the segment before."""

    begin: int = 0
    previous: str | None = None


class Overtaken(RuntimeError):
    """Raised when somebody else has written the next segment meanwhile."""


class Fault(NamedTuple):
    """One thing that is wrong: with which object, and what."""

    name: str
    said: str


_index = msgspec.json.Decoder(tuple[Link, ...])
_start = msgspec.json.Decoder(Start)


class Chain:
    """Read and lengthen the chain of one partition."""

    def __init__(self, store: Store, partition: int) -> None:
        self.store, self.partition = store, partition
        self.folder = f"{partition:04}"
        self._days: dict[str, dict[str, Link]] = {}
        self.damaged: dict[str, str] = {}  # indexes, or where it begins, that cannot be read, and why
        self.refresh()

    def refresh(self) -> None:
        """List anew what there is."""
        listed = self.store.names(f"{self.folder}/")
        there = dict(listed)
        start = self._started(there)
        self.start = start or Start()
        segments = sorted((_number(name), name) for name in there if name.endswith(SEGMENT))
        self.stale = [name for begin, name in segments if start is not None and begin < start.begin]
        segments = segments[len(self.stale) :]
        self._begins, self.names = [begin for begin, _ in segments], [name for _, name in segments]
        self.states = sorted(name for name in there if name.endswith(STATE))
        self._sizes = there
        if start is None:
            self.start = self._start_found()

    def _started(self, there: Mapping[str, int]) -> Start | None:
        """Read where the chain begins; None where that cannot be read."""
        name = f"{self.folder}/{START}"
        self.damaged.pop(name, None)
        if name not in there:
            return Start()
        try:
            return _decoded(_start, name, self.store.get(name, SMALL) or b"")
        except ArchiveDamaged as error:
            self.damaged[name] = str(error).removeprefix(f"{name}: ")
            return None

    def _start_found(self) -> Start:
        """Tell from the oldest segment where the chain begins: what came before has gone, in order."""
        if self.names:
            with suppress(ArchiveDamaged):  # its own fault names it
                head = self.link(0).head
                return Start(head.begin, head.previous)
        return Start()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        """Bytes of all segments and states."""
        return sum(size for name, size in self._sizes.items() if name.endswith((SEGMENT, STATE)))

    def last(self) -> Link | None:
        """Return the newest segment's link; None where there is none."""
        return self.link(len(self.names) - 1) if self.names else None

    def link(self, place: int) -> Link:
        """Return the link of the n-th segment: by the day's index, else from the segment itself."""
        name = self.names[place]
        found = self._day(name.rpartition("/")[0]).get(name)
        return found if found is not None else self._linked(name)

    def links(self) -> Iterator[Link]:
        """Yield all links, the oldest first."""
        return (self.link(place) for place in range(len(self.names)))

    def readable(self) -> Iterator[Link]:
        """Yield the links of all segments that can be read."""
        for place in range(len(self.names)):
            with suppress(ArchiveDamaged):
                yield self.link(place)

    def holding(self, offset: int) -> int | None:
        """Return the place of the segment in which an observation is, or would be."""
        place = bisect_right(self._begins, offset) - 1
        return place if place >= 0 else None

    def holding_outcome(self, offset: int) -> int | None:
        """Return the place of the first segment whose outcomes go on beyond an offset of theirs."""
        low, high = 0, len(self.names)
        while low < high:
            middle = (low + high) // 2
            if self.link(middle).head.outcomes_stop > offset:
                high = middle
            else:
                low = middle + 1
        return low if low < len(self.names) else None

    def content(self, place: int) -> Content:
        """Unpack the n-th segment, if it is the one that its link names. Raise `ArchiveDamaged`."""
        link = self.link(place)
        packed = self._read(link.name)
        if digest(packed) != link.sha256:
            raise ArchiveDamaged(f"{link.name} is not what it was when it was written")
        return _named(link.name, unpack, packed)

    def append(self, head: Head, packed: bytes) -> Link:
        """Write the next segment. Raise `Overtaken` when there is one already, `ArchiveError` when it does not fit."""
        last = self.last()
        if head.stop - head.begin != head.observations or (
            last is not None and (head.begin - head.lost, head.previous) != (last.head.stop, last.sha256)
        ):
            raise ArchiveError(f"{self.folder}: {head.begin} to {head.stop - 1} do not go on where it ends")
        day = f"{self.folder}/{datetime.fromtimestamp(head.since, UTC):%Y-%m-%d}"
        name = f"{day}/{head.begin:020}{SEGMENT}"
        if not self.store.put_new(name, packed):
            self.refresh()
            raise Overtaken(name)
        self._begins.append(head.begin)
        self.names.append(name)
        self._sizes[name] = len(packed)
        link = Link(name, len(packed), digest(packed), head)
        self._day(day)[name] = link
        self._write_index(day)
        return link

    def mend(self) -> list[str]:
        """Put right what a writer that was killed, or a loss of power, left behind; say what was put aside for it.

        The index of the newest day is written where a segment of it is missing. The newest segment, where no index
        names it and it cannot be read, was cut off: it is written again. Where the chain begins, if that cannot be
        read, is taken from its oldest segment.
        """
        mended = []
        if self.names:
            mended += self._put_aside(self.names[-1])
        told = not self.names or self.start.previous is not None
        if (name := f"{self.folder}/{START}") in self.damaged and told:
            self.store.keep_aside(name)
            self.store.put(name, msgspec.json.encode(self.start))
            mended.append(f"{name} could not be read: it is kept as {name}{ASIDE}; {FROM_OLDEST}")
            self.refresh()
        if self.names:
            day = self.names[-1].rpartition("/")[0]
            known = self._day(day)
            missing = [name for name in self.names if name.startswith(f"{day}/") and name not in known]
            if missing:
                self._write_index(day)
        for said in mended:
            logger.error("%s", said)
        return mended

    def _put_aside(self, name: str) -> list[str]:
        if name in self._day(name.rpartition("/")[0]):
            return []
        try:
            self._linked(name)
        except ArchiveDamaged as error:
            self.store.keep_aside(name)
            self.store.delete([name])
            self.refresh()
            return [f"{error}; it is kept as {name}{ASIDE} and archived again"]
        return []

    def keep_state(self, offset: int, clock: float, content: bytes) -> State:
        """Keep a state of the engine beside the segments."""
        name = self.state_name(offset, clock)
        if not self.store.put_new(name, content):  # a writer that was killed has kept it, or another does
            content = self.store.get(name) or b""
        self._sizes[name] = len(content)
        if name not in self.states:
            self.states.append(name)
        return State(offset, clock, len(content), digest(content))

    def state_name(self, offset: int, clock: float) -> str:
        """Name a state's object."""
        return f"{self.folder}/states/{offset:020}-{int(clock)}{STATE}"

    def state(self, known: State) -> bytes:
        """Read a state. Raise `ArchiveDamaged` when it is not what the chain says."""
        name = self.state_name(known.offset, known.clock)
        content = self._read(name)
        if digest(content) != known.sha256:
            raise ArchiveDamaged(f"{name} is not what it was when it was written")
        return content

    # whether all is as it was written

    def faults(self, *, whole: bool, told: Callable[[int], None] = lambda size: None) -> Iterator[Fault]:
        """Yield what is wrong. `whole`: read every segment and state; else the indexes only, and the newest segment."""
        previous, stop = self.start.previous or "", None
        for place, name in enumerate(self.names):
            try:
                link = self.link(place)
                if whole or place == len(self.names) - 1:
                    yield from self._content_faults(link)
                told(link.bytes)
            except ArchiveDamaged as error:
                yield Fault(name, str(error).removeprefix(f"{name}: "))
                previous, stop = "", None
                continue
            head = link.head
            if place == 0 and self.start.previous is None and head.previous:
                yield Fault(name, "the chain begins in its middle: what came before was taken away")
            elif (place == 0 or previous) and head.previous != previous:
                yield Fault(name, "it does not follow the segment before it: one was changed, taken out or put in")
            if (head.partition, head.begin) != (self.partition, _number(name)):
                yield Fault(name, "it lies where another should")
            if stop is not None and head.begin != stop + head.lost:
                yield Fault(name, f"observations {stop} to {head.begin - 1} are missing")
            previous, stop = link.sha256, head.stop
        yield from (Fault(name, said) for name, said in self.damaged.items())
        if (aside := f"{self.folder}/{START}{ASIDE}") in self._sizes:
            yield Fault(aside, f"it could not be read, and {FROM_OLDEST}: compare with a copy, then remove it")

    def _content_faults(self, link: Link) -> Iterator[Fault]:
        packed = self._read(link.name)
        if digest(packed) != link.sha256:
            yield Fault(link.name, "it is not what it was when it was written")
            return
        if _named(link.name, unpack, packed).head != link.head:
            yield Fault(link.name, "the day's index tells otherwise of it")
        for known in link.head.states:
            try:
                self.state(known)
            except ArchiveDamaged as error:
                yield Fault(link.name, str(error))

    # what is too old

    def cut(self, before: float) -> int:
        """Return how many segments, the oldest, can go: all that ended before a time (unix s), but never the newest.

        What stays begins with one that has a state of the engine, so that all of it can be replayed; for its sake a day
        more is kept at most.
        """
        most = 0
        while most < len(self.names) - 1 and self.link(most).head.until < before:
            most += 1
        for place in range(most, 0, -1):
            head = self.link(place).head
            if head.since < before - SPARED:
                break
            if head.states:
                return place
        return most if most and self.link(0).head.since < before - SPARED else 0

    def drop(self, count: int) -> int:
        """Remove the oldest segments, and what was left of an earlier removal; return how many bytes went."""
        if count:
            first = self.link(count).head
            self.refresh()
            if first.begin > self.start.begin:  # nobody else has removed as much meanwhile
                start = Start(first.begin, first.previous)
                self.store.put(f"{self.folder}/{START}", msgspec.json.encode(start))  # first: what is below is gone now
                self.refresh()
        gone = self.stale + [name for name in self.states if int(name.rpartition("/")[2][:20]) < self.start.begin - 1]
        left = {name.rpartition("/")[0] for name in self.names}
        days = {name.rpartition("/")[0] for name in self.stale} - left
        indexes = [name for day in sorted(days) if (name := f"{day}/{INDEX}") in self._sizes]
        size = sum(self._sizes.get(name, 0) for name in gone)
        self.store.delete([*gone, *indexes])
        if gone:
            self.refresh()
        return size

    # reading

    def _day(self, day: str) -> dict[str, Link]:
        if day not in self._days:
            name = f"{day}/{INDEX}"
            listed: tuple[Link, ...] = ()
            try:
                content = self.store.get(name)
                if content is not None:
                    listed = _decoded(_index, name, content)
            except ArchiveDamaged as error:  # the segments have it all
                self.damaged[name] = str(error).removeprefix(f"{name}: ")
            self._days[day] = {link.name: link for link in listed}
        return self._days[day]

    def _write_index(self, day: str) -> None:
        known = self._day(day)
        listed = []
        for name in self.names:
            if name.startswith(f"{day}/"):
                if name not in known:  # another's
                    with suppress(ArchiveDamaged):  # it is a fault, and no reason to archive no more
                        known[name] = self._linked(name)
                if name in known:
                    listed.append(known[name])
        content = msgspec.json.format(msgspec.json.encode(listed), indent=1)
        self.store.put(f"{day}/{INDEX}", content)

    def _linked(self, name: str) -> Link:
        packed = self._read(name)
        return Link(name, len(packed), digest(packed), _named(name, head_of, packed))

    def _read(self, name: str) -> bytes:
        content = self.store.get(name)
        if content is None:
            raise ArchiveDamaged(f"{name} is missing")
        return content


def _number(name: str) -> int:
    try:
        return int(name.rpartition("/")[2].partition(".")[0])
    except ValueError as error:
        raise ArchiveDamaged(f"{name} is no name of a segment") from error


def _named(name: str, read: Callable[[bytes], T], content: bytes) -> T:
    """Read an object, and name it in what is wrong with it."""
    try:
        return read(content)
    except ArchiveDamaged as error:
        raise ArchiveDamaged(f"{name}: {error}") from error


def _decoded(decoder: msgspec.json.Decoder[T], name: str, content: bytes) -> T:
    try:
        return decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArchiveDamaged(f"{name}: it cannot be read: {error}") from error
