"""The Faust application without what we do not use: no web server, no leader topic, no waiting at start."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, cast

import faust
from faust.app.base import BootStrategy
from faust.sensors.monitor import Monitor
from faust.tables.manager import TableManager
from faust.types import TP
from mode import Service

from streams.batches import Batch, BatchConductor, BatchStream, Output
from streams.embedded.store import Log, LogWriteError, TopicSpec

__all__ = ["Batch", "LeanApp", "TopicSpec", "create_app"]

logger = logging.getLogger(__name__)

STOP_SECONDS = 4.0
FIRST_PAUSE = 0.1
LAST_PAUSE = 2.0
"""Seconds between attempts: less than a person's order waits for its answer, once a database is back."""
KAFKA = "kafka://"
QUIET = 60.0
"""Seconds between two lines in the log about turns of a timer that are lost."""

BatchHandler = Callable[[Batch], Awaitable[None]]
PartitionsHook = Callable[[list[tuple[str, int]]], "Awaitable[None] | None"]


class LeanBoot(BootStrategy):
    """Start the producer, the consumer, agents, the conductor and tables; no leader, replies or web server."""

    enable_web = False

    def kafka_consumer(self) -> Iterable[Any]:
        """Return the consumer alone."""
        return [self.app.consumer]


class LeanTables(TableManager):
    """Start at once; Faust waits a second."""

    async def on_start(self) -> None:
        """Declare changelogs and start recovery."""
        await self._update_channels()
        await self.recovery.start()


class LeanMonitor(Monitor):
    """Measure nothing per message; the product has figures of its own."""

    @Service.task
    async def _sampler(self) -> None:
        return

    def on_message_in(self, *_: Any) -> None:
        """Do nothing."""

    def on_message_out(self, *_: Any) -> None:
        """Do nothing."""

    def on_stream_event_in(self, *_: Any) -> dict[str, Any]:
        """Do nothing."""
        return {}

    def on_stream_event_out(self, *_: Any) -> None:
        """Do nothing."""

    def on_send_initiated(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def on_send_completed(self, *_: Any) -> None:
        """Do nothing."""

    def on_send_error(self, *_: Any) -> None:
        """Do nothing."""

    def on_commit_initiated(self, *_: Any) -> None:
        """Do nothing."""

    def on_commit_completed(self, *_: Any) -> None:
        """Do nothing."""

    def track_tp_end_offset(self, *_: Any) -> None:
        """Do nothing."""

    def on_tp_commit(self, *_: Any) -> None:
        """Do nothing."""


class LeanApp(faust.App):
    """A Faust app with batch agents. `log_topics` says what the log holds."""

    BootStrategy = LeanBoot

    def __init__(self, name: str, *, topics: Mapping[str, TopicSpec], log_options: Mapping[str, Any], **options: Any):
        self.log_topics = dict(topics)
        self.log_options = dict(log_options)
        self.batch_topics: set[str] = set()
        self.silent_topics: set[str] = set()
        self._assigned_hooks: list[PartitionsHook] = []
        self._revoked_hooks: list[PartitionsHook] = []
        self._given: list[tuple[str, int]] = []
        self._handling = 0
        self._resting = asyncio.Event()
        super().__init__(name, **options)
        self.on_partitions_revoked.connect(cast(Any, self._call_revoked), weak=False)

    # what agents use -------------------------------------------------------------------------------------------------

    @property
    def log_store(self) -> Log:
        """Return the embedded log, once the app has started: for reading snapshots and catching up."""
        return cast(Log, cast(Any, self.producer).log_store)

    async def produce(self, topic: str, partition: int, key: bytes | None, value: bytes) -> int:
        """Write one record and return its offset once durable. Raise `LogWriteError`."""
        (offset,) = await cast(Any, self.producer).write([(topic, partition, key, value)])
        return cast(int, offset)

    async def produce_many(self, records: Sequence[Output]) -> list[int]:
        """Write records and return their offsets once durable, in one transaction. Raise `LogWriteError`."""
        return cast("list[int]", await cast(Any, self.producer).write(records))

    def batch_agent(self, topic: str, *, silent: bool = False) -> Callable[[BatchHandler], BatchHandler]:
        """Declare the Faust agent of a topic: called with a `Batch` at a time, all partitions in turn.

        A `silent` one never gives `done` outputs: there is less to take over when it gets a partition.

        When it raises, nothing is committed: after a pause the same records come again, one at a time
        (`batch.attempt` counts), so that the agent can put a bad one aside and call `done`.
        """
        if topic in self.batch_topics:
            raise ValueError(f"topic {topic!r} has its batch agent already")
        self.batch_topics.add(topic)
        if silent:
            self.silent_topics.add(topic)

        def declare(handle: BatchHandler) -> BatchHandler:
            channel = self.topic(topic, key_serializer="raw", value_serializer="raw", value_type=bytes, key_type=bytes)

            async def actor(stream: BatchStream) -> None:
                async for batch in stream.batches():
                    await self._handle(handle, batch)

            name = getattr(handle, "__name__", topic)
            self.agent(channel, name=name)(cast(Any, actor))
            return handle

        return declare

    def on_assigned(self, hook: PartitionsHook) -> PartitionsHook:
        """Call `hook` with the partitions [(topic, number)] now held, before anything of them is delivered."""
        self._assigned_hooks.append(hook)
        return hook

    def on_revoked(self, hook: PartitionsHook) -> PartitionsHook:
        """Call `hook` with the partitions given up, after the last batch of them was handled; also at stop."""
        self._revoked_hooks.append(hook)
        return hook

    def timer(self, interval: float, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        """Call a coroutine every `interval` seconds; a log that cannot be written costs a turn, not the application."""
        declare = cast(Any, super().timer)(interval, *args, **options)

        def wrap(call: Callable[[], Awaitable[None]]) -> Any:
            quiet_until = 0.0

            @wraps(call)
            async def turn() -> None:
                nonlocal quiet_until
                try:
                    await call()
                except LogWriteError as error:
                    if time.monotonic() >= quiet_until:
                        quiet_until = time.monotonic() + QUIET
                        logger.warning("a timer's turn was lost: %s", error)

            return declare(turn)

        return wrap

    async def failure(self) -> BaseException | None:
        """Wait until the application has crashed and return why; for the process to end on."""
        await self._crashed.wait()
        return self.crash_reason

    # inside ----------------------------------------------------------------------------------------------------------

    async def _handle(self, handle: BatchHandler, batch: Batch) -> None:
        consumer, tp = cast(Any, self.consumer), TP(batch.topic, batch.partition)
        self._handling += 1
        try:
            await handle(batch)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception(
                "handling %s partition %d at offset %d failed (attempt %d)",
                batch.topic,
                batch.partition,
                batch.start,
                batch.attempt + 1,
            )
            await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(batch.attempt, 10), LAST_PAUSE))
            consumer.rewind(tp, batch.start, batch.epoch)
        else:
            if batch.attempt:
                consumer.handled(tp)
        finally:
            self._handling -= 1
            if not self._handling:
                self._resting.set()

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Call the hooks before Faust's own work, during which deliveries begin (its signal comes too late)."""
        if not self.should_stop:
            self._given = sorted((tp.topic, tp.partition) for tp in assigned)
            try:
                for hook in self._assigned_hooks:
                    await _call(hook, self._given)
            except Exception as error:
                await self.crash(error)
                return
        await super()._on_partitions_assigned(assigned, generation_id)

    def on_rebalance_return(self) -> None:
        """Tell sensors, unless the rebalance has ended already (a cluster of one is that fast)."""
        if self._rebalancing_sensor_state:
            super().on_rebalance_return()

    async def _call_revoked(self, _: Any = None, revoked: set[TP] | None = None, **__: Any) -> None:
        given, self._given = self._given, []
        if self._handling:
            self._resting.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS / 4):
                    await self._resting.wait()
        if given:
            for hook in self._revoked_hooks:
                await _call(hook, given)

    async def maybe_start_producer(self) -> Any:
        """Return the producer; the app has started it."""
        producer = self.producer
        if not producer.started:
            await producer.maybe_start()
        return producer

    def _new_transport(self) -> Any:
        if not str(self.conf.broker_consumer[0]).startswith(KAFKA):
            return super()._new_transport()
        from streams.kafka.transport import Transport  # not needed, and long to load, for the embedded log

        return Transport(self.conf.broker_consumer, self)

    def _new_conductor(self) -> Any:
        return BatchConductor(app=self, beacon=cast(Any, None))

    def _create_directories(self) -> None:
        """Create no folders: nothing of ours is kept in them."""

    async def on_stop(self) -> None:
        """Stop reading, let the revoked hooks write their last, then stop as Faust does."""
        if self._consumer is not None and self._given:
            self.consumer.stop_flow()
            self.flow_control.suspend()
            self.flow_control.clear()
            cast(Any, self.agents).cancel()
            try:
                async with asyncio.timeout(STOP_SECONDS / 2):
                    await self._call_revoked()
            except Exception:
                logger.exception("a hook failed while the application was stopping")
        await super().on_stop()

    async def stop(self) -> None:
        """Stop within a hard limit."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.shield(asyncio.ensure_future(super().stop()))
        except TimeoutError:
            logger.error(
                "the application did not stop within %g s; what is not committed will be delivered again", STOP_SECONDS
            )


async def _call(hook: PartitionsHook, partitions: list[tuple[str, int]]) -> None:
    answer = hook(list(partitions))
    if inspect.isawaitable(answer):
        await answer


def create_app(
    name: str,
    *,
    broker_url: str,
    topics: Mapping[str, TopicSpec],
    log_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> LeanApp:
    """Create an app on `broker_url` (`sqlite:////absolute/path/log.sqlite`, `kafka://host:port`) with what it needs.

    `log_options` go to `Log` (`synchronous`, `max_bytes`, …) or to `KafkaLog` (`security`, `session_seconds`,
    `instance`), `options` to Faust's settings.
    """
    settings: dict[str, Any] = {
        "broker": broker_url,
        "store": "memory://",
        "web_enabled": False,
        "topic_disable_leader": True,
        "stream_buffer_maxsize": 128,
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "table_standby_replicas": 0,
        "Stream": BatchStream,
        "TableManager": LeanTables,
        "Monitor": LeanMonitor,
        **options,
    }
    return LeanApp(name, topics=topics, log_options=log_options or {}, **settings)
