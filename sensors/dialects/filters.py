"""The filters of value templates, and how a template writes and bounds its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LONGEST_TEXT = 1024
"""Characters of the longest text that a filter takes."""

EXACT = 2.0**53
"""Whole numbers below it are exact as floats too."""


class TemplateError(ValueError):
    """Say why a template cannot be worked out, or not for this payload."""


def text_of(value: Any) -> str:
    """Write a value as a template would print it: True, 21, 21.5, text. Raise `TemplateError` on objects and lists."""
    if isinstance(value, dict | list):
        raise TemplateError("the template gives a whole object or list, not a value")
    return value if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)


def bounded(number: Any) -> Any:
    """Keep whole numbers whole up to 2^53: what is multiplied must not grow without end."""
    return number if isinstance(number, float) or -EXACT < number < EXACT else float(number)


def default(value: Any, otherwise: Any = "") -> Any:
    """Give the value: whether it is there at all is for the template to find out, before this is asked."""
    return value


def _float(value: Any, otherwise: Any = None) -> Any:
    try:
        if isinstance(value, str) and len(value) > 64:
            raise ValueError("a text too long for a number")
        return float(value)
    except (TypeError, ValueError, OverflowError):
        if otherwise is None:
            raise
        return otherwise


def _int(value: Any, otherwise: Any = None) -> Any:
    number = _float(value, otherwise)
    return bounded(int(number)) if isinstance(number, float) else number


def _round(value: Any, places: Any = 0) -> Any:
    if not isinstance(value, int | float) or not isinstance(places, int) or not 0 <= places <= 15:
        raise ValueError("round takes a number and 0 to 15 places")
    return round(float(value), places)


def _absolute(value: Any) -> Any:
    return bounded(abs(_number(value)))


def _multiplied(value: Any, by: Any) -> Any:
    return _number(value) * _number(by)


def _added(value: Any, to: Any) -> Any:
    return _number(value) + _number(to)


def _number(value: Any) -> float:
    return float(_float(value))


def _defined(value: Any) -> Any:
    return value


def _lower(value: Any) -> Any:
    return _short(value).lower()


def _upper(value: Any) -> Any:
    return _short(value).upper()


def _trimmed(value: Any) -> Any:
    return _short(value).strip()


def _short(value: Any) -> str:
    found = text_of(value)
    if len(found) > LONGEST_TEXT:
        raise ValueError(f"a text of more than {LONGEST_TEXT} characters")
    return found


FILTERS: dict[str, Callable[..., Any]] = {
    "float": _float,
    "int": _int,
    "round": _round,
    "abs": _absolute,
    "multiply": _multiplied,
    "add": _added,
    "default": default,
    "is_defined": _defined,
    "lower": _lower,
    "upper": _upper,
    "trim": _trimmed,
}
"""The filters that are known, as `FILTERS[name](value, *arguments)`."""
