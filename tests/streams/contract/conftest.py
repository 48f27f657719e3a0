"""The transports that the contract is tested on; a new one is one more parameter here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import faust
import pytest

from streams.embedded.reader import LogReader
from streams.kafka.address import parse
from streams.kafka.reader import KafkaReader
from streams.kafka.topics import Topics
from streams.kafka.transport import Transport as KafkaTransport
from streams.lean import LeanApp, TopicSpec, create_app

TOPICS = {
    "observations": TopicSpec(3),
    "outcomes": TopicSpec(3, derived=True),
    "snapshots": TopicSpec(3, compact=True, derived=True),
}

SESSION = 2.0
"""Seconds after which a dead member is given up."""


class Transport:
    """Make applications that share one log."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "log.sqlite"
        self.url = f"sqlite:///{self.path}"

    def app(self, name: str = "worker", **options: Any) -> LeanApp:
        return create_app(name, broker_url=self.url, topics=TOPICS, **options)

    def reader(self) -> Any:
        return LogReader(self.path)

    def named(self, name: str) -> str:
        """Return a topic's or a group's name that no other test uses."""
        return name

    def provide(self, topic: str, partitions: int) -> None:
        """Make a topic that is read from before anything is written to it."""

    def plain(self, name: str, **options: Any) -> faust.App:
        """Make an application of Faust's own."""
        return faust.App(self.named(name), broker=self.url, **options)


class OnKafka(Transport):
    kind = "kafka"

    def __init__(self, folder: Path, servers: str) -> None:
        super().__init__(folder)
        self.servers, self.prefix = servers, f"t{uuid4().hex[:8]}"
        self.url = f"kafka://{servers}/{self.prefix}"
        asyncio.run(self._create(self.url, TOPICS))

    async def _create(self, url: str, specs: dict[str, TopicSpec]) -> None:
        topics = Topics(parse(url), specs)
        await topics.apply(await topics.plan())

    def provide(self, topic: str, partitions: int) -> None:
        asyncio.run(self._create(f"kafka://{self.servers}", {topic: TopicSpec(partitions)}))

    def app(self, name: str = "worker", **options: Any) -> LeanApp:
        log_options = {"session_seconds": SESSION, **options.pop("log_options", {})}
        return super().app(name, log_options=log_options, **options)

    def reader(self) -> Any:
        return KafkaReader(parse(self.url))

    def named(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def plain(self, name: str, **options: Any) -> faust.App:
        class App(faust.App):
            def _new_transport(self) -> Any:
                return KafkaTransport(self.conf.broker_consumer, self)

        return App(self.named(name), broker=f"kafka://{self.servers}", table_standby_replicas=0, **options)


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.server)])
def transport(request: pytest.FixtureRequest, tmp_path: Path) -> Transport:
    if request.param == "sqlite":
        return Transport(tmp_path)
    return OnKafka(tmp_path, request.getfixturevalue("kafka"))


def values(log: Any, topic: str, partition: int) -> list[bytes]:
    """Return the values of all records of a partition."""
    return [value for _, _, value in log.read(topic, partition, 0, limit=1_000_000)]
