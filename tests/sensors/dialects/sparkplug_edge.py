"""A Sparkplug B edge node for tests: it makes the messages that one sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from sensors.dialects import sparkplug
from sensors.dialects.dialect import Decoded, Lane, Route
from sensors.dialects.sparkplug_b_pb2 import Payload
from sensors.lookup import Registry
from sensors.site import Signals, Site, Sparkplug
from tests.sensors.dialects.suite import RECEIVED, site

CONFIG = Sparkplug()
INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME = range(1, 14)
TEXT, UUID, DATASET, BYTES, FILE, TEMPLATE = range(14, 20)


def a_site(**units: str) -> Site:
    """Bind p0 to a node's metric, p1 to p5 to those of its device; `units` are points' `source_unit`."""
    made = site(Signals(sparkplug=(CONFIG,)))
    names = {"p0": "plant/edge/Load", **{f"p{k}": f"plant/edge/rtu/M{k}" for k in range(1, 6)}}
    points = tuple(
        msgspec.structs.replace(
            point,
            unit="mm",
            sources=(f"sparkplug:{names[point.id]}",) if point.id in names else (),
            source_unit=units.get(point.id, ""),
            areas=("a1", "a2") if point.id == "p5" else point.areas,
        )
        for point in made.points
    )
    return msgspec.structs.replace(made, points=points)


def metric(name: str = "", value: Any = None, field: str = "", *, unit: str = "", **fields: Any) -> Payload.Metric:
    """Make a metric; numbers go as doubles, unless another field is named."""
    made = Payload.Metric(**fields)
    if name:
        made.name = name
    if value is not None:
        kind = field or {bool: "boolean", str: "string", bytes: "bytes"}.get(type(value), "double")
        setattr(made, f"{kind}_value", value)
    if unit:
        made.properties.keys.append("engUnit")
        made.properties.values.add(type=STRING, string_value=unit)
    return made


def payload(*metrics: Payload.Metric, seq: int | None = None, time: float | None = RECEIVED) -> bytes:
    """Make a message."""
    made = Payload(metrics=metrics)
    if seq is not None:
        made.seq = seq
    if time is not None:
        made.timestamp = int(time * 1000)
    return made.SerializeToString()


def bdseq(number: int) -> Payload.Metric:
    """Make the metric that ties a death to its birth."""
    return metric("bdSeq", number, "long", datatype=INT64)


class Message(NamedTuple):
    """One message, by kind."""

    kind: str
    payload: bytes
    device: str = "rtu"
    node: str = "edge"

    @property
    def topic(self) -> str:
        """Give its topic."""
        return f"spBv1.0/plant/{self.kind}/{self.node}" + (f"/{self.device}" if self.kind[0] == "D" else "")


def node_birth(*metrics: Payload.Metric, bd: int = 1, seq: int = 0, time: float = RECEIVED) -> Message:
    """Make a node's birth."""
    return Message("NBIRTH", payload(bdseq(bd), *metrics, seq=seq, time=time))


def node_death(bd: int = 1) -> Message:
    """Make a node's will."""
    return Message("NDEATH", payload(bdseq(bd), time=None))


def birth(*metrics: Payload.Metric, seq: int = 1, time: float = RECEIVED) -> Message:
    """Make a device's birth."""
    return Message("DBIRTH", payload(*metrics, seq=seq, time=time))


def data(*metrics: Payload.Metric, seq: int, time: float = RECEIVED) -> Message:
    """Make a device's data."""
    return Message("DDATA", payload(*metrics, seq=seq, time=time))


def tags(*numbers: int, value: float = 1.0, **fields: Any) -> tuple[Payload.Metric, ...]:
    """Make metrics M1, M2 … with their numbers as aliases, as a birth tells them."""
    return tuple(metric(f"M{k}", value, alias=k, datatype=DOUBLE, **fields) for k in numbers)


class Host:
    """Decode messages of one lane, one after another."""

    def __init__(self, made: Site | None = None) -> None:
        self.registry = Registry(made or a_site())
        self.lane = Lane("frame", CONFIG, self.registry)

    def hear(self, *messages: Message, at: float = RECEIVED) -> Decoded:
        """Decode messages that came together."""
        places = []
        for message in messages:
            route = sparkplug.resolve(message.topic, CONFIG, self.registry)
            assert isinstance(route, Route)
            if route.subject not in self.lane.subjects:
                self.lane.subjects.append(route.subject)
            places.append(self.lane.subjects.index(route.subject))
        return sparkplug.decode(self.lane, np.array(places, np.intp), [one.payload for one in messages], at)


def readings(decoded: Decoded) -> list[tuple[int, float]]:
    """List (point, value)."""
    return list(zip(decoded.point.tolist(), decoded.value.tolist(), strict=True))


def asked(decoded: Decoded) -> list[str]:
    """List the topics of rebirth requests, and check what they say."""
    for reply in decoded.replies:
        command = Payload.FromString(reply.payload)
        assert not command.HasField("seq") and command.timestamp
        assert [(one.name, one.boolean_value) for one in command.metrics] == [("Node Control/Rebirth", True)]
    return [reply.topic for reply in decoded.replies]


def states(decoded: Decoded) -> list[tuple[str, str, str, Sequence[int]]]:
    """List (source, state, area, points)."""
    return [(one.source, one.state, one.area, one.points) for _, one in decoded.events]


def refused(decoded: Decoded) -> dict[str, int]:
    """Count what was refused by reason."""
    found: dict[str, int] = {}
    for one in decoded.refused:
        found[one.reason] = found.get(one.reason, 0) + one.readings
    return found
