"""What a payload looks like: a number, JSON with numbers and times, or a dialect that names itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sensors.adoption.words import ON_OFF
from sensors.dialects import values

Kind = Literal["number", "json", "senml", "sparkplug", "state", "text", "binary", "empty", "large"]

LARGEST = 65_536
DEPTH = 6
FIELDS = 64
PATH = 200
YEAR = 366 * 86400.0

_TIME = re.compile(
    r"(?:^|[_.])(?:time|ts|t|timestamp|date|datetime|utctime|utc|at)$|time$|时间|时刻|日期", re.IGNORECASE
)
_UNIT = re.compile(r"(?:^|[_.])(?:unit|units|uom|单位)$", re.IGNORECASE)
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Shape:
    """Hold what was found in one payload, by dotted path (empty: the payload itself).

    `numbers` are values, `times` maps a path to the `time_unit` that it is in, `units` a place in the payload to the
    text of the unit that stands there.
    """

    kind: Kind
    numbers: dict[str, float] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)


def shape_of(topic: str, payload: bytes, received: float, zone: str = "UTC") -> Shape:
    """Look at a payload that arrived at `received` (unix seconds). Never raises."""
    if topic.startswith("spBv1.0/"):
        return Shape("sparkplug")
    if not payload:
        return Shape("empty")
    if len(payload) > LARGEST:
        return Shape("large")
    plain = values.number(payload)
    if plain is not None:
        return Shape("number", {"": plain})
    try:
        content = _decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Shape(_kind_of_text(payload))
    if isinstance(content, bool):
        return Shape("number", {"": float(content)})
    if _is_senml(content):
        return Shape("senml")
    if not isinstance(content, dict | list):
        return Shape(_kind_of_text(str(content).encode("utf-8", "replace")))
    found = Shape("json")
    for path, leaf in _leaves(content, "", 0):
        if len(found.numbers) + len(found.times) + len(found.units) >= FIELDS:
            break
        _put(found, path, leaf, received, zone)
    return found


def _put(found: Shape, path: str, leaf: Any, received: float, zone: str) -> None:
    named = _TIME.search(path) is not None
    if isinstance(leaf, bool):
        found.numbers[path] = float(leaf)
    elif isinstance(leaf, int | float):
        unit = _clock(float(leaf) if abs(leaf) < 1e300 else 0.0, received, named)
        if unit:
            found.times[path] = unit
        elif abs(leaf) < 1e300:
            found.numbers[path] = float(leaf)
    elif isinstance(leaf, str) and len(leaf) <= 64:
        number = values.number(leaf.encode("utf-8", "replace"))
        if _UNIT.search(path) and leaf:
            found.units[path.rpartition(".")[0]] = leaf
        elif number is not None:
            unit = _clock(number, received, named)
            if unit:
                found.times[path] = unit
            else:
                found.numbers[path] = number
        elif _is_iso(leaf, received, zone):
            found.times[path] = "iso"


def _clock(number: float, received: float, named: bool) -> str:
    """Tell in which unit a number is a time near `received`; seconds only of what is named as a time."""
    for unit, per_second in (("us", 1e6), ("ms", 1e3), ("s", 1.0)):
        if abs(number / per_second - received) < YEAR and (named or unit != "s"):
            return unit
    return ""


def _is_iso(text: str, received: float, zone: str) -> bool:
    if not text[:4].isdecimal() or "-" not in text:
        return False
    try:
        return abs(values.iso(text, zone) - received) < 10 * YEAR
    except (ValueError, OverflowError):
        return False


def _leaves(node: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the leaves that a mapping's path can name."""
    if depth > DEPTH or len(path) > PATH:
        return
    if isinstance(node, dict):
        for key, below in list(node.items())[:FIELDS]:
            if isinstance(key, str) and key and "." not in key and key.isprintable() and not key.isdecimal():
                yield from _leaves(below, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(node, list):
        for place, below in enumerate(node[:4]):
            yield from _leaves(below, f"{path}.{place}" if path else str(place), depth + 1)
    elif len(path) <= PATH:
        yield path, node


def _is_senml(content: Any) -> bool:
    if not isinstance(content, list) or not content or not all(isinstance(one, dict) for one in content[:8]):
        return False
    named = any("bn" in one or "n" in one for one in content[:8])
    return named and any(key in one for one in content[:8] for key in ("v", "vb", "vs", "vd", "s"))


def _kind_of_text(payload: bytes) -> Kind:
    if not _is_text(payload):
        return "binary"
    word = payload[:40].decode("utf-8", "replace").strip().lower()
    return "state" if word in ON_OFF or (0 < len(word) < 3 and set(word) <= set("开关是否有无")) else "text"


def _is_text(payload: bytes) -> bool:
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return False
    return all(one.isprintable() or one in "\r\n\t" for one in text[:1000])
