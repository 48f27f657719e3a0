"""MQTT filters as a trie over topic levels: which sources a topic belongs to, however many filters there are."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Trie(Generic[T]):
    """Find the sources whose filters match a topic, as MQTT matches (3.1.1, section 4.7).

    The cost grows with the levels of the deepest filter, not with the number of filters or the topic's length.
    """

    def __init__(self) -> None:
        self._root = _Node()
        self._sources: list[T] = []
        self._depth = 0

    def insert(self, filter: str, source: T) -> None:
        """Add a filter of a source; `+` stands for one level, a last `#` for all that follow, none included."""
        levels = filter.split("/")
        node = self._root
        for level in levels[:-1] if levels[-1] == "#" else levels:
            if level == "+":
                node.one = node.one or _Node()
                node = node.one
            else:
                node = node.children.setdefault(level, _Node())
        (node.below if levels[-1] == "#" else node.here).append(len(self._sources))
        self._sources.append(source)
        self._depth = max(self._depth, len(levels))

    def match(self, topic: str) -> list[T]:
        """List the sources of the filters that match a topic, each once, in the order of their insertion.

        A wildcard at the first level matches no topic that begins with `$`.
        """
        nodes = [self._root]
        found: list[int] = []
        guarded = topic.startswith("$")
        for level in topic.split("/", self._depth):  # levels below the deepest filter make no difference
            following: list[_Node] = []
            for node in nodes:
                if not guarded:
                    found += node.below
                    if node.one is not None:
                        following.append(node.one)
                child = node.children.get(level)
                if child is not None:
                    following.append(child)
            nodes, guarded = following, False
            if not nodes:
                break
        for node in nodes:
            found += node.here
            found += node.below
        found.sort()
        return list(dict.fromkeys(self._sources[place] for place in found))


def matches(filter: str, topic: str) -> bool:
    """Tell whether one filter matches a topic."""
    trie: Trie[None] = Trie()
    trie.insert(filter, None)
    return bool(trie.match(topic))


class _Node:
    """One level: what follows it, and the places of the sources whose filters end here or take all below."""

    __slots__ = ("below", "children", "here", "one")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.one: _Node | None = None
        self.here: list[int] = []
        self.below: list[int] = []
