"""What the log tells goes to InfluxDB: read, spooled to disk, sent in order, and what came late summed up anew.

Nothing here holds up the engine: the log is read as the console reads it, by a process of its own.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np

from alerts import outcome
from streams.durable import replace
from streams.history import columns
from streams.history.influx import InfluxError, RefusedError, TooLargeError, UnavailableError
from streams.history.lines import Lines, Naming, alarm_lines
from streams.history.spool import Batch, Spool
from streams.readable import Readable
from streams.topics import OUTCOMES, SCORES

logger = logging.getLogger(__name__)

MOST_LINES = 20_000
"""Lines of one batch, about: InfluxDB's own advice is half of that to twice."""

HOUR = 3600.0
RECORDS = 500
PAUSES = (1.0, 60.0)
"""Seconds before the first try again, and most of them; each pause is drawn from nothing to twice the last bound."""

MOST_REFUSALS = 200
"""Times that one batch is refused and halved to find the lines that are at fault; then what is left goes aside."""

LATE = 300.0
"""Seconds after which a reading may be too late for the tasks that sum up, so that its hour is summed up anew."""


class Server(Protocol):
    """What takes lines, and sums up hours."""

    def write(self, bucket: str, lines: bytes) -> None:
        """Write lines. Raise `InfluxError`."""
        ...


class Gatherer:
    """Read scores and outcomes from where the spool's newest batch ends, and put them into the spool."""

    def __init__(self, log: Readable, spool: Spool, naming: Naming) -> None:
        self._log, self._spool = log, spool
        self.naming = naming  # replaced when the site changes
        self.cursor = spool.cursor()
        self.counts: Counter[str] = Counter()
        self._turn = 0

    def step(self) -> bool:
        """Take what there is, up to one batch; tell whether there may be more at once. Raise `LogError`, `OSError`.

        Alarms come first, they are few; and each time another partition, so that none waits for what others have.
        """
        if self._spool.is_full:
            return False
        cursor, readings, alarms, firsts = dict(self.cursor), list[str](), list[str](), dict[float, float]()
        self._turn += 1
        for topic in (OUTCOMES, SCORES):
            count = self._log.topics().get(topic, 0)
            for partition in ((self._turn + place) % count for place in range(count)):
                key = f"{topic}:{partition}"
                at = self._begin(topic, partition, cursor.get(key))
                while len(readings) + len(alarms) < MOST_LINES:
                    found = self._log.read(topic, partition, at, limit=RECORDS)
                    if not found:
                        break
                    for offset, _, record in found:
                        at = offset + 1
                        if topic == OUTCOMES:
                            alarms += self._alarms(record)
                        else:
                            readings += self._readings(record, partition, firsts)
                        if len(readings) + len(alarms) >= MOST_LINES:
                            break
                cursor[key] = at
        if readings or alarms:
            self._spool.put(Lines(readings, alarms, sorted(firsts.values())), cursor)
        self.cursor = cursor
        return len(readings) + len(alarms) >= MOST_LINES

    def _begin(self, topic: str, partition: int, at: int | None) -> int:
        """Say where to go on: the log may have let go of what was not read, or be a new one."""
        first, end = self._log.start(topic, partition), self._log.end(topic, partition)
        if at is None or at > end:
            return first
        if at < first:
            self.counts["missed"] += first - at
            self._spool.begin()
            logger.error("%d records of %s were let go of by the log before they were read", first - at, topic)
        return max(at, first)

    def _readings(self, record: bytes, partition: int, firsts: dict[float, float]) -> list[str]:
        try:
            scored = columns.decode(record)
        except columns.ColumnsError:
            self.counts["undecodable"] += 1
            return []
        mine, unknown = self.naming.at_home(scored, partition)
        self.counts["unknown_point"] += unknown
        times = np.sort(mine.time)
        hours, begin = np.unique(times // HOUR, return_index=True)
        for hour, first in zip(hours.tolist(), times[begin].tolist(), strict=True):
            firsts[hour] = min(first, firsts.get(hour, first))
        return self.naming.lines(mine)

    def _alarms(self, record: bytes) -> list[str]:
        try:
            return alarm_lines(outcome.decode(record).outcomes)
        except (ValueError, msgspec.MsgspecError):
            self.counts["undecodable"] += 1
            return []


class Sender:
    """Send the spool's batches in order, each until it is taken.

    `taken` is called with each before the spool forgets it: whatever it raises, the batch is sent once more.
    """

    def __init__(
        self,
        server: Server,
        bucket: str,
        alarms: str,
        spool: Spool,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], object] = time.sleep,
        chance: random.Random | None = None,
        taken: Callable[[Batch], None] = lambda batch: None,
    ) -> None:
        self._server, self._spool, self._buckets = server, spool, (bucket, alarms)
        self._clock, self._wait, self._chance = clock, wait, chance or random.Random()
        self._taken = taken
        self.counts: Counter[str] = Counter()
        self.trouble, self.since = "", 0.0  # what keeps it from sending, and since when
        self._failures = self._left = 0

    def step(self) -> Batch | None:
        """Send the oldest batch, or wait after a failure. Return what was sent; None where nothing was."""
        found = self._spool.oldest()
        if found is None:
            return None
        number, batch = found
        reasons: list[str] = []
        self._left = MOST_REFUSALS
        try:
            for bucket, lines in zip(self._buckets, (batch.readings, batch.alarms), strict=True):
                reasons += self._send(bucket, lines)
        except InfluxError as error:
            self._pause(error)
            return None
        if self.trouble:
            logger.info("InfluxDB takes lines again after %.0f s", self._clock() - self.since)
        self.trouble, self._failures = "", 0
        self._taken(batch)
        if reasons:
            self._spool.refuse(number, batch, "\n".join(reasons))
        else:
            self._spool.sent(number, batch)
        self.counts["readings"] += batch.counts[0]
        self.counts["alarms"] += batch.counts[1]
        return batch

    def _send(self, bucket: str, lines: bytes) -> list[str]:
        """Send lines, in halves where they are too many; return what was refused for good, which must stop nothing."""
        try:
            self._server.write(bucket, lines)
        except (TooLargeError, RefusedError) as error:
            dropped = error.dropped if isinstance(error, RefusedError) else 0
            middle = lines.rfind(b"\n", 0, len(lines) // 2) + 1 or lines.find(b"\n") + 1
            if isinstance(error, RefusedError):  # one line that it cannot read keeps it from all
                self._left -= 1
            if dropped or middle == len(lines) or self._left < 0:
                return [self._refused(str(error), dropped or lines.count(b"\n"))]
            return self._send(bucket, lines[:middle]) + self._send(bucket, lines[middle:])
        return []

    def _refused(self, reason: str, count: int) -> str:
        self.counts["refused"] += count
        logger.warning("InfluxDB refused %d line(s): %s", count, reason)
        return f"{count} line(s): {reason}"

    def _pause(self, error: InfluxError) -> None:
        self.counts["failures"] += 1
        if not self.trouble:
            self.since = self._clock()
            logger.error("InfluxDB takes nothing, lines wait on the disk: %s", error)
        self.trouble = str(error)
        first, most = PAUSES
        bound = min(most, first * 2.0 ** min(self._failures, 10))
        self._failures += 1
        after = error.after if isinstance(error, UnavailableError) else 0.0
        self._wait(max(after, self._chance.uniform(bound / 2, bound)))


class LateHours:
    """Remember, over restarts, which hours have to be summed up anew because readings came after the tasks had run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._hours = set(msgspec.json.decode(file.read_bytes(), type=list[int]))
        except (FileNotFoundError, msgspec.MsgspecError):
            self._hours = set[int]()

    def __len__(self) -> int:
        return len(self._hours)

    def note(self, firsts: Sequence[float], now: float) -> None:
        """Note the hours of readings, of which the first of each hour is given, that are told of too late."""
        late = {int(first // HOUR) for first in firsts if first + LATE < now} - self._hours
        if late:
            self._hours |= late
            replace(self._file, msgspec.json.encode(sorted(self._hours)))

    def take(self) -> int | None:
        """Give the oldest of them."""
        return min(self._hours, default=None)

    def done(self, hour: int) -> None:
        """Forget one that was summed up."""
        self._hours.discard(hour)
        replace(self._file, msgspec.json.encode(sorted(self._hours)))
