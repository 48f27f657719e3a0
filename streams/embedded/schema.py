"""The log's file: its tables, the row number of a record, what a topic is, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

OFFSET_BITS = 40
MAX_OFFSET = (1 << OFFSET_BITS) - 1
MAX_RECORD_BYTES = 64 * 1024 * 1024
FORMAT = 2

# (topic, partition, key or None, value); an empty value under a key of a compacted topic deletes that key
Record: TypeAlias = "tuple[str, int, bytes | None, bytes]"
# (group, topic, partition, next offset to read)
Commit: TypeAlias = tuple[str, str, int, int]
# (offset, key, value), as read back
Entry: TypeAlias = "tuple[int, bytes | None, bytes]"

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS partition (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, compact INTEGER NOT NULL,
    first INTEGER NOT NULL, next INTEGER NOT NULL, bytes INTEGER NOT NULL, UNIQUE (topic, number));
-- next and bytes lag behind: what lies at or after next is counted when the file is opened
CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY, time REAL NOT NULL, key BLOB, value BLOB NOT NULL);
-- committed offsets are rows of record too, one fixed row each under partition id 0: key group NUL topic NUL partition
"""


class LogError(Exception):
    """Say that the log could not do what was asked."""


class HoleError(LogError):
    """Raised where records were lost before they were kept. `stop` is the offset of the first that is there again."""

    def __init__(self, said: str, stop: int) -> None:
        super().__init__(said)
        self.stop = stop


class LogLockedError(LogError):
    """Say that another process has the log open for writing."""


class LogCorruptError(LogError):
    """Say that the file is damaged or is no log at all."""


class LogWriteError(LogError):
    """Say that a write failed; nothing of it is in the log and nothing was acknowledged."""


class LogUnavailableError(LogWriteError):
    """Say that the log itself cannot be written now, whatever the records: the same write may succeed later."""


class LogFullError(LogUnavailableError):
    """Say that the disk, or the log's own size limit, is full; a later write may succeed."""


class LogBusyError(LogUnavailableError):
    """Say that too much is waiting to be written; try again later."""


class LogClosedError(LogUnavailableError):
    """Say that the log is closed."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """Describe a topic: partitions, compaction by key, retention by age (seconds) and by size (bytes a partition).

    `derived`: its records are written only together with the offsets of what they come from, or by who has the
    partition. On Kafka that is a transaction, whose end takes an offset of its own.
    """

    partitions: int = 1
    compact: bool = False
    retention_seconds: float | None = None
    retention_bytes: int | None = None
    derived: bool = False


def row_id(partition_id: int, offset: int) -> int:
    """Number a record's row: partition id in the high bits, offset in the low 40."""
    return partition_id << OFFSET_BITS | offset


def committed_key(group: str, topic: str, partition: int) -> bytes:
    """Name a committed offset."""
    return f"{group}\0{topic}\0{partition}".encode()


def size_of(key: bytes | None, value: bytes) -> int:
    """Count a record's bytes, as retention by size does."""
    return len(value) + (len(key) if key else 0)
