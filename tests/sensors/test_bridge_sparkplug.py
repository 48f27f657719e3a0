"""Sparkplug B over a real broker: an edge node, the bridge, and the engine behind it."""

from __future__ import annotations

import time

import pytest
from paho.mqtt.client import Client

from alerts.outcome import AlarmTransition
from sensors import observation, packing
from sensors.dialects.sparkplug_b_pb2 import Payload
from sensors.frame import FRAME
from sensors.observation import SourceState
from streams.bundle import Bundle
from streams.engine import Engine
from tests.rules.stage import a_rule
from tests.sensors.dialects.sparkplug_edge import Message, a_site, birth, data, metric, node_birth, node_death, tags
from tests.sensors.test_bridge import Sink, publisher, running
from tests.streams.small_site import published, tick
from tests.waiting import until

pytestmark = pytest.mark.server

SITE = a_site()


class Edge:
    """An edge node that listens to its commands."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.commands: list[Payload] = []
        self.listening = False
        client.on_subscribe = lambda *_: setattr(self, "listening", True)
        client.on_message = lambda _client, _data, got: self.commands.append(Payload.FromString(got.payload))
        client.subscribe("spBv1.0/plant/NCMD/edge", qos=0)
        assert until(lambda: self.listening)

    def send(self, *messages: Message) -> None:
        for message in messages:
            self.client.publish(message.topic, message.payload, qos=1)


def told(sink: Sink) -> list[SourceState]:
    """List what sources said of themselves."""
    records = [value for topic, _, value in list(sink.records) if topic == packing.TOPIC and value[0] != FRAME]
    found = [observation.decode(value) for value in records]
    return [one for one in found if isinstance(one, SourceState)]


def test_a_node_is_born_read_asked_reborn_and_dies(broker_port: int) -> None:
    sink, now = Sink(), time.time()
    with running(broker_port, sink, site=SITE) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        edge = Edge(client)
        edge.send(node_birth(metric("Load", 1.0), time=now), birth(*tags(1, 2, value=2.0), time=now))
        edge.send(data(metric("", 3.0, alias=1), seq=2, time=now + 1))
        assert until(lambda: sink.values() == [1.0, 2.0, 2.0, 3.0])
        assert not edge.commands

        edge.send(data(metric("", 4.0, alias=1), seq=5, time=now + 2))
        assert until(lambda: len(edge.commands) == 1)
        (asked,) = edge.commands[0].metrics
        assert (asked.name, asked.boolean_value) == ("Node Control/Rebirth", True)
        assert until(lambda: bridge.figures()["replies"] == 1)

        edge.send(node_birth(metric("Load", 1.5), bd=1, time=now + 3), birth(*tags(1, 2, value=2.5), time=now + 3))
        edge.send(node_death(0), data(metric("", 5.0, alias=2), seq=2, time=now + 4))
        assert until(lambda: sink.values()[-1] == 5.0)
        assert bridge.figures()["refused"] == {"old_death": 1}

        edge.send(node_death(1))
        assert until(lambda: any(one.state == "offline" for one in told(sink)))
    gone = [one for one in told(sink) if one.state == "offline"]
    assert {(one.source, point) for one in gone for point in one.points} == {
        ("sparkplug:plant/edge", 0),
        ("sparkplug:plant/edge/rtu", 1),
        ("sparkplug:plant/edge/rtu", 2),
    }
    assert alarmed(sink, now) == ["p0", "p1", "p2"]


def alarmed(sink: Sink, now: float) -> list[str]:
    """Put what the bridge handed on through engines; list the points that are without data."""
    silent = a_rule("silent", kind="data_quality", when="age > 10 min")
    alarms: list[AlarmTransition] = []
    for partition in range(SITE.partitions):
        records = [published(Bundle(site=SITE, rules=(silent,)), SITE.version, now), tick(now)]
        records += [value for topic, place, value in sink.records if (topic, place) == (packing.TOPIC, partition)]
        found = Engine(partition).apply(list(enumerate(records))).records
        alarms += [one for record in found for one in record.outcomes if isinstance(one, AlarmTransition)]
    return sorted(one.scope for one in alarms if one.edge == "alarm")
