"""What was renamed between two versions of a site: the same points, areas and cameras under other ids."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from sensors.site import Area, Camera, Point, Site

Part = TypeVar("Part", Area, Point, Camera)


class Renames(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Map ids of before to those of now."""

    points: dict[str, str] = {}
    areas: dict[str, str] = {}
    cameras: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.points or self.areas or self.cameras)

    def scope(self, scope: str, area: str | None = None, kind: str | None = None) -> str:
        """Rename what a rule watches. Its kind is the rule's `scope`; unknown, it goes by the area of before."""
        if kind is not None:
            kinds = [{"point": self.points, "area": self.areas, "camera": self.cameras}[kind]]
        elif area is None:
            kinds = [self.points, self.areas, self.cameras]
        else:
            kinds = [self.areas] if scope == area else [self.points, self.cameras]
        return next((names[scope] for names in kinds if scope in names), scope)

    def area(self, area: str) -> str:
        """Rename an area."""
        return self.areas.get(area, area)


def between(before: Site, after: Site) -> Renames:
    """Find what `after` says was renamed and `before` still knows by another id.

    A rename undone by going back to an earlier version counts as well: a point is known by its index.
    """
    if before is after:
        return Renames()
    numbers = {point.index: point.id for point in after.points}
    points = {
        point.id: numbers[point.index]
        for point in before.points
        if point.index >= 0 and numbers.get(point.index, point.id) != point.id
    }
    return Renames(
        points=points,
        areas={**_undone(before.areas, after.areas), **_done(before.areas, after.areas)},
        cameras={**_undone(before.cameras, after.cameras), **_done(before.cameras, after.cameras)},
    )


def _done(before: tuple[Part, ...], after: tuple[Part, ...]) -> dict[str, str]:
    known, now = {part.id for part in before}, {part.id for part in after}
    return {
        name: part.id
        for part in after
        if part.renamed_from and part.id not in known
        for name in part.renamed_from
        if name in known and name not in now
    }


def _undone(before: tuple[Part, ...], after: tuple[Part, ...]) -> dict[str, str]:
    return {new: old for old, new in _done(after, before).items()}


def as_dict(renames: Renames) -> dict[str, Any]:
    """Turn into plain data, without what is empty."""
    found: dict[str, Any] = msgspec.to_builtins(renames)
    return found
