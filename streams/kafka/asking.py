"""Reading from any thread what the clients' own thread fetches."""

from __future__ import annotations

from streams.embedded.reader import READ_BYTES
from streams.embedded.schema import Entry
from streams.kafka.reads import READ_SECONDS, Reads
from streams.kafka.thread import LoopThread

PATIENCE = READ_SECONDS + 5.0


class Asking:
    """Ask `Reads` in its thread, and wait for the answer. Raise `LogUnavailableError` when none comes in time."""

    _thread: LoopThread
    _reads: Reads

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset still stored, or the end if there is none."""
        return self._thread.ask(self._reads.starts([(topic, partition)]), PATIENCE)[topic, partition]

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last that is committed."""
        return self._thread.ask(self._reads.ends([(topic, partition)]), PATIENCE)[topic, partition]

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group of consumers will read, or None."""
        return self._thread.ask(self._reads.committed(group), PATIENCE).get((topic, partition))

    def read(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry]:
        """Read records of offsets start ≤ o < stop in order: at most `limit`, about `max_bytes`, and at least one."""
        return self._thread.ask(self._reads.read(topic, partition, start, stop, limit, max_bytes), PATIENCE)
