"""The clocks of sources: how far each is off, measured from what arrives, and set right once that is known to last.

Every point is taken to have a clock of its own: that is right whatever gateway or node several of them share. So is
every camera (`sensors.camera_clocks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sensors.dialects.dialect import Decoded
from sensors.observation import HISTORICAL, SKEWED
from sensors.site import Skew

SAMPLES = 7
"""Measurements from which a clock is judged: all but the smallest and the largest must agree."""

APART = 5.0
"""Seconds between two measurements: a backlog that is caught up moves meanwhile, a wrong clock does not."""

RIGHT = 3
"""Arrivals in a row with the right time after which a clock is no longer set right."""

QUARTER = 900.0
"""Seconds of which time zones are multiples: a clock that is off by about one is taken to be right otherwise."""

WORST = 20
"""Clocks that the figures name."""


class Verdict(NamedTuple):
    """Say that a point's clock is now taken to be `offset` seconds behind (ahead when negative), 0 for right again."""

    point: int
    offset: float


def note(name: str, offset: float, *, corrected: bool) -> str:
    """Say in a sentence what was found of a point's clock."""
    if not offset:
        return f"{name}: the clock is right again"
    done = "times are set right" if corrected else "times are left as they are"
    return f"{name}: the clock is {abs(offset):.3f} s {'behind' if offset > 0 else 'ahead'}; {done} from here on"


class Clocks:
    """Measure how far behind arrival each point's own time is, as arrays by registry index; `names` are by index too.

    A measurement is the newest reading of an arrival, so that a batch is measured by its end. What its source calls
    history is none. A clock is wrong when `SAMPLES` measurements at least `APART` seconds apart agree within the site's
    tolerance and are beyond it. Readings from an outage are told from a slow clock by two signs: they are caught up, so
    that measurements do not agree; or they are no older than the silence before them, the clock being right till then.
    """

    def __init__(self, names: Mapping[int, str], skew: Skew) -> None:
        size = max(names, default=-1) + 1
        self._names = names
        self._tolerance, self._most, self._correct = skew.tolerance, skew.most, skew.correct
        self.offset = np.zeros(size)
        self._watched = np.zeros(size, bool)  # off at its last measurement, or taken to be wrong
        self._any = False
        self._ring = np.zeros((size, SAMPLES))
        self._taken = np.zeros(size, np.int64)  # measurements since it went wrong
        self._sampled = np.full(size, -np.inf)  # arrival of the last one
        self._since = np.zeros(size)  # arrival of the first one
        self._right_at = np.full(size, -np.inf)  # arrival of the last reading with the right time
        self._right = np.zeros(size, np.int64)  # arrivals in a row with the right time, while it is taken to be wrong
        self._verdicts: list[Verdict] = []

    def succeed(self, other: Clocks, moved: Mapping[int, int] | None = None) -> None:
        """Go on with what was known under an earlier version of the site.

        `moved` says which of its indices is which here; by default each is what it was.
        """
        size = min(len(self.offset), len(other.offset))
        theirs = np.arange(size) if moved is None else np.array(list(moved), np.intp)
        ours = theirs if moved is None else np.array(list(moved.values()), np.intp)
        for name in ("offset", "_watched", "_ring", "_taken", "_sampled", "_since", "_right_at", "_right"):
            getattr(self, name)[ours] = getattr(other, name)[theirs]
        self._any = bool(self._watched.any())

    def follow(self, decoded: Decoded, received: float, newest: float, oldest: float) -> bool:
        """Measure, and set the times of wrong clocks right in place, flagged SKEWED; tell whether any was.

        `newest` and `oldest` are the extremes of the times, which are stamped and need not be finite.
        """
        point = decoded.point
        if not self._any and newest - received <= self._tolerance and received - oldest <= self._tolerance:
            self._right_at[point] = received
            return False
        behind = received - decoded.time
        right = np.abs(behind) <= self._tolerance
        self._right_at[point[right]] = received
        live = (decoded.quality & HISTORICAL) == 0
        if not live.all():
            right |= ~live  # neither measured nor moved
        look = np.flatnonzero(live & np.isfinite(behind) & (~right | self._watched[point]))
        if not len(look):
            return False
        self._measure(point[look], behind[look], received)
        offset = self.offset[point]
        wrong = (offset != 0.0) & ~right
        if not wrong.any():
            return False
        decoded.quality = decoded.quality | wrong.astype(np.uint8) * np.uint8(SKEWED)
        if not self._correct:
            return False
        decoded.time = np.where(wrong, decoded.time + offset, decoded.time)
        return True

    def take_notes(self) -> list[str]:
        """Take what has been found of clocks since the last call, a sentence each."""
        found, self._verdicts = self._verdicts, []
        return [note(self._names[point], offset, corrected=self._correct) for point, offset in found]

    def figures(self) -> dict[str, float]:
        """Give the clocks that are wrong, worst first: point → seconds ahead (behind when negative)."""
        wrong = np.flatnonzero(self.offset)
        worst = wrong[np.argsort(-np.abs(self.offset[wrong]), kind="stable")][:WORST].tolist()
        return {self._names[index]: -float(self.offset[index]) for index in worst}

    @property
    def wrong(self) -> int:
        """Count the clocks that are wrong."""
        return int(np.count_nonzero(self.offset))

    def _measure(self, point: npt.NDArray[np.intp], behind: npt.NDArray[np.float64], received: float) -> None:
        order = np.lexsort((-behind, point))
        last = np.flatnonzero(np.diff(point[order], append=-1))
        point, behind = point[order][last], behind[order][last]
        right = np.abs(behind) <= self._tolerance
        self._believe(point[right])
        far = np.abs(behind) > self._most
        self._forget(point[far & (self.offset[point] == 0.0)])
        wrong = np.flatnonzero(~right & ~far & (received - self._sampled[point] >= APART))
        if len(wrong):
            self._sample(point[wrong], behind[wrong], received)
        self._any = bool(self._watched.any())

    def _believe(self, point: npt.NDArray[np.intp]) -> None:
        """Take it that these clocks show the right time now."""
        self._right[point] += 1
        self._taken[point] = 0
        good = point[(self._right[point] >= RIGHT) | (self.offset[point] == 0.0)]
        self._verdicts += [Verdict(index, 0.0) for index in good[self.offset[good] != 0.0].tolist()]
        self.offset[good] = 0.0
        self._forget(good)

    def _forget(self, point: npt.NDArray[np.intp]) -> None:
        self._taken[point] = 0
        self._right[point] = 0
        self._watched[point] = False

    def _sample(self, point: npt.NDArray[np.intp], behind: npt.NDArray[np.float64], received: float) -> None:
        first = self._taken[point] == 0
        self._since[point[first]] = received
        self._ring[point, self._taken[point] % SAMPLES] = behind
        self._taken[point] += 1
        self._sampled[point] = received
        self._right[point] = 0
        self._watched[point] = True
        point = point[self._taken[point] >= SAMPLES]
        if not len(point):
            return
        ring = np.sort(self._ring[point], axis=1)
        agreed = ring[:, -2] - ring[:, 1] <= self._tolerance
        median = ring[:, SAMPLES // 2]
        silence = self._since[point] - self._right_at[point]
        history = np.isfinite(silence) & (median > 0.0) & (median - self._tolerance <= silence)
        zone = np.round(median / QUARTER) * QUARTER
        exact = np.where((np.abs(median - zone) <= self._tolerance) & (zone != 0.0), zone, median)
        moved = np.abs(exact - self.offset[point]) > self._tolerance
        for place in np.flatnonzero(agreed & ~history & moved).tolist():
            self.offset[point[place]] = exact[place]
            self._verdicts.append(Verdict(int(point[place]), float(exact[place])))
