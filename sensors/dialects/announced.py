"""What one installation has announced for Home Assistant: its entities, those bound to points, and who is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgspec

from sensors import measure
from sensors.claimed_units import TOO_MANY, ClaimedUnits
from sensors.dialects import discovery, presence
from sensors.dialects.dialect import Decoded, Lane, Refused, Wanted
from sensors.dialects.discovery import Entity
from sensors.dialects.filters import TemplateError, text_of
from sensors.dialects.template import Missing, Payload, Worked, parse
from sensors.lookup import Source
from sensors.observation import SourceState

DIALECT = "homeassistant"

MOST_LISTENERS = 2_048
"""Entities bound to one topic: each message there is worked out for every one of them."""

MOST_ENTITIES = 20_000
MOST_BYTES = 32 << 20
"""Entities remembered, bound or not, and bytes of them all."""

MOST_TRIED = 2
"""Config topics bound again before messages that are decoded together."""

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
    availability: tuple[Worked | None, ...]  # None: its template is not understood, and it says nothing
    present: dict[int, bool] = field(default_factory=dict)  # place of an availability → what it said last
    last: bool | None = None  # what any of them said last

    @property
    def topics(self) -> tuple[str, ...]:
        """List the topics that it listens to, each once."""
        said = zip(self.entity.availability, self.availability, strict=True)
        return tuple(dict.fromkeys((self.entity.topic, *(one.topic for one, template in said if template is not None))))

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
    late: dict[Config, None] = field(default_factory=dict)  # with a unit that was one too many: to be tried again
    size: int = 0

    def listeners(self, topic: str) -> int:
        """Count the entities that listen to a topic."""
        return len(self.readers.get(topic, ())) + len(self.watchers.get(topic, ()))


def book_of(lane: Lane) -> Book:
    """Give the book of an installation's lane."""
    return cast(Book, lane.cache.setdefault("book", Book()))


def register(
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
            bound = old if old is not None and old.entity == entity else _bind(lane, entity)
        except TemplateError as error:
            refuse("unsupported", f"{entity.name[:128]}: {error}")
            continue
        except measure.UnitError as error:
            refuse("wrong_unit", f"{entity.name[:128]}: {error}")
            if str(error) == TOO_MANY:
                book.late[config] = None
            continue
        if bound is None:
            strangers += 1
        elif any(book.listeners(topic) >= MOST_LISTENERS for topic in bound.topics):
            refuse("oversized", f"{entity.name[:128]}: more entities at one topic than {MOST_LISTENERS}")
        else:
            if None in bound.availability:
                refuse("unsupported", f"{entity.name[:128]}: the template of an availability")
            _enter(lane, book, place, bound, received, decoded, fresh=bound is not old)
    if names:
        book.owned[config] = tuple(names)
    if strangers:
        refuse("unbound", f"bound to no point: {config.component} {config.place}", strangers)
    for topic in {topic for one in before.values() for topic in one.topics}:
        if topic not in book.readers and topic not in book.watchers:
            book.latest.pop(topic, None)
            decoded.wanted.append(Wanted(topic, None))
    return refused


def try_again(lane: Lane, book: Book, received: float, decoded: Decoded) -> None:
    """Bind what was announced with a unit that was one too many then; what is wrong with it has been told."""
    for config in list(book.late)[:MOST_TRIED]:
        register(lane, book, 0, config, [book.entities[name] for name in book.owned[config]], received, decoded)


def _forget(book: Book, config: Config) -> None:
    book.late.pop(config, None)
    for name in book.owned.pop(config, ()):
        book.size -= len(msgspec.msgpack.encode(book.entities.pop(name)))
        bound = book.bound.pop(name, None)
        if bound is None:
            continue
        for topic in bound.topics:
            readers = [one for one in book.readers.pop(topic, ()) if one is not bound]
            watchers = [one for one in book.watchers.pop(topic, ()) if one[0] is not bound]
            if readers:
                book.readers[topic] = readers
            if watchers:
                book.watchers[topic] = watchers


def _bind(lane: Lane, entity: Entity) -> Bound | None:
    """Bind an entity to its point. Raise `TemplateError` or `UnitError` when it cannot be read as one."""
    source = _source(lane, entity)
    if source is None:
        return None
    return Bound(
        entity, source, parse(entity.template), tuple(_understood(one.template) for one in entity.availability)
    )


def _understood(template: str) -> Worked | None:
    try:
        return parse(template)
    except TemplateError:
        return None


def _source(lane: Lane, entity: Entity) -> Source | None:
    plain = lane.registry.source(DIALECT, entity.name)
    if plain is None or entity.component == "binary_sensor":
        return plain
    fault = ""
    for unit in discovery.units(entity):
        found = ClaimedUnits.of(lane).find(plain.point, unit)
        if not isinstance(found, str):
            return Source(plain.point, *found)
        fault = fault or found
    if fault and (fault == TOO_MANY or not lane.registry.by_index[plain.point].source_unit):
        raise measure.UnitError(fault)
    return plain


def _enter(lane: Lane, book: Book, place: int, bound: Bound, received: float, decoded: Decoded, *, fresh: bool) -> None:
    """Listen to a bound entity's topics; what is known of its availability already counts for it too."""
    entity = bound.entity
    book.bound[entity.name] = bound
    book.readers[entity.topic].append(bound)
    for number, one in enumerate(entity.availability):
        if bound.availability[number] is None:
            continue
        book.watchers[one.topic].append((bound, number))
        if fresh and one.topic in book.latest:
            changed = note(bound, number, read(book.latest[one.topic]))
            tell(lane, place, one.topic, [bound] if changed else [], received, decoded)
    decoded.wanted += [Wanted(topic, Topic(topic)) for topic in bound.topics]


def read(payload: bytes) -> Payload:
    """Read a message as text and, where it is some, as JSON. Raise `UnicodeDecodeError`."""
    text = payload.decode()
    try:
        return Payload(text, _json(payload))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Payload(text, None, f"not JSON: {error}"[:200])


def note(bound: Bound, number: int, payload: Payload) -> bool:
    """Note what one of an entity's availability topics says; tell whether it says anything."""
    said, template = bound.entity.availability[number], bound.availability[number]
    if template is None:
        return False
    try:
        text = text_of(template(payload))
    except (Missing, TemplateError):
        return False
    if text not in (said.available, said.unavailable):
        return False
    bound.present[number] = bound.last = text == said.available
    return True


def tell(lane: Lane, place: int, topic: str, told: list[Bound], received: float, decoded: Decoded) -> None:
    """Say which points are there and which are not, area by area."""
    decoded.events += [(place, one) for one in _states(lane, topic, told, received)]


def known(lane: Lane, bounds: Sequence[Bound]) -> list[SourceState]:
    """Say the same of entities by what their availability topics said before; of some nothing is known."""
    by_topic: dict[str, list[Bound]] = defaultdict(list)
    for bound in bounds:
        if bound.present:
            by_topic[bound.entity.availability[max(bound.present)].topic].append(bound)
    return [one for topic, told in by_topic.items() for one in _states(lane, topic, told, 0.0)]


def _states(lane: Lane, topic: str, told: Sequence[Bound], received: float) -> Iterator[SourceState]:
    points: dict[bool, set[int]] = defaultdict(set)
    for bound in told:
        available = bound.available()
        if available is not None:
            points[available].add(bound.source.point)
    for available, found in points.items():
        state: presence.State = "online" if available else "offline"
        yield from presence.of_points(lane.registry, sorted(found), f"{DIALECT}:{topic}", state, received)
