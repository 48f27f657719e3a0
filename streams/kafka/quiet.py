"""What aiokafka says while a cluster is away, once a minute instead of a hundred times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

SECONDS = 60.0
LOGGERS = (
    "aiokafka",
    "aiokafka.client",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.sender",
)


class OnceAMinute(logging.Filter):
    """Let each sentence through once in `SECONDS`; the next says how many were left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._lock = clock, threading.Lock()
        self._said: dict[tuple[str, int], tuple[float, int]] = {}  # by place in the code: when, and left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is to be written."""
        place, now = (record.pathname, record.lineno), self._clock()
        with self._lock:
            when, left_out = self._said.get(place, (float("-inf"), 0))
            if now - when < SECONDS:
                self._said[place] = when, left_out + 1
                return False
            self._said[place] = now, 0
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like it since)", ()
        return True


_once = OnceAMinute()


def quieten() -> None:
    """Have aiokafka's loggers repeat themselves less."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_once)
