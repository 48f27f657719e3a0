"""Faust's consumer on Kafka: the embedded one's deliveries, with partitions that a group shares out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from aiokafka import TopicPartition
from faust.types import TP

from streams.embedded.consumer import Consumer as LogConsumer
from streams.kafka.log import KafkaLog

logger = logging.getLogger(__name__)

STOP_SECONDS = 2.0


class Consumer(LogConsumer):
    """Deliver what the log's thread fetches. A position moves only once its record is in a stream's queue."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._have_joined = asyncio.Event()

    @property
    def log_store(self) -> KafkaLog:  # type: ignore[override]
        """Return the log."""
        return cast(KafkaLog, cast(Any, self.transport).log_store)

    # assignment ------------------------------------------------------------------------------------------------------

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group with topics; what it gives comes later, in calls of its own."""
        self._topics = set(topics)
        if not self._topics:
            self.add_future(self._nothing_to_read())
            return
        loop = asyncio.get_running_loop()

        def refused(why: Exception) -> None:
            loop.call_soon_threadsafe(self._refused, why)

        self.log_store.membership.refused = refused
        await self.log_store.join(sorted(self._topics), self.app.assignor, self._given_up, self._given)

    def _refused(self, why: Exception) -> None:
        self.add_future(self.app.crash(why))

    async def rebalance(self) -> None:
        """Give all partitions back, join anew and wait for what the group gives."""
        self._have_joined.clear()
        await self.subscribe(self._topics)
        await self._have_joined.wait()

    async def _nothing_to_read(self) -> None:
        async with self._rebalancing:
            self.app.on_rebalance_start()
            await self.on_partitions_revoked(set())
            await self.on_partitions_assigned(set(), 0)

    def _tp(self, place: TopicPartition) -> TP:
        return TP(self.log_store.address.ours(place.topic) or place.topic, place.partition)

    async def _given_up(self, places: Sequence[TopicPartition]) -> None:
        begun = time.monotonic()
        async with self._rebalancing:
            await self._faust_at_rest()
            self.app.on_rebalance_start()
            await self.on_partitions_revoked({self._tp(place) for place in places} & self._assigned)
            self._assigned = set()
        logger.info("gave %d partitions up in %.2f s", len(places), time.monotonic() - begun)

    async def _given(self, places: Sequence[TopicPartition], generation: int) -> None:
        begun = time.monotonic()
        async with self._rebalancing:
            log = self.log_store
            if generation != log.membership.generation or self.should_stop:
                return
            tps = {self._tp(place) for place in places}
            self._assigned, self._generation = tps, generation
            self.app.consumer_generation_id = generation
            silent = getattr(self.app, "silent_topics", ())
            sources = [tp for tp in tps if not self._is_changelog_tp(tp)]
            await log.take_over(sorted(tps), [tp for tp in sources if tp.topic not in silent], generation)
            if generation != log.membership.generation:
                return
            await self._pin(tps)
            owned = time.monotonic() - begun
            await self.on_partitions_assigned(set(tps), generation)
            self._have_joined.set()
        took = time.monotonic() - begun
        logger.info("has %d partitions, generation %d, after %.2f s (owned %.2f)", len(tps), generation, took, owned)

    async def _faust_at_rest(self) -> None:
        """Wait for Faust's recovery of the last rebalance, which would resume the flow amid this one."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                while self.app.rebalancing:  # noqa: ASYNC110 (a plain attribute of Faust's)
                    await asyncio.sleep(0.002)
        except TimeoutError:
            self.log.warning("a rebalance begins while the last is under way")

    async def _pin(self, tps: Iterable[TP]) -> None:
        log, group = self.log_store, self.app.conf.id
        fresh = [tp for tp in tps if log.known(*tp) is None and not self._is_changelog_tp(tp)]
        if fresh:
            latest = self.app.conf.consumer_auto_offset_reset == "latest"
            found = await (log.ends(fresh) if latest else log.starts(fresh))
            await log.produce([], commits=[(group, *tp, found[tp]) for tp in fresh])

    # positions -------------------------------------------------------------------------------------------------------

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the committed offsets (a changelog: to where it is)."""
        log = self.log_store
        sources = [tp for tp in self._assigned if log.known(*tp) is not None]
        starts = await log.starts(sources)
        found = {}
        for tp in sources:
            committed = log.known(*tp) or 0
            if committed < starts[tp]:
                self.log.warning("%s: offsets %d to %d are gone by retention", tp, committed, starts[tp] - 1)
            found[tp] = max(committed, starts[tp])
            await self._seek(tp, found[tp])
        return found

    async def _seek(self, partition: TP, offset: int) -> None:
        self.log_store.follow(*partition, offset)
        await super()._seek(partition, offset)

    def rewind(self, tp: TP, offset: int, epoch: int) -> None:
        """Deliver from `offset` again, one record at a time until one is handled."""
        if self.is_current(tp, epoch):
            self.log_store.follow(*tp, offset)
            super().rewind(tp, offset, epoch)

    async def seek_to_beginning(self, *partitions: TP) -> None:
        """Go to the oldest offsets stored."""
        await self.seek_wait(await self.earliest_offsets(*partitions))

    def highwater(self, tp: TP) -> int:
        """Return a partition's end, as it was last fetched."""
        return self.log_store.seen_end(*tp)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return partitions' ends; of changelogs, where transactions end, the offset after the last record."""
        log = self.log_store
        found = {TP(*place): offset for place, offset in (await log.ends(list(partitions))).items()}
        for tp in filter(self._is_changelog_tp, partitions):
            found[tp] = await log.after_last(*tp)
        return found

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return the oldest offsets stored."""
        found = await self.log_store.starts(list(partitions))
        return {TP(*place): offset for place, offset in found.items()}
