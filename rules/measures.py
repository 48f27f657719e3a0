"""What the numbers of a condition measure, and how one measure becomes another."""

from __future__ import annotations

from typing import NamedTuple

from sensors.measure import UnitError, is_unit, linear, same_dimension

TIME = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Measure(NamedTuple):
    """What a number measures: a unit as the site writes it, per second or not. "" is a plain number.

    A `difference` of two such numbers is converted by scale alone: 5 K between two temperatures are 5 °C. `bare` is the
    unit in which a number without one is meant beside it; None is `base`.
    """

    base: str
    per_second: bool = False
    difference: bool = False
    bare: str | None = None

    def __str__(self) -> str:
        return f"{self.base or 1}/s" if self.per_second else self.base or "a plain number"


SECONDS = Measure("s")
PLAIN = Measure("")


def conversion(measure: Measure, target: Measure) -> tuple[float, float]:
    """Return scale and offset that turn one measure into another. Raise `UnitError` if they do not measure the same."""
    if measure[:3] == target[:3]:
        return 1.0, 0.0
    if measure.difference or target.difference:
        scale, _ = conversion(measure._replace(difference=False), target._replace(difference=False))
        return scale, 0.0
    if target.per_second and not measure.per_second:
        base, _, per = measure.base.rpartition("/")
        if not base or per not in TIME:
            raise UnitError(f"{measure} cannot be compared with {target}: write a rate such as {target.base or 1}/h")
        return conversion(Measure(plain_base(base)), Measure(target.base))[0] / TIME[per], 0.0
    if measure.per_second and not target.per_second:
        return 1.0 / conversion(target, measure)[0], 0.0
    if measure.per_second:
        return conversion(Measure(measure.base), Measure(target.base))[0], 0.0
    source, wanted = measure.base, target.base
    if source in TIME and wanted in TIME:
        return TIME[source] / TIME[wanted], 0.0
    if not source or not wanted:
        if "%" in (source, wanted):
            return (0.01, 0.0) if source == "%" else (100.0, 0.0)
        raise UnitError(f"{measure} cannot be compared with {target}")
    if not (is_unit(source) and is_unit(wanted) and same_dimension(source, wanted)):
        raise UnitError(f"{source} cannot be compared with {wanted}: they do not measure the same")
    return linear(source, wanted)


def meant(measure: Measure | None, target: Measure | None) -> Measure | None:
    """Return what a number measures beside another: a bare one may be meant in another unit than its point's."""
    if measure is None and target is not None and target.bare is not None and not target.per_second:
        return Measure(target.bare, difference=target.difference)
    return measure


def plain_base(unit: str) -> str:
    """Return a unit as a measure's base: that of a plain number is empty."""
    return "" if unit in ("", "1") else unit


def difference(measure: Measure) -> Measure:
    """Return the measure of a difference of two; of plain numbers, times and rates it is their own."""
    own = not measure.base or measure.base in TIME or measure.per_second
    return measure if own else measure._replace(difference=True)
