"""Replay of the quarantine: kept messages decoded with today's site, and what they bring put into the log once.

What a message brings and the mark that says so are written in one transaction of the log, and a lock lets in one replay
at a time (`streams.quarantine.alone`): so a second replay, also after a crash in the middle, finds the mark and brings
nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from sensors import push, quarantine
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.quarantine import REPLAYED, Query, Refused, Replayed
from sensors.redecoding import OUTCOMES, Redecoded, redecode
from sensors.site import Site
from streams import logs
from streams.kafka.address import Address
from streams.quarantine.refusals import Marks, merged
from streams.readable import Reader
from streams.topics import QUARANTINE

SLICE = 200
"""Messages that are decoded before what they bring is written."""

SLICE_BYTES = 4 << 20
"""Bytes beyond which a slice is written before it is full."""

Record = tuple[str, int, bytes | None, bytes]
Produce = Callable[[Sequence[Record]], Awaitable[Sequence[int]]]


class Tally(msgspec.Struct, kw_only=True):
    """Say what a replay came to: messages by outcome (`sensors.redecoding.OUTCOMES`), what was put into the log, and
    why messages are refused still. `following` is the offset to go on from when it stopped at its limit.
    """

    dry_run: bool = False
    messages: int = 0
    outcomes: dict[str, int] = {}
    readings: int = 0
    events: int = 0
    refused: dict[str, int] = {}  # readings or messages that are refused still, by reason
    details: list[str] = []  # the first few of why
    following: int | None = None

    def add(self, other: Tally) -> None:
        """Take another part's counts in."""
        self.messages += other.messages
        self.readings += other.readings
        self.events += other.events
        self.outcomes = dict(Counter(self.outcomes) + Counter(other.outcomes))
        self.refused = dict(Counter(self.refused) + Counter(other.refused))
        self.details = list(dict.fromkeys(self.details + other.details))[:10]
        self.following = other.following


class Replay:
    """Replay one log's quarantine with one site, in the name of `actor`; `produce` writes records, all or none."""

    def __init__(
        self, where: Path | Address, site: Site, produce: Produce, actor: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._where, self._produce, self._actor, self._clock = where, produce, actor, clock
        self._intake = Intake(Registry(site), source="replay")
        self._pushed: set[bytes] = set()  # digests of pushed readings that this replay, or one before, has taken

    async def run(self, query: Query, *, dry_run: bool = False, start: int = 0, most: int = 2_000) -> Tally:
        """Replay what `query` asks for, the oldest first, from offset `start` on and at most `most` messages.

        Call within `alone`, unless it is a dry run. What was written before an error of `produce` stays so; where it
        ends without an answer, what it was given may be written still, and nobody else may replay until that is known.
        """
        whole = Tally(dry_run=dry_run)
        with logs.reader(self._where) as log:
            if QUARANTINE not in log.topics():
                return whole
            marks = dict(await asyncio.to_thread(Marks().read, log))
            at = max(start, log.start(QUARANTINE, 0))
            if query.since is not None:
                at = max(at, log.offset_at(QUARANTINE, 0, query.since))
            end = log.end(QUARANTINE, 0)
            while at < end and whole.messages < most:
                wanted, at = await asyncio.to_thread(_some, log, query, at, end, most - whole.messages)
                records, tally = await asyncio.to_thread(self._slice, wanted, marks)
                if records and not dry_run:
                    await self._produce(records)
                whole.add(tally)
            whole.following = at if at < end else None
        return whole

    def _slice(self, messages: Sequence[tuple[int, Refused]], marks: dict[int, Replayed]) -> tuple[list[Record], Tally]:
        """Decode some messages; give the records to be written with their marks, and the tally."""
        now = self._clock()
        records: list[Record] = []
        outcomes: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        tally = Tally(messages=len(messages))
        for offset, refused in messages:
            mark = marks.get(offset)
            taken = np.frombuffer(mark.taken, "<u4").tolist() if mark else ()
            made: Redecoded = redecode(self._intake, refused, now, taken=taken, said=bool(mark and mark.said))
            if refused.topic.startswith(push.TOPIC) and made.outcome in ("accepted", "taken_before"):
                made = self._once(refused, made)
            outcomes[made.outcome] += 1
            reasons += made.reasons
            tally.readings += made.readings
            tally.events += made.events
            tally.details = list(dict.fromkeys(tally.details + made.details))[:10]
            if made.records:
                new = Replayed(
                    offset=offset,
                    time=now,
                    actor=self._actor[:200],
                    version=self._intake.registry.version,
                    readings=made.readings,
                    events=made.events,
                    taken=np.array(sorted(made.taken), "<u4").tobytes(),
                    said=made.events > 0,
                )
                marks[offset] = merged(mark, new)
                records += [(topic, partition, None, value) for topic, partition, value in made.records]
                records.append((QUARANTINE, quarantine.PARTITION, REPLAYED, quarantine.encode_mark(new)))
        tally.outcomes = {name: outcomes[name] for name in OUTCOMES if outcomes[name]}
        tally.refused = dict(reasons)
        return records, tally

    def _once(self, refused: Refused, made: Redecoded) -> Redecoded:
        """Take a pushed reading once: who pushes again under the same id, as it must, is refused each time."""
        digest = hashlib.sha256(refused.topic.encode() + b"\n" + refused.raw).digest()
        known = digest in self._pushed
        self._pushed.add(digest)
        return Redecoded("taken_before") if known else made


def _some(log: Reader, query: Query, at: int, end: int, most: int) -> tuple[list[tuple[int, Refused]], int]:
    """Read on from `at`: a slice of messages that are asked for, each once, by the offset of its first record.

    It ends before the first record of another message, so that the next slice does not find the rest of this one.
    """
    found: list[tuple[int, Refused]] = []
    size = 0
    while at < end:
        rows = log.read(QUARANTINE, 0, at, end, limit=SLICE)
        if not rows:
            return found, end
        for offset, key, value in rows:
            if key is None:
                refused = quarantine.decode(value)
                first = offset - refused.part
                if not found or found[-1][0] != first:
                    if len(found) >= min(SLICE, most) or size >= SLICE_BYTES:
                        return found, offset
                    if query.wants(refused):
                        found.append((first, refused))
                        size += len(refused.raw)
            at = offset + 1
    return found, at
