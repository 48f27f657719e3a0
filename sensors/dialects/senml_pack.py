"""Read SenML packs (RFC 8428) from JSON and CBOR into records, within limits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

import cbor2
import msgspec
from msgspec import UNSET, UnsetType

from sensors.dialects.values import MANY_BYTES, TooLarge, require_quick

VERSION = 10
MAX_RECORDS = 5_000
"""Records of a pack; to resolve that many takes 10 ms."""

MAX_CBOR = 65_536
"""Bytes of a CBOR pack. Labels may be integers, of which keys can be made that slow a dictionary down: not so few."""

_MAX_DECIMAL_PACK = 4096
_MOST_OBJECTS = 4 * MAX_RECORDS  # extensions may be objects too
_CBOR_MARK = b"\xd9\xd9\xf7"  # the tag "what follows is CBOR"

Number = float | UnsetType


class Record(msgspec.Struct, gc=False):
    """Hold one record as it was sent; labels that are not named here are left, unless they end in `_`."""

    n: str = ""
    u: str = ""
    v: Number = UNSET
    vb: bool | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: Number = UNSET
    t: Number = UNSET
    ut: Number = UNSET
    bn: str | UnsetType = UNSET
    bt: Number = UNSET
    bu: str | UnsetType = UNSET
    bv: Number = UNSET
    bs: Number = UNSET
    bver: int | UnsetType = UNSET


_LABELS = dict(enumerate(("bs", "bv", "bu", "bt", "bn", "bver"), -6)) | dict(
    enumerate(("n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"))
)
"""CBOR label → JSON label (RFC 8428, section 6)."""

_PAIR, _LAST = b"\x82", "no more"
_END = cbor2.dumps(_LAST)
"""A pack is decoded as the first of a pair, so that what follows it takes the place of the second."""

_DATA = 8
_INTEGERS = {int}
_PLAIN = _LABELS.keys() - {_DATA}
_UNDERSCORE, _BACKSLASH = b"_\\"
_KNOWN = frozenset(_LABELS.values())
_records = msgspec.json.Decoder(list[Record]).decode
_plain = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def read_json(payload: bytes) -> list[Record]:
    """Read a pack from JSON. Raise `ValueError` (msgspec's are) when it is none that can be understood."""
    if len(payload) > MANY_BYTES and payload.count(b"{") > _MOST_OBJECTS:  # a decoder would make them all first
        raise TooLarge(f"more than {_MOST_OBJECTS} objects, a pack has at most {MAX_RECORDS} records")
    require_quick(payload)
    records = _counted(_records(payload))
    if _BACKSLASH in payload or (_UNDERSCORE in payload and b'_"' in payload):  # how a label that ends in `_` looks
        _check_labels(label for record in _plain(payload) for label in record)
    if len(records) > 1 or records[0].bver is not UNSET:
        _check_version(records)
    return records


def read_cbor(payload: bytes) -> list[Record]:
    """Read a pack from CBOR. Raise `ValueError` when it is none that can be understood."""
    if len(payload) > MAX_CBOR:
        raise TooLarge(f"{len(payload)} bytes, a CBOR pack has at most {MAX_CBOR}")
    pack = _decoded(payload.removeprefix(_CBOR_MARK))
    if type(pack) is not list:
        raise ValueError("a pack is an array of records")
    _counted(pack)
    records = [_record(record) for record in pack]
    if len(records) > 1 or records[0].bver is not UNSET:
        _check_version(records)
    return records


def read(payload: bytes) -> list[Record]:
    """Read a pack from JSON or CBOR, told apart by the first byte."""
    return read_cbor(payload) if payload and payload[0] >= 0x80 else read_json(payload)


READERS: dict[str, Callable[[bytes], list[Record]]] = {"json": read_json, "cbor": read_cbor, "auto": read}
"""What reads a pack, by the `format` of a `sensors.site.SenML`."""


def _counted(records: list[Any]) -> list[Any]:
    if len(records) > MAX_RECORDS:
        raise TooLarge(f"{len(records)} records, a pack has at most {MAX_RECORDS}")
    if not records:
        raise ValueError("the pack is empty")
    return records


def _check_version(records: list[Record]) -> None:
    versions = {record.bver for record in records if record.bver is not UNSET}
    if len(versions) > 1 or any(not 0 < version <= VERSION for version in versions):
        raise ValueError(f"version {', '.join(map(str, versions))[:40]}: packs are read up to version {VERSION}")


def _check_labels(labels: Any) -> None:
    for label in labels:
        if label.endswith("_"):
            raise ValueError(f"{label[:40]!r} must be understood, and is not known here")


def _decoded(payload: bytes) -> Any:
    """Decode one CBOR item, no deeper than a pack is: no tag fits in there, nor a key that is a list.

    A small pack may have decimal fractions (tag 4), which lie deeper.
    """
    pair = _PAIR + payload + _END
    try:
        try:
            items = cbor2.loads(pair, max_depth=3, allow_duplicate_keys=False)
        except cbor2.CBORDecodeError:
            if b"\xc4" not in payload or len(payload) > _MAX_DECIMAL_PACK:
                raise
            items = cbor2.loads(
                pair, max_depth=5, allow_duplicate_keys=False, semantic_decoders=_NO_TAGS, tag_hook=_refuse
            )
            items[0] = [_without_decimals(record) for record in items[0]]
    except (cbor2.CBORError, EOFError, ArithmeticError, AttributeError, TypeError) as error:
        raise ValueError(f"not CBOR that a pack is made of: {error}"[:200]) from error
    if items[1] != _LAST:
        raise ValueError("more follows after the pack")
    return items[0]


def _without_decimals(record: Any) -> dict[Any, Any]:
    return {label: float(value) if type(value) is Decimal else value for label, value in record.items()}


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a tag that no pack has")


_NO_TAGS = dict.fromkeys(
    (0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799), _refuse
)
"""The tags that cbor2 knows, but for decimal fractions."""


def _record(sent: Any) -> Record:
    """Make a record of a CBOR map."""
    if type(sent) is not dict:
        raise ValueError("a record is a map")
    if set(map(type, sent)) != _INTEGERS or not sent.keys() <= _PLAIN:
        sent = _plainly(sent)
    return msgspec.convert({_LABELS[label]: value for label, value in sent.items()}, Record)


def _plainly(sent: dict[Any, Any]) -> dict[int, Any]:
    """Check labels, leave out those of extensions, and give data and decimal fractions types that JSON has."""
    plain: dict[int, Any] = {}
    for label, value in sent.items():
        if type(label) is str and not label.endswith("_") and label not in _KNOWN:
            continue
        if type(label) is not int:
            raise ValueError(f"{str(label)[:40]!r} is no label of CBOR packs that is known here")
        if label == _DATA:
            if type(value) is not bytes:
                raise ValueError("data is a byte string")
            value = ""
        if label in _LABELS:
            plain[label] = value
    return plain
