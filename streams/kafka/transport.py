"""The `kafka://` transport for Faust."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from faust.transport import base
from faust.transport.conductor import Conductor
from faust.transport.consumer import Fetcher, TransactionManager

from streams.embedded.producer import Producer as LogProducer
from streams.embedded.schema import LogClosedError
from streams.kafka.address import parse
from streams.kafka.consumer import Consumer
from streams.kafka.log import KafkaLog

__all__ = ["Conductor", "Consumer", "Fetcher", "Producer", "TransactionManager", "Transport"]


class Producer(LogProducer):
    """Write to Kafka; what an agent sends is held for its event and written with its offset, as on the embedded log."""

    async def on_start(self) -> None:
        """Connect before anything else starts; its errors stop the start."""
        await cast(Transport, self.transport).open()
        await super(LogProducer, self).on_start()


class Transport(base.Transport):
    """Carry Faust on Kafka. `app.log_topics` says what topics are needed, `app.log_options` goes to `KafkaLog`."""

    Consumer: ClassVar[Any] = Consumer
    Producer: ClassVar[Any] = Producer
    Conductor: ClassVar[Any] = Conductor
    Fetcher: ClassVar[Any] = Fetcher
    TransactionManager: ClassVar[Any] = TransactionManager
    driver_version = "kafka"
    default_port = 9092

    _log: KafkaLog | None = None

    @property
    def is_open(self) -> bool:
        """Say whether the log is open."""
        return self._log is not None

    @property
    def log_store(self) -> KafkaLog:
        """Return the open log. Raise `LogClosedError` before start and after stop."""
        if self._log is None:
            raise LogClosedError("the log is not open")
        return self._log

    async def open(self) -> KafkaLog:
        """Connect, once."""
        if self._log is None:
            options = dict(getattr(self.app, "log_options", {}))
            address = parse(";".join(map(str, self.url)), options.pop("security", None))
            log = KafkaLog(address, getattr(self.app, "log_topics", {}), self.app.conf.id, **options)
            await log.open()
            self._log = log
        return self._log

    async def close(self) -> None:
        """Disconnect without holding the loop up."""
        log, self._log = self._log, None
        if log is not None:
            await asyncio.get_running_loop().run_in_executor(None, log.close)
