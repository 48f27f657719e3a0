"""The broker killed with -9: what it acknowledged, the durable subscriber has; the rest the publisher sends again."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from scripts.ports import free_port
from streams.embedded import broker as embedded
from tests.streams.embedded.mqtt.peers import Bare, fresh_name
from tests.waiting import until

pytestmark = pytest.mark.server

COUNT = 30_000
WINDOW = 1000


class Durable(threading.Thread):
    """Subscribe as the bridge does; a message is noted, then acknowledged. Reconnects for ever."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.noted: set[bytes] = set()
        self.done = False

    def run(self) -> None:
        while not self.done:
            try:
                bare = Bare(self.port, "foreshock-bridge", clean=False)
                if not bare.present:
                    bare.subscribe("foreshock/#")
                self._take(bare)
            except (OSError, AssertionError):
                threading.Event().wait(0.02)

    def _take(self, bare: Bare) -> None:
        while not self.done:
            first, body = bare.next()
            assert first & 0xF6 == 0x32
            at = 2 + body[1]
            self.noted.add(body[at + 2 :])
            bare.send(b"\x40\x02" + body[at : at + 2])


class Publisher(threading.Thread):
    """Publish numbered messages, at most `WINDOW` unacknowledged; after a loss send again what was not acknowledged."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.acknowledged: set[bytes] = set()
        self.losses = 0

    def run(self) -> None:
        waiting: dict[int, bytes] = {}
        number = 0
        while number < COUNT or waiting:
            try:
                bare = Bare(self.port, fresh_name("sender"))
                for mid, payload in waiting.items():
                    bare.publish("foreshock/x", payload, 1, mid, flags=8)
                while number < COUNT or waiting:
                    while number < COUNT and len(waiting) < WINDOW:
                        mid, payload = number % 60_000 + 1, b"%d" % number
                        waiting[mid] = payload
                        number += 1
                        bare.publish("foreshock/x", payload, 1, mid)
                    first, body = bare.next()
                    assert first == 0x40
                    payload = waiting.pop(body[0] << 8 | body[1])
                    self.acknowledged.add(payload)
            except (OSError, AssertionError):
                self.losses += 1
                threading.Event().wait(0.01)


def test_what_was_acknowledged_has_arrived_though_the_broker_is_killed(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded.start(port, tmp_path, held=["#"])
    durable, publisher = Durable(port), Publisher(port)
    publisher.start()
    durable.start()
    for turn in range(1, 5):
        wanted = COUNT * turn // 6
        assert until(lambda: len(publisher.acknowledged) >= wanted, 30)  # noqa: B023
        broker.process.kill()
        broker.process.wait(5)
        # The subscriber notes before it acknowledges: what the publisher was told can only be less.
        assert publisher.acknowledged <= durable.noted
        broker = embedded.start(port, tmp_path, held=["#"])
    publisher.join(60)
    assert not publisher.is_alive()
    assert publisher.losses >= 4
    assert publisher.acknowledged == {b"%d" % number for number in range(COUNT)}
    assert publisher.acknowledged <= durable.noted
    durable.done = True
    broker.stop()


def test_a_killed_broker_is_back_on_its_port_though_clients_were_connected(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded.start(port, tmp_path)
    client = Bare(port, fresh_name())
    broker.process.kill()
    assert broker.process.wait(5) == -signal.SIGKILL
    again = embedded.start(port, tmp_path)
    assert client.closed() and embedded.answers(port)
    again.stop()
