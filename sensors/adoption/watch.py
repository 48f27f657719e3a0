"""Watch topics for a while in little memory: what their payloads look like, between which values, how often."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from sensors.adoption import named
from sensors.adoption.shape import Kind, shape_of
from sensors.dialects.discovery import Entity

MOST_TOPICS = 2_000
LOOKED_AT = 32
"""Payloads of a topic that are looked into; those beyond are only counted."""

_NICE = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)


@dataclass(slots=True)
class Span:
    """Hold between which values a field was seen."""

    low: float
    high: float
    count: int = 1

    def take(self, value: float) -> None:
        """Take one more value in."""
        self.low, self.high, self.count = min(self.low, value), max(self.high, value), self.count + 1


@dataclass(slots=True)
class Sketch:
    """Hold what was seen of one topic. `stored` says that all that came were the broker's stored copies."""

    topic: str
    first: float
    last: float
    count: int = 0
    looked: int = 0
    stored: bool = True
    kinds: Counter[Kind] = field(default_factory=Counter)
    numbers: dict[str, Span] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=32))

    @property
    def kind(self) -> Kind:
        """What most of its payloads are."""
        return self.kinds.most_common(1)[0][0]

    @property
    def interval(self) -> float | None:
        """How often it comes, seconds, rounded to what people would have set; None before three have come."""
        if len(self.gaps) < 2:
            return None
        usual = median(self.gaps)
        return float(min(_NICE, key=lambda nice: abs(nice - usual) / nice))


class Watch:
    """Keep a sketch of each of at most `most` topics; `unwatched` counts messages of topics beyond them.

    So many records of SenML packs as well, by name (`records`), and announced entities, by unique id. `base_of` gives
    what the names of a topic's packs begin with.
    """

    def __init__(
        self, zone: str = "UTC", most: int = MOST_TOPICS, base_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self.sketches: dict[str, Sketch] = {}
        self.records: dict[str, Sketch] = {}
        self.entities: dict[str, Entity] = {}
        self.unwatched = 0
        self._zone, self._most, self._base_of = zone, most, base_of

    def hear(self, topic: str, payload: bytes, received: float, *, retained: bool = False) -> None:
        """Take in one message of a topic."""
        sketch = self.sketches.get(topic)
        if sketch is None:
            if len(self.sketches) >= self._most or len(topic) > 1024:
                self.unwatched += 1
                return
            sketch = self.sketches[topic] = Sketch(topic, received, received)
        elif not retained and not sketch.stored:
            sketch.gaps.append(max(0.0, received - sketch.last))
        sketch.count += 1
        sketch.last = received
        sketch.stored = sketch.stored and retained
        if sketch.looked == LOOKED_AT:
            return
        sketch.looked += 1
        self._names(topic, payload, received, retained)
        shape = shape_of(topic, payload, received, self._zone)
        sketch.kinds[shape.kind] += 1
        for path, value in shape.numbers.items():
            if path in sketch.numbers:
                sketch.numbers[path].take(value)
            elif len(sketch.numbers) < 64:
                sketch.numbers[path] = Span(value, value)
        for kept, new in ((sketch.times, shape.times), (sketch.units, shape.units)):
            for path, text in new.items():
                if path in kept or len(kept) < 8:
                    kept[path] = text

    def _names(self, topic: str, payload: bytes, received: float, retained: bool) -> None:
        """Keep what a message says by names of its own."""
        for entity in named.announced(topic, payload):
            if len(self.entities) < self._most:
                self.entities[entity.name] = entity
        for name, value, unit in named.senml(payload, self._base_of(topic)) if payload[:1] in _PACKS else ():
            known = self.records.get(name)
            if known is None:
                if len(self.records) >= self._most:
                    self.unwatched += 1
                    continue
                known = self.records[name] = Sketch(topic, received, received, kinds=Counter[Kind](["number"]))
                known.numbers[""] = Span(value, value, 0)
                known.units |= {"": unit} if unit else {}
            elif not retained and not known.stored:
                known.gaps.append(max(0.0, received - known.last))
            known.numbers[""].take(value)
            known.count, known.last, known.stored = known.count + 1, received, known.stored and retained


_PACKS = (b"[", *(bytes((0x80 + size,)) for size in range(32)))
"""How a pack begins: an array in JSON or in CBOR."""
