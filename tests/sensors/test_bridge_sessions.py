"""What the bridge asks of its broker: sessions, quality of service, wills, shared filters, how much may be ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.sensors.test_bridge import Sink, publisher, running
from tests.waiting import until

pytestmark = pytest.mark.server

TOPIC = "foreshock/readings/a0/p0"


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_every_quality_of_service_at_both_versions(broker_port: int, version: int, qos: int) -> None:
    sink = Sink()
    with running(broker_port, sink, version=version, qos=qos) as bridge, publisher(broker_port) as client:
        assert until(lambda: bridge.connected)
        for k in range(60):
            client.publish(TOPIC, str(k), qos=k % 3)
        assert until(lambda: len(sink.values()) == 60)
        assert sorted(sink.values()) == list(range(60)), "each once: nothing was lost, so nothing comes again"
        assert until(lambda: bridge.figures()["unlogged"] == 0)


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_published_while_the_bridge_is_down_arrives(broker_port: int, version: int, qos: int) -> None:
    name = f"bridge-session-{version}-{qos}-{broker_port}"
    with running(broker_port, Sink(), client_id=name, version=version, qos=qos) as bridge:
        assert until(lambda: bridge.connected)
    with publisher(broker_port) as client:
        sent = [client.publish(TOPIC, str(k), qos=1) for k in range(40)]
        sink = Sink()
        with running(broker_port, sink, client_id=name, version=version, qos=qos) as bridge:
            assert until(lambda: len(sink.values()) >= 40)
            assert sorted({*sink.values()}) == list(range(40))
            for one in sent:
                one.wait_for_publish(5)


@pytest.mark.parametrize("version", [4, 5])
def test_bridges_of_a_group_share_what_comes(broker_port: int, version: int) -> None:
    first, second = Sink(), Sink()
    with (
        running(broker_port, first, share=f"team-{version}", version=version) as one,
        running(broker_port, second, share=f"team-{version}", version=version) as two,
        publisher(broker_port) as client,
    ):
        assert until(lambda: one.connected and two.connected)
        for k in range(200):
            client.publish(f"foreshock/readings/a{k % 10}/p{k % 100}", str(k), qos=1)
        assert until(lambda: len(first.values()) + len(second.values()) == 200)
        assert sorted([*first.values(), *second.values()]) == list(range(200)), "each message to one of them"
        assert first.values() and second.values()


def test_the_broker_holds_what_the_log_cannot_take(broker_port: int, request: pytest.FixtureRequest) -> None:
    mosquitto = request.node.callspec.params["broker_port"] == "mosquitto"
    sink = Sink(held=True)
    with (
        running(broker_port, sink, version=5, receive_maximum=10) as bridge,
        running(broker_port, Sink(), version=5) as other,
        publisher(broker_port) as client,
    ):
        assert until(lambda: bridge.connected and other.connected)
        for k in range(100):
            client.publish(TOPIC, str(k), qos=1)
        assert until(lambda: other.figures()["readings"] == 100)
        assert until(lambda: bridge.figures()["readings"] == 10)
        sink.release()
        # Mosquitto 2.0.11 keeps to the bound only until the first acknowledgement; the bridge has a bound of its own
        assert until(lambda: bridge.figures()["readings"] == (100 if mosquitto else 20)), "the next, and no more"
        sink.held = False
        assert until(lambda: (sink.release(), len(sink.values()) == 100)[1])


@pytest.mark.parametrize("version", [4, 5])
def test_a_bridge_that_does_not_read_keeps_its_connection(
    broker_port: int, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink(held=True)
    with (
        running(broker_port, sink, version=version, keepalive=1, max_unlogged=100) as bridge,
        publisher(broker_port) as client,
    ):
        pings: list[None] = []
        send = bridge.client._send_pingreq
        monkeypatch.setattr(bridge.client, "_send_pingreq", lambda: (pings.append(None), send())[1])
        assert until(lambda: bridge.connected)
        count = 20_000
        for k in range(count):
            client.publish(TOPIC, str(k), qos=0)
        assert until(lambda: bridge._full())
        pings.clear()
        assert until(lambda: len(pings) >= 4), "more than twice what the broker waits for"
        assert bridge._full() and bridge.figures()["lost"] == 0
        sink.held = False
        assert until(lambda: (sink.release(), bridge.figures()["readings"] > 100)[1])
        before = len(pings)
        assert until(lambda: len(pings) > before + 1), "and goes on as before"
        assert (bridge.figures()["lost"], bridge.connected) == (0, True)


@contextmanager
def listener(port: int, topic: str) -> Iterator[list[tuple[str, bool]]]:
    """Listen to a topic: payloads, and whether each was a stored copy."""
    heard: list[tuple[str, bool]] = []
    subscribed = threading.Event()

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        heard.append((message.payload.decode(), message.retain))

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_message = hear
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert subscribed.wait(5)
    yield heard
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize("version", [4, 5])
def test_the_bridge_says_whether_it_is_there(broker_port: int, version: int) -> None:
    topic = f"foreshock/status/one-{version}"
    with listener(broker_port, topic) as heard:
        with running(broker_port, Sink(), status_topic=topic, version=version) as bridge:
            assert until(lambda: heard == [("online", False)])
            with listener(broker_port, topic) as later:
                assert until(lambda: later == [("online", True)])
            sock = bridge.client.socket()
            assert sock is not None
            sock.shutdown(2)  # cut off without a word: the broker speaks for it
            assert until(lambda: heard[1:] == [("offline", False), ("online", False)])
        assert until(lambda: heard[3:] == [("offline", False)]), "it takes its leave itself"
