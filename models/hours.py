"""The hours at which something came in the last four weeks, as bits: what a habit by the clock is told from.

A day is three bytes in a ring of thirty, an hour a bit of them; hours at or before the last one count, and what the
ring held of those after it is four weeks old and is cleared when the clock gets there.
"""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Whole = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]

HOUR = 3600.0
DAYS = 28
"""Days over which hours are kept."""
HABIT = 2
"""Days or weeks with an hour that make a habit: one is chance."""
_DAY = 24
_KEPT = _DAY * DAYS + 2
"""Hours that are looked at: four weeks ago, give or take one."""
_RING = 30
_WORD = 48  # bits that a float64 holds exactly
_WORDS = -(-_KEPT // _WORD)
COLUMNS = 1 + _WORDS
"""Of a state: the last hour (hours since 1970), and that and those before it as bits."""
_POWERS = 2.0 ** np.arange(_WORD)
_TOGETHER = 4096  # places that are unpacked at once
_BACK = (np.arange(_RING)[:, None] - np.arange(1, DAYS + 1)) % _RING  # place in the ring so many days before
_NEAR = np.array([-1, 0, 1])
_AGO = _DAY * np.arange(1, DAYS + 1) + _NEAR[:, None]  # hours
_BITS = _RING * _DAY  # of the ring as one number: bit h is hour h, modulo this
_ONE_DAY = (1 << _DAY) - 1
_EACH = tuple(
    (length, sum(1 << (_BITS - 1 - _DAY * ago) for ago in range(length, DAYS + 1, length))) for length in (1, 7)
)
"""The same hour of the days and of the weeks before, in that number turned so that its highest bit is now."""


class Hours:
    """Hold the hours of all that has come in more than one."""

    def __init__(self) -> None:
        self._ring = np.zeros((0, _RING, _DAY // 8), np.uint8)
        self._free: list[int] = []

    @property
    def nbytes(self) -> int:
        """Return bytes of memory."""
        return self._ring.nbytes

    def came(
        self, places: Places, last: Places, hour: Whole, days: Floats, room: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Places]:
        """Take that what last came in `last` came again in `hour`; `days` it has been watched (all [n]).

        Return the shares of days, or of weeks, on which it came at this hour, give or take one (0: no habit), and where
        its hours are kept from here on. `places`: where they are kept, -1 where that is the last hour only; more is
        begun only where there is `room`.
        """
        share, passed = np.zeros(len(places)), hour - last
        known = (passed >= 0) & (passed <= _KEPT)
        asked = (known & (places >= 0)).nonzero()[0]
        if len(asked):
            share[asked] = self._habit(places[asked], passed[asked], hour[asked], days[asked])
        places = places.copy()
        lost = (~known & (places >= 0)).nonzero()[0]
        if len(lost):
            self.drop(places[lost])
            places[lost] = -1
        new = (begins(places, last, hour) & room).nonzero()[0]
        if len(new):
            places[new] = self._take(len(new))
            self._set(places[new], last[new].astype(np.int64))
        moved = ((places >= 0) & (passed > 0)).nonzero()[0]
        if len(moved):
            self._clear(places[moved], last[moved], hour[moved])
            self._set(places[moved], hour[moved])
        return share, places

    def came_one(self, place: int, last: int, hour: int, days: float, room: bool) -> tuple[float, int]:
        """Do the same for one, in plain Python, to the same bits: the ring is one number there."""
        share, passed = 0.0, hour - last
        if not 0 <= passed <= _KEPT:
            if place >= 0:
                self._free.append(place)
            return share, -1
        if place >= 0:
            ring = int.from_bytes(self._ring[place].tobytes(), "little")
            share = _habit_of(ring, passed, hour, days)
        elif passed and room:
            place, ring = int(self._take(1)[0]), 1 << last % _BITS
        if passed and place >= 0:
            first = last // _DAY
            for day in range(first + 1, min(hour // _DAY, first + _RING) + 1):
                ring &= ~(_ONE_DAY << day % _RING * _DAY)
            ring |= 1 << hour % _BITS
            self._ring[place] = np.frombuffer(ring.to_bytes(_BITS // 8, "little"), np.uint8).reshape(_RING, -1)
        return share, place

    def drop(self, places: Places) -> None:
        """Forget what is kept at places (-1: nothing is)."""
        self._free += places[places >= 0].tolist()

    def shift(self, places: Places, last: Places, hours: int) -> None:
        """Move what is kept at places, of which each last came in hour `last`, by so many hours."""
        bits = self._unpacked(places, last)
        self._ring[places] = 0
        self._pack(places, last + hours, bits)

    def words(self, places: Places, last: Places) -> Floats:
        """Return the hours that are kept, f8[n, COLUMNS - 1]: bit h of all is set for h hours before `last`."""
        words = np.zeros((len(places), _WORDS))
        words[:, 0] = 1.0
        kept = (places >= 0).nonzero()[0]
        for some in np.array_split(kept, len(kept) // _TOGETHER + 1):
            bits = np.zeros((len(some), _WORDS * _WORD), np.bool_)
            bits[:, :_KEPT] = self._unpacked(places[some], last[some])
            words[some] = bits.reshape(len(some), _WORDS, _WORD) @ _POWERS
        return words

    def restore(self, state: Floats) -> Places:
        """Take over last hours and what `words` returned, f8[n, COLUMNS]; return where each is kept from here on."""
        last, words = state[:, 0].astype(np.int64), state[:, 1:].astype(np.int64)
        places = np.full(len(state), -1, np.int32)
        several = ((words[:, 0] > 1) | words[:, 1:].any(axis=1)).nonzero()[0]
        places[several] = self._take(len(several))
        for some in np.array_split(several, len(several) // _TOGETHER + 1):
            bits = (words[some, :, None] >> np.arange(_WORD)) & 1
            self._pack(places[some], last[some], bits.reshape(len(some), _WORDS * _WORD)[:, :_KEPT] > 0)
        return places

    def _habit(self, places: Places, passed: Whole, hour: Whole, days: Floats) -> Floats:
        """Return the shares of days, or of weeks, on which what is kept came at an hour."""
        day = hour // _DAY
        near = (hour - day * _DAY)[:, None] - _NEAR
        off = np.where(near < 0, -1, np.where(near >= _DAY, 1, 0))
        near -= off * _DAY
        place = _BACK[(day[:, None] + off) % _RING]
        kept = self._ring[places[:, None, None], place, (near >> 3)[:, :, None]]
        came = (kept & (1 << (near & 7)).astype(np.uint8)[:, :, None]) > 0
        came &= passed[:, None, None] <= _AGO  # the ring holds nothing of the hours since
        there = came.any(axis=1)
        share = np.zeros(len(places))
        for each, length in ((there, 1.0), (there[:, 6::7], 7.0)):
            count = each.sum(axis=1)
            known = np.maximum(np.minimum(np.floor(days / length), DAYS / length), count)
            share = np.maximum(share, np.where(count >= HABIT, count / (known + 1.0), 0.0))
        return share

    def _clear(self, places: Places, last: Places, hour: Whole) -> None:
        """Clear the days after that of `last` up to that of `hour`."""
        first = last // _DAY
        passed = hour // _DAY - first
        for day in range(1, int(passed.max()) + 1):
            some = passed >= day
            self._ring[places[some], (first[some] + day) % _RING] = 0

    def _set(self, places: Places, hour: Whole) -> None:
        """Keep an hour at each of places, which are different ones."""
        day = hour // _DAY
        bit = hour - day * _DAY
        self._ring[places, day % _RING, bit >> 3] |= (1 << (bit & 7)).astype(np.uint8)

    def _unpacked(self, places: Places, last: Places) -> npt.NDArray[np.bool_]:
        """Return what is kept, bool[n, _KEPT], by hours before `last`."""
        hour = last[:, None] - np.arange(_KEPT)
        day = hour // _DAY
        bit = hour - day * _DAY
        return np.asarray((self._ring[places[:, None], day % _RING, bit >> 3] >> (bit & 7)) & 1 > 0, np.bool_)

    def _pack(self, places: Places, last: npt.NDArray[Any], bits: npt.NDArray[np.bool_]) -> None:
        """Keep hours before `last` (bool[n, _KEPT]) at places where nothing is."""
        which, before = bits.nonzero()
        hour = last[which] - before
        day = hour // _DAY
        bit = hour - day * _DAY
        np.bitwise_or.at(self._ring, (places[which], day % _RING, bit >> 3), (1 << (bit & 7)).astype(np.uint8))

    def _take(self, count: int) -> Places:
        more = count - len(self._free)
        if more > 0:
            size = len(self._ring)
            more = max(more, size // 8)
            self._ring = np.concatenate([self._ring, np.zeros((more, _RING, _DAY // 8), np.uint8)])
            self._free += range(size + more - 1, size - 1, -1)
        places = np.array([self._free.pop() for _ in range(count)], np.int32)
        self._ring[places] = 0
        return places


def begins(places: Any, last: Any, hour: Any) -> Any:
    """Return whether the hours of what last came in `last` are worth keeping from `hour` on, and are not yet."""
    return (places < 0) & (hour > last) & (hour - last <= _KEPT)


def _habit_of(ring: int, passed: int, hour: int, days: float) -> float:
    """Do the same as `Hours._habit` for one."""
    turn = (hour + 1) % _BITS
    back = (ring >> turn | ring << (_BITS - turn)) & ((1 << (_BITS - passed)) - 1)  # nothing of the hours since
    near = back | back << 1 | back >> 1
    share = 0.0
    for length, mask in _EACH:
        count = (near & mask).bit_count()
        if count >= HABIT:
            share = max(share, count / (max(min(floor(days / length), DAYS // length), count) + 1.0))
    return share
