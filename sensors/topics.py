"""Which topic carries what: every dialect's filters, and topic bytes → route by one dictionary look-up."""

from __future__ import annotations

import logging
from collections.abc import Hashable
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from sensors.dialects import frigate, gb28181, homeassistant, mapped, native, onvif, senml, sparkplug
from sensors.dialects.dialect import Dialect, Inherited, Kind, Lane, Refusal, Wanted, module
from sensors.lookup import Registry
from sensors.observation import SourceState
from sensors.trie import Trie

log = logging.getLogger(__name__)

DIALECTS: dict[str, ModuleType] = {
    "mapped": mapped,
    "frigate": frigate,
    "sparkplug": sparkplug,
    "homeassistant": homeassistant,
    "onvif": onvif,
    "gb28181": gb28181,
    "senml": senml,
}
"""The dialects beside the native one, by the name of their list of configurations in a site's `signals`."""

REFUSED = 0
"""Route of every topic that no dialect takes; its reason is asked for again when needed."""

_REMEMBERED = 10_000
"""Topics remembered by name: of refused ones so many, of others at least, and four for each point of the site."""

_REMEMBERED_BYTES = 16 << 20

_MOST_LEARNT = 20_000
"""Topics that dialects may learn of from payloads."""


def covers(wide: str, narrow: str) -> bool:
    """Tell whether every topic that the filter `narrow` matches is matched by the filter `wide`."""
    ours, theirs = wide.split("/"), narrow.split("/")
    for place, level in enumerate(ours):
        if level == "#":
            return True
        if place >= len(theirs):
            return False
        if level == "+":
            if theirs[place] == "#":
                return False
        elif level != theirs[place]:
            return False
    return len(ours) == len(theirs)


def leanest(filters: list[str]) -> list[str]:
    """Leave out filters that another covers: some brokers deliver a message once for each filter that it matches."""
    unique = list(dict.fromkeys(filters))
    return [
        one
        for one in unique
        if not any(other != one and covers(other, one) and not (covers(one, other) and one < other) for other in unique)
    ]


class Topics(dict[bytes, int]):
    """Map topic bytes to a route's number; a topic not seen before is resolved once.

    `lane_of[route]` is the place in `lanes`, -1 for refused topics; `point_of[route]` the registry index, or the place
    of the topic's subject in its lane's `subjects`, -1 for none.
    A mapped template with `+` or `#` takes topics without number: beyond what is remembered by name, those of one lane
    and point share a route, and only the latest of them need no second resolving.
    """

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        signals = registry.site.signals
        sources: list[tuple[ModuleType, Any]] = [(native, signals.native)] if signals.native else []
        for name, spoken in DIALECTS.items():
            sources += [(spoken, config) for config in getattr(signals, name)]
        self.registry = registry
        self.lanes: list[Lane] = []
        self.dialects: list[Dialect] = []
        self.topics: list[bytes] = [b""]
        self.lane_of: npt.NDArray[np.intp] = np.full(1024, -1, np.intp)
        self.point_of: npt.NDArray[np.intp] = np.full(1024, -1, np.intp)
        self.former: set[int] = set()
        """Routes of topics that name a point, an area or a camera as it was called before."""
        self._former_names = {*registry.former_points, *registry.former_areas, *registry.former_cameras}
        self._sources = [(module(one), config) for one, config in sources]
        self._trie: Trie[int] = Trie()
        for place, (dialect, config) in enumerate(self._sources):
            for one in dialect.topics(config):
                self._trie.insert(one, place)
        self._broken: set[int] = set()
        self._places: dict[tuple[int, Kind], int] = {}
        self._refusals = _Budget(_REMEMBERED)
        self._named = _Budget(max(_REMEMBERED, 4 * len(registry.by_index)))
        self._latest = _Budget(_REMEMBERED)
        self._passing: list[bytes] = []
        self._shared: dict[tuple[int, int], int] = {}
        self._subjects: dict[tuple[int, Hashable], int] = {}
        self._learnt: dict[str, tuple[int, Hashable]] = {}  # topic → lane, subject
        self._most_subjects = max(_REMEMBERED, 4 * len(registry.by_index))

    def filters(self) -> list[str]:
        """List the MQTT filters to subscribe to."""
        return leanest([topic for dialect, config in self._sources for topic in dialect.topics(config)])

    def learn(self, lane: int, wanted: Wanted) -> bool:
        """Take a topic that a payload of a lane told of, or let it go; tell whether that is a change.

        The first lane to ask for a topic has it; what a dialect takes by itself no payload can take away from it.
        """
        topic, subject = wanted
        known = self._learnt.get(topic)
        if subject is None:
            if known is None or known[0] != lane:
                return False
            del self._learnt[topic]
        elif known is None and len(self._learnt) < _MOST_LEARNT:
            self._learnt[topic] = lane, subject
        else:
            return False
        self.pop(topic.encode(), None)  # remembered as refused, or as the lane's
        return True

    def has_learnt(self, topic: str) -> bool:
        """Tell whether a payload told of a topic, so that it is subscribed to."""
        return topic in self._learnt

    def succeed(self, other: Topics) -> tuple[dict[str, bool], list[SourceState]]:
        """Take over what payloads told the topics of an earlier version of the site.

        Give the topics that are to be subscribed to (true) and no more (false) for it, and what is known of sources
        that this version binds anew.
        """
        states: list[SourceState] = []
        for (source, kind), place in other._places.items():
            spoken = other._sources[source]
            carry = getattr(spoken[0], "succeed", None)
            heir = self._heir(*spoken) if carry is not None else None
            if carry is not None and heir is not None:
                lane = self._lane(heir, kind)
                inherited: Inherited = carry(self.lanes[lane], other.lanes[place])
                for wanted in inherited.wanted:
                    self.learn(lane, wanted)
                states += inherited.states
        gone = {topic: False for topic in other._learnt if topic not in self._learnt}
        return gone | {topic: True for topic in self._learnt if topic not in other._learnt}, states

    def _heir(self, dialect: Dialect, config: Any) -> int | None:
        """Find the source that goes on for one of an earlier version: the same, else that of the same prefix."""
        if (dialect, config) in self._sources:
            return self._sources.index((dialect, config))
        for place, (other, changed) in enumerate(self._sources):
            if other is dialect and changed.prefix == config.prefix:
                return place
        return None

    def refusal(self, topic: bytes) -> Refusal:
        """Say why a topic is refused."""
        found = self._resolve(topic)
        return found if isinstance(found, Refusal) else Refusal("unknown_topic", "no dialect takes this topic")

    def __missing__(self, topic: bytes) -> int:
        found = self._resolve(topic)
        if isinstance(found, Refusal):
            if self._refusals.take(topic):
                self[topic] = REFUSED
            return REFUSED
        route = self._route(topic, *found) if self._named.take(topic) else self._share(topic, found)
        self[topic] = route
        if self._former_names and not self._former_names.isdisjoint(topic.decode().split("/")):
            self.former.add(route)
            log.warning("%s names by a former id what was renamed; it is still taken", topic.decode())
        return route

    def _route(self, name: bytes, place: int, point: int) -> int:
        route = len(self.topics)
        if route == len(self.lane_of):
            self.lane_of = np.concatenate([self.lane_of, np.full(route, -1, np.intp)])
            self.point_of = np.concatenate([self.point_of, np.full(route, -1, np.intp)])
        self.topics.append(name)
        self.lane_of[route] = place
        self.point_of[route] = point
        return route

    def _share(self, topic: bytes, found: tuple[int, int]) -> int:
        """Give the one route of further topics of a lane and point, and make room for this one among the latest."""
        if found not in self._shared:
            self._shared[found] = self._route(topic + b" and others", *found)
        if not self._latest.take(topic):
            for old in self._passing:
                self.pop(old, None)
            self._passing.clear()
            self._latest = _Budget(_REMEMBERED)
            self._latest.take(topic)
        self._passing.append(topic)
        return self._shared[found]

    def _resolve(self, topic: bytes) -> tuple[int, int] | Refusal:
        try:
            text = topic.decode()
        except UnicodeDecodeError:
            return Refusal("unknown_topic", "the topic is not UTF-8")
        for source in self._trie.match(text):
            dialect, config = self._sources[source]
            try:
                found = dialect.resolve(text, config, self.registry)
            except Exception as error:  # a dialect never raises; should one do, it must not stop the bridge
                if source not in self._broken:
                    log.exception("a topic broke what resolves it, which refuses it: %s", text[:200])
                    self._broken.add(source)
                return Refusal("malformed", f"{type(error).__name__}: {error}"[:200])
            if isinstance(found, Refusal):
                return found
            if found is not None:
                if found.subject is not None and len(self._subjects) >= self._most_subjects:
                    return Refusal("unknown_topic", "more devices than this bridge remembers")
                place = self._lane(source, found.kind)
                return place, found.point if found.subject is None else self._subject(place, found.subject)
        if text in self._learnt:
            lane, subject = self._learnt[text]
            if len(self._subjects) >= self._most_subjects and (lane, subject) not in self._subjects:
                return Refusal("unknown_topic", "more devices than this bridge remembers")
            return lane, self._subject(lane, subject)
        return Refusal("unknown_topic", "no dialect takes this topic")

    def _lane(self, source: int, kind: Kind) -> int:
        """Give the place of the lane of a source's messages of a kind."""
        place = self._places.setdefault((source, kind), len(self.lanes))
        if place == len(self.lanes):
            dialect, config = self._sources[source]
            self.lanes.append(Lane(kind, config, self.registry))
            self.dialects.append(dialect)
        return place

    def _subject(self, lane: int, subject: Hashable) -> int:
        """Give a subject's place in its lane."""
        subjects = self.lanes[lane].subjects
        place = self._subjects.setdefault((lane, subject), len(subjects))
        if place == len(subjects):
            subjects.append(subject)
        return place


class _Budget:
    """Count what is remembered: topics, and their bytes."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._bytes_left = _REMEMBERED_BYTES

    def take(self, topic: bytes) -> bool:
        """Take room for one topic; tell whether there was any."""
        if self._left < 1 or self._bytes_left < len(topic):
            return False
        self._left -= 1
        self._bytes_left -= len(topic)
        return True
