"""What a drill's product stands on: a file, or a Kafka and a PostgreSQL that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from alerts.queries import open_engine
from alerts.tables import dispatch_changes, outbox, transitions
from scripts.kafka_broker import brokers
from scripts.postgres_server import postgres
from sensors.site import Site
from streams import logs, settings
from streams.kafka.topics import Topics
from streams.readable import Reader
from streams.settings import Settings
from streams.topics_held import topic_specs

SESSION = 3.0
"""Seconds after which a dead worker's partitions are another's; the drills' Kafka allows it."""


class Backing(NamedTuple):
    """The settings that name what stands there, and by name what can be killed of it, and its servers."""

    given: Mapping[str, Any]
    killers: Mapping[str, Callable[[], None]]
    servers: Mapping[str, Any] = {}

    @property
    def distributed(self) -> bool:
        """Say whether the log is in Kafka."""
        return "broker" in self.given


@contextlib.contextmanager
def backing(site: Site, *, distributed: bool, copies: int = 1, **more: Any) -> Iterator[Backing]:
    """Start what a drill asks for and end it afterwards; `copies`: Kafka's brokers, `more` are settings.

    Raise `KafkaMissing` or `PostgresMissing` where there is none to start.
    """
    if not distributed:
        yield Backing(more, {})
        return
    with brokers(copies) as kafka, postgres() as database:
        given = {
            "broker": ";".join(f"kafka://{one.servers}" for one in kafka.brokers) + "/drill",
            "kafka_session_seconds": SESSION,
            "kafka_replication": copies,
            "journal": database.url,
            **more,
        }
        found = settings.load({}, **given)
        assert found.kafka is not None
        topics = Topics(found.kafka, topic_specs(found, site.partitions), found.kafka_replication)

        async def make() -> None:
            await topics.apply(await topics.plan())

        asyncio.run(make())

        def restart(one: Any) -> None:
            one.kill()
            one.start()

        yield Backing(
            given,
            {"kafka": lambda: restart(random.choice(kafka.brokers)), "postgresql": lambda: restart(database)},
            {"kafka": kafka, "postgresql": database},
        )


def log_of(found: Settings) -> Reader:
    """Open a product's log for reading."""
    return logs.reader(found.log)


class Journalled(NamedTuple):
    """The ids that a journal holds, in the order of its rows."""

    transitions: list[str]
    dispatches: list[str]
    told: list[str]  # of the events in the outbox

    @classmethod
    def of(cls, found: Settings) -> Journalled:
        """Read them."""
        engine = open_engine(found.journal_url, readonly=True)
        queries = (
            sa.select(transitions.c.id).order_by(transitions.c.position),
            sa.select(dispatch_changes.c.id).order_by(dispatch_changes.c.position),
            sa.select(outbox.c.id).where(outbox.c.kind == "dispatch").order_by(outbox.c.position),
        )
        try:
            with engine.connect() as connection:
                return cls(*([str(id) for (id,) in connection.execute(query)] for query in queries))
        finally:
            engine.dispose()


def folder_of(root: Path, node: int) -> Path:
    """Name the data folder of a run of several."""
    return root / f"node-{node}"
