"""What cameras saw: the last event of each kind in each area."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """The last event of a kind in an area."""

    kind: str
    area: str
    time: float
    camera: str
    simulated: bool


class Sightings:
    """Remember, for kinds that some rule asks for, when they were last seen in each area (event time)."""

    def __init__(self, kinds: set[str], areas: Sequence[str]) -> None:
        self._areas = areas
        self._last = {kind: np.full(len(areas), -np.inf) for kind in sorted(kinds)}
        self._camera = {kind: [""] * len(areas) for kind in sorted(kinds)}
        self.simulated = np.zeros(len(areas), np.bool_)  # whether the last event of the area was a simulation

    def add(self, kind: str, area: int, time: float, camera: str, simulated: bool) -> None:
        """Take in an event; kinds that no rule asks for are forgotten."""
        if kind in self._last:
            self.simulated[area] = simulated
            if time >= self._last[kind][area]:
                self._last[kind][area] = time
                self._camera[kind][area] = camera

    def since(self, kind: str, areas: Rows, now: Array) -> Array:
        """Return seconds since `kind` was last seen; infinite if never."""
        since: Array = now - self._last[kind][areas]
        return since

    def camera(self, kind: str, area: int) -> str:
        """Name the camera that saw `kind` last."""
        return self._camera[kind][area]

    def state(self) -> list[Sighting]:
        """List what is remembered."""
        return [
            Sighting(kind, self._areas[area], float(last[area]), self._camera[kind][area], bool(self.simulated[area]))
            for kind, last in self._last.items()
            for area in np.flatnonzero(last > -np.inf).tolist()
        ]

    def restore(self, sightings: Sequence[Sighting]) -> None:
        """Take over what `state` listed, as far as it is still asked for."""
        places = {area: place for place, area in enumerate(self._areas)}
        for one in sightings:
            if one.area in places:
                self.add(one.kind, places[one.area], one.time, one.camera, one.simulated)
