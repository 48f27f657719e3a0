"""Reading the log from its file, in the owner's process or in any other while the owner writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Self
from urllib.parse import quote

from streams.embedded.schema import (
    MAX_OFFSET,
    OFFSET_BITS,
    Entry,
    LogCorruptError,
    LogError,
    committed_key,
    row_id,
    size_of,
)

READ_BYTES = 4 * 1024 * 1024
BLOCK = 500  # records that are read at a time when the newest come first


def stored_end(connection: sqlite3.Connection, ident: int) -> int:
    """Return the offset after the newest record stored, or 0."""
    (newest,) = connection.execute(
        "SELECT max(id) FROM record WHERE id >= ? AND id <= ?", (row_id(ident, 0), row_id(ident, MAX_OFFSET))
    ).fetchone()
    return 0 if newest is None else int(newest) - (ident << OFFSET_BITS) + 1


class LogReader:
    """Read a log file without changing it; any thread may call. Raise `LogError` if there is none.

    Works beside a running writer and on a log at rest.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise LogError(f"{self.path}: there is no log here")
        self._lock = Lock()
        self._connection = sqlite3.connect(
            f"file:{quote(str(self.path.absolute()))}?mode=ro",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            timeout=5.0,
        )
        self._ids: dict[tuple[str, int], int] = {}
        try:
            self._connection.execute("PRAGMA mmap_size=0")
            self._connection.execute("SELECT count(*) FROM partition").fetchone()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise LogCorruptError(f"{self.path} cannot be read as a log: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def topics(self) -> dict[str, int]:
        """Name the topics and their number of partitions."""
        with self._lock:
            rows = self._connection.execute("SELECT topic, count(*) FROM partition GROUP BY topic").fetchall()
        return dict(rows)

    def start(self, topic: str, partition: int) -> int:
        """Return the oldest offset still stored, or the end if there is none."""
        return self._bounds(topic, partition)[0]

    def end(self, topic: str, partition: int) -> int:
        """Return the offset that the next record will get."""
        return self._bounds(topic, partition)[1]

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that a group of consumers will read, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT value FROM record WHERE id < ? AND key = ?",
                (row_id(1, 0), committed_key(group, topic, partition)),
            ).fetchone()
        return None if row is None else int(row[0])

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
        return self.read_rows(self._id(topic, partition), start, stop, limit, max_bytes)

    def newest_first(
        self, topic: str, partition: int, most: int, *, first: int = 0, stop: int | None = None
    ) -> Iterator[Entry]:
        """Yield the last `most` records of offsets first ≤ o < stop, the newest first; no further back is read than is
        taken.
        """
        stop = self.end(topic, partition) if stop is None else min(stop, self.end(topic, partition))
        first = max(self.start(topic, partition), stop - most, first)
        while stop > first:
            at = below = max(first, stop - BLOCK)
            block: list[Entry] = []
            while at < stop and (
                found := self.read(topic, partition, at, stop)
            ):  # it may give fewer: they may be large
                block += found
                at = found[-1][0] + 1
            yield from reversed(block)
            stop = below

    def keyed(self, topic: str, partition: int, start: int) -> Iterator[Entry]:
        """Yield the records from offset `start` on that have a key, in order; the values of others are not read."""
        ident = self._id(topic, partition)
        at, stop = row_id(ident, max(0, start)), row_id(ident, MAX_OFFSET)
        while True:
            with self._lock:
                rows = self._connection.execute(
                    "SELECT id, key, value FROM record WHERE id >= ? AND id < ? AND key IS NOT NULL "
                    "ORDER BY id LIMIT ?",
                    (at, stop, BLOCK),
                ).fetchall()
            for number, key, value in rows:
                yield number - (ident << OFFSET_BITS), key, value
            if len(rows) < BLOCK:
                return
            at = rows[-1][0] + 1

    def offset_at(self, topic: str, partition: int, time: float) -> int:
        """Return the offset of the first record written at `time` (unix s) or later, or the end.

        Records must lie in order of time: of a topic that is not compacted.
        """
        low, high = self._bounds(topic, partition)
        while low < high:
            middle = (low + high) // 2
            at, written = self._next_time(topic, partition, middle)
            if written is None or at >= high:  # only ends of transactions of another log, which hold no record here
                high = middle
            elif written < time:
                low = at + 1
            else:
                high = middle
        return low

    def _next_time(self, topic: str, partition: int, offset: int) -> tuple[int, float | None]:
        """Return the offset of the first record at or after one, and when it was written; None where there is none."""
        with self._lock:
            ident = self._id_locked(topic, partition)
            row = self._connection.execute(
                "SELECT id, time FROM record WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1",
                (row_id(ident, offset), row_id(ident, MAX_OFFSET)),
            ).fetchone()
        return (offset, None) if row is None else (int(row[0]) - (ident << OFFSET_BITS), float(row[1]))

    def time_of(self, topic: str, partition: int, offset: int) -> float | None:
        """Return when a record was written (unix s), or None if it is not stored."""
        with self._lock:
            row = self._connection.execute(
                "SELECT time FROM record WHERE id = ?", (row_id(self._id_locked(topic, partition), offset),)
            ).fetchone()
        return None if row is None else float(row[0])

    @property
    def identity(self) -> str:
        """What this log is called and no other."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
        return "" if row is None else str(row[0])

    def read_timed(
        self, topic: str, partition: int, start: int, stop: int, limit: int = 1000, max_bytes: int = READ_BYTES
    ) -> list[tuple[int, float, bytes | None, bytes]]:
        """Read records as `read` does, with when each was written (unix s)."""
        found = self.read(topic, partition, start, stop, limit, max_bytes)
        if not found:
            return []
        ident = self._id(topic, partition)
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, time FROM record WHERE id >= ? AND id <= ?",
                (row_id(ident, found[0][0]), row_id(ident, found[-1][0])),
            ).fetchall()
        written = {number - (ident << OFFSET_BITS): float(time) for number, time in rows}
        # one that retention takes in between is not there for either
        return [(offset, written[offset], key, value) for offset, key, value in found if offset in written]

    def read_rows(self, ident: int, start: int, stop: int | None, limit: int, max_bytes: int) -> list[Entry]:
        """Read as `read` does, by partition id."""
        low = row_id(ident, max(0, start))
        high = row_id(ident, MAX_OFFSET if stop is None else max(0, min(stop, MAX_OFFSET)))
        found: list[Entry] = []
        size = 0
        with self._lock:
            cursor = self._connection.execute(
                "SELECT id, key, value FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (low, high, limit)
            )
            try:
                while rows := cursor.fetchmany(16):
                    for number, key, value in rows:
                        size += size_of(key, value)
                        if size > max_bytes and found:
                            return found
                        found.append((number - (ident << OFFSET_BITS), key, value))
            except sqlite3.DatabaseError as error:
                raise LogError(f"{self.path}: reading failed: {error}") from error
            finally:
                cursor.close()
        return found

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        with self._lock:
            row = self._connection.execute(
                "SELECT id, first, next FROM partition WHERE topic = ? AND number = ?", (topic, partition)
            ).fetchone()
            if row is None:
                raise LogError(f"{self.path}: there is no partition {partition} of topic {topic!r}")
            return int(row[1]), max(row[2], stored_end(self._connection, row[0]))

    def _id(self, topic: str, partition: int) -> int:
        with self._lock:
            return self._id_locked(topic, partition)

    def _id_locked(self, topic: str, partition: int) -> int:
        ident = self._ids.get((topic, partition))
        if ident is None:
            row = self._connection.execute(
                "SELECT id FROM partition WHERE topic = ? AND number = ?", (topic, partition)
            ).fetchone()
            if row is None:
                raise LogError(f"{self.path}: there is no partition {partition} of topic {topic!r}")
            ident = self._ids[topic, partition] = int(row[0])
        return ident
