"""Upkeep in small pieces: retention by age and size, compaction by key, forgetting of deletions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from streams.embedded.schema import OFFSET_BITS
from streams.embedded.span import Span

CHUNK = 256  # rows deleted in one transaction: some milliseconds


@dataclass(slots=True)
class Draft:
    """What a partition will be once the transaction under way is committed."""

    span: Span
    first: int
    bytes: int
    compacted: int = 0  # of `superseded`, from its beginning

    def move(self, first: int, freed: int) -> None:
        """Begin at `first`, with `freed` bytes fewer."""
        self.first = first
        self.bytes = max(0, self.bytes - freed)

    def save(self, connection: sqlite3.Connection) -> None:
        """Write down where the partition begins and ends and its bytes."""
        connection.execute(
            "UPDATE partition SET first = ?, next = ?, bytes = ? WHERE id = ?",
            (self.first, self.span.next, self.bytes, self.span.id),
        )

    def apply(self) -> None:
        """Make it so in memory: the transaction is committed."""
        span = self.span
        span.first, span.bytes, span.saved = self.first, self.bytes, span.next
        del span.superseded[: self.compacted]


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

    def __call__(self, connection: sqlite3.Connection) -> tuple[bool, list[Draft]]:
        """Do one piece for every partition inside the caller's transaction; say whether there is more to do.

        The caller applies the drafts after its COMMIT.
        """
        more, drafts = False, []
        for span in list(self._spans.values()):
            draft = Draft(span, span.first, span.bytes)
            before = (draft.first, draft.bytes, 0)
            if span.spec.compact:
                more |= self._compact(connection, draft)
            if span.spec.retention_seconds is not None or span.spec.retention_bytes is not None:
                more |= self._retain(connection, draft)
            if (draft.first, draft.bytes, draft.compacted) != before or span.saved != span.next:
                draft.save(connection)
                drafts.append(draft)
        return more, drafts

    @staticmethod
    def save(connection: sqlite3.Connection, span: Span) -> None:
        """Write down where a partition begins and ends and its bytes."""
        draft = Draft(span, span.first, span.bytes)
        draft.save(connection)
        draft.apply()

    def _retain(self, connection: sqlite3.Connection, draft: Draft) -> bool:
        span, spec = draft.span, draft.span.spec
        here = (span.topic, span.number)
        unread = [offset for (_, *where), offset in self._committed.items() if tuple(where) == here]
        stop = min([span.next - 1, *unread])
        if draft.first >= stop or (
            spec.retention_seconds is None and spec.retention_bytes is not None and draft.bytes <= spec.retention_bytes
        ):
            return False
        oldest = None if spec.retention_seconds is None else self._clock() - spec.retention_seconds
        rows = connection.execute(
            "SELECT id, time, length(value) + ifnull(length(key), 0) FROM record WHERE id >= ? AND id < ? "
            "ORDER BY id LIMIT ?",
            (span.row(draft.first), span.row(stop), CHUNK),
        ).fetchall()
        gone, size, count = -1, 0, 0
        for ident, time, length in rows:
            too_old = oldest is not None and time < oldest
            too_much = spec.retention_bytes is not None and draft.bytes - size > spec.retention_bytes
            if not (too_old or too_much):
                break
            gone, size, count = ident, size + length, count + 1
        if not count:
            return False
        connection.execute("DELETE FROM record WHERE id >= ? AND id <= ?", (span.row(0), gone))
        draft.move(gone - (span.id << OFFSET_BITS) + 1, size)
        return count == CHUNK

    def _compact(self, connection: sqlite3.Connection, draft: Draft) -> bool:
        span = draft.span
        chunk = span.superseded[:CHUNK]
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
        row = connection.execute(
            "SELECT min(id) FROM record WHERE id >= ? AND id < ?", (span.row(draft.first), span.row(span.next))
        ).fetchone()
        first = span.next if row[0] is None else row[0] - (span.id << OFFSET_BITS)
        draft.compacted = len(chunk)
        draft.move(first, size)
        return len(span.superseded) > len(chunk)
