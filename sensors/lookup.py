"""Look things up in a loaded site by id, by area and by MQTT topic levels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sensors import measure
from sensors.partition import partition_of
from sensors.site import SYSTEM, SYSTEM_PARTITION, Area, AreaType, Camera, Gateway, Place, Point, Site, Unit

EARTH = 6_371_000.0
"""Metres of the earth's radius."""


def nearest_area(areas: Iterable[Area], location: tuple[float, float], within: float) -> Area | None:
    """Find the area whose location is nearest to one (degrees), at most `within` metres away."""

    def metres(area: Area) -> float:
        if area.location is None:
            return math.inf
        north = math.radians(area.location[0] - location[0])
        east = math.radians((area.location[1] - location[1] + 180.0) % 360.0 - 180.0)
        return EARTH * math.hypot(north, east * math.cos(math.radians(location[0])))

    found = min(areas, key=metres, default=None)
    return found if found is not None and metres(found) <= within else None


def converts(site: Site) -> bool:
    """Tell whether a site has values converted that come in another unit: its own say so, or its messages name units.

    Native readings may name one as well, which few do: the first of them pays for what it takes.
    """
    signals = site.signals
    return (
        bool(signals.senml or signals.sparkplug or signals.homeassistant)
        or any(point.source_unit not in ("", point.unit) for point in site.points)
        or any(one.unit or any(value.unit for value in one.values) for one in signals.mapped)
    )


class Source(NamedTuple):
    """Say which point a dialect's name means: `sent * scale + offset` is in the point's unit."""

    point: int  # registry index
    scale: float = 1.0
    offset: float = 0.0


class Registry:
    """Index a site once, so that every look-up is one dictionary access. Unknown ids give `None` or nothing.

    An id that something had before it was renamed finds it too; `points`, `areas` and `cameras` hold present ids only.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.version = site.version
        self.points = {point.id: point for point in site.points}
        self.areas = {area.id: area for area in site.areas}
        self.area_types = {kind.id: kind for kind in site.area_types}
        self.places = {place.id: place for place in site.places}
        self.cameras = {camera.id: camera for camera in site.cameras}
        self.units = {unit.id: unit for unit in site.units}
        self.by_index = {point.index: point for point in site.points}
        self.sources = {camera.source or camera.id: camera for camera in site.cameras}
        self.camera_sources = {name: camera for camera in site.cameras for name in camera.sources}
        self._sources: dict[str, Point] = {name: point for point in site.points for name in point.sources}
        self.topic_points = {(area, point.id): point for point in site.points for area in point.areas}
        """(area, point) as the levels of a topic name them → the point; any of its areas will do."""
        self.former_points = {name: point for point in site.points for name in point.renamed_from}
        self.former_areas = {name: area for area in site.areas for name in area.renamed_from}
        self.former_cameras = {name: camera for camera in site.cameras for name in camera.renamed_from}
        for point in (*self.former_points.values(), *(one for one in site.points if self.former_areas)):
            for area in point.areas:
                for level in (area, *self.areas[area].renamed_from):
                    for id in (point.id, *point.renamed_from):
                        self.topic_points.setdefault((level, id), point)
        self._partitions = {area.id: partition_of(area.group or area.id, site.partitions) for area in site.areas}
        for former, renamed in self.former_areas.items():
            self._partitions.setdefault(former, self._partitions[renamed.id])
        self._partitions[SYSTEM] = SYSTEM_PARTITION
        self._served: dict[str, list[Point]] = {}
        for point in site.points:
            for other in (*(driver.point for driver in point.drivers), *point.redundant):
                self._served.setdefault(other, []).append(point)
        spread: dict[str, set[int]] = {}
        for point in site.points:
            if point.gateway:
                spread.setdefault(point.gateway, set()).update(self._partitions[area] for area in point.areas)
        self._spread = {gateway: partitions for gateway, partitions in spread.items() if len(partitions) > 1}
        self._points_of: dict[str, list[Point]] = {area.id: [] for area in site.areas}
        for point in site.points:
            for name in point.areas:
                self._points_of[name].append(point)
        self._cameras_of: dict[str, list[Camera]] = {area.id: [] for area in site.areas}
        for camera in site.cameras:
            for name in camera.areas:
                self._cameras_of[name].append(camera)

    def point(self, id: str) -> Point | None:
        """Find a point by id."""
        return self.points.get(id) or self.former_points.get(id)

    def area(self, id: str) -> Area | None:
        """Find an area by id."""
        return self.areas.get(id) or self.former_areas.get(id)

    def area_type(self, area: str) -> AreaType | None:
        """Find the type of an area."""
        found = self.areas.get(area)
        return self.area_types.get(found.type) if found else None

    def place(self, id: str) -> Place | None:
        """Find a place by id."""
        return self.places.get(id)

    def camera(self, id: str) -> Camera | None:
        """Find a camera by id."""
        return self.cameras.get(id) or self.former_cameras.get(id)

    def camera_of_source(self, source: str) -> Camera | None:
        """Find a camera by the name its analytics use, which is its id unless the site says otherwise."""
        return self.sources.get(source) or self.former_cameras.get(source)

    def source(self, dialect: str, name: str, unit: str = "") -> Source | None:
        """Find the point that a dialect calls `name`: by the point's `sources`, else by its id.

        `unit` is what the message itself says that it sends in; without one it is the point's `source_unit`. Raise
        `sensors.measure.UnitError` when that cannot be converted to the point's unit.
        """
        point = self._sources.get(f"{dialect}:{name}") or self.point(name)
        if point is None:
            return None
        return Source(point.index, *self.conversion(point, unit))

    def conversion(self, point: Point, unit: str = "") -> tuple[float, float]:
        """Give what turns a value sent in `unit` (else in the point's `source_unit`) into the point's: scale, offset.

        Raise `sensors.measure.UnitError` when it cannot be converted, or not by a straight line (dBm to mW).
        """
        sent = unit or point.source_unit
        return measure.linear(sent, point.unit) if sent else (1.0, 0.0)

    def camera_named(self, dialect: str, name: str) -> Camera | None:
        """Find the camera that a dialect calls `name`: by the camera's `sources`, its `source`, or its id."""
        return self.camera_sources.get(f"{dialect}:{name}") or self.sources.get(name) or self.camera(name)

    def unit(self, id: str) -> Unit | None:
        """Find a unit by id."""
        return self.units.get(id)

    def partition(self, area: str) -> int:
        """Name the partition that carries an area's observations. Raise `KeyError` for an unknown area."""
        return self._partitions[area]

    def partitions_of(self, point: str) -> tuple[int, ...]:
        """Name the partitions that a point's readings go to, each once, in order.

        Those of its areas, those of the points that it drives or is redundant to, and those of the other points of its
        gateway: whether that is gone shows in all of them together.
        """
        served = (self.points[point], *self._served.get(point, ()))
        found = {self._partitions[area] for one in served for area in one.areas}
        return tuple(sorted(found | self._spread.get(self.points[point].gateway, set())))

    def owns(self, gateway: Gateway, points: Sequence[Point], partition: int) -> bool:
        """Tell whether a gateway's own alarm is a partition's to raise: where it stands, if it has points there.

        `points` are all that it carries, in the order of the registry. Else it is the partition of the first of them.
        """
        held = {self._partitions[area] for point in points for area in point.areas}
        stands = self._partitions.get(gateway.area, -1)
        return partition == (stands if stands in held else self._partitions[points[0].areas[0]])

    def points_of(self, area: str) -> list[Point]:
        """List the points that serve an area, shared ones included."""
        return self._points_of.get(area, [])

    def cameras_of(self, area: str) -> list[Camera]:
        """List the cameras that look at an area."""
        return self._cameras_of.get(area, [])

    def ancestors(self, place: str) -> list[Place]:
        """List a place and the places that hold it, innermost first; empty when unknown."""
        chain: list[Place] = []
        node = self.places.get(place)
        while node is not None and len(chain) < 8:
            chain.append(node)
            node = self.places.get(node.parent) if node.parent else None
        return chain

    def subdistrict(self, area: str) -> Place | None:
        """Find the subdistrict that an area lies in."""
        return self._of_kind(area, "subdistrict")

    def community(self, area: str) -> Place | None:
        """Find the community that an area lies in."""
        return self._of_kind(area, "community")

    def district(self, area: str) -> Place | None:
        """Find the district that an area lies in."""
        return self._of_kind(area, "district")

    def areas_of(self, place: str) -> list[Area]:
        """List the areas inside a place of any kind."""
        return [area for area in self.site.areas if any(node.id == place for node in self.ancestors(area.place))]

    def _of_kind(self, area: str, kind: str) -> Place | None:
        found = self.areas.get(area)
        if found is None:
            return None
        return next((place for place in self.ancestors(found.place) if place.kind == kind), None)
