"""Follow what is in force: a process is told of every new resolution of the data folder."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from streams import bundle, publication
from streams.bundle import Bundle, version_of

logger = logging.getLogger(__name__)

EVERY = 0.1
"""Seconds between two looks at the file: one call to the system each."""


class Following(threading.Thread):
    """Look at the resolution again and again, and hand over each new bundle from a thread of its own.

    `version` names what was handed over last. What breaks the taking is logged, and tried again at the next version.
    """

    def __init__(self, data: Path, version: str, take: Callable[[Bundle], None], every: float = EVERY) -> None:
        super().__init__(name="following", daemon=True)
        self.version = version
        self.take = take
        self._data, self._every = data, every
        self._seen = b""
        self._mark: tuple[int, int, int] | None = None
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._ended.set()

    def run(self) -> None:
        """Look until asked to end."""
        while not self._ended.wait(self._every):
            try:
                self.look()
            except Exception:
                logger.exception("the new version of the site cannot be followed")

    def look(self) -> None:
        """Look once."""
        try:
            found = (self._data / publication.FILE).stat()
        except FileNotFoundError:
            return
        mark = (found.st_mtime_ns, found.st_ino, found.st_size)
        if mark == self._mark:
            return
        self._mark = mark
        packed = publication.read(self._data)
        version = version_of(packed)
        if version != self.version:
            self.take(bundle.unpack(packed))
            self.version = version
            logger.info("follows version %s of the site", version)
