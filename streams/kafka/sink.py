"""The bridge's way to Kafka: records in the order of their partition, offered until they are acknowledged."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.hub.errors import HubClosedError, HubFullError, HubRefusedError
from streams.kafka.address import Address
from streams.kafka.reads import REQUEST_SECONDS
from streams.kafka.thread import LoopThread
from streams.kafka.transactions import REQUEST_BYTES, WRITING, stop

logger = logging.getLogger(__name__)

LIMIT_BYTES = 128 * 1024 * 1024
PAUSE = 0.25  # seconds before what was not acknowledged is offered again
QUIET = 60.0
"""Seconds between two lines in the log about the same trouble."""

Told = Callable[[Exception | None], None]


class _Batch:
    __slots__ = ("done", "left", "size")

    def __init__(self, left: int, size: int, done: Told) -> None:
        self.left, self.size, self.done = left, size, done


class KafkaSink:
    """Take records from any thread, as `HubProducer` does; `done` is called once all of a batch are acknowledged.

    A partition has one request under way, and what was not acknowledged goes again before anything behind it: what an
    outage leaves is a repeat at most, never another order. Bounded in bytes.
    """

    def __init__(self, address: Address, *, limit_bytes: int = LIMIT_BYTES) -> None:
        self._address, self._limit = address, limit_bytes
        self._lock = threading.Lock()
        self._batches: set[_Batch] = set()
        self._bytes = 0
        self._closed = False
        self._queues: dict[tuple[str, int], deque[tuple[bytes, _Batch]]] = {}
        self._feeding: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._producer: Any = None
        self._starting = asyncio.Lock()
        self._quiet_until = 0.0  # monotonic
        self._thread = LoopThread("kafka-sink")

    @property
    def waiting(self) -> int:
        """Count the batches not yet acknowledged."""
        with self._lock:
            return len(self._batches)

    def produce(self, records: Sequence[tuple[str, int, bytes]], done: Told) -> None:
        """Hand over records (topic, partition, value).

        `done` is called at once with `HubFullError` when too much waits already, `HubRefusedError` for what is too
        large for good.
        """
        size = sum(len(value) for _, _, value in records)
        if any(len(value) > REQUEST_BYTES - 1024 for _, _, value in records):
            done(HubRefusedError(f"a record is too large for Kafka: {REQUEST_BYTES} bytes are allowed"))
            return
        batch = _Batch(len(records), size, done)
        with self._lock:
            problem: Exception | None = None
            if self._closed:
                problem = HubClosedError("this producer is closed")
            elif self._bytes > self._limit:
                problem = HubFullError(f"{len(self._batches)} batches wait for Kafka already")
            else:
                self._bytes += size
                self._batches.add(batch)
                self._thread.loop.call_soon_threadsafe(self._take, list(records), batch)
        if problem is not None:
            done(problem)

    def close(self, timeout: float = 2.0) -> None:
        """Wait for acknowledgements for `timeout` seconds, then give up the rest (`done` gets `HubClosedError`)."""
        with self._lock:
            self._closed = True
        if self._thread.alive:
            self._thread.begin(self._finish(timeout)).result(timeout + 5.0)
            self._thread.close()
        with self._lock:
            abandoned, self._batches = self._batches, set()
        for batch in abandoned:
            batch.done(HubClosedError("this producer was closed before the batch was acknowledged"))

    # the thread ------------------------------------------------------------------------------------------------------

    def _take(self, records: Sequence[tuple[str, int, bytes]], batch: _Batch) -> None:
        for topic, partition, value in records:
            self._queues.setdefault((topic, partition), deque()).append((value, batch))
        for place in {(topic, partition) for topic, partition, _ in records}:
            if place not in self._feeding:
                self._feeding[place] = asyncio.create_task(self._feed(*place))
        if not records:
            self._settle(batch)

    async def _feed(self, topic: str, partition: int) -> None:
        try:
            await self._empty(topic, partition)
        finally:  # at once: what comes before a callback would run must find that nobody feeds
            del self._feeding[topic, partition]

    async def _empty(self, topic: str, partition: int) -> None:
        queue = self._queues[topic, partition]
        while queue:
            try:
                count = await self._send(topic, partition, queue)
            except Exception as error:  # whatever it is, what waits must not be lost
                await self._trouble(error)
                continue
            for _ in range(count):
                _, batch = queue.popleft()
                batch.left -= 1
                if not batch.left:
                    self._settle(batch)

    async def _send(self, topic: str, partition: int, queue: deque[tuple[bytes, _Batch]]) -> int:
        """Send as much of the queue's beginning as one request takes; return how many records that was."""
        producer = await self._connected()
        request = producer.create_batch()
        count = 0
        for value, _ in queue:
            if request.append(key=None, value=value, timestamp=None) is None:
                break
            count += 1
        sent = await producer.send_batch(request, self._address.name(topic), partition=partition)
        await sent
        return count

    async def _connected(self) -> Any:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._address.options(),
                    request_timeout_ms=int(REQUEST_SECONDS * 1000),
                    enable_idempotence=True,
                    **WRITING,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _trouble(self, error: Exception) -> None:
        if time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + QUIET
            logger.warning("Kafka cannot take records now: %r", error)
        if not (isinstance(error, KafkaError) and error.retriable):
            async with self._starting:  # it may never take any again
                producer, self._producer = self._producer, None
                if producer is not None:
                    await stop(producer)
        await asyncio.sleep(PAUSE)

    def _settle(self, batch: _Batch) -> None:
        with self._lock:
            known = batch in self._batches
            self._batches.discard(batch)
            self._bytes -= batch.size
        if known:
            try:
                batch.done(None)
            except Exception:
                logger.exception("the callback of a batch failed")

    async def _finish(self, seconds: float) -> None:
        if self._feeding:
            await asyncio.wait(list(self._feeding.values()), timeout=seconds)
        for task in self._feeding.values():
            task.cancel()
        if self._producer is not None:
            await stop(self._producer)
