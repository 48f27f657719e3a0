"""What is known of the health of cameras: who says what is wrong with each, and when something was last heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from rules.binding import Column, Key
from sensors.observation import CAMERA_FAULTS, HISTORICAL, SIMULATED, UNUSABLE, CameraHealth, SourceState
from sensors.site import Camera

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

OWN = "camera"
"""The source that tells at least once a minute: our own camera process. Only its silence means anything."""

OF_TEXTURE = ("blur", "cover", "shift")
"""Faults that cannot be told where the view cannot be judged."""

MAX_SOURCES = 16
"""Sources that may speak of one camera; beyond, the one longest unheard is forgotten, first one without faults."""

_PLACE = {fault: place for place, fault in enumerate(CAMERA_FAULTS)}


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What one source said last of one camera."""

    source: str
    time: float
    faults: tuple[str, ...]
    judged: bool
    simulated: bool
    stated: bool = False  # it speaks of a device that has gone, not of a picture


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """All that is known of one camera, as it is saved."""

    camera: str
    heard: float | None  # when something was last heard of its health; None: nothing is expected
    told: list[Told]
    read: bool = False  # whether the site had it read


class CameraState:
    """What rules remember of each camera of a partition; all is unknown before something is heard."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self.ids = [camera.id for camera in cameras]
        self.place = {id: place for place, id in enumerate(self.ids)}
        self.heard = np.full(len(cameras), np.nan)  # by the arrival clock
        self._read = [bool(camera.stream or camera.snapshot) for camera in cameras]  # as the site says
        self.expected = np.array(self._read, np.bool_)
        self._fault = np.full((2, len(cameras), len(CAMERA_FAULTS)), np.nan)  # all that is said; without simulation
        self._judged = np.full((2, len(cameras)), np.nan)
        self._told: dict[int, dict[tuple[str, bool, bool], Told]] = {}

    @property
    def nbytes(self) -> int:
        """Return bytes of the arrays."""
        return sum(array.nbytes for array in (self.heard, self.expected, self._fault, self._judged))

    def health(self, what: CameraHealth, clock: float) -> int | None:
        """Take in what is wrong with a camera; return its place, None where nothing changed.

        History and what its source itself calls bad are left out.
        """
        place = self.place.get(what.camera)
        if place is None or what.quality & (HISTORICAL | UNUSABLE):
            return None
        simulated = bool(what.quality & SIMULATED)
        if not simulated and (what.source == OWN or (self.expected[place] and not self._read[place])):
            self.expected[place] = True
            self.heard[place] = np.fmax(self.heard[place], min(what.received, clock))
        faults = tuple(fault for fault in CAMERA_FAULTS if what.faults.get(fault, 0.0) > 0.0)
        return self._say(place, Told(what.source, min(what.time, clock), faults, what.judged, simulated))

    def state_of_source(self, what: SourceState, clock: float) -> list[int]:
        """Take in that a source has gone or come back, for the cameras that it speaks for; return their places."""
        if what.quality & (HISTORICAL | UNUSABLE):
            return []
        simulated = bool(what.quality & SIMULATED)
        faults = ("loss",) if what.state == "offline" else ()
        told = Told(what.source, min(what.time, clock), faults, False, simulated, True)
        places = [self.place[camera] for camera in what.cameras if camera in self.place]
        return [place for place in places if self._say(place, told) is not None]

    def seen(self, camera: str, simulated: bool, clock: float) -> int | None:
        """Take in that a camera saw something: whatever said that it had gone, it is there; return its place."""
        place = self.place.get(camera)
        if place is None or place not in self._told:
            return None
        gone = [one for one in self._told[place].values() if one.stated and one.faults]
        gone = [one for one in gone if one.simulated or not simulated]
        for one in gone:
            self._say(place, msgspec.structs.replace(one, time=max(one.time, clock), faults=()))
        return place if gone else None

    def tick(self, clock: float) -> None:
        """Move the clock: from cameras that are read something is expected from the first tick on."""
        self.heard[self.expected & np.isnan(self.heard)] = clock
        np.minimum(self.heard, clock, out=self.heard)

    def pause(self, since: float, until: float) -> None:
        """Leave out the time between two ticks in which nobody listened, but for a second."""
        self.heard = np.minimum(self.heard + max(until - since - 1.0, 0.0), until)

    def step(self, seconds: float, clock: float) -> None:
        """Move what was measured on the arrival clock with a step of the wall clock, to `clock`."""
        self.heard += seconds
        for told in self._told.values():
            for key, one in told.items():
                told[key] = msgspec.structs.replace(one, time=min(one.time, clock))

    def column(self, key: Key, places: Rows, clock: float, *, real: bool = False) -> Array:
        """Return a feature of some cameras, NaN where unknown; `real`: without what is simulated."""
        which = int(real)
        match key:
            case ("age",) | ("silence",):  # rules of data quality and of risk see the same of a camera
                return np.where(self.expected[places], np.maximum(clock - self.heard[places], 0.0), np.nan)
            case ("judged",):
                judged: Array = self._judged[which, places]
                return judged
            case ("fault", "any"):
                every = self._fault[which, places]
                some = (every == 1.0).any(axis=1)
                return np.where(some, 1.0, np.where(np.isnan(every).any(axis=1), np.nan, 0.0))
            case ("fault", kind):
                found: Array = self._fault[which, places, _PLACE[str(kind)]]
                return found
        raise KeyError(key)

    def faults(self, place: int) -> list[str]:
        """List what is wrong with a camera."""
        return [fault for fault, holds in zip(CAMERA_FAULTS, self._fault[0, place], strict=True) if holds == 1.0]

    def state(self) -> list[Noted]:
        """List what is known."""
        known = {*self._told, *np.flatnonzero(~np.isnan(self.heard)).tolist()}
        return [
            Noted(
                self.ids[place],
                float(self.heard[place]) if self.expected[place] and not np.isnan(self.heard[place]) else None,
                [self._told[place][key] for key in self._told[place]] if place in self._told else [],
                self._read[place],
            )
            for place in sorted(known)
        ]

    def restore(self, noted: Iterable[Noted]) -> set[int]:
        """Take over what `state` listed, for the cameras that are still there.

        Of one that the site had read and does so no more, what our own process said is left out, and nothing more is
        expected: nobody would ever take it back. Return the places of those of which no other source tells a fault.
        """
        let_go = set()
        for one in noted:
            place = self.place.get(one.camera)
            if place is None:
                continue
            unread = one.read and not self._read[place]
            if one.heard is not None and not unread:
                self.heard[place] = one.heard
                self.expected[place] = True
            for told in one.told:
                if not (unread and told.source == OWN):
                    self._told.setdefault(place, {})[_key(told)] = told
            self._settle(place)
            if unread and not self.faults(place):
                let_go.add(place)
        return let_go

    def _say(self, place: int, told: Told) -> int | None:
        key = _key(told)
        known = self._told.setdefault(place, {})
        before = known.pop(key, None)
        if before is not None and told.time < before.time:
            known[key] = before
            return None
        known[key] = told
        if len(known) > MAX_SOURCES:
            others = [key for key, one in known.items() if one.source != OWN]
            del known[min(others, key=lambda key: bool(known[key].faults))]
        if before is not None and (before.faults, before.judged) == (told.faults, told.judged):
            return None
        self._settle(place)
        return place

    def _settle(self, place: int) -> None:
        told = self._told.get(place, {})
        for which, said in enumerate((list(told.values()), [one for one in told.values() if not one.simulated])):
            self._fault[which, place], self._judged[which, place] = _together(said)


def _key(told: Told) -> tuple[str, bool, bool]:
    return told.source, told.simulated, told.stated


def _together(said: Sequence[Told]) -> tuple[Array, float]:
    """Join what several sources say: a fault is there when one says so, and unknown where none can tell."""
    faults = np.full(len(CAMERA_FAULTS), np.nan)
    there = {fault for one in said for fault in one.faults}
    looked = [one for one in said if not one.stated]
    own = [one for one in looked if one.source == OWN] or looked
    judged = bool(own) and all(one.judged for one in own) and "loss" not in there
    for fault, place in _PLACE.items():
        if fault in there:
            faults[place] = 1.0
        elif fault == "loss":
            faults[place] = 0.0 if said else np.nan
        elif looked and "loss" not in there and (judged or fault not in OF_TEXTURE):
            faults[place] = 0.0
    return faults, float(judged) if looked else np.nan


class CameraFeatures:
    """Columns of features of some cameras at the arrival clock; see `rules.features.Features`."""

    def __init__(self, places: Rows, clock: float, state: CameraState, *, real: bool = False) -> None:
        self.places, self.now = places, np.full(len(places), clock)
        self._clock, self._state, self._real = clock, state, real

    def column(self, key: Key) -> Array:
        """Return one column, float64, NaN where unknown; true is 1 and false 0."""
        return self._state.column(key, self.places, self._clock, real=self._real)

    def at(self, wanted: Column, place: Rows) -> Array:
        """Return a column at some places."""
        return self.column(wanted.key)[place]

    def without_simulation(self) -> CameraFeatures:
        """Return the same cameras without what is simulated of them."""
        return CameraFeatures(self.places, self._clock, self._state, real=True)
