"""The distributed log as a worker uses it: what `Log` is for the embedded one, its clients in a thread of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from streams.embedded.appending import Appending, Callback
from streams.embedded.reader import READ_BYTES
from streams.embedded.schema import (
    MAX_RECORD_BYTES,
    Commit,
    Entry,
    LogClosedError,
    LogError,
    LogUnavailableError,
    LogWriteError,
    Record,
    TopicSpec,
)
from streams.kafka.address import Address
from streams.kafka.asking import PATIENCE, Asking
from streams.kafka.membership import Assigned, Membership, Revoked
from streams.kafka.reads import REQUEST_SECONDS, Reads
from streams.kafka.settled import require
from streams.kafka.thread import LoopThread
from streams.kafka.topics import creation
from streams.kafka.transactions import REQUEST_BYTES, WRITING, Sending, Transactions

logger = logging.getLogger(__name__)

TAKE_OVER_PAUSE = 0.2
FOUND_LOOKS, FOUND_PAUSE = 8, 0.25
"""Looks for topics that are not there, at a start, and seconds between two."""
BACK = 100  # offsets that are looked through at a time for a last record
Place = tuple[str, int]
T = TypeVar("T")


class KafkaLog(Asking, Appending):
    """Read, write and be a member of the group. Methods may be called from any thread; plain ones wait for Kafka.

    Records of topics that are `derived` are written in transactions, together with the offsets of what they come from;
    all others by a producer that repeats nothing by itself, so that their offsets have no holes.
    """

    def __init__(
        self,
        address: Address,
        topics: Mapping[str, TopicSpec],
        group: str,
        *,
        session_seconds: float = 8.0,
        instance: str = "",
        alone: bool = False,
        leaves: bool = False,
        replication: int = 1,
    ) -> None:
        self._alone = alone
        self.address, self.group, self._replication = address, group, replication
        self._specs = dict(topics)
        self._committed: dict[Place, int] = {}
        self._thread = LoopThread("kafka-log")
        self._reads = Reads(address)
        self._producer: Any = None
        self._sending = asyncio.Lock()
        self._closed = False
        self._options = {**address.options(), "request_timeout_ms": int(REQUEST_SECONDS * 1000)}
        name = address.name(group)
        self._transactions = Transactions(self._options, name, lambda number: f"{name}-{number}", self._offsets)
        self.membership = Membership(self._options, name, session_seconds, instance, self._plain, leaves)

    async def open(self) -> None:
        """Connect. Raise `LogError` when that cannot be done, or the topics are not there."""
        try:
            await self._hand_over(self._open())
        except BaseException:
            await asyncio.to_thread(self.close)
            raise

    async def _open(self) -> None:
        try:
            await self._reads.start()
            for _ in range(FOUND_LOOKS):  # one that was just made has no leader yet, and is not told of
                if self._specs.keys() <= self._reads.counts.keys():
                    break
                await asyncio.sleep(FOUND_PAUSE)
                await self._reads.refresh()
            self._check_topics()
            if self._alone:
                await self._check_alone()
            self._producer = AIOKafkaProducer(**self._options, enable_idempotence=True, **WRITING)
            await self._producer.start()
        except KafkaError as error:
            raise LogUnavailableError(
                f"Kafka at {', '.join(self.address.servers)} cannot be reached: {error}"
            ) from error

    def _check_topics(self) -> None:
        require(self.address, self._reads.counts)
        for topic, spec in self._specs.items():
            there = self._reads.counts.get(topic, 0)
            if there != spec.partitions:
                name = self.address.name(topic)
                found = f"topic {name} has {there} partitions in Kafka" if there else f"Kafka has no topic {name}"
                raise LogError(f"{found}, {spec.partitions} are needed: run `foreshock topics apply`")

    async def _check_alone(self) -> None:
        others = await self._reads.members(self.group) - {self.membership.client}
        if others:
            raise LogError(
                f"another run works on {self.address.prefix or 'this cluster'} already ({', '.join(sorted(others))}): "
                "give each its own prefix; it is gone a few seconds after it ends"
            )

    def close(self, timeout: float = 6.0) -> None:
        """Leave the group and disconnect."""
        if self._closed:
            return
        self._closed = True
        if self._thread.alive:
            try:
                self._thread.ask(self._close(), timeout)
            except LogError as error:
                logger.warning("the log did not close in order: %s", error)
            self._thread.close()

    async def _close(self) -> None:
        clients = [self.membership.leave(), self._transactions.stop(), self._reads.stop()]
        if self._producer is not None:
            clients.append(self._producer.stop())
        await asyncio.gather(*clients, return_exceptions=True)

    @property
    def failed(self) -> Exception | None:
        """The error that ended the log's thread, if it ended."""
        return None if self._closed or self._thread.alive else LogClosedError("the thread of the log has ended")

    @property
    def identity(self) -> str:
        """What this log is called and no other."""
        return self._reads.identity

    # writing ---------------------------------------------------------------------------------------------------------

    def append(
        self, records: Sequence[Record], callback: Callback | None = None, *, commits: Sequence[Commit] = ()
    ) -> None:
        """Hand records over and return at once; with `commits`, which are of one partition, all or none are written.

        `callback(offsets, error)` runs in the log's thread once they are acknowledged or have failed. Raise
        `LogWriteError` at once for a record that could never be written.
        """
        self.check(records)
        self._thread.begin(self._append(records, callback, commits))

    async def _append(self, records: Sequence[Record], callback: Callback | None, commits: Sequence[Commit]) -> None:
        offsets: list[int] | None = None
        failure: Exception | None = None
        try:
            offsets = await self._write(records, commits)
        except LogError as error:
            failure = error
        except MessageSizeTooLargeError as error:
            failure = LogWriteError(f"a record is too large: {error}")
        except (KafkaError, TimeoutError) as error:
            failure = LogUnavailableError(f"Kafka took no records: {error!r}")
        except Exception as error:
            logger.exception("writing failed")
            failure = LogUnavailableError(f"writing to Kafka failed: {error!r}")
        if callback is not None:
            callback(offsets, failure)

    async def _write(self, records: Sequence[Record], commits: Sequence[Commit]) -> list[int]:
        sending = [self._sending_of(record) for record in records]
        numbers = {number for _, number, _, _ in records} | {commit[2] for commit in commits}
        offsets = {TopicPartition(self.address.name(topic), number): at for _, topic, number, at in commits}
        if records and (commits or any(self._derived(topic) for topic, *_ in records)):
            if len(numbers) != 1:
                raise LogWriteError("what is derived is written a partition at a time")
            written = await self._transactions.write(numbers.pop(), sending, offsets)  # refused unless it is ours
        else:
            written = await self._send(sending)
            if offsets:
                await self.membership.commit(offsets)
        for _, topic, number, at in commits:
            self._committed[topic, number] = at
        return written

    async def _send(self, sending: Sequence[Sending]) -> list[int]:
        async with self._sending:  # in the order of the calls, also where the buffer is full
            sent = [
                await self._producer.send(topic, value=value, key=key, partition=partition)
                for topic, partition, key, value in sending
            ]
        return [one.offset for one in await asyncio.gather(*sent)]

    def _sending_of(self, record: Record) -> Sending:
        topic, number, key, value = record
        deletes = not value and key is not None and self.is_compacted(topic)
        return self.address.name(topic), number, key, None if deletes else value

    def check(self, records: Sequence[Record]) -> None:
        """Raise `LogWriteError` if a record could never be written: no such partition, or too large."""
        for topic, number, key, value in records:
            if not 0 <= number < self._reads.counts.get(topic, 0):
                raise LogWriteError(f"there is no partition {number} of topic {topic!r} in this log")
            if len(value) + len(key or b"") > min(MAX_RECORD_BYTES, REQUEST_BYTES):
                raise LogWriteError(f"a record of topic {topic!r} has {len(value)} bytes; {REQUEST_BYTES} are allowed")

    def create_topic(self, name: str, spec: TopicSpec) -> None:
        """Add a topic; do nothing if it is there."""
        if name not in self._reads.counts:
            self._thread.ask(self._create_topic(name, spec), PATIENCE)

    async def _create_topic(self, name: str, spec: TopicSpec) -> None:
        await creation(self._options, {self.address.name(name): spec}, self._replication)
        self._specs[name] = spec
        while (await self._reads.refresh()).get(name) != spec.partitions:  # noqa: ASYNC110 (another process's)
            await asyncio.sleep(0.05)

    # the group -------------------------------------------------------------------------------------------------------

    async def join(self, topics: Sequence[str], assignor: Any, revoked: Revoked, assigned: Assigned) -> None:
        """Be a member that takes part in `topics`; the coroutines are called in this event loop.

        Before partitions are given up `revoked` is waited for, as long as the group waits; then comes `assigned`.
        """
        loop = asyncio.get_running_loop()
        work = self.membership.join([self.address.name(topic) for topic in topics], assignor, loop, revoked, assigned)
        await self._hand_over(work)

    async def take_over(self, places: Sequence[Place], written_from: Sequence[Place], generation: int) -> None:
        """Begin as the owner of partitions: end what a former owner left under way, and learn what was committed.

        `written_from`: those whose handling writes outputs. Tried until it is done, or the partitions are others'.
        """
        await self._hand_over(self._take_over(places, written_from, generation))

    async def _take_over(self, places: Sequence[Place], written_from: Sequence[Place], generation: int) -> None:
        while generation == self.membership.generation:
            try:
                await self._transactions.own({number for _, number in written_from})
                found = await self._reads.committed(self.group)
            except (LogError, KafkaError) as error:
                logger.warning("partitions cannot be taken over yet: %s", error)
                await asyncio.sleep(TAKE_OVER_PAUSE)
            else:
                self._committed = {place: found[place] for place in places if place in found}
                return

    async def _offsets(self) -> dict[TopicPartition, int]:
        found = await self._reads.committed(self.group)
        return {TopicPartition(self.address.name(topic), number): at for (topic, number), at in found.items()}

    def follow(self, topic: str, partition: int, position: int) -> None:
        """Fetch a partition of ours from an offset on."""
        self.membership.follow(TopicPartition(self.address.name(topic), partition), position, self._thread.loop)

    def _plain(self, name: str) -> bool:
        topic = self.address.ours(name) or ""
        spec = self._specs.get(topic)
        return spec is not None and not spec.derived and not spec.compact

    def _derived(self, topic: str) -> bool:
        spec = self._specs.get(topic)
        return spec is not None and spec.derived

    # reading ---------------------------------------------------------------------------------------------------------

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        return dict(self._reads.counts)

    async def starts(self, places: Sequence[Place]) -> dict[Place, int]:
        """Return the oldest offsets stored."""
        return await self._hand_over(self._reads.starts(places))

    async def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """Return the offsets after the last that are committed."""
        return await self._hand_over(self._reads.ends(places))

    async def after_last(self, topic: str, partition: int) -> int:
        """Return the offset after the last record, which may lie before the end of a transaction; 0 without one."""
        return int(await self._hand_over(self._after_last(topic, partition)))

    async def _after_last(self, topic: str, partition: int) -> int:
        place = topic, partition
        start, stop = (await self._reads.starts([place]))[place], (await self._reads.ends([place]))[place]
        while stop > start:
            at = max(start, stop - BACK)
            found = await self._reads.read(topic, partition, at, stop, BACK, READ_BYTES)
            while found and (
                more := await self._reads.read(topic, partition, found[-1][0] + 1, stop, BACK, READ_BYTES)
            ):
                found = more
            if found:
                return found[-1][0] + 1
            stop = at
        return 0

    def seen_end(self, topic: str, partition: int) -> int:
        """Return where a partition of ours ended when it was last fetched; at once."""
        return self.membership.highwater(TopicPartition(self.address.name(topic), partition))

    def is_compacted(self, topic: str) -> bool:
        """Say whether a topic keeps only the newest record of each key."""
        spec = self._specs.get(topic)
        return spec is not None and spec.compact

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group will read, or None; at once for partitions that are ours."""
        if group == self.group and (topic, partition) in self._committed:
            return self._committed[topic, partition]
        return super().committed(group, topic, partition)

    def known(self, topic: str, partition: int) -> int | None:
        """Return what is committed of a partition of ours; at once."""
        return self._committed.get((topic, partition))

    read_stored = Asking.read

    def read_recent(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry] | None:
        """Take what was fetched from `start` on; None if that is not what is being followed."""
        return self.membership.take(TopicPartition(self.address.name(topic), partition), start, limit, max_bytes)

    def subscribe(self, callback: Callable[[list[tuple[str, int]]], None]) -> Callable[[], None]:
        """Call `callback` when more of our partitions was fetched (log's thread); return its undoing."""
        self.membership.woken = lambda: callback([])

        def undo() -> None:
            self.membership.woken = lambda: None

        return undo

    def figures(self) -> dict[str, int]:
        """Count transactions, failed transactions and gaps since opening."""
        return {
            "transactions": self._transactions.count,
            "failures": self._transactions.failures,
            "gaps": self.membership.gaps,
        }

    async def _hand_over(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(self._thread.begin(work))
