"""Limits, ranges and bands in another unit than the one they were written in."""

from __future__ import annotations

from typing import Any

from sensors import measure

MEASURED = ("limit", "levels", "range", "normal")
"""What is said of a point in its unit."""

LEAST_KELVIN = 150.0


def in_unit(value: Any, source: str, target: str) -> Any:
    """Convert a number, a pair of them, or numbers by level. Raise `UnitError` where it cannot be done.

    Temperatures are converted with their offset. So what is in kelvin is refused for °C or °F where it is too small to
    be met as a temperature: a difference of two, which 5 K is, would become -268 °C.
    """
    line = measure.linear(source, target)
    numbers = [value] if isinstance(value, int | float) else value.values() if isinstance(value, dict) else value
    if line[1] and measure.linear(source, "K")[1] == 0:
        scale = measure.linear(source, "K")[0]
        most = max(abs(number) * scale for number in numbers)
        if most < LEAST_KELVIN:
            shown = f"{most / scale:g} {source}"
            raise measure.UnitError(f"{shown} could be a difference, and those in {target} are temperatures")
    if isinstance(value, dict):
        return {name: measure.on_line(number, line) for name, number in value.items()}
    if isinstance(value, int | float):
        return measure.on_line(value, line)
    return tuple(measure.on_line(number, line) for number in value)
