"""Filling a log's file from another log: records keep their offsets and times, so that all that names them holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from streams.embedded import settled
from streams.embedded.filelock import FileLock
from streams.embedded.opening import connect, load_committed, load_spans
from streams.embedded.reader import stored_end
from streams.embedded.schema import LogError, TopicSpec, committed_key, row_id, size_of
from streams.readable import Timed

CHECKPOINT_PAGES = 2000


class LogFilling:
    """Write records under given offsets into a log that nobody runs on; it is marked so.

    Raise `LogLockedError` where somebody does, `LogError` where records would lie out of order.
    """

    keeps_offsets = True
    """Offsets may have holes here: every record keeps its own."""

    def __init__(self, path: Path, topics: Mapping[str, TopicSpec]) -> None:
        self.path = path
        self._lock = FileLock(path)
        try:
            settled.mark(path, settled.ARRIVING, "")
            self._connection = connect(path, "FULL", None)
            self._connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            found = self._connection.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
            self.identity = str(found[0])
            self._ids = {place: span.id for place, span in load_spans(self._connection, path, topics, 1).items()}
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._lock.release()

    def start(self, topic: str, partition: int) -> int:
        """Return where a partition begins."""
        return int(self._row(topic, partition)[1])

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last record."""
        ident, _, end = self._row(topic, partition)
        return max(int(end), stored_end(self._connection, ident))

    def begin(self, topic: str, partition: int, offset: int, time: float) -> None:
        """Have a partition begin at an offset, unless it has records already. `time` is of no matter here."""
        ident, _, _ = self._row(topic, partition)
        if stored_end(self._connection, ident):
            return
        self._connection.execute("UPDATE partition SET first = ?, next = ? WHERE id = ?", (offset, offset, ident))

    def write(self, topic: str, partition: int, records: Sequence[Timed]) -> None:
        """Write records in one transaction. Raise `LogError` where the first does not come after the last."""
        if not records:
            return
        ident, _, _ = self._row(topic, partition)
        if records[0][0] < (end := self.end(topic, partition)):
            raise LogError(f"{topic} partition {partition}: offset {records[0][0]} is taken, it goes on at {end}")
        size = sum(size_of(key, value) for _, _, key, value in records)
        with self._transaction() as connection:
            connection.executemany(
                "INSERT INTO record (id, time, key, value) VALUES (?, ?, ?, ?)",
                ((row_id(ident, offset), time, key, value) for offset, time, key, value in records),
            )
            connection.execute(
                "UPDATE partition SET next = ?, bytes = bytes + ? WHERE id = ?", (records[-1][0] + 1, size, ident)
            )

    def replace(self, topic: str, partition: int, records: Sequence[Timed]) -> None:
        """Have a compacted partition hold these records and no others."""
        ident, _, _ = self._row(topic, partition)
        end = self.end(topic, partition)
        with self._transaction() as connection:
            connection.execute("DELETE FROM record WHERE id >= ? AND id < ?", (row_id(ident, 0), row_id(ident + 1, 0)))
            connection.execute("UPDATE partition SET first = ?, next = ?, bytes = 0 WHERE id = ?", (end, end, ident))
        self.write(topic, partition, [(end + place, *record[1:]) for place, record in enumerate(records)])

    def finish_at(self, topic: str, partition: int, end: int) -> None:
        """Have the next record of a partition get an offset, which may lie beyond the last record."""
        ident, _, _ = self._row(topic, partition)
        if end >= self.end(topic, partition):
            self._connection.execute("UPDATE partition SET next = ? WHERE id = ?", (end, ident))

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Note how far a group has come."""
        _, slots = load_committed(self._connection)
        with self._transaction() as connection:
            for (topic, partition), offset in offsets.items():
                place = (group, topic, partition)
                slots.setdefault(place, max(slots.values(), default=0) + 1)
                connection.execute(
                    "INSERT OR REPLACE INTO record (id, time, key, value) VALUES (?, 0, ?, ?)",
                    (slots[place], committed_key(*place), b"%d" % offset),
                )

    def settle(self) -> None:
        """Put the file in order; `streams.embedded.settled` lets it be run on."""
        self._connection.execute("UPDATE meta SET value = 'yes' WHERE name = 'clean'")
        with closing(self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")) as found:
            found.fetchone()

    def _row(self, topic: str, partition: int) -> tuple[int, int, int]:
        ident = self._ids.get((topic, partition))
        if ident is None:
            raise LogError(f"{self.path}: there is no partition {partition} of topic {topic!r}")
        found: tuple[int, int, int] = self._connection.execute(
            "SELECT id, first, next FROM partition WHERE id = ?", (ident,)
        ).fetchone()
        return found

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection)


class _Transaction:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
