"""The expected time between readings, learnt from the first ones: what comes later is not known yet."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from itertools import islice, pairwise

FIRST = 200
"""Readings looked at."""


def usual_interval(times: Iterable[float]) -> float:
    """Return the median step forward (seconds) between the first `FIRST` times, 60 s when there is none."""
    steps = [later - sooner for sooner, later in pairwise(islice(times, FIRST)) if later > sooner]
    return statistics.median(steps) if steps else 60.0


class Pace:
    """Follow the time between readings of a recording whose logger may be set anew: causal, seldom, in large steps.

    `interval` (seconds) is changed to the median of the last `LAST` steps when that is more than `FACTOR` times as long
    or as short; it is looked at every `LAST` // 2 readings.
    """

    LAST = 50
    FACTOR = 4.0

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._steps: deque[float] = deque(maxlen=self.LAST)
        self._last = float("nan")
        self._seen = 0

    def changed(self, time: float) -> bool:
        """Take the time of a reading; return whether the interval is another from here on."""
        if time > self._last:
            self._steps.append(time - self._last)
        self._last = time if not time <= self._last else self._last
        self._seen += 1
        if self._seen % (self.LAST // 2) or len(self._steps) < self.LAST:
            return False
        now = statistics.median(self._steps)
        if self.interval / self.FACTOR <= now <= self.interval * self.FACTOR:
            return False
        self.interval = now
        return True
