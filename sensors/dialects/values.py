"""Times, qualities and numbers as sources write them, turned into columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sensors.observation import BAD, GOOD, HISTORICAL, QUALITY_NAMES, SIMULATED, UNCERTAIN

MILLISECONDS_ABOVE = 1e11
"""A number of time above this is milliseconds: as seconds it would be the year 5138."""

CLAIMABLE = BAD | UNCERTAIN | SIMULATED | HISTORICAL
"""Quality bits that a source may claim as a number; the others are the bridge's own findings."""

_LONGEST = 64
"""Bytes of the longest plain number that is read, without the space around it."""

_NUMBER = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(rb"\s*[+-]?(?:nan|inf|infinity)\s*", re.IGNORECASE)
_HOLDS_NOT_FINITE = re.compile(rb"[:\[,]\s*[+-]?(?:nan|inf|infinity)\s*[,}\]]", re.IGNORECASE)

Quality = str | int | list[str] | None


class TooLarge(ValueError):
    """Raised when a payload is larger, or of more parts, than its dialect reads."""


MANY_BYTES = 65_536
"""Bytes from which on it is looked at how a payload may have been made slow to decode."""

_MOST_TINY = 1_000
_TINY = re.compile(rb"[0-9.][eE]-0*(?:[2-9][0-9]|[1-9][0-9]{2})")
"""A number near nothing: to read one exactly takes up to 7 µs, seventy times as long as others do."""


def require_quick(payload: bytes) -> None:
    """Raise `TooLarge` for JSON of so many numbers near nothing that to decode it would hold up the others."""
    if len(payload) <= MANY_BYTES or (b"e-" not in payload and b"E-" not in payload):
        return
    if sum(1 for _ in islice(_TINY.finditer(payload), _MOST_TINY + 1)) > _MOST_TINY:
        raise TooLarge(f"more than {_MOST_TINY} numbers below 1e-19")


def number(text: bytes) -> float | None:
    """Read a plain decimal number (`+5`, `.5`, `007` too); None if it is none, too long or too large."""
    value = _plain(text)
    return value if value is not None and math.isfinite(value) else None


def _plain(text: bytes) -> float | None:
    """Read a plain decimal number, infinite if it is too large; None if it is none, or longer than `_LONGEST`."""
    text = text.strip()
    return float(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def reason_of(payload: bytes, error: Exception) -> str:
    """Name the reason why a payload could not be decoded: `oversized`, `not_finite` or `malformed`."""
    if isinstance(error, TooLarge):
        return "oversized"
    head = payload[:4096]
    too_large = math.isinf(_plain(head) or 0.0)
    if "out of range" in str(error) or too_large or _NOT_FINITE.fullmatch(head) or _HOLDS_NOT_FINITE.search(head):
        return "not_finite"
    return "malformed"


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Look a time zone up once."""
    return ZoneInfo(name)


def iso(text: str, zone_name: str) -> float:
    """Read an ISO 8601 time as unix seconds; without an offset it is local time of the site. Raise `ValueError`."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone(zone_name))
        return moment.timestamp()
    except OverflowError as error:
        raise ValueError(f"time out of range: {text[:40]!r}") from error


def times(
    raw: Sequence[float | str | None], zone_name: str
) -> tuple[npt.NDArray[np.float64], dict[int, tuple[str, str]]]:
    """Turn times into float64 unix seconds (NaN where None); give also (reason, detail) of the wrong ones, by place.

    Numbers are seconds, or milliseconds above 1e11; text is ISO 8601.
    """
    wrong: dict[int, tuple[str, str]] = {}
    read: dict[int, float] = {}
    if str in set(map(type, raw)):
        for place, item in enumerate(raw):
            if isinstance(item, str):
                try:
                    read[place] = iso(item, zone_name)
                except ValueError:
                    wrong[place] = ("malformed", f"time {item[:40]!r} is not ISO 8601")
        raw = [None if isinstance(item, str) else item for item in raw]
    column = np.array(raw, np.float64)
    finite = np.isfinite(column)
    if not finite.all():
        for place in np.flatnonzero(~finite).tolist():
            if raw[place] is not None:
                wrong[place] = ("not_finite", "time is not finite")
                column[place] = np.nan
    scaled = np.abs(column) > MILLISECONDS_ABOVE
    if scaled.any():
        column = np.where(scaled, column / 1000.0, column)
    for place, moment in read.items():
        column[place] = moment
    return column, wrong


def quality(claim: Quality) -> int:
    """Turn a claimed quality into bits. Raise `ValueError` on a name or a bit that no source may claim."""
    if claim is None:
        return GOOD
    if isinstance(claim, int):
        if claim & ~CLAIMABLE:
            raise ValueError(f"quality {claim} claims bits that a source cannot know")
        return claim
    bits = GOOD
    for name in (claim,) if isinstance(claim, str) else claim:
        bit = QUALITY_NAMES.get(name.lower())
        if bit is None:
            raise ValueError(f"unknown quality {name[:40]!r}")
        bits |= bit
    return bits


def qualities(claims: Sequence[Quality]) -> tuple[npt.NDArray[np.uint8], dict[int, tuple[str, str]]]:
    """Turn claimed qualities into a uint8 column, and name (reason, detail) of those that are wrong, by place."""
    column = np.zeros(len(claims), np.uint8)
    wrong: dict[int, tuple[str, str]] = {}
    if set(map(type, claims)) - {type(None)}:
        for place, claim in enumerate(claims):
            if claim is not None:
                try:
                    column[place] = quality(claim)
                except ValueError as error:
                    wrong[place] = ("malformed", str(error))
    return column, wrong
