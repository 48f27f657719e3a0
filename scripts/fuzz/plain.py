"""Decode payloads the slow and plain way, to see that a dialect reads nothing that is not there.

Each gives all (point index, value) pairs that a payload may be taken to say, NaN where it says null. They share no code
with the dialects but the site, the limits and pint.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

from sensors import measure
from sensors.dialects.dialect import Lane
from sensors.dialects.senml_units import UNITS
from sensors.site import Mapping, Point

Said = list[tuple[int, float]]
Plain = Callable[[Lane, int, bytes], Said]

_DECIMAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def native(lane: Lane, point: int, payload: bytes) -> Said:
    """Read a single of the native dialect, or a frame."""
    if lane.kind == "reading":
        item = _json(payload)
        if item is _NOTHING:
            return [(point, float(payload))] if _DECIMAL.fullmatch(payload.decode(errors="replace")) else []
        if not isinstance(item, dict):
            return _values([(point, item)])
        return _as_sent(lane, _values([(point, item.get("value"))]), [item.get("unit")])
    item = _json(payload)
    if item is _NOTHING:
        try:
            item = _Msgpack(payload).item(40)
        except (ValueError, IndexError, struct.error):
            return []
    if not isinstance(item, dict) or not isinstance(item.get("points"), list):
        return []
    values = item.get("values")
    if isinstance(values, bytes):
        values = [one for (one,) in struct.iter_unpack("<d", values[: len(values) // 8 * 8])]
    known = {one.id: one.index for one in lane.registry.site.points}
    names = [known.get(name, -1) if isinstance(name, str) else -1 for name in item["points"]]
    pairs = list(zip(names, values if isinstance(values, list) else [], strict=False))
    unit = item.get("unit")
    units = unit if isinstance(unit, list) else [unit] * len(pairs)
    said: Said = []
    for pair, one in zip(pairs, units, strict=False):
        said += _as_sent(lane, _values([pair]), [one])
    return said


def mapped(lane: Lane, point: int, payload: bytes) -> Said:
    """Read a mapped message of one value or several."""
    config: Mapping = lane.config
    item = _json(payload)
    if not config.values:
        sent = _values([(point, _at(item, config.value))])
        return [_converted(lane, config, *one) for one in sent]
    said: Said = []
    held = dict(lane.subjects[point])
    known = {one.id: one.index for one in lane.registry.site.points}
    for value in config.values:
        id = value.point
        for name, text in held.items():
            id = id.replace("{" + name + "}", text)
        if id in known:
            said += [_converted(lane, value, *one) for one in _values([(known[id], _at(item, value.value))])]
    return said


def senml(lane: Lane, subject: int, payload: bytes) -> Said:
    """Read a SenML pack."""
    records = _json(payload) if payload[:1] < b"\x80" else _cbor(payload)
    if not isinstance(records, list):
        return []
    named = {source: one for one in lane.registry.site.points for source in one.sources}
    base: dict[str, Any] = {"bn": lane.subjects[subject]}
    said: Said = []
    for record in records:
        if not isinstance(record, dict):
            return []
        base |= {label: value for label, value in record.items() if label in ("bn", "bu", "bv", "bs")}
        name = f"{base['bn']}{record.get('n', '')}"
        point = named.get(f"senml:{name}") or lane.registry.points.get(name)
        if point is None:
            continue
        unit = record.get("u") or base.get("bu") or ""
        sums = [one for one in (record.get("s"), base.get("bs")) if one is not None]
        try:
            if sums and point.kind == "counter":
                said.append((point.index, _in(point, sum(map(float, sums)), unit, summed=True)))
            elif "vb" in record:
                said.append((point.index, float(record["vb"])))
            else:
                value = sum(float(one) for one in (record.get("v"), base.get("bv")) if one is not None)
                said.append((point.index, _in(point, value, unit)))
        except (ValueError, TypeError, OverflowError):
            continue
    return said


PLAIN: dict[str, Plain] = {"native": native, "mapped": mapped, "senml": senml}
"""The plain decoders there are, by dialect."""


_NOTHING = object()


def _json(payload: bytes) -> Any:
    """Decode JSON; bytes that are no text are passed over, as they may be where nobody looks at them."""
    try:
        return json.loads(payload.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return _NOTHING


def _at(item: Any, path: str) -> Any:
    for step in path.split(".") if path else []:
        if isinstance(item, dict) and step in item:
            item = item[step]
        elif isinstance(item, list) and step.isdigit() and int(step) < len(item):
            item = item[int(step)]
        else:
            return None
    return item


def _values(pairs: Any) -> Said:
    said: Said = []
    for point, value in pairs:
        try:
            said.append((point, math.nan if value is None else float(value)))
        except (ValueError, TypeError):
            continue
        except OverflowError:
            said.append((point, math.inf))
    return said


def _converted(lane: Lane, config: Any, point: int, value: float) -> tuple[int, float]:
    target = lane.registry.by_index[point]
    value = value * config.scale + config.offset
    return point, measure.convert_value(value, config.unit, target.unit) if config.unit else value


def _as_sent(lane: Lane, said: Said, units: list[Any]) -> Said:
    """Turn values into their points' units, leaving out what cannot be."""
    found: Said = []
    for (index, value), unit in zip(said, units, strict=False):
        if not unit or index < 0:
            found.append((index, value))
            continue
        try:
            found.append((index, measure.convert_value(value, unit, lane.registry.by_index[index].unit)))
        except (measure.UnitError, TypeError):
            continue
    return found


def _in(point: Point, value: float, unit: str, *, summed: bool = False) -> float:
    if not unit:
        return value
    ours = UNITS.get(unit, unit)
    if not summed:
        return measure.convert_value(value, ours, point.unit)
    return measure.convert_value(value, "s" if ours == "1" else f"{ours}*s", point.unit)


_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip


def _cbor(payload: bytes) -> Any:
    """Decode a CBOR pack with a reader of its own."""
    try:
        records = _Cbor(payload.removeprefix(b"\xd9\xd9\xf7")).item(6)
    except (ValueError, IndexError, struct.error, OverflowError, ArithmeticError, TypeError):
        return _NOTHING
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return _NOTHING
    return [{_LABELS.get(label, label): value for label, value in record.items()} for record in records]


class _Bytes:
    """Take bytes from the front."""

    def __init__(self, payload: bytes) -> None:
        self.rest = memoryview(payload)

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise IndexError("the end")
        taken, self.rest = bytes(self.rest[:count]), self.rest[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


class _Msgpack(_Bytes):
    """Read the items of msgpack; keys that are no text, and text that is no UTF-8, are passed over."""

    def item(self, depth: int) -> Any:
        if not depth:
            raise ValueError("too deep")
        head = self.take(1)[0]
        if head < 0x80 or head >= 0xE0:
            return head - 256 if head >= 0xE0 else head
        if head in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[head]
        if head in (0xCA, 0xCB):
            return struct.unpack(">f" if head == 0xCA else ">d", self.take(4 if head == 0xCA else 8))[0]
        if 0xCC <= head <= 0xD3:
            return int.from_bytes(self.take(2 ** (head % 4)), "big", signed=head >= 0xD0)
        if head in (0xC4, 0xC5, 0xC6):
            return self.take(self.number(2 ** (head - 0xC4)))
        if 0xA0 <= head < 0xC0 or 0xD9 <= head <= 0xDB:
            count = head - 0xA0 if head < 0xC0 else self.number(2 ** (head - 0xD9))
            return self.take(count).decode(errors="replace")
        if head in (0xC7, 0xC8, 0xC9) or 0xD4 <= head <= 0xD8:
            count = self.number(2 ** (head - 0xC7)) if head < 0xD0 else 2 ** (head - 0xD4)
            return ("extension", self.take(count + 1))
        if head == 0xC1:
            raise ValueError("never used")
        pairs = head < 0x90 or head >= 0xDE
        count = head & 15 if head < 0xA0 else self.number(2 if head in (0xDC, 0xDE) else 4)
        if not pairs:
            return [self.item(depth - 1) for _ in range(min(count, len(self.rest) + 1))]
        found: dict[str, Any] = {}
        for _ in range(min(count, len(self.rest) + 1)):
            key = self.item(depth - 1)
            value = self.item(depth - 1)
            found[key if isinstance(key, str) else repr(key)] = value
        return found


class _Cbor(_Bytes):
    """Read the items of RFC 8949 one byte after another."""

    def item(self, depth: int) -> Any:
        if not depth:
            raise ValueError("too deep")
        major, minor = divmod(self.take(1)[0], 32)
        if major == 7:
            if minor < 25:  # simple values, most without a meaning
                return {20: False, 21: True}.get(minor if minor < 24 else self.take(1)[0])
            if minor > 27:
                raise ValueError("no number")
            size, code = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[minor]
            return struct.unpack(code, self.take(size))[0]
        endless = minor == 31
        count = minor if minor < 24 or endless else self.number(2 ** (minor - 24))
        if 27 < minor < 31:
            raise ValueError("reserved")
        if major in (0, 1):
            return count if major == 0 else -1 - count
        if major in (2, 3):
            data = b"".join(self.parts(major, depth)) if endless else self.take(count)
            return data if major == 2 else data.decode()
        if major == 6:
            exponent, mantissa = self.item(depth - 1) if count == 4 else (0, 0)
            return float(f"{mantissa}e{exponent}")
        entries = []
        while (endless and not self.ends()) or (not endless and len(entries) < count):
            one = self.item(depth - 1)
            entries.append(one if major == 4 else (one, self.item(depth - 1)))
        return entries if major == 4 else dict(entries)

    def parts(self, major: int, depth: int) -> list[bytes]:
        found = []
        while not self.ends():
            part = self.item(depth - 1)
            found.append(part.encode() if isinstance(part, str) else part)
        return found

    def ends(self) -> bool:
        if self.rest[:1] == b"\xff":
            self.take(1)
            return True
        return False
