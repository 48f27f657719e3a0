"""Modes of the site as conditions see them: which last where, by the arrival clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Modes:
    """Hold until when each mode lasts in each area. It is no state of its own: who keeps the modes puts them in."""

    def __init__(self, area_of: Mapping[str, int]) -> None:
        self._area_of = area_of
        self._until: dict[str, dict[str, float]] = {}  # mode → area, or "" for everywhere → unix seconds

    def put(self, spells: Iterable[tuple[str, str, float]]) -> None:
        """Take (mode, area or "" for everywhere, unix seconds until when) of all that last, instead of those before."""
        self._until.clear()
        for mode, area, until in spells:
            lasts = self._until.setdefault(mode, {})
            lasts[area] = max(until, lasts.get(area, until))

    def share(self, other: Modes) -> None:
        """Go by what is put into another one from now on."""
        self._until = other._until

    def column(self, mode: str, areas: Rows, clock: float) -> Array:
        """Tell where a mode lasts when the arrival clock stands at `clock`, f8[n]: 1 or 0."""
        on = [area for area, until in self._until.get(mode, {}).items() if until > clock]
        if "" in on:
            return np.ones(len(areas))
        places = [self._area_of[area] for area in on if area in self._area_of]
        return np.isin(areas, places).astype(np.float64) if places else np.zeros(len(areas))
