"""What keeps a part from its work: logged when it begins, and an alarm of the system when it lasts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from streams.embedded.schema import LogError

logger = logging.getLogger(__name__)

LASTS = 60.0
"""Seconds after which a trouble is an alarm."""


class Told(Protocol):
    """What raises alarms of the system, as `streams.vitals.Vitals` does."""

    def down(self, component: str, detail: str) -> None:
        """Say that a part fails."""
        ...

    def back(self, component: str) -> None:
        """Say that a part works again."""
        ...


class Trouble:
    """Hold what keeps each of some threads from its work. Safe from any of them.

    An earlier run may have left its alarm: that is taken back once all work, and stands while they do not.
    """

    def __init__(self, vitals: Told, component: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`component` is what the alarm names; `clock` is in seconds."""
        self._vitals, self._component, self._clock = vitals, component, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, float]] = {}  # by thread: what it is, and since when
        self._told: bool | None = None  # whether an alarm stands; of an earlier run's nothing is known

    def note(self, who: str, what: str, error: Exception | None = None) -> None:
        """Note what keeps `who` from its work, nothing when it works. Of an `error` not foreseen the log tells all."""
        with self._lock:
            now = self._clock()
            if not what:
                self._known.pop(who, None)
            else:
                if who not in self._known:
                    logger.error("%s", what, exc_info=None if isinstance(error, LogError | OSError) else error)
                self._known[who] = what, self._known.get(who, ("", now))[1]
            if self._told is not False and not self._known:
                self._vitals.back(self._component)
                self._told = False
            elif not self._told and any(now - since >= LASTS for _, since in self._known.values()):
                self._vitals.down(self._component, self._text())
                self._told = True

    @property
    def text(self) -> str:
        """Say what it is now; empty when there is none."""
        with self._lock:
            return self._text()

    def _text(self) -> str:
        return "; ".join(what for what, _ in self._known.values())


def said(error: Exception) -> str:
    """Put an error in words: some have none but their name."""
    return str(error) or type(error).__name__
