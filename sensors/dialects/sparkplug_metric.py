"""What one Sparkplug B metric says: its value as a number, its unit, its quality."""

from __future__ import annotations

from functools import lru_cache

from sensors.claimed_units import LONGEST
from sensors.dialects.sparkplug_b_pb2 import Payload
from sensors.observation import BAD, GOOD

NUMBERS = {1: 8, 2: 16, 3: 32, 4: 64, 5: 8, 6: 16, 7: 32, 8: 64, 11: 1}
"""Datatypes that are whole numbers, and their bits: Int8 to Int64, UInt8 to UInt64, Boolean."""

SIGNED = frozenset((1, 2, 3, 4))
UNKNOWN = 0
NUMERIC = frozenset((UNKNOWN, *NUMBERS, 9, 10))
"""Datatypes that a reading may have: those, Float and Double, and none said."""

_UNITS = {"engunit", "engunits", "engineeringunit", "engineeringunits", "unit", "units"}
"""Keys of the property that names a metric's unit, without case, spaces, `_` and `-`: the specification names none."""

QUALITY = b"Quality"
"""The key of the property that says of what quality a metric is, as it stands in a message."""

_QUALITY = QUALITY.decode()
_PROPERTIES = 64
_SHORT = 256  # bytes of a metric's properties that are remembered
_POOR = {0: BAD, 500: BAD}  # BAD, and STALE: no longer what the thing measures; 192 is GOOD


class NotAReadingError(ValueError):
    """Raised when a metric carries a text, bytes, a table or a time."""


def number(metric: Payload.Metric, datatype: int) -> float:
    """Read a metric's value; `datatype` is what its birth told, where the metric itself says none.

    NaN where it is null. Raise `NotAReadingError` on what is no number, `ValueError` on what does not fit the datatype.
    """
    kind = metric.datatype or datatype
    if kind not in NUMERIC:
        raise NotAReadingError(f"datatype {kind} is no number")
    if metric.is_null:
        return float("nan")
    match metric.WhichOneof("value"):
        case "double_value":
            return metric.double_value
        case "float_value":
            return metric.float_value
        case "int_value":
            return float(whole(metric.int_value, kind))
        case "long_value":
            return float(whole(metric.long_value, kind))
        case "boolean_value":
            return float(metric.boolean_value)
        case None:
            raise ValueError("no value")
        case other:
            raise NotAReadingError(f"{other.removesuffix('_value')} is no number")


def whole(sent: int, datatype: int) -> int:
    """Turn the unsigned number that was sent into the one of its datatype. Raise `ValueError` where it does not fit.

    A negative number travels as two's complement of its own width, or, as some senders do, of 32 or 64 bits. Without a
    datatype only a number that is the same in all of them can be read.
    """
    if datatype in SIGNED:
        bits = NUMBERS[datatype]
        half = 1 << (bits - 1)
        if sent < half:
            return sent
        for width in (bits, 32, 64):
            if (1 << width) - half <= sent < 1 << width:
                return sent - (1 << width)
    elif sent < 1 << NUMBERS.get(datatype, 64 if datatype else 7):
        return sent
    raise ValueError(f"{sent} is no number of datatype {datatype}" if datatype else f"{sent} without a datatype")


def unit(metric: Payload.Metric) -> str:
    """Name the unit that a metric's properties give; empty where they give none."""
    return _said(metric)[0] if metric.HasField("properties") else ""


def quality(metric: Payload.Metric) -> int:
    """Give the quality bits that a metric's `Quality` property claims."""
    return _said(metric)[1] if metric.HasField("properties") else GOOD


def _said(metric: Payload.Metric) -> tuple[str, int]:
    """Give the unit and the quality of a metric's properties; thousands of metrics say the same few things."""
    text = metric.properties.SerializeToString()
    return _remembered(text) if len(text) <= _SHORT else _read(metric.properties)


@lru_cache(maxsize=4096)
def _remembered(text: bytes) -> tuple[str, int]:
    return _read(Payload.PropertySet.FromString(text))


def _read(properties: Payload.PropertySet) -> tuple[str, int]:
    unit, quality, values = "", GOOD, properties.values
    for place, key in enumerate(properties.keys[: min(_PROPERTIES, len(values))]):
        if key == _QUALITY:
            value = values[place]
            quality = _POOR.get(value.int_value or value.long_value, GOOD)
        elif not unit and _names_unit(key):
            said = values[place].string_value
            if isinstance(said, str):
                unit = said.strip()[: LONGEST + 1]  # what is longer is told to be, and not read as its beginning
    return unit, quality


@lru_cache(maxsize=256)
def _names_unit(key: str) -> bool:
    """Tell whether a key is one of a unit; a text that is not UTF-8 comes as bytes, and is no key."""
    if not isinstance(key, str) or len(key) >= 32:
        return False
    return key.lower().translate({32: None, 95: None, 45: None}) in _UNITS
