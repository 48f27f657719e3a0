"""The embedded broker, and somebody who publishes to it, for the commands that listen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from scripts.ports import free_port
from streams.embedded import broker as embedded
from tests.sensors.test_bridge import publisher


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    running = embedded.start(number, tmp_path_factory.mktemp("broker"))
    yield number
    running.stop()


@contextmanager
def publishing(port: int, sent: Sequence[tuple[str, bytes]]) -> Iterator[None]:
    """Publish all again and again until the end of the block."""
    over = threading.Event()

    def publish() -> None:
        with publisher(port) as client:
            while not over.wait(0.03):
                for topic, payload in sent:
                    client.publish(topic, payload)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
