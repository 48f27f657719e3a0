"""Cameras and sources that tell far too much: held to a rate, and what was last said of a state is told all the same.

What a camera sees is counted apart from what is said of its picture, and what is said once, of however many areas, is
one. In a window of arrival a teller may tell what the site's least rate makes of it; beyond, of any one second of its
own time no more than the rate. What is left out of a state (of a source, of a picture) would hold until the next
change: the newest of it is held, and told when the window closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, inf
from typing import NamedTuple

import msgspec

from sensors.lookup import Registry
from sensors.observation import HISTORICAL, CameraEvent, CameraHealth, Said, SourceState

WINDOW = 10.0
"""Seconds of arrival over which is counted what each tells."""

State = SourceState | CameraHealth
Told = tuple[int, Said]
"""The place of a message, and what it told."""


class Count:
    """Count what one camera or source has told in a window."""

    __slots__ = ("count", "limited", "second", "sent")

    def __init__(self) -> None:
        self.count, self.sent, self.second, self.limited = 0, 0, -inf, False


class Judged(NamedTuple):
    """Say what passed, which messages were the first too many of whom in the window, and which were further ones."""

    passed: list[Told]
    first: list[tuple[int, str]]
    surplus: list[int]


class Tellers:
    """Count what everybody tells of areas, and hold the newest states that were left out."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._rate = registry.site.flood.least
        self._opened = -inf
        self._counts: dict[str, Count] = {}
        self._held: dict[tuple[str, str], list[State]] = {}  # (teller, area) → states of different subjects
        self._gone: frozenset[str] | None = None  # cameras that held states say have gone; None: to be gathered

    def succeed(self, other: Tellers) -> None:
        """Go on with what was counted and held under an earlier version of the site, of areas that are there still."""
        self._opened, self._counts = other._opened, other._counts
        known = self._registry.area
        self._held = {(who, area): held for (who, area), held in other._held.items() if known(area) is not None}
        self._gone = None

    @property
    def holds(self) -> bool:
        """Tell whether any state is held."""
        return bool(self._held)

    def is_due(self, received: float) -> bool:
        """Tell whether something is held of a window that is over."""
        return bool(self._held) and not 0.0 <= received - self._opened < WINDOW

    def release(self, received: float) -> list[Said]:
        """Give what was held, once the window is over; a new one begins."""
        if 0.0 <= received - self._opened < WINDOW:
            return []
        self._opened = received
        self._counts.clear()
        held, self._held, self._gone = self._held, {}, None
        return [one for states in held.values() for one in states]

    def close(self) -> None:
        """End the window now: whatever is held is due."""
        self._opened = -inf

    def heard(self, points: Iterable[int], cameras: Iterable[str] = ()) -> None:
        """Take it that points (registry indices) and cameras are there: that they have gone is not to be told later."""
        back, seen = frozenset(points), frozenset(cameras)
        for key, states in list(self._held.items()):
            self._keep(key, [left for one in states if (left := _without_gone(one, back, seen)) is not None])

    def judge(self, told: Sequence[Told], received: float) -> Judged:
        """Count what was told (times stamped) by the messages of an arrival, and part what is too much."""
        judged = Judged([], [], [])
        known: dict[tuple[int, str, tuple[str, ...]], bool] = {}
        for place, said in told:
            who = teller(said)
            key = place, who, _what(said)
            passes = known.get(key)
            if passes is None:
                excess = self._excess(who, said.time)
                passes = known[key] = not excess
                if excess == "first":
                    judged.first.append((place, who))
                elif excess:
                    judged.surplus.append(place)
            if isinstance(said, CameraEvent):
                if self._held and not said.quality & HISTORICAL and said.camera in self._cameras_held():
                    self.heard((), (said.camera,))
            elif isinstance(said, State) and (self._held or not passes):
                self._supersede(who, said, hold=not passes)
            if passes:
                judged.passed.append((place, said))
        return judged

    def _cameras_held(self) -> frozenset[str]:
        """Name the cameras of which it is held that they have gone."""
        if self._gone is None:
            states = (one for states in self._held.values() for one in states if isinstance(one, SourceState))
            self._gone = frozenset(camera for one in states if one.state == "offline" for camera in one.cameras)
        return self._gone

    def _excess(self, who: str, time: float) -> str:
        """Count one thing told; say whether it is too much, and the `first` such or one `more` of the window."""
        count = self._counts.setdefault(who, Count())
        count.count += 1
        if count.count <= self._rate * WINDOW:
            return ""
        second = floor(time)
        count.sent = count.sent + 1 if second == count.second else 1
        count.second = second
        if count.sent <= self._rate:
            return ""
        known, count.limited = count.limited, True
        return "more" if known else "first"

    def _supersede(self, who: str, said: State, *, hold: bool) -> None:
        """Forget what is held of the subjects of a newer state; hold that, unless it passes."""
        key = who, said.area
        left = [rest for one in self._held.get(key, ()) if (rest := _without(one, said)) is not None]
        self._keep(key, [*left, said] if hold else left)

    def _keep(self, key: tuple[str, str], states: list[State]) -> None:
        self._gone = None
        if states:
            self._held[key] = states
        else:
            self._held.pop(key, None)


def teller(said: Said) -> str:
    """Name who told an observation: a camera that saw something, one that speaks of a picture, a source, a person."""
    match said:
        case CameraEvent():
            return f"camera {said.camera}"
        case CameraHealth():
            return f"camera {said.camera} by {said.source}"
        case SourceState():
            return said.source
    return f"reports of {said.actor or said.area}"


def _what(said: Said) -> tuple[str, ...]:
    """Name what was told, the same in every area."""
    match said:
        case CameraEvent():
            return said.kind, said.event, said.phase, str(said.time)
        case CameraHealth():
            return ()
        case SourceState():
            return (said.state,)
    return (said.id,)


def _without(one: State, newer: State) -> State | None:
    """Leave the subjects of a newer state out of one of the same teller and area."""
    if not isinstance(one, SourceState) or not isinstance(newer, SourceState):
        return None
    if (one.points, one.cameras) == (newer.points, newer.cameras):
        return None
    return _cut(one, frozenset(newer.points), frozenset(newer.cameras))


def _without_gone(one: State, points: frozenset[int], cameras: frozenset[str]) -> State | None:
    return _cut(one, points, cameras) if isinstance(one, SourceState) and one.state == "offline" else one


def _cut(one: SourceState, points: frozenset[int], cameras: frozenset[str]) -> SourceState | None:
    if points.isdisjoint(one.points) and cameras.isdisjoint(one.cameras):
        return one
    left = msgspec.structs.replace(
        one,
        points=tuple(point for point in one.points if point not in points),
        cameras=tuple(camera for camera in one.cameras if camera not in cameras),
    )
    return left if left.points or left.cameras else None
