"""Redundant points of a site that disagree: which sensor parts from the rest, looked at when a tick passes.

It goes by what each point stands at then, as figures across an area do (decision 0003). What is silent, told as history
or has stood still for too long has no say, and what is simulated none against what is real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.peers import STALE, Peers
from rules.features import PointState
from sensors.site import Point

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


class Neighbours:
    """Hold the sets of redundant points of a partition, and who disagrees. Pure."""

    def __init__(self, points: Sequence[Point]) -> None:
        asked = [row for row, point in enumerate(points) if point.redundant]
        row_of = {point.id: row for row, point in enumerate(points)} if asked else {}
        named = [(row, *(row_of[id] for id in points[row].redundant if id in row_of)) for row in asked]
        self.peers = Peers([one for one in named if len(one) > 1])
        self.patience = np.array([STALE * point.interval for point in points])
        self.disagrees = np.zeros(len(points), np.bool_)  # by row
        self.some = False

    def __bool__(self) -> bool:
        return bool(self.peers.sets)

    def tick(self, points: PointState, reach: Array) -> Rows:
        """Judge what was read since the last tick; return the rows that disagree at a new reading.

        `reach` is the range that each row has kept lately, f8[rows].
        """
        with np.errstate(invalid="ignore"):
            usable = (points.age <= self.patience) & ~points.historical & ~points.offline & ~points.simulated
        told = self.peers.step(points.last_time, points.value, usable, reach)
        self._settle()
        return told

    def _settle(self) -> None:
        self.disagrees[self.peers.points] = self.peers.disagrees
        self.some = bool(self.disagrees.any())

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `restore` needs."""
        return self.peers.state()

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what is known of the sets that are the same here."""
        self.peers.restore(state)
        self._settle()
