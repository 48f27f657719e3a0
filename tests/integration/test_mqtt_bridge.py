"""The bridge over MQTT 5, and over the death of its broker."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from scripts import load
from scripts.ports import free_port
from streams.embedded import broker as embedded
from tests.sensors.conftest import MOSQUITTO, mosquitto
from tests.sensors.test_bridge import SITE, Sink, publisher, running
from tests.waiting import until

pytestmark = pytest.mark.server


@pytest.mark.parametrize("kind", ["embedded", "mosquitto"])
def test_mqtt_5(kind: str, tmp_path: Path) -> None:
    port = free_port()
    if kind == "mosquitto":
        if MOSQUITTO is None:
            pytest.skip("Mosquitto is not installed")
        process = mosquitto(port, tmp_path)
    else:
        process = embedded.start(port, tmp_path).process
    try:
        sink = Sink()
        with running(port, sink, version=5) as bridge, publisher(port) as client:
            assert until(lambda: bridge.connected)
            for k in range(50):
                client.publish("foreshock/readings/a0/p0", str(k), qos=k % 3)
            assert until(lambda: len(sink.values()) == 50)
    finally:
        process.terminate()
        process.wait(5)


def publish(connection: load.Connection, packets: load.Packets, stop: threading.Event) -> None:
    """Publish until told to stop or cut off."""
    while not stop.is_set():
        try:
            connection.send(packets.burst(50, time.time()), 50, 1)
        except OSError:
            return


def test_what_the_bridge_has_acknowledged_survives_the_broker(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded.start(port, tmp_path)
    sink = Sink()
    with running(port, sink, retry_most=0.1) as bridge:
        for _ in range(3):
            assert until(lambda: bridge.connected)
            connection = load.Connection(port=port)
            packets = load.Singles(load.native_topics(SITE), qos=1)
            stop = threading.Event()
            sender = threading.Thread(target=publish, args=(connection, packets, stop))
            before = len(sink.values())
            sender.start()
            assert until(lambda: len(sink.values()) > before + 500)  # noqa: B023
            broker.process.kill()
            broker.process.wait(5)
            stop.set()
            sender.join(10)
            assert until(lambda: not bridge.connected)
            broker = embedded.start(port, tmp_path)
        assert until(lambda: bridge.figures()["unlogged"] == 0)
        assert bridge.figures()["readings"] == len(sink.values())
        assert not bridge.figures()["refused"]
    broker.stop()
