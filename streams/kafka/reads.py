"""Reading a cluster's topics from any offset: the coroutines, for the thread that owns the clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.embedded.schema import Entry, LogError, LogUnavailableError, size_of
from streams.kafka.address import Address

FETCH_BYTES = 8 * 1024 * 1024
WAIT_MS = 20  # a fetch at the end of a partition holds up what else is asked of that broker
LOOK_MS = 30
"""Until it is looked where the consumer stands: at a transaction's end it gives nothing, and goes on."""

REQUEST_SECONDS = 10.0
READ_SECONDS = 20.0


class Reads:
    """Read committed records without being in any group."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._consumer: Any = None
        self._admin: Any = None
        self._lock = asyncio.Lock()
        self._assigned: TopicPartition | None = None
        self._at: tuple[TopicPartition, int] | None = None  # where the consumer stands, if that is known
        self._end = 0  # of that partition, when last asked
        self.counts: dict[str, int] = {}
        self.identity = ""

    async def start(self) -> None:
        """Connect. Raise `KafkaError`."""
        options = {**self._address.options(), "request_timeout_ms": int(REQUEST_SECONDS * 1000)}
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        await self._consumer.start()
        self._admin = AIOKafkaAdminClient(**options)
        await self._admin.start()
        cluster = await self._admin.describe_cluster()
        self.identity = f"{cluster['cluster_id']}/{self._address.prefix}"
        await self.refresh()

    async def stop(self) -> None:
        """Disconnect."""
        for client in (self._consumer, self._admin):
            if client is not None:
                await (client.stop() if client is self._consumer else client.close())

    async def refresh(self) -> dict[str, int]:
        """Ask which topics of ours there are; return their numbers of partitions."""
        counts = {}
        for one in await self._admin.describe_topics():
            topic = self._address.ours(one["topic"])
            if topic is not None and not one["is_internal"] and not one["error_code"]:
                counts[topic] = len(one["partitions"])
        self.counts = counts
        return counts

    async def _place(self, topic: str, partition: int) -> TopicPartition:
        if partition >= self.counts.get(topic, 0):
            await self.refresh()
            if not 0 <= partition < self.counts.get(topic, 0):
                raise LogError(f"there is no partition {partition} of topic {topic!r} in this log")
        return TopicPartition(self._address.name(topic), partition)

    async def starts(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the oldest offsets stored."""
        asked = {await self._place(*place): place for place in places}
        found = await self._consumer.beginning_offsets(list(asked)) if asked else {}
        return {asked[tp]: offset for tp, offset in found.items()}

    async def ends(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the offsets after the last that is committed."""
        asked = {await self._place(*place): place for place in places}
        found = await self._consumer.end_offsets(list(asked)) if asked else {}
        return {asked[tp]: offset for tp, offset in found.items()}

    async def committed(self, group: str) -> dict[tuple[str, int], int]:
        """Return what a group has committed."""
        found = await patiently(lambda: self._admin.list_consumer_group_offsets(self._address.name(group)))
        return {
            (topic, tp.partition): place.offset
            for tp, place in found.items()
            if place.offset >= 0 and (topic := self._address.ours(tp.topic)) is not None
        }

    async def members(self, group: str) -> set[str]:
        """Return what the members of a group call themselves."""
        name = self._address.name(group)
        for answer in await patiently(lambda: self._admin.describe_consumer_groups([name])):
            return {str(member[1]) for one in answer.groups for member in one[5]}
        return set()

    async def at_time(self, topic: str, partition: int, time: float) -> int:
        """Return the first offset written at `time` (unix s) or later, or the end."""
        tp = await self._place(topic, partition)
        found = await self._consumer.offsets_for_times({tp: int(time * 1000)})
        place = found.get(tp)
        return int(place.offset) if place is not None else (await self.ends([(topic, partition)]))[topic, partition]

    async def read(
        self, topic: str, partition: int, start: int, stop: int | None, limit: int, max_bytes: int
    ) -> list[Entry]:
        """Read records of offsets start ≤ o < stop: at most `limit`, about `max_bytes`, and at least one."""
        return [
            (offset, key, value)
            for offset, key, value, _ in await self.read_timed(topic, partition, start, stop, limit, max_bytes)
        ]

    async def read_timed(
        self, topic: str, partition: int, start: int, stop: int | None, limit: int, max_bytes: int
    ) -> list[tuple[int, bytes | None, bytes, float]]:
        """Read as `read` does, with when each was written (unix s)."""
        tp = await self._place(topic, partition)
        async with self._lock:
            try:
                async with asyncio.timeout(READ_SECONDS):
                    return await self._read(tp, start, stop, limit, max_bytes)
            except TimeoutError as error:
                self._at = None
                raise LogUnavailableError(f"{tp.topic} partition {partition} could not be read in time") from error

    async def _read(
        self, tp: TopicPartition, start: int, stop: int | None, limit: int, max_bytes: int
    ) -> list[tuple[int, bytes | None, bytes, float]]:
        consumer = self._consumer
        at, goes_on = start, self._at == (tp, start)
        if not goes_on:
            at = max(at, (await consumer.beginning_offsets([tp]))[tp])
        if stop is None or not goes_on or stop > self._end:
            self._end = (await consumer.end_offsets([tp]))[tp]
        stop = self._end if stop is None else min(stop, self._end)
        if at >= stop or limit < 1:
            return []
        if self._assigned != tp:
            consumer.assign([tp])
            self._assigned = tp
        if not goes_on:
            consumer.seek(tp, at)
        self._at = None
        consumer.resume(tp)
        try:
            return await self._fetch(tp, at, stop, limit, max_bytes)
        finally:
            consumer.pause(tp)  # what is fetched ahead of the next read would hold up all other requests

    async def _fetch(
        self, tp: TopicPartition, at: int, stop: int, limit: int, max_bytes: int
    ) -> list[tuple[int, bytes | None, bytes, float]]:
        consumer = self._consumer
        found: list[tuple[int, bytes | None, bytes, float]] = []
        size = 0
        while at < stop and len(found) < limit:
            records = (await consumer.getmany(tp, timeout_ms=LOOK_MS, max_records=limit - len(found))).get(tp, [])
            for record in records:
                size += size_of(record.key, record.value or b"")
                if record.offset >= stop or (found and size > max_bytes):
                    return found
                found.append((record.offset, record.key, record.value or b"", record.timestamp / 1000))
            at = await consumer.position(tp)
        self._at = tp, at
        return found


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again for a while: a group's coordinator is made when it is first asked for."""
    loop = asyncio.get_running_loop()
    until = loop.time() + REQUEST_SECONDS
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or loop.time() > until:
                raise
        await asyncio.sleep(0.1)
