"""Units of measure as a site writes them, and what pint calls them. pint itself is imported only when it is needed.

pint takes half a second to import; a site that keeps to `SITE_UNITS` loads without it.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

import numpy as np

from sensors import ucum

_AS_PINT = """
mm cm m km ft inch m^2 m^3 L kg g t
ms s min h d mm/s m/s km/h m/min m/s^2 mm/min mm/h mm/d Hz
Pa hPa kPa MPa bar N kN kN*m
m^3/s m^3/h L/s L/min
degC K deg mrad
A mA V mV kV W kW kWh Ω lx W/m^2 dB
ppm ppb mg/L mg/m^3 µg/m^3 NTU
count count/min
"""

SITE_UNITS = {name: name for name in _AS_PINT.split()} | {
    "in": "inch",
    "°C": "degC",
    "Cel": "degC",
    "°": "degree",
    "µε": "microstrain",
    "dBA": "decibel_A",
    "dB/m": "decibel_per_metre",  # a smoke's density; no line leads to its other unit, %/m
    "µSv/h": "microsievert/hour",
    "%": "percent",
    "‰": "permille",
    "%/m": "percent/m",
    "ug/m^3": "µg/m^3",
    "%LEL": "percent_LEL",
    "%RH": "percent_RH",
    "pH": "pH_value",
    "1": "",
    "count/h": "count/hour",
    "rpm": "count/minute",  # pint's is an angle a time, which makes 60 rpm 6.28 Hz
    "persons": "person",
    "persons/min": "person/min",
    "persons/m^2": "person/m^2",
    "vehicles": "vehicle",
    "vehicles/min": "vehicle/min",
}
"""How a site writes a unit → how pint does. `1` is a plain number: a state, a ratio, a fault count."""

DEFINITIONS = (
    # Dimensions of their own, so that a rule cannot compare a share of the explosive limit with a share of volume.
    "percent_LEL = [lower_explosive_limit]",
    "percent_RH = [relative_humidity]",
    "NTU = [turbidity]",
    "pH_value = [acidity]",
    "decibel_A = [sound_level]",
    "decibel_per_metre = [optical_density]",
    "person = [person] = _ = persons",
    "vehicle = [vehicle] = _ = vehicles",
    "ppb = 1e-9",
    *(f"{name} = 1e{power}" for power, name in ucum.TENS.items()),
)
"""Units that pint lacks, or that it takes for something else (pH is its picohenry)."""

REMEMBERED = 4096
"""Entries of each of pint's own memories."""

_NAME = r"[A-Za-zµμΩÅ°]{1,24}(\^-?[1-9])?"
_SHAPE = re.compile(rf"{_NAME}([*/·]{_NAME}){{0,5}}\Z")


class UnitError(ValueError):
    """Raised when a text is no unit of measure, or two units do not measure the same."""


@lru_cache(maxsize=1)
def registry() -> Any:
    """Return pint's unit registry with `DEFINITIONS` added. The first call imports pint (half a second)."""
    import pint

    units: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for definition in DEFINITIONS:
        units.define(definition)
    for name, remembered in vars(units._cache).items():  # pint has no setting for how much it remembers
        if isinstance(remembered, dict):
            setattr(units._cache, name, _Bounded(remembered))
    return units


class _Bounded(dict[Any, Any]):
    """Remember so much, and begin anew: pint remembers each spelling, and units come from outside."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


def load() -> None:
    """Load what converts units, all that the first conversion would."""
    convert_value(1.0, "°F", "degC")


@lru_cache(maxsize=1024)
def unit(text: str) -> Any:
    """Return pint's unit for a unit as a site writes it. Raise `UnitError` when there is none."""
    written = [SITE_UNITS[text]] if text in SITE_UNITS else [text] if _SHAPE.match(text) else []
    if text not in SITE_UNITS:  # pint evaluates arithmetic in unit names: only let through what is shaped like a unit
        code = ucum.expression(text)
        written += [code] if code else []
    for expression in written:
        found = _of_pint(expression)
        if found is not None:
            return found
    raise UnitError(f"'{text}' is not a unit of measure")


def _of_pint(expression: str) -> Any:
    """Return pint's unit for an expression; None when it has none, or one that it cannot work with (`dB/km`)."""
    try:
        found = registry().Unit(expression)
        registry().get_root_units(found)
    except Exception:  # pint's errors are of many kinds, some of none of its own
        return None
    return found


def is_unit(text: str) -> bool:
    """Tell whether a text is a unit of measure; texts of `SITE_UNITS` are known without importing pint."""
    if text in SITE_UNITS:
        return True
    try:
        unit(text)
    except UnitError:
        return False
    return True


def same_dimension(one: str, other: str) -> bool:
    """Tell whether two units measure the same. Raise `UnitError` when one is none.

    An angle is no plain number, which pint takes it for: 45° are not 78.5 %. That they measure the same does not mean
    that a straight line leads from one to the other (dBm and mW): `linear` tells.
    """
    return one == other or bool(_roots(one) == _roots(other))


@lru_cache(maxsize=1024)
def _roots(text: str) -> Any:
    """Return what a unit is made of at the root: powers by base unit, angles kept apart from numbers."""
    from pint.util import to_units_container

    root = to_units_container(registry().get_root_units(unit(text))[1])
    return {name: power for name, power in root.items() if name != "count"}


def convert_value(value: float, source: str, target: str) -> float:
    """Convert a value from one unit to another; what has no logarithm may give no finite one.

    Raise `UnitError` when they do not measure the same, and for all else that cannot be converted.
    """
    if _alike(source, target):
        return value
    _same_or_raise(source, target)
    try:
        with np.errstate(all="ignore"):
            return float(registry().Quantity(value, unit(source)).to(unit(target)).magnitude)
    except Exception as error:  # as in `_of_pint`
        raise UnitError(f"{source} cannot be converted to {target}: {str(error)[:100]}") from error


@lru_cache(maxsize=1024)
def linear(source: str, target: str) -> tuple[float, float]:
    """Return scale and offset that turn values in one unit into another, rid of what floating point adds (1.8, 32).

    Raise `UnitError` when they do not measure the same, or no straight line leads from one to the other (decibels).
    """
    if _alike(source, target):
        return 1.0, 0.0
    _same_or_raise(source, target)
    zero, one, hundred = (convert_value(value, source, target) for value in (0.0, 1.0, 100.0))
    offset = float(f"{zero:.14g}")
    for scale in (_ratio(source, target), one - zero):  # from decibels to nepers the roots' ratio is none
        scale = float(f"{scale:.15g}")
        on_it = (_close(scale * value + offset, found, offset) for value, found in ((1.0, one), (100.0, hundred)))
        if scale and math.isfinite(offset) and all(on_it):
            return scale, offset
    raise UnitError(f"{source} cannot be converted to {target}: one of them is no linear scale")


def _alike(source: str, target: str) -> bool:
    """Tell whether two units are one, without asking pint."""
    return source == target or (source in SITE_UNITS and SITE_UNITS[source] == SITE_UNITS.get(target))


def _same_or_raise(source: str, target: str) -> None:
    if not same_dimension(source, target):
        raise UnitError(f"{source} cannot be converted to {target}: they do not measure the same")


def _ratio(source: str, target: str) -> float:
    try:
        above, below = (float(registry().get_root_units(unit(text))[0]) for text in (source, target))
        return above / below
    except (ArithmeticError, TypeError, ValueError):  # too large for a number, or none
        return 0.0


def _close(line: float, value: float, offset: float) -> bool:
    return math.isfinite(value) and math.isclose(line, value, rel_tol=1e-9, abs_tol=abs(offset) * 1e-9)


def on_line(value: float, line: tuple[float, float]) -> float:
    """Convert a value by the scale and offset of `linear`, rid of what floating point adds: 3 mm are 0.3 cm."""
    scale, offset = line
    if line == (1.0, 0.0):
        return value
    found = scale * value + offset
    return 0.0 if abs(found) < abs(offset) * 1e-12 else float(f"{found:.13g}")
