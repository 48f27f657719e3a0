"""One writer a file: an advisory lock that a killed process leaves no trace of."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from streams.embedded.schema import LogLockedError


class FileLock:
    """Hold an exclusive lock beside `path` until released. Raise `LogLockedError` with a sentence if it is taken."""

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        self._fd: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            self._fd = None
            raise LogLockedError(
                f"{path} is already open in process {owner}: stop that one first, or use another data folder"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the lock back; calling twice does no harm."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
