"""On/off and coded points: how seldom a change from one code to another comes, among the point's own readings.

A code has no size, so no range; what it has is habits. A change is as surprising as the readings that were changes at
least as rare are seldom (a conformal rank, Vovk 2005): (their number + 1) / (readings + 1). A reading that stays with
its code is no surprise. Kept in memory are the `MOST` changes that come most often of each point.

A change that comes by the clock is as usual as the days, or the weeks, on which it came at that hour: such a habit is a
second rank, and the larger of the two counts, so that scores come no oftener than they say. A light that goes on every
evening is no surprise in the evening; at noon it is as seldom as ever. Hours are kept where they matter: of the changes
of a point that are seldom, of `CLOCKS` at most.

What came long ago counts for less: of a point that is watched for years all counts are halved each year (`fade`), so a
habit that has ended is seldom again, and a new one common, after as long as it lasts; what was seen stays known.

Rows with as many changes share arrays that are no wider than these need (`_Shelf`), so a batch is judged at once.
Codes are told apart by their first 24 bits.
"""

from __future__ import annotations

from math import copysign, floor, inf
from struct import Struct
from sys import byteorder
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.hours import COLUMNS as HOUR_COLUMNS
from models.hours import HOUR, Hours, begins

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]
Halves = npt.NDArray[np.uint32]
Change = tuple[float, float]

MOST = 64
"""Changes that a point keeps; the rarest gives way to a new one."""
CLOCKS = 12
"""Changes of a point of which the hours are kept."""
IDLE = 8 * 24
"""Hours after which one that did not come gives way to another: what comes every week has come by then."""
COMMON = 0.1
"""Share of readings from which on a change is no surprise at any hour, so its hours are not kept."""
YEAR = 365.0 * 24.0 * HOUR
"""Seconds after which all counts of a point are halved. Less would leave too few readings to tell of a new code by: as
many as a budget of 0.03 a day allows for in a year, a point may have codes (eleven)."""
_KEY, _CODE = 8, 4  # bytes
_HALF, _SIGN, _LAST = np.uint64(32), np.uint32(1 << 31), np.uint64(2**64 - 1)
_LOW, _TOP = 2**32 - 1, 1 << 31
_SINGLE, _WORD = Struct("=f"), Struct("=I")
_FARTHEST = 2**31 - 1  # hours from 1970: the year 246 000
_SMALL = 16  # places of a shelf that are not worth giving back
_WIDTHS = (2, 6, 12, 24, MOST)
PLAIN = 4
"""Columns of a state from before the hours were kept: row, code before, code after, how often."""
COLUMNS = PLAIN + HOUR_COLUMNS
"""Of the state: those, the last hour (hours since 1970) and the hours before it as bits."""


class Seldom(NamedTuple):
    """Say how seldom a change is."""

    share: (
        float  # of the readings so far that were changes at least as rare, this one counted; more where it is a habit
    )
    times: float  # how often it came before
    unseen: bool  # its code was never seen
    codes: int  # codes known before


class SeldomMany(NamedTuple):
    """Say the same of several changes."""

    share: Floats
    times: Floats
    unseen: Bools
    codes: npt.NDArray[np.intp]


_KEPT = {"used": np.uint8, "known": np.uint8, "key": np.uint64, "times": np.uint32, "last": np.int32, "hours": np.int32}


class _Shelf:
    """Hold the changes of rows that have up to `width` of them, in the order in which they came to be known."""

    used: npt.NDArray[np.uint8]
    known: npt.NDArray[np.uint8]  # codes that its changes are made of
    key: Keys  # the two codes of each change, so that keys are in the order of changes; 0: none
    times: npt.NDArray[np.uint32]
    last: npt.NDArray[np.int32]  # hours since 1970
    hours: npt.NDArray[np.int32]  # place in `Hours`, -1: it only came within `last`

    def __init__(self, width: int) -> None:
        self.width = width
        self.free: list[int] = []
        self.owner = np.empty(0, np.intp)  # the row of a place
        for name, kind in _KEPT.items():
            setattr(self, name, np.empty((0, width) if name not in ("used", "known") else 0, kind))

    def room(self, rows: Rows) -> Rows:
        """Return free places, one for each of `rows`."""
        more = len(rows) - len(self.free)
        if more > 0:
            size = len(self.owner)
            more = max(more, size // 8)
            for name in ("owner", *_KEPT):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)]))
            self.free += range(size + more - 1, size - 1, -1)
        places = np.array([self.free.pop() for _ in range(len(rows))], np.intp)
        self.owner[places] = rows
        for name in _KEPT:
            getattr(self, name)[places] = -1 if name == "hours" else 0
        return places

    def clear(self, places: Rows) -> None:
        """Make places free; their hours are somebody else's by now."""
        self.key[places] = 0
        self.free += places.tolist()

    @property
    def sparse(self) -> bool:
        """Return whether most of it is free."""
        return 2 * len(self.free) > len(self.owner) > _SMALL

    def close_up(self) -> Rows:
        """Give back the memory of free places; return the rows that are on it, by their places from here on."""
        taken = np.delete(np.arange(len(self.owner)), self.free)
        for name in ("owner", *_KEPT):
            setattr(self, name, getattr(self, name)[taken])
        self.free = []
        return self.owner

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return sum(int(getattr(self, name).nbytes) for name in ("owner", *_KEPT))


class Codes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._shelves = tuple(_Shelf(width) for width in _WIDTHS)
        self._hours = Hours()
        self._shelf = np.empty(0, np.int8)  # of each row, -1: it has had no change
        self._place = np.empty(0, np.int32)

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        own = self._shelf.nbytes + self._place.nbytes
        return own + self._hours.nbytes + sum(shelf.nbytes for shelf in self._shelves)

    def change(self, row: int, before: float, after: float, readings: float, time: float, since: float) -> Seldom:
        """Take a change of a row that has had `readings` readings since `since`; return how seldom such a one is.

        `time`, `since`: unix seconds. In plain Python: what `changes` does, to the same bits.
        """
        first, then = _rank(before), _rank(after)
        change = first << 32 | then
        hour = min(max(floor(time / HOUR), -_FARTHEST), _FARTHEST)
        if row >= len(self._shelf) or self._shelf[row] < 0:
            self._meet(np.array([row], np.intp))
        shelf, place = self._shelves[self._shelf[row]], int(self._place[row])
        keys = shelf.key[place].tobytes()  # to look for a number there is ten times as quick as in a list
        column = _place(keys, change, _KEY)
        while column < 0 and shelf.used[place] >= shelf.width < MOST:
            self._promote(int(self._shelf[row]), np.array([row], np.intp))
            shelf, place = self._shelves[self._shelf[row]], int(self._place[row])
        known = int(shelf.known[place])
        unseen, came, rarer, habit = False, 0, 0, 0.0
        if column >= 0:
            times = shelf.times[place].tolist()
            came = times[column]
            rarer = sum([each for each in times if each <= came])
            shelf.times[place, column] = came + 1
            at, last = int(shelf.hours[place, column]), int(shelf.last[place, column])
            if rarer + 1.0 < COMMON * (readings + 1.0):
                room = at < 0 and begins(at, last, hour) and self._room_one(shelf, place, hour)
                habit, at = self._hours.came_one(at, last, hour, (time - since) / (HOUR * 24), room)
            elif at >= 0:
                self._hours.drop(np.array([at], np.int32))
                at = -1
            shelf.hours[place, column], shelf.last[place, column] = at, hour
        else:
            unseen = _place(keys, then, _CODE) < 0 if known else then != first
            self._add_one(shelf, place, keys, first, then, hour)
        return Seldom(min(max((rarer + 1.0) / (readings + 1.0), habit), 1.0), float(came), unseen, max(known, 1))

    def fade(self, row: int, halvings: int) -> None:
        """Halve how often each change of a row came, rounded up, so that none is forgotten."""
        mine = self._of(row)
        if mine is not None:
            shelf, place = mine
            shelf.times[place] = np.ceil(shelf.times[place] * 0.5**halvings)

    def _room_one(self, shelf: _Shelf, place: int, hour: int) -> bool:
        """Return whether hours of one more change may be kept, one that was idle for long giving way."""
        kept = [column for column, at in enumerate(shelf.hours[place].tolist()) if at >= 0]
        if len(kept) < CLOCKS:
            return True
        last, keys = shelf.last[place].tolist(), shelf.key[place].tolist()
        column = min(kept, key=lambda each: (last[each], keys[each]))
        if hour - last[column] <= IDLE:
            return False
        self._hours.drop(shelf.hours[place, column : column + 1])
        shelf.hours[place, column] = -1
        return True

    def _add_one(self, shelf: _Shelf, place: int, keys: bytes, before: int, after: int, hour: int) -> None:
        """Keep a new change, in the place of the rarest (of several the first in order) where the row is full."""
        column, known = int(shelf.used[place]), int(shelf.known[place])
        if column == shelf.width:
            times, kept = shelf.times[place], shelf.key[place]
            column = int(np.where(times == times.min(), kept, _LAST).argmin())
            key, at = int(kept[column]), int(shelf.hours[place, column])
            if at >= 0:
                self._hours.drop(np.array([at], np.int32))
            keys = keys[: column * _KEY] + bytes(_KEY) + keys[(column + 1) * _KEY :]
            known -= _new(key >> 32, key & _LOW, keys)
        else:
            shelf.used[place] = column + 1
        shelf.known[place] = known + _new(before, after, keys)
        shelf.key[place, column] = before << 32 | after
        shelf.times[place, column], shelf.last[place, column], shelf.hours[place, column] = 1, hour, -1

    def changes(
        self, rows: Rows, before: Floats, after: Floats, readings: Floats, time: Floats, since: Floats
    ) -> SeldomMany:
        """Take changes of rows (intp[n] without repeats); the others as in `change`, f8[n]."""
        codes = _ranked(before), _ranked(after)
        hour = np.clip(np.floor(time / HOUR), -_FARTHEST, _FARTHEST).astype(np.int64)
        days = (time - since) / (HOUR * 24)
        self._meet(rows)
        count = len(rows)
        told = SeldomMany(np.empty(count), np.empty(count), np.empty(count, np.bool_), np.empty(count, np.intp))
        left, level = count, int(self._shelf[rows].min(initial=0))
        while left:  # who outgrows a shelf is met again on the next
            shelf, mine = self._shelves[level], (self._shelf[rows] == level).nonzero()[0]
            if len(mine):
                given = (column[mine] for column in (*codes, readings, hour, days))
                stay, some = self._judge(shelf, self._place[rows[mine]], *given)
                for column, part in zip(told, some, strict=True):
                    column[mine[stay]] = part
                if len(stay) < len(mine):
                    self._promote(level, np.delete(rows[mine], stay))
                left -= len(stay)
            level += 1
        return told

    def _meet(self, rows: Rows) -> None:
        """Give rows that are new a place."""
        more = int(rows.max(initial=-1)) + 1 - len(self._shelf)
        if more > 0:
            self._shelf = np.concatenate([self._shelf, np.full(more, -1, np.int8)])
            self._place = np.concatenate([self._place, np.zeros(more, np.int32)])
        new = rows[self._shelf[rows] < 0]
        if len(new):
            self._place[new] = self._shelves[0].room(new)
            self._shelf[new] = 0

    def _promote(self, level: int, rows: Rows) -> None:
        """Move rows to the next wider shelf."""
        here, there = self._shelves[level], self._shelves[level + 1]
        old, new = self._place[rows].astype(np.intp), there.room(rows)
        for name in ("used", "known"):
            getattr(there, name)[new] = getattr(here, name)[old]
        for name in ("key", "times", "last", "hours"):
            getattr(there, name)[new, : here.width] = getattr(here, name)[old]
        here.clear(old)
        self._shelf[rows], self._place[rows] = level + 1, new
        if here.sparse:
            owners = here.close_up()
            self._place[owners] = np.arange(len(owners))

    def _judge(
        self, shelf: _Shelf, at: Rows, before: Halves, after: Halves, readings: Floats, hour: npt.NDArray[np.int64],
        days: Floats,
    ) -> tuple[Rows, SeldomMany]:  # fmt: skip
        """Take changes of rows at places of a shelf; return which of them there was room for, and what is told."""
        change = before.astype(np.uint64) << _HALF | after
        keys = shelf.key[at]
        column, found = _find(keys == change[:, None])
        stay = np.arange(len(at))
        if shelf.width < MOST:
            stay = (found | (shelf.used[at] < shelf.width)).nonzero()[0]
            if len(stay) < len(at):
                at, before, after, change = at[stay], before[stay], after[stay], change[stay]
                readings, hour, days = readings[stay], hour[stay], days[stay]
                keys, column, found = keys[stay], column[stay], found[stay]
        known = shelf.known[at].astype(np.intp)
        unseen = np.where(known > 0, ~_has(keys, after), after != before)
        came, rarer, habit = (np.zeros(len(at)) for _ in range(3))
        old, new = found.nonzero()[0], (~found).nonzero()[0]
        if len(old):
            mine = at[old], column[old]
            times = shelf.times[at[old]]
            came[old] = now = shelf.times[mine]
            rarer[old] = np.where(times <= now[:, None], times, 0).sum(axis=1)
            shelf.times[mine] = now + 1
            common = rarer[old] + 1.0 >= COMMON * (readings[old] + 1.0)
            self._hours.drop(shelf.hours[mine][common])
            shelf.hours[mine] = np.where(common, np.int32(-1), shelf.hours[mine])
            if not common.all():
                habit[old], shelf.hours[mine] = self._clock(shelf, *mine, hour[old], days[old], ~common)
            shelf.last[mine] = hour[old]
        if len(new):
            self._add(shelf, at[new], keys[new], before[new], after[new], change[new], hour[new])
        share = np.minimum(np.maximum((rarer + 1.0) / (readings + 1.0), habit), 1.0)
        return stay, SeldomMany(share, came, unseen, np.maximum(known, 1))

    def _clock(
        self, shelf: _Shelf, at: Rows, column: Rows, hour: npt.NDArray[np.int64], days: Floats, seldom: Bools
    ) -> tuple[Floats, npt.NDArray[np.int32]]:
        """Take the hours of known changes, of those that are `seldom`; return the habits and where hours are kept."""
        places, last = shelf.hours[at, column], shelf.last[at, column]
        room = seldom & begins(places, last, hour)
        for one in room.nonzero()[0].tolist():
            room[one] = self._room_one(shelf, int(at[one]), int(hour[one]))
        return self._hours.came(places, last, hour, days, room)

    def _add(
        self, shelf: _Shelf, at: Rows, keys: Keys, before: Halves, after: Halves, change: Keys,
        hour: npt.NDArray[np.int64],
    ) -> None:  # fmt: skip
        """Keep new changes, in the place of the rarest where a row is full; `keys`: those that are kept."""
        column = shelf.used[at].astype(np.intp)
        known = shelf.known[at]
        full = (column == shelf.width).nonzero()[0]
        if len(full):
            column[full], keys[full], lost = self._drop_rarest(shelf, at[full], keys[full])
            known[full] -= lost
            shelf.used[at[full]] -= 1
        shelf.known[at] = known + ~_has(keys, before) + (~_has(keys, after) & (after != before))
        shelf.used[at] += 1
        shelf.key[at, column] = change
        shelf.times[at, column], shelf.last[at, column], shelf.hours[at, column] = 1, hour, -1

    def _drop_rarest(self, shelf: _Shelf, at: Rows, keys: Keys) -> tuple[Rows, Keys, npt.NDArray[np.uint8]]:
        """Forget the rarest change of rows that are full, of several the first in order.

        Return its columns, the keys without it, and how many codes no other change is made of.
        """
        times = shelf.times[at]
        column = np.where(times == times.min(axis=1)[:, None], keys, _LAST).argmin(axis=1)
        each = np.arange(len(at))
        change = keys[each, column]
        keys[each, column] = 0
        self._hours.drop(shelf.hours[at, column])
        before, after = (change >> _HALF).astype(np.uint32), change.astype(np.uint32)
        lost = (~_has(keys, before)).astype(np.uint8) + (~_has(keys, after) & (after != before))
        return column, keys, lost

    def _of(self, row: int) -> tuple[_Shelf, int] | None:
        """Return where a row's changes are."""
        if row >= len(self._shelf) or self._shelf[row] < 0:
            return None
        return self._shelves[self._shelf[row]], int(self._place[row])

    def shift(self, row: int, seconds: float) -> None:
        """Move a row's hours: its clock was set anew."""
        mine = self._of(row)
        if mine is not None:
            shelf, place = mine
            moved = round(seconds / HOUR)
            kept = shelf.hours[place]
            self._hours.shift(kept[kept >= 0], shelf.last[place][kept >= 0], moved)
            shelf.last[place] += moved

    def forget(self, row: int) -> None:
        """Forget a row's changes."""
        mine = self._of(row)
        if mine is not None:
            shelf, place = mine
            self._hours.drop(shelf.hours[place])
            shelf.clear(np.array([place]))
            self._shelf[row] = -1

    def state(self) -> Floats:
        """Return all counts, f8[changes, COLUMNS], in order."""
        parts = [np.empty((0, COLUMNS))]
        for shelf in self._shelves:
            place, column = shelf.key.nonzero()
            key, last = shelf.key[place, column], shelf.last[place, column]
            plain = shelf.owner[place], _code(key >> _HALF), _code(key)
            clock = self._hours.words(shelf.hours[place, column], last)
            counted = np.array([*plain, shelf.times[place, column], last], np.float64).T
            parts.append(np.concatenate([counted, clock], axis=1))
        every = np.concatenate(parts)
        return every[np.lexsort((every[:, 2], every[:, 1], every[:, 0]))]

    def restore(self, state: Floats) -> None:
        """Take over what `state` returned; one of only `PLAIN` columns knows no hours."""
        self._begin()
        if not len(state):
            return
        rows, counts = np.unique(state[:, 0].astype(np.intp), return_counts=True)
        self._meet(rows)
        starts = np.cumsum(counts) - counts
        for level, shelf in enumerate(self._shelves):
            lower = 0 if level == 0 else self._shelves[level - 1].width
            if level:
                above = rows[self._shelf[rows] == level - 1]
                here = counts[np.searchsorted(rows, above)] > lower
                self._promote(level - 1, above[here])
            mine = (counts > lower) & (counts <= shelf.width)
            size, first = counts[mine], starts[mine]
            if not len(size):
                continue
            place = np.repeat(self._place[rows[mine]], size)
            column = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
            lines = state[np.repeat(first, size) + column]
            shelf.key[place, column] = _ranked(lines[:, 1]).astype(np.uint64) << _HALF | _ranked(lines[:, 2])
            shelf.times[place, column] = lines[:, 3]
            if lines.shape[1] > PLAIN:
                shelf.last[place, column] = lines[:, PLAIN]
                shelf.hours[place, column] = self._hours.restore(lines[:, PLAIN:])
            where = self._place[rows[mine]]
            shelf.used[where] = size
            codes = np.sort(shelf.key[where].view(np.uint32), axis=1)  # 0 where no change is
            shelf.known[where] = (np.diff(codes, axis=1) > 0).sum(axis=1) + (codes[:, 0] > 0)


def halvings(since: Floats, last: Floats, time: Floats) -> Rows:
    """Return how many years end after `last` and by `time`, counted from `since` (all f8[n] unix seconds), intp[n].

    None where nothing was last (NaN).
    """
    passed = np.floor((time - since) / YEAR) - np.floor((last - since) / YEAR)
    found: Rows = np.fmin(np.fmax(passed, 0.0), 64.0).astype(np.intp)
    return found


def halvings_one(since: float, last: float, time: float) -> int:
    """Return the same for one."""
    return min(max(floor((time - since) / YEAR) - floor((last - since) / YEAR), 0), 64)


def _ranked(code: Floats) -> Halves:
    """Return codes as numbers above 0 that are in the same order, u4[n]."""
    with np.errstate(over="ignore", under="ignore"):
        bits = (code + 0.0).astype(np.float32).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | _SIGN)


def _rank(code: float) -> int:
    """Do the same for one code."""
    try:
        bits: int = _WORD.unpack(_SINGLE.pack(code + 0.0))[0]
    except OverflowError:  # numpy makes that infinite
        bits = _WORD.unpack(_SINGLE.pack(copysign(inf, code)))[0]
    return _LOW - bits if bits & _TOP else bits | _TOP


def _place(keys: bytes, number: int, size: int) -> int:
    """Return where a number of so many bytes stands among keys, -1: nowhere."""
    sought = number.to_bytes(size, byteorder)
    at = keys.find(sought)
    while at % size and at >= 0:
        at = keys.find(sought, at + 1)
    return at // size


def _new(before: int, after: int, keys: bytes) -> int:
    """Return how many of the codes of a change no key is made of."""
    return (_place(keys, before, _CODE) < 0) + (after != before and _place(keys, after, _CODE) < 0)


def _code(ranked: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the codes that such numbers (their lower half) stand for."""
    low = ranked.astype(np.uint32)
    return np.where(low & _SIGN, low ^ _SIGN, ~low).view(np.float32)


def _find(there: Bools) -> tuple[Rows, Bools]:
    """Return in which column each row has its first True, and whether it has one: the quickest way to tell."""
    column = there.argmax(axis=1)
    return column, there[np.arange(len(there)), column]


def _has(keys: Keys, code: Halves) -> Bools:
    """Return whether a code is part of any change of its row."""
    return _find(keys.view(np.uint32) == code[:, None])[1]
