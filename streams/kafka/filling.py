"""Filling a cluster's topics from another log: plain topics keep their offsets, times are kept in all.

Kafka gives offsets by counting. Where a partition is to begin later than at 0, so many empty records are written
before it and deleted: from then on it begins where it should. What transactions' ends took of offsets elsewhere cannot
be left out here; see `streams.migration.copying`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError, for_code

from streams.embedded.schema import LogError, LogUnavailableError, LogWriteError, TopicSpec
from streams.embedded.settled import ARRIVING, MOVED, LogMovedError
from streams.kafka.address import Address
from streams.kafka.reads import REQUEST_SECONDS, Reads, patiently
from streams.kafka.settled import require
from streams.kafka.thread import LoopThread
from streams.kafka.topics import Topics, creation
from streams.kafka.transactions import REQUEST_BYTES, SECONDS, stop
from streams.readable import Timed

BATCH_BYTES = 1024 * 1024
EMPTY = 50_000
"""Empty records of one batch, of 7 bytes each: not compressed, the broker takes a million in 1.5 s, else in half a
minute."""

UNDER_WAY = 8
"""Batches of them that are sent at a time."""

PATIENCE = 120.0
"""Seconds for one step: 4 MB, or a few hundred thousand empty records."""


class KafkaFilling:
    """Write records into topics that nobody runs on; they are marked so. `unmark` takes the mark away."""

    keeps_offsets = False
    """Offsets have no holes here: records of topics that transactions wrote move up."""

    def __init__(self, address: Address, topics: Mapping[str, TopicSpec], replication: int = 1) -> None:
        self.address, self._specs, self._replication = address, dict(topics), replication
        self._thread = LoopThread("kafka-filling")
        self._reads = Reads(address)
        self._options = {**address.options(), "request_timeout_ms": int(REQUEST_SECONDS * 1000)}
        self._producer: Any = None
        try:
            self._ask(self._open())
        except BaseException:
            self.close()
            raise

    async def _open(self) -> None:
        await self._reads.start()
        await _mark(self._options, self.address, ARRIVING, self._replication)
        topics = Topics(self.address, self._specs, self._replication)
        changes = await topics.plan()
        if refused := next((one for one in changes if one.action == "refused"), None):
            raise LogError(f"topic {refused.topic} {refused.detail}")
        await topics.apply(changes)
        while not set(self._specs) <= set(await self._reads.refresh()):  # noqa: ASYNC110 (another process's)
            await asyncio.sleep(0.05)

    @property
    def identity(self) -> str:
        """What the log is called and no other."""
        return self._reads.identity

    def close(self) -> None:
        """Disconnect."""
        if self._thread.alive:
            try:
                self._thread.ask(self._close(), PATIENCE)
            finally:
                self._thread.close()

    async def _close(self) -> None:
        if self._producer is not None:
            await stop(self._producer)
        await self._reads.stop()

    def start(self, topic: str, partition: int) -> int:
        """Return where a partition begins."""
        return int(self._ask(self._reads.starts([(topic, partition)]))[topic, partition])

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record gets."""
        return int(self._ask(self._reads.ends([(topic, partition)]))[topic, partition])

    def members(self, group: str) -> set[str]:
        """Name who is in a group."""
        return set(self._ask(self._reads.members(group)))

    def begin(self, topic: str, partition: int, offset: int, time: float) -> None:
        """Have a partition without records of its own begin at an offset; `time` (unix s) is of what comes there."""
        while (end := self.end(topic, partition)) < offset:
            self._ask(self._empty(topic, partition, min(offset - end, EMPTY * UNDER_WAY), time))
        if self.start(topic, partition) < offset:
            self._ask(self._forget(topic, partition, offset))

    async def _empty(self, topic: str, partition: int, count: int, time: float) -> None:
        producer = await self._connected()
        sent = []
        stamp = int(time * 1000)
        while count:
            batch, taken = producer.create_batch(), 0
            while taken < min(count, EMPTY) and batch.append(key=None, value=b"", timestamp=stamp) is not None:
                taken += 1
            sent.append(await producer.send_batch(batch, self.address.name(topic), partition=partition))
            count -= taken
        await asyncio.gather(*sent)

    async def _forget(self, topic: str, partition: int, offset: int) -> None:
        admin = AIOKafkaAdminClient(**self._options)
        await admin.start()
        try:
            place = TopicPartition(self.address.name(topic), partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()

    def write(self, topic: str, partition: int, records: Sequence[Timed]) -> None:
        """Write records, which get the offsets that follow. Raise `LogError` where somebody else has written."""
        if records:
            at = self.end(topic, partition)
            self._ask(self._write(topic, partition, records, at))

    async def _write(self, topic: str, partition: int, records: Sequence[Timed], at: int) -> None:
        spec = self._specs[topic]
        producer = await self._connected()
        sent: list[tuple[Any, int]] = []
        batch, count = producer.create_batch(), 0
        name = self.address.name(topic)
        for _, time, key, value in records:
            if len(value) + len(key or b"") > REQUEST_BYTES - 1024:
                raise LogWriteError(
                    f"{topic} partition {partition}: a record is too large for Kafka ({len(value)} bytes)"
                )
            given = {
                "key": key,
                "value": None if spec.compact and key is not None and not value else value,
                "timestamp": round(time * 1000),
            }
            if batch.append(**given) is None:
                sent.append((await producer.send_batch(batch, name, partition=partition), count))
                batch, count = producer.create_batch(), 0
                batch.append(**given)
            count += 1
        sent.append((await producer.send_batch(batch, name, partition=partition), count))
        for future, size in sent:
            got = (await future).offset
            if got != at:
                raise LogError(f"{topic} partition {partition}: somebody else writes there, at offset {at}")
            at += size

    def replace(self, topic: str, partition: int, records: Sequence[Timed]) -> None:
        """Have a compacted partition hold these records; what it had under other keys is deleted."""
        keys = {key for _, _, key, _ in records}
        held = {key for _, _, key, value in _all(self, topic, partition) if value}
        gone: list[Timed] = [(0, 0.0, key, b"") for key in held - keys]
        self.write(topic, partition, [*gone, *records])

    def read_timed(self, topic: str, partition: int, start: int, stop: int, limit: int = 1000) -> list[Timed]:
        """Read as a reader does."""
        found = self._ask(self._reads.read_timed(topic, partition, start, stop, limit, 4 * BATCH_BYTES))
        return [(offset, time, key, value) for offset, key, value, time in found]

    def finish_at(self, topic: str, partition: int, end: int) -> None:
        """Nothing: the next record comes after the last."""

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Note how far a group, which has no members, has come."""
        self._ask(self._commit(group, offsets))

    async def _commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        wanted = {TopicPartition(self.address.name(topic), number): at for (topic, number), at in offsets.items()}
        consumer = AIOKafkaConsumer(**self._options, group_id=self.address.name(group), enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(wanted))
            await patiently(lambda: consumer.commit(wanted))
        finally:
            await consumer.stop()

    def settle(self) -> None:
        """Nothing: all that was written is acknowledged by as many as should have it."""

    async def _connected(self) -> Any:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._options,
                enable_idempotence=True,
                acks="all",
                max_batch_size=BATCH_BYTES,
                max_request_size=REQUEST_BYTES,
            )
            await producer.start()
            self._producer = producer
        return self._producer

    def _ask(self, work: Any) -> Any:
        try:
            return self._thread.ask(work, PATIENCE)
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailableError(f"Kafka at {', '.join(self.address.servers)} takes nothing: {error!r}") from error


def _all(log: KafkaFilling, topic: str, partition: int) -> list[Timed]:
    at, end, found = log.start(topic, partition), log.end(topic, partition), dict[bytes | None, Timed]()
    while at < end and (some := log.read_timed(topic, partition, at, end)):
        found |= {one[2]: one for one in some}
        at = some[-1][0] + 1
    return list(found.values())


class KafkaLeaving:
    """A site's topics that are left: marked, and what was under way there ended."""

    def __init__(self, address: Address, replication: int) -> None:
        self._address, self._replication = address, replication
        self._options = {**address.options(), "request_timeout_ms": int(REQUEST_SECONDS * 1000)}

    def mark(self) -> None:
        """Have no run begin there any more."""
        self._do(lambda: _mark(self._options, self._address, MOVED, self._replication))

    def unmark(self, state: str = MOVED) -> None:
        """Have runs begin there again. Raise `LogUnavailableError`."""
        self._do(lambda: _unmark(self._options, self._address, state))

    def marked(self) -> bool:
        """Tell whether no run may begin there."""
        try:
            self._do(self._require)
        except LogMovedError:
            return True
        return False

    async def _require(self) -> None:
        reads = Reads(self._address)
        try:
            await reads.start()
            require(self._address, reads.counts)
        finally:
            await reads.stop()

    def members(self, group: str) -> set[str]:
        """Name the workers that are at work."""

        async def ask() -> set[str]:
            reads = Reads(self._address)
            try:
                await reads.start()
                return await reads.members(group)
            finally:
                await reads.stop()

        return set(self._do(ask))

    def settle(self, group: str, partitions: int) -> None:
        """End what workers that were killed have left under way, and refuse what they may still send."""

        async def take(number: int) -> None:
            name = f"{self._address.name(group)}-{number}"
            producer = AIOKafkaProducer(
                **self._options, transactional_id=name, transaction_timeout_ms=int(SECONDS * 1000)
            )
            try:
                await producer.start()
            finally:
                await stop(producer)

        async def all_of_them() -> None:
            for number in range(partitions):
                await take(number)

        self._do(all_of_them)

    def _do(self, work: Callable[[], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with asyncio.timeout(PATIENCE):
                return await work()

        try:
            return asyncio.run(run())
        except (KafkaError, TimeoutError) as error:
            raise LogUnavailableError(f"Kafka at {', '.join(self._address.servers)}: {error!r}") from error


def unmark(address: Address) -> None:
    """Let topics that were filled be run on. Raise `LogUnavailableError`."""
    KafkaLeaving(address, 1).unmark(ARRIVING)


async def _mark(options: Mapping[str, Any], address: Address, state: str, replication: int) -> None:
    await creation(options, {address.name(state): TopicSpec()}, replication)


async def _unmark(options: Mapping[str, Any], address: Address, state: str) -> None:
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        name = address.name(state)
        answer = await admin.delete_topics([name])
        for topic, code, *_ in answer.topic_error_codes:
            if code not in (0, 3):  # 3: there is none
                raise LogError(f"topic {topic} was not deleted: {for_code(code).__name__}; delete it to go on")
        while name in await admin.list_topics():  # noqa: ASYNC110 (another process's)
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
