"""How often the scores and alarms of each point come, against how often they say that they do."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.scoring import DAY, BankSettings
from sensors.flags import EARLY
from sensors.lookup import Registry

LEVELS = (0.99, 0.999)
ENOUGH = 1000
"""Scored readings from which a rate is told: with fewer, chance decides."""

SHIPPED = BankSettings().alarms_per_day

_ROUNDED = 1e-6  # scores come as float32


class Counted(NamedTuple):
    """Scored readings by registry index, those at each of `LEVELS`, and early events: i8[points(, levels)]."""

    scored: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    alarms: npt.NDArray[np.int64]

    def ratios(self) -> npt.NDArray[np.float64]:
        """Return observed over nominal by level, f8[points, levels]; 0 without a scored reading."""
        found: npt.NDArray[np.float64] = self.at / np.maximum(self.scored, 1)[:, None] / (1.0 - np.array(LEVELS))
        return found


class ScoreRates:
    """Count scored readings of a site's points, and those at each level. Safe to share between threads.

    A point that serves areas of several partitions is counted where its home area is.
    """

    def __init__(self, registry: Registry) -> None:
        self._lock = threading.Lock()
        self._home = np.full(0, -1, np.intp)
        self._scored = np.zeros(0, np.int64)
        self._at = np.zeros((0, len(LEVELS)), np.int64)
        self._alarms = np.zeros(0, np.int64)
        self.adopt(registry)

    def adopt(self, registry: Registry) -> None:
        """Count for another version of the site from now on; what was counted stays."""
        points = max(len(self._home), max(registry.by_index, default=-1) + 1)
        more = points - len(self._home)
        with self._lock:
            self._registry = registry
            self._home = np.concatenate([self._home, np.full(more, -1, np.intp)])
            for index, point in registry.by_index.items():
                self._home[index] = registry.partition(point.areas[0])
            self._scored = np.concatenate([self._scored, np.zeros(more, np.int64)])
            self._at = np.concatenate([self._at, np.zeros((more, len(LEVELS)), np.int64)])
            self._alarms = np.concatenate([self._alarms, np.zeros(more, np.int64)])

    def append(
        self,
        partition: npt.NDArray[np.intp],
        point: npt.NDArray[np.uint32],
        score: npt.NDArray[np.floating[Any]],
        flags: npt.NDArray[np.uint16],
    ) -> None:
        """Count readings of `partition`; `score` is NaN where there is none, `flags` are those of `sensors.flags`."""
        rows = point.astype(np.intp)
        mine = (rows < len(self._home)) & ~np.isnan(score)
        mine[mine] = self._home[rows[mine]] == partition[mine]
        rows, score, early = rows[mine], score[mine], (flags[mine] & EARLY) != 0
        with self._lock:
            np.add.at(self._scored, rows, 1)
            np.add.at(self._alarms, rows[early], 1)
            for place, level in enumerate(LEVELS):
                np.add.at(self._at, (rows[score >= level - _ROUNDED], place), 1)

    def counted(self) -> Counted:
        """Copy what was counted, one row a registry index."""
        with self._lock:
            return Counted(self._scored.copy(), self._at.copy(), self._alarms.copy())

    def listed(self, *, area: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
        """List points of enough scored readings, that whose 0.999 comes most often first.

        `ratios` is observed over nominal by level: 1 is right. `alarms` are the models' early events within `days`, the
        time that so many readings take as a rule; `allowed` is what the budget makes of that time. `alarms_per_day` is
        the budget that the point's area type sets, None where it sets none and the shipped one holds.
        """
        counted = self.counted()
        scored, ratio = counted.scored, counted.ratios()
        inside = None if area is None else {point.index for point in self._registry.points_of(area)}
        order = [
            index
            for index in np.argsort(-ratio[:, -1], kind="stable").tolist()
            if scored[index] >= ENOUGH and index in self._registry.by_index and (inside is None or index in inside)
        ]
        return told(self._registry, counted, order[:limit])


def told(registry: Registry, counted: Counted, order: Iterable[int]) -> list[dict[str, Any]]:
    """Say of points, by registry index, what `ScoreRates.listed` says of them."""
    site = registry.site
    budgets = {kind.id: kind.alarms_per_day for kind in site.area_types}
    types = {one.id: one.type for one in site.areas}
    ratio = counted.ratios()
    listed = []
    for index in order:
        point = registry.by_index[index]
        budget, days = budgets.get(types.get(point.areas[0], "")), counted.scored[index] * point.interval / DAY
        listed.append(
            {
                "point": point.id,
                "areas": point.areas,
                "scored": int(counted.scored[index]),
                "ratios": {str(at): round(float(one), 3) for at, one in zip(LEVELS, ratio[index], strict=True)},
                "alarms": int(counted.alarms[index]),
                "days": round(float(days), 3),
                "allowed": round(float(days * (SHIPPED if budget is None else budget)), 3),
                "alarms_per_day": budget,
            }
        )
    return listed
