"""Whom to send: units of the area's place and the places above it, by hazard, then by load, then by distance."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import asin, cos, inf, radians, sin, sqrt

from alerts.duty import Roster
from sensors.site import Area, Site, Unit

_Tier = tuple[int, int, int]

_EARTH = 6371.0088  # km, mean radius (IUGG)


class Router:
    """Answer who can be sent to an area. Built once from a site; pure."""

    def __init__(self, site: Site) -> None:
        self.areas = {area.id: area for area in site.areas}
        self.units = {unit.id: unit for unit in site.units}
        self.places = {place.id: place for place in site.places}
        self.cameras = {camera.id for camera in site.cameras}
        self._at: dict[str, list[Unit]] = {}
        for unit in site.units:
            self._at.setdefault(unit.place, []).append(unit)
        self._roster, self._turned = Roster(site), any(unit.shifts for unit in site.units)
        self._suggested: dict[tuple[str, str], tuple[tuple[_Tier, str], ...]] = {}
        self._subdistricts: dict[str, str] = {}

    def suggest(
        self,
        area: str,
        kind: str = "risk",
        tried: Collection[str] = (),
        at: float | None = None,
        load: Mapping[str, int] | None = None,
    ) -> list[str]:
        """List the units to send to an area, best first, without those already `tried`.

        The nearest place of the hierarchy comes first (community, subdistrict, district), there the place's own unit
        before the departments, then the nearer one. Units that do not handle the area's type are left out. For a risk
        so are maintenance and those who take cases over (mediation, tribunal, support); for data quality, maintenance
        goes first. With a moment (unix seconds), units whose shifts it is not come last: better late than nobody.

        `load` says how many open orders units have. Of those that stand alike in the hierarchy the one with fewer goes
        first, before the nearer one; a unit that has as many as it takes `at_once` comes after all that have not.
        """
        found = self._suggested.get((area, kind))
        if found is None:
            found = self._suggested[area, kind] = tuple(self._order(area, kind))
        left = [ranked for ranked in found if ranked[1] not in tried]
        if load or (at is not None and self._turned):
            open_orders = load or {}

            def standing(ranked: tuple[_Tier, str]) -> tuple[bool, bool, _Tier, int]:
                tier, unit = ranked
                orders, most = open_orders.get(unit, 0), self.units[unit].at_once
                return at is not None and self._off(unit, at), 0 < most <= orders, tier, orders

            left.sort(key=standing)
        return [unit for _, unit in left]

    def _off(self, unit: str, at: float) -> bool:
        """Tell whether a unit has shifts, and a moment is in none of them."""
        shifts = self.units[unit].shifts
        return bool(shifts) and not self._roster.in_shifts(shifts, at)

    def named(self, area: str, names: Collection[str], at: float | None = None) -> list[str]:
        """List the units that are named by id, and for each kind that is named the best that an area has."""
        found: list[str] = []
        for name in names:
            of_kind = (unit for unit in self.suggest(area, at=at) if self.units[unit].kind == name)
            unit = name if name in self.units else next(of_kind, "")
            if unit and unit not in found:
                found.append(unit)
        return found

    def answering(self, area: str, names: Collection[str]) -> list[str]:
        """List the units that are named by id, and for each kind that is named the nearest that handles an area."""
        found: list[str] = []
        for name in names:
            unit = name if name in self.units else self._nearest(area, name)
            if unit and unit not in found:
                found.append(unit)
        return found

    def _nearest(self, area_id: str, kind: str) -> str:
        """Name the unit of a kind that is nearest in the hierarchy, there by distance; empty where there is none."""
        area = self.areas.get(area_id)
        if area is None:
            return ""
        ranked = [
            (depth, _distance(area.location, unit.location), unit.id)
            for place, depth in self._depths(area_id).items()
            for unit in self._at.get(place, ())
            if unit.kind == kind and (not unit.types or area.type in unit.types)
        ]
        return min(ranked)[2] if ranked else ""

    def subdistrict(self, area: str) -> str:
        """Name the subdistrict that an area lies in; empty when it lies in none."""
        found = self._subdistricts.get(area)
        if found is None:
            held = (place for place in self._depths(area) if self.places[place].kind == "subdistrict")
            found = self._subdistricts[area] = next(held, "")
        return found

    def menders(
        self,
        area: str,
        tried: Collection[str] = (),
        at: float | None = None,
        load: Mapping[str, int] | None = None,
    ) -> list[str]:
        """List the maintenance units to send to an area, best first, as `suggest` does."""
        found = self.suggest(area, "data_quality", tried, at, load)
        return [unit for unit in found if self.units[unit].kind == "maintenance"]

    def above(
        self,
        area: str,
        unit: str,
        kind: str = "risk",
        tried: Collection[str] = (),
        at: float | None = None,
        before: Collection[str] = (),
    ) -> str | None:
        """Name the unit of the next place up the hierarchy from a unit's own; None at the top.

        A unit from elsewhere stands where the highest of those was that had the order `before` it: what went up once
        does not come down again. Without one of the area's own it stands below the whole hierarchy.
        """
        depth = self._depths(area)
        here = self.units.get(unit)
        own = self._depth(depth, unit)
        if own < 0:
            own = max((self._depth(depth, one) for one in before), default=own)
        mending = kind != "risk" and here is not None and here.kind == "maintenance"  # never on to those for risks
        for candidate in self.menders(area, tried, at) if mending else self.suggest(area, kind, tried, at):
            if self._depth(depth, candidate) > own:
                return candidate
        return None

    def _depth(self, depths: Mapping[str, int], unit: str) -> int:
        """Return how far up a unit stands among an area's places; -1 for one from elsewhere."""
        found = self.units.get(unit)
        return depths.get(found.place, -1) if found is not None else -1

    def _order(self, area_id: str, kind: str) -> list[tuple[_Tier, str]]:
        """Rank the units for an area: the tier of each, and its id; those of one tier the nearer first."""
        area = self.areas.get(area_id)
        if area is None:
            return []
        ranked: list[tuple[_Tier, float, str]] = []
        for place, depth in self._depths(area_id).items():
            for unit in self._at.get(place, ()):
                if not _handles(unit, area, kind):
                    continue
                maintenance = 0 if kind != "risk" and unit.kind == "maintenance" else 1
                own = 0 if unit.kind == self.places[place].kind else 1
                ranked.append(((maintenance, depth, own), _distance(area.location, unit.location), unit.id))
        return [(tier, id) for tier, _, id in sorted(ranked)]

    def _depths(self, area_id: str) -> dict[str, int]:
        """Map each place from the area's own up to the top to its distance in steps."""
        area = self.areas.get(area_id)
        depths: dict[str, int] = {}
        place = area.place if area is not None else None
        while place is not None and place in self.places and place not in depths:
            depths[place] = len(depths)
            place = self.places[place].parent
        return depths


_BY_HAND = frozenset({"mediation", "tribunal", "support"})
"""Kinds of units that only people send to, and the site for the reports that they answer for."""


def _handles(unit: Unit, area: Area, kind: str) -> bool:
    """Tell whether a unit answers for an area's type and an incident's kind."""
    if unit.types and area.type not in unit.types:
        return False
    if unit.kind in _BY_HAND:
        return False
    return kind != "risk" or unit.kind != "maintenance"


def _distance(a: tuple[float, float] | None, b: tuple[float, float] | None) -> float:
    """Return the great-circle distance in km (haversine); infinite when a location is unknown."""
    if a is None or b is None:
        return inf
    lat1, lon1, lat2, lon2 = map(radians, (*a, *b))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH * asin(sqrt(h))
