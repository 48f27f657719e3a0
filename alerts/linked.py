"""Linked areas: which incident of another area an alarm belongs to, by place and time, and which of two is the cause.

A site says which areas are linked (`links` in hierarchy.yaml). What begins in one within a time of what rose in another
joins its incident. Downstream is a symptom of upstream, whichever came first and whichever is worse; else the cause is
the alarm that first reached the highest level, as in one area. Who is on the way to one area is not taken for being on
the way to another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alerts.incident import Incident
from sensors.site import Link, Site

MOST_AREAS = 16
"""Areas that an incident takes in by links: a chain of them must not make a whole subdistrict one case."""

_KINDS = {"risk": ("upstream", "neighbour"), "data_quality": ("gateway",)}
"""Which links count for incidents of a kind: a dead gateway is no danger, and a river carries no readings."""


class Way(NamedTuple):
    """How an area is linked to another."""

    area: str
    kind: str
    within: float  # seconds


class Links:
    """Answer how the areas of a site are linked. Built once from a site; pure."""

    def __init__(self, site: Site) -> None:
        self._ways: dict[str, list[Way]] = {}
        self._below: dict[str, set[str]] = {}  # area → those that lie downstream of it, directly
        for link in site.links:
            for one, other in _pairs(link):
                self._ways.setdefault(one, []).append(Way(other, link.kind, link.within))
            if link.kind == "upstream":
                self._below.setdefault(link.areas[0], set()).update(link.areas[1:])

    def __bool__(self) -> bool:
        return bool(self._ways)

    def find(self, area: str, kind: str, current: Mapping[str, Incident], clock: float) -> tuple[Incident, Way] | None:
        """Return the incident that an alarm of an area joins, and by which link; None: it makes one of its own.

        `current` has the open incident of each area that is linked and has one. The one that was opened first is taken.
        """
        found = [
            (incident, way)
            for way in self._ways.get(area, ())
            if way.kind in _KINDS.get(kind, ())
            and (incident := current.get(way.area)) is not None
            and clock - incident.rose <= way.within
            and area not in incident.apart
            and len(incident.also) + 1 < MOST_AREAS
        ]
        return min(found, key=lambda one: (one[0].opened, one[0].id, one[1].area), default=None)

    def near(self, area: str) -> list[str]:
        """List the areas that an area is linked to."""
        return list(dict.fromkeys(way.area for way in self._ways.get(area, ())))

    def above(self, one: str, other: str) -> bool:
        """Tell whether an area lies upstream of another, directly or by way of others."""
        seen, ahead = {one}, [one]
        while ahead:
            below = self._below.get(ahead.pop(), set()) - seen
            if other in below:
                return True
            seen |= below
            ahead += sorted(below)
        return False


def _pairs(link: Link) -> Iterator[tuple[str, str]]:
    """Name every area of a link with every other that it is linked to: both ways, upstream by the first one alone."""
    first, *rest = link.areas
    for other in rest:
        yield first, other
        yield other, first
    if link.kind != "upstream":
        yield from ((one, other) for one in rest for other in rest if one != other)
