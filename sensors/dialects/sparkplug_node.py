"""What is remembered of Sparkplug B nodes: what their births told, and where their messages' numbers stand."""

from __future__ import annotations

import copy
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

ROUND = 256
"""Messages of a node are numbered 0 to 255, and round again."""

MOST_METRICS = 200_000
"""Metrics remembered of all nodes together (about 100 bytes each)."""

ASK_AGAIN = 10.0
"""Seconds until a node is asked again for its birth; twice as long each further time."""

ASK_SELDOM = 600.0

NO_LIFE = -1
"""Stands for the bdSeq of a birth or death that gives none: it goes with any."""


class Tag(NamedTuple):
    """Say which point a metric is bound to: `sent * scale + offset` is in the point's unit."""

    point: int  # registry index
    scale: float
    offset: float
    datatype: int
    wrong: str = ""  # why its unit cannot be taken
    name: str = ""
    unit: str = ""  # that the birth gave


@dataclass(slots=True)
class Device:
    """Hold what a birth told of one device, or of the node itself. A metric that is bound to no point is None."""

    aliases: dict[int, Tag | None] = field(default_factory=dict)
    named: dict[str, Tag | None] = field(default_factory=dict)  # those bound, and those without an alias
    points: dict[int, None] = field(default_factory=dict)  # an ordered set
    own: set[int] = field(default_factory=set)  # aliases of metrics of the protocol itself
    partial: bool = False  # more was told than is remembered

    @property
    def size(self) -> int:
        """Count what is remembered."""
        return len(self.aliases) + len(self.named)


class Node:
    """Hold one node's state: whether it is born, its devices, the number that its next message must have."""

    __slots__ = ("_ask_at", "_asked", "_next", "_pause", "_recent", "birth", "devices", "doubtful", "life", "wanting")

    def __init__(self) -> None:
        self.life: int | None = None  # bdSeq of the birth; None: not born
        self.birth = 0  # digest of the birth's payload
        self.devices: dict[str, Device] = {}  # "" is the node itself
        self.doubtful = False  # something was missed since the birth: another birth perhaps, with other aliases
        self.wanting = False  # the site has come to bind what the birth told: it must tell again
        self._next: int | None = None
        self._recent = array("q")  # digest of the last message of each number
        self._asked = self._ask_at = 0.0
        self._pause = ASK_AGAIN

    @property
    def born(self) -> bool:
        """Tell whether a birth is known and no death since."""
        return self.life is not None

    def points(self, device: str) -> Iterable[int]:
        """List the points that a device's birth told."""
        found = self.devices.get(device)
        return found.points if found is not None else ()

    def be_born(self, life: int, seq: int | None, digest: int) -> None:
        """Begin anew: nothing that an earlier birth told holds any more."""
        self.die()
        self.life, self.birth = life, digest
        self._ask_at, self._pause = 0.0, ASK_AGAIN
        if seq is not None:
            self.missed(seq, digest)

    def die(self) -> None:
        """Forget the birth."""
        self.life, self._next, self.doubtful, self.wanting = None, None, False, False
        self._recent = array("q")

    def missed(self, seq: int, digest: int) -> bool:
        """Take in a message's number; tell whether, since the birth, some message did not come.

        A message that comes again (QoS 1) is none that is missing.
        """
        recent = self._recent = self._recent or array("q", bytes(8 * ROUND))
        if self._next is None or seq == self._next or recent[seq] != digest:
            self.doubtful |= self._next is not None and seq != self._next
            self._next = (seq + 1) % ROUND
            recent[seq] = digest
        return self.doubtful

    def may_ask(self, now: float) -> bool:
        """Tell whether it is time to ask the node for its birth, and take it as asked."""
        if self._asked <= now < self._ask_at:
            return False
        self._asked, self._ask_at = now, now + self._pause
        self._pause = min(2 * self._pause, ASK_SELDOM)
        return True


class Nodes(dict[str, Node]):
    """Hold nodes by `<group>/<node>`. How many there can be is bounded by the topics that a bridge remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = 0

    def __missing__(self, name: str) -> Node:
        node = self[name] = Node()
        return node

    def forget(self, node: Node, device: str | None = None) -> None:
        """Take what a device's birth told (None: all devices') out of the count, and forget it."""
        for name in list(node.devices) if device is None else [device]:
            found = node.devices.pop(name, None)
            self.metrics -= found.size if found is not None else 0

    def carry(self, name: str, node: Node, devices: dict[str, Device]) -> None:
        """Take a node over from an earlier version of the site, its devices as they are bound in this one."""
        taken = self[name] = copy.copy(node)
        taken.devices = devices
        self.metrics += sum(device.size for device in devices.values())

    def learn(self, device: Device, name: str, alias: int | None, tag: Tag | None) -> None:
        """Remember a metric while there is room: by its alias, and by its name if it is bound or has no alias."""
        if self.metrics >= MOST_METRICS:
            device.partial = True
            return
        before = device.size
        if tag is not None or alias is None:
            device.named[name] = tag
        if alias is not None:
            device.aliases[alias] = tag
        if tag is not None:
            device.points[tag.point] = None
        self.metrics += device.size - before
