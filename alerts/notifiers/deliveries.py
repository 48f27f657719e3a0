"""The notifier's own memory (`outbox.sqlite`): how far each target is, what is to be tried again, what is dead."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from alerts.notifiers.notice import Notice

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cursors (target TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delivered (
    target TEXT NOT NULL, id TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS delivered_time ON delivered (time);
CREATE TABLE IF NOT EXISTS letters (
    target TEXT NOT NULL, id TEXT NOT NULL, attempts INTEGER NOT NULL, due REAL NOT NULL, dead INTEGER NOT NULL,
    error TEXT NOT NULL, notice BLOB NOT NULL, PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letters_due ON letters (target, dead, due);
"""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Notice)


class Letter(msgspec.Struct, frozen=True):
    """A notice that was not taken yet. `due` is unix seconds; a dead one is tried no more by itself."""

    notice: Notice
    attempts: int
    due: float
    dead: bool
    error: str


class Deliveries:
    """Remember deliveries by target and id, for one thread. The notifier writes; a command may list and revive."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {_SCHEMA}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def cursor(self, target: str) -> int | None:
        """Return the outbox position up to which a target is served; None for a target never seen."""
        row = self._one("SELECT position FROM cursors WHERE target = ?", target)
        return None if row is None else int(row[0])

    def move(self, target: str, position: int) -> None:
        """Set a target's position."""
        self._do("INSERT OR REPLACE INTO cursors VALUES (?, ?)", target, position)

    def is_delivered(self, target: str, id: str) -> bool:
        """Tell whether a target has taken a notice."""
        return self._one("SELECT 1 FROM delivered WHERE target = ? AND id = ?", target, id) is not None

    def is_put_off(self, target: str, id: str) -> bool:
        """Tell whether a notice waits for another try, or is dead."""
        return self._one("SELECT 1 FROM letters WHERE target = ? AND id = ?", target, id) is not None

    def deliver(self, target: str, id: str, time: float) -> None:
        """Note that a target took a notice."""
        with self._connection:
            self._do("BEGIN")
            self._do("INSERT OR REPLACE INTO delivered VALUES (?, ?, ?)", target, id, time)
            self._do("DELETE FROM letters WHERE target = ? AND id = ?", target, id)

    def put_off(self, target: str, letter: Letter) -> None:
        """Keep a notice for another try (or as dead)."""
        self._do(
            "INSERT OR REPLACE INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)",
            target,
            letter.notice.id,
            letter.attempts,
            letter.due,
            int(letter.dead),
            letter.error,
            _encoder.encode(letter.notice),
        )

    def due(self, target: str, time: float, limit: int = 50) -> list[Letter]:
        """List letters whose time has come, the oldest first."""
        return self._letters("dead = 0 AND due <= ? ORDER BY due LIMIT ?", target, time, limit)

    def next_due(self, target: str) -> float | None:
        """Return when the next letter is due; None when none waits."""
        row = self._one("SELECT min(due) FROM letters WHERE target = ? AND dead = 0", target)
        return None if row is None or row[0] is None else float(row[0])

    def targets(self) -> list[str]:
        """Name the targets that have letters."""
        return [str(name) for (name,) in self._do("SELECT DISTINCT target FROM letters ORDER BY target")]

    def waiting(self, target: str, limit: int = 100) -> list[Letter]:
        """List letters that are tried again by themselves, the next first."""
        return self._letters("dead = 0 ORDER BY due LIMIT ?", target, limit)

    def dead(self, target: str, limit: int = 100) -> list[Letter]:
        """List dead letters."""
        return self._letters("dead = 1 ORDER BY due LIMIT ?", target, limit)

    def dead_ids(self, target: str) -> set[str]:
        """Name all dead letters."""
        return {str(id) for (id,) in self._do("SELECT id FROM letters WHERE target = ? AND dead = 1", target)}

    def revive(self, target: str, id: str) -> bool:
        """Have a dead letter tried again from the beginning; tell whether there was one."""
        done = self._do(
            "UPDATE letters SET dead = 0, attempts = 0, due = 0 WHERE target = ? AND id = ? AND dead = 1", target, id
        )
        return done.rowcount > 0

    def counts(self, target: str) -> tuple[int, int]:
        """Count a target's waiting and dead letters."""
        row = self._one(
            "SELECT coalesce(sum(dead = 0), 0), coalesce(sum(dead = 1), 0) FROM letters WHERE target = ?", target
        )
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def prune(self, before: float) -> None:
        """Forget deliveries older than a time."""
        self._do("DELETE FROM delivered WHERE time < ?", before)

    def _letters(self, where: str, *values: Any) -> list[Letter]:
        query = f"SELECT notice, attempts, due, dead, error FROM letters WHERE target = ? AND {where}"  # noqa: S608
        return [
            Letter(_decoder.decode(notice), attempts, due, bool(dead), error)
            for notice, attempts, due, dead, error in self._do(query, *values)
        ]

    def _one(self, query: str, *values: Any) -> Any:
        return self._do(query, *values).fetchone()

    def _do(self, query: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(query, values)
