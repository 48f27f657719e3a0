"""Processes that ask for a replay's: in a file of their own, so that nothing else is imported for them."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection

from streams import replaying


def asking(told: Connection) -> None:
    """Ask for a process as a replay does, and wait for it."""
    one = replaying._server().Process(target=replaying_on, args=(told,))  # type: ignore[attr-defined]
    one.start()
    one.join()


def replaying_on(told: Connection) -> None:
    """Be a process of a replay that does not come to its end."""
    replaying._begin(multiprocessing.Value("q", 0, lock=False))  # type: ignore[arg-type]
    told.send("begun")
    threading.Event().wait()
