"""The distributed log for reading only, from any thread of any process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Self

from aiokafka.errors import KafkaError

from streams.embedded.reader import BLOCK, READ_BYTES
from streams.embedded.schema import Entry, LogUnavailableError
from streams.kafka.address import Address
from streams.kafka.asking import PATIENCE, Asking
from streams.kafka.reads import Reads
from streams.kafka.thread import LoopThread


class KafkaReader(Asking):
    """Read topics as `LogReader` does. Raise `LogError` when the cluster cannot be reached or does not hold them."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._thread = LoopThread("kafka-reader")
        self._reads = self._thread.ask(self._begin(), PATIENCE)

    async def _begin(self) -> Reads:
        reads = Reads(self.address)
        try:
            await reads.start()
        except KafkaError as error:
            await reads.stop()
            raise LogUnavailableError(
                f"Kafka at {', '.join(self.address.servers)} cannot be reached: {error}"
            ) from error
        return reads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect."""
        if self._thread.alive:
            self._thread.ask(self._reads.stop(), PATIENCE)
            self._thread.close()

    @property
    def identity(self) -> str:
        """What this log is called and no other."""
        return self._reads.identity

    def read_timed(
        self, topic: str, partition: int, start: int, stop: int, limit: int = 1000
    ) -> list[tuple[int, float, bytes | None, bytes]]:
        """Read records as `read` does, with when each was written (unix s)."""
        work = self._reads.read_timed(topic, partition, start, stop, limit, READ_BYTES)
        return [(offset, time, key, value) for offset, key, value, time in self._thread.ask(work, PATIENCE)]

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        return self._thread.ask(self._reads.refresh(), PATIENCE)

    def newest_first(
        self, topic: str, partition: int, most: int, *, first: int = 0, stop: int | None = None
    ) -> Iterator[Entry]:
        """Yield the last `most` records of offsets first ≤ o < stop, the newest first."""
        end = self.end(topic, partition)
        stop = end if stop is None else min(stop, end)
        first = max(self.start(topic, partition), first)
        return itertools.islice(self._backwards(topic, partition, first, stop), most)

    def _backwards(self, topic: str, partition: int, first: int, stop: int) -> Iterator[Entry]:
        while stop > first:
            at = below = max(first, stop - BLOCK)
            block: list[Entry] = []
            while at < stop and (found := self.read(topic, partition, at, stop)):
                block += found
                at = found[-1][0] + 1
            yield from reversed(block)
            stop = below

    def keyed(self, topic: str, partition: int, start: int) -> Iterator[Entry]:
        """Yield the records from offset `start` on that have a key, in order."""
        at = start
        while found := self.read(topic, partition, at):
            yield from (entry for entry in found if entry[1] is not None)
            at = found[-1][0] + 1

    def offset_at(self, topic: str, partition: int, time: float) -> int:
        """Return the offset of the first record written at `time` (unix s) or later, or the end."""
        return self._thread.ask(self._reads.at_time(topic, partition, time), PATIENCE)

    def time_of(self, topic: str, partition: int, offset: int) -> float | None:
        """Return when a record was written (unix s), or None if it is not stored."""
        work = self._reads.read_timed(topic, partition, offset, offset + 1, 1, READ_BYTES)
        found = self._thread.ask(work, PATIENCE)
        return found[0][3] if found else None
