"""Two sides of a replay put together over all partitions, and the comparison as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from alerts import comparison
from alerts.comparison import Comparison, Past
from alerts.spells import sendings, spells
from sensors.lookup import Registry
from sensors.site import Site
from streams.course import Course
from streams.replay import Difference


def compared(
    before: Sequence[Course], after: Sequence[Course], begin: float | None, end: float | None, site: Site
) -> Comparison:
    """Compare what two sets of rules did to the same partitions from `begin` to `end` (unix s; None: no bound)."""
    return comparison.compare(
        _past(before),
        _past(after),
        [one for course in before for one in course.crossings],
        -math.inf if begin is None else begin,
        math.inf if end is None else end,
        _seats(site),
    )


def as_plain(
    found: Comparison, after: Sequence[Course], checked: Difference | None, begin: float | None, end: float | None
) -> dict[str, Any]:
    """Turn a comparison into plain data; `checked` is how the published rules compare with what was recorded."""
    told: dict[str, Any] = msgspec.to_builtins(found)
    return {
        "from": begin,
        "to": end,
        "observations": sum(course.observations for course in after),
        "readings": sum(course.readings for course in after),
        "commands": {name: sum(getattr(one, name) for one in after) for name in ("commands", "moved", "astray")},
        "recorded": None
        if checked is None
        else {"agrees": checked.agrees, "first": msgspec.to_builtins(checked.first)},
        **told,
    }


def _past(courses: Sequence[Course]) -> Past:
    """Join the partitions of one side."""
    return Past(
        spells=[one for course in courses for one in spells(course.transitions, course.transitions_at)],
        sendings=[one for course in courses for one in sendings(course.dispatches, course.dispatches_at)],
        transitions=[one for course in courses for one in course.transitions],
    )


def _seats(site: Site) -> dict[str, frozenset[str] | None]:
    """Say which areas each seat watches; a seat without subdistricts watches all."""
    registry = Registry(site)
    places = {area.id: registry.subdistrict(area.id) for area in site.areas}
    found: dict[str, frozenset[str] | None] = {}
    for seat in site.seats:
        mine = frozenset(area for area, place in places.items() if place and place.id in seat.subdistricts)
        found[seat.id] = mine if seat.subdistricts else None
    return found
