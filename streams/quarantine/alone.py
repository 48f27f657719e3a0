"""One replay of a data folder's quarantine at a time, whichever process asks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sensors.quarantine import BusyError
from streams.embedded.filelock import FileLock
from streams.embedded.schema import LogLockedError


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the data folder's one place for a replay. Raise `BusyError` when it is taken."""
    folder = data / "run"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lock = FileLock(folder / "replay")
    except LogLockedError as error:
        raise BusyError("another replay of the quarantine is under way: wait until it has ended") from error
    try:
        yield
    finally:
        lock.release()
