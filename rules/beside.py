"""A second set of rules beside the one that decides: the same calls, its own state, and no way to touch the first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.compiler import RuleBook
from rules.evaluation import Evaluator
from rules.explanation import Change
from rules.expression import AREA_SCORE
from rules.faults import Fault
from rules.neighbours import Neighbours
from rules.windows import Rows, Windows

logger = logging.getLogger(__name__)

Array = npt.NDArray[np.float64]
Wanted = Mapping[float, Mapping[str, Rows]]


class SharedWindows(Windows):
    """Windows of which those that another set keeps for the same rows are read there, and not kept again."""

    def __init__(self, wanted: Wanted, total_rows: int, kept: Wanted, base: Windows) -> None:
        nothing = np.empty(0, np.intp)
        rest = {
            duration: {
                statistic: np.setdiff1d(rows, kept.get(duration, {}).get(statistic, nothing)).astype(np.intp)
                for statistic, rows in statistics.items()
            }
            for duration, statistics in wanted.items()
        }
        super().__init__(rest, total_rows)
        self._base, self._there = base, set(kept)

    def read(self, statistic: str, duration: float, rows: Rows, now: Array) -> Array:
        """Return a statistic at each row's own time `now`; NaN where unknown."""
        out = super().read(statistic, duration, rows, now) if duration in self._of else np.full(len(rows), np.nan)
        missing = np.flatnonzero(np.isnan(out))
        if missing.size and duration in self._there:
            out[missing] = self._base.read(statistic, duration, rows[missing], now[missing])
        return out

    def whole(self, statistic: str, duration: float, rows: Rows, now: Array) -> npt.NDArray[np.bool_]:
        """Tell where a window was kept, here or there, for all its duration before each row's own time `now`."""
        out = super().whole(statistic, duration, rows, now)
        return out | self._base.whole(statistic, duration, rows, now)

    def quantile(self, share: float, duration: float, rows: Rows, now: Array) -> Array:
        """Return a quantile at each row's own time `now`; NaN where unknown."""
        out = super().quantile(share, duration, rows, now) if duration in self._of else np.full(len(rows), np.nan)
        missing = np.flatnonzero(np.isnan(out))
        if missing.size and duration in self._there:
            out[missing] = self._base.quantile(share, duration, rows[missing], now[missing])
        return out


class Beside(Evaluator):
    """Take the place of an evaluator: the same state and the same changes, and a second one beside it.

    What the second would change is kept for `take_seen`. The models of areas, the bank, the comparison of redundant
    points and windows that both need are worked out once. An error of the second ends it (`broken` says why); the first
    goes on as if it had never been there.
    """

    def __init__(self, first: Evaluator, book: RuleBook) -> None:
        vars(self).update(vars(first))
        self._book = book
        self.second = self.anew()
        self.broken = ""
        self.nanoseconds = 0  # of this thread's CPU time; not part of the state
        self._seen: list[Change] = []
        self._faults: list[Fault] = []

    def anew(self) -> Evaluator:
        """Make a second evaluator that knows nothing yet."""
        second = Evaluator(self._book, self.bank)
        second.reasons = False
        second.neighbours = Neighbours(())
        second.modes.share(self.modes)
        second.windows = SharedWindows(self._book.windows, self._book.rows, self.book.windows, self.windows)
        return second

    def take_seen(self) -> tuple[list[Change], list[Fault]]:
        """Return what the second changed, and could not work out, since the last call; positions as in that call."""
        seen, faults = self._seen, self._faults
        self._seen, self._faults = [], []
        return seen, faults

    def first(self) -> Evaluator:
        """Return the evaluator that decides, by itself again."""
        alone = object.__new__(Evaluator)
        own = ("_book", "second", "broken", "nanoseconds", "_seen", "_faults")
        vars(alone).update({name: value for name, value in vars(self).items() if name not in own})
        return alone

    def tick(self, *args: Any, **named: Any) -> list[Change]:
        """Move the clock as the evaluator does."""
        found = super().tick(*args, **named)
        for mine, known in ((self.second.across, self.across), (self.second.across_real, self.across_real)):
            np.copyto(mine[AREA_SCORE], known[AREA_SCORE])
        self.give("tick", *args, **named)
        return found

    def give(self, name: str, *args: Any, **named: Any) -> None:
        """Call a method of the second; what goes wrong is its own trouble."""
        if self.broken:
            return
        begun = time.thread_time_ns()
        try:
            found = getattr(self.second, name)(*args, **named)
            if found:
                self._seen += found
            if self.second.faults:
                self._faults += self.second.take_faults()
        except Exception as error:
            logger.exception("the shadow rules broke and are no longer looked at")
            self.broken = f"{name}: {type(error).__name__}: {error}"[:300]
        self.nanoseconds += time.thread_time_ns() - begun


def _both(name: str) -> Callable[..., Any]:
    method = getattr(Evaluator, name)

    def both(self: Beside, *args: Any, **named: Any) -> Any:
        found = method(self, *args, **named)
        self.give(name, *args, **named)
        return found

    both.__name__, both.__doc__ = name, method.__doc__
    return both


for _name in ("readings", "event", "health", "mark", "source", "cameras_of_source", "pause", "step", "shift"):
    setattr(Beside, _name, _both(_name))
