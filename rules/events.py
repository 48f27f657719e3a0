"""What cameras saw: the last real and the last simulated event of each kind in each area."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.observation import CameraEvent, Report

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


LONGEST = 200
"""Characters kept of what an event says in words."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What is shown of an event as evidence, a camera's or a report: `report` is its id, `by` who brought it."""

    kind: str
    time: float
    camera: str = ""
    level: str = ""  # the warning level that its source gave it
    detail: str = ""  # in the source's own words, or the reporter's
    report: str = ""
    by: str = ""
    photo: bool = False

    @classmethod
    def of(cls, event: CameraEvent, time: float, report: Report | None) -> Told:
        """Take what is shown of an event, or of the report that it stands for."""
        if report is None:
            return cls(event.kind, time, event.camera, event.level, event.detail[:LONGEST])
        words, by = report.text[:LONGEST], report.actor[:LONGEST]
        return cls(event.kind, time, "", "", words, report.id, by, report.photo is not None)


class Sighting(msgspec.Struct, frozen=True, array_like=True):
    """The last event of a kind in an area, of the real or of the simulated ones."""

    kind: str
    area: str
    time: float
    camera: str
    simulated: bool
    told: Told | None = None


class Sightings:
    """Remember, for kinds that some rule asks for, when they were last seen in each area (event time).

    Real and simulated events are kept apart: a simulation must not hide what was really seen, nor be taken for it.
    """

    def __init__(self, kinds: set[str], areas: Sequence[str]) -> None:
        self._areas = areas
        self._last = {kind: np.full((2, len(areas)), -np.inf) for kind in sorted(kinds)}  # real, simulated
        nothing: list[Told | None] = [None] * len(areas)
        self._told = {kind: (list(nothing), list(nothing)) for kind in sorted(kinds)}

    def add(self, kind: str, area: int, time: float, simulated: bool, told: Told) -> None:
        """Take in an event; kinds that no rule asks for are forgotten."""
        if kind not in self._last:
            return
        if time >= self._last[kind][int(simulated), area]:
            self._last[kind][int(simulated), area] = time
            self._told[kind][simulated][area] = told

    def step(self, clock: float) -> None:
        """Follow a clock that was set back: nothing was seen after now."""
        for last in self._last.values():
            np.minimum(last, clock, out=last)

    def since(self, kind: str, areas: Rows, now: Array, *, real: bool = False) -> Array:
        """Return seconds between `now` and the last event, before or after; infinite if never. `real` ones only."""
        last = self._last[kind]
        since: Array = np.abs(now - last[0, areas])
        return since if real else np.minimum(since, np.abs(now - last[1, areas]))

    def told(self, kind: str, area: int, now: float) -> Told | None:
        """Give what was told of `kind` nearest to `now`; of what is counted, the report that made up the number."""
        real, simulated = np.abs(now - self._last[kind][:, area])
        return self._told[kind][int(simulated < real)][area]

    def state(self) -> list[Sighting]:
        """List what is remembered."""
        return [
            Sighting(kind, self._areas[area], float(last[which, area]), told.camera if told else "", bool(which), told)
            for kind, last in self._last.items()
            for which, area in np.argwhere(last > -np.inf).tolist()
            for told in (self._told[kind][which][area],)
        ]

    def restore(self, sightings: Sequence[Sighting]) -> None:
        """Take over what `state` gave, as far as it is still asked for."""
        places = {area: place for place, area in enumerate(self._areas)}
        for one in sightings:
            if one.area in places:
                told = one.told or Told(one.kind, one.time, one.camera)  # as older states have it
                self.add(one.kind, places[one.area], one.time, one.simulated, told)
