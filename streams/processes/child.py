"""What every child process does: die with its parent, log one way, tell the parent how it fares, stop on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from functools import cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from streams.settings import Settings

READY = "FORESHOCK_READY_FD"
"""The pipe to the parent: `IS_READY` once, `IS_ALIVE` again and again, `PROGRESS` with a text and a line feed."""

GATE = "FORESHOCK_GATE"
"""Variable that holds the number of the descriptor at which a child waits for its site."""

IS_READY, IS_ALIVE, PROGRESS = b"1", b".", b"+"
SAID_EVERY = 1.0
"""Seconds between two lines of progress."""

PARENT = "FORESHOCK_PARENT"
_PR_SET_PDEATHSIG = 1

LOG_BYTES = 5_000_000
LOG_FILES = 2
"""A process keeps its present log file and this many older ones."""


def begin(name: str, settings: Settings) -> None:
    """Prepare this process: title its log lines, and die when the parent does."""
    parent()
    follow_parent()
    configure_logging(name, settings.log_level, settings.data_folder / "run")


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; leave at once if it is already gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = os.environ.get(PARENT)
    if parent and os.getppid() != int(parent):
        os._exit(0)


class Brief(logging.Formatter):
    """Write a record without its traceback: the terminal gets the sentence, the file has the rest."""

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
        """Return nothing."""
        return ""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        cached, record.exc_text = record.exc_text, None
        try:
            return super().format(record).rstrip("\n")
        finally:
            record.exc_text = cached


class QuietFile(RotatingFileHandler):
    """Write to a file of bounded size; a full disk costs lines, not the process or the terminal."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Do nothing."""


def configure_logging(name: str, level: str, folder: Path | None = None) -> None:
    """Log lines of time, level, process, logger and message: warnings to standard error, all to a file of `folder`."""
    line = f"%(asctime)s %(levelname)-7s {name:<8} %(name)s %(message)s"
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(max(logging.WARNING, logging.getLevelName(level)))
    handlers: list[logging.Handler] = [terminal]
    if folder is not None:
        with contextlib.suppress(OSError):  # the terminal alone then
            file = folder / f"{name}.log"
            handlers.append(QuietFile(file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"))
            file.chmod(0o600)
            terminal.setFormatter(Brief(line))
    logging.basicConfig(level=level, format=line, handlers=handlers, force=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda given: _uncaught(given.exc_type, given.exc_value, given.exc_traceback)
    for noisy in ("faust", "mode", "aiokafka", "httpx", "uvicorn.error", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log what nobody caught: a line on the terminal, the traceback in the file."""
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger(__name__).critical(
        "ended by %s: %s", kind.__name__, error, exc_info=(kind, error or kind(), trace)
    )


class Parent:
    """The way to the parent; silent in a process that has none. Safe from any thread."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        number = environment.pop(READY, None)
        self._pipe = None if number is None else int(number)
        self._ready = False
        self._said = -SAID_EVERY  # monotonic
        if self._pipe is not None:
            os.set_blocking(self._pipe, False)  # a parent that does not read must hold up nobody
            os.set_inheritable(self._pipe, False)

    def ready(self) -> None:
        """Tell, once, that this process does its work now."""
        if not self._ready:
            self._ready = True
            self._tell(IS_READY)

    def alive(self) -> None:
        """Tell that this process is not stuck; the parent ends one that has told so and does no longer."""
        self._tell(IS_ALIVE)

    def progress(self, text: str) -> None:
        """Tell how far what takes long has come; most calls are passed over."""
        now = time.monotonic()
        if now - self._said >= SAID_EVERY:
            self._said = now
            self._tell(PROGRESS + text.replace("\n", " ").encode()[:200] + b"\n")

    async def keep_alive(self) -> None:
        """Tell once a second from the event loop, for as long as that turns."""
        while True:
            self.alive()
            await asyncio.sleep(1.0)

    def _tell(self, message: bytes) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):  # a parent that is gone, or has not read for hours
                os.write(self._pipe, message)


@cache
def parent() -> Parent:
    """Return this process's way to its parent."""
    return Parent(os.environ)


def await_site() -> None:
    """Wait until the parent has checked the site and written it down; it starts its children while it does."""
    number = os.environ.pop(GATE, None)
    if number is not None:
        with os.fdopen(int(number), "rb") as gate:
            gate.read()  # nothing is written: it ends when the parent closes its side


def ready() -> None:
    """Tell the parent, once, that this process does its work now."""
    parent().ready()


def await_journal(url: str, ended: Callable[[], bool] = lambda: False) -> bool:
    """Wait until the worker has made the journal, at its first start; False when `ended` says so before.

    The supervisor bounds how long. When it is gone, SIGTERM is all that ends who waits here.
    """
    from alerts.queries import JournalMissing, Reader  # here, so that the bridge need not load SQLAlchemy

    while not ended():
        try:
            Reader(url).close()
            return True
        except JournalMissing:
            time.sleep(0.02)
    return False
