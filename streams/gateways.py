"""Watch the gateways of one partition: gone when all their points are silent, or when they say so of themselves.

Pure: it looks at what the engine knows of points, at ticks and when a source says something of itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alerts.inhibition import Said
from rules.features import PointState
from sensors.observation import SourceState
from sensors.site import Gateway, Point

LEAST = 100.0
"""Seconds of silence below which no point counts as silent: rules on missing data wait two minutes or more."""

INTERVALS = 4.0
"""Expected intervals of silence from which a point counts as silent."""

LONGEST_GRACE = 3600.0
"""Seconds at most that points have to be heard of once their gateway is back."""


class Watched(NamedTuple):
    """One gateway with all its points, and whether its own alarm is ours to raise."""

    id: str
    area: str
    points: tuple[str, ...]
    start: int  # its first place among the members of all
    stop: int
    grace: float  # seconds
    owned: bool = True


class Gateways:
    """Tell which gateways are gone. `rows` are the partition's points by row, `areas` its areas.

    The points of a gateway that lie in several partitions are read in each of them, so that each knows by itself
    whether it is gone and what of its own is a symptom. `owned` says of which gateways the alarm is raised here.
    """

    def __init__(
        self,
        gateways: Sequence[Gateway],
        rows: Sequence[Point],
        areas: Iterable[str],
        owned: Callable[[Gateway, Sequence[Point]], bool] = lambda *_: True,
    ) -> None:
        self.told: dict[str, tuple[float, str]] = {}  # gone by its own word → since when, and what says so
        self.watched: list[Watched] = []
        self._sources = {source: gateway.id for gateway in gateways for source in gateway.sources}
        held = set(areas)
        members: dict[str, list[int]] = {}
        ours: set[str] = set()
        for row, point in enumerate(rows):
            if point.gateway:
                members.setdefault(point.gateway, []).append(row)
                if not held.isdisjoint(point.areas):
                    ours.add(point.gateway)
        all_rows: list[int] = []
        limits: list[float] = []
        for gateway in gateways:
            if gateway.id not in ours:
                continue
            own = sorted(members[gateway.id], key=lambda row: rows[row].index)
            after = [gateway.silent_after or max(INTERVALS * rows[row].interval, LEAST) for row in own]
            reached = (one for row in own for one in rows[row].areas if one in held)
            area = gateway.area if gateway.area in held else next(reached)
            points = tuple(rows[row].id for row in own)
            start = len(all_rows)
            all_rows += own
            limits += after
            grace = min(max(after), LONGEST_GRACE)
            mine = owned(gateway, [rows[row] for row in own])
            self.watched.append(Watched(gateway.id, area, points, start, len(all_rows), grace, mine))
        self._rows: npt.NDArray[np.intp] = np.array(all_rows, np.intp)
        self._limits = np.array(limits)
        self._starts = np.array([one.start for one in self.watched], np.intp)
        self.by_id = {one.id: one for one in self.watched}

    def __bool__(self) -> bool:
        return bool(self.watched)

    def follow(self, other: Gateways) -> None:
        """Go on with what gateways of an earlier version of the site said of themselves."""
        self.told = {id: said for id, said in other.told.items() if id in self.by_id}

    def hear(self, state: SourceState, clock: float) -> None:
        """Take in what a source says of itself, where it is a gateway."""
        id = self._sources.get(state.source, "")
        if id not in self.by_id:
            return
        if state.state == "offline":
            self.told.setdefault(id, (clock, state.source))
        else:
            self.told.pop(id, None)

    def step(self, seconds: float) -> None:
        """Follow a step of the wall clock."""
        self.told = {id: (since + seconds, source) for id, (since, source) in self.told.items()}

    def look(self, points: PointState) -> dict[str, Said]:
        """Return what is gone now, by id.

        Points that were never heard of say nothing; of the others at least two must be silent, and none may be heard.
        """
        if not self.watched:
            return {}
        rows = self._rows
        with np.errstate(invalid="ignore"):
            silent = points.offline[rows] | (points.age[rows] > self._limits)
        heard = ~np.isnan(points.last_received[rows]) & ~silent
        quiet = np.add.reduceat(silent.astype(np.intp), self._starts)
        loud = np.add.reduceat(heard.astype(np.intp), self._starts)
        gone = (quiet >= 2) & (loud == 0)
        found = {}
        for place in np.flatnonzero(gone).tolist():
            one = self.watched[place]
            simulated = bool(points.simulated[rows[one.start : one.stop]].all())
            found[one.id] = _said(one, simulated)
        for id, (since, source) in list(self.told.items()):
            one = self.by_id[id]
            last = points.last_received[rows[one.start : one.stop]]
            if float(np.max(last, initial=-math.inf, where=~np.isnan(last))) > since:
                del self.told[id]  # whatever it said, it carries readings
            else:
                simulated = bool(points.simulated[rows[one.start : one.stop]].all())
                found[id] = _said(one, simulated, source)
        return found


def _said(one: Watched, simulated: bool, source: str = "") -> Said:
    return Said(gateway=one.id, area=one.area, points=one.points, source=source, simulated=simulated, owned=one.owned)
