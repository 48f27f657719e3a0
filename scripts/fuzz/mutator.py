"""Make hostile payloads out of good ones: edits of what they mean, then of their bytes."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import cbor2
import msgspec
from google.protobuf import json_format

from sensors.dialects.sparkplug_b_pb2 import Payload

_NASTY: tuple[Any, ...] = (
    0, 1, -1, 255, 256, 2**28, 2**31, 2**53 + 1, 2**63, 2**64 - 1, 0.0, -0.0, 1e-320, 1.5e308, 1e11, -1e300,
    True, False, None, "", "a", "0", "1e5", "NaN", "inf", "p1", "p12", "bad", "2025-11-23T12:13:20Z",
    "\u0000", "é", "x_", "\ud7ff" * 9, "p" * 600, [], [[]], {}, {"v": 1}, {"value": {}}, [0] * 40,
)  # fmt: skip
_LABELS = (
    "value", "time", "ts", "quality", "points", "values", "times", "n", "v", "vb", "vs", "vd", "s", "t", "u", "ut",
    "bn", "bt", "bu", "bv", "bs", "bver", "must_", "extra", "type", "after", "label", "camera", "unit",
)  # fmt: skip
_UNITS = (
    "mm", "km", "inch", "kPa", "bar", "N", "ms", "kg", "degC", "kW", "mV", "%", "persons", "x", "°C", "dB", "dBm", "Np",
    "dB/m",
)  # fmt: skip
_TOKENS = (
    b"NaN", b"Infinity", b"1e999", b"-", b"null", b"true", b"\xff", b"\x00", b"[", b"]", b"{", b"}", b'"', b"\\",
    b"\\u0000", b"\\ud800", b",", b":", b"\n", b"_", b"9" * 40, b"\x9f", b"\xbf", b"\xf9\x7e\x00", b"\xfb",
    b"\x1b" + b"\xff" * 8, b"\xc4\x82", b"\xd8\x23", b"\xc2\x49", b"\xdf", b"\xdd\xff\xff\xff\xff",
    b"&lol;", b"<", b">",
)  # fmt: skip

_DIGITS = re.compile(rb"\b\d+(?:\.\d+)?\b")
_SLOWEST = b"0.99999999999999999e-300"
"""The number that takes longest to read exactly."""

Encode = Callable[[Any], bytes]


def encode_json(tree: Any) -> bytes:
    """Encode JSON as plainly as a device would; what is not finite is written as JavaScript does."""
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def _decode_sparkplug(payload: bytes) -> Any:
    return json_format.MessageToDict(Payload.FromString(payload), preserving_proto_field_name=True)


def _encode_sparkplug(tree: Any) -> bytes:
    try:
        return json_format.ParseDict(tree, Payload()).SerializeToString()
    except (json_format.Error, AttributeError, IndexError) as error:
        raise ValueError("no message of Sparkplug's") from error


_CODECS: tuple[tuple[Callable[[bytes], Any], Encode], ...] = (
    (json.loads, encode_json),
    (msgspec.msgpack.decode, msgspec.msgpack.encode),
    (cbor2.loads, cbor2.dumps),
    (_decode_sparkplug, _encode_sparkplug),
)


class Mutator:
    """Make one payload after another from good ones; the same seed makes the same ones."""

    def __init__(self, good: Sequence[bytes], seed: int) -> None:
        self._random = random.Random(seed)
        self._good = list(good)
        self._trees = [found for payload in good if (found := _tree(payload)) is not None]

    def next(self) -> bytes:
        """Make the next payload."""
        draw = self._random.random()
        if draw < 0.0005:
            return self._large()
        if self._trees and draw < 0.6:
            tree, encode = self._random.choice(self._trees)
            tree = copy.deepcopy(tree)
            for _ in range(self._random.randint(1, 3)):
                tree = self._edited(tree)
            if draw < 0.002:
                tree = self._many_units(tree, self._random.choice((1, 500, 5_000)))
            elif draw < 0.02:
                tree = self._many_units(tree, self._random.randint(1, 4))
            try:
                payload = encode(tree)
            except (ValueError, TypeError, OverflowError, RecursionError):
                payload = self._random.choice(self._good)
            return payload if draw < 0.5 else self._damaged(payload)
        return self._damaged(self._random.choice(self._good))

    def damaged(self, payload: bytes, seed: int) -> bytes:
        """Change the bytes of a payload that another engine chose."""
        self._random.seed(seed)
        return self._damaged(payload)

    def _edited(self, tree: Any) -> Any:
        """Change one thing somewhere in a tree."""
        pick = self._random
        holders: list[Any] = []
        rest = [tree]
        while rest and len(holders) < 200:
            node = rest.pop()
            if isinstance(node, dict | list):
                holders.append(node)
                rest += node.values() if isinstance(node, dict) else node
        if not holders:
            return copy.deepcopy(pick.choice(_NASTY))
        holder = pick.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        way = pick.randrange(6)
        if way == 0 or not keys:
            self._add(holder, copy.deepcopy(pick.choice(_NASTY)))
        elif way == 1:
            del holder[pick.choice(keys)]
        elif way == 2:
            holder[pick.choice(keys)] = self._number()
        elif way == 3:
            holder[pick.choice(keys)] = copy.deepcopy(pick.choice(_NASTY))
        elif way == 4:
            self._add(holder, copy.deepcopy(holder[pick.choice(keys)]))
        else:
            one, other = pick.choice(keys), pick.choice(keys)
            holder[one], holder[other] = holder[other], holder[one]
        return tree

    def _many_units(self, tree: Any, count: int) -> Any:
        """Spell so many units, or one that may be very long, one for each of as many values."""
        pick = self._random
        most = 2_000 if count == 1 else pick.choice((1, 6))
        units = [
            "*".join(f"{pick.choice(_UNITS)}^{pick.randint(1, 9)}" for _ in range(pick.randint(1, most)))
            for _ in range(count)
        ]
        if isinstance(tree, dict) and isinstance(tree.get("points"), list) and tree["points"]:
            return {"points": tree["points"][:1] * count, "values": [1.0] * count, "unit": units}
        metrics = tree.get("metrics") if isinstance(tree, dict) else None
        metrics = [one for one in metrics if isinstance(one, dict)] if isinstance(metrics, list) else []
        if metrics:
            first = pick.choice(metrics)
            told = [{"keys": ["engUnit"], "values": [{"type": 12, "string_value": unit}]} for unit in units]
            return {**tree, "metrics": [{**first, "properties": one} for one in told]}
        if isinstance(tree, dict):
            names = ("unit", "u", "unit_of_measurement", "unit_of_meas")
            made = tree | dict.fromkeys(names, units[0])
            for key in ("components", "cmps"):
                parts = tree.get(key)
                if isinstance(parts, dict) and parts:
                    first = pick.choice(list(parts.values()))
                    if isinstance(first, dict):
                        made[key] = {
                            f"c{place}": {**first, **dict.fromkeys(names[2:], unit)} for place, unit in enumerate(units)
                        }
            return made
        firsts = [one for one in tree if isinstance(one, dict)][:1] or [{}]
        return [{**firsts[0], "u": unit, "unit": unit} for unit in units]

    def _add(self, holder: Any, value: Any) -> None:
        if isinstance(holder, list):
            holder.insert(self._random.randint(0, len(holder)), value)
        elif any(type(key) is int for key in holder):
            holder[self._random.choice((*range(-7, 10), "x", "x_"))] = value
        else:
            holder[self._random.choice(_LABELS)] = value

    def _number(self) -> float:
        return self._random.choice(
            (self._random.uniform(-1e3, 1e3), float(self._random.randint(0, 2**32)), 1e999, 1e-9)
        )

    def _damaged(self, payload: bytes) -> bytes:
        pick = self._random
        whole = bytearray(payload)
        for _ in range(pick.randint(1, 4)):
            at = pick.randint(0, len(whole))
            way = pick.randrange(7)
            if way == 0 and at < len(whole):
                whole[at] ^= 1 << pick.randrange(8)
            elif way == 1:
                del whole[at : at + pick.randint(1, 8)]
            elif way == 2:
                whole[at:at] = pick.choice(_TOKENS)
            elif way == 3:
                whole[at : at + pick.randint(0, 3)] = pick.randbytes(pick.randint(0, 3))
            elif way == 4:
                other = pick.choice(self._good)
                whole[at:] = other[pick.randint(0, len(other)) :]
            elif way == 5:
                end = min(len(whole), at + pick.randint(1, 40))
                whole[at:at] = whole[at:end] * pick.randint(1, 3)
            else:
                del whole[at:]
        return bytes(whole)

    def _large(self) -> bytes:
        """Make something deep, long or of very many parts."""
        pick = self._random
        size = pick.choice((2_000, 20_000, 60_000))
        good = pick.choice(self._good)
        opening = pick.choice(
            (b"[", b'{"v":', b"\x81", b"\xa1\x02", b"\x9f", b"\xc4", b"\x91", b"<a>", good[:1] or b"[")
        )
        if pick.random() < 0.4:
            return opening * (size // len(opening))
        inner = good[1:-1] or b"0"
        whole = good[:1] + b",".join([inner] * (size // (len(inner) + 1))) + good[-1:]
        return _DIGITS.sub(_SLOWEST, whole) if pick.random() < 0.2 else whole


def _tree(payload: bytes) -> tuple[Any, Encode] | None:
    """Decode a good payload with the codec that gives it back in the same shape."""
    for decode, encode in _CODECS:
        try:
            tree = decode(payload)
            if (
                isinstance(tree, dict | list)
                and decode(encode(tree)) == tree
                and (encode is encode_json or encode(tree) == payload)
            ):
                return tree, encode
        except Exception:  # noqa: S112 - it is another codec's
            continue
    return None
