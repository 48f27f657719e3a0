"""On/off and coded points: how seldom a change from one code to another comes, among the point's own readings.

A code has no size, so no range; what it has is habits. A change is as surprising as the readings that were changes at
least as rare are seldom (a conformal rank, Vovk 2005): (their number + 1) / (readings + 1). A reading that stays with
its code is no surprise. Kept in memory are the `MOST` changes that come most often of each point.

A change that comes by the clock is as usual as the days, or the weeks, on which it came at that hour: such a habit is a
second rank, and the larger of the two counts, so that scores come no oftener than they say. A light that goes on every
evening is no surprise in the evening; at noon it is as seldom as ever.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Change = tuple[float, float]

MOST = 64
"""Changes that a point keeps; the rarest gives way to a new one."""
DAYS = 28
"""Days over which the hours of a change are kept."""
HABIT = 2
"""Days or weeks with a change at an hour that make a habit: one is chance."""
_HOUR, _DAY = 3600.0, 24
_KEPT = (1 << (_DAY * DAYS + 2)) - 1
_DAILY = sum(1 << (_DAY * day) for day in range(1, DAYS + 1))
_WEEKLY = sum(1 << (_DAY * day) for day in range(7, DAYS + 1, 7))
_WORD = 48  # bits that a float64 holds exactly
_WORDS = -(-_KEPT.bit_length() // _WORD)
PLAIN = 4
"""Columns of a state from before the hours were kept: row, code before, code after, how often."""
COLUMNS = PLAIN + 1 + _WORDS
"""Of the state: those, the last hour (hours since 1970) and the hours before it as bits."""


class Seldom(NamedTuple):
    """Say how seldom a change is."""

    share: (
        float  # of the readings so far that were changes at least as rare, this one counted; more where it is a habit
    )
    times: float  # how often it came before
    unseen: bool  # its code was never seen
    codes: int  # codes known before


@dataclass(slots=True)
class _Past:
    """Hold how often a change came, and at which hours: bit h of `hours` is set when it came h hours before `last`."""

    times: float = 0.0
    last: int = 0  # hours since 1970
    hours: int = 0

    def habit(self, hour: int, days: float) -> float:
        """Return the share of days, or of weeks, on which it came at this hour, give or take one; 0: no habit."""
        kept = self._aged(hour)
        if not kept & kept - 1:
            return 0.0  # one hour is no habit
        near = kept | kept << 1 | kept >> 1
        shares = [0.0]
        for comb, length in ((_DAILY, 1.0), (_WEEKLY, 7.0)):
            came = (near & comb).bit_count()
            known = max(min(floor(days / length), DAYS / length), came)
            shares.append(came / (known + 1.0) if came >= HABIT else 0.0)
        return max(shares)

    def came(self, hour: int) -> None:
        """Count it."""
        self.hours, self.last, self.times = self._aged(hour) | 1, hour, self.times + 1.0

    def _aged(self, hour: int) -> int:
        passed = hour - self.last
        return (self.hours << passed) & _KEPT if 0 <= passed <= _KEPT.bit_length() else 0


class _Row:
    """Hold a row's changes, by how often they came, and how many of them each code is part of."""

    __slots__ = ("by_times", "codes", "pasts")

    def __init__(self) -> None:
        self.pasts: dict[Change, _Past] = {}
        self.by_times: dict[float, list[Change]] = {}  # in order
        self.codes: dict[float, int] = {}

    def add(self, change: Change, past: _Past) -> None:
        """Keep a change."""
        self.pasts[change] = past
        insort(self.by_times.setdefault(past.times, []), change)
        for code in change:
            self.codes[code] = self.codes.get(code, 0) + 1

    def came(self, change: Change, past: _Past, hour: int) -> None:
        """Count one that is kept."""
        self._lose(change, past.times)
        past.came(hour)
        insort(self.by_times.setdefault(past.times, []), change)

    def drop_rarest(self) -> None:
        """Forget the rarest change."""
        times = min(self.by_times)
        change = self.by_times[times][0]
        self._lose(change, times)
        del self.pasts[change]
        for code in change:
            self.codes[code] -= 1
            if not self.codes[code]:
                del self.codes[code]

    def _lose(self, change: Change, times: float) -> None:
        alike = self.by_times[times]
        del alike[bisect_left(alike, change)]
        if not alike:
            del self.by_times[times]


class Codes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self._of: dict[int, _Row] = {}

    def change(
        self, row: int, before: float, after: float, readings: float, time: float = 0.0, since: float = 0.0
    ) -> Seldom:
        """Take a change of a row that has had `readings` readings since `since`; return how seldom such a one is.

        `time`, `since`: unix seconds.
        """
        mine = self._of.get(row)
        if mine is None:
            mine = self._of[row] = _Row()
        change, hour, codes = (before, after), floor(time / _HOUR), mine.codes
        past = mine.pasts.get(change)
        known, unseen = (len(codes), after not in codes) if codes else (1, after != before)
        if past is None:
            times = rarer = habit = 0.0
            if len(mine.pasts) >= MOST:
                mine.drop_rarest()
            past = _Past()
            past.came(hour)
            mine.add(change, past)
        else:
            times = past.times
            rarer = sum(each * len(alike) for each, alike in mine.by_times.items() if each <= times)
            habit = past.habit(hour, (time - since) / (_HOUR * _DAY))
            mine.came(change, past, hour)
        share = max((rarer + 1.0) / (readings + 1.0), habit)
        return Seldom(min(share, 1.0), times, unseen, known)

    def shift(self, row: int, seconds: float) -> None:
        """Move a row's hours: its clock was set anew."""
        mine = self._of.get(row)
        for past in mine.pasts.values() if mine else ():
            past.last += round(seconds / _HOUR)

    def forget(self, row: int) -> None:
        """Forget a row's changes."""
        self._of.pop(row, None)

    def state(self) -> Floats:
        """Return all counts, f8[changes, COLUMNS], in order."""
        rows = [
            [float(row), *change, past.times, float(past.last), *map(float, _words(past.hours))]
            for row, mine in sorted(self._of.items())
            for change, past in sorted(mine.pasts.items())
        ]
        return np.array(rows, np.float64).reshape(len(rows), COLUMNS)

    def restore(self, state: Floats) -> None:
        """Take over what `state` returned; one of only `PLAIN` columns knows no hours."""
        self._of = {}
        for row, before, after, times, *clock in state.tolist():
            past = _Past(times)
            if clock:
                past.last = int(clock[0])
                past.hours = sum(int(word) << (_WORD * place) for place, word in enumerate(clock[1:]))
            self._of.setdefault(int(row), _Row()).add((before, after), past)


def _words(hours: int) -> list[int]:
    return [(hours >> (_WORD * place)) & ((1 << _WORD) - 1) for place in range(_WORDS)]
