"""The models' own warning of a limit, `warned('limit')`: followed reading by reading at points that a rule asks of.

What a warning is `models.warning` says. A point of which nothing is foreseen, as of most at most times, costs a
comparison of arrays; only the others are followed one by one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.warning import ENTER, HORIZON, WIDTH, Warner
from rules.features import PointModels

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class Warned:
    """Follow the warnings of targets (`limit`, or a level) at the rows that want each of them."""

    def __init__(
        self, wanted: Mapping[str, Rows], targets: Mapping[str, Floats], below: Bools, total_rows: int
    ) -> None:
        self.targets = {what: _Target(rows, targets[what], below, total_rows) for what, rows in wanted.items()}

    @property
    def nbytes(self) -> int:
        """Return bytes of the arrays."""
        return sum(one.last.nbytes + one.told.nbytes + one.followed.nbytes for one in self.targets.values())

    def see(self, rows: Rows, time: Floats, value: Floats, models: PointModels) -> None:
        """Take in readings that the models have taken: rows unique, each later than the row's last."""
        for one in self.targets.values():
            one.see(rows, time, value, models)

    def column(self, what: str, rows: Rows) -> Floats:
        """Return 1 where a warning stands, 0 where none does; NaN before anything can be foreseen."""
        one = self.targets[what]
        place = one.place[rows]
        return np.where(place >= 0, one.told[place], np.nan) if len(one.rows) else np.full(len(rows), np.nan)

    def shift(self, rows: Rows, seconds: Floats) -> None:
        """Move the times of rows (unique) by `seconds`."""
        for one in self.targets.values():
            place = one.place[rows]
            mine = np.flatnonzero(place >= 0)
            one.last[place[mine]] += seconds[mine]
            for at, step in zip(place[mine].tolist(), seconds[mine].tolist(), strict=True):
                if at in one.warners:
                    one.warners[at].shift(step)

    def state(self, what: str) -> tuple[Rows, Floats]:
        """Return the rows that have been read, and of each its target, side, last time, column, and its warner."""
        one = self.targets[what]
        read = np.flatnonzero(one.last > -np.inf)
        own = [one.limit[read], one.below[read], one.last[read], one.told[read]]
        warners = [one.warner(place).state() for place in read.tolist()]
        return one.rows[read], np.concatenate((np.array(own).T, np.array(warners).reshape(-1, WIDTH)), axis=1)

    def restore(self, what: str, rows: Rows, state: Floats) -> None:
        """Go on from a state where the target is the same; of another limit nothing was foreseen yet."""
        one = self.targets.get(what)
        if one is None:
            return
        for place, kept in zip(one.place[rows].tolist(), state.tolist(), strict=True):
            if place >= 0 and (one.limit[place], bool(one.below[place])) == (kept[0], bool(kept[1])):
                one.last[place], one.told[place] = kept[2:4]
                one.follow(place, Warner.of(kept[4:]))


class _Target:
    """One target at the rows that have it."""

    def __init__(self, rows: Rows, target: Floats, below: Bools, total_rows: int) -> None:
        self.rows = rows[~np.isnan(target[rows])]
        self.limit, self.below = target[self.rows], below[self.rows]
        self.place = np.full(total_rows, -1, np.intp)
        self.place[self.rows] = np.arange(len(self.rows))
        self.last = np.full(len(self.rows), -np.inf)  # time of the last reading
        self.told = np.full(len(self.rows), np.nan)
        self.followed = np.zeros(len(self.rows), np.bool_)  # something is foreseen: its warner sees each reading
        self.warners: dict[int, Warner] = {}

    def see(self, rows: Rows, time: Floats, value: Floats, models: PointModels) -> None:
        """Take in readings of any rows."""
        place = self.place[rows]
        mine = np.flatnonzero(place >= 0)
        if not mine.size:
            return
        place = place[mine]
        new = time[mine] > self.last[place]  # an error has some readings of a batch come again
        mine, place = mine[new], place[new]
        limit, below, value = self.limit[place], self.below[place], value[mine]
        eta = models.eta(rows[mine], limit, below)
        past = np.where(below, value <= limit, value >= limit)
        self.told[place] = np.where(np.isnan(eta), np.nan, 0.0)
        for at in np.flatnonzero((eta <= ENTER * HORIZON) | past | self.followed[place]).tolist():
            number = int(place[at])
            warner = self.warner(number)
            stands = warner.see(float(time[mine[at]]), bool(past[at]), float(eta[at]))
            if stands or past[at] or not np.isnan(eta[at]):  # else it is unknown
                self.told[number] = stands
            self.follow(number, warner)
        self.last[place] = time[mine]

    def warner(self, place: int) -> Warner:
        """Return the warner of a place as of its last reading."""
        found = self.warners.get(place) or Warner()
        if not self.followed[place]:
            found.passed(float(self.last[place]))
        return found

    def follow(self, place: int, warner: Warner) -> None:
        """Go on with a warner."""
        self.warners[place], self.followed[place] = warner, not warner.calm
