"""Readings that a gateway brings itself, over HTTP: checked as those of the bridge are, and packed for the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from sensors import quarantine
from sensors.checks import Checks
from sensors.claimed_units import ClaimedUnits
from sensors.dialects import values
from sensors.dialects.dialect import Decoded, Refused, without
from sensors.lookup import Registry
from sensors.packing import Packer
from sensors.quarantine import Quarantine

MOST = 10_000
"""Readings that one push may bring."""

TOPIC = "/api/v1/readings"
"""What the quarantine calls the way by which they came."""


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading as it was sent; `value` in the point's unit."""

    point: str
    value: float | bool | str | None
    time: float | str | None = None  # unix seconds, milliseconds, or ISO 8601; None is on arrival
    quality: str | int | list[str] | None = None
    unit: str | None = None  # of the value; None is the point's
    flaw: str = ""  # why what was sent is no reading


def as_sent(reading: Reading) -> bytes:
    """Write a reading as it was sent: a value that is not finite too (`NaN`), which JSON proper has no word for."""
    return json.dumps(msgspec.to_builtins(reading), ensure_ascii=False, separators=(",", ":")).encode(
        errors="backslashreplace"
    )


class Turned(NamedTuple):
    """Say why the reading at a place was turned down."""

    place: int
    reason: str
    detail: str


class Pushed(NamedTuple):
    """Say what became of a push: records (topic, partition, value) for the log, and what was turned down."""

    records: list[tuple[str, int, bytes]]
    accepted: int
    refused: list[Turned]


class Push:
    """Check and pack pushed readings for one site."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._checks = Checks(registry)
        self._packer = Packer(registry)
        self._claimed = ClaimedUnits(registry)
        self.quarantine = Quarantine("http")

    def succeed(self, other: Push) -> None:
        """Go on with the counts and the quarantine of an earlier version of the site."""
        self.quarantine = other.quarantine
        self._checks.succeed(other._checks)
        self._claimed = ClaimedUnits(self._registry, other._claimed)

    def clocks(self) -> dict[str, float]:
        """Give the clocks that are wrong: point → seconds ahead."""
        return self._checks.clocks.figures()

    def take(self, readings: Sequence[Reading], stamp: float, received: float, source: str) -> Pushed:
        """Turn readings into records of the log; `source` is who sent them. Times as in `decode`.

        Who pushes is told of every reading of a flood; the quarantine keeps one of each point, and counts the others.
        """
        self._claimed.begin(received)
        decoded = decode(readings, stamp, self._registry, self._claimed)
        passed = self._checks.check(decoded, received)
        refused = sorted([*decoded.refused, *passed.refused])
        for one in refused:
            raw = as_sent(_stamped(readings[one.message], stamp, one.message))
            self.quarantine.refuse(received, f"{TOPIC} {source}", one.reason, raw, one.detail)
        if passed.surplus:
            self.quarantine.count("flood", len(passed.surplus))
        for detail in self._checks.take_notes():
            self.quarantine.refuse(received, TOPIC, "skewed", detail=detail, readings=0)
        records = self._packer.pack(passed.decoded, received, source)
        kept = self.quarantine.take(received)
        records += [(quarantine.TOPIC, quarantine.PARTITION, record) for record in kept]
        listed = [Turned(one.message, one.reason, one.detail) for one in refused]
        listed += [Turned(place, "flood", "far more than is expected of its point") for place in passed.surplus]
        return Pushed(records, len(passed.decoded), sorted(listed))


def _stamped(reading: Reading, stamp: float, place: int) -> Reading:
    """Give a reading without a time the one that it has by its push: decoded anew, it is the same reading."""
    return reading if reading.time is not None else msgspec.structs.replace(reading, time=stamp + place * 1e-6)


def decode(
    readings: Sequence[Reading], stamp: float, registry: Registry, claimed: ClaimedUnits | None = None
) -> Decoded:
    """Make columns of readings, each a message of its own; what is no reading of a point is in `refused`.

    Those without a time are stamped from `stamp` (unix seconds) on, a microsecond each: the same push with the same
    stamp gives the same times, so that the engine knows a repeated one by them. `claimed` are the units met before.
    """
    refused: dict[int, Refused] = {}

    def refuse(place: int, reason: str, detail: str) -> None:
        refused.setdefault(place, Refused(place, reason, detail))

    found = [registry.point(one.point) for one in readings]
    claimed = claimed if claimed is not None else ClaimedUnits(registry)
    scales: dict[int, tuple[float, float]] = {}
    for place, (one, point) in enumerate(zip(readings, found, strict=True)):
        if one.flaw:
            refuse(place, "malformed", one.flaw)
        elif point is not None and one.unit:
            turns = claimed.find(point.index, one.unit)
            if isinstance(turns, str):
                refuse(place, "wrong_unit", turns)
            else:
                scales[place] = turns
        if point is None:
            refuse(place, "unknown_point", f"no point {readings[place].point[:128]!r}")
    time, wrong = values.times([one.time for one in readings], registry.site.zone)
    quality, wrong_too = values.qualities([one.quality for one in readings])
    for place, why in [*wrong.items(), *wrong_too.items()]:
        refuse(place, *why)
    sent: list[float | None] = []
    for place, one in enumerate(readings):
        if one.value is None:
            refuse(place, "not_finite", "there is no value")
            sent.append(None)
        elif isinstance(one.value, str | bool):
            refuse(place, "malformed", f"value is {type(one.value).__name__}, not a number")
            sent.append(None)
        else:
            scale, offset = scales.get(place, (1.0, 0.0))
            sent.append(one.value * scale + offset)
    count = len(readings)
    decoded = Decoded(
        np.arange(count),
        np.array([0 if point is None else point.index for point in found], np.intp),
        np.where(np.isnan(time), stamp + np.arange(count) * 1e-6, time),
        np.array(sent, np.float64),
        quality,
        refused=list(refused.values()),
    )
    return without(decoded, list(refused)) if refused else decoded
