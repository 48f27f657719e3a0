"""The days on which something came at an hour of the day, as bits: what a habit by the clock is told from.

What comes by the clock comes at few hours of the day. So nothing is kept of the other hours: of each that was there a
word, in which bit b stands for b days before the row's last day. A row has `MOST` of these words for all its changes
together (`FEWER` if they are many); where it has no room, those give way that have not come for longest, once that is
`IDLE` days.
"""

from __future__ import annotations

from math import floor

import numpy as np
import numpy.typing as npt

from models.shelves import Shelf, Shelves

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Whole = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint32]

HOUR = 3600.0
DAYS = 28
"""Days over which hours are kept."""
HABIT = 2
"""Days or weeks with an hour that make a habit: one is chance."""
MOST, FEWER = 40, 26
"""Hours of the day, of all changes of a row together, of which the days are kept; of a row that has many changes."""
IDLE = 8
"""Days after which one that did not come gives way to another: what comes every week has come by then."""
_DAY = 24
_BITS = DAYS + 2  # at hour 0 the hour before is one of the day before
_MASK = (1 << _BITS) - 1
_RECENT = (1 << IDLE) - 1
_EACH = tuple((length, sum(1 << ago for ago in range(length, DAYS + 1, length))) for length in (1, 7))
"""The days and the weeks before."""
_WORD = 48  # bits that a float64 holds exactly
_WORDS = _BITS * _DAY // _WORD
COLUMNS = 1 + _WORDS
"""Of a state: the last hour (hours since 1970), and that and those before it as bits."""
_TOGETHER = 4096  # lines of a state that are unpacked at once
_WIDTHS = (2, 4, 8, 16, FEWER, MOST)
_EMPTY = 2**16 - 1


class _Words(Shelf):
    """Hold the words of rows that have up to `width` of them."""

    day: npt.NDArray[np.int32]  # days since 1970
    tag: npt.NDArray[np.uint16]  # change (its place in its row) and hour of the day; _EMPTY: none
    bits: Bits

    def __init__(self, width: int) -> None:
        super().__init__(width, {"day": np.int32}, {"tag": np.uint16, "bits": np.uint32})

    def room(self, rows: Rows) -> Rows:
        """Return free places, with no words."""
        places = super().room(rows)
        self.tag[places] = _EMPTY
        return places

    def turn(self, places: Rows, days: Whole) -> None:
        """Let so many days pass; less than none where a clock was set anew at midnight."""
        on, back = (np.clip(each, 0, _BITS)[:, None].astype(np.uint64) for each in (days, -days))
        bits = (self.bits[places].astype(np.uint64) << on & _MASK) >> back
        self.bits[places], self.tag[places] = bits, np.where(bits > 0, self.tag[places], _EMPTY)


class Hours:
    """Hold the days and hours of the changes of all rows."""

    def __init__(self) -> None:
        self._rows = Shelves([_Words(width) for width in _WIDTHS])

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return self._rows.nbytes

    def came_one(self, row: int, change: int, hour: int, days: float, most: int = MOST) -> float:
        """Do what `came` does for one, to the same bits."""
        day, at = divmod(hour, _DAY)
        level, place = self._rows.find(row)
        if level < 0:
            level, place = 0, int(self._rows.put(0, np.array([row], np.intp))[0])
            self._rows.shelves[0].day[place] = day
        shelf = self._rows.shelves[level]
        if passed := day - int(shelf.day[place]):
            shelf.turn(np.array([place]), np.array([passed]))
            shelf.day[place] = day
        tags, bits, tag = shelf.tag[place].tolist(), shelf.bits[place].tolist(), change * _DAY + at
        near = 0
        for off in (-1, 0, 1):
            beside = at + off
            sought = change * _DAY + beside % _DAY
            if sought in tags:
                word = bits[tags.index(sought)]
                near |= word >> 1 if beside < 0 else word << 1 if beside >= _DAY else word
        if tag in tags:
            shelf.bits[place, tags.index(tag)] |= 1
        else:
            self._take(row, tag, most)
        share = 0.0
        for length, mask in _EACH:
            count = (near & mask).bit_count()
            if count >= HABIT:
                share = max(share, count / (max(min(floor(days / length), DAYS // length), count) + 1.0))
        return share

    def came(self, rows: Rows, change: Rows, hour: Whole, days: Floats, most: int = MOST) -> Floats:
        """Take that a change of each row came in `hour`; `days` the row has been watched (all [n], rows differ).

        At `most` so many words are kept of a row.

        Return the shares of days, or of weeks, on which it came at this hour, give or take one (0: no habit).
        """
        share, day = np.zeros(len(rows)), hour // _DAY
        levels = self._rows.levels(rows)
        if len(new := (levels < 0).nonzero()[0]):
            places = self._rows.put(0, rows[new])
            self._rows.shelves[0].day[places] = day[new]
            levels[new] = 0
        for level in np.unique(levels).tolist():  # those that move up in it have had their turn
            mine, shelf = (levels == level).nonzero()[0], self._rows.shelves[level]
            places = self._rows.places(rows[mine])
            passed = day[mine] - shelf.day[places]
            if len(moved := passed.nonzero()[0]):
                shelf.turn(places[moved], passed[moved])
                shelf.day[places] = day[mine]
            at = hour[mine] - day[mine] * _DAY
            share[mine] = self._came(shelf, rows[mine], places, change[mine], at, days[mine], most)
        return share

    def _came(
        self, shelf: _Words, rows: Rows, places: Rows, change: Rows, at: Whole, days: Floats, most: int
    ) -> Floats:
        tags, new = shelf.tag[places], np.ones(len(places), np.bool_)
        near, first = np.zeros(len(places), np.uint32), change * _DAY
        for off in (-1, 0, 1):
            beside = at + off
            there = tags == (first + beside % _DAY).astype(np.uint16)[:, None]  # one of a row at most
            which, column = np.divmod(np.flatnonzero(there), shelf.width)
            word = shelf.bits[places[which], column]
            if off == 0:
                new[which], shelf.bits[places[which], column] = False, word | 1
            else:
                over = beside[which]
                word = np.where(over < 0, word >> 1, np.where(over >= _DAY, word << 1, word))
            near[which] |= word
        rest = new.nonzero()[0]
        if shelf.width >= most and len(rest):
            rest = rest[((tags[rest] == _EMPTY) | (shelf.bits[places[rest]] & _RECENT == 0)).any(axis=1)]
        for each in rest.tolist():
            self._take(int(rows[each]), int(first[each] + at[each]), most)
        share = np.zeros(len(places))
        for length, mask in _EACH:
            count = np.bitwise_count(near & np.uint32(mask)).astype(np.float64)
            known = np.maximum(np.minimum(np.floor(days / length), DAYS // length), count)
            share = np.maximum(share, np.where(count >= HABIT, count / (known + 1.0), 0.0))
        return share

    def _take(self, row: int, tag: int, most: int) -> None:
        """Begin a word of a row, where there is room: who did not come for longest gives way."""
        level, place = self._rows.find(row)
        shelf = self._rows.shelves[level]
        if _EMPTY not in (tags := shelf.tag[place].tolist()):
            if shelf.width < most:
                self._move(level, level + 1, np.array([row], np.intp))
                shelf, place = self._rows.shelves[level + 1], self._rows.find(row)[1]
            else:
                bits = shelf.bits[place]
                last = bits & ~(bits - np.uint32(1))  # the lowest bit
                if (oldest := last.max()) <= _RECENT:
                    return
                bits[last == oldest] = 0
                shelf.tag[place, last == oldest] = _EMPTY
            tags = shelf.tag[place].tolist()
        column = tags.index(_EMPTY)
        shelf.tag[place, column], shelf.bits[place, column] = tag, 1

    def _move(self, level: int, to: int, rows: Rows) -> None:
        here, there = self._rows.shelves[level], self._rows.shelves[to]
        old, new = self._rows.move(level, to, rows)
        there.tag[new, : here.width], there.bits[new, : here.width] = here.tag[old], here.bits[old]
        self._rows.leave(level, old)

    def drop(self, rows: Rows, change: Rows) -> None:
        """Forget the hours of a change of each row, and a row without any."""
        levels = self._rows.levels(rows)
        for level in np.unique(levels[levels >= 0]).tolist():
            mine, shelf = levels == level, self._rows.shelves[level]
            place = self._rows.places(rows[mine])
            tags = shelf.tag[place]
            dropped = tags // _DAY == change[mine, None]
            which, column = dropped.nonzero()
            shelf.tag[place[which], column], shelf.bits[place[which], column] = _EMPTY, 0
            for row in rows[mine][(dropped | (tags == _EMPTY)).all(axis=1)].tolist():
                self._rows.forget(row)

    def drop_one(self, row: int, change: int) -> None:
        """Do the same for one."""
        level, place = self._rows.find(row)
        if level >= 0:
            shelf, first = self._rows.shelves[level], change * _DAY
            tags = shelf.tag[place].tolist()
            kept = [tag for tag in tags if tag != _EMPTY]
            mine = [tag for tag in kept if first <= tag < first + _DAY]
            for column in [tags.index(tag) for tag in mine]:
                shelf.tag[place, column], shelf.bits[place, column] = _EMPTY, 0
            if len(mine) == len(kept):
                self._rows.forget(row)

    def narrow(self, row: int, order: list[int]) -> None:
        """Keep `FEWER` words of a row that has more: those that came last, else of the first of changes in `order`."""
        level, place = self._rows.find(row)
        if level < 0 or _WIDTHS[level] <= FEWER:
            return
        shelf = self._rows.shelves[level]
        words = zip(shelf.tag[place].tolist(), shelf.bits[place].tolist(), strict=True)
        kept = sorted((bits & -bits, order.index(tag // _DAY), tag, bits) for tag, bits in words if tag != _EMPTY)
        there, to = self._rows.shelves[level - 1], level - 1
        old, new = self._rows.move(level, to, np.array([row], np.intp))
        for column, (_, _, tag, bits) in enumerate(kept[:FEWER]):
            there.tag[new, column], there.bits[new, column] = tag, bits
        self._rows.leave(level, old)

    def forget(self, row: int) -> None:
        """Forget all hours of a row."""
        self._rows.forget(row)

    def shift(self, row: int, hours: int) -> None:
        """Move all hours of a row by so many: its clock was set anew."""
        level, place = self._rows.find(row)
        if level < 0:
            return
        shelf, moved = self._rows.shelves[level], []
        for column in (shelf.tag[place] != _EMPTY).nonzero()[0].tolist():
            tag, bits = int(shelf.tag[place, column]), int(shelf.bits[place, column])
            day, at = divmod(tag % _DAY + hours, _DAY)
            moved.append((column, tag - tag % _DAY + at, bits, day))
        first = max((day - (bits & -bits).bit_length() + 1 for _, _, bits, day in moved), default=0)
        for column, tag, bits, day in moved:  # the row's day is the last that came, no day to come
            bits = bits << first - day if first >= day else bits >> day - first
            shelf.tag[place, column], shelf.bits[place, column] = tag if bits & _MASK else _EMPTY, bits & _MASK
        shelf.day[place] += first

    def words(self, rows: Rows, change: Rows) -> Floats:
        """Return what is kept of changes of rows in ascending order, f8[n, COLUMNS].

        The last hour, and bit h of all others is set for h hours before it; zeros where nothing is kept.
        """
        found = np.zeros((len(rows), COLUMNS))
        sought = rows * _EMPTY + change
        order = np.argsort(sought)
        held: list[tuple[Whole, Whole, Bits]] = []
        for shelf in self._rows.stocked:
            taken = shelf.taken
            which, column = (shelf.tag[taken] != _EMPTY).nonzero()
            place = taken[which]
            tag = shelf.tag[place, column].astype(np.int64)
            key = shelf.owner[place].astype(np.int64) * _EMPTY + tag // _DAY
            line = order[np.searchsorted(sought, key, sorter=order)]
            held.append((line, shelf.day[place].astype(np.int64) * _DAY + tag % _DAY, shelf.bits[place, column]))
        if not held:
            return found
        line, hour, bits = (np.concatenate(part) for part in zip(*held, strict=True))
        last = np.full(len(rows), np.iinfo(np.int64).min)
        np.maximum.at(last, line, hour - _DAY * _lowest(bits))
        found[line, 0] = last[line]
        for some in np.array_split(np.arange(len(line)), len(line) // _TOGETHER + 1):
            which, ago = np.nonzero((bits[some, None] >> np.arange(_BITS, dtype=np.uint32)) & np.uint32(1))
            which = some[which]
            before = last[line[which]] - hour[which] + _DAY * ago
            np.add.at(found, (line[which], 1 + before // _WORD), 2.0 ** (before % _WORD))
        return found

    def restore(self, rows: Rows, change: Rows, state: Floats, most: Rows) -> None:
        """Take over what `words` returned; of what is more than `most` (intp[n]) of a row, what came on most days."""
        state = state[:, :COLUMNS]
        held: list[tuple[Rows, Whole]] = []
        some = np.flatnonzero(state[:, 1:].any(axis=1))
        if not len(some):
            return
        for part in np.array_split(some, len(some) // _TOGETHER + 1):
            bits = state[part, 1:].astype(np.int64)[:, :, None] >> np.arange(_WORD) & 1
            which, before = np.nonzero(bits.reshape(len(part), -1))
            held.append((part[which], state[part[which], 0].astype(np.int64) - before))
        line, hour = (np.concatenate(each) for each in zip(*held, strict=True))
        owner, mine = np.unique(rows[line], return_inverse=True)
        last = np.full(len(owner), np.iinfo(np.int64).min)
        np.maximum.at(last, mine, hour // _DAY)
        ago = last[mine] - hour // _DAY
        near = ago < _BITS
        key = mine[near] * _EMPTY + change[line[near]] * _DAY + hour[near] % _DAY
        words, of = np.unique(key, return_inverse=True)
        came = np.zeros(len(words), np.uint32)
        np.bitwise_or.at(came, of, np.uint32(1) << ago[near].astype(np.uint32))
        order = np.lexsort((_lowest(came), -np.bitwise_count(came).astype(np.int64), words // _EMPTY))
        words, came = words[order], came[order]
        size = np.bincount(words // _EMPTY)
        column = np.arange(len(words)) - np.repeat(np.cumsum(size) - size, size)
        limit = np.empty(len(owner), np.intp)
        limit[mine] = most[line]
        size = np.minimum(size, limit)
        for level, shelf in enumerate(self._rows.shelves):
            least = self._rows.shelves[level - 1].width if level else 0
            here = ((size > least) & (size <= shelf.width)).nonzero()[0]
            if not len(here):
                continue
            where = np.empty(len(owner), np.intp)
            where[here] = self._rows.put(level, owner[here])
            shelf.day[where[here]] = last[here]
            taken = np.isin(words // _EMPTY, here) & (column < size[words // _EMPTY])
            place = where[words[taken] // _EMPTY]
            shelf.tag[place, column[taken]], shelf.bits[place, column[taken]] = words[taken] % _EMPTY, came[taken]


def _lowest(bits: Bits) -> Whole:
    """Return the place of the lowest bit of each word that has one."""
    return np.bitwise_count((bits & ~(bits - np.uint32(1))) - np.uint32(1)).astype(np.int64)
