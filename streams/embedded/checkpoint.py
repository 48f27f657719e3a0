"""Moving the write-ahead log into the file beside the writer, so that its fsyncs hold up no write."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

logger = logging.getLogger(__name__)

STEP_BYTES = 8 * 1024 * 1024  # written since the last step
RESET_BYTES = 48 * 1024 * 1024  # length of the write-ahead log from which the writer begins it anew


class Checkpointer(threading.Thread):
    """Checkpoint passively in a thread of its own.

    Only the writer can begin the write-ahead log anew, when nothing is left to move: `due` asks it to move the last
    bit itself, which takes some milliseconds once this thread has moved the rest.
    """

    def __init__(self, path: Path, page_size: int) -> None:
        super().__init__(name="log-checkpoint", daemon=True)
        self.due = False
        self._page_size = page_size
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1.0)
        self._wake = threading.Event()
        self._stopping = False
        self._written = 0

    def wrote(self, size: int) -> None:
        """Note bytes written (called by the writer)."""
        self._written += size
        if self._written > STEP_BYTES:
            self._written = 0
            self._wake.set()

    def finish(self, timeout: float) -> None:
        """Stop."""
        self._stopping = True
        self._wake.set()
        self.join(timeout)
        if not self.is_alive():
            self._connection.close()

    def run(self) -> None:
        """Checkpoint whenever enough was written."""
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._stopping:
                return
            try:
                _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                if pages * self._page_size > RESET_BYTES:
                    self.due = True
            except sqlite3.Error as error:
                logger.warning("checkpoint of the log failed: %s", error)

    def last_bit(self, connection: sqlite3.Connection) -> None:
        """Move what is left, in the writer's thread, so that its next write begins the write-ahead log anew."""
        self.due = False
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            logger.warning("checkpoint of the log failed: %s", error)
