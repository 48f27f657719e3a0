"""The Sparkplug B dialect: `<prefix>/<group>/<NBIRTH|NDATA|NDEATH|DBIRTH|DDATA|DDEATH>/<node>[/<device>]`.

Payloads are protobuf (`sparkplug_b.proto`). A metric is bound to the point whose `sources` name
`sparkplug:<group>/<node>[/<device>]/<metric>`. It is in the unit that its properties give at the birth (`engUnit`),
else in the point's `source_unit`. Metrics that the site does not bind are counted and left. Numbers and booleans are
readings, stamped with the metric's time or the payload's; what `is_historical` says is historical. Births and deaths
become the source's state. After a gap in the numbers, an unknown alias, or data without a birth, the node is asked for
a rebirth; until it comes, readings by name count, those by an alias only after a gap, as uncertain.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import nan
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from google.protobuf.message import DecodeError

from sensors.claimed_units import MOST_NEW, TOO_MANY, ClaimedUnits
from sensors.dialects import presence, sparkplug_metric
from sensors.dialects.dialect import Decoded, Inherited, Lane, Refusal, Refused, Reply, Route
from sensors.dialects.sparkplug_b_pb2 import Payload
from sensors.dialects.sparkplug_metric import NotAReadingError
from sensors.dialects.sparkplug_node import NO_LIFE, ROUND, Device, Node, Nodes, Tag
from sensors.lookup import Registry, Source
from sensors.observation import HISTORICAL, UNCERTAIN, SourceState
from sensors.site import Sparkplug

OF_NODE = ("NBIRTH", "NDATA", "NDEATH")
OF_DEVICE = ("DBIRTH", "DDATA", "DDEATH")
REBIRTH = "Node Control/Rebirth"
BIRTHS = "bdSeq"
CONTROLS = ("Node Control/", "Device Control/")

MOST = 8_192
"""Metrics of one message."""

LONGEST_TOPIC = 1_024
LONGEST_NAME = 512

FIELDS = MOST + 16
"""Fields of one message, of at least two bytes each: its metrics, and a few more."""

_METRIC = Payload.METRICS_FIELD_NUMBER << 3 | 2  # how a short metric begins


class Subject(NamedTuple):
    """Say whose message of what kind a topic carries."""

    kind: str
    group: str
    node: str
    device: str = ""

    @property
    def owner(self) -> str:
        """Name the node or device, as points' sources do."""
        return f"{self.group}/{self.node}/{self.device}" if self.device else f"{self.group}/{self.node}"


def topics(config: Sparkplug) -> tuple[str, ...]:
    """List the filters of births, data and deaths; commands and hosts' states are not listened to."""
    groups = config.groups or ("+",)
    return tuple(f"{config.prefix}/{group}/{kind}/+" for group in groups for kind in OF_NODE) + tuple(
        f"{config.prefix}/{group}/{kind}/+/+" for group in groups for kind in OF_DEVICE
    )


def resolve(topic: str, config: Sparkplug, registry: Registry) -> Route | Refusal | None:
    """Say whose messages a topic carries. All are of one lane: the order of a node's messages means something."""
    if not topic.startswith(config.prefix + "/"):
        return None
    levels = topic[len(config.prefix) + 1 :].split("/")
    match levels:
        case [group, kind, _] if kind in OF_NODE:
            pass
        case [group, kind, _, _] if kind in OF_DEVICE:
            pass
        case _:
            return None
    if config.groups and group not in config.groups:
        return None
    if "" in levels:
        return Refusal("unknown_topic", "a group, node or device without a name")
    if len(topic) > LONGEST_TOPIC:
        return Refusal("unknown_topic", f"a topic of {len(topic)} characters, at most {LONGEST_TOPIC} allowed")
    return Route("frame", subject=Subject(kind, group, *levels[2:]))


def decode(lane: Lane, points: npt.NDArray[np.intp], payloads: Sequence[bytes], received: float) -> Decoded:
    """Decode messages in order; `points` are the places of their subjects."""
    if "nodes" not in lane.cache:
        lane.cache["nodes"] = Nodes()
    reader = _Reader(lane, received)
    for place, (subject, payload) in enumerate(zip(points.tolist(), payloads, strict=True)):
        reader.take(place, lane.subjects[subject], payload)
    return reader.decoded()


def succeed(lane: Lane, old: Lane) -> Inherited:
    """Take over the nodes that were heard under an earlier version of the site, bound to this one's points.

    Of a metric that was bound to no point, its birth is not remembered: where the site now has one for it, the node is
    asked for its birth.
    """
    before: Nodes = old.cache.get("nodes", Nodes())
    nodes: Nodes = lane.cache.setdefault("nodes", Nodes())
    ClaimedUnits.of(lane, ClaimedUnits.of(old))
    for name, node in before.items():
        nodes.carry(
            name,
            node,
            {device: _rebound(lane, old, _owner(name, device), told) for device, told in node.devices.items()},
        )
    for point in lane.registry.site.points:
        for source in point.sources:
            dialect, _, full = source.partition(":")
            if dialect == "sparkplug" and old.registry.source(dialect, full) is None:
                found = nodes.get("/".join(full.split("/", 2)[:2]))
                if found is not None and found.born:
                    found.wanting = True
    return Inherited()


def _owner(node: str, device: str) -> str:
    return f"{node}/{device}" if device else node


def _rebound(lane: Lane, old: Lane, owner: str, told: Device) -> Device:
    """Bind what a birth told to the points of the lane's site."""
    named: dict[str, Tag | None] = {}
    units = ClaimedUnits.of(lane)
    for name, tag in told.named.items():
        named[name] = None
        source = lane.registry.source("sparkplug", f"{owner}/{name}") if tag is not None else None
        if tag is None or source is None:
            continue
        then, now = old.registry.by_index[tag.point], lane.registry.by_index[source.point]
        if (then.unit, then.source_unit) == (now.unit, now.source_unit):
            named[name] = tag._replace(point=source.point)
        else:
            named[name] = _bind(lane.registry, source, name, tag.unit, tag.datatype, units)
    return Device(
        aliases={alias: named[tag.name] if tag is not None else None for alias, tag in told.aliases.items()},
        named=named,
        points={tag.point: None for tag in named.values() if tag is not None},
        own=told.own,
        partial=told.partial,
    )


def _bind(
    registry: Registry, source: Source | None, name: str, unit: str, datatype: int, units: ClaimedUnits
) -> Tag | None:
    """Bind a metric to its source. The unit that it gives goes before the site's, unless that alone is one."""
    if source is None:
        return None
    found = units.find(source.point, unit) if unit else source[1:]
    if not isinstance(found, str):
        return Tag(source.point, *found, datatype, "", name, unit)
    point = registry.by_index[source.point]
    if point.source_unit and found != TOO_MANY:
        return Tag(*source, datatype, "", name, unit)
    return Tag(source.point, 1.0, 0.0, datatype, found.removeprefix(f"{point.id}: "), name, unit)


def rebirth(prefix: str, group: str, node: str, now: float) -> Reply:
    """Make the command that asks a node for its births, as of `now` (unix seconds)."""
    metric = Payload.Metric(name=REBIRTH, datatype=11, boolean_value=True)
    payload = Payload(timestamp=max(0, int(now * 1000)), metrics=[metric])
    return Reply(f"{prefix}/{group}/NCMD/{node}", payload.SerializeToString())


class _Reader:
    """Take messages in order, and gather what they say."""

    def __init__(self, lane: Lane, received: float) -> None:
        self.config: Sparkplug = lane.config
        self.registry = lane.registry
        self.nodes: Nodes = lane.cache["nodes"]
        self.units = ClaimedUnits.of(lane)
        self.units.begin(received)
        self.received = received
        self.place = 0
        self.rows = array("d")  # five numbers a reading: message, point, time in ms, value, quality
        self.events: list[tuple[int, SourceState]] = []
        self.refused: list[Refused] = []
        self.replies: list[Reply] = []
        # of the message in hand
        self.owner = ""
        self.sources: dict[str, Source | None] = {}  # by name of a metric
        self.poor: dict[str, tuple[int, str]] = {}  # reason → readings, first detail
        self.rated = False  # whether any metric may say of what quality it is

    def decoded(self) -> Decoded:
        """Give what was gathered."""
        message, point, time, value, quality = np.array(self.rows).reshape(-1, 5).T
        return Decoded(
            message.astype(np.intp),
            point.astype(np.intp),
            time / 1000.0,
            value.copy(),
            quality.astype(np.uint8),
            list(self.events),
            self.refused,
            self.replies,
        )

    def take(self, place: int, subject: Subject, payload: bytes) -> None:
        """Take in one message."""
        self.place, self.owner, self.sources, self.poor = place, subject.owner, {}, {}
        self.rated = (
            sparkplug_metric.QUALITY in payload
        )  # to open the properties of each metric costs more than all else
        self.units.begin_message()
        before = len(self.rows), len(self.events)
        if len(payload) > 2 * FIELDS and _fields(payload) > FIELDS:
            self._refuse("oversized", f"more than {FIELDS} fields in a message")
        else:
            try:
                message = Payload.FromString(payload)
            except DecodeError as error:
                self._refuse("malformed", str(error)[:200])
            else:
                self._heed(subject, message, hash(payload))
                silent = not self.poor and before == (len(self.rows), len(self.events))
                if silent and subject.kind not in ("NBIRTH", "DBIRTH"):  # a birth is heard whatever it tells
                    self._refuse("ignored", "it says nothing of any point")
        for reason, (count, detail) in self.poor.items():
            self.refused.append(Refused(place, reason, detail, count))

    def _heed(self, subject: Subject, message: Payload, digest: int) -> None:
        seq = message.seq if message.HasField("seq") else None
        if seq is not None and seq >= ROUND:
            self._refuse("malformed", f"seq {seq} is not 0 to {ROUND - 1}")
            return
        if len(message.metrics) > MOST:
            self._refuse("oversized", f"more than {MOST} metrics in a message")
            return
        node = self.nodes[f"{subject.group}/{subject.node}"]
        match subject.kind:
            case "NDEATH":
                self._node_death(subject, node, message)
                return
            case "NBIRTH":
                if not (node.born and node.birth == digest and message.timestamp):  # else it is delivered again
                    self.nodes.forget(node)
                    node.be_born(_life(message), seq, digest)
                    self._birth(subject, node, message)
                self._read(subject, node, message)
                return
        if not node.born or (seq is not None and node.missed(seq, digest)) or node.wanting:
            self._ask(subject, node)
        match subject.kind:
            case "DDEATH":
                self._say("offline", subject, node.points(subject.device))
                self.nodes.forget(node, subject.device)
                return
            case "DBIRTH":
                self._birth(subject, node, message)
        self._read(subject, node, message)

    def _node_death(self, subject: Subject, node: Node, message: Payload) -> None:
        """Take all that the node speaks for as gone, unless it is the will of a session before the last birth."""
        life = _life(message)
        if not node.born:
            self._ask(subject, node)  # whom it speaks for is not known; if it lives, it will say so
        elif life != node.life and NO_LIFE not in (life, node.life):
            self._refuse("old_death", "")
        else:
            for name in node.devices:
                owner = subject if not name else subject._replace(device=name)
                self._say("offline", owner, node.points(name))
            self.nodes.forget(node)
            node.die()

    def _birth(self, subject: Subject, node: Node, message: Payload) -> None:
        """Learn what a birth tells, and tell that its source is there."""
        self.nodes.forget(node, subject.device)
        device = node.devices[subject.device] = Device()
        for metric in message.metrics:
            name = metric.name
            if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name not in device.named:
                tag = self._bind(name, metric)
                alias = metric.alias if metric.HasField("alias") else None
                self.nodes.learn(device, name, alias, tag)
                if alias in device.aliases and _is_own(name):
                    device.own.add(alias)
        self._say("online", subject, device.points)

    def _bind(self, name: str, metric: Payload.Metric) -> Tag | None:
        """Find the point of a metric, in the unit that it gives."""
        source = self._source(name)
        if source is None:
            return None
        unit = sparkplug_metric.unit(metric)
        return _bind(self.registry, source, name, unit, metric.datatype, self.units)

    def _source(self, name: str) -> Source | None:
        """Find the source that a metric's name is bound to."""
        if name not in self.sources:
            self.sources[name] = self.registry.source("sparkplug", f"{self.owner}/{name}")
        return self.sources[name]

    def _read(self, subject: Subject, node: Node, message: Payload) -> None:
        """Read the metrics of a birth or of data."""
        device = node.devices.get(subject.device)
        if device is None:
            device = Device()
            self._ask(subject, node)
        aliases, named, sent = device.aliases, device.named, message.timestamp or nan
        place, keep, number, rated = self.place, self.rows.extend, sparkplug_metric.number, self.rated
        doubt = UNCERTAIN if node.doubtful else 0
        unbound = unknown = crowded = 0
        for metric in message.metrics:
            name, more = metric.name, 0
            if not name:
                alias = metric.alias
                if alias not in aliases:
                    unknown += 1
                    continue
                tag, more = aliases[alias], doubt
            elif name in named:
                tag = named[name]
            elif not isinstance(name, str) or len(name) > LONGEST_NAME:
                tag = None
            elif crowded >= MOST_NEW and metric.HasField("properties") and self._source(name) is not None:
                crowded += 1  # its unit is not even read: a birth tells it
                continue
            else:
                tag = self._bind(name, metric)
                if tag is not None and tag.wrong == TOO_MANY:
                    crowded += 1
                    continue
            if tag is None:
                unbound += not (_is_own(name) if name else metric.alias in device.own)
                continue
            if tag.wrong == TOO_MANY and self.units.may_look(tag.point):
                tag = self._again(device, tag, None if name else metric.alias)
            point, scale, offset, datatype, wrong, _, _ = tag
            if wrong:
                self._refuse("wrong_unit", f"{self.registry.by_index[point].id}: {wrong}"[:200])
                continue
            try:
                value = number(metric, datatype)
            except ValueError as error:
                self._refuse(_reason(error), f"{self.registry.by_index[point].id}: {error}"[:200])
                continue
            if metric.is_historical:
                more |= HISTORICAL
            if rated and metric.HasField("properties"):
                more |= sparkplug_metric.quality(metric)
            keep((place, point, metric.timestamp or sent, value * scale + offset, more))
        if unknown and not device.partial:
            self._refuse("unborn", "by aliases that no birth has told", unknown)
            self._ask(subject, node)
        elif unknown:
            unbound += unknown
        if unbound:
            self._refuse("unbound", "", unbound)
        if crowded:
            self._refuse("wrong_unit", TOO_MANY, crowded)

    def _again(self, device: Device, tag: Tag, alias: int | None) -> Tag:
        """Bind a metric whose unit was one too many when its birth told it."""
        source = self.registry.source("sparkplug", f"{self.owner}/{tag.name}")
        found = _bind(self.registry, source, tag.name, tag.unit, tag.datatype, self.units)
        if found is None or found.wrong == TOO_MANY:
            return tag
        if tag.name in device.named:
            device.named[tag.name] = found
        if alias is not None:
            device.aliases[alias] = found
        return found

    def _say(self, state: presence.State, subject: Subject, points: Iterable[int]) -> None:
        """Tell the areas of the points that their source is there, or gone."""
        said = presence.of_points(self.registry, points, f"sparkplug:{subject.owner}", state, self.received)
        self.events += [(self.place, one) for one in said]

    def _ask(self, subject: Subject, node: Node) -> None:
        """Ask the node for its births, unless it was asked lately."""
        if node.may_ask(self.received):
            self.replies.append(rebirth(self.config.prefix, subject.group, subject.node, self.received))

    def _refuse(self, reason: str, detail: str, readings: int = 1) -> None:
        count, first = self.poor.get(reason, (0, detail))
        self.poor[reason] = count + readings, first


def _is_own(name: object) -> bool:
    """Tell whether a metric is one of the protocol itself, which measures nothing and lacks no point."""
    return isinstance(name, str) and (name == BIRTHS or name.startswith(CONTROLS))


def _life(message: Payload) -> int:
    """Find the number of the session that a birth or death belongs to."""
    for metric in message.metrics:
        if metric.name == BIRTHS and not metric.is_null:
            return metric.long_value or metric.int_value
    return NO_LIFE


def _reason(error: ValueError) -> str:
    return "not_a_reading" if isinstance(error, NotAReadingError) else "malformed"


def _fields(payload: bytes) -> int:
    """Count the fields of a message without decoding them, up to one more than are allowed.

    Half a million empty metrics fit a message of a megabyte; to make objects of them takes 60 ms and 50 MB.
    """
    at, found, end = 0, 0, len(payload) - 1
    while at <= end and found <= FIELDS:
        found += 1
        if at < end and payload[at] == _METRIC and payload[at + 1] < 128:  # nearly all, in a third of the time
            at += 2 + payload[at + 1]
            continue
        key, at = _varint(payload, at)
        match key & 7:
            case 0:
                _, at = _varint(payload, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(payload, at)
                at += size
            case 5:
                at += 4
            case _:
                break  # not what the decoder takes
    return found


def _varint(payload: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(payload) and shift < 70:
        byte = payload[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    return value, at
