"""What is usual of a quantity at a site, whatever single points say: the unit of bare numbers, the limits of tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from rules.rule import Rule
from sensors.limits import in_unit
from sensors.measure import UnitError
from sensors.site import Area, Point, Quantity, Site, Text

Units = Callable[[str, str], str | None]


def units_of(site: Site) -> Units:
    """Return what tells the unit of a quantity in an area type; None where the site says nothing of the quantity."""
    units = {(one.id, one.type): one.unit for one in site.quantities}
    return lambda quantity, kind: units.get((quantity, kind)) or units.get((quantity, ""))


def other_unit(point: Point, kind: str, units: Units) -> str | None:
    """Return the unit of a point's quantity in an area type where it is not the point's own."""
    unit = units(point.quantity, kind)
    return None if unit == point.unit else unit


def typical_point(site: Site, quantity: str, kind: str) -> Point | None:
    """Make a point as the quantity's settings for an area type make it; None where the site has none for it."""
    one = _settings(site, quantity, kind)
    if one is None:
        return None
    return Point(
        id=quantity,
        name=Text(zh="", en=""),
        areas=(),
        quantity=quantity,
        unit=one.unit,
        limit=one.limit,
        limit_below=one.limit_below,
        levels=one.levels,
        range=one.range,
        normal=one.normal,
    )


def model_of(rule: Rule, site: Site, covered: Point | None, areas: Mapping[str, Area], kind: str) -> Point | None:
    """Choose what a rule's own test takes unit and limits from: what is usual of the quantity that the rule speaks of.

    Not `covered`, a point that happens to be there: one that is added or changed must not fail the test. A point that
    the rule names lends its limits, in the quantity's unit; where the site says nothing of the quantity, so does any.
    """
    home = areas[covered.areas[0]].type if covered and covered.areas and covered.areas[0] in areas else ""
    if covered and rule.where.points:
        return as_usual(site, covered, home)
    quantity = rule.where.quantities[0] if rule.where.quantities else covered.quantity if covered else ""
    usual = typical_point(site, quantity, kind)
    if usual is not None and usual.limit is None and not usual.levels and not kind:
        usual = typical_point(site, quantity, home)
    return usual or covered


def as_usual(site: Site, point: Point, kind: str) -> Point:
    """Return a point in its quantity's unit for an area type; as it is where that measures something else."""
    one = _settings(site, point.quantity, kind)
    return converted(point, one.unit) if one is not None and _fits(point, one.unit) else point


def converted(point: Point, unit: str) -> Point:
    """Return a point with its limits in another unit. Raise `UnitError` where they cannot be converted."""
    if unit == point.unit:
        return point
    return msgspec.structs.replace(
        point,
        unit=unit,
        limit=None if point.limit is None else in_unit(point.limit, point.unit, unit),
        levels=in_unit(point.levels, point.unit, unit) if point.levels else {},
        range=None if point.range is None else in_unit(point.range, point.unit, unit),
        normal=None if point.normal is None else in_unit(point.normal, point.unit, unit),
    )


def _fits(point: Point, unit: str) -> bool:
    try:
        converted(point, unit)
    except UnitError:
        return False
    return True


def _settings(site: Site, quantity: str, kind: str) -> Quantity | None:
    found = {one.type: one for one in site.quantities if one.id == quantity and one.type in (kind, "")}
    return found.get(kind) or found.get("")
