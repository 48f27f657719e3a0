"""What bridge and engine refused, as the log holds it: searched, counted, and whether it was replayed."""

from __future__ import annotations

import base64
import heapq
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from alerts import outcome
from sensors import quarantine
from sensors.quarantine import REPLAYED, Query, Replayed
from streams import logs, run
from streams.kafka.address import Address
from streams.readable import Reader
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE

LOOK = 20_000
"""Records that one page looks through at most, of the quarantine and of the engine's outcomes together."""

COUNTED = 50_000
"""Records that statistics look through unless told otherwise, the newest: a second of work."""

SHOWN = 4096
"""Bytes of a message that a list shows; one shown alone is shown whole."""

DELAY = 3600.0
"""Seconds for which a refusal may have waited for a log that was slow or away."""

MAX_SOURCES = 257

REASONS = tuple(dict.fromkeys((*quarantine.REASONS, *run.REASONS, "undecodable", "engine_error")))
"""All reasons for which something can have been refused, by bridges, cameras and the engine."""

_CURSOR = re.compile(r"[0-9]{1,15}\.[0-9]{1,6}(-[0-9]{1,15}\.[0-9]{1,6}){0,256}\Z")
_ID = re.compile(r"q-([0-9]{1,15})\Z|e-([0-9]{1,3})-([0-9]{1,15})-([0-9]{1,6})\Z")


class Item(msgspec.Struct, kw_only=True):
    """One refusal. `id` finds it again; `whole` says that all its bytes are kept, `replayed` when it was replayed."""

    id: str
    time: float
    source: str
    topic: str
    reason: str
    detail: str = ""
    readings: int = 1
    size: int = 0
    raw: bytes = b""
    whole: bool = True
    retained: bool = False
    replayed: float | None = None
    replayed_by: str = ""

    def as_map(self, most: int | None = SHOWN) -> dict[str, Any]:
        """Write it for JSON, the first `most` of its bytes as text (what is not UTF-8 escaped) and as base64."""
        shown = self.raw[:most]
        return {
            **msgspec.structs.asdict(self),
            "raw": shown.decode("utf-8", "backslashreplace"),
            "raw_base64": base64.b64encode(shown).decode("ascii"),
        }


class Page(NamedTuple):
    """Some refusals, the newest first, and the cursor of those that follow; None when there are no more."""

    items: list[Item]
    cursor: str | None


class Statistics(msgspec.Struct, kw_only=True):
    """Count what is kept: messages and readings by reason and source. `complete` is false when older ones were left."""

    messages: int = 0
    readings: int = 0
    bytes: int = 0
    replayed: int = 0
    by_reason: dict[str, dict[str, int]] = {}  # → {"messages": n, "readings": n}
    by_source: dict[str, dict[str, int]] = {}
    by_topic: dict[str, int] = {}  # the twenty with most messages
    oldest: float | None = None
    newest: float | None = None
    complete: bool = True


class Marks:
    """Know which messages were replayed, by the offset of their first record; reads only what is new.

    Any thread may ask.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._at = 0
        self._found: dict[int, Replayed] = {}

    def read(self, log: Reader) -> dict[int, Replayed]:
        """Read on, and return all marks; several of one message are one, with all that was taken."""
        with self._lock:
            return self._read(log)

    def _read(self, log: Reader) -> dict[int, Replayed]:
        end = log.end(QUARANTINE, 0)
        if end < self._at:  # another log
            self._at, self._found = 0, {}
        for offset, key, value in log.keyed(QUARANTINE, 0, self._at):
            if key == REPLAYED and offset < end:
                mark = quarantine.decode_mark(value)
                self._found[mark.offset] = merged(self._found.get(mark.offset), mark)
        self._at = end
        start = log.start(QUARANTINE, 0)
        if len(self._found) > 10_000 and min(self._found) < start:
            self._found = {offset: mark for offset, mark in self._found.items() if offset >= start}
        return self._found


def merged(before: Replayed | None, mark: Replayed) -> Replayed:
    """Join two marks of one message."""
    if before is None:
        return mark
    return msgspec.structs.replace(
        mark,
        readings=before.readings + mark.readings,
        events=before.events + mark.events,
        taken=before.taken + mark.taken,
        said=before.said or mark.said,
    )


class _Seen(NamedTuple):
    """One step backwards through a source: where it stands afterwards, and what was found there, if anything."""

    time: float
    source: int
    offset: int
    skip: int
    item: Item | None
    passed: bool = False  # over it without decoding

    @property
    def cost(self) -> float:
        """What it cost to look, against decoding a record."""
        return 0.1 if self.passed else 1.0


class Refusals:
    """Search one log's refusals. `names` are the ids of points by registry index; raises `LogError` without a log."""

    def __init__(self, where: Path | Address, names: Mapping[int, str], marks: Marks | None = None) -> None:
        self._where, self._names = where, names
        self._marks = marks or Marks()

    def page(self, query: Query, limit: int = 100, cursor: str | None = None) -> Page:
        """List at most `limit` refusals, the newest first, from a cursor on. Raise `ValueError` on a bad cursor.

        One page looks through `LOOK` records; where that is not enough, it may hold fewer, and has a cursor still.
        """
        with logs.reader(self._where) as log:
            if log.topics().get(QUARANTINE) is None:
                return Page([], None)
            marks = self._marks.read(log)
            engines = min(log.topics().get(OUTCOMES, 0), MAX_SOURCES - 1) if query.source in (None, "engine") else 0
            at = _positions(cursor, log, engines)
            sources = [self._of_bridge(log, query, at[0], marks)] if query.source != "engine" else []
            sources += [self._of_engine(log, query, number, at[number + 1]) for number in range(engines)]
            items: list[Item] = []
            looked = 0.0
            for seen in heapq.merge(*sources, key=lambda one: -one.time):
                at[seen.source] = (seen.offset, seen.skip)
                looked += seen.cost
                if seen.item is not None:
                    items.append(seen.item)
                if len(items) == limit or looked >= LOOK:
                    return Page(items, "-".join(f"{offset}.{skip}" for offset, skip in at))
            return Page(items, None)

    def one(self, id: str) -> Item | None:
        """Find one refusal by its id; None when there is none, or no longer."""
        match = _ID.match(id)
        if match is None:
            return None
        with logs.reader(self._where) as log:
            everything = Query()
            if match[1] is not None:
                offset = int(match[1])
                if QUARANTINE not in log.topics() or offset < log.start(QUARANTINE, 0):
                    return None
                seen = self._of_bridge(log, everything, (offset + 1, 0), self._marks.read(log))
                return next((one.item for one in seen if one.offset == offset and one.item), None)
            partition, offset, place = int(match[2]), int(match[3]), int(match[4])
            if partition >= log.topics().get(OUTCOMES, 0) or offset < log.start(OUTCOMES, partition):
                return None
            for one in self._of_engine(log, everything, partition, (offset + 1, 0)):
                if one.item is not None and one.item.id == id:
                    return one.item
                if one.offset < offset - 1 or (one.offset == offset and one.skip > place + 10_000):
                    return None
        return None

    def statistics(self, query: Query, most: int = COUNTED) -> Statistics:
        """Count what is kept and asked for, among the newest `most` records."""
        found = Statistics()
        reasons: dict[str, Counter[str]] = {}
        sources: dict[str, Counter[str]] = {}
        topics: Counter[str] = Counter()
        with logs.reader(self._where) as log:
            if QUARANTINE not in log.topics():
                return found
            marks = self._marks.read(log)
            engines = log.topics().get(OUTCOMES, 0) if query.source in (None, "engine") else 0
            ends = [log.end(QUARANTINE, 0), *(log.end(OUTCOMES, number) for number in range(engines))]
            kinds = [self._of_bridge(log, query, (ends[0], 0), marks)] if query.source != "engine" else []
            kinds += [self._of_engine(log, query, number, (ends[number + 1], 0)) for number in range(engines)]
            looked = 0.0
            for seen in heapq.merge(*kinds, key=lambda one: -one.time):
                looked += seen.cost
                if looked > most:
                    found.complete = False
                    break
                one = seen.item
                if one is None:
                    continue
                found.messages += 1
                found.readings += one.readings
                found.bytes += len(one.raw)
                found.replayed += one.replayed is not None
                found.newest = one.time if found.newest is None else max(found.newest, one.time)
                found.oldest = one.time if found.oldest is None else min(found.oldest, one.time)
                for table, name in ((reasons, one.reason.partition(":")[0]), (sources, one.source)):
                    table.setdefault(name, Counter()).update(messages=1, readings=one.readings)
                if len(topics) < 100_000 or one.topic in topics:
                    topics[one.topic] += 1
        found.by_reason = {name: dict(counts) for name, counts in reasons.items()}
        found.by_source = {name: dict(counts) for name, counts in sources.items()}
        found.by_topic = dict(topics.most_common(20))
        return found

    def _of_bridge(
        self, log: Reader, query: Query, at: tuple[int, int], marks: Mapping[int, Replayed]
    ) -> Iterator[_Seen]:
        first, stop = _bounds(log, QUARANTINE, 0, query, at[0])
        for offset, key, value in log.newest_first(QUARANTINE, 0, stop, first=first, stop=stop):
            if key is not None:
                continue
            one = quarantine.decode(value)
            mark = marks.get(offset - one.part)
            item = Item(
                id=f"q-{offset}",
                time=one.time,
                source=one.source,
                topic=one.topic,
                reason=one.reason,
                detail=one.detail,
                readings=one.readings,
                size=one.size,
                raw=one.raw,
                whole=len(one.raw) == one.size,
                retained=one.retained,
                replayed=mark.time if mark else None,
                replayed_by=mark.actor if mark else "",
            )
            yield _Seen(one.time, 0, offset, 0, item if query.wants(item) else None)

    def _of_engine(self, log: Reader, query: Query, partition: int, at: tuple[int, int]) -> Iterator[_Seen]:
        """Walk one partition's outcomes; a record may hold several refusals: `skip` of the first are behind us."""
        first, stop = _bounds(log, OUTCOMES, partition, query, at[0] + bool(at[1]))
        time = float("inf")
        for offset, _, value in log.newest_first(OUTCOMES, partition, stop, first=first, stop=stop):
            if b"refused" not in value:  # most are alarms and the like: not worth decoding
                yield _Seen(time, partition + 1, offset, 0, None, passed=True)
                continue
            record = outcome.decode(value)
            refused = [one for one in record.outcomes if isinstance(one, outcome.Refused)]
            done = at[1] if offset == at[0] else 0
            for place in range(len(refused) - 1 - done, -1, -1):
                one = refused[place]
                time = one.received
                skip = len(refused) - place if place else 0
                item = self._readable(one, f"e-{partition}-{offset}-{place}", partition)
                yield _Seen(time, partition + 1, offset, skip, item if query.wants(item) else None)
            if not refused:
                yield _Seen(time, partition + 1, offset, 0, None)

    def _readable(self, one: outcome.Refused, id: str, partition: int) -> Item:
        readings = [
            {"point": self._names.get(point, str(point)), "time": time, "value": value}
            for point, time, value in zip(one.point, one.times, one.values, strict=True)
        ]
        named = list(dict.fromkeys(str(reading["point"]) for reading in readings))
        raw = msgspec.json.encode(readings) if readings else b""
        return Item(
            id=id,
            time=one.received,
            source="engine",
            topic=f"{OBSERVATIONS}/{partition}",
            reason=one.reason,
            detail=", ".join(named[:8]) + (f" and {len(named) - 8} more" if len(named) > 8 else ""),
            readings=one.count,
            size=len(raw),
            raw=raw,
        )


def _positions(cursor: str | None, log: Reader, engines: int) -> list[tuple[int, int]]:
    ends = [log.end(QUARANTINE, 0), *(log.end(OUTCOMES, number) for number in range(engines))]
    at = [(end, 0) for end in ends]
    if cursor is None:
        return at
    if not _CURSOR.match(cursor):
        raise ValueError("this is no cursor of a listing")
    for place, text in enumerate(cursor.split("-")[: len(at)]):
        offset, _, skip = text.partition(".")
        at[place] = min((int(offset), int(skip)), at[place], key=lambda one: one[0])
    return at


def _bounds(log: Reader, topic: str, partition: int, query: Query, stop: int) -> tuple[int, int]:
    """Give the offsets between which what is asked for lies: it was written after it arrived, and not long after."""
    first = 0 if query.since is None else log.offset_at(topic, partition, query.since)
    if query.until is not None:
        stop = min(stop, log.offset_at(topic, partition, query.until + DELAY))
    return first, stop
