"""Where tapes of scores are kept between replays: a file of SQLite a partition, of bounded size, beside the log.

What it holds can be made again from the log; so what is damaged, of other code or of another log is thrown away.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import sqlite3
from pathlib import Path
from typing import Any, Self

import msgspec

from streams.readable import Readable
from streams.stretch import Stretch
from streams.tape import Piece
from streams.topics import OBSERVATIONS

logger = logging.getLogger(__name__)

FOLDER = "replay"
"""In the data folder: what replays keep."""

SLACK = 0.9
"""Share of its size to which an archive that is full is cut."""

_PARTS = ("models", "rules", "alerts", "sensors", "streams")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Piece)


class TapeArchive:
    """One partition's tapes, and what the published rules gave. Whatever fails here only costs the time it would save.

    `most` is in bytes; the oldest offsets go first.
    """

    def __init__(self, folder: Path, partition: int, log: Readable, most: float) -> None:
        self._most, self._partition = most, partition
        self._connection: sqlite3.Connection | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(folder / f"scores-{partition}.sqlite", timeout=5.0, isolation_level=None)
            self._begin(_identity(log, partition))
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def covers(self, first: int, stop: int) -> bool:
        """Tell whether tape is there for all records first ≤ offset < stop."""
        for low, high in self._rows("SELECT first, last FROM tape WHERE last >= ? AND first < ? ORDER BY first",
                                    first, stop):  # fmt: skip
            if low > first:
                return False
            first = max(first, high + 1)
        return first >= stop

    def pieces(self, first: int, last: int) -> list[Piece]:
        """Read the tape of records first ≤ offset ≤ last."""
        found = self._rows("SELECT content FROM tape WHERE last >= ? AND first <= ? ORDER BY first", first, last)
        try:
            return [_decoder.decode(content) for (content,) in found]
        except msgspec.DecodeError as error:
            self._give_up(error)
            return []

    def keep(self, piece: Piece) -> None:
        """Keep a piece of tape."""
        content = _encoder.encode(piece)
        self._rows(
            "INSERT OR REPLACE INTO tape (first, last, size, content) VALUES (?, ?, ?, ?)",
            piece.first, piece.last, len(content), content,
        )  # fmt: skip

    def trim(self) -> None:
        """Make room where there is more than may be kept: the oldest offsets go."""
        for (size,) in self._rows("SELECT total(size) FROM tape"):
            excess = size - self._most
            if excess <= 0:
                return
            excess += self._most * (1.0 - SLACK)
            for first, mine in self._rows("SELECT first, size FROM tape ORDER BY first"):
                if excess <= 0:
                    break
                self._rows("DELETE FROM tape WHERE first = ?", first)
                excess -= mine

    def course(self, where: Stretch) -> bytes | None:
        """Return what was kept of the course that the published rules took."""
        found = self._rows("SELECT content FROM course WHERE first = ? AND stop = ?", where.first, where.stop)
        return bytes(found[0][0]) if found else None

    def keep_course(self, where: Stretch, content: bytes) -> None:
        """Keep the course of the published rules; of each stretch there is one, of 16 stretches in all."""
        self._rows("INSERT OR REPLACE INTO course (first, stop, content) VALUES (?, ?, ?)",
                   where.first, where.stop, content)  # fmt: skip
        self._rows("DELETE FROM course WHERE rowid NOT IN (SELECT rowid FROM course ORDER BY rowid DESC LIMIT 16)")

    def _begin(self, identity: bytes) -> None:
        assert self._connection is not None
        execute = self._connection.execute
        execute("PRAGMA journal_mode=WAL")
        execute("PRAGMA synchronous=OFF")  # it can be made again
        execute("CREATE TABLE IF NOT EXISTS about (identity BLOB)")
        execute("CREATE TABLE IF NOT EXISTS tape (first INTEGER PRIMARY KEY, last INTEGER, size INTEGER, content BLOB)")
        execute(
            "CREATE TABLE IF NOT EXISTS course (first INTEGER, stop INTEGER, content BLOB, PRIMARY KEY (first, stop))"
        )
        known = execute("SELECT identity FROM about").fetchone()
        if known is None or bytes(known[0]) != identity:
            execute("BEGIN IMMEDIATE")
            for statement in ("DELETE FROM tape", "DELETE FROM course", "DELETE FROM about"):
                execute(statement)
            execute("INSERT INTO about VALUES (?)", (identity,))
            execute("COMMIT")

    def _rows(self, statement: str, *given: object) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, given).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: Exception) -> None:
        logger.warning("scores of partition %d are not kept for the next replay: %s", self._partition, error)
        with contextlib.suppress(sqlite3.Error):
            self.close()
        self._connection = None


def _identity(log: Readable, partition: int) -> bytes:
    """Name a log and the code that reads it: the oldest tape is of no use once either is another."""
    digest = hashlib.blake2b(code(), digest_size=16)
    start = log.start(OBSERVATIONS, partition)
    digest.update(str(partition).encode())
    if start == 0:
        for _, _, value in log.read(OBSERVATIONS, partition, 0, 1):
            digest.update(value)
    return digest.digest()


@functools.cache
def code() -> bytes:
    """Hash the code that scores depend on."""
    here = Path(__file__).resolve().parent.parent
    digest = hashlib.blake2b(digest_size=16)
    for part in _PARTS:
        for file in sorted((here / part).rglob("*.py")):
            digest.update(f"{file.relative_to(here)}\0".encode())
            digest.update(file.read_bytes())
    return digest.digest()


def folder_of(log_file: Path) -> Path:
    """Say where the tapes of a log are kept."""
    return log_file.parent / FOLDER
