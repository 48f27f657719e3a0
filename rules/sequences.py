"""What cameras saw, counted and put in order: so many events of a kind within a time, one kind after another.

Of each kind that some rule counts or puts in order, the latest `MOST` events of each area are remembered by their first
moment: an event counts once, however often it is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.observation import CameraEvent

if TYPE_CHECKING:
    from rules.binding import Key

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

MOST = 50
"""Events of one kind in one area that are remembered, real and simulated ones apart: a rule can ask for so many."""

FEWEST, LONGEST = 2, 4
"""Kinds that a sequence may name."""

_BETWEEN = "\x1f"


def sequence_name(kinds: Sequence[str], seconds: float) -> str:
    """Name a sequence as a kind of sighting."""
    return _BETWEEN.join((*kinds, repr(float(seconds))))


def parts_of(name: str) -> tuple[tuple[str, ...], float] | None:
    """Return the kinds and the seconds of what `sequence_name` named; None for another kind of sighting."""
    *kinds, seconds = name.split(_BETWEEN)
    return (tuple(kinds), float(seconds)) if kinds else None


class Heard(msgspec.Struct, array_like=True):
    """Events of a kind in an area, real or simulated: when each was first told of (event time, oldest first), its name.

    A name is a hash of the camera and the source's own id, which some sources give to many events.
    """

    kind: str
    area: str
    simulated: bool
    times: list[float]
    names: list[bytes]


class Sequences:
    """Remember events of the kinds that some rule counts or puts in order."""

    def __init__(self, counted: Iterable[Key], sequences: Iterable[str], areas: Sequence[str]) -> None:
        self._areas = areas
        self._ending: dict[str, list[tuple[str, tuple[str, ...], float]]] = {}  # kind → the sequences that have it
        for name in sorted(sequences):
            parts = parts_of(name)
            if parts is not None:
                for kind in sorted(set(parts[0])):
                    self._ending.setdefault(kind, []).append((name, *parts))
        kinds = {str(key[1]) for key in counted if key[0] == "events"}
        self._times = {kind: np.full((2, len(areas), MOST), np.nan) for kind in sorted(kinds | self._ending.keys())}
        self._heard: dict[tuple[str, int, bool], Heard] = {}

    @property
    def nbytes(self) -> int:
        """Return bytes of the arrays."""
        return sum(times.nbytes for times in self._times.values())

    def add(self, event: CameraEvent, area: int, time: float, simulated: bool) -> Iterator[tuple[str, float, bool]]:
        """Take in an event that was seen at `time`; yield the sequences that stand now.

        Of each its name, the time of its first event, and whether by simulation. Of an event told before nothing is
        new: an update counts where its beginning was not heard.
        """
        kind = event.kind
        if kind not in self._times:
            return
        heard = self._of(kind, area, simulated)
        name = hashlib.blake2b(f"{event.camera}\0{event.event}".encode(), digest_size=8).digest()
        if name in heard.names and (
            event.phase == "update" or (time, name) in zip(heard.times, heard.names, strict=True)
        ):
            return
        place = next((n for n, known in enumerate(heard.times) if known > time), len(heard.times))
        heard.times.insert(place, time)
        heard.names.insert(place, name)
        del heard.times[:-MOST], heard.names[:-MOST]
        self._lay(heard, area)
        for wanted, kinds, seconds in self._ending.get(kind, ()):
            real = [self._heard_times(one, area, real=True) for one in kinds]
            begun = _begun(real, seconds)
            if begun is not None:
                yield wanted, begun, False
            if simulated or any(self._heard.get((one, area, True)) for one in kinds):
                begun = _begun([self._heard_times(one, area, real=False) for one in kinds], seconds)
                if begun is not None:
                    yield wanted, begun, True

    def column(self, key: Key, areas: Rows, now: Array, *, real: bool = False) -> Array:
        """Return how many events of a kind lie within a time of `now`, before or after; `real` ones only."""
        times = self._times[str(key[1])]
        within: Array = (np.abs(now[:, None] - times[0, areas]) <= float(key[2])).sum(axis=1).astype(np.float64)
        if real:
            return within
        simulated: Array = (np.abs(now[:, None] - times[1, areas]) <= float(key[2])).sum(axis=1).astype(np.float64)
        return within + simulated

    def step(self, clock: float) -> None:
        """Follow a clock that was set back: nothing was seen after now."""
        for (_, area, _), heard in self._heard.items():
            heard.times[:] = [min(time, clock) for time in heard.times]
            self._lay(heard, area)

    def state(self) -> list[Heard]:
        """List what is remembered."""
        return list(self._heard.values())

    def restore(self, heard: Iterable[Heard]) -> None:
        """Take over what `state` listed, as far as it is still asked for."""
        places = {area: place for place, area in enumerate(self._areas)}
        for one in heard:
            if one.kind in self._times and one.area in places:
                mine = msgspec.structs.replace(one, times=list(one.times), names=list(one.names))
                self._heard[one.kind, places[one.area], one.simulated] = mine
                self._lay(mine, places[one.area])

    def _of(self, kind: str, area: int, simulated: bool) -> Heard:
        key = kind, area, simulated
        if key not in self._heard:
            self._heard[key] = Heard(kind, self._areas[area], simulated, [], [])
        return self._heard[key]

    def _heard_times(self, kind: str, area: int, *, real: bool) -> list[float]:
        found = [self._heard.get((kind, area, simulated)) for simulated in ((False,) if real else (False, True))]
        return sorted(time for one in found if one is not None for time in one.times)

    def _lay(self, heard: Heard, area: int) -> None:
        row = self._times[heard.kind][int(heard.simulated), area]
        row[:] = np.nan
        row[: len(heard.times)] = heard.times


def _begun(times: Sequence[list[float]], seconds: float) -> float | None:
    """Return when the latest sequence began whose events follow each other within `seconds`; None where there is none.

    `times` are those of each kind, ascending. Of each end the latest beginning is looked for, going backwards.
    """
    best: float | None = None
    for end in reversed(times[-1]):
        at: float | None = end
        for earlier in reversed(times[:-1]):
            at = next((time for time in reversed(earlier) if at is not None and time <= at), None)
            if at is None:
                break
        if at is not None and end - at <= seconds and (best is None or at > best):
            best = at
    return best
