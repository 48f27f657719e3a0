"""Faust's consumer on the embedded log."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from faust.transport import consumer as base
from faust.types import TP, ConsumerMessage, Message, RecordMetadata
from mode import Service

from streams.embedded.chunks import Chunks
from streams.embedded.cluster import assign
from streams.embedded.completion import Completion
from streams.embedded.schema import Entry, LogClosedError, Record, TopicSpec

if TYPE_CHECKING:
    from streams.embedded.store import Log
    from streams.embedded.transport import Transport

CHUNK_RECORDS = 1000
CHUNK_BYTES = 4 * 1024 * 1024
CHUNKS_WAITING = 2  # a partition's chunks in a batch agent's queue
COMPLETING_BYTES = 32 * 1024 * 1024  # outputs not yet durable beyond which a partition is not read further
COMMIT_SECONDS = 0.02  # between commits of messages handled one by one
STOP_SECONDS = 2.0


class Consumer(base.Consumer):
    """Read the log for Faust: from memory when near the end, woken by the writer, never polling.

    Topics of batch agents (`app.batch_topics`) are delivered in chunks, all others message by message.
    """

    consumer_stopped_errors: ClassVar[tuple[type[BaseException], ...]] = (LogClosedError,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._assigned: set[TP] = set()
        self._positions: dict[TP, int] = {}
        self._chunks = Chunks(CHUNKS_WAITING)
        self._delivered: defaultdict[TP, deque[int]] = defaultdict(deque)
        self._held: defaultdict[TP, list[tuple[int, Record, asyncio.Future[RecordMetadata]]]] = defaultdict(list)
        self._completions: dict[TP, Completion] = {}
        self._more = asyncio.Event()
        self._undone = asyncio.Event()
        self._rebalancing = asyncio.Lock()
        self._topics: set[str] = set()
        self._generation = 0
        self._unsubscribe: Any = None

    @property
    def log_store(self) -> Log:
        """Return the log."""
        return cast("Transport", self.transport).log_store

    async def on_start(self) -> None:
        """Be woken by the log's writer."""
        loop = asyncio.get_running_loop()

        def grown(_: list[tuple[str, int]]) -> None:
            if not self._more.is_set():
                loop.call_soon_threadsafe(self._more.set)

        self._unsubscribe = self.log_store.subscribe(grown)

    async def on_stop(self) -> None:
        """Commit what is handled, within a hard limit, and let go."""
        await super().on_stop()
        await self._settle(self._assigned)
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    # assignment ------------------------------------------------------------------------------------------------------

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take over topics; the callbacks run in a task of their own, for Faust waits for this call meanwhile."""
        self._topics = set(topics)
        self.add_future(self.rebalance())

    async def rebalance(self) -> None:
        """Give all partitions back and take them again, as a cluster of one."""
        async with self._rebalancing:
            log, app = self.log_store, self.app
            loop = asyncio.get_running_loop()
            # Faust's recovery of the last rebalance may still run, and would resume the flow amid this one
            while app.rebalancing:  # noqa: ASYNC110 (a plain attribute of Faust's)
                await asyncio.sleep(0.002)
            app.on_rebalance_start()
            revoked = set(self._assigned)
            await self.on_partitions_revoked(revoked)
            for topic in self._topics - log.topics().keys():
                await loop.run_in_executor(None, log.create_topic, topic, TopicSpec(app.conf.topic_partitions))
            self._assigned = assign(app.assignor, log, self._topics)
            self._generation += 1
            app.consumer_generation_id = self._generation
            await self._pin(self._assigned)
            await self.on_partitions_assigned(set(self._assigned), self._generation)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is handled before Faust forgets the acknowledgements of revoked partitions."""
        if revoked and not self.should_stop:
            self.stop_flow()
            await self.commit()
        await super().on_partitions_revoked(revoked)
        await self._settle(revoked)
        for tp in revoked:
            for _, _, future in self._held.pop(tp, ()):
                future.cancel()
            self._delivered.pop(tp, None)
            self._chunks.void(tp)

    async def _settle(self, tps: Iterable[TP]) -> None:
        """Wait for transactions under way, then give the rest up."""
        leaving = [self._completions.pop(tp) for tp in list(tps) if tp in self._completions]
        if leaving:
            await asyncio.gather(*(completion.settled(STOP_SECONDS) for completion in leaving))
        for completion in leaving:
            completion.abandon()

    async def _pin(self, tps: Iterable[TP]) -> None:
        """Commit where a group begins when it first sees a partition, or what arrives meanwhile could be skipped."""
        log, group = self.log_store, self.app.conf.id
        latest = self.app.conf.consumer_auto_offset_reset == "latest"
        commits = [
            (group, *tp, log.end(*tp) if latest else log.start(*tp))
            for tp in tps
            if log.committed(group, *tp) is None and not self._is_changelog_tp(tp)
        ]
        if commits:
            await log.produce([], commits=commits)

    def assignment(self) -> set[TP]:
        """Return the partitions this consumer has."""
        return set(self._assigned)

    # positions -------------------------------------------------------------------------------------------------------

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the committed offsets (a changelog: to where it is)."""
        log, group = self.log_store, self.app.conf.id
        found = {}
        for tp in self._assigned:
            committed = log.committed(group, *tp)
            if committed is None:
                continue
            first = log.start(*tp)
            if committed < first:
                self.log.warning("%s: offsets %d to %d are gone by retention", tp, committed, first - 1)
            found[tp] = self._positions[tp] = max(committed, first)
            self._delivered[tp].clear()
            self._chunks.void(tp)
        self._more.set()
        return found

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to offsets."""
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._delivered[partition].clear()
        self._chunks.void(partition)
        self._more.set()

    async def position(self, tp: TP) -> int | None:
        """Return the next offset to read."""
        return self._positions.get(tp)

    async def seek_to_beginning(self, *partitions: TP) -> None:
        """Go to the oldest offsets stored."""
        await self.seek_wait({tp: self.log_store.start(*tp) for tp in partitions})

    def highwater(self, tp: TP) -> int:
        """Return a partition's end."""
        return self.log_store.end(*tp)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return partitions' ends."""
        return {tp: self.log_store.end(*tp) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return the oldest offsets stored."""
        return {tp: self.log_store.start(*tp) for tp in partitions}

    def topic_partitions(self, topic: str) -> int | None:
        """Count a topic's partitions."""
        return self.log_store.topics().get(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """Choose a key's partition."""
        if partition is not None or key is None:
            return partition
        return int(self.app.producer.key_partition(topic, key).partition)

    async def create_topic(self, topic: str, partitions: int, replication: int, **kwargs: Any) -> None:
        """Add a topic to the log."""
        await self.app.producer.create_topic(topic, partitions, replication, **kwargs)

    # reading ---------------------------------------------------------------------------------------------------------

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Read these again."""
        super().resume_partitions(tps)
        self._more.set()

    def resume_flow(self) -> None:
        """Read again."""
        super().resume_flow()
        self._more.set()

    def on_buffer_drop(self, tp: TP) -> None:
        """Read on, a stream's queue has room again."""
        super().on_buffer_drop(tp)
        self._more.set()

    async def _drain_messages(self, fetcher: Any) -> None:
        """Deliver until stopped. A position moves only once its record is in a stream's queue."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                self._more.clear()
                moved = False
                if self.flow_active and self.app.flow_control.is_active():
                    for tp in sorted(self._active_partitions & self._positions.keys()):
                        moved |= await self._advance(tp)
                if moved:
                    await asyncio.sleep(0)
                else:
                    await self._more.wait()
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _advance(self, tp: TP) -> bool:
        whole = tp.topic in self._batch_topics
        completion = self._completions.get(tp)
        if whole and (self._chunks.is_full(tp) or (completion is not None and completion.bytes > COMPLETING_BYTES)):
            return False
        log, position = self.log_store, self._positions[tp]
        limit = 1 if self._chunks.attempt(tp) else CHUNK_RECORDS if whole else 64
        entries = log.read_recent(*tp, position, None, limit, CHUNK_BYTES)
        if entries is None:
            epoch = self._chunks.epoch(tp)
            entries = await asyncio.get_running_loop().run_in_executor(
                None, log.read_stored, *tp, position, None, limit, CHUNK_BYTES
            )
            if epoch != self._chunks.epoch(tp) or not self._may_deliver(tp):
                return False
        if not entries:
            return False
        if whole:
            self._positions[tp] = entries[-1][0] + 1
            await self.callback(self._chunk(tp, entries))
            return True
        return await self._deliver_singly(tp, entries)

    async def _deliver_singly(self, tp: TP, entries: list[Entry]) -> bool:
        acks = self.app.topics.acks_enabled_for(tp.topic)
        epoch = self._chunks.epoch(tp)
        for entry in entries:
            if epoch != self._chunks.epoch(tp) or not self._may_deliver(tp):
                return False
            if any(channel.queue.full() for channel in cast(Any, self.app.topics)._tp_index[tp]):
                self._loop_soon(0.01)
                return False
            self._positions[tp] = entry[0] + 1
            if acks:
                self._delivered[tp].append(entry[0])
                self._undone.set()
            await self.callback(self._to_message(tp, entry))
        return True

    def _loop_soon(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._more.set)

    def _may_deliver(self, tp: TP) -> bool:
        return self.flow_active and self.app.flow_control.is_active() and tp in self._active_partitions

    @property
    def _batch_topics(self) -> Any:
        return getattr(self.app, "batch_topics", ())

    def _to_message(self, tp: TP, record: Entry) -> ConsumerMessage:
        offset, key, value = record
        deleted = not value and key is not None and self.log_store.is_compacted(tp.topic)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            time.time(),
            0,
            None,
            key,
            None if deleted else value,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _chunk(self, tp: TP, entries: list[Entry]) -> Message:
        chunk = (*self._chunks.given(tp), entries)
        generation = self.app.consumer_generation_id
        return Message(
            *tp, entries[0][0], time.time(), 0, None, None, cast(Any, chunk), None, tp=tp, generation_id=generation
        )

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        raise NotImplementedError("the embedded log is drained, not polled")

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    # chunks ----------------------------------------------------------------------------------------------------------

    def take_chunk(self, tp: TP, epoch: int) -> bool:
        """Note that a stream has taken a chunk; say whether it still counts."""
        if not self.is_current(tp, epoch):
            return False
        self._chunks.taken(tp)
        self._more.set()
        return True

    def is_current(self, tp: TP, epoch: int) -> bool:
        """Say whether what was delivered in `epoch` still counts: no rewind, rebalance or stop since."""
        return epoch == self._chunks.epoch(tp) and tp in self._assigned and self.flow_active

    def rewind(self, tp: TP, offset: int, epoch: int) -> None:
        """Deliver from `offset` again, one record at a time until one is handled (so that a bad one stands alone)."""
        if self.is_current(tp, epoch):
            self._positions[tp] = offset
            self._chunks.failed(tp)
            self._more.set()

    def handled(self, tp: TP) -> None:
        """Note that a chunk was handled without an error."""
        self._chunks.succeeded(tp)

    def complete(self, tp: TP, next_offset: int, outputs: Sequence[Record], epoch: int) -> asyncio.Future[list[int]]:
        """Write `outputs` and the offset in one transaction; the result is the outputs' offsets, once durable.

        Raise `LogClosedError` if the partition was given up or rewound since the delivery.
        """
        if epoch != self._chunks.epoch(tp):
            raise LogClosedError(f"{tp.topic} partition {tp.partition} was given up since; its records will come again")
        return self._completion(tp).add(next_offset, outputs)

    def _completion(self, tp: TP) -> Completion:
        completion = self._completions.get(tp)
        if completion is None:
            if tp not in self._assigned:
                raise LogClosedError(f"{tp} is no longer assigned here")
            completion = Completion(self.log_store, self.app.conf.id, *tp, self._on_completed)
            self._completions[tp] = completion
        return completion

    def _on_completed(self, topic: str, partition: int, offset: int) -> None:
        self._committed_offset[TP(topic, partition)] = offset
        self._more.set()

    # messages --------------------------------------------------------------------------------------------------------

    def hold(self, message: Message, record: Record, future: asyncio.Future[RecordMetadata]) -> bool:
        """Keep a record until the message that caused it is committed; say whether it was kept."""
        tp = message.tp
        if tp not in self._assigned or not self.app.topics.acks_enabled_for(tp.topic) or tp.topic in self._batch_topics:
            return False
        self.log_store.check([record])
        self._held[tp].append((message.offset, record, future))
        return True

    @Service.task
    async def _commit_acked(self) -> None:
        """Commit soon after messages are handled, for what they sent waits (Faust acks without a call here)."""
        while not self.should_stop:
            await self._undone.wait()
            await asyncio.sleep(COMMIT_SECONDS)
            await self.commit()
            if not any(self._delivered.values()):
                self._undone.clear()

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the last of the messages that were handled without a hole."""
        delivered, acked = self._delivered[tp], self._acked_index[tp]
        self._acked[tp].clear()
        last = None
        while delivered and delivered[0] in acked:
            last = delivered.popleft()
            acked.discard(last)
        return None if last is None else last + 1

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        await asyncio.gather(*(self._commit_one(tp, offset) for tp, offset in offsets.items()))
        return True

    async def _commit_one(self, tp: TP, offset: int) -> None:
        held = self._held[tp]
        ready = [item for item in held if item[0] < offset]
        self._held[tp] = [item for item in held if item[0] >= offset]
        written = await self._completion(tp).add(offset, [record for _, record, _ in ready])
        for (_, (topic, partition, _, _), future), place in zip(ready, written, strict=True):
            if not future.done():
                future.set_result(RecordMetadata(topic, partition, TP(topic, partition), place))

    async def wait_empty(self) -> None:
        """Wait until messages under way are handled, but no longer than a worker may take to stop."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await super().wait_empty()
        except TimeoutError:
            self.log.warning("messages under way are given up; they will be delivered again")
