"""Figures of the processes without a hub of their own: a small file each, replaced once a second."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

logger = logging.getLogger(__name__)

STALE = 10.0
"""Seconds after which a process's figures are no longer its state."""


def write_figures(folder: Path, name: str, figures: Mapping[str, Any]) -> None:
    """Replace the figures of a process."""
    file = folder / "run" / f"{name}.json"
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode({"time": time.time(), **figures}))
    fresh.replace(file)


def _remove(folder: Path, name: str) -> None:
    with contextlib.suppress(OSError):  # a disk that can only be read must not make of a stop a failure
        (folder / "run" / f"{name}.json").unlink(missing_ok=True)


def read_figures(folder: Path) -> dict[str, dict[str, Any]]:
    """Read the figures of all processes that still write them."""
    return {name: figures for name, age, figures in _figures(folder) if age < STALE}


def silent(folder: Path) -> dict[str, float]:
    """Tell of which processes the figures are no longer their state, and for how many seconds: a full disk, a hang."""
    return {name: age for name, age, _ in _figures(folder) if age >= STALE}


def _figures(folder: Path) -> Iterator[tuple[str, float, dict[str, Any]]]:
    now = time.time()
    for file in sorted((folder / "run").glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            figures = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
            yield file.stem, now - figures.pop("time", 0.0), figures


def _nobody() -> None:
    """Tell nobody."""


async def keep_writing(
    folder: Path, name: str, figures: Callable[[], Mapping[str, Any]], alive: Callable[[], None] = _nobody
) -> None:
    """Write a process's figures once a second from its event loop, until cancelled; then remove the file.

    `alive` is called each time, also when there are no figures or the disk takes none.
    """
    writing = _Writing(folder, name, figures)
    alive()  # at once, as below
    try:
        while True:
            await asyncio.sleep(1.0)
            alive()
            writing.once()
    finally:
        _remove(folder, name)


class _Writing:
    """Write figures; what keeps them from being made costs the figures, which go stale, and not the signs of life."""

    def __init__(self, folder: Path, name: str, figures: Callable[[], Mapping[str, Any]]) -> None:
        self._folder, self._name, self._figures = folder, name, figures
        self._trouble = ""

    def once(self) -> None:
        """Make and write them once; log what keeps them from being made when it begins."""
        try:
            figures = self._figures()
        except Exception as error:
            trouble, self._trouble = self._trouble, repr(error)
            if self._trouble != trouble:
                logger.exception("no figures, process=%s", self._name)
            return
        self._trouble = ""
        with contextlib.suppress(OSError):  # a full disk must not stop the process
            write_figures(self._folder, self._name, figures)


class FiguresWriter:
    """Write a process's figures once a second from a thread of its own."""

    def __init__(
        self, folder: Path, name: str, figures: Callable[[], Mapping[str, Any]], alive: Callable[[], None] = _nobody
    ) -> None:
        self._folder, self._name, self._alive = folder, name, alive
        self._writing = _Writing(folder, name, figures)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="figures", daemon=True)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop writing and remove the file."""
        self._stop.set()
        self._thread.join(2)
        _remove(self._folder, self._name)

    def _run(self) -> None:
        self._alive()  # at once: a process that hangs in its first second is to be missed, too
        while not self._stop.wait(1.0):
            self._alive()
            self._writing.once()
