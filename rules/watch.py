"""Since when, and but for which outages, somebody listens for what rules ask for.

That nothing was heard says nothing of the time in which nobody listened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from rules.expression import MAX_WINDOW

Array = npt.NDArray[np.float64]

SHARE = 1 / 16
"""Of the time that a rule looks back on, what may have been missed in sum; a pane of a point's window is as much."""

MOST_OUTAGES = 1000
"""Outages that are remembered one by one; beyond, the two oldest are taken for one that missed as much."""

Outage = tuple[float, float, float]
"""From when to when (unix s), and for how many seconds of that nobody listened."""


class Watch:
    """Remember since when each of some names is watched, on the arrival clock (unix s).

    Pure: time comes with the calls. A name is a kind of sighting, `#` and a kind of event that is counted, or `^` and
    one whose reports may rise.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._begun = dict.fromkeys(sorted(names), np.nan)
        self._new = bool(self._begun)
        self._outages: list[Outage] = []
        self._moments = self._missed = np.empty(0)  # how much was missed up to when, as a line with corners

    def heard(self, name: str, clock: float) -> None:
        """Take it that a name of which something is told at `clock` is watched from then on, if it was not yet.

        When that happened is no matter: who tells late of one thing need not have told of all since.
        """
        if np.isnan(self._begun.get(name, 0.0)):
            self._begun[name] = clock

    def pause(self, since: float, until: float) -> None:
        """Take it that nobody listened between two ticks, but for the second that there is between any two."""
        self._outages.append((since, until, max(until - since - 1.0, 0.0)))
        self._settle()

    def _settle(self) -> None:
        """Forget what no rule can look back on, and draw the line of what was missed."""
        outages = self._outages
        while outages and outages[0][1] < outages[-1][1] - 2 * MAX_WINDOW:
            del outages[0]
        while len(outages) > MOST_OUTAGES:
            (since, _, missed), (_, until, more) = outages[:2]
            outages[:2] = [(since, until, missed + more)]
        self._moments = np.array([moment for since, until, _ in outages for moment in (since, until)])
        lost = np.cumsum([0.0, *(missed for *_, missed in outages)])
        self._missed = np.repeat(lost, 2)[1:-1]

    def tick(self, clock: float) -> None:
        """Begin to watch, at a tick, for what nothing asked for before: batches do not move it."""
        if self._new:
            self._new = False
            for name, begun in self._begun.items():
                self._begun[name] = clock if np.isnan(begun) else begun

    def step(self, clock: float) -> None:
        """Follow a clock that was set back."""
        self._begun = {name: begun if np.isnan(begun) else min(begun, clock) for name, begun in self._begun.items()}
        self._outages = [(min(since, clock), min(until, clock), missed) for since, until, missed in self._outages]
        self._settle()

    def whole(self, name: str, duration: float, now: Array) -> npt.NDArray[np.bool_]:
        """Tell where a name was watched for all of `duration` (s) before `now`, but for outages of a `SHARE` of it."""
        found: npt.NDArray[np.bool_] = now - self._begun[name] >= duration
        if self._outages and found.any():
            found &= self._missed_by(now) - self._missed_by(now - duration) <= duration * SHARE
        return found

    def _missed_by(self, time: Array) -> Array:
        missed: Array = np.interp(time, self._moments, self._missed)
        return missed

    def state(self) -> dict[str, float]:
        """Give since when each name is watched, of those that are."""
        return {name: begun for name, begun in self._begun.items() if not np.isnan(begun)}

    def outages(self) -> list[Outage]:
        """Give the outages that are remembered, the oldest first."""
        return list(self._outages)

    def restore(self, begun: Mapping[str, float], outages: Iterable[Outage] = ()) -> None:
        """Take over what `state` and `outages` gave, as far as it is still asked for."""
        self._outages = list(outages)
        self._settle()
        self._begun |= {name: since for name, since in begun.items() if name in self._begun}
        self._new = any(map(np.isnan, self._begun.values()))
