"""Which points a figure near a point, or upstream of it, is made of: from what the site says of places and drivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rules.expression import Across, AcrossFlag
from sensors.site import Area, Point

Rows = npt.NDArray[np.intp]

MOST = 32
"""Points that count as the neighbours of one, the nearest first; those of its own area that have no location last."""

DENSE = 1_000_000
"""Pairs of places up to which every distance is worked out; a tree finds those of more."""

_EARTH = 6_371_000.0
"""Mean radius, metres."""


def members(
    node: Across | AcrossFlag, owners: Rows, points: Sequence[Point], areas: Mapping[str, Area]
) -> list[tuple[int, int]]:
    """List (row of a member, row of the point whose figure it is in) for the points `owners`."""
    return _upstream(node, owners, points) if node.over == "upstream" else _neighbours(node, owners, points, areas)


def _upstream(node: Across | AcrossFlag, owners: Rows, points: Sequence[Point]) -> list[tuple[int, int]]:
    row_of = {point.id: row for row, point in enumerate(points)}
    return [
        (row_of[driver.point], owner)
        for owner in owners.tolist()
        for driver in points[owner].drivers
        if driver.point in row_of and node.quantity in ("", points[row_of[driver.point]].quantity)
    ]


def _neighbours(
    node: Across | AcrossFlag, owners: Rows, points: Sequence[Point], areas: Mapping[str, Area]
) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    by_quantity: dict[str, list[int]] = {}
    for owner in owners.tolist():
        by_quantity.setdefault(node.quantity or points[owner].quantity, []).append(owner)
    for quantity, mine in by_quantity.items():
        rows = [row for row, point in enumerate(points) if point.quantity == quantity]
        by_area: dict[str, list[int]] = {}
        for row in rows:
            for area in points[row].areas:
                by_area.setdefault(area, []).append(row)
        near = _within(mine, rows, node.near, points, areas)
        for owner in mine:
            distance = near.get(owner, {})
            same = {row: np.inf for area in points[owner].areas for row in by_area.get(area, ())}
            chosen = same | distance
            chosen.pop(owner, None)
            found += [(row, owner) for row in sorted(chosen, key=lambda row: (chosen[row], row))[:MOST]]
    return found


def _within(
    owners: list[int], rows: list[int], metres: float, points: Sequence[Point], areas: Mapping[str, Area]
) -> dict[int, dict[int, float]]:
    """Find for each owner the rows whose location lies within so many metres, with the distance."""

    def located(chosen: list[int]) -> tuple[list[int], npt.NDArray[np.float64]]:
        places = {row: points[row].location or _home(points[row], areas) for row in chosen}
        there = [row for row in chosen if places[row] is not None]
        latitude, longitude = np.radians(np.array([places[row] for row in there], np.float64).reshape(-1, 2)).T
        flat = np.cos(latitude)
        return there, _EARTH * np.column_stack((flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)))

    here, at = located(owners)
    there, where = located(rows)
    if not here or not there:
        return {}
    found = _around(at, where, metres)  # over so short a way the chord is the arc
    return {
        owner: {there[place]: float(np.linalg.norm(where[place] - at[number])) for place in found[number]}
        for number, owner in enumerate(here)
    }


def _around(at: npt.NDArray[np.float64], where: npt.NDArray[np.float64], metres: float) -> Sequence[Sequence[int]]:
    """List for each place of `at` those of `where`, both (n, 3), that lie within so many metres."""
    if len(at) * len(where) > DENSE:
        from scipy.spatial import cKDTree  # here: it takes a tenth of a start to load

        by_tree: Sequence[Sequence[int]] = cKDTree(where).query_ball_point(at, metres)
        return by_tree
    squared = np.square(at[:, None] - where).sum(2)
    return [np.flatnonzero(row).tolist() for row in squared <= metres * metres]


def _home(point: Point, areas: Mapping[str, Area]) -> tuple[float, float] | None:
    area = areas.get(point.areas[0]) if point.areas else None
    return area.location if area is not None else None
