"""Counts of events that some rule asks about: of each kind, in each area, and there of each camera and zone.

A window begins and ends by the arrival clock. While it runs, what it has brought so far is held against what the whole
of it usually brings: so it never speaks too soon, and the score only rises until the window ends. The score of an area
is that of the most surprising of its streams, of the window under way or of the one before; with several streams, of
as many chances (Šidák). Simulated events are counted apart, and teach nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from models.counts import MOST, Counts, chance, upper
from rules.binding import Key
from sensors.observation import CameraEvent
from sensors.renames import Renames

Array = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
State = dict[str, npt.NDArray[Any]]

MOST_STREAMS = 512
"""Streams of one kind and window in a partition; what more cameras and zones see counts in the whole of their area."""
REMEMBERED = 4096
"""Events by their ids, so that what is told again, or goes on, counts once."""
LATE = 0.25
"""Share of a window after which an event that is told late no longer counts: a backlog is no surge."""
TELLING = 0.9
"""Score from which what was counted speaks for itself, though a source was away."""
MOST_PASSED = 400
"""Windows without a tick that are taken for empty ones; more, and nobody looked."""


class Stream(msgspec.Struct, frozen=True, array_like=True):
    """What is counted: events in an area, of one of its cameras and zones, or (both empty) in all of it."""

    area: str
    camera: str = ""
    zone: str = ""


class Best(msgspec.Struct, frozen=True, array_like=True):
    """What made the score of an area: a stream, its count, what was expected, and when the window began (unix s)."""

    stream: Stream
    count: int
    expected: float
    begin: float


class Noted(msgspec.Struct, array_like=True):
    """What does not fit arrays of one kind and window."""

    kind: str
    window: float
    number: int | None
    away: bool
    streams: list[Stream]
    areas: list[str]
    best: list[tuple[Best | None, Best | None]]  # of each area: the window under way, the one before


def renamed(noted: Noted, renames: Renames) -> Noted:
    """Write what is remembered under the ids that `renames` gives."""

    def stream(one: Stream) -> Stream:
        return Stream(renames.area(one.area), renames.cameras.get(one.camera, one.camera), one.zone)

    def best(one: Best | None) -> Best | None:
        return one and msgspec.structs.replace(one, stream=stream(one.stream))

    return msgspec.structs.replace(
        noted,
        streams=[stream(one) for one in noted.streams],
        areas=[renames.area(one) for one in noted.areas],
        best=[(best(now), best(before)) for now, before in noted.best],
    )


class Group:
    """The streams of one kind and window."""

    def __init__(self, kind: str, window: float, areas: Sequence[str]) -> None:
        self.kind, self.window, self.areas = kind, window, areas
        self.model = Counts(window)
        self.streams: list[Stream] = []
        self.row: dict[Stream, int] = {}
        self.area = np.empty(0, np.intp)
        self.count = np.empty((2, 0))  # all that was told; without simulation
        self.number: int | None = None  # of the window under way
        self.away = True  # the engine has not listened all through the window
        self.lost = np.zeros(len(areas), np.bool_)  # a camera was without signal in it
        self.least = np.ones((2, len(areas)))  # smallest p-value of the streams, of the window under way
        self.before = np.zeros((2, len(areas)))  # score of the window before
        self.best: list[tuple[Best | None, Best | None]] = [(None, None)] * len(areas)
        self.mean, self.spread = np.empty(0), np.empty(0)  # what the window under way is expected to bring
        self.known = np.empty(0, np.bool_)
        for place in range(len(areas)):
            self.add(Stream(areas[place]), place)
        self._foretell()

    def add(self, stream: Stream, place: int) -> int:
        """Begin a stream; return its row."""
        row = self.row[stream] = len(self.streams)
        self.streams.append(stream)
        self.model.grow(1)
        self.area = np.append(self.area, place)
        self.count = np.concatenate((self.count, np.zeros((2, 1))), axis=1)
        self.mean, self.spread = np.append(self.mean, 0.0), np.append(self.spread, 0.0)
        self.known = np.append(self.known, False)
        return row

    def turn(self, clock: float) -> None:
        """End the windows that lie before `clock`, and learn from them."""
        number = int(clock // self.window)
        if self.number is None:
            self.number = number
            self._foretell()
        if number == self.number:
            return
        if number > self.number and number - self.number <= MOST_PASSED:
            self.model.close(self.number, self.count[1], self.lost[self.area] | self.away)
            for passed in range(self.number + 1, number):
                self.model.close(passed, np.zeros(self.model.rows), np.full(self.model.rows, self.away))
            self.away = False
        else:
            self.away = True
        after = number == self.number + 1
        self.before = self.score() if after else np.zeros_like(self.before)
        self.best = [(None, run if after else None) for run, _ in self.best]
        self.number = number
        self.count[:] = 0.0
        self.least[:] = 1.0
        self.lost[:] = False
        self._foretell()

    def _foretell(self) -> None:
        self.known = ~self.model.learning()
        mean, doubt = self.model.expected(self.number or 0)
        self.mean, self.spread = mean, self.model.scatter() + doubt
        self.several = np.bincount(self.area[self.known], minlength=len(self.areas))

    def take(self, stream: Stream, place: int, simulated: bool) -> None:
        """Count one event."""
        row = self.row.get(stream)
        if row is None:
            if len(self.streams) >= MOST_STREAMS + len(self.areas):
                return
            row = self.add(stream, place)
        for which in (0,) if simulated else (0, 1):
            count = self.count[which, row] = min(self.count[which, row] + 1.0, float(MOST))
            if not self.known[row] or count <= self.mean[row]:
                continue
            p = upper(int(count), float(self.mean[row]), float(self.spread[row]))
            if p <= self.least[which, place]:
                self.least[which, place] = p
                if which == 0:
                    begin = (self.number or 0) * self.window
                    best = Best(stream, int(count), float(self.mean[row]), begin)
                    self.best[place] = (best, self.best[place][1])

    def score(self) -> Array:
        """Return the scores of the window under way, f8[2, areas]."""
        found = np.zeros_like(self.least)
        for which, place in np.argwhere(self.least < 1.0).tolist():
            found[which, place] = 1.0 - chance(int(self.several[place]), float(self.least[which, place]))
        return found

    def value(self) -> Array:
        """Return what rules see, f8[2, areas]: NaN while it learns, or a source is away and nothing stands out."""
        found: Array = np.maximum(self.score(), self.before)
        whole = slice(0, len(self.areas))  # the streams of whole areas come first
        away = self.lost | self.model.muted()[whole] | (self.away and self.number is not None)
        found[:, ~self.known[whole]] = np.nan
        found[:, away & ~(found[0] >= TELLING)] = np.nan
        return found

    def told(self, place: int) -> Best | None:
        """Give what made an area's score."""
        now, before = self.best[place]
        return now if now is not None and self.score()[0, place] >= self.before[0, place] else before or now


class Surges:
    """Count what some rule asks for with `surge(…)`. Pure: time comes with the calls."""

    def __init__(self, keys: Iterable[Key], areas: Sequence[str]) -> None:
        asked = sorted((str(key[1]), float(key[2])) for key in keys if key[0] == "surge")
        self._areas = areas
        self.groups = {pair: Group(*pair, areas) for pair in asked}
        self._of_kind: dict[str, list[Group]] = {}
        for (kind, _), group in self.groups.items():
            self._of_kind.setdefault(kind, []).append(group)
        self._values = {pair: group.value() for pair, group in self.groups.items()}
        self._heard: dict[int, None] = {}
        self.fixed: float | None = None  # what a rule's own test says instead of counts

    @property
    def nbytes(self) -> int:
        """Return bytes of the models."""
        return sum(group.model.nbytes for group in self.groups.values())

    def add(self, event: CameraEvent, area: int, time: float, simulated: bool, clock: float) -> None:
        """Take in an event that was seen at `time` and told at `clock` (unix s)."""
        groups = self._of_kind.get(event.kind)
        if groups is None or not self._is_new(event, simulated):
            return
        camera = "" if event.camera == "report" else event.camera
        streams = [Stream(self._areas[area])]
        if camera:
            streams += [Stream(self._areas[area], camera, zone) for zone in dict.fromkeys(event.zones or ("",))]
        for group in groups:
            group.turn(clock)
            if clock - time <= LATE * group.window:
                for stream in streams:
                    group.take(stream, area, simulated)
            self._values[group.kind, group.window] = group.value()

    def _is_new(self, event: CameraEvent, simulated: bool) -> bool:
        """Tell whether an event is told for the first time: an update counts where its beginning was not heard."""
        name = f"{event.area}\0{event.camera}\0{event.kind}\0{event.event}\0{int(simulated)}"
        once, same = (
            int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")
            for text in (name, f"{name}\0{event.time!r}")
        )
        if same in self._heard or (event.phase == "update" and once in self._heard):
            return False
        for one in (once, same):
            self._heard.pop(one, None)
            self._heard[one] = None
        while len(self._heard) > REMEMBERED:
            del self._heard[next(iter(self._heard))]
        return True

    def tick(self, clock: float, lost: Bools) -> None:
        """Move the clock; `lost`, bool[areas]: a camera there is without signal."""
        for pair, group in self.groups.items():
            before = group.number, bool((lost & ~group.lost).any())
            group.turn(clock)
            group.lost |= lost
            if before != (group.number, False):
                self._values[pair] = group.value()

    def pause(self) -> None:
        """Take it that nobody listened for a while: the windows under way are not whole."""
        for pair, group in self.groups.items():
            group.away = True
            self._values[pair] = group.value()

    def column(self, key: Key, areas: Rows, *, real: bool = False) -> Array:
        """Return scores of some areas, NaN where unknown; `real`: without simulated events."""
        if self.fixed is not None:
            return np.full(len(areas), self.fixed)
        found: Array = self._values[str(key[1]), float(key[2])][int(real), areas]
        return found

    def told(self, key: Key, area: int) -> Best | None:
        """Give what made an area's score."""
        return None if self.fixed is not None else self.groups[str(key[1]), float(key[2])].told(area)

    def state(self) -> tuple[list[Noted], State]:
        """Return all that is remembered."""
        notes, arrays = [], {}
        for number, ((kind, window), group) in enumerate(self.groups.items()):
            notes.append(
                Noted(kind, window, group.number, group.away, group.streams, list(group.areas), list(group.best))
            )
            for name, array in group.model.state().items():
                arrays[f"surge.{number}.model.{name}"] = array
            for name in ("count", "lost", "least", "before"):
                arrays[f"surge.{number}.{name}"] = getattr(group, name).copy()
        if self.groups:
            arrays["surge.heard"] = np.array(list(self._heard), np.uint64)
        return notes, arrays

    def restore(self, notes: Sequence[Noted], state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take over what `state` gave, as far as it is still asked for; a window that only began here is not whole."""
        for number, noted in enumerate(notes):
            group = self.groups.get((noted.kind, noted.window))
            if group is None:
                continue
            prefix = f"surge.{number}."
            model = {name: state[f"{prefix}model.{name}"] for name in Counts.ARRAYS}
            arrays = {name: state[prefix + name] for name in ("count", "lost", "least", "before")}
            place_of = {area: place for place, area in enumerate(self._areas)}
            for source, stream in enumerate(noted.streams):
                place = place_of.get(stream.area)
                if place is None:
                    continue
                row = group.row[stream] if stream in group.row else group.add(stream, place)
                group.model.take(row, model, source)
                group.count[:, row] = arrays["count"][:, source]
            for source, area in enumerate(noted.areas):
                place = place_of.get(area)
                if place is not None:
                    group.lost[place] = arrays["lost"][source]
                    group.least[:, place], group.before[:, place] = (
                        arrays["least"][:, source],
                        arrays["before"][:, source],
                    )
                    group.best[place] = noted.best[source]
            group.number, group.away = noted.number, noted.away
            group._foretell()
            self._values[noted.kind, noted.window] = group.value()
        self._heard = dict.fromkeys(int(one) for one in state.get("surge.heard", ()))
