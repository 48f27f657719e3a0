"""Which unit a source sends in where nothing says it: what the values look like beside a quantity's ranges."""

from __future__ import annotations

import math
from typing import NamedTuple

from sensors import measure
from sensors.adoption.watch import Span
from sensors.site_files import Template

OTHERS: dict[str, tuple[str, ...]] = {
    "°C": ("degF", "K"),
    "MPa": ("kPa", "bar", "hPa", "Pa"),
    "kPa": ("Pa", "hPa", "MPa", "bar"),
    "Pa": ("hPa", "kPa"),
    "hPa": ("kPa", "Pa"),
    "m": ("cm", "mm"),
    "cm": ("mm", "m"),
    "mm": ("cm", "m"),
    "m/s": ("km/h",),
    "m^3/h": ("L/s", "m^3/s"),
    "L/s": ("m^3/h",),
    "A": ("mA",),
    "mA": ("A",),
    "V": ("mV", "kV"),
    "mg/m^3": ("µg/m^3",),
    "µg/m^3": ("mg/m^3",),
    "%": ("‰",),
}
"""The unit of a site's quantity → those in which sources are found to send it."""

AIR = (870.0, 1085.0)
"""Between which numbers the pressure of the air lies in hPa, wherever on earth."""


class Choice(NamedTuple):
    """A unit that a source may send in; `doubts` say why a person should look, in words."""

    unit: str  # "" is the site's own
    fits: bool
    doubts: tuple[str, ...] = ()


def choose(span: Span, template: Template) -> Choice:
    """Choose the unit of values of which nothing says it.

    The site's own, as long as the values lie within the quantity's range: a wrong conversion would make the dangerous
    look harmless. Beyond it, the one that brings them nearest to what is usual. What is doubtful is said.
    """
    unit = template.unit if isinstance(template.unit, str) else ""
    if not isinstance(template.range, tuple):
        return Choice("", True)
    others = OTHERS.get(unit, ())
    shown = f"{span.low:g}" if span.low == span.high else f"{span.low:g} to {span.high:g}"
    if _within(span, template.range):
        normal = template.normal if isinstance(template.normal, tuple) else None
        usual = [one for one in others if normal and _lies(converted(span, one, unit), normal)]
        if normal is None or not usual or _within(span, normal):
            return Choice("", True)
        said = f"{shown} {unit} is unusual ({normal[0]:g} to {normal[1]:g} is normal)"
        return Choice("", True, (f"{said}: is it sent in {' or '.join(usual)}?",))
    fitting = [one for one in others if _lies(converted(span, one, unit), template.range)]
    if not fitting:
        return Choice("", False)
    if "hPa" in fitting and AIR[0] <= span.low and span.high <= AIR[1]:
        best = "hPa"
    else:
        best = min(fitting, key=lambda one: _distance(converted(span, one, unit), template))
    left = [one for one in fitting if one != best]
    said = f"nothing says the unit, and {shown} leaves the range in {unit}: taken for {best}"
    return Choice(best, True, (said + (f", could be {' or '.join(left)}" if left else ""),))


def converted(span: Span, source: str, target: str) -> tuple[float, float]:
    """Give the ends of a span in another unit."""
    low, high = (measure.convert_value(end, source, target) for end in (span.low, span.high))
    return min(low, high), max(low, high)


def _within(span: Span, ends: tuple[float, float]) -> bool:
    return _lies((span.low, span.high), ends)


def _lies(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _distance(ends: tuple[float, float], template: Template) -> float:
    """Tell how many powers away the middle of values is from what is usual of a quantity."""
    low, high = template.normal if isinstance(template.normal, tuple) else (0.0, 0.0)
    usual = (abs(low) + abs(high)) / 2 or (abs(template.range[1]) / 7 if isinstance(template.range, tuple) else 1.0)
    middle = (abs(ends[0]) + abs(ends[1])) / 2
    return abs(math.log((middle or 1e-9) / (usual or 1.0)))
