"""Topics and filters: what they may be, which match, and who gets a topic's messages."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.embedded.mqtt.packets import BAD_FILTER, BAD_TOPIC, MalformedPacket, check_text
from streams.embedded.mqtt.session import Session

SHARE = "$share/"
_CACHED = 200_000
_CACHED_BYTES = 16 << 20
_SHAPES = 10_000
_LEVELS = 128


def check_topic(topic: bytes) -> None:
    """Raise `MalformedPacket` unless the bytes are a topic to publish to."""
    check_text(topic)
    if not topic or b"+" in topic or b"#" in topic:
        raise MalformedPacket("a topic that may not be published to", BAD_TOPIC)


def split_filter(text: str) -> tuple[str, str]:
    """Split a subscription's filter into the name of its shared group ("" for none) and the filter proper.

    Raise `MalformedPacket` when it is not a filter.
    """
    group, rest = "", text
    if text.startswith(SHARE):
        group, slash, rest = text[len(SHARE) :].partition("/")
        if not group or not slash or "+" in group or "#" in group:
            raise MalformedPacket(f"not a shared filter: {text!r}", BAD_FILTER)
    levels = rest.split("/")
    if len(levels) > _LEVELS:
        raise MalformedPacket(f"a topic filter of {len(levels)} levels", BAD_FILTER)
    for place, level in enumerate(levels):
        wild = "+" in level or "#" in level
        if wild and (len(level) > 1 or (level == "#" and place < len(levels) - 1)):
            raise MalformedPacket(f"not a topic filter: {text!r}", BAD_FILTER)
    if not rest:
        raise MalformedPacket("an empty topic filter", BAD_FILTER)
    return group, rest


def matches(pattern: str, topic: str) -> bool:
    """Tell whether a filter matches a topic."""
    if topic.startswith("$") and pattern[0] in "+#":
        return False
    wanted, given = pattern.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in ("+", given[place]):
            return False
    return len(wanted) == len(given)


@dataclass(slots=True, frozen=True, eq=True)
class Target:
    """One subscriber of a topic, and how it wants to have it."""

    session: Session
    qos: int
    no_local: bool = False
    as_published: bool = False  # MQTT 5: keep the retain flag
    but: tuple[str, ...] = ()
    """Filters of what it does not want, though its subscription matches."""


class Group:
    """The members of one shared subscription, of whom each message goes to one, in turn."""

    def __init__(self) -> None:
        self.members: dict[Session, Target] = {}
        self._turn = 0

    def next(self) -> Target:
        """Give whose turn it is: of the connected ones, if there are any."""
        members = [one for one in self.members.values() if one.session.link is not None] or list(self.members.values())
        self._turn += 1
        return members[self._turn % len(members)]


@dataclass(slots=True)
class Route:
    """Who gets the messages of some topics. `plain`: all wish QoS 1 or more, nothing special."""

    targets: tuple[Target, ...]
    groups: tuple[Group, ...]
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        self.plain = not self.groups and all(one.qos and not one.no_local for one in self.targets)


class _Node:
    __slots__ = ("below", "groups", "targets")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.targets: dict[Session, Target] = {}
        self.groups: dict[str, Group] = {}


class Routes(dict[bytes, Route]):
    """Map topic bytes to a route, by one look-up; the tree of filters is asked only for a topic's first message.

    Topics with the same subscribers share one route, so a run of messages can be told by identity.
    A subscript with bytes that are not a topic raises `MalformedPacket`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._root = _Node()
        self._shapes: dict[tuple[tuple[Target, ...], tuple[int, ...]], Route] = {}
        self.count = 0
        """Counts the subscriptions."""
        self.cached_bytes = 0
        """Bytes of the topics held."""

    def clear(self) -> None:
        """Forget all topics."""
        super().clear()
        self.cached_bytes = 0

    def __missing__(self, topic: bytes) -> Route:
        check_topic(topic)
        targets: dict[Session, Target] = {}
        groups: list[Group] = []
        levels = topic.decode().split("/")
        self._collect(self._root, levels, 0, targets, groups, levels[0].startswith("$"))
        wanting = (one for one in targets.values() if not any(matches(text, "/".join(levels)) for text in one.but))
        shape = (tuple(wanting), tuple(map(id, groups)))
        route = self._shapes.get(shape)
        if route is None:
            route = self._shapes[shape] = Route(shape[0], tuple(groups))
        full = len(self) >= _CACHED or self.cached_bytes + len(topic) > _CACHED_BYTES
        if full or len(self._shapes) >= _SHAPES:
            self.clear()
            self._shapes.clear()
        self[topic] = route
        self.cached_bytes += len(topic)
        return route

    def _collect(
        self,
        node: _Node,
        levels: list[str],
        place: int,
        targets: dict[Session, Target],
        groups: list[Group],
        hidden: bool,
    ) -> None:
        wild = not hidden or place
        if wild and (rest := node.below.get("#")):
            _gather(rest, targets, groups)
        if place == len(levels):
            _gather(node, targets, groups)
            return
        if below := node.below.get(levels[place]):
            self._collect(below, levels, place + 1, targets, groups, hidden)
        if wild and (below := node.below.get("+")):
            self._collect(below, levels, place + 1, targets, groups, hidden)

    def add(self, text: str, target: Target) -> bool:
        """Subscribe; tell whether the filter was not yet subscribed to by that session."""
        group, pattern = split_filter(text)
        node = self._root
        for level in pattern.split("/"):
            node = node.below.setdefault(level, _Node())
        members = node.groups.setdefault(group, Group()).members if group else node.targets
        fresh = target.session not in members
        members[target.session] = target
        self.count += fresh
        self._forget(pattern)
        return fresh

    def remove(self, text: str, session: Session) -> bool:
        """Unsubscribe; tell whether there was such a subscription."""
        group, pattern = split_filter(text)
        path = [self._root]
        levels = pattern.split("/")
        for level in levels:
            below = path[-1].below.get(level)
            if below is None:
                return False
            path.append(below)
        node = path[-1]
        members = node.groups[group].members if group in node.groups else {} if group else node.targets
        if members.pop(session, None) is None:
            return False
        if group and not members:
            del node.groups[group]
        for place in range(len(levels), 0, -1):
            node = path[place]
            if node.below or node.targets or node.groups:
                break
            del path[place - 1].below[levels[place - 1]]
        self.count -= 1
        self._forget(pattern)
        return True

    def _forget(self, pattern: str) -> None:
        if "+" in pattern or "#" in pattern:
            self.clear()
            self._shapes.clear()
        else:
            topic = pattern.encode()
            if self.pop(topic, None) is not None:
                self.cached_bytes -= len(topic)


def _gather(node: _Node, targets: dict[Session, Target], groups: list[Group]) -> None:
    for session, target in node.targets.items():
        known = targets.get(session)
        if known is None or known.qos < target.qos:
            targets[session] = target
    groups.extend(node.groups.values())
