"""What every child process does: die with its parent, log one way, say when it is ready, stop on SIGTERM."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import time

from alerts.queries import JournalMissing, Reader
from streams.settings import Settings

READY = "FORESHOCK_READY_FD"
PARENT = "FORESHOCK_PARENT"
_PR_SET_PDEATHSIG = 1


def begin(name: str, settings: Settings) -> None:
    """Prepare this process: title its log lines, and die when the parent does."""
    follow_parent()
    configure_logging(name, settings.log_level)


def follow_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; leave at once if it is already gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = os.environ.get(PARENT)
    if parent and os.getppid() != int(parent):
        os._exit(0)


def configure_logging(name: str, level: str) -> None:
    """Log to standard error, a line each: time, level, process, logger, message."""
    logging.basicConfig(
        level=level,
        format=f"%(asctime)s %(levelname)-7s {name:<8} %(name)s %(message)s",
        stream=sys.stderr,
        force=True,
    )
    for noisy in ("faust", "mode", "aiokafka", "httpx", "uvicorn.error", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def ready() -> None:
    """Tell the parent, once, that this process does its work now."""
    number = os.environ.pop(READY, None)
    if number is not None:
        descriptor = int(number)
        os.write(descriptor, b"1")
        os.close(descriptor)


def await_journal(url: str) -> None:
    """Wait until the worker has made the journal, at its first start; the supervisor bounds how long."""
    while True:
        try:
            Reader(url).close()
            return
        except JournalMissing:
            time.sleep(0.02)
