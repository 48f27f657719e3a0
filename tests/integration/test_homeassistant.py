"""Discovery through real brokers: what is announced is subscribed to, and what is taken back no more."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from paho.mqtt.client import Client

from scripts.load import bench_site
from sensors import frame, observation, packing
from sensors.bridge import Bridge, BridgeSettings
from sensors.observation import SourceState
from sensors.site import HomeAssistant, Signals, Site
from tests.sensors.conftest import broker_port  # noqa: F401
from tests.sensors.test_bridge import Sink, publisher
from tests.waiting import until

pytestmark = pytest.mark.server

_names = itertools.count()


def site() -> Site:
    made = bench_site(20, 5, signals=Signals(homeassistant=(HomeAssistant(),)))
    first = msgspec.structs.replace(made.points[0], unit="°C", sources=("homeassistant:u1",))
    second = msgspec.structs.replace(made.points[1], unit="mm", sources=("homeassistant:u2",))
    return msgspec.structs.replace(made, points=(first, second, *made.points[2:]))


@contextlib.contextmanager
def running(port: int, sink: Sink, client_id: str, made: Site | None = None) -> Iterator[Bridge]:
    bridge = Bridge(
        made or site(), sink, BridgeSettings(client_id=client_id, port=port, retry_least=0.05, retry_most=0.2)
    )
    thread = threading.Thread(target=bridge.run)
    thread.start()
    try:
        until(lambda: bridge.connected)
        yield bridge
    finally:
        bridge.stop()
        thread.join(10)
        assert not thread.is_alive()


def readings(sink: Sink) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    for topic, _, record in list(sink.records):
        if topic == packing.TOPIC and record[0] == observation.FRAME:
            columns = frame.decode(record)
            found += zip(columns.point.tolist(), columns.value.tolist(), strict=True)
    return found


def told(sink: Sink) -> list[SourceState]:
    records = [record for topic, _, record in list(sink.records) if topic == packing.TOPIC]
    decoded = [observation.decode(record) for record in records if record[0] == observation.RECORD]
    return [one for one in decoded if isinstance(one, SourceState)]


def announce(client: Client, name: str, **message: Any) -> None:
    client.publish(f"homeassistant/sensor/{name}/config", json.dumps(message), qos=1, retain=True).wait_for_publish(5)


def withdraw(client: Client, *topics: str) -> None:
    for topic in topics:
        client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)


def test_announced_entities_become_points(broker_port: int) -> None:  # noqa: F811
    base = f"house{next(_names)}"
    sink = Sink()
    with publisher(broker_port) as client:
        announce(client, "before", unique_id="u1", stat_t=f"{base}/t", unit_of_meas="°F", avty_t=f"{base}/lwt")
        client.publish(f"{base}/lwt", "offline", qos=1, retain=True).wait_for_publish(5)
        with running(broker_port, sink, f"{base}-bridge") as bridge:
            until(lambda: bridge.figures()["learnt_topics"] == 2)
            state = until(lambda: told(sink))[0]
            assert (state.state, state.points) == ("offline", (0,))

            client.publish(f"{base}/t", "212", qos=1)
            until(lambda: readings(sink) == [(0, pytest.approx(100.0))])

            announce(client, "later", unique_id="u2", stat_t=f"{base}/d", val_tpl="{{ value_json.mm }}")
            announce(client, "stranger", unique_id="nobody", stat_t=f"{base}/x")
            until(lambda: bridge.figures()["learnt_topics"] == 3 and bridge.connected)
            until(lambda: bridge.figures()["refused"].get("unbound") == 1)
            client.publish(f"{base}/d", '{"mm": 1.5}', qos=1)
            client.publish(f"{base}/x", "9", qos=1)
            until(lambda: (1, 1.5) in readings(sink))

            withdraw(client, "homeassistant/sensor/later/config")
            until(lambda: bridge.figures()["learnt_topics"] == 2)
            client.publish(f"{base}/d", '{"mm": 2.5}', qos=1)
            client.publish(f"{base}/t", "32", qos=1)
            until(lambda: len(readings(sink)) == 3)
            assert readings(sink)[-1] == (0, pytest.approx(0.0))

        # a bridge that comes back with its session learns anew from what the broker has kept
        with running(broker_port, sink, f"{base}-bridge") as bridge:
            until(lambda: bridge.figures()["learnt_topics"] == 2 and bridge.connected)
            client.publish(f"{base}/t", "50", qos=1)
            until(lambda: (0, pytest.approx(10.0)) in readings(sink))
        topics = [f"homeassistant/sensor/{name}/config" for name in ("before", "stranger")]
        withdraw(client, *topics, f"{base}/lwt")


def test_many_announcements_are_subscribed_to_in_pieces(broker_port: int) -> None:  # noqa: F811
    base = f"house{next(_names)}"
    sink = Sink()
    made = bench_site(300, 5, signals=Signals(homeassistant=(HomeAssistant(),)))
    with running(broker_port, sink, f"{base}-bridge", made) as bridge, publisher(broker_port) as client:
        parts = {f"c{k}": {"p": "sensor", "uniq_id": f"p{k}", "stat_t": f"{base}/{k}"} for k in range(250)}
        client.publish("homeassistant/device/many/config", json.dumps({"cmps": parts}), qos=1)
        until(lambda: bridge.figures()["learnt_topics"] == 250 and bridge.connected)
        for k in range(250):
            client.publish(f"{base}/{k}", str(k), qos=1)
        until(lambda: sorted(readings(sink)) == [(k, float(k)) for k in range(250)])
