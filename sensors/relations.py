"""Check what a site says of points that belong together: drivers, which foretell, and redundant ones, which confirm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sensors import measure
from sensors.document import Document, Path
from sensors.findings import Findings
from sensors.site import Point

MAX_DRIVERS = 8
MAX_REDUNDANT = 16
SHORTEST, LONGEST = 60.0, 14 * 86400.0
"""Seconds that a lag may be."""
_NO_SIZE = ("switch", "state")


class Related(NamedTuple):
    """A point that names others, and where it does: at its own place in the document, or at that of its group."""

    point: Point
    document: Document
    own: Path
    group: Path

    def at(self, field: str) -> Path:
        """Find where a field is written."""
        node = self.document.data
        for step in self.own:
            node = node[step]
        return (*(self.own if isinstance(node, dict) and field in node else self.group), field)


def check_related(related: Sequence[Related], points: Sequence[Point] | None, findings: Findings) -> None:
    """Note drivers and redundant points that cannot be; `points` is None when not all of the site's are known."""
    known = None if points is None else {point.id: point for point in points}
    for one in related:
        if one.point.drivers:
            _drivers(one, known, findings)
        if one.point.redundant:
            _redundant(one, known, findings)
    if known is not None:
        _circles(related, known, findings)


def _drivers(one: Related, known: dict[str, Point] | None, findings: Findings) -> None:
    def note(message: str) -> None:
        findings.add(one.document, one.at("drivers"), message)

    drivers = one.point.drivers
    if len(drivers) > MAX_DRIVERS:
        note(f"a point has at most {MAX_DRIVERS} drivers, not {len(drivers)}")
    if one.point.kind != "gauge":
        note(f"only a gauge has drivers, '{one.point.id}' is a {one.point.kind}")
    if len({driver.point for driver in drivers}) != len(drivers):
        note("a driver is named twice")
    for driver in drivers:
        if not SHORTEST <= driver.lag <= LONGEST:
            note(f"the lag of '{driver.point}' is no duration between 1 min and 14 d, such as 8 h")
        if driver.point == one.point.id:
            note(f"'{driver.point}' cannot drive itself")
        elif findings.reference("point", driver.point, known, one.document, one.at("drivers")) and known:
            kind = known[driver.point].kind
            if kind in (*_NO_SIZE, "angle"):
                note(f"'{driver.point}' is a {kind}: a driver is a gauge or a counter")


def _redundant(one: Related, known: dict[str, Point] | None, findings: Findings) -> None:
    def note(message: str) -> None:
        findings.add(one.document, one.at("redundant"), message)

    point = one.point
    if len(point.redundant) > MAX_REDUNDANT:
        note(f"a point has at most {MAX_REDUNDANT} redundant ones, not {len(point.redundant)}")
    if point.kind != "gauge":
        note(f"only gauges are redundant, '{point.id}' is a {point.kind}")
    if len(set(point.redundant)) != len(point.redundant):
        note("a point is named twice")
    for id in point.redundant:
        if findings.reference("point", id, known, one.document, one.at("redundant")) and known:
            other = known[id]
            if other.kind != "gauge":
                note(f"'{id}' is a {other.kind}: only gauges are redundant")
            elif measure.is_unit(point.unit) and measure.is_unit(other.unit) and other.unit != point.unit:
                note(f"'{id}' is in '{other.unit}', '{point.id}' in '{point.unit}': they must have one unit")


def _circles(related: Sequence[Related], known: dict[str, Point], findings: Findings) -> None:
    """Note points that drive themselves by way of others."""
    for one in related:
        seen: set[str] = set()
        ahead: list[tuple[str, tuple[str, ...]]]
        ahead = [(driver.point, (one.point.id, driver.point)) for driver in one.point.drivers]
        while ahead:
            id, way = ahead.pop()
            if id == one.point.id and len(way) > 2:
                findings.add(one.document, one.at("drivers"), f"drives itself: {' ← '.join(way)}")
                break
            if id in seen or id not in known or id == one.point.id:
                continue
            seen.add(id)
            ahead += [(driver.point, (*way, driver.point)) for driver in known[id].drivers]
