"""The mapped dialect: an installation's own topics and JSON, described by `sensors.site.Mapping`.

`{area}` and `{point}` in the topic template fill one level or part of it and make up the point's id; `+` and `#` match
as in MQTT. Paths are dotted (`data.value`, `items.0.v`); an empty value path means that the payload is the value. A
value may be a number, a quoted number, or true/false. Times are read in the mapping's unit; a reading without one is
stamped on arrival. `value * scale + offset` is in the point's unit.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.dialects import values
from sensors.dialects.dialect import Decoded, Lane, Refusal, Refused, Route, decode_each, without
from sensors.lookup import Registry
from sensors.observation import SIMULATED
from sensors.site import Mapping

_HOLDER = re.compile(r"\{(area|point)\}")
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}

Getter = Callable[[Any], Any]


def topics(config: Mapping) -> tuple[str, ...]:
    """List the filter that covers the mapping's template."""
    return ("/".join("+" if _HOLDER.search(level) else level for level in config.topic.split("/")),)


def resolve(topic: str, config: Mapping, registry: Registry) -> Route | Refusal | None:
    """Say which point a topic carries."""
    id = point_id(topic, config)
    if id is None:
        return None
    point = registry.point(id)
    if point is None:
        return Refusal("unknown_point", f"no point {id[:128]!r}")
    return Route("reading", point.index)


def point_id(topic: str, config: Mapping) -> str | None:
    """Name the point that a topic carries, whether or not a site has it; None when the mapping does not match."""
    match = _pattern(config.topic).fullmatch(topic)
    if match is None:
        return None
    held = match.groupdict()
    return _HOLDER.sub(lambda holder: held.get(holder[1]) or "", config.point)


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode readings, each at its point."""
    config: Mapping = lane.config
    parse, value_of, time_of = _parser(config.value, config.time)
    items, errors = decode_each(parse, payloads)
    refused = [
        Refused(place, values.reason_of(payloads[place], error), str(error)[:200]) for place, error in errors.items()
    ]
    good = [place for place in range(len(items)) if place not in errors] if errors else range(len(items))
    kept = [items[place] for place in good] if errors else items
    message = np.array(good, np.intp) if errors else np.arange(len(items))
    value, wrong = _numbers([value_of(item) for item in kept])
    raw_times: list[Any] = [time_of(item) for item in kept] if time_of is not None else [None] * len(kept)
    time, wrong_time = _times(raw_times, config.time_unit, lane.registry.site.zone)
    wrong |= wrong_time
    refused += [Refused(int(message[place]), *why) for place, why in wrong.items()]
    if config.scale != 1.0 or config.offset != 0.0:
        value = value * config.scale + config.offset
    quality = np.full(len(kept), SIMULATED if config.simulated else 0, np.uint8)
    decoded = Decoded(message, points[message] if errors else points, time, value, quality, refused=refused)
    return without(decoded, list(wrong)) if wrong else decoded


def is_place(step: str) -> bool:
    """Tell whether a step of a path is a place in a list: plain digits, few enough for a number."""
    return step.isdecimal() and step.isascii() and len(step) <= 9


def _numbers(raw: list[Any]) -> tuple[npt.NDArray[np.float64], dict[int, tuple[str, str]]]:
    kinds = set(map(type, raw))
    if not kinds - {float, bool, type(None)}:
        return np.array(raw, np.float64), {}
    wrong: dict[int, tuple[str, str]] = {}
    plain: list[float | None] = []
    for place, item in enumerate(raw):
        if isinstance(item, str):
            text = item.encode()
            item = values.number(text)
            if item is None:
                wrong[place] = (values.reason_of(text, ValueError()), f"value {text[:40].decode(errors='replace')!r}")
        elif isinstance(item, int):
            item = _float(item)
        elif item is not None and not isinstance(item, float):
            wrong[place] = ("malformed", f"value is {type(item).__name__}, not a number")
            item = None
        plain.append(item)
    return np.array(plain, np.float64), wrong


def _float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return float("inf")


def _times(raw: list[Any], unit: str, zone: str) -> tuple[npt.NDArray[np.float64], dict[int, tuple[str, str]]]:
    wrong: dict[int, tuple[str, str]] = {}
    if set(map(type, raw)) - {float, type(None)}:
        plain: list[float | None] = []
        for place, item in enumerate(raw):
            try:
                if isinstance(item, bool | list | dict):
                    raise ValueError(f"time is {type(item).__name__}")
                if isinstance(item, str) and unit == "iso":
                    item = values.iso(item, zone)
                elif isinstance(item, str):
                    item = values.number(item.encode())
                    if item is None:
                        raise ValueError("time is not a number")
                elif item is not None and unit == "iso":
                    raise ValueError("time is not ISO 8601 text")
                elif isinstance(item, int):
                    item = _float(item)
            except ValueError as error:
                wrong[place] = ("malformed", str(error)[:200])
                item = None
            plain.append(item)
        raw = plain
    elif unit == "iso":
        for place, item in enumerate(raw):
            if item is not None:
                wrong[place] = ("malformed", "time is not ISO 8601 text")
    column = np.array(raw, np.float64)
    for place in np.flatnonzero(np.isinf(column)).tolist():
        wrong[place] = ("not_finite", "time is not finite")
    return column / _PER_SECOND.get(unit, 1.0), wrong


@lru_cache(maxsize=1024)
def _pattern(template: str) -> re.Pattern[str]:
    """Compile a topic template; a place-holder met again must match the same text."""
    met: set[str] = set()
    levels: list[str] = []
    for level in template.split("/"):
        if level == "#":
            levels.append("#")
            continue
        if level == "+":
            levels.append("[^/]*")
            continue
        parts = _HOLDER.split(level)
        for place in range(1, len(parts), 2):
            name = parts[place]
            parts[place] = f"(?P={name})" if name in met else f"(?P<{name}>[^/]+)"
            met.add(name)
        parts[0::2] = [re.escape(part) for part in parts[0::2]]
        levels.append("".join(parts))
    if levels[-1] == "#":
        return re.compile("/".join(levels[:-1]) + "(?:/.*)?" if len(levels) > 1 else ".*", re.DOTALL)
    return re.compile("/".join(levels))


@lru_cache(maxsize=1024)
def _parser(value: str, time: str | None) -> tuple[Callable[[bytes], Any], Getter, Getter | None]:
    """Make a decoder that keeps only the two paths, and what takes value and time out of its result."""
    paths = [value] if time is None else [value, time]
    nested = any(one != other and f"{other}.".startswith(f"{one}.") for one in paths for other in paths)
    if not value or nested or any(is_place(step) or not step for path in paths for step in path.split(".")):
        getters = [_walker(path) for path in paths]
        return _any, getters[0], getters[1] if time is not None else None
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        steps = path.split(".")
        for step in steps[:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = None
    leaf = float | bool | str | None
    names = {step: f"f{place}" for place, step in enumerate(sorted({s for path in paths for s in path.split(".")}))}
    decoder = msgspec.json.Decoder(_struct(tree, names, value.split("."), leaf))
    return decoder.decode, _attributes(value, names), _attributes(time, names) if time is not None else None


_any = msgspec.json.Decoder().decode


def _struct(tree: dict[str, Any], names: dict[str, str], required: list[str] | None, leaf: Any) -> Any:
    fields: list[Any] = []
    for step, below in tree.items():
        needed = required is not None and required[0] == step
        rest = required[1:] if needed and required is not None else None
        kind = leaf if below is None else _struct(below, names, rest or None, leaf)
        if needed:
            fields.append((names[step], kind))
        else:
            fields.append((names[step], kind if below is None else kind | None, None))
    renamed = {names[step]: step for step in tree}
    return msgspec.defstruct("Mapped", fields, kw_only=True, gc=False, rename=renamed)


def _attributes(path: str, names: dict[str, str]) -> Getter:
    """Take a path's value out of nested structs; None where an optional part is missing."""
    steps = [names[step] for step in path.split(".")]
    if len(steps) == 1:
        return operator.attrgetter(steps[0])

    def get(item: Any) -> Any:
        for step in steps:
            if item is None:
                return None
            item = getattr(item, step)
        return item

    return get


def _walker(path: str) -> Getter:
    """Take a path's value out of plain lists and dictionaries; None where it is missing."""
    steps = path.split(".") if path else []

    def get(item: Any) -> Any:
        for step in steps:
            if isinstance(item, dict):
                item = item.get(step)
            elif isinstance(item, list) and is_place(step) and int(step) < len(item):
                item = item[int(step)]
            else:
                return None
        return item

    return get
