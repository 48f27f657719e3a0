"""A time whose readings only the history still has, named so that any process can open it as a log."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from streams import bundle
from streams.bundle import Bundle
from streams.discreet import Discreet
from streams.embedded.schema import LogError
from streams.settings import Settings
from streams.stretch import Stretch

if TYPE_CHECKING:
    from streams.history.replayable import HistoryLog

DAY = 86400.0

LEARN = 7 * DAY
"""Seconds before a replay from which on models learn: as long as each memory of a range lasts at least.

A log's replay begins with an engine that has lived through all that came before. The history has no such engine.
"""

STEP = 4
"""Seconds from tick to tick: what a tick costs is most of a long replay, and beyond 5 the engine takes it that nobody
listened (`streams.run.BLIND`)."""

PER_STEP = 64
"""Offsets that a step has: the frames of its readings, and last the tick that ends it."""


class GoneError(LogError):
    """Raised when the history does not have what is asked for, with what it has."""


class Past(Discreet, frozen=True, kw_only=True):
    """Name the readings from `begin` to `end` (whole unix seconds) of a history, which are told of from `first` on.

    `step` is in whole seconds. `packed` is the site with its models; rules are those that are tried: none are in it.
    """

    settings: Settings
    packed: bytes
    begin: int
    first: int
    end: int
    step: int = STEP

    @property
    def steps(self) -> int:
        """How many there are."""
        return (self.end - self.begin) // self.step

    @classmethod
    def hides(cls, name: str) -> bool:
        """Tell whether a field is not to be shown."""
        return name == "packed"

    def open(self) -> HistoryLog:
        """Open it as a log. Raise `LogError`."""
        from streams.history.replayable import HistoryLog  # here: most replays need no history

        return HistoryLog(self)

    def stretch(self, partition: int) -> Stretch:
        """Say which offsets of a partition are told of."""
        first = (self.first - self.begin) // self.step * PER_STEP
        return Stretch(partition, first and first + 1, self.steps * PER_STEP + 1)


def reach(found: Settings, content: Bundle, now: float) -> tuple[float, float]:
    """Say from when until when (unix s) the history has each reading. Raise `LogError`, `GoneError` for none."""
    from streams.history.lines import Naming  # here: it takes as long to load as all else
    from streams.history.store import TROUBLE, open_store
    from streams.history.tiers import tiers

    store = open_store(found, Naming(content.site))
    if store is None:
        raise GoneError("no history is kept: FORESHOCK_HISTORY_GIGABYTES is 0")
    try:
        readings = tiers(found)[0]
        since = max(store.since(readings, now), store.oldest(readings.name))
        until = min(store.span()[1], now)
    except TROUBLE as error:
        raise LogError(f"the history cannot be read: {error}") from error
    finally:
        store.close()
    if not since < until:
        raise GoneError("the history has no readings yet")
    return since, until


def past(
    found: Settings,
    content: Bundle,
    begin: float | None,
    end: float | None,
    now: float | None = None,
    step: int = STEP,
) -> Past:
    """Name what the history has from `begin` to `end` (unix s; None is as far as it reaches), and `LEARN` before.

    Where it begins is a midnight (UTC) if it can be: what was scored for one replay serves others of the same days.
    Raise `GoneError` where the history does not reach back to `begin`, or has nothing before `end`; else `LogError`.
    """
    since, until = reach(found, content, time.time() if now is None else now)
    first = since if begin is None else begin
    last = until if end is None else min(end, until)
    if first < math.floor(since):
        raise GoneError(f"the history has readings from {_time(since, content)} on: choose a later --from")
    if first >= last:
        raise GoneError(f"the history has readings until {_time(until, content)}: choose an earlier --from")
    learnt = max(math.floor(since), int((first - LEARN) // DAY * DAY))
    packed = bundle.pack(msgspec.structs.replace(content, rules=()))
    until = learnt + math.ceil((last - learnt) / step) * step
    return Past(settings=found, packed=packed, begin=learnt, first=math.floor(first), end=until, step=step)


def _time(at: float, content: Bundle) -> str:
    """Write a time (unix s) by the site's clocks."""
    return datetime.fromtimestamp(at, ZoneInfo(content.site.zone)).strftime("%Y-%m-%d %H:%M")
