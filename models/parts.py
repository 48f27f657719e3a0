"""What a bank keeps of its rows beside their fields: what every row may need, and what only some do.

Why it was surprising has every row. Ranges, ranks, the day's profile and the last steps are of rows that have a size
and were read, so a code does without; inverse velocity is of rows that are watched for failing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from models.calibration import BINS, FINE, Survival
from models.layout import CREEP_FIELDS, REASON_FIELDS, RECENT, STAY_FIELDS
from models.places import Places
from models.season import Seasons

Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Arrays = dict[str, npt.NDArray[Any]]

_CREEP = np.zeros((1, len(CREEP_FIELDS)))
_STAY = np.zeros((1, len(STAY_FIELDS)))
_RECENT = np.full((1, RECENT), nan, np.float32)
_REASON = np.zeros((1, len(REASON_FIELDS)))


class Parts:
    """Hold the parts of all rows; `stay`, `recent`, `survival` and `seasons` by the places of `sized`."""

    def __init__(self) -> None:
        self.sized, self.creeping = Places(), Places()
        self.reason = np.empty((0, len(REASON_FIELDS)))
        self.stay, self.recent, self.creep = _STAY.copy(), _RECENT.copy(), _CREEP.copy()
        self.survival, self.seasons = Survival(1), Seasons()
        self.seasons.grow(1)

    @property
    def nbytes(self) -> int:
        """Return bytes of memory of all rows, without the places that are nobody's."""
        sized = 4 * (BINS + FINE) + self.seasons.row_bytes + _STAY.nbytes + _RECENT.nbytes
        each = _REASON.nbytes + self.sized.of.itemsize + self.creeping.of.itemsize
        return len(self.reason) * each + (self.sized.count - 1) * sized + (self.creeping.count - 1) * _CREEP.nbytes

    def grow(self, rows: int) -> None:
        """Add rows of which nothing is known."""
        self.reason = _longer(self.reason, _REASON, rows)
        self.sized.grow(rows)
        self.creeping.grow(rows)

    def size(self, rows: Rows) -> bool:
        """Keep from now on what rows with a size need; return whether arrays were made anew for that."""
        more = self.sized.give(rows)
        if more:
            self.stay, self.recent = _longer(self.stay, _STAY, more), _longer(self.recent, _RECENT, more)
            self.survival.grow(more)
            self.seasons.grow(more)
        return more > 0

    def watch(self, rows: Rows) -> None:
        """Keep from now on how rows creep."""
        self.creep = _longer(self.creep, _CREEP, self.creeping.give(rows))

    def forget(self, row: int) -> None:
        """Know nothing of a row any more, and keep only why it was surprising."""
        self.reason[row] = _REASON
        place = self.sized.leave(row)
        self.stay[place], self.recent[place] = _STAY, _RECENT
        self.survival.forget(place)
        self.seasons.forget(place)
        self.creep[self.creeping.leave(row)] = _CREEP

    def find(self, part: str, rows: Rows) -> tuple[Rows, npt.NDArray[Any]]:
        """Return where rows stand in the array of a part, and that."""
        if part == "reason":
            return rows, self.reason
        if part == "creep":
            return self.creeping.at(rows), self.creep
        return self.sized.at(rows), self.stay

    def keep(self, places: Rows, seen: npt.NDArray[np.float64], step: npt.NDArray[np.float64]) -> None:
        """Keep the steps (f8[n]) of readings number `seen` among the last ones of places that have a size."""
        number = np.mod(seen, float(RECENT)).astype(np.intp)
        self.recent.reshape(-1)[places * RECENT + number] = step.astype(np.float32)

    def state(self) -> Arrays:
        """Return copies of all arrays, a row each: of a row that needs one not, as of a row that saw nothing."""
        sized, seasons = self.sized.of, self.seasons
        fine = self.survival.fine.reshape(len(self.stay), BINS)
        by_place: Arrays = {
            "stay": self.stay,
            "recent": self.recent,
            "coarse": self.survival.coarse,
            "fine": fine,
            "day": seasons.day,
            "profile": seasons.profile,
            "season": seasons.known,
            "origin": seasons.origin[:, None],
        }
        return {
            "reason": self.reason.copy(),
            "creep": self.creep[self.creeping.of],
            **{name: array[sized] for name, array in by_place.items()},
        }

    def take(self, state: Mapping[str, npt.NDArray[Any]], sized: Bools, watched: Bools) -> None:
        """Take over what `state` returned, once; the rows of it that have a size or are watched are bool[rows]."""
        self.grow(len(sized))
        rows, creeping = np.flatnonzero(sized), np.flatnonzero(watched | state["creep"].any(axis=1))
        self.size(rows)
        self.watch(creeping)
        self.reason = state["reason"].copy()
        self.creep[self.creeping.at(creeping)] = state["creep"][creeping]
        place = self.sized.at(rows)
        seasons, fine = self.seasons, self.survival.fine.reshape(-1, BINS)
        for array, name in (
            (self.stay, "stay"),
            (self.recent, "recent"),
            (self.survival.coarse, "coarse"),
            (fine, "fine"),
            (seasons.day, "day"),
            (seasons.profile, "profile"),
            (seasons.known, "season"),
            (seasons.origin[:, None], "origin"),
        ):
            array[place] = state[name][rows]


def _longer(array: npt.NDArray[Any], blank: npt.NDArray[Any], more: int) -> npt.NDArray[Any]:
    """Return an array with so many more rows as `blank` [1, n]."""
    return np.concatenate([array, np.repeat(blank, more, axis=0)]) if more else array
