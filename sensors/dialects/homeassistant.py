"""The Home Assistant dialect: devices that announce their entities over MQTT; those that the site binds become points.

Config messages (`sensors.dialects.discovery`) name the topics that carry values and availability. Only those of
entities that a point's `sources` name (`homeassistant:<unique_id>`) are asked for, so that a stranger's announcement
costs no subscription. The broker keeps config messages and sends them at every start: nothing is stored here.

Values are read through the entity's template (`sensors.dialects.template`) and converted from its unit; they have no
time and are stamped on arrival. An entity that calls itself unavailable is a source that has gone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
import numpy.typing as npt

from sensors import measure
from sensors.dialects import discovery, values
from sensors.dialects.dialect import Decoded, Lane, Refusal, Refused, Route, Wanted, nothing
from sensors.dialects.discovery import DiscoveryError, Entity, Proposal
from sensors.dialects.template import Missing, Payload, TemplateError, Worked, parse, text_of
from sensors.lookup import Registry, Source
from sensors.observation import SourceState
from sensors.site import HomeAssistant

DIALECT = "homeassistant"

MOST_CONFIG = 262_144
"""Bytes of a config message; a device with many components has a long one."""

MOST_STATE = 65_536
"""Bytes of a message that carries values."""

MOST_LATEST = 4_096
"""Bytes of a message that carries availability."""

MOST_LISTENERS = 2_048
"""Entities bound to one topic: each message there is worked out for every one of them."""

MOST_ENTITIES = 20_000
MOST_BYTES = 32 << 20
"""Entities remembered, bound or not, and bytes of them all."""

_PATH = re.compile(r"(?P<component>\w+)/(?P<place>(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_-]+)/config", re.ASCII)
_NO_VALUE = frozenset({"", "none", "null", "unknown", "unavailable"})
_json = msgspec.json.Decoder().decode


class Config(NamedTuple):
    """The subject of a config topic."""

    component: str
    place: str  # node_id/object_id, or object_id


class Topic(NamedTuple):
    """The subject of a topic that a config message named."""

    name: str


@dataclass(slots=True)
class Bound:
    """An entity that a point is bound to, ready to be read."""

    entity: Entity
    source: Source
    template: Worked
    availability: tuple[Worked, ...]
    present: dict[int, bool] = field(default_factory=dict)  # place of an availability → what it said last
    last: bool | None = None  # what any of them said last

    def available(self) -> bool | None:
        """Tell whether the entity is there; None while that is not known."""
        said = self.present.values()
        if self.entity.mode == "latest" or not said:
            return self.last
        whole = len(said) == len(self.availability)
        if self.entity.mode == "all":
            return False if not all(said) else True if whole else None
        return True if any(said) else False if whole else None


@dataclass(slots=True)
class Book:
    """What one installation has announced."""

    entities: dict[str, Entity] = field(default_factory=dict)  # by name
    owned: dict[Config, tuple[str, ...]] = field(default_factory=dict)  # config topic → names
    bound: dict[str, Bound] = field(default_factory=dict)
    readers: dict[str, list[Bound]] = field(default_factory=lambda: defaultdict(list))  # topic → who reads values
    watchers: dict[str, list[tuple[Bound, int]]] = field(default_factory=lambda: defaultdict(list))  # availability
    latest: dict[str, bytes] = field(default_factory=dict)  # availability topic → what it said last
    size: int = 0

    def listeners(self, topic: str) -> int:
        """Count the entities that listen to a topic."""
        return len(self.readers.get(topic, ())) + len(self.watchers.get(topic, ()))


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
    book = _book(lane)
    rows: list[tuple[int, int, float]] = []
    for place, (number, payload) in enumerate(zip(points.tolist(), payloads, strict=True)):
        subject = lane.subjects[number]
        if isinstance(subject, Config):
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
    book = _book(lane)
    return [discovery.propose(one) for name, one in book.entities.items() if name not in book.bound]


def succeed(lane: Lane, old: Lane) -> list[Wanted]:
    """Bind what was announced to an earlier version of the site to this one's points; give the topics wanted."""
    book, before = _book(lane), _book(old)
    book.latest = dict(before.latest)
    carried = nothing()
    for config, names in before.owned.items():
        _register(lane, book, 0, config, [before.entities[name] for name in names], 0.0, carried)
    for name, bound in book.bound.items():
        if name in before.bound:
            bound.present, bound.last = before.bound[name].present, before.bound[name].last
    return carried.wanted


def _book(lane: Lane) -> Book:
    return cast(Book, lane.cache.setdefault("book", Book()))


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
    decoded.refused += _register(lane, book, place, config, entities, received, decoded)


def _register(
    lane: Lane,
    book: Book,
    place: int,
    config: Config,
    entities: Sequence[Entity],
    received: float,
    decoded: Decoded,
) -> list[Refused]:
    """Put what a config topic tells of in the place of what it told of before; give what is refused of it."""
    refused: list[Refused] = []

    def refuse(reason: str, detail: str, readings: int = 1) -> None:
        refused.append(Refused(place, reason, detail[:200], readings))

    before = {name: book.bound[name] for name in book.owned.get(config, ()) if name in book.bound}
    _forget(book, config)
    names: list[str] = []
    strangers = 0
    for entity in entities:
        size = len(msgspec.msgpack.encode(entity))
        if entity.name in book.entities:
            refuse("malformed", f"the unique id {entity.name[:128]!r} is in use already")
            continue
        if len(book.entities) >= MOST_ENTITIES or book.size + size > MOST_BYTES:
            refuse("oversized", "more entities than this bridge remembers")
            break
        names.append(entity.name)
        book.entities[entity.name] = entity
        book.size += size
        old = before.get(entity.name)
        try:
            bound = old if old is not None and old.entity == entity else _bind(lane.registry, entity)
        except TemplateError as error:
            refuse("unsupported", f"{entity.name[:128]}: {error}")
            continue
        except measure.UnitError as error:
            refuse("wrong_unit", f"{entity.name[:128]}: {error}")
            continue
        if bound is None:
            strangers += 1
        elif any(book.listeners(topic) >= MOST_LISTENERS for topic in _topics(entity)):
            refuse("oversized", f"{entity.name[:128]}: more entities at one topic than {MOST_LISTENERS}")
        else:
            _enter(lane, book, place, bound, received, decoded, fresh=bound is not old)
    if names:
        book.owned[config] = tuple(names)
    if strangers:
        refuse("unbound", f"bound to no point: {config.component} {config.place}", strangers)
    for topic in {topic for one in before.values() for topic in _topics(one.entity)}:
        if topic not in book.readers and topic not in book.watchers:
            book.latest.pop(topic, None)
            decoded.wanted.append(Wanted(topic, None))
    return refused


def _forget(book: Book, config: Config) -> None:
    for name in book.owned.pop(config, ()):
        book.size -= len(msgspec.msgpack.encode(book.entities.pop(name)))
        bound = book.bound.pop(name, None)
        if bound is None:
            continue
        for topic in _topics(bound.entity):
            readers = [one for one in book.readers.pop(topic, ()) if one is not bound]
            watchers = [one for one in book.watchers.pop(topic, ()) if one[0] is not bound]
            if readers:
                book.readers[topic] = readers
            if watchers:
                book.watchers[topic] = watchers


def _bind(registry: Registry, entity: Entity) -> Bound | None:
    """Bind an entity to its point. Raise `TemplateError` or `UnitError` when it cannot be read as one."""
    source = _source(registry, entity)
    if source is None:
        return None
    return Bound(entity, source, parse(entity.template), tuple(parse(one.template) for one in entity.availability))


def _source(registry: Registry, entity: Entity) -> Source | None:
    plain = registry.source(DIALECT, entity.name)
    if plain is None or entity.component == "binary_sensor":
        return plain
    fault: measure.UnitError | None = None
    for unit in discovery.units(entity):
        try:
            return registry.source(DIALECT, entity.name, unit)
        except measure.UnitError as error:
            fault = fault or error
    if fault is not None and not registry.by_index[plain.point].source_unit:
        raise fault
    return plain


def _enter(lane: Lane, book: Book, place: int, bound: Bound, received: float, decoded: Decoded, *, fresh: bool) -> None:
    """Listen to a bound entity's topics; what is known of its availability already counts for it too."""
    entity = bound.entity
    book.bound[entity.name] = bound
    book.readers[entity.topic].append(bound)
    for number, one in enumerate(entity.availability):
        book.watchers[one.topic].append((bound, number))
        if fresh and one.topic in book.latest:
            changed = _present(bound, number, _payload(book.latest[one.topic]))
            _tell(lane, place, one.topic, [bound] if changed else [], received, decoded)
    decoded.wanted += [Wanted(topic, Topic(topic)) for topic in _topics(entity)]


def _topics(entity: Entity) -> tuple[str, ...]:
    return tuple(dict.fromkeys((entity.topic, *(one.topic for one in entity.availability))))


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
        read = _payload(payload)
    except UnicodeDecodeError as error:
        return refuse(Refused(place, "malformed", str(error)[:200]))
    told = [bound for bound, number in watchers if _present(bound, number, read)]
    if told:
        if len(payload) <= MOST_LATEST:
            book.latest[topic] = payload
        _tell(lane, place, topic, told, received, decoded)
    found, wrong = 0, 0
    for bound in readers:
        try:
            value = _number(bound.entity, bound.template(read), payload)
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


def _number(entity: Entity, value: Any, payload: bytes) -> float:
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


def _payload(payload: bytes) -> Payload:
    """Read a message as text and, where it is some, as JSON. Raise `UnicodeDecodeError`."""
    text = payload.decode()
    try:
        return Payload(text, _json(payload))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Payload(text, None, f"not JSON: {error}"[:200])


def _present(bound: Bound, number: int, read: Payload) -> bool:
    """Note what one of an entity's availability topics says; tell whether it says anything."""
    said = bound.entity.availability[number]
    try:
        text = text_of(bound.availability[number](read))
    except (Missing, TemplateError):
        return False
    if text not in (said.available, said.unavailable):
        return False
    bound.present[number] = bound.last = text == said.available
    return True


def _tell(lane: Lane, place: int, topic: str, told: list[Bound], received: float, decoded: Decoded) -> None:
    """Say which points are there and which are not, area by area."""
    groups: dict[tuple[str, bool], set[int]] = defaultdict(set)
    for bound in told:
        available = bound.available()
        if available is not None:
            for area in lane.registry.by_index[bound.source.point].areas:
                groups[area, available].add(bound.source.point)
    decoded.events += [
        (
            place,
            SourceState(
                area=area,
                source=f"{DIALECT}:{topic}",
                state="online" if available else "offline",
                time=received,
                received=received,
                points=tuple(sorted(points)),
            ),
        )
        for (area, available), points in groups.items()
    ]
