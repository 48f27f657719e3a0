"""The Home Assistant dialect: devices that announce their entities over MQTT; those that the site binds become points.

Config messages (`sensors.dialects.discovery`) name the topics that carry values and availability. Only those of
entities that a point's `sources` name (`homeassistant:<unique_id>`) are asked for, so that a stranger's announcement
costs no subscription. The broker keeps config messages and sends them at every start: nothing is stored here.

Values are read through the entity's template (`sensors.dialects.template`) and converted from its unit; they have no
time and are stamped on arrival. An entity that calls itself unavailable is a source that has gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sensors.claimed_units import ClaimedUnits
from sensors.dialects import discovery, values
from sensors.dialects.announced import Book, Config, book_of, known, note, read, register, tell, try_again
from sensors.dialects.dialect import Decoded, Inherited, Lane, Refusal, Refused, Route, nothing
from sensors.dialects.discovery import DiscoveryError, Entity, Proposal
from sensors.dialects.filters import TemplateError, text_of
from sensors.dialects.template import Missing
from sensors.lookup import Registry
from sensors.site import HomeAssistant

MOST_CONFIG = 262_144
"""Bytes of a config message; a device with many components has a long one."""

MOST_STATE = 65_536
"""Bytes of a message that carries values."""

MOST_LATEST = 4_096
"""Bytes of a message that carries availability."""

_PATH = re.compile(r"(?P<component>\w+)/(?P<place>(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+)/config", re.ASCII)
_NO_VALUE = frozenset({"", "none", "null", "unknown", "unavailable"})


def topics(config: HomeAssistant) -> tuple[str, ...]:
    """List the filters of discovery messages."""
    return f"{config.prefix}/+/+/config", f"{config.prefix}/+/+/+/config"


def resolve(topic: str, config: HomeAssistant, registry: Registry) -> Route | Refusal | None:
    """Say that config topics carry announcements; all other topics are learnt from those."""
    beginning, _, rest = topic.partition(f"{config.prefix}/")
    if beginning or not rest.endswith("/config") or rest.count("/") not in (2, 3):
        return None
    match = _PATH.fullmatch(rest)
    if match is None:
        return Refusal("unknown_topic", "ids of a discovery topic are letters, digits, '_' and '-'")
    return Route("frame", subject=Config(match["component"], match["place"]))


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode announcements, values and availability, in the order in which they came."""
    decoded = nothing()
    book, units = book_of(lane), ClaimedUnits.of(lane)
    units.begin(received)
    try_again(lane, book, received, decoded)
    rows: list[tuple[int, int, float]] = []
    for place, (number, payload) in enumerate(zip(points.tolist(), payloads, strict=True)):
        subject = lane.subjects[number]
        if isinstance(subject, Config):
            units.begin_message()
            _announce(lane, book, place, subject, payload, received, decoded)
        else:
            _hear(lane, book, place, subject.name, payload, received, decoded, rows)
    if rows:
        message, point, value = zip(*rows, strict=True)
        decoded.message = np.array(message, np.intp)
        decoded.point = np.array(point, np.intp)
        decoded.value = np.array(value, np.float64)
        decoded.time = np.full(len(rows), np.nan)
        decoded.quality = np.zeros(len(rows), np.uint8)
    return decoded


def unbound(lane: Lane) -> list[Proposal]:
    """List what points could be made of the entities that were announced and are bound to none."""
    book = book_of(lane)
    return [discovery.propose(one) for name, one in book.entities.items() if name not in book.bound]


def succeed(lane: Lane, old: Lane) -> Inherited:
    """Bind what was announced to an earlier version of the site to this one's points; say of new ones who is there."""
    book, before = book_of(lane), book_of(old)
    book.latest = dict(before.latest)
    ClaimedUnits.of(lane, ClaimedUnits.of(old))
    carried = nothing()
    for config, names in before.owned.items():
        register(lane, book, 0, config, [before.entities[name] for name in names], 0.0, carried)
    for name, bound in book.bound.items():
        if name in before.bound:
            bound.present, bound.last = before.bound[name].present, before.bound[name].last
    fresh = [
        bound
        for name, bound in book.bound.items()
        if name not in before.bound or before.bound[name].source.point != bound.source.point
    ]
    return Inherited(carried.wanted, known(lane, fresh))


# ── announcements ──


def _announce(
    lane: Lane, book: Book, place: int, config: Config, payload: bytes, received: float, decoded: Decoded
) -> None:
    def refuse(reason: str, detail: str) -> None:
        decoded.refused.append(Refused(place, reason, detail[:200]))

    if len(payload) > MOST_CONFIG:
        return refuse("oversized", f"{len(payload)} bytes, at most {MOST_CONFIG} allowed")
    try:
        entities, faults = (
            discovery.entities(config.component, config.place, payload) if payload else ([], [])
        )  # an empty message takes back what was announced
    except DiscoveryError as error:
        return refuse("malformed", str(error))
    for fault in faults:
        refuse("malformed", fault)
    if payload and not entities and not faults:
        refuse("unbound", f"nothing to read: {config.component} {config.place}")
    decoded.refused += register(lane, book, place, config, entities, received, decoded)


# ── what entities say ──


def _hear(
    lane: Lane,
    book: Book,
    place: int,
    topic: str,
    payload: bytes,
    received: float,
    decoded: Decoded,
    rows: list[tuple[int, int, float]],
) -> None:
    readers, watchers = book.readers.get(topic, ()), book.watchers.get(topic, ())
    most = MOST_STATE if readers else MOST_LATEST
    refuse = decoded.refused.append
    if not readers and not watchers:
        return refuse(Refused(place, "unbound", "no entity publishes here any more"))
    if len(payload) > most:
        return refuse(Refused(place, "oversized", f"{len(payload)} bytes, at most {most} allowed"))
    try:
        said = read(payload)
    except UnicodeDecodeError as error:
        return refuse(Refused(place, "malformed", str(error)[:200]))
    told = [bound for bound, number in watchers if note(bound, number, said)]
    if told:
        if len(payload) <= MOST_LATEST:
            book.latest[topic] = payload
        tell(lane, place, topic, told, received, decoded)
    found, wrong = 0, 0
    for bound in readers:
        try:
            value = _number(bound.entity, bound.template(said))
        except Missing:
            continue
        except _NoValueError as error:
            wrong += 1
            refuse(Refused(place, error.reason, f"{bound.entity.name[:128]}: {error}"[:200]))
        except TemplateError as error:
            wrong += 1
            refuse(Refused(place, "malformed", f"{bound.entity.name[:128]}: {error}"[:200]))
        else:
            found += 1
            rows.append((place, bound.source.point, value * bound.source.scale + bound.source.offset))
    if not found and not wrong and not told:
        if readers:
            refuse(Refused(place, "unbound", "it holds nothing that an entity's template asks for"))
        else:
            refuse(Refused(place, "malformed", "neither available nor unavailable"))


class _NoValueError(ValueError):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _number(entity: Entity, value: Any) -> float:
    """Make a number of what a template gave; on and off are 1 and 0. Raise `_NoValueError`."""
    if entity.component == "binary_sensor":
        text = text_of(value)
        for same in (str, str.casefold):
            if same(text) == same(entity.on):
                return 1.0
            if same(text) == same(entity.off):
                return 0.0
    elif isinstance(value, bool | float):
        return float(value)
    elif isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    if value is None or (isinstance(value, str) and value.strip().casefold() in _NO_VALUE):
        raise _NoValueError("not_finite", f"no value: {text_of(value)[:40]!r}")
    if isinstance(value, str) and entity.component != "binary_sensor":
        written = value.encode()
        number = values.number(written)
        if number is not None:
            return number
        raise _NoValueError(values.reason_of(written, ValueError()), f"{value[:40]!r} is no number")
    raise _NoValueError("malformed", f"{text_of(value)[:40]!r} is neither {entity.on[:40]!r} nor {entity.off[:40]!r}")
