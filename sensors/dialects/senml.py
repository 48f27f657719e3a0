"""The SenML dialect (RFC 8428): packs of records in JSON or CBOR.

Base fields (`bn bt bu bv bs`) carry over to the records that follow. A record's full name, `bn` + `n`, is one of a
point's `sources` (`senml:<name>`), or the point's id. `v` and `vb` (0 or 1) are values; so is `s`, the sum over time,
for a point of kind counter, in the unit times seconds. Text and data (`vs`, `vd`) are refused, record by record. A time
below 2**28 counts from arrival; without one a reading is stamped on arrival. The readings of a pack are given in order
of time. `{device}` in the topic fills one level and may be part of `base`, with which names begin until a pack has a
`bn`.

A pack is refused whole when it is none, when its version is unknown here, or when a label that must be understood (it
ends in `_`) is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from re import ASCII, compile
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from sensors.dialects import values
from sensors.dialects.dialect import Decoded, Lane, Refusal, Refused, Route
from sensors.dialects.senml_pack import READERS, Number, Record
from sensors.dialects.senml_units import unit_of
from sensors.lookup import Registry
from sensors.measure import UnitError
from sensors.observation import SIMULATED
from sensors.site import SenML
from sensors.trie import matches

MAX_NAME = 500
RELATIVE_BELOW = 2.0**28
"""A time below this counts from now (RFC 8428, section 4.5.3)."""

DEVICE = "{device}"
_MAX_BOUND = 4096
_NAME = compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]*", ASCII)

Wrong = tuple[str, str]
"""Reason and detail of a refused record."""


class Columns(NamedTuple):
    """Gather readings: the place of their pack, time (NaN: arrival), point; and the packs with relative times."""

    message: list[int]
    time: list[float]
    point: list[int]
    value: list[float]
    relative: list[int]

    def sort(self, first: int, received: float) -> None:
        """Put the readings from `first` on into the order of their times."""
        times = [received if time != time else time for time in self.time[first:]]
        order = sorted(range(len(times)), key=times.__getitem__)
        self.time[first:] = [self.time[first + row] for row in order]
        self.point[first:] = [self.point[first + row] for row in order]
        self.value[first:] = [self.value[first + row] for row in order]


class Bound(NamedTuple):
    """Say which point a name means; `sent * scale + offset` is in its unit. `sum` is what is taken."""

    point: int
    scale: float
    offset: float
    sum: bool


def topics(config: SenML) -> tuple[str, ...]:
    """List the filter of the packs' topics."""
    return (config.topic.replace(DEVICE, "+"),)


def resolve(topic: str, config: SenML, registry: Registry) -> Route | Refusal | None:
    """Say that a topic carries packs; its subject is what names begin with until a pack says otherwise."""
    if not matches(topics(config)[0], topic):
        return None
    levels = config.topic.split("/")
    device = topic.split("/")[levels.index(DEVICE)] if DEVICE in levels else ""
    return Route("frame", subject=config.base.replace(DEVICE, device))


def is_name(text: str) -> bool:
    """Tell whether a text can be the full name of a record (RFC 8428, section 4.5.1), no longer than is looked up."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode packs; what cannot be a reading is refused record by record."""
    config: SenML = lane.config
    read = READERS[config.format]
    refused: list[Refused] = []
    found = Columns([], [], [], [], [])
    subjects, bases = points.tolist(), lane.subjects
    for place, payload in enumerate(payloads):
        try:  # one by one: the records of a whole batch, alive at once, would keep the collector busy
            records = read(payload)
        except (ValueError, RecursionError) as error:
            refused.append(Refused(place, values.reason_of(payload, error), str(error)[:200]))
            continue
        wrong = _resolve_into(found, lane, place, bases[subjects[place]], records, received)
        if wrong:
            refused += _grouped(place, wrong)
    return Decoded(
        np.array(found.message, np.intp),
        np.array(found.point, np.intp),
        np.array(found.time, np.float64),
        np.array(found.value, np.float64),
        np.full(len(found.message), SIMULATED if config.simulated else 0, np.uint8),
        refused=refused,
        relative=found.relative,
    )


def _grouped(place: int, wrong: list[Wrong]) -> list[Refused]:
    """Refuse records of a pack, those of one reason together."""
    details: dict[str, list[str]] = {}
    for reason, detail in wrong:
        details.setdefault(reason, []).append(detail)
    return [Refused(place, reason, details[reason][0], len(details[reason])) for reason in sorted(details)]


def _resolve_into(
    found: Columns, lane: Lane, place: int, base: str, records: list[Record], received: float
) -> list[Wrong]:
    """Resolve a pack, its readings by time; give (reason, detail) of the records that are refused."""
    first = len(found.message)
    wrong: list[Wrong] = []
    from_arrival = False
    known = lane.cache.get
    base_unit, base_time = "", 0.0
    base_value: Number = UNSET
    base_sum: Number = UNSET
    for record in records:
        if record.bn is not UNSET:
            base = record.bn[: MAX_NAME + 1]  # too long a one makes no name, and is not copied for each record
        if record.bt is not UNSET:
            base_time = record.bt
        if record.bu is not UNSET:
            base_unit = record.bu
        if record.bv is not UNSET:
            base_value = record.bv
        if record.bs is not UNSET:
            base_sum = record.bs

        name, value = base + record.n, record.v
        unit: str | None = record.u or base_unit
        if record.vs is not UNSET or record.vd is not UNSET or record.vb is not UNSET:
            if (value, record.vb, record.vs, record.vd).count(UNSET) != 3:
                wrong.append(("malformed", f"{name[:128]!r} has more than one value"))
                continue
            if record.vb is UNSET:
                wrong.append(("not_a_reading", f"{name[:128]!r} is {'text' if record.vd is UNSET else 'data'}"))
                continue
            value, unit = float(record.vb), None
        elif value is UNSET:
            if record.s is UNSET and not record.n and not record.u and record.t is UNSET and record.ut is UNSET:
                continue  # nothing but base fields
            value = base_value
        elif base_value is not UNSET:
            value += base_value
        total = record.s if base_sum is UNSET else base_sum if record.s is UNSET else base_sum + record.s
        if value is UNSET and total is UNSET:
            wrong.append(("malformed", f"{name[:128]!r} has no value"))
            continue

        key = name, unit, value is UNSET, total is UNSET
        bound = known(key) or _bound(lane, *key)
        if not isinstance(bound, Bound):
            wrong.append(bound)
            continue
        time = base_time if record.t is UNSET else base_time + record.t
        if not isfinite(time):
            wrong.append(("not_finite", f"the time of {name[:128]!r} is not finite"))
            continue
        if time < RELATIVE_BELOW:
            from_arrival = from_arrival or time != 0.0
            time = received + time if time else nan
        point, scale, offset, sums = bound
        sent = total if sums else value
        assert sent is not UNSET
        found.message.append(place)
        found.time.append(time)
        found.point.append(point)
        found.value.append(sent * scale + offset)
    readings = len(found.message) - first
    if not readings and not wrong:
        wrong.append(("malformed", "no record has a value"))
    elif readings > 1:
        found.sort(first, received)
    if from_arrival:
        found.relative.append(place)
    return wrong


def _bound(lane: Lane, name: str, unit: str | None, no_value: bool, no_sum: bool) -> Bound | Wrong:
    """Find what a name means, or (reason, detail) why it is refused; of names of points it is remembered."""
    if not is_name(name):
        return "malformed", f"{name[:128]!r} is no name"
    registry = lane.registry
    source = registry.source("senml", name)
    if source is None:
        return "unknown_point", f"no point {name[:128]!r}"
    sent = unit_of(unit) if unit else ""
    if sent is None:
        return "wrong_unit", f"{name[:128]!r}: {str(unit)[:40]!r} is no unit of SenML"
    point = registry.by_index[source.point]
    sums = point.kind == "counter" and not no_sum
    found: Bound | Wrong
    if no_value and not sums:
        found = "not_a_reading", f"{name[:128]!r} is a sum, and its point is no counter"
    elif unit is None and not sums:  # 0 and 1 are in no unit
        found = Bound(point.index, 1.0, 0.0, False)
    else:
        try:
            found = Bound(point.index, *registry.conversion(point, _summed(sent) if sums else sent), sums)
        except UnitError as error:
            found = "wrong_unit", f"{name[:128]!r}: {error}"
    if len(lane.cache) >= max(_MAX_BOUND, 4 * len(registry.by_index)):
        lane.cache.clear()
    lane.cache[name, unit, no_value, no_sum] = found
    return found


def _summed(unit: str) -> str:
    """Name the unit of a sum over time."""
    return {"": "", "1": "s"}.get(unit, f"{unit}*s")
