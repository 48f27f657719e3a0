"""What Faust sends, into the log: at once, or held until the offset that caused it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import count as count_up
from typing import TYPE_CHECKING, Any, cast

from faust.streams import current_event
from faust.transport import producer as base
from faust.types import TP, FutureMessage, RecordMetadata

from sensors.partition import murmur2
from streams.embedded.schema import LogError, Record, TopicSpec

if TYPE_CHECKING:
    from streams.embedded.consumer import Consumer
    from streams.embedded.store import Log
    from streams.embedded.transport import Transport


class Producer(base.Producer):
    """Write to the embedded log.

    A send from an agent that handles an event of an acknowledged topic is held with that event's offset; the consumer
    writes both in one transaction. So an agent must never await the result of such a send (it would wait for itself).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn = count_up()

    @property
    def log_store(self) -> Log:
        """Return the log."""
        return cast("Transport", self.transport).log_store

    async def on_start(self) -> None:
        """Open the log before anything else starts; its errors stop the start."""
        cast("Transport", self.transport).open()
        await super().on_start()

    async def on_stop(self) -> None:
        """Let go of the log, the last of all services."""
        await cast("Transport", self.transport).close()

    async def write(self, records: Sequence[Record]) -> list[int]:
        """Write records now and return their offsets once durable. Raise `LogWriteError`."""
        return await self.log_store.produce(records)

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Send, or hold for the event under way, and return what resolves once it is durable."""
        return self._send(topic, key, value, partition)

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> RecordMetadata:
        """Send now, outside of any event, and wait until durable."""
        number = self._partition(topic, key, partition)
        (offset,) = await self.log_store.produce([(topic, number, key, value or b"")])
        return _metadata(topic, number, offset)

    def send_soon(self, fut: FutureMessage) -> None:
        """Send what synchronous code (a table's changelog) asks for; only the log's own queue buffers it."""
        message = fut.message
        sent = self._send(
            message.channel.get_topic_name(),
            cast("bytes | None", message.key),
            cast("bytes | None", message.value),
            message.partition,
        )

        def settle(done: asyncio.Future[RecordMetadata]) -> None:
            if fut.done():
                return
            error = LogError("the send was given up") if done.cancelled() else done.exception()
            if error is not None:
                fut.set_exception(error)
            else:
                fut.set_result(done.result())
                if message.callback:
                    message.callback(fut)

        sent.add_done_callback(settle)

    async def flush(self) -> None:
        """Wait until what was handed to the log is written; held sends wait for their offset instead."""
        if cast("Transport", self.transport).is_open:
            await self.log_store.produce([])

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Any = None,
        timeout: Any = 30.0,  # noqa: ASYNC109 (the signature is Faust's)
        retention: Any = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        ensure_created: bool = False,
    ) -> None:
        """Add a topic to the log."""
        seconds = None if retention is None else float(getattr(retention, "total_seconds", lambda: retention)())
        spec = TopicSpec(partitions, compact=bool(compacting), retention_seconds=seconds)
        await asyncio.get_running_loop().run_in_executor(None, self.log_store.create_topic, topic, spec)

    def key_partition(self, topic: str, key: bytes) -> TP:
        """Choose a key's partition as Kafka's own clients do (murmur2)."""
        return TP(topic, self._partition(topic, key, None))

    def supports_headers(self) -> bool:
        """Say that the log keeps no headers."""
        return False

    def _partition(self, topic: str, key: bytes | None, partition: int | None) -> int:
        if partition is not None:
            return partition
        count = self.log_store.topics().get(topic)
        if count is None:
            raise LogError(f"there is no topic {topic!r}")
        return (murmur2(key) & 0x7FFFFFFF) % count if key else next(self._turn) % count

    def _send(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None
    ) -> asyncio.Future[RecordMetadata]:
        number = self._partition(topic, key, partition)
        record = (topic, number, key, value or b"")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[RecordMetadata] = loop.create_future()
        event = current_event()
        if event is not None and not event.acked:
            consumer = cast("Consumer", self.app.consumer)
            if consumer.hold(event.message, record, future):
                return future

        def settle(offsets: list[int] | None, error: Exception | None) -> None:
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                elif offsets:
                    future.set_result(_metadata(topic, number, offsets[0]))

        def written(offsets: list[int] | None, error: Exception | None) -> None:
            loop.call_soon_threadsafe(settle, offsets, error)

        self.log_store.append([record], written)
        return future


def _metadata(topic: str, partition: int, offset: int) -> RecordMetadata:
    return RecordMetadata(topic, partition, TP(topic, partition), offset)
