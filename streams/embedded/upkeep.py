"""Upkeep in small pieces: retention by age and size, compaction by key, forgetting of deletions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress

from streams.embedded.schema import OFFSET_BITS
from streams.embedded.span import Span

CHUNK = 256  # rows deleted in one transaction: some milliseconds


class Upkeep:
    """Delete what a log no longer has to keep; never the newest record of a partition, nor an unread one.

    Unread is what lies at or after the committed offset of any group that has committed in that partition.
    """

    def __init__(
        self,
        spans: Mapping[tuple[str, int], Span],
        committed: Mapping[tuple[str, str, int], int],
        clock: Callable[[], float],
    ) -> None:
        self._spans = spans
        self._committed = committed
        self._clock = clock

    def __call__(self, connection: sqlite3.Connection) -> bool:
        """Do one piece for every partition inside the caller's transaction; say whether there is more to do."""
        more = False
        for span in list(self._spans.values()):
            if span.spec.compact:
                more |= self._compact(connection, span)
            if span.spec.retention_seconds is not None or span.spec.retention_bytes is not None:
                more |= self._retain(connection, span)
            if span.saved != span.next:
                self.save(connection, span)
        return more

    @staticmethod
    def save(connection: sqlite3.Connection, span: Span) -> None:
        """Write down where a partition begins and ends and its bytes."""
        connection.execute(
            "UPDATE partition SET first = ?, next = ?, bytes = ? WHERE id = ?",
            (span.first, span.next, span.bytes, span.id),
        )
        span.saved = span.next

    def _retain(self, connection: sqlite3.Connection, span: Span) -> bool:
        spec = span.spec
        here = (span.topic, span.number)
        unread = [offset for (_, *where), offset in self._committed.items() if tuple(where) == here]
        stop = min([span.next - 1, *unread])
        if span.first >= stop or (
            spec.retention_seconds is None and spec.retention_bytes is not None and span.bytes <= spec.retention_bytes
        ):
            return False
        oldest = None if spec.retention_seconds is None else self._clock() - spec.retention_seconds
        rows = connection.execute(
            "SELECT id, time, length(value) + ifnull(length(key), 0) FROM record WHERE id >= ? AND id < ? "
            "ORDER BY id LIMIT ?",
            (span.row(span.first), span.row(stop), CHUNK),
        ).fetchall()
        gone, size, count = -1, 0, 0
        for ident, time, length in rows:
            too_old = oldest is not None and time < oldest
            too_much = spec.retention_bytes is not None and span.bytes - size > spec.retention_bytes
            if not (too_old or too_much):
                break
            gone, size, count = ident, size + length, count + 1
        if not count:
            return False
        connection.execute("DELETE FROM record WHERE id >= ? AND id <= ?", (span.row(0), gone))
        self._moved(connection, span, gone - (span.id << OFFSET_BITS) + 1, size)
        return count == CHUNK

    def _compact(self, connection: sqlite3.Connection, span: Span) -> bool:
        chunk, rest = span.superseded[:CHUNK], span.superseded[CHUNK:]
        if not chunk:
            return False
        size = 0
        for offset in chunk:
            with suppress(TypeError):
                (length,) = connection.execute(
                    "SELECT length(value) + ifnull(length(key), 0) FROM record WHERE id = ?", (span.row(offset),)
                ).fetchone()
                size += length
                connection.execute("DELETE FROM record WHERE id = ?", (span.row(offset),))
        span.superseded = rest
        row = connection.execute(
            "SELECT min(id) FROM record WHERE id >= ? AND id < ?", (span.row(span.first), span.row(span.next))
        ).fetchone()
        first = span.next if row[0] is None else row[0] - (span.id << OFFSET_BITS)
        self._moved(connection, span, first, size)
        return bool(rest)

    def _moved(self, connection: sqlite3.Connection, span: Span, first: int, freed: int) -> None:
        span.first = first
        span.bytes = max(0, span.bytes - freed)
        self.save(connection, span)
