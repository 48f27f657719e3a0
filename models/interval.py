"""The expected time between readings of a recording: learnt from what has come, never from what comes later."""

from __future__ import annotations

import statistics
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise

FIRST = 200
"""Readings whose steps say what is usual."""
UNKNOWN = 60.0
"""Seconds that are expected before there is a step."""


def usual_interval(times: Iterable[float]) -> float:
    """Return the median step forward (seconds) between the first `FIRST` times, 60 s when there is none."""
    steps = [later - sooner for sooner, later in pairwise(islice(times, FIRST)) if later > sooner]
    return statistics.median(steps) if steps else UNKNOWN


class Pace:
    """Follow the time between readings, reading by reading.

    `interval` (seconds) is the median of the steps that have come until `FIRST` readings have. From then on it is
    changed seldom and in large steps, for a logger that is set anew: to the median of the last `LAST` steps when that
    is more than `FACTOR` times as long or as short; it is looked at every `LAST` // 2 readings.
    """

    LAST = 50
    FACTOR = 4.0

    def __init__(self) -> None:
        self.interval = UNKNOWN
        self._first: list[float] = []  # in order of length
        self._steps: deque[float] = deque(maxlen=self.LAST)
        self._last = float("nan")
        self._seen = 0

    def changed(self, time: float) -> bool:
        """Take the time of a reading; return whether the interval is another from this one on."""
        step = time - self._last
        forward = step > 0.0
        self._last = time if not time <= self._last else self._last
        self._seen += 1
        if forward:
            self._steps.append(step)
        if self._seen <= FIRST:
            if forward:
                insort(self._first, step)
                half = len(self._first) // 2
                middle = self._first[half]
                return self._now(middle if len(self._first) % 2 else 0.5 * (self._first[half - 1] + middle))
            return False
        if self._seen % (self.LAST // 2) or len(self._steps) < self.LAST:
            return False
        now = statistics.median(self._steps)
        within = self.interval / self.FACTOR <= now <= self.interval * self.FACTOR
        return not within and self._now(now)

    def _now(self, interval: float) -> bool:
        """Take an interval; return whether it is another."""
        before, self.interval = self.interval, interval
        return interval != before


def paces(times: Iterable[float]) -> Iterator[tuple[int, float]]:
    """Yield from which reading on (its place) another interval (seconds) is expected."""
    pace = Pace()
    for place, time in enumerate(times):
        if pace.changed(time):
            yield place, pace.interval


class Paces:
    """Follow the pace of each of several rows; `expect(row, interval)` is told of each, and whenever it is another.

    With a `declared` interval (seconds) nothing is followed. `interval` is that of row 0.
    """

    def __init__(self, rows: int, declared: float | None, expect: Callable[[int, float], None]) -> None:
        self.interval = UNKNOWN if declared is None else declared
        self._expect = expect
        self._pace = [Pace() for _ in range(rows)] if declared is None else []
        for row in range(rows):
            expect(row, self.interval)

    def read(self, rows: Iterable[int], time: float) -> None:
        """Take the time of a reading of some rows, before a bank does."""
        if not self._pace:
            return
        for row in rows:
            if self._pace[row].changed(time):
                self._expect(row, self._pace[row].interval)
        self.interval = self._pace[0].interval
