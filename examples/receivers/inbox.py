"""Keep events by their ids, so that each counts once however often it is delivered, whatever is killed when.

Foreshock delivers at least once, under the same id. Take an event in before you acknowledge it: then none is lost. Know
it by its id: then none counts twice. Act on what was taken in afterwards, at your own pace.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

KEPT = 60 * 86400.0  # seconds for which ids are known: Foreshock tells nothing again after 30 days

_TABLE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS inbox (id TEXT PRIMARY KEY, event TEXT NOT NULL, taken REAL NOT NULL, done REAL);
CREATE INDEX IF NOT EXISTS inbox_open ON inbox (taken) WHERE done IS NULL;
"""


class Inbox:
    """Remember events in a file. Safe from any thread; `repeats` counts what came again since the start."""

    def __init__(self, path: Path | str) -> None:
        self._file = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
        self._file.executescript(_TABLE)
        self._lock = threading.Lock()
        self.repeats = 0

    def take(self, id: str, event: dict[str, Any]) -> bool:
        """Write an event down, for good, unless its id is known; tell whether it is new. Acknowledge after this."""
        with self._lock:
            done = self._file.execute(
                "INSERT INTO inbox VALUES (?, ?, ?, NULL) ON CONFLICT DO NOTHING", (id, json.dumps(event), time.time())
            )
            self.repeats += 1 - done.rowcount
        return done.rowcount == 1

    def work(self, act: Callable[[dict[str, Any]], None]) -> int:
        """Act on each event that nobody has acted on yet, the oldest first; return how many. Call it in one thread.

        An event on which `act` raises is kept for the next call, and so is one during which the process is killed:
        what `act` does in other systems should be named by the event's id there too.
        """
        with self._lock:
            rows = self._file.execute("SELECT id, event FROM inbox WHERE done IS NULL ORDER BY taken, id").fetchall()
        for id, event in rows:
            act(json.loads(event))
            with self._lock:
                self._file.execute("UPDATE inbox SET done = ? WHERE id = ?", (time.time(), id))
        return len(rows)

    def forget(self, before: float) -> None:
        """Forget what was done with before a time (unix seconds): not sooner than `KEPT` ago."""
        with self._lock:
            self._file.execute("DELETE FROM inbox WHERE done < ?", (before,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


def is_order(event: dict[str, Any], unit: str = "") -> bool:
    """Tell whether an event sends a unit, or any where none is named: real, and not a copy for those above."""
    data = event.get("data") or {}
    sent = (data.get("unit") or {}).get("id")
    return data.get("status") == "Actual" and data.get("edge") in ("issued", "reassigned") and unit in ("", sent)


def act(event: dict[str, Any]) -> None:
    """Say what an event is about. Put in its place what your system does with it."""
    data = event.get("data") or {}
    word = "ORDER" if is_order(event) else "note"
    title = (data.get("title") or {}).get("en", "")
    log.info("%s %s %s %s %s", word, event["id"], data.get("status"), data.get("edge"), title)


def keep_working(inbox: Inbox, act: Callable[[dict[str, Any]], None], wake: threading.Event) -> None:
    """Act on what comes, for as long as the process lives: at each `wake`, and every 5 s on what failed before."""
    while True:
        wake.clear()
        try:
            inbox.work(act)
            inbox.forget(time.time() - KEPT)
        except Exception as error:
            log.warning("will be tried again: %s: %s", type(error).__name__, error)
        wake.wait(5.0)
