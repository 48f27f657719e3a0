"""The embedded log: topics of partitions of records in one SQLite file, written by one thread, read by many."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Self

from streams.embedded import settled
from streams.embedded.appending import Appending, Callback
from streams.embedded.checkpoint import Checkpointer
from streams.embedded.filelock import FileLock
from streams.embedded.opening import PAGE_SIZE, connect, load_committed, load_spans, verify
from streams.embedded.reader import READ_BYTES, LogReader
from streams.embedded.schema import (
    MAX_RECORD_BYTES,
    Commit,
    Entry,
    LogClosedError,
    LogError,
    LogWriteError,
    Record,
    TopicSpec,
)
from streams.embedded.span import Span
from streams.embedded.upkeep import Upkeep
from streams.embedded.writer import Request, Writer

logger = logging.getLogger(__name__)

__all__ = ["Commit", "Entry", "Log", "LogError", "LogReader", "LogWriteError", "Record", "TopicSpec"]

TAIL_BYTES = 64 * 1024 * 1024  # newest records kept in memory, all partitions together


class Log(Appending):
    """Own a log file. One per file and machine; every method may be called from any thread.

    `synchronous` is NORMAL (survives any killed process; power loss may cost the last moments) or FULL (survives
    power loss). `max_bytes` caps the file. Raise `LogLockedError` if another process has it, `LogMovedError` if its
    site was moved elsewhere, `LogCorruptError` if the file is damaged.
    """

    def __init__(
        self,
        path: Path | str,
        topics: Mapping[str, TopicSpec] | None = None,
        *,
        synchronous: str = "NORMAL",
        max_bytes: int | None = None,
        tail_bytes: int = TAIL_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if synchronous not in ("NORMAL", "FULL"):
            raise LogError(f"synchronous must be NORMAL or FULL, not {synchronous!r}")
        self.path = Path(path)
        self._topics = dict(topics or {})
        self._subscribers: list[Callable[[list[tuple[str, int]]], None]] = []
        self._closed = False
        self._lock = FileLock(self.path)
        try:
            settled.require(self.path)
            self._connection = connect(self.path, synchronous, max_bytes)
            verify(self._connection, self.path)
            named = self._connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
            self.identity = str(named[0])  # of this log and no other: offsets of another begin anew
            spans = load_spans(self._connection, self.path, self._topics, tail_bytes)
            self._spans = spans
            self._committed, self._slots = load_committed(self._connection)
            self._reader = LogReader(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._tail_bytes = tail_bytes
        self._checkpointer = Checkpointer(self.path, PAGE_SIZE)
        self._checkpointer.start()
        self._writer = Writer(
            self._connection,
            spans,
            committed=self._committed,
            slots=self._slots,
            on_written=self._written,
            chore=Upkeep(spans, self._committed, clock),
            checkpointer=self._checkpointer,
            clock=clock,
        )
        self._writer.start()

    @staticmethod
    def open_readonly(path: Path | str) -> LogReader:
        """Open a log for reading only, from any process, whether or not its owner is running."""
        return LogReader(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, timeout: float = 4.0) -> None:
        """Write what was handed over, put the file in order and let go of it; within about `timeout` seconds."""
        if self._closed:
            return
        self._closed = True
        finished = self._writer.finish(timeout)
        self._checkpointer.finish(timeout)
        if finished:
            with suppress(sqlite3.Error):  # the next opening recovers from the write-ahead log
                if self._writer.failed is None:
                    self._put_in_order()
            self._reader.close()
            self._connection.close()
        self._lock.release()

    @property
    def failed(self) -> Exception | None:
        """The unforeseen error that ended the writing, if there was one: the log takes no more records."""
        return self._writer.failed

    def _put_in_order(self) -> None:
        """Save where partitions end, mark the file clean and empty the write-ahead log."""
        for span in self._spans.values():
            Upkeep.save(self._connection, span)
        self._connection.execute("UPDATE meta SET value = 'yes' WHERE name = 'clean'")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # writing ---------------------------------------------------------------------------------------------------------

    def append(
        self, records: Sequence[Record], callback: Callback | None = None, *, commits: Sequence[Commit] = ()
    ) -> None:
        """Hand records over and return at once; they and `commits` are written in one transaction or not at all.

        `callback(offsets, error)` runs in the writer thread once they are durable or have failed (`LogWriteError`).
        Raise `LogWriteError` at once for a record that could never be written.
        """
        self.check(records)
        self._writer.submit(Request(records, commits, callback))

    def check(self, records: Sequence[Record]) -> None:
        """Raise `LogWriteError` if a record could never be written: no such partition, or too large."""
        for topic, number, key, value in records:
            if (topic, number) not in self._spans:
                raise LogWriteError(f"there is no partition {number} of topic {topic!r} in this log")
            if len(value) > MAX_RECORD_BYTES or (key is not None and len(key) > MAX_RECORD_BYTES):
                raise LogWriteError(
                    f"a record of topic {topic!r} has {len(value)} bytes; {MAX_RECORD_BYTES} are allowed"
                )

    def write(self, records: Sequence[Record], *, commits: Sequence[Commit] = (), timeout: float = 30.0) -> list[int]:
        """Write as `produce` does, waiting in this thread."""
        return self._await(Request(records, commits, None), timeout)

    def create_topic(self, name: str, spec: TopicSpec) -> None:
        """Add a topic, or partitions to one; do nothing if it is there."""
        if all((name, number) in self._spans for number in range(spec.partitions)):
            return
        topics = {**self._topics, name: spec}

        def add(connection: sqlite3.Connection) -> None:
            fresh = load_spans(connection, self.path, {name: spec}, self._tail_bytes)
            for key, span in fresh.items():
                self._spans.setdefault(key, span)

        self._await(Request((), (), None, add), 30.0)
        self._topics = topics

    def set_max_bytes(self, max_bytes: int) -> None:
        """Change how large the file may grow."""
        pages = max(16, max_bytes // PAGE_SIZE)
        self._await(
            Request((), (), None, lambda connection: connection.execute(f"PRAGMA max_page_count={pages}")), 30.0
        )

    def forget(self, group: str) -> None:
        """Drop a group's committed offsets, so that retention no longer waits for it."""

        def drop(connection: sqlite3.Connection) -> None:
            for place in [place for place in self._slots if place[0] == group]:
                connection.execute("DELETE FROM record WHERE id = ?", (self._slots.pop(place),))
                self._committed.pop(place, None)

        self._await(Request((), (), None, drop), 30.0)

    def _await(self, request: Request, timeout: float) -> list[int]:
        done = Event()
        request.callback = lambda offsets, error: done.set()
        self._writer.submit(request)
        if not done.wait(timeout):
            raise LogWriteError(f"the log did not answer within {timeout:g} s")
        if request.error is not None:
            raise request.error
        return request.offsets or []

    # reading ---------------------------------------------------------------------------------------------------------

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        counts: dict[str, int] = {}
        for topic, _ in list(self._spans):
            counts[topic] = counts.get(topic, 0) + 1
        return counts

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset still stored, or the end if there is none."""
        return self._span(topic, partition).first

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        return self._span(topic, partition).next

    def seen_end(self, topic: str, partition: int) -> int:
        """Return the end, which this process knows of itself."""
        return self.end(topic, partition)

    def size(self, topic: str, partition: int) -> int:
        """Count the bytes of keys and values stored."""
        return self._span(topic, partition).bytes

    def is_compacted(self, topic: str) -> bool:
        """Say whether a topic keeps only the newest record of each key."""
        return self._span(topic, 0).spec.compact

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group of consumers will read, or None if it never committed."""
        return self._committed.get((group, topic, partition))

    def read(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry]:
        """Read records of offsets start ≤ o < stop in order: at most `limit`, about `max_bytes`, and at least one.

        From memory when they are recent, else from disk: on an event loop use `read_recent` first.
        """
        found = self.read_recent(topic, partition, start, stop, limit, max_bytes)
        return self.read_stored(topic, partition, start, stop, limit, max_bytes) if found is None else found

    def read_recent(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry] | None:
        """Read from memory only; None if `start` is not there (any more)."""
        return self._span(topic, partition).from_tail(start, stop, limit, max_bytes)

    def read_stored(
        self,
        topic: str,
        partition: int,
        start: int,
        stop: int | None = None,
        limit: int = 1000,
        max_bytes: int = READ_BYTES,
    ) -> list[Entry]:
        """Read from the file."""
        if self._closed:
            raise LogClosedError("the log is closed")
        return self._reader.read_rows(self._span(topic, partition).id, start, stop, limit, max_bytes)

    def subscribe(self, callback: Callable[[list[tuple[str, int]]], None]) -> Callable[[], None]:
        """Call `callback` with the partitions that grew after each commit (writer thread); return its undoing."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def figures(self) -> dict[str, int]:
        """Count transactions, failed transactions and the file's bytes since opening."""
        try:
            size = self.path.stat().st_size
        except OSError:
            size = 0
        return {"transactions": self._writer.transactions, "failures": self._writer.failures, "file_bytes": size}

    def _span(self, topic: str, partition: int) -> Span:
        span = self._spans.get((topic, partition))
        if span is None:
            raise LogError(f"there is no partition {partition} of topic {topic!r} in {self.path}")
        return span

    def _written(self, spans: list[Span]) -> None:
        grown = [(span.topic, span.number) for span in spans]
        for subscriber in list(self._subscribers):
            try:
                subscriber(grown)
            except Exception:  # its own fault; what is written is written
                logger.exception("a subscriber of the log failed")
