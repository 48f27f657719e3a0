"""The native dialect: `<prefix>/readings/<area>/<point>` and `<prefix>/frames/<area>`.

A reading is a bare number (`21.5`, `true`) or `{"value": 21.5, "time": …, "quality": …, "unit": …}`; only `value` must
be there. A frame is JSON or msgpack (a map, told by its first byte): `{"points": [ids], "values": […], "times": […] or
"time": …, "quality": […] or one for all, "unit": […] or one for all}`, lists of one length. In msgpack `values` and
`times` may also be `bin`: float64, little endian. The points of a frame may serve any area; the topic's area says where
the gateway stands.

`time` is unix seconds, milliseconds if above 1e11, or ISO 8601 (local time of the site without an offset); a reading
without one is stamped on arrival. `quality` is a name (good, bad, uncertain, simulated, historical), a list of names,
or their bits as a number. A `null` value is refused as not finite. A `unit` other than the point's is converted, or
refused; it has at most 64 characters, and new ones are rationed (`sensors.claimed_units`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from sensors.claimed_units import ClaimedUnits
from sensors.dialects import values
from sensors.dialects.dialect import Decoded, Lane, Refusal, Refused, Route, decode_each, join, nothing, without
from sensors.frame import MAX_READINGS
from sensors.lookup import Registry

_CACHED_LISTS = 512
_CACHED_BYTES = 65_536

Values = list[float | bool | None]
Times = list[float | str | None]
Claims = list[values.Quality]


class Single(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One reading as JSON."""

    value: float | bool | None
    time: float | str | None = None
    quality: str | int | list[str] | None = None


class Wide(Single, gc=False, forbid_unknown_fields=False):
    """One reading as JSON, with its unit and whatever else a source tells: a fifth dearer to decode."""

    unit: str | None = None


class Columns(msgspec.Struct, gc=False):
    """Many readings as columns, in JSON."""

    points: msgspec.Raw
    values: list[float | bool | None]
    times: list[float | str | None] | None = None
    time: float | str | None = None
    quality: str | int | list[str | int | list[str] | None] | None = None
    unit: str | list[str | None] | None = None


class Packed(msgspec.Struct, gc=False):
    """Many readings as columns, in msgpack."""

    points: msgspec.Raw
    values: list[float | bool | None] | bytes
    times: list[float | str | None] | bytes | None = None
    time: float | str | None = None
    quality: str | int | list[str | int | list[str] | None] | None = None
    unit: str | list[str | None] | None = None


_single = msgspec.json.Decoder(float | bool | Single | None).decode
_wide = msgspec.json.Decoder(float | bool | Wide | None).decode
_columns = msgspec.json.Decoder(Columns).decode
_packed = msgspec.msgpack.Decoder(Packed).decode
_ids_json = msgspec.json.Decoder(list[str]).decode
_ids_packed = msgspec.msgpack.Decoder(list[str]).decode


def topics(config: str) -> tuple[str, ...]:
    """List the filters of the dialect under the prefix `config`: whole branches: mistyped topics are counted."""
    return (f"{config}/readings/#", f"{config}/frames/#")


def resolve(topic: str, config: str, registry: Registry) -> Route | Refusal | None:
    """Say which point a readings topic carries, or that a topic carries frames."""
    if not topic.startswith(config + "/"):
        return None
    match topic[len(config) + 1 :].split("/"):
        case ["readings", area, id]:
            point = registry.topic_points.get((area, id))
            if point is not None:
                return Route("reading", point.index)
            if registry.area(area) is None:
                return Refusal("unknown_topic", f"no area {area!r}")
            if registry.point(id) is None:
                return Refusal("unknown_point", f"no point {id!r}")
            return Refusal("unknown_point", f"point {id!r} does not serve area {area!r}")
        case ["frames", area]:
            if registry.area(area) is None:
                return Refusal("unknown_topic", f"no area {area!r}")
            return Route("frame")
    return None


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode readings, each at its point, or frames."""
    ClaimedUnits.of(lane).begin(received)
    if lane.kind == "reading":
        return _readings(lane, points, payloads)
    return join([_frame(lane, place, payload) for place, payload in enumerate(payloads)])


def _readings(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes]) -> Decoded:
    items, errors = _items(lane, payloads)
    refused = []
    for place, error in errors.items():
        items[place] = plain = values.number(payloads[place])
        if plain is None:
            refused.append(Refused(place, values.reason_of(payloads[place], error), str(error)[:200]))
    kinds = set(map(type, items))
    zone = lane.registry.site.zone
    wrong: dict[int, tuple[str, str]] = {}
    if kinds <= {Single, Wide}:
        value = np.array([item.value for item in items], np.float64)
        time, wrong = values.times([item.time for item in items], zone)
        quality, wrong_quality = values.qualities([item.quality for item in items])
        wrong |= wrong_quality
    elif kinds.isdisjoint((Single, Wide)):
        value = np.array(items, np.float64)
        time = np.full(len(items), np.nan)
        quality = np.zeros(len(items), np.uint8)
    else:
        whole = [isinstance(item, Single) for item in items]
        pairs = list(zip(items, whole, strict=True))
        value = np.array([item.value if one else item for item, one in pairs], np.float64)
        time, wrong = values.times([item.time if one else None for item, one in pairs], zone)
        quality, wrong_quality = values.qualities([item.quality if one else None for item, one in pairs])
        wrong |= wrong_quality
    if Wide in kinds:
        value, wrong_unit = _converted(lane, points, value, [getattr(item, "unit", None) for item in items])
        wrong |= wrong_unit
    message = np.arange(len(items))
    decoded = Decoded(message, points, time, value, quality, refused=refused)
    if wrong:
        refused += [Refused(place, *why) for place, why in wrong.items()]
    return without(decoded, [item.message for item in refused]) if refused else decoded


def _items(lane: Lane, payloads: Sequence[bytes]) -> tuple[list[Any], dict[int, Exception]]:
    """Decode readings with the quick decoder, until a source of the lane tells more than that one knows."""
    if "wide" not in lane.cache:
        items, errors = decode_each(_single, payloads)
        if not any("unknown field" in str(error) for error in errors.values()):
            return items, errors
        lane.cache["wide"] = True
    return decode_each(_wide, payloads)


def _converted(
    lane: Lane, points: npt.NDArray[np.intp], value: npt.NDArray[np.float64], units: Sequence[str | None]
) -> tuple[npt.NDArray[np.float64], dict[int, tuple[str, str]]]:
    """Convert values sent in `units` to those of their points; name (reason, detail) of what cannot be, by place."""
    claimed = ClaimedUnits.of(lane)
    wrong: dict[int, tuple[str, str]] = {}
    scale, offset = np.ones(len(value)), np.zeros(len(value))
    for place, (unit, index) in enumerate(zip(units, points.tolist(), strict=True)):
        if unit and index >= 0:
            found = claimed.find(index, unit)
            if isinstance(found, str):
                wrong[place] = "wrong_unit", found
            else:
                scale[place], offset[place] = found
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused later
        return value * scale + offset, wrong


def _frame(lane: Lane, place: int, payload: bytes) -> Decoded:
    try:
        return _columns_of(lane, place, payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        refusal = nothing()
        refusal.refused.append(Refused(place, values.reason_of(payload, error), str(error)[:200]))
        return refusal


def _columns_of(lane: Lane, place: int, payload: bytes) -> Decoded:
    packed = bool(payload) and payload[0] >= 0x80
    if not packed:
        values.require_quick(payload)
    body: Columns | Packed = _packed(payload) if packed else _columns(payload)
    point = _points(lane, bytes(body.points), packed)
    count = len(point)
    if not count:
        raise ValueError("a frame without any reading")
    value = _floats(body.values)
    if len(value) != count:
        raise ValueError(f"{count} points but {len(value)} values")
    if count > MAX_READINGS:
        raise ValueError(f"a frame holds at most {MAX_READINGS} readings, not {count}")
    if body.times is not None and body.time is not None:
        raise ValueError("a frame has either `times` or `time`")
    zone = lane.registry.site.zone
    wrong: dict[int, tuple[str, str]] = {}
    if isinstance(body.times, bytes):
        time, wrong = values.times(_floats(body.times).tolist(), zone)
    elif body.times is not None:
        time, wrong = values.times(body.times, zone)
    else:
        one, wrong_one = values.times([body.time], zone)
        if wrong_one:
            raise ValueError(wrong_one[0][1])
        time = np.full(count, one[0])
    if len(time) != count:
        raise ValueError(f"{count} points but {len(time)} times")
    claims: Any = body.quality
    if isinstance(claims, list):
        if len(claims) != count:
            raise ValueError(f"{count} points but {len(claims)} qualities")
        quality, wrong_quality = values.qualities(claims)
        wrong |= wrong_quality
    else:
        quality = np.full(count, values.quality(claims), np.uint8)
    if body.unit is not None and body.unit != "":
        units = body.unit if isinstance(body.unit, list) else [body.unit] * count
        if len(units) != count:
            raise ValueError(f"{count} points but {len(units)} units")
        ClaimedUnits.of(lane).begin_message()
        value, wrong_unit = _converted(lane, point, value, units)
        wrong |= wrong_unit
    decoded = Decoded(np.full(count, place, np.intp), point, time, value, quality)
    unknown = np.flatnonzero(point < 0)
    if len(unknown):
        names = _names(bytes(body.points), packed)
        listed = ", ".join(repr(names[row][:64]) for row in unknown[:8].tolist())
        decoded.refused.append(Refused(place, "unknown_point", f"no point {listed}", len(unknown)))
    wrong = {row: why for row, why in wrong.items() if point[row] >= 0}
    for reason in sorted({why[0] for why in wrong.values()}):
        rows = [row for row, why in wrong.items() if why[0] == reason]
        decoded.refused.append(Refused(place, reason, f"reading {rows[0]}: {wrong[rows[0]][1]}", len(rows)))
    if decoded.refused:
        return without(decoded, [*unknown.tolist(), *wrong])
    return decoded


def _floats(column: Values | bytes) -> npt.NDArray[np.float64]:
    if isinstance(column, bytes):
        if len(column) % 8:
            raise ValueError("a binary column is float64: its length must divide by 8")
        return np.frombuffer(column, "<f8").astype(np.float64, copy=False)
    return np.array(column, np.float64)


def _points(lane: Lane, raw: bytes, packed: bool) -> npt.NDArray[np.intp]:
    """Look point ids up, MISSING where unknown; a gateway sends the same list each time, so lists are remembered."""
    lists: dict[tuple[bool, bytes], npt.NDArray[np.intp]] = lane.cache.setdefault("lists", {})
    known = lists.get((packed, raw))
    if known is None:
        found = map(lane.registry.point, _names(raw, packed))
        known = np.array([point.index if point is not None else -1 for point in found], np.intp)
        if len(raw) <= _CACHED_BYTES:
            if len(lists) >= _CACHED_LISTS:
                lists.clear()
            lists[packed, raw] = known
    return known


def _names(raw: bytes, packed: bool) -> list[str]:
    return _ids_packed(raw) if packed else _ids_json(raw)
