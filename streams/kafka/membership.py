"""Being a member of a group of workers: who has which partitions, and fetching ours."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError, IllegalStateError, InvalidSessionTimeoutError, KafkaError

from streams.embedded.schema import Entry, LogClosedError, LogError
from streams.kafka.tail import Tail

logger = logging.getLogger(__name__)

HEARTBEATS = 4
"""Heartbeats in a session, at least: three may be lost."""

HEARTBEAT = 0.5
"""Seconds between two heartbeats, at most: by them the others learn that partitions move."""

FETCH_RECORDS = 2000
FETCH_BYTES = 4 * 1024 * 1024
FETCH_SECONDS = 0.5
FULL_SECONDS = 0.02  # between two looks while a partition waits to be taken from
REBALANCE_SECONDS = 30.0

Revoked = Callable[[Sequence[TopicPartition]], Awaitable[None]]
Assigned = Callable[[Sequence[TopicPartition], int], Awaitable[None]]


class Membership:
    """Hold one group consumer. All coroutines belong to the thread that owns the clients.

    A session is how long a dead worker's partitions wait for another. `instance` names a worker for good: after a
    restart within the session it has its partitions again at once. One that `leaves` when it stops in order gives them
    to the others at once, named or not.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        group: str,
        session_seconds: float,
        instance: str,
        contiguous: Callable[[str], bool],
        leaves: bool = False,
    ) -> None:
        self._options, self._group, self._session, self._instance = dict(options), group, session_seconds, instance
        self._contiguous, self._leaves = contiguous, leaves
        self.client = instance or f"foreshock-{os.getpid()}"
        self._consumer: Any = None
        self._tails: dict[TopicPartition, Tail] = {}
        self._pump: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._calls: set[asyncio.Task[Any]] = set()
        self.woken: Callable[[], None] = lambda: None
        self.generation = 0
        self.gaps = 0
        self.refused: Callable[[LogError], None] = lambda _: None  # is told why nothing comes for us any more

    async def join(
        self,
        topics: Sequence[str],
        assignor: Any,
        loop: asyncio.AbstractEventLoop,
        revoked: Revoked,
        assigned: Assigned,
    ) -> None:
        """Join with topics (the cluster's names), or change them."""
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(
                **self._options,
                group_id=self._group,
                client_id=self.client,
                group_instance_id=self._instance or None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                partition_assignment_strategy=[assignor],
                session_timeout_ms=int(self._session * 1000),
                heartbeat_interval_ms=int(min(HEARTBEAT, self._session / HEARTBEATS) * 1000),
                rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
                max_poll_interval_ms=2**31 - 1,  # the parent looks after a worker that hangs
                fetch_max_wait_ms=int(FETCH_SECONDS * 1000),
                max_partition_fetch_bytes=FETCH_BYTES,
            )
            await self._consumer.start()
            self._pump = asyncio.create_task(self._fetch())
            self._pump.add_done_callback(self._ended)
        self._consumer.subscribe(list(topics), listener=_Listener(self, loop, revoked, assigned))

    async def leave(self) -> None:
        """Leave the group, at once for the others unless this worker has a name for good and is to come back."""
        if self._pump is not None:
            self._pump.cancel()
        if self._consumer is not None:
            coordinator = self._consumer._coordinator
            if self._leaves and hasattr(coordinator, "_group_instance_id"):
                coordinator._group_instance_id = None  # a named member says no farewell else, and is waited for
            await self._consumer.stop()

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets without outputs. Raise `LogClosedError` when the group has moved on, or `KafkaError`."""
        if self._consumer is None:
            raise LogClosedError("this worker is in no group")
        try:
            await self._consumer.commit(dict(offsets))
        except (CommitFailedError, IllegalStateError) as error:
            raise LogClosedError(f"partitions were given up: {error}") from error

    def follow(self, tp: TopicPartition, position: int, loop: asyncio.AbstractEventLoop) -> None:
        """Fetch from an offset on; may be called from any thread."""
        tail = self._tails.get(tp)
        if tail is None:
            tail = self._tails[tp] = Tail(position, contiguous=self._contiguous(tp.topic))
        else:
            tail.reset(position)
        loop.call_soon_threadsafe(self._seek, tp, tail, position)

    def take(self, tp: TopicPartition, start: int, limit: int, max_bytes: int) -> list[Entry] | None:
        """Take what was fetched; None when another offset is followed. May be called from any thread."""
        tail = self._tails.get(tp)
        return None if tail is None else tail.take(start, limit, max_bytes)

    def highwater(self, tp: TopicPartition) -> int:
        """Return where a partition ended when it was last fetched, 0 if it never was."""
        try:
            return int(self._consumer.highwater(tp) or 0)
        except (AttributeError, AssertionError, IllegalStateError):
            return 0

    # inside ----------------------------------------------------------------------------------------------------------

    def _seek(self, tp: TopicPartition, tail: Tail, position: int) -> None:
        if self._tails.get(tp) is tail and tp in self._consumer.assignment():
            self._consumer.seek(tp, position)
            tail.found(position)
            self._changed.set()

    async def _fetch(self) -> None:
        """Fill the tails for good. An offset is only behind us once its record is in a tail."""
        while True:
            wanted = [tp for tp, tail in self._tails.items() if not tail.seeking and not tail.is_full]
            seconds = FETCH_SECONDS if len(wanted) == len(self._tails) else FULL_SECONDS
            try:
                if not wanted:
                    self._consumer._coordinator.check_errors()  # as `getmany` does
                    await self._change()
                    continue
                fetched = await self._consumer.getmany(
                    *wanted, timeout_ms=int(seconds * 1000), max_records=FETCH_RECORDS
                )
            except InvalidSessionTimeoutError as error:
                raise LogError(
                    f"Kafka takes no session of {self._session:g} s: set group.min.session.timeout.ms on its "
                    "brokers to that, or FORESHOCK_KAFKA_SESSION_SECONDS to 6 or more"
                ) from error
            except (KafkaError, IllegalStateError) as error:
                logger.warning("fetching is tried again: %r", error)
                await asyncio.sleep(0.2)
                continue
            for tp, records in fetched.items():
                self._take_in(tp, [(one.offset, one.key, one.value or b"") for one in records])
            if fetched:
                self.woken()

    def _ended(self, pump: asyncio.Task[None]) -> None:
        """Say that nothing is fetched any more, whatever ended it: a worker without readings must not seem to live."""
        if not pump.cancelled() and (error := pump.exception()) is not None:
            self.refused(
                error if isinstance(error, LogError) else LogError(f"fetching from Kafka broke off: {error!r}")
            )

    async def _change(self) -> None:
        """Wait until there may be something to fetch, for a short time."""
        self._changed.clear()
        try:
            async with asyncio.timeout(FULL_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _take_in(self, tp: TopicPartition, entries: list[Entry]) -> None:
        tail = self._tails.get(tp)
        if tail is None or tail.extend(entries):
            return
        self.gaps += 1
        logger.warning("%s partition %d: fetched %d, wanted %d: it is read again", *tp, entries[0][0], tail.next)
        self._seek(tp, tail, tail.next)

    async def revoked(self, tps: Sequence[TopicPartition], loop: asyncio.AbstractEventLoop, call: Revoked) -> None:
        """Stop fetching, and let the application end its work, within what the group waits for."""
        self._tails.clear()
        ended = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_plainly(call(tps)), loop))
        await asyncio.wait([ended], timeout=self._session / 2)

    def assigned(self, tps: Sequence[TopicPartition], loop: asyncio.AbstractEventLoop, call: Assigned) -> None:
        """Tell the application; it says from where to fetch."""
        self._tails.clear()
        self.generation = self._consumer._coordinator.generation
        asyncio.run_coroutine_threadsafe(_plainly(call(tps, self.generation)), loop)


async def _plainly(call: Awaitable[None]) -> None:
    try:
        await call
    except Exception:
        logger.exception("the application failed at a rebalance")


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(
        self, membership: Membership, loop: asyncio.AbstractEventLoop, revoked: Revoked, assigned: Assigned
    ) -> None:
        self._membership, self._loop, self._revoked, self._assigned = membership, loop, revoked, assigned

    async def on_partitions_revoked(self, revoked: Any) -> None:
        await self._membership.revoked(sorted(revoked), self._loop, self._revoked)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        self._membership.assigned(sorted(assigned), self._loop, self._assigned)
