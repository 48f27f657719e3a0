"""What cameras saw: the last real and the last simulated event of each kind in each area."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """The last event of a kind in an area, of the real or of the simulated ones."""

    kind: str
    area: str
    time: float
    camera: str
    simulated: bool


class Sightings:
    """Remember, for kinds that some rule asks for, when they were last seen in each area (event time).

    Real and simulated events are kept apart: a simulation must not hide what was really seen, nor be taken for it.
    """

    def __init__(self, kinds: set[str], areas: Sequence[str]) -> None:
        self._areas = areas
        self._last = {kind: np.full((2, len(areas)), -np.inf) for kind in sorted(kinds)}  # real, simulated
        self._camera = {kind: ([""] * len(areas), [""] * len(areas)) for kind in sorted(kinds)}

    def add(self, kind: str, area: int, time: float, camera: str, simulated: bool) -> None:
        """Take in an event; kinds that no rule asks for are forgotten."""
        if kind in self._last and time >= self._last[kind][int(simulated), area]:
            self._last[kind][int(simulated), area] = time
            self._camera[kind][simulated][area] = camera

    def step(self, clock: float) -> None:
        """Follow a clock that was set back: nothing was seen after now."""
        for last in self._last.values():
            np.minimum(last, clock, out=last)

    def since(self, kind: str, areas: Rows, now: Array, *, real: bool = False) -> Array:
        """Return seconds between `now` and the last event, before or after; infinite if never. `real` ones only."""
        last = self._last[kind]
        since: Array = np.abs(now - last[0, areas])
        return since if real else np.minimum(since, np.abs(now - last[1, areas]))

    def camera(self, kind: str, area: int, now: float) -> str:
        """Name the camera that saw `kind` nearest to `now`."""
        real, simulated = np.abs(now - self._last[kind][:, area])
        return self._camera[kind][int(simulated < real)][area]

    def state(self) -> list[Sighting]:
        """List what is remembered."""
        return [
            Sighting(kind, self._areas[area], float(last[which, area]), self._camera[kind][which][area], bool(which))
            for kind, last in self._last.items()
            for which, area in np.argwhere(last > -np.inf).tolist()
        ]

    def restore(self, sightings: Sequence[Sighting]) -> None:
        """Take over what `state` listed, as far as it is still asked for."""
        places = {area: place for place, area in enumerate(self._areas)}
        for one in sightings:
            if one.area in places:
                self.add(one.kind, places[one.area], one.time, one.camera, one.simulated)
