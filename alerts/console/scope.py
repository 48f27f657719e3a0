"""Which areas somebody may see: those of the places that the account is confined to, else the whole site's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from sensors.lookup import Registry


class Scope(msgspec.Struct, frozen=True):
    """The ids of areas that may be seen, those from before a renaming among them; None for all there are."""

    areas: frozenset[str] | None = None

    def sees(self, area: str) -> bool:
        """Say whether what lies in an area may be seen."""
        return self.areas is None or area in self.areas

    def sees_any(self, areas: Iterable[str]) -> bool:
        """Say whether one of some areas may be seen, as of a camera that looks at several."""
        return self.areas is None or not self.areas.isdisjoint(areas)

    def sees_all(self, areas: Iterable[str]) -> bool:
        """Say whether each of some areas may be seen."""
        return self.areas is None or self.areas.issuperset(areas)

    def asked(self, area: str | None) -> Collection[str] | None:
        """Return the areas that a list is asked for: all that may be seen, or of them one; None for no bound."""
        if area is None:
            return self.areas
        return (area,) if self.sees(area) else ()


WHOLE = Scope()


def areas_about(registry: Registry, id: str) -> tuple[str, ...]:
    """Return the areas of what an alarm may be about: a point, a camera or an area; of none else there are any."""
    found = registry.point(id) or registry.camera(id)
    if found is not None:
        return found.areas
    area = registry.area(id)
    return (area.id,) if area is not None else ()


def scope_of(registry: Registry, places: Iterable[str]) -> Scope:
    """Return what lies in places: districts, subdistricts, communities or single areas. Of none it is the whole site.

    A place that the site no longer has holds nothing.
    """
    named = tuple(places)
    if not named:
        return WHOLE
    found = [area for place in named for area in (registry.area(place), *registry.areas_of(place)) if area is not None]
    return Scope(frozenset(id for area in found for id in (area.id, *area.renamed_from)))
