"""The mapped dialect: an installation's own topics and JSON, described by `sensors.site.Mapping`.

`{area}` and `{point}` in the topic template fill one level or part of it and make up the point's id; `+` and `#` match
as in MQTT. `{area}` has to name one of the point's areas, as it is called or was before; only where it is part of the
point's id may it be a text that is no area of the site.

Paths are dotted (`data.value`, `items.0.v`); an empty value path means that the payload is the value. A
value may be a number, a quoted number, or true/false. Times are read in the mapping's unit; a reading without one is
stamped on arrival. `value * scale + offset` is in `unit`, which is the point's unless said otherwise.

A mapping with `values` takes several readings out of each message, those whose paths lead somewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sensors.dialects import values
from sensors.dialects.dialect import MISSING, Decoded, Lane, Refusal, Refused, Route, decode_each, join, without
from sensors.dialects.paths import anything, parser, walker
from sensors.lookup import Registry, Source
from sensors.measure import UnitError
from sensors.observation import SIMULATED
from sensors.site import MappedValue, Mapping, Point

MAX_SEVERAL = 65_536
"""Bytes of a message of several values: all of its JSON is decoded."""

_HOLDER = re.compile(r"\{(area|point)\}")
_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6}
_ABSENT = object()


def topics(config: Mapping) -> tuple[str, ...]:
    """List the filter that covers the mapping's template."""
    return ("/".join("+" if _HOLDER.search(level) else level for level in config.topic.split("/")),)


def resolve(topic: str, config: Mapping, registry: Registry) -> Route | Refusal | None:
    """Say which point a topic carries, or with several values, which place-holders they are made of."""
    match = _pattern(config.topic).fullmatch(topic)
    if match is None:
        return None
    held = match.groupdict()
    if config.values:
        bound = [_bound(value, held, registry) for value in config.values]
        refusals = [one for one in bound if isinstance(one, Refusal)]
        return refusals[0] if len(refusals) == len(bound) else Route("frame", subject=tuple(held.items()))
    found = _bound(config, held, registry)
    return found if isinstance(found, Refusal) else Route("reading", found.point)


def point_id(topic: str, config: Mapping) -> str | None:
    """Name the point that a topic carries, whether or not a site has it; None when the mapping does not match.

    None too for a mapping of several values.
    """
    if config.values:
        return None
    match = _pattern(config.topic).fullmatch(topic)
    if match is None:
        return None
    held = match.groupdict()
    return _HOLDER.sub(lambda holder: held.get(holder[1]) or "", config.point)


def takes_all(config: Mapping) -> bool:
    """Tell whether a mapping takes every topic that its filter matches, so that none is left to the next."""
    return all(_HOLDER.fullmatch(level) or not _HOLDER.search(level) for level in config.topic.split("/"))


def fits(config: Mapping, registry: Registry) -> list[bool]:
    """Tell of each value of a mapping, in order, whether any topic that its template takes is one of a known point."""
    names: dict[str, Point] = {**registry.former_points, **registry.points}
    for point in registry.site.points:
        names |= {name.removeprefix("mapped:"): point for name in point.sources if name.startswith("mapped:")}
    return [_fits(value.point, config.topic, names, registry) for value in config.values or (config,)]


def _fits(template: str, topic: str, names: dict[str, Point], registry: Registry) -> bool:
    held = set(_HOLDER.findall(topic)) & set(_HOLDER.findall(template))
    if not held:
        return template in names
    made = _pattern(template)  # the place-holders of an id hold what those of a topic do
    if "area" not in held:
        return any(made.fullmatch(name) for name in names)
    matches = ((made.fullmatch(name), point) for name, point in names.items())
    return any(match and _misplaced(point, template, match["area"], registry) is None for match, point in matches)


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode readings, each at its point, or messages of several values."""
    config: Mapping = lane.config
    if config.values:
        return _several(lane, points, payloads)
    parse, value_of, time_of = parser(config.value, config.time)
    if parse is anything and max(map(len, payloads), default=0) > values.MANY_BYTES:
        parse = _quick
    items, errors = decode_each(parse, payloads)
    refused = [
        Refused(place, values.reason_of(payloads[place], error), str(error)[:200]) for place, error in errors.items()
    ]
    good = [place for place in range(len(items)) if place not in errors] if errors else range(len(items))
    kept = [items[place] for place in good] if errors else items
    message = np.array(good, np.intp) if errors else np.arange(len(items))
    point = points[message] if errors else points
    value, wrong = _numbers([value_of(item) for item in kept])
    raw_times: list[Any] = [time_of(item) for item in kept] if time_of is not None else [None] * len(kept)
    time, wrong_time = _times(raw_times, config.time_unit, lane.registry.site.zone)
    wrong |= wrong_time
    refused += [Refused(int(message[place]), *why) for place, why in wrong.items()]
    if config.scale != 1.0 or config.offset != 0.0:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
            value = value * config.scale + config.offset
    if lane.cache.setdefault("converts", _converts(lane)):
        value = _converted(lane, point, value)
    quality = np.full(len(kept), SIMULATED if config.simulated else 0, np.uint8)
    decoded = Decoded(message, point, time, value, quality, refused=refused)
    return without(decoded, list(wrong)) if wrong else decoded


def _bound(value: Mapping | MappedValue, held: dict[str, str], registry: Registry) -> Source | Refusal:
    """Find the point of a value, and what turns the number that is sent into the point's unit."""
    id = _HOLDER.sub(lambda holder: held.get(holder[1]) or "", value.point)
    try:
        found = registry.source("mapped", id, value.unit)
    except UnitError as error:
        return Refusal("wrong_unit", f"point {id[:128]!r}: {error}")
    if found is None:
        return Refusal("unknown_point", f"no point {id[:128]!r}")
    return _misplaced(registry.by_index[found.point], value.point, held.get("area"), registry) or found


def _misplaced(point: Point, template: str, named: str | None, registry: Registry) -> Refusal | None:
    """Refuse an area in the topic that is none of the point's."""
    if named is None:
        return None
    area = registry.area(named)
    if (area is None and "{area}" in template) or (area is not None and area.id in point.areas):
        return None
    return Refusal("unknown_point", f"point {point.id!r} is in {', '.join(point.areas)[:128]}, not in {named[:64]!r}")


def _converts(lane: Lane) -> bool:
    """Tell whether any value of the lane may have to be converted."""
    return bool(lane.config.unit) or any(point.source_unit for point in lane.registry.site.points)


def _converted(lane: Lane, point: npt.NDArray[np.intp], value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Convert values to the units of their points; what that takes is remembered by point."""
    by_index = lane.registry.by_index
    scales: npt.NDArray[np.float64] = lane.cache.setdefault("scales", np.full(max(by_index, default=-1) + 1, np.nan))
    offsets: npt.NDArray[np.float64] = lane.cache.setdefault("offsets", np.zeros(len(scales)))
    scale = scales[point]
    new = np.isnan(scale)
    if new.any():
        for index in set(point[new].tolist()):
            scales[index], offsets[index] = lane.registry.conversion(by_index[index], lane.config.unit)
        scale = scales[point]
    with np.errstate(over="ignore", invalid="ignore"):
        converted: npt.NDArray[np.float64] = value * scale + offsets[point]
    return converted


def _several(lane: Lane, subjects: npt.NDArray[np.intp], payloads: Sequence[bytes]) -> Decoded:
    """Decode messages of several values, one value after the other over all of them."""
    config: Mapping = lane.config
    items, errors = decode_each(_bounded, payloads)
    refused = [
        Refused(place, values.reason_of(payloads[place], error), str(error)[:200]) for place, error in errors.items()
    ]
    time_of = walker(config.time) if config.time is not None else None
    times, wrong_time = _times(
        [time_of(item) if time_of is not None else None for item in items], config.time_unit, lane.registry.site.zone
    )
    refused += [Refused(place, *why) for place, why in wrong_time.items()]
    fine = [place for place in range(len(items)) if place not in errors and place not in wrong_time]
    heard: set[int] = set()
    parts = []
    for number, value in enumerate(config.values):
        value_of = walker(value.value, _ABSENT)
        sent = {place: value_of(items[place]) for place in fine}
        sent = {place: one for place, one in sent.items() if one is not _ABSENT}
        if sent:
            heard |= sent.keys()
            parts.append(_one_of_several(lane, number, subjects, times, sent))
    refused += [Refused(place, "malformed", "it holds none of the values") for place in fine if place not in heard]
    decoded = join(parts)
    order = np.argsort(decoded.message, kind="stable")
    return Decoded(
        decoded.message[order],
        decoded.point[order],
        decoded.time[order],
        decoded.value[order],
        decoded.quality[order],
        refused=refused + decoded.refused,
    )


def _quick(payload: bytes) -> Any:
    values.require_quick(payload)
    return anything(payload)


def _bounded(payload: bytes) -> Any:
    if len(payload) > MAX_SEVERAL:
        raise values.TooLarge(f"{len(payload)} bytes, a message of several values has at most {MAX_SEVERAL}")
    return anything(payload)


def _one_of_several(
    lane: Lane, number: int, subjects: npt.NDArray[np.intp], times: npt.NDArray[np.float64], sent: dict[int, Any]
) -> Decoded:
    """Decode one value of the messages that hold it; `sent` is what they hold, by place."""
    described: MappedValue = lane.config.values[number]
    value, wrong = _numbers(list(sent.values()))
    message = np.array(list(sent), np.intp)
    sources: list[Source] = []
    for row, place in enumerate(sent):
        key = int(subjects[place]), number
        found = lane.cache.get(key)
        if found is None:
            found = lane.cache[key] = _bound(described, dict(lane.subjects[key[0]]), lane.registry)
        if isinstance(found, Refusal):
            wrong[row] = found
            found = Source(MISSING)
        sources.append(found)
    refused = [Refused(int(message[row]), why[0], f"{described.value}: {why[1]}") for row, why in wrong.items()]
    point, scale, offset = (np.array(column) for column in zip(*sources, strict=True))
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
        value = (value * described.scale + described.offset) * scale + offset
    quality = np.full(len(value), SIMULATED if lane.config.simulated else 0, np.uint8)
    decoded = Decoded(message, point, times[message], value, quality, refused=refused)
    return without(decoded, list(wrong)) if wrong else decoded


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
