"""Opening a log file: settings, check for damage, topics and committed offsets."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from streams.embedded.reader import stored_end
from streams.embedded.schema import (
    FORMAT,
    OFFSET_BITS,
    TABLES,
    LogCorruptError,
    LogError,
    TopicSpec,
    row_id,
)
from streams.embedded.span import Span

PAGE_SIZE = 16 * 1024
CHECK_SECONDS = 1.0  # a check of a large file stops here, so that start stays short


def connect(path: Path, synchronous: str, max_bytes: int | None) -> sqlite3.Connection:
    """Open or create the file with the log's settings. Raise `LogError` with the reason."""
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=5.0, cached_statements=256
        )
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be opened: {error}") from error
    try:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute("PRAGMA cache_size=-16384")
        if max_bytes is not None:
            connection.execute(f"PRAGMA max_page_count={max(16, max_bytes // PAGE_SIZE)}")
        connection.executescript(TABLES)
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT),))
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('clean', 'yes')")
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('identity', ?)", (token_hex(8),))
    except sqlite3.DatabaseError as error:
        connection.close()
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise LogCorruptError(f"{path} is damaged or is no log: {error}; restore it or move it away") from error
        raise LogError(f"{path} cannot be opened: {error}") from error
    return connection


def verify(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file: always its format and ends, all of it (for at most a second) after an unclean end."""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if meta["format"] != str(FORMAT):
        connection.close()
        raise LogError(f"{path} has log format {meta['format']}; this version reads {FORMAT}")
    try:
        problem = _examine(connection, thorough=meta["clean"] != "yes")
    except sqlite3.DatabaseError as error:
        problem = str(error)
    if problem:
        connection.close()
        raise LogCorruptError(f"{path} is damaged: {problem}; restore it from a copy or move it away")
    connection.execute("UPDATE meta SET value = 'no' WHERE name = 'clean'")


def _examine(connection: sqlite3.Connection, *, thorough: bool) -> str:
    if thorough:
        deadline = time.monotonic() + CHECK_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                return str(answer)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_INTERRUPT:
                raise
        finally:
            connection.set_progress_handler(None, 0)
    return ""


def load_spans(
    connection: sqlite3.Connection, path: Path, topics: Mapping[str, TopicSpec], tail_bytes: int
) -> dict[tuple[str, int], Span]:
    """Create the partitions that are missing and return all. Raise `LogError` for a topic declared too small."""
    for topic, spec in topics.items():
        if spec.partitions < 1:
            raise LogError(f"topic {topic!r} needs at least one partition")
        (count,) = connection.execute("SELECT count(*) FROM partition WHERE topic = ?", (topic,)).fetchone()
        if count > spec.partitions:
            raise LogError(f"{path}: topic {topic!r} has {count} partitions, which cannot become {spec.partitions}")
        for number in range(count, spec.partitions):
            connection.execute(
                "INSERT INTO partition (topic, number, compact, first, next, bytes) VALUES (?,?,?,0,0,0)",
                (topic, number, spec.compact),
            )
        connection.execute("UPDATE partition SET compact = ? WHERE topic = ?", (spec.compact, topic))
    rows = connection.execute("SELECT id, topic, number, compact, first, next, bytes FROM partition").fetchall()
    each = max(1 << 20, tail_bytes // max(1, len(rows)))
    spans: dict[tuple[str, int], Span] = {}
    for ident, topic, number, compact, first, end, size in rows:
        if (stored := stored_end(connection, ident)) > end:
            (more,) = connection.execute(
                "SELECT sum(length(value) + ifnull(length(key), 0)) FROM record WHERE id >= ? AND id < ?",
                (row_id(ident, end), row_id(ident, stored)),
            ).fetchone()
            end, size = stored, size + more
        spec = topics.get(topic) or TopicSpec(partitions=number + 1, compact=bool(compact))
        span = spans[topic, number] = Span(ident, topic, number, spec, first, end, size, each)
        if spec.compact:
            _load_keys(connection, span)
    return spans


def _load_keys(connection: sqlite3.Connection, span: Span) -> None:
    for ident, key in connection.execute(
        "SELECT id, key FROM record WHERE id >= ? AND id < ? ORDER BY id", (span.row(0), span.row(span.next))
    ):
        if key is not None:
            offset = ident - (span.id << OFFSET_BITS)
            if key in span.newest:
                span.superseded.append(span.newest[key])
            span.newest[key] = offset


Place = tuple[str, str, int]


def load_committed(connection: sqlite3.Connection) -> tuple[dict[Place, int], dict[Place, int]]:
    """Return the committed offsets and the rows that hold them: (group, topic, partition) → next offset, → row."""
    offsets: dict[Place, int] = {}
    slots: dict[Place, int] = {}
    for slot, key, value in connection.execute("SELECT id, key, value FROM record WHERE id < ?", (row_id(1, 0),)):
        group, topic, number = key.decode().split("\0")
        offsets[group, topic, int(number)] = int(value)
        slots[group, topic, int(number)] = slot
    return offsets, slots
