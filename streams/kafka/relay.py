"""What the other workers of a cluster write, for the console beside this one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka.address import Address
from streams.kafka.reads import REQUEST_SECONDS
from streams.kafka.thread import LoopThread

logger = logging.getLogger(__name__)

FETCH_SECONDS = 0.5
PAUSE = 1.0
"""Seconds until what failed is tried again."""

Heard = Callable[[str, int, int, bytes], None]
"""Topic, partition, offset, value; called in the relay's own thread."""


class Relay:
    """Follow topics from their ends on, outside of any group, and hand over what is committed."""

    def __init__(self, address: Address, topics: Sequence[str], heard: Heard) -> None:
        self._address, self._topics, self._heard = address, tuple(topics), heard
        self._thread = LoopThread("kafka-relay")
        self._thread.begin(self._run())

    def close(self) -> None:
        """Stop following."""
        self._thread.close()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except KafkaError as error:
                logger.warning("what other workers write is not heard now: %r", error)
            except Exception:
                logger.exception("the relay failed; it begins again")
            await asyncio.sleep(PAUSE)

    async def _follow(self) -> None:
        names = {self._address.name(topic): topic for topic in self._topics}
        consumer: Any = AIOKafkaConsumer(
            *names,
            **self._address.options(),
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            isolation_level="read_committed",
            fetch_max_wait_ms=int(FETCH_SECONDS * 1000),
        )
        try:
            await consumer.start()
            while True:
                fetched = await consumer.getmany(timeout_ms=int(FETCH_SECONDS * 1000))
                for tp, records in fetched.items():
                    self._tell(names, tp, records)
        finally:
            await consumer.stop()

    def _tell(self, names: dict[str, str], tp: TopicPartition, records: Sequence[Any]) -> None:
        for record in records:
            self._heard(names[tp.topic], tp.partition, record.offset, record.value or b"")
