"""Outputs and offsets together: one transactional producer for each partition that a worker has.

Kafka knows a producer by its name, the group's and the partition's number. Who takes a partition over begins with the
same name: that ends what the former owner had under way, and refuses all that it may still send.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError, MessageSizeTooLargeError, ProducerFenced

from streams.embedded.schema import LogClosedError, LogError, LogUnavailableError, LogWriteError

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""For one transaction: after it the cluster itself ends what was left under way."""

PAUSE = 0.2
BATCH_BYTES = 256 * 1024
REQUEST_BYTES = 16 * 1024 * 1024

WRITING = {"acks": "all", "max_batch_size": BATCH_BYTES, "max_request_size": REQUEST_BYTES}
"""What every producer of ours is told."""

Sending = tuple[str, int, "bytes | None", "bytes | None"]


class Transactions:
    """Write for the partitions that are owned. All methods belong to the thread that owns the clients."""

    def __init__(
        self,
        options: Mapping[str, Any],
        group: str,
        named: Callable[[int], str],
        committed: Callable[[], Awaitable[Mapping[TopicPartition, int]]],
    ) -> None:
        self._options, self._group, self._named, self._committed = dict(options), group, named, committed
        self._producers: dict[int, Any] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._owned: set[int] = set()
        self.count = 0
        self.failures = 0

    async def own(self, numbers: Collection[int]) -> None:
        """Take partitions over, and let go of all others. Raise `LogUnavailableError`."""
        self._owned = set(numbers)
        gone = [self._producers.pop(number) for number in list(self._producers) if number not in self._owned]
        await asyncio.gather(*(stop(producer) for producer in gone))
        await asyncio.gather(*(self._producer(number) for number in self._owned))

    async def stop(self) -> None:
        """Let go of all."""
        await self.own(())

    async def write(self, number: int, records: Sequence[Sending], offsets: Mapping[TopicPartition, int]) -> list[int]:
        """Write records, and offsets of the group, all or none; return the records' offsets.

        Raise `LogClosedError` when another worker has taken the partition over, `LogUnavailableError` when it may be
        tried again.
        """
        if number not in self._owned:
            raise LogClosedError(f"partition {number} was given up")
        async with self._locks.setdefault(number, asyncio.Lock()):
            producer = await self._producer(number)
            written: list[int] = []
            try:
                async with asyncio.timeout(SECONDS):
                    await _transaction(producer, self._group, records, offsets, written)
            except ProducerFenced as error:
                await self._drop(number)
                self._owned.discard(number)
                raise LogClosedError(f"partition {number} was taken over by another worker") from error
            except MessageSizeTooLargeError as error:
                await self._drop(number)
                raise LogWriteError(f"a record is too large: {error}") from error
            except (KafkaError, IllegalOperation, TimeoutError) as error:
                self.failures += 1
                await self._drop(number)
                if not (written and offsets and await self._came_through(number, offsets)):
                    raise LogUnavailableError(f"Kafka took no outputs: {error!r}") from error
            self.count += 1
            return written

    async def _came_through(self, number: int, offsets: Mapping[TopicPartition, int]) -> bool:
        """Say whether a transaction whose answer was lost was committed, however long it takes to know.

        A new producer of the same name settles what the former left; only then does the offset tell.
        """
        while number in self._owned:
            try:
                await self._producer(number)
                found = await self._committed()
            except (LogError, KafkaError) as error:
                logger.warning("partition %d: what became of its outputs is not known yet: %s", number, error)
                await asyncio.sleep(PAUSE)
            else:
                return all(found.get(tp, -1) >= offset for tp, offset in offsets.items())
        return False

    async def _producer(self, number: int) -> Any:
        producer = self._producers.get(number)
        if producer is None:
            producer = AIOKafkaProducer(
                **self._options,
                transactional_id=self._named(number),
                transaction_timeout_ms=int(SECONDS * 1000),
                **WRITING,
            )
            try:
                async with asyncio.timeout(SECONDS):
                    await producer.start()
            except (KafkaError, TimeoutError) as error:
                await stop(producer)
                raise LogUnavailableError(f"partition {number} could not be taken over yet: {error!r}") from error
            self._producers[number] = producer
        return producer

    async def _drop(self, number: int) -> None:
        producer = self._producers.pop(number, None)
        if producer is not None:
            await stop(producer)


async def _transaction(
    producer: Any,
    group: str,
    records: Sequence[Sending],
    offsets: Mapping[TopicPartition, int],
    written: list[int],
) -> None:
    """Write all; `written` has the records' offsets before the commit is asked for, which may come through unheard."""
    await producer.begin_transaction()
    sent = [
        await producer.send(topic, value=value, key=key, partition=partition)
        for topic, partition, key, value in records
    ]
    try:
        if offsets:
            await producer.send_offsets_to_transaction(dict(offsets), group)
        written += [one.offset for one in await asyncio.gather(*sent)]
    except BaseException:
        await asyncio.gather(*sent, return_exceptions=True)  # each has its reason, and the first is told
        raise
    await producer.commit_transaction()


async def stop(producer: Any) -> None:
    """Stop a producer, whatever state it is in."""
    try:
        async with asyncio.timeout(2.0):
            await producer.stop()
    except (KafkaError, LogError, TimeoutError, OSError) as error:
        logger.debug("a producer did not stop in order: %r", error)
