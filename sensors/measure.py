"""Units of measure as a site writes them, and what pint calls them. pint itself is imported only when it is needed.

pint takes half a second to import; a site that keeps to `SITE_UNITS` loads without it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_AS_PINT = """
mm cm m km ft inch m^2 m^3 L kg g t
ms s min h d mm/s m/s km/h m/min m/s^2 mm/min mm/h mm/d Hz rpm
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
    "°": "degree",
    "µε": "microstrain",
    "dBA": "decibel_A",
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
    "person = [person] = _ = persons",
    "vehicle = [vehicle] = _ = vehicles",
    "ppb = 1e-9",
)
"""Units that pint lacks, or that it takes for something else (pH is its picohenry)."""

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
    return units


def load() -> None:
    """Load what converts units, all that the first conversion would."""
    convert_value(1.0, "°F", "degC")


@lru_cache(maxsize=1024)
def unit(text: str) -> Any:
    """Return pint's unit for a unit as a site writes it. Raise `UnitError` when there is none."""
    expression = SITE_UNITS.get(text)
    if expression is None:
        # pint evaluates arithmetic in unit names: only let through what is shaped like a unit.
        if not _SHAPE.match(text):
            raise UnitError(f"'{text}' is not a unit of measure")
        expression = text
    import pint

    try:
        return registry().Unit(expression)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError, KeyError, ArithmeticError) as error:
        raise UnitError(f"'{text}' is not a unit of measure") from error


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
    """Tell whether two units measure the same, so that values can be compared after conversion."""
    return one == other or bool(unit(one).dimensionality == unit(other).dimensionality)


def convert_value(value: float, source: str, target: str) -> float:
    """Convert a value from one unit to another. Raise `UnitError` when they do not measure the same."""
    if source == target or (source in SITE_UNITS and SITE_UNITS[source] == SITE_UNITS.get(target)):
        return value
    if not same_dimension(source, target):
        raise UnitError(f"{source} cannot be converted to {target}: they do not measure the same")
    return float(registry().Quantity(value, unit(source)).to(unit(target)).magnitude)
