"""What an early warning is: one definition for recordings and for their evaluation.

Rules ask for it as `warned('limit')` (`rules.warned`), or for `eta` itself, with `for` and `clear` of their own.

It begins when the limit is foreseen well within the horizon while the value is short of it, by two readings in a row
where the second comes soon: one alone may be a spike. It stands until the limit
is reached, or until nothing has been foreseen within the horizon for twice as long: the time within which the limit
must be reached for the warning to be right. After the limit it can begin again once the value has been back for half
the horizon, so that a value that plays about its limit does not warn each time. Where the limit was foreseen several
times within a horizon and each time no more, as in a well that is pumped, it must be foreseen nearer than all of these.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

HORIZON = 12 * 3600.0
"""Seconds ahead within which a limit is warned of."""
ENTER = 0.9
"""Horizons within which the limit must be foreseen for a warning to begin: on made rivers of five kinds eight of 332
warnings are gone, all of them false, for up to an hour of the median lead."""
SOON = 1.0 / 24.0
"""Horizons within which a second reading is waited for (half an hour of twelve): on two creeks and their raw columns a
sixth of the false warnings is gone, on made levels with spikes a third, for 0.2 to 0.8 h of the median lead; readings
that come more seldom lose nothing."""
GRACE = 2.0
"""Horizons from its beginning within which a warning's limit must be reached."""
BACK = 0.5
"""Horizons that the value must be back for a new warning."""
IN_VAIN, NEARER = 3, 0.7
"""Times within a horizon that a limit was foreseen for nothing, and of the soonest of them how soon it must then be: of
made wells' warnings half are right instead of none, an hour ahead; creeks, which turn once a day, are as they were."""
_REMEMBERED = 20
WIDTH = 6 + 2 * _REMEMBERED
"""Numbers that `Warner.state` is made of."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Warner:
    """Follow one series, reading by reading."""

    def __init__(self, horizon: float = HORIZON) -> None:
        self.horizon = horizon
        self.warning = False
        self._foreseen = self._past = self._last = -np.inf
        self._begun = False  # the last reading foresaw the limit
        self._soonest = np.inf  # that the limit has been foreseen since it was not
        self._vain: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)  # when it was no more, and the soonest

    def see(self, time: float, past: bool, eta: float) -> bool:
        """Take a reading: its time, whether it is at or past its limit, and its eta (seconds). Return the warning."""
        sure = self._begun or time - self._last > SOON * self.horizon
        self._last, self._begun = time, False
        near = self._heeded(time, past, eta)
        if past:
            self.warning, self._past = False, time
        elif near and time - self._past >= BACK * self.horizon:
            self._begun = True
            if self.warning or sure:
                self.warning, self._foreseen = True, time
        elif time - self._foreseen >= GRACE * self.horizon:
            self.warning = False
        return self.warning

    @property
    def calm(self) -> bool:
        """Whether nothing is foreseen: a reading short of the limit that foresees nothing either may be `passed`."""
        return not self.warning and self._soonest == np.inf

    def passed(self, time: float) -> None:
        """Take it that such readings came, the last at a time: as `see` would, while it is `calm`."""
        self._last, self._begun = time, False

    def shift(self, seconds: float) -> None:
        """Move all times by `seconds`."""
        self._foreseen += seconds
        self._past += seconds
        self._last += seconds
        self._vain = deque(((time + seconds, soonest) for time, soonest in self._vain), maxlen=_REMEMBERED)

    def state(self) -> list[float]:
        """Return all that it remembers as `WIDTH` numbers."""
        vain = [number for one in self._vain for number in one]
        own = [float(self.warning), self._foreseen, self._past, self._last, float(self._begun), self._soonest]
        return own + vain + [np.nan] * (WIDTH - len(own) - len(vain))

    @classmethod
    def of(cls, state: Sequence[float], horizon: float = HORIZON) -> Self:
        """Go on from what `state` returned."""
        made = cls(horizon)
        warning, made._foreseen, made._past, made._last, begun, made._soonest = state[:6]
        made.warning, made._begun = bool(warning), bool(begun)
        vain = [one for one in state[6:] if not np.isnan(one)]
        made._vain.extend(zip(vain[::2], vain[1::2], strict=True))
        return made

    def _heeded(self, time: float, past: bool, eta: float) -> bool:
        """Return whether the limit is near, and nearer than it was lately in vain; remember what that was."""
        near = eta <= self.horizon * (1.0 if self.warning else ENTER)
        if past:
            self._soonest = np.inf
            self._vain.clear()
            return False
        if near:
            self._soonest = min(self._soonest, eta)
        elif self._soonest < np.inf:
            self._vain.append((time, self._soonest))
            self._soonest = np.inf
        while self._vain and time - self._vain[0][0] > self.horizon:
            self._vain.popleft()
        return near and (len(self._vain) < IN_VAIN or eta < NEARER * min(soonest for _, soonest in self._vain))


def warnings(time: Floats, past: Bools, eta: Floats, horizon: float = HORIZON) -> Bools:
    """Return after which readings (f8[n] unix seconds, bool[n], f8[n] seconds) a warning stands."""
    warner = Warner(horizon)
    return np.array([warner.see(*each) for each in zip(time.tolist(), past.tolist(), eta.tolist(), strict=True)], bool)
