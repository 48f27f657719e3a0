"""A source has gone or come back: told area by area, for what it speaks for there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

from sensors.lookup import Registry
from sensors.observation import SourceState
from sensors.site import Camera

LONGEST = 256
"""Characters kept of a source's name."""

State = Literal["online", "offline"]
T = TypeVar("T")


def of_points(
    registry: Registry, points: Iterable[int], source: str, state: State, received: float
) -> list[SourceState]:
    """Say that the source of points (registry indices) has gone or come back."""
    return [
        SourceState(
            area=area, source=source[:LONGEST], state=state, time=received, received=received, points=tuple(found)
        )
        for area, found in _by_area(points, lambda point: registry.by_index[point].areas)
    ]


def of_cameras(cameras: Iterable[Camera], source: str, state: State, received: float) -> list[SourceState]:
    """Say that the source of cameras has gone or come back."""
    return [
        SourceState(
            area=area,
            source=source[:LONGEST],
            state=state,
            time=received,
            received=received,
            cameras=tuple(dict.fromkeys(camera.id for camera in found)),
        )
        for area, found in _by_area(cameras, lambda camera: camera.areas)
    ]


def _by_area(things: Iterable[T], areas: Callable[[T], Iterable[str]]) -> Iterator[tuple[str, list[T]]]:
    found: dict[str, list[T]] = {}
    for thing in things:
        for area in dict.fromkeys(areas(thing)):
            found.setdefault(area, []).append(thing)
    yield from found.items()
