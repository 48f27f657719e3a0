"""Limits, ranges and bands in another unit than the one they were written in."""

from __future__ import annotations

from functools import lru_cache
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
    if isinstance(value, int | float):
        return _all_in_unit((value,), source, target)[0]
    if isinstance(value, dict):
        return dict(zip(value, _all_in_unit(tuple(value.values()), source, target), strict=True))
    return _all_in_unit(tuple(value), source, target)


@lru_cache(maxsize=4096)  # thousands of points inherit the same few numbers
def _all_in_unit(numbers: tuple[float, ...], source: str, target: str) -> tuple[float, ...]:
    line = measure.linear(source, target)
    if line[1] and measure.linear(source, "K")[1] == 0:
        scale = measure.linear(source, "K")[0]
        most = max(abs(number) * scale for number in numbers)
        if most < LEAST_KELVIN:
            shown = f"{most / scale:g} {source}"
            raise measure.UnitError(f"{shown} could be a difference, and those in {target} are temperatures")
    return tuple(measure.on_line(number, line) for number in numbers)
