"""What the embedded broker truly does; what it does not is held here too, so that a new version is noticed."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scripts import load
from streams.embedded import broker as embedded

pytestmark = pytest.mark.server
_ids = itertools.count()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    waiter = threading.Event()
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        waiter.wait(0.005)
    return True


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, int]]:
    found = {4: free_port(), 5: free_port()}
    running = embedded.start(found[4], tmp_path_factory.mktemp("data"), port5=found[5])
    yield found
    running.stop()


class Peer:
    """A paho client that keeps what it gets."""

    def __init__(self, port: int, version: int = 4, name: str = "", clean: bool = True) -> None:
        self.got: list[tuple[str, bytes, int, bool]] = []
        self.present = False
        self._ready = threading.Event()
        self._subscribed = threading.Event()
        options: dict[str, Any] = {} if version == 5 else {"clean_session": clean}
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name or f"peer-{next(_ids)}",
            protocol=MQTTProtocolVersion(version),
            **options,
        )
        self.client.max_inflight_messages_set(500)
        self.client.on_message = lambda _c, _u, m: self.got.append((m.topic, bytes(m.payload), m.qos, m.retain))
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        connect: dict[str, Any] = {}
        if version == 5:
            connect["clean_start"] = clean
            connect["properties"] = Properties(PacketTypes.CONNECT)
            connect["properties"].SessionExpiryInterval = 3600
        self.client.connect("127.0.0.1", port, **connect)
        self.client.loop_start()
        assert self._ready.wait(5)

    def _connected(self, _client: Any, _data: Any, flags: Any, _reason: Any, _properties: Any) -> None:
        self.present = flags.session_present
        self._ready.set()

    def subscribe(self, *filters: str, qos: int = 1) -> None:
        self._subscribed.clear()
        self.client.subscribe([(one, qos) for one in filters])
        assert self._subscribed.wait(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def break_off(self) -> None:
        """Lose the connection without a goodbye."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()


@contextmanager
def peers(port: int, count: int, version: int = 4) -> Iterator[list[Peer]]:
    made = [Peer(port, version) for _ in range(count)]
    yield made
    for one in made:
        one.close()


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_arrive_whole_and_in_order(ports: dict[int, int], version: int, qos: int) -> None:
    with peers(ports[version], 2, version) as (sub, pub):
        sub.subscribe("order/#", qos=qos)
        last = None
        for k in range(500):
            last = pub.client.publish("order/x", str(k), qos)
        assert until(lambda: len(sub.got) == 500)
        assert [int(payload) for _, payload, _, _ in sub.got] == list(range(500))
        assert last is not None and until(last.is_published)


@pytest.mark.parametrize("version", [4, 5])
def test_retained_messages_are_kept_replaced_and_removed(ports: dict[int, int], version: int) -> None:
    topic = f"kept/{version}"
    with peers(ports[version], 3, version) as (pub, first, second):
        for name, payload in (("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"), ("c", "")):
            pub.client.publish(f"{topic}/{name}", payload, 1, retain=True).wait_for_publish(5)
        first.subscribe(f"{topic}/#")
        assert until(lambda: len(first.got) == 2)
        assert sorted(first.got) == [(f"{topic}/a", b"1", 1, True), (f"{topic}/b", b"3", 1, True)]
        second.subscribe(f"{topic}/a")
        assert until(lambda: second.got == [(f"{topic}/a", b"1", 1, True)])


def test_wildcards(ports: dict[int, int]) -> None:
    with peers(ports[4], 2) as (sub, pub):
        sub.subscribe("w/+/x", "d/#")
        for topic in ("w/1/x", "w/1/y", "w/x", "d", "d/a/b", "e"):
            pub.client.publish(topic, "", 1)
        pub.client.publish("d/last", "end", 1)
        assert until(lambda: any(topic == "d/last" for topic, *_ in sub.got))
        assert [topic for topic, *_ in sub.got] == ["w/1/x", "d", "d/a/b", "d/last"]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("parting", ["close", "break_off"])
def test_a_session_keeps_what_comes_while_its_client_is_away(ports: dict[int, int], version: int, parting: str) -> None:
    name = f"away-{next(_ids)}"
    sub = Peer(ports[version], version, name, clean=False)
    sub.subscribe("away/#")
    getattr(sub, parting)()
    with peers(ports[version], 1, version) as (pub,):
        last = None
        for k in range(2000):
            last = pub.client.publish("away/x", str(k), 1)
        assert last is not None and until(last.is_published)
        again = Peer(ports[version], version, name, clean=False)
        assert again.present
        assert until(lambda: len(again.got) >= 2000)
        assert [int(payload) for _, payload, _, _ in again.got] == list(range(2000))
        again.close()


def test_what_was_not_acknowledged_comes_again(ports: dict[int, int]) -> None:
    name = f"half-{next(_ids)}"
    sub = Peer(ports[4], name=name, clean=False)
    acknowledge = sub.client._send_puback
    sent: list[int] = []

    def some(mid: int) -> Any:
        sent.append(mid)
        return acknowledge(mid) if len(sent) <= 30 else 0

    sub.client._send_puback = some  # type: ignore[method-assign]
    sub.subscribe("half/#")
    with peers(ports[4], 1) as (pub,):
        for k in range(100):
            pub.client.publish("half/x", str(k), 1)
        assert until(lambda: len(sub.got) == 100)
        sub.break_off()
        again = Peer(ports[4], name=name, clean=False)
        assert until(lambda: len(again.got) == 70)
        assert [int(payload) for _, payload, _, _ in again.got] == list(range(30, 100))
        again.close()


def test_large_messages_up_to_the_limit(ports: dict[int, int]) -> None:
    with peers(ports[4], 2) as (sub, pub):
        sub.subscribe("big/#")
        payload = os.urandom(1 << 20)
        pub.client.publish("big/1", payload, 1).wait_for_publish(10)
        assert until(lambda: bool(sub.got))
        assert sub.got[0][1] == payload
        pub.client.publish("big/2", bytes(3 << 20), 1)
        assert until(lambda: not pub.client.is_connected()), "a larger one ends its sender's connection"


def test_a_slow_subscriber_misses_nothing_of_a_burst(ports: dict[int, int]) -> None:
    name = f"slow-{next(_ids)}"
    sub = Peer(ports[4], name=name, clean=False)
    sub.subscribe("foreshock/readings/#")
    sub.close()
    packets = load.Singles(load.native_topics(load.bench_site()), qos=0)
    connection = load.Connection(port=ports[4])
    made = load.run(connection, packets, 60_000, 0.5)
    connection.close()
    again = Peer(ports[4], name=name, clean=False)
    assert until(lambda: len(again.got) == made["readings"], 30)
    assert {qos for _, _, qos, _ in again.got} == {1}, "delivered at the subscription's QoS, though sent with QoS 0"
    again.close()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(embedded.BrokerError, match=f"port {port} is taken"):
            embedded.start(port, tmp_path)


def test_it_listens_on_the_loopback_interface_only() -> None:
    assert 'listen = "127.0.0.1:1883"' in embedded.configuration(1883)
    assert "0.0.0.0" not in embedded.configuration(1883, 1884)


def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    port = free_port()
    code = (
        "import pathlib, sys, time\nfrom streams.embedded import broker\n"
        f"print(broker.start({port}, pathlib.Path({str(tmp_path)!r})).pid, flush=True)\nsys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert embedded.answers(port)
    parent.send_signal(signal.SIGKILL)
    parent.wait(5)
    assert until(lambda: not embedded.answers(port, timeout=0.2))
    assert until(
        lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]
    )


def test_it_stops_at_once_and_starts_again_on_its_port(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        running = embedded.start(port, tmp_path)
        begun = time.monotonic()
        running.stop()
        assert time.monotonic() - begun < 2
        assert running.poll() is not None
        assert not embedded.answers(port, timeout=0.2)
