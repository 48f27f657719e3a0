"""An Apache Kafka broker of the tests' own, one for all; see scripts/kafka_broker.py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from scripts.kafka_broker import broker
from scripts.provide_kafka import KafkaMissing
from tests.needed import skip


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Start one and give its address (host:port); skip the test where there is none to start."""
    with contextlib.ExitStack() as stack:
        try:
            one = stack.enter_context(broker())
        except KafkaMissing as missing:
            skip(str(missing))
        yield one.servers
