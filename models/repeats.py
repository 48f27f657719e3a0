"""How surprising it is that reports about one person come so often: a rise against what came before.

How often a person is reported again differs from one to the next as a gamma variable (*Greenwood & Yule 1920*); the
mean is learnt of all who were ever reported. A person's own past is held against it, so that somebody reported every
week for half a year is no news, and three reports in a month about somebody new are. The first report makes a person
known and the latest asks the question, so neither of the two counts.
"""

from __future__ import annotations

from typing import NamedTuple

from models.counts import upper

DAY = 86400.0
FIRST_RATE, FIRST_WEIGHT = 1.0 / (180.0 * DAY), 5.0
"""Repeats a second of a known person before anything is learnt, and how many repeats that is worth."""
SHAPE = 1.0
"""How much persons differ: as the gamma distribution of this shape, so the spread of their rates is their mean."""
MOST_LEARNT = 2000.0
SHORTEST = 6.0 * 3600.0
"""Seconds within which reports about one person tell of one and the same event: neighbours heard the same quarrel."""


class Rate:
    """How often known persons are reported again, learnt of all of them: repeats, and seconds lived through by them."""

    def __init__(self, repeats: float = 0.0, time: float = 0.0) -> None:
        self.repeats, self.time = repeats, time

    @property
    def value(self) -> float:
        """Return repeats a second and person."""
        return (self.repeats + FIRST_WEIGHT) / (self.time + FIRST_WEIGHT / FIRST_RATE)

    def learn(self, repeats: int, time: float) -> None:
        """Take in repeats that came in so many seconds lived through."""
        self.repeats += repeats
        self.time += time
        if self.repeats > MOST_LEARNT:
            self.repeats *= 0.5
            self.time *= 0.5


class Rise(NamedTuple):
    """How many reports came, how many were to be expected, and the score: 1 - p."""

    reports: int
    expected: float
    score: float


def rise(times: list[float], earlier: int, first: float, window: float, rate: float) -> Rise:
    """Judge the latest of the reports about one person.

    `times` (unix s, ascending) are the last ones, `earlier` how many came before these, `first` the time of the very
    first; `window` seconds is what they are counted over, `rate` what is usual (1/s).
    """
    now = times[-1]
    begin = now - window
    recent = sum(time > begin for time in times)
    known = first <= begin
    counted = recent - (1 if known else 2)
    before = max(len(times) + earlier - recent - 1, 0) if known else 0
    lived = begin - first if known else 0.0
    span = window if known else max(now - first, SHORTEST)
    expected = (SHAPE + before) / (SHAPE / rate + lived) * span
    return Rise(recent, expected, 1.0 - upper(max(counted, 0), expected, 1.0 / (SHAPE + before)))
