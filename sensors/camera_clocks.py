"""The clocks of cameras: measured by the events that they send, as those of points are by their readings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import isnan

import msgspec
import numpy as np

from sensors.clocks import Clocks
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.observation import HISTORICAL, CameraEvent, Said


class CameraClocks:
    """Hold the clock of every camera of a site."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._places = {camera.id: place for place, camera in enumerate(registry.site.cameras)}
        names = {place: f"camera {id}" for id, place in self._places.items()}
        self._clocks = Clocks(names, registry.site.skew)

    def succeed(self, other: CameraClocks) -> None:
        """Go on with what was known under an earlier version of the site, of cameras that are there still."""
        moved = {}
        for id, place in other._places.items():
            camera = self._registry.camera(id)
            if camera is not None:
                moved[place] = self._places[camera.id]
        self._clocks.succeed(other._clocks, moved)

    def follow(
        self, told: Sequence[tuple[int, Said]], received: float, stored: Collection[int]
    ) -> Sequence[tuple[int, Said]]:
        """Measure, and set the times of events of wrong clocks right, flagged SKEWED.

        Times of NaN are of no clock. What is `stored` at the broker is history, which is neither measured nor moved.
        """
        rows, events = [], []
        for row, (_, said) in enumerate(told):
            if isinstance(said, CameraEvent) and not isnan(said.time) and said.camera in self._places:
                rows.append(row)
                events.append(said)
        if not events:
            return told
        history = np.array([HISTORICAL if told[row][0] in stored else 0 for row in rows], np.uint8)
        columns = Decoded(
            np.array(rows, np.intp),
            np.array([self._places[event.camera] for event in events], np.intp),
            np.array([event.time for event in events]),
            np.zeros(len(rows)),
            np.array([event.quality for event in events], np.uint8) | history,
        )
        newest, oldest = float(columns.time.max()), float(columns.time.min())
        before = columns.quality
        self._clocks.follow(columns, received, newest, oldest)
        if columns.quality is before:
            return told
        moved = list(told)
        for at in np.flatnonzero(columns.quality != before).tolist():
            event, quality = events[at], int(columns.quality[at] & ~before[at]) | events[at].quality
            changed = msgspec.structs.replace(event, time=float(columns.time[at]), quality=quality)
            moved[rows[at]] = told[rows[at]][0], changed
        return moved

    def take_notes(self) -> list[str]:
        """Take what has been found of clocks since the last call, a sentence each."""
        return self._clocks.take_notes()

    def figures(self) -> dict[str, float]:
        """Give the clocks that are wrong, worst first: camera → seconds ahead (behind when negative)."""
        return {name.removeprefix("camera "): ahead for name, ahead in self._clocks.figures().items()}

    @property
    def wrong(self) -> int:
        """Count the clocks that are wrong."""
        return self._clocks.wrong
