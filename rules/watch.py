"""Since when somebody listens for what rules ask for: that nothing was heard says nothing of the time before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Watch:
    """Remember since when each of some names is watched, on the arrival clock (unix s).

    Pure: time comes with the calls. A name is a kind of sighting, `#` and a kind of event that is counted, or `^` and
    one whose reports may rise.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._begun = dict.fromkeys(sorted(names), np.nan)
        self._new = bool(self._begun)

    def heard(self, name: str, time: float) -> None:
        """Take it that what was heard at `time` is watched for from then on, if it was not yet."""
        if np.isnan(self._begun.get(name, 0.0)):
            self._begun[name] = time

    def tick(self, clock: float) -> None:
        """Begin to watch, at a tick, for what nothing asked for before: batches do not move it."""
        if self._new:
            self._new = False
            for name, begun in self._begun.items():
                self._begun[name] = clock if np.isnan(begun) else begun

    def step(self, clock: float) -> None:
        """Follow a clock that was set back."""
        self._begun = {name: begun if np.isnan(begun) else min(begun, clock) for name, begun in self._begun.items()}

    def whole(self, name: str, duration: float, now: Array) -> npt.NDArray[np.bool_]:
        """Tell where a name was watched for all of `duration` (s) before `now`."""
        found: npt.NDArray[np.bool_] = now - self._begun[name] >= duration
        return found

    def state(self) -> dict[str, float]:
        """Give since when each name is watched, of those that are."""
        return {name: begun for name, begun in self._begun.items() if not np.isnan(begun)}

    def restore(self, begun: Mapping[str, float]) -> None:
        """Take over what `state` gave, as far as it is still asked for."""
        self._begun |= {name: since for name, since in begun.items() if name in self._begun}
        self._new = any(map(np.isnan, self._begun.values()))
