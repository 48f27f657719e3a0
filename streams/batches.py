"""Batches for Faust agents: what has piled up in a partition arrives as one event and is done as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableSet, Sequence
from typing import Any, TypeAlias, cast

from faust.streams import Stream
from faust.transport.conductor import Conductor
from faust.types import TP, Message
from faust.types.transports import ConsumerCallback

Output: TypeAlias = "tuple[str, int, bytes | None, bytes]"


class Batch:
    """Hold consecutive records of one partition: `records` is a list of (offset, key, value).

    `attempt` is 0, or how often handling a batch that began here has failed; such a batch holds a single record.
    """

    __slots__ = ("_consumer", "attempt", "epoch", "partition", "records", "topic")

    def __init__(
        self,
        consumer: Any,
        topic: str,
        partition: int,
        records: Sequence[tuple[int, bytes | None, bytes]],
        attempt: int = 0,
        epoch: int = 0,
    ) -> None:
        self._consumer = consumer
        self.topic = topic
        self.partition = partition
        self.records = records
        self.attempt = attempt
        self.epoch = epoch

    @property
    def start(self) -> int:
        """Return the first offset."""
        return self.records[0][0]

    @property
    def end(self) -> int:
        """Return the offset after the last."""
        return self.records[-1][0] + 1

    def done(self, outputs: Sequence[Output] = ()) -> asyncio.Future[list[int]]:
        """Commit the partition up to the end of this batch together with `outputs`, in one transaction.

        Returns at once; await the result (the outputs' offsets) only to know when they are durable. Batches of a
        partition become durable in the order of their calls; a batch without a call is covered by the next one's.
        Raise `LogWriteError` for an output that could never be written, or if the partition was given up meanwhile.
        """
        tp = TP(self.topic, self.partition)
        return cast("asyncio.Future[list[int]]", self._consumer.complete(tp, self.end, outputs, self.epoch))


class BatchConductor(Conductor):
    """Hand chunks of batch topics to their channels whole, undecoded; all else as Faust does."""

    def _build_handler(self, tp: TP, channels: MutableSet[Any]) -> ConsumerCallback:
        if tp.topic not in cast(Any, self.app).batch_topics:
            return super()._build_handler(tp, channels)
        app = self.app

        async def on_chunk(message: Message) -> None:
            for channel in channels:
                channel.queue.force_put_nowait(app.create_event(None, cast(Any, message.value), {}, message))

        return on_chunk


class BatchStream(Stream[Any]):
    """A Faust stream that can also be read in batches."""

    async def batches(self) -> AsyncIterator[Batch]:
        """Yield what has piled up, a partition at a time, in offset order."""
        self._finalized = True
        started = await self.maybe_start()
        consumer, channel = cast(Any, self.app.consumer), cast(Any, self.channel)
        queue = channel.queue
        try:
            while not self.should_stop:
                events = [await queue.get()]
                while not queue.empty():
                    events.append(queue.get_nowait())
                for batch in self._joined(consumer, events):
                    if consumer.is_current(TP(batch.topic, batch.partition), batch.epoch):
                        self.events_total += 1
                        yield batch
        except StopAsyncIteration:  # how Faust tells an agent to end
            return
        finally:
            self._channel_stop_iteration(channel)
            if started:
                await self.stop()
                self.service_reset()

    def _joined(self, consumer: Any, events: list[Any]) -> list[Batch]:
        """Join consecutive chunks of a partition; leave out those that a rewind or a rebalance has made void."""
        batches: dict[TP, tuple[int, int, list[tuple[int, bytes | None, bytes]]]] = {}
        for event in events:
            tp = event.message.tp
            epoch, attempt, entries = event.value
            if consumer.take_chunk(tp, epoch):
                if tp in batches:
                    batches[tp][2].extend(entries)
                else:
                    batches[tp] = (epoch, attempt, list(entries))
        return [Batch(consumer, *tp, entries, attempt, epoch) for tp, (epoch, attempt, entries) in batches.items()]
