"""On/off and coded points: how seldom a change from one code to another comes, among the point's own readings.

A code has no size, so no range; what it has is habits. A change is as surprising as the readings that were changes at
least as rare are seldom (a conformal rank, Vovk 2005): (their number + 1) / (readings + 1). A reading that stays with
its code is no surprise. Kept in memory are the `MOST` changes that come most often of each point; all others are
counted together, and each of them is taken to be as common as these are (a code that no kept change is made of: as
codes that were forgotten).

A change that comes by the clock is as usual as the days, or the weeks, on which it came at that hour: such a habit is a
second rank, and the larger of the two counts, so that scores come no oftener than they say. A light that goes on every
evening is no surprise in the evening; at noon it is as seldom as ever. Hours are kept where they matter: of changes
that are seldom, those at which they came (`models.hours`).

What came long ago counts for less: of a point that is watched for years all counts are halved each year (`fade`), so a
habit that has ended is seldom again, and a new one common, after as long as it lasts; what was seen stays known.

Rows with as many changes share arrays that are no wider than these need (`_Shelf`), nor are its numbers: codes from 0
to 254 that came less than 65 536 times each take 4 bytes a change, codes of any size 12. So a batch is judged at once.
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
from models.hours import FEWER, HOUR, Hours
from models.hours import MOST as MOST_HOURS
from models.shelves import Shelf, Shelves

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[Any]
Change = tuple[float, float]

MOST = 64
"""Changes that a point keeps; the rarest gives way to a new one."""
FEW = 32
"""Changes up to which a point keeps more hours of them."""
COMMON = 0.1
"""Share of readings from which on a change is no surprise at any hour, so its hours are not kept."""
YEAR = 365.0 * 24.0 * HOUR
"""Seconds after which all counts of a point are halved. Less would leave too few readings to tell of a new code by: as
many as a budget of 0.03 a day allows for in a year, a point may have codes (eleven)."""
_SIGN = np.uint32(1 << 31)
_LOW, _TOP = 2**32 - 1, 1 << 31
_SINGLE, _WORD = Struct("=f"), Struct("=I")
_FARTHEST = 2**31 - 1  # hours from 1970: the year 246 000
_WIDTHS = (2, 4, 8, 16, 32, 48, MOST)
PLAIN = 4
"""Columns of a state from before the hours were kept: row, code before, code after, how often."""
COLUMNS = PLAIN + HOUR_COLUMNS
"""Of the state: those, the last hour (hours since 1970) and the hours before it as bits. Where the codes are NaN: how
many changes were forgotten, and in the next column how many codes."""


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


class _Width(NamedTuple):
    """Say how wide the numbers of a shelf are."""

    bits: int  # of a code's rank, which is above 0
    code: Any  # its dtype
    key: Any  # dtype of two
    times: Any
    least: int  # whole code of rank 0
    most: int


_NUMBERS = (
    _Width(8, np.uint8, np.uint16, np.uint16, -1, 254),
    _Width(8, np.uint8, np.uint16, np.uint32, -1, 254),
    _Width(16, np.uint16, np.uint32, np.uint32, -(2**15), 2**15 - 1),
    _Width(32, np.uint32, np.uint64, np.uint32, 0, 0),  # of any code: see `_rank`
)
_ANY = len(_NUMBERS) - 1


class _Shelf(Shelf):
    """Hold the changes of rows that have up to `width` of them, in the order in which they came to be known."""

    used: npt.NDArray[np.uint8]
    known: npt.NDArray[np.uint8]  # codes that its changes are made of
    others: npt.NDArray[np.uint32]  # how often changes came that were forgotten
    lost: npt.NDArray[np.uint32]  # how many codes were forgotten
    key: Keys  # the two codes of each change, so that keys are in the order of changes; 0: none
    times: Keys

    def __init__(self, width: int, number: int) -> None:
        self.number, self.kind = number, _NUMBERS[number]
        self.top = int(np.iinfo(self.kind.times).max)
        self.hours = MOST_HOURS if width <= FEW else FEWER
        whole = {"used": np.uint8, "known": np.uint8, "others": np.uint32, "lost": np.uint32}
        super().__init__(width, whole, {"key": self.kind.key, "times": self.kind.times})

    def clear(self, places: Rows) -> None:
        """Make places free of changes."""
        self.key[places] = 0


class Codes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._rows = Shelves([_Shelf(width, number) for number in range(len(_NUMBERS)) for width in _WIDTHS])
        self._hours = Hours()

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return self._rows.nbytes + self._hours.nbytes

    def change(self, row: int, before: float, after: float, readings: float, time: float, since: float) -> Seldom:
        """Take a change of a row that has had `readings` readings since `since`; return how seldom such a one is.

        `time`, `since`: unix seconds. In plain Python: what `changes` does, to the same bits.
        """
        one, other = _single(before), _single(after)
        number = max(_number(one), _number(other))
        level, place = self._rows.find(row)
        if level < 0:
            level = number * len(_WIDTHS)
            place = int(self._rows.put(level, np.array([row], np.intp))[0])
        while True:
            shelf, further = self._rows.shelves[level], 0
            kind = shelf.kind
            if shelf.number < number:
                further = (number - shelf.number) * len(_WIDTHS)
            else:
                first, then = _rank(one, shelf), _rank(other, shelf)
                keys = shelf.key[place].tobytes()  # to look for a number there is ten times as quick as in a list
                column = _place(keys, first << kind.bits | then, kind.bits // 4)
                if column < 0 and shelf.used[place] >= shelf.width < MOST:
                    further = 1
                elif column >= 0 and shelf.number < _ANY and shelf.times[place, column] == shelf.top:
                    further = len(_WIDTHS)
            if not further:
                break
            self._promote(level, level + further, np.array([row], np.intp))
            level, place = self._rows.find(row)
        known, size = int(shelf.known[place]), kind.bits // 8
        unseen, came, habit = False, 0, 0.0
        if column >= 0:
            times = shelf.times[place].tolist()
            came = times[column]
            rarer = sum([each for each in times if each <= came]) + int(shelf.others[place])
            shelf.times[place, column] = min(came + 1, shelf.top)
        else:
            unseen = _place(keys, then, size) < 0 if known else then != first
            rarer = int(shelf.lost[place] if unseen else shelf.others[place])
            column = self._add_one(shelf, row, place, keys, first, then)
        if rarer + 1.0 < COMMON * (readings + 1.0):
            hour = min(max(floor(time / HOUR), -_FARTHEST), _FARTHEST)
            habit = self._hours.came_one(row, column, hour, (time - since) / (HOUR * 24), shelf.hours)
        return Seldom(min(max((rarer + 1.0) / (readings + 1.0), habit), 1.0), float(came), unseen, max(known, 1))

    def fade(self, row: int, halvings: int) -> None:
        """Halve how often each change of a row came, rounded up, so that none is forgotten."""
        level, place = self._rows.find(row)
        if level >= 0:
            shelf = self._rows.shelves[level]
            for counted in (shelf.times, shelf.others, shelf.lost):
                counted[place] = np.ceil(counted[place] * 0.5**halvings)

    def _add_one(self, shelf: _Shelf, row: int, place: int, keys: bytes, before: int, after: int) -> int:
        """Keep a new change, in the place of the rarest (of several the first in order) where the row is full.

        Return its column.
        """
        column, known, bits = int(shelf.used[place]), int(shelf.known[place]), shelf.kind.bits
        size = bits // 8
        if column == shelf.width:
            times = shelf.times[place]
            rarest = times.min()
            key = int(shelf.key[place][times == rarest].min())
            column = _place(keys, key, size * 2)
            keys = keys[: column * size * 2] + bytes(size * 2) + keys[(column + 1) * size * 2 :]
            lost = _new(key >> bits, key & (1 << bits) - 1, keys, size)
            known -= lost
            shelf.others[place] = min(int(shelf.others[place]) + int(rarest), _LOW)
            shelf.lost[place] = min(int(shelf.lost[place]) + lost, _LOW)
            self._hours.drop_one(row, column)
        else:
            shelf.used[place] = column + 1
        shelf.known[place] = known + _new(before, after, keys, size)
        shelf.key[place, column], shelf.times[place, column] = before << bits | after, 1
        return column

    def changes(
        self, rows: Rows, before: Floats, after: Floats, readings: Floats, time: Floats, since: Floats
    ) -> SeldomMany:
        """Take changes of rows (intp[n] without repeats); the others as in `change`, f8[n]."""
        codes = _singles(before), _singles(after)
        hour = np.clip(np.floor(time / HOUR), -_FARTHEST, _FARTHEST).astype(np.int64)
        days = (time - since) / (HOUR * 24)
        levels = self._meet(rows, np.maximum(_numbers(codes[0]), _numbers(codes[1])))
        count = len(rows)
        told = SeldomMany(np.empty(count), np.empty(count), np.empty(count, np.bool_), np.empty(count, np.intp))
        waiting = np.bincount(levels, minlength=len(self._rows.shelves)) > 0
        for level, shelf in enumerate(self._rows.shelves):  # who outgrows a shelf is met again on another
            if not waiting[level]:
                continue
            mine = (levels == level).nonzero()[0]
            given = (column[mine] for column in (*codes, readings, hour, days))
            stay, further, some = self._judge(shelf, rows[mine], self._rows.places(rows[mine]), *given)
            for column, part in zip(told, some, strict=True):
                column[mine[stay]] = part
            for step in np.unique(further[further > 0]).tolist():
                self._promote(level, level + step, rows[mine[further == step]])
                waiting[level + step] = True
            levels[mine] += further
        return told

    def _meet(self, rows: Rows, number: Rows) -> Rows:
        """Give rows that are new a place, and those whose numbers outgrow theirs another; return their levels."""
        levels, least = self._rows.levels(rows), number * len(_WIDTHS)
        for level in np.unique(least[levels < 0]).tolist():
            new = (levels < 0) & (least == level)
            self._rows.put(level, rows[new])
            levels[new] = level
        small = levels // len(_WIDTHS) < number
        for level, to in sorted({*zip(levels[small].tolist(), number[small].tolist(), strict=True)}):
            moved, there = small & (levels == level) & (number == to), level % len(_WIDTHS) + to * len(_WIDTHS)
            self._promote(level, there, rows[moved])
            levels[moved] = there
        return levels

    def _promote(self, level: int, to: int, rows: Rows) -> None:
        """Move rows to a shelf that is wider, or of wider numbers."""
        here, there = self._rows.shelves[level], self._rows.shelves[to]
        old, new = self._rows.move(level, to, rows)
        there.times[new, : here.width] = here.times[old]
        there.key[new, : here.width] = _rekeyed(here.key[old], here, there)
        if there.hours < here.hours:
            for row, keys in zip(rows.tolist(), here.key[old], strict=True):
                self._hours.narrow(row, keys.argsort().tolist())
        here.clear(old)
        self._rows.leave(level, old)

    def _judge(
        self, shelf: _Shelf, rows: Rows, at: Rows, before: Singles, after: Singles, readings: Floats,
        hour: npt.NDArray[np.int64], days: Floats,
    ) -> tuple[Rows, Rows, SeldomMany]:  # fmt: skip
        """Take changes of rows at places of a shelf.

        Return which of them there was room for, how many shelves further the others of all find some, and what is told.
        """
        first, then = _ranked(before, shelf), _ranked(after, shelf)
        change = first.astype(shelf.kind.key) << shelf.kind.key(shelf.kind.bits) | then
        keys = shelf.key[at]
        column, found = _find(keys == change[:, None])
        further = np.zeros(len(at), np.intp)
        if shelf.number < _ANY:
            further[found & (shelf.times[at, column] == shelf.top)] = len(_WIDTHS)
        if shelf.width < MOST:
            further[~found & (shelf.used[at] >= shelf.width)] = 1
        stay = (further == 0).nonzero()[0]
        if len(stay) < len(at):
            rows, at, first, then, change = rows[stay], at[stay], first[stay], then[stay], change[stay]
            readings, hour, days = readings[stay], hour[stay], days[stay]
            keys, column, found = keys[stay], column[stay], found[stay]
        known = shelf.known[at].astype(np.intp)
        unseen = ~found & np.where(known > 0, ~_has(keys, then), then != first)
        came, habit = np.zeros(len(at)), np.zeros(len(at))
        rarer = np.where(unseen, shelf.lost[at], shelf.others[at]).astype(np.float64)
        old, new = found.nonzero()[0], (~found).nonzero()[0]
        if len(old):
            mine = at[old], column[old]
            times = shelf.times[at[old]]
            now = shelf.times[mine]
            came[old] = now
            rarer[old] += np.where(times <= now[:, None], times, 0).sum(axis=1)
            shelf.times[mine] = np.minimum(now, shelf.top - 1) + 1
        if len(new):
            column[new] = self._add(shelf, rows[new], at[new], keys[new], first[new], then[new], change[new])
        seldom = (rarer + 1.0 < COMMON * (readings + 1.0)).nonzero()[0]
        if len(seldom):
            habit[seldom] = self._hours.came(rows[seldom], column[seldom], hour[seldom], days[seldom], shelf.hours)
        share = np.minimum(np.maximum((rarer + 1.0) / (readings + 1.0), habit), 1.0)
        return stay, further, SeldomMany(share, came, unseen, np.maximum(known, 1))

    def _add(self, shelf: _Shelf, rows: Rows, at: Rows, keys: Keys, before: Keys, after: Keys, change: Keys) -> Rows:
        """Keep new changes, in the place of the rarest where a row is full; `keys`: those that are kept.

        Return their columns.
        """
        column = shelf.used[at].astype(np.intp)
        known = shelf.known[at]
        full = (column == shelf.width).nonzero()[0]
        if len(full):
            column[full], keys[full], lost = self._drop_rarest(shelf, at[full], keys[full])
            known[full] -= lost
            shelf.used[at[full]] -= 1
            self._hours.drop(rows[full], column[full])
        shelf.known[at] = known + ~_has(keys, before) + (~_has(keys, after) & (after != before))
        shelf.used[at] += 1
        shelf.key[at, column], shelf.times[at, column] = change, 1
        return column

    def _drop_rarest(self, shelf: _Shelf, at: Rows, keys: Keys) -> tuple[Rows, Keys, npt.NDArray[np.uint8]]:
        """Forget the rarest change of rows that are full, of several the first in order.

        Return its columns, the keys without it, and how many codes no other change is made of.
        """
        times = shelf.times[at]
        column = np.where(times == times.min(axis=1)[:, None], keys, np.iinfo(keys.dtype).max).argmin(axis=1)
        each = np.arange(len(at))
        change = keys[each, column]
        keys[each, column] = 0
        before, after = (
            (change >> shelf.kind.key(shelf.kind.bits)).astype(shelf.kind.code),
            change.astype(shelf.kind.code),
        )
        lost = (~_has(keys, before)).astype(np.uint8) + (~_has(keys, after) & (after != before))
        for counted, more in ((shelf.others, times[each, column]), (shelf.lost, lost)):
            counted[at] = np.minimum(counted[at].astype(np.uint64) + more, _LOW)
        return column, keys, lost

    def shift(self, row: int, seconds: float) -> None:
        """Move a row's hours: its clock was set anew."""
        self._hours.shift(row, round(seconds / HOUR))

    def forget(self, row: int) -> None:
        """Forget a row's changes."""
        level, place = self._rows.find(row)
        if level >= 0:
            self._rows.shelves[level].clear(np.array([place]))
            self._rows.forget(row)
            self._hours.forget(row)

    def state(self) -> Floats:
        """Return all counts, f8[changes, COLUMNS], in order."""
        parts, columns = [np.empty((0, PLAIN))], [np.empty(0, np.intp)]
        for shelf in self._rows.stocked:
            place, column = shelf.key.nonzero()
            codes = _codes(shelf.key[place, column], shelf)
            parts.append(np.array([shelf.owner[place], *codes, shelf.times[place, column]], np.float64).T)
            columns.append(column)
        plain, column = np.concatenate(parts), np.concatenate(columns)
        hours = self._hours.words(plain[:, 0].astype(np.intp), column)
        every = [np.concatenate([plain, hours], axis=1)]
        for shelf in self._rows.stocked:
            place = shelf.taken[shelf.others[shelf.taken] > 0]
            others = np.zeros((len(place), COLUMNS))
            others[:, 0], others[:, 1:3] = shelf.owner[place], np.nan
            others[:, 3], others[:, PLAIN] = shelf.others[place], shelf.lost[place]
            every.append(others)
        state = np.concatenate(every)
        return state[np.lexsort((state[:, 2], state[:, 1], state[:, 0]))]

    def restore(self, state: Floats) -> None:
        """Take over what `state` returned; one of only `PLAIN` columns knows no hours.

        Raise ValueError where a row has more than `MOST` changes.
        """
        self._begin()
        if not len(state):
            return
        others, state = state[np.isnan(state[:, 1])], state[~np.isnan(state[:, 1])]
        rows, starts, counts = np.unique(state[:, 0].astype(np.intp), return_index=True, return_counts=True)
        if counts.max(initial=0) > MOST:
            raise ValueError(f"more than {MOST} changes of code of a point")
        column = np.arange(len(state)) - np.repeat(starts, counts)
        codes = _singles(state[:, 1]), _singles(state[:, 2])
        number = np.maximum.reduceat(np.maximum(_numbers(codes[0]), _numbers(codes[1])), starts)
        often = np.maximum.reduceat(state[:, 3], starts) > np.iinfo(np.uint16).max
        number = np.maximum(number, often)
        levels = number * len(_WIDTHS) + np.searchsorted(_WIDTHS, counts)
        for level in np.unique(levels).tolist():
            shelf, here = self._rows.shelves[level], levels == level
            where = self._rows.put(level, rows[here])
            mine, place = np.repeat(here, counts), np.repeat(where, counts[here])
            first, then = (_ranked(code[mine], shelf).astype(shelf.kind.key) for code in codes)
            shelf.key[place, column[mine]] = first << shelf.kind.key(shelf.kind.bits) | then
            shelf.times[place, column[mine]] = state[mine, 3]
            shelf.used[where] = counts[here]
            known = np.sort(shelf.key[where].view(shelf.kind.code), axis=1)  # 0 where no change is
            shelf.known[where] = (np.diff(known, axis=1) > 0).sum(axis=1) + (known[:, 0] > 0)
        for row, _, _, times, lost, *_ in others.tolist():
            level, at = self._rows.find(int(row))
            self._rows.shelves[level].others[at], self._rows.shelves[level].lost[at] = times, lost
        if state.shape[1] > PLAIN:
            most = np.repeat(np.where(counts > FEW, FEWER, MOST_HOURS), counts)
            self._hours.restore(state[:, 0].astype(np.intp), column, state[:, PLAIN:], most)


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


def _singles(code: Floats) -> Singles:
    """Return codes to 24 bits, f4[n], zero without a sign."""
    with np.errstate(over="ignore", under="ignore"):
        return (code + 0.0).astype(np.float32) + np.float32(0.0)


def _single(code: float) -> float:
    """Do the same for one code."""
    try:
        return float(_SINGLE.unpack(_SINGLE.pack(code))[0]) + 0.0
    except OverflowError:  # numpy makes that infinite
        return copysign(inf, code)


def _numbers(code: Singles) -> Rows:
    """Return which of `_NUMBERS` codes need at least."""
    with np.errstate(invalid="ignore"):
        whole = code == np.floor(code)
    need = np.full(len(code), _ANY)
    for number in (2, 0):
        need[whole & (code > _NUMBERS[number].least) & (code <= _NUMBERS[number].most)] = number
    return need


def _number(code: float) -> int:
    """Do the same for one code."""
    if -(2**15) < code < 2**15 and code == floor(code):
        return 0 if 0.0 <= code <= 254.0 else 2
    return _ANY


def _ranked(code: Singles, shelf: _Shelf) -> Keys:
    """Return codes as a shelf's numbers above 0, which are in the same order."""
    if shelf.number < _ANY:
        return (code.astype(np.int64) - shelf.kind.least).astype(shelf.kind.code)
    bits = code.view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | _SIGN)


def _rank(code: float, shelf: _Shelf) -> int:
    """Do the same for one code."""
    if shelf.number < _ANY:
        return int(code) - shelf.kind.least
    bits: int = _WORD.unpack(_SINGLE.pack(code))[0]
    return _LOW - bits if bits & _TOP else bits | _TOP


def _codes(key: Keys, shelf: _Shelf) -> tuple[Singles, Singles]:
    """Return the codes before and after that keys of changes stand for."""
    bits = shelf.kind.key(shelf.kind.bits)
    halves = (key >> bits).astype(shelf.kind.code), key.astype(shelf.kind.code)
    first, then = (_code(half) if shelf.number == _ANY else (half + np.float32(shelf.kind.least)) for half in halves)
    return first.astype(np.float32), then.astype(np.float32)


def _code(ranked: npt.NDArray[np.uint32]) -> Singles:
    """Return the codes that such numbers of any code stand for."""
    return np.where(ranked & _SIGN, ranked ^ _SIGN, ~ranked).view(np.float32)


def _rekeyed(key: Keys, here: _Shelf, there: _Shelf) -> Keys:
    """Return the keys of one shelf (0: none) as those of another, whose numbers are as wide or wider."""
    if here.kind.key == there.kind.key:
        return key
    first, then = (_ranked(code.ravel(), there).astype(there.kind.key) for code in _codes(key, here))
    moved = (first << there.kind.key(there.kind.bits) | then).reshape(key.shape)
    return np.where(key > 0, moved, 0)


def _place(keys: bytes, number: int, size: int) -> int:
    """Return where a number of so many bytes stands among keys, -1: nowhere."""
    sought = number.to_bytes(size, byteorder)
    at = keys.find(sought)
    while at % size and at >= 0:
        at = keys.find(sought, at + 1)
    return at // size


def _new(before: int, after: int, keys: bytes, size: int) -> int:
    """Return how many of the codes of a change no key is made of; `size`: bytes of a code."""
    return (_place(keys, before, size) < 0) + (after != before and _place(keys, after, size) < 0)


def _find(there: Bools) -> tuple[Rows, Bools]:
    """Return in which column each row has its first True, and whether it has one: the quickest way to tell."""
    column = there.argmax(axis=1)
    return column, there[np.arange(len(there)), column]


def _has(keys: Keys, code: Keys) -> Bools:
    """Return whether a code is part of any change of its row."""
    return _find(keys.view(code.dtype) == code[:, None])[1]
