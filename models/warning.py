"""What an early warning is: one definition for recordings and for their evaluation.

Rules ask for it as `warned('limit')` (`rules.warned`), or for `eta` itself, with `for` and `clear` of their own.

It begins when the limit is foreseen well within the horizon while the value is short of it, by two readings in a row
where the second comes soon: one alone may be a spike. It stands until the limit is reached, or until twice the horizon
is over, within which the limit must be reached for the warning to be right, and a reading foresees it no more. After
the limit it can begin again once the value has been back for half the horizon, so that a value that plays about its
limit does not warn each time. Where the limit was foreseen several times within a horizon and each time no more, as in
a well that is pumped, it must be foreseen nearer than all of these.

A point's own warnings teach how near is near: after one that was in vain the next must foresee the limit sooner, after
one that was right it need not so much, after a limit that came unforeseen less still. The first in vain is forgiven.
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
"""Horizons from its beginning within which a warning's limit must be reached. When they are over it ends with the first
reading that does not foresee the limit: a swing that never reaches it would keep it up for ever."""
VAIN = 0.7
"""What a warning in vain makes of how near the limit must be foreseen; a limit that came unwarned takes one back."""
RIGHT = VAIN ** (-3.0 / 7.0)
"""What a warning that was right makes of it: it stays where three in ten are in vain."""
LEAST = 0.1
"""Horizons within which it may always be foreseen, however much was in vain. On made rivers of eleven kinds (seeds that
nothing was chosen on) false warnings fall from 634 of 1839 to 569 of 1790, with 1229 instead of 1231 of 1289 crossings
foreseen, half of them 5.0 instead of 5.5 h before."""
BACK = 0.5
"""Horizons that the value must be back for a new warning."""
IN_VAIN, NEARER = 3, 0.7
"""Times within a horizon that a limit was foreseen for nothing, and of the soonest of them how soon it must then be: of
made wells' warnings half are right instead of none, an hour ahead; creeks, which turn once a day, are as they were."""
_REMEMBERED = 20
WIDTH = 6 + 2 * _REMEMBERED + 2
"""Numbers that `Warner.state` is made of."""

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Warner:
    """Follow one series, reading by reading."""

    def __init__(self, horizon: float = HORIZON) -> None:
        self.horizon = horizon
        self.warning = False
        self._begin = self._past = self._last = self._ended = -np.inf
        self._begun = False  # the last reading foresaw the limit
        self._margin = ENTER / VAIN  # horizons within which the limit must be foreseen: `ENTER` at most
        self._soonest = np.inf  # that the limit has been foreseen since it was not
        self._vain: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)  # when it was no more, and the soonest

    def see(self, time: float, past: bool, eta: float) -> bool:
        """Take a reading: its time, whether it is at or past its limit, and its eta (seconds). Return the warning."""
        grace = GRACE * self.horizon
        # what has just ended in vain and is foreseen again is no spike
        sure = self._begun or time - self._last > SOON * self.horizon or time - self._ended <= grace
        self._last, self._begun = time, False
        near = self._heeded(time, past, eta)
        back = time - self._past >= BACK * self.horizon
        if past:
            if self.warning:
                self._learn(RIGHT if time - self._begin <= grace else VAIN)
            elif back:
                self._learn(1.0 / VAIN)
            self.warning, self._past = False, time
        elif near and back:
            self._begun = True
            if sure and not self.warning:
                self.warning, self._begin = True, time
        elif self.warning and time - self._begin >= grace:
            self.warning, self._ended = False, time
            self._learn(VAIN)
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
        self._begin += seconds
        self._past += seconds
        self._last += seconds
        self._ended += seconds
        self._vain = deque(((time + seconds, soonest) for time, soonest in self._vain), maxlen=_REMEMBERED)

    def state(self) -> list[float]:
        """Return all that it remembers as `WIDTH` numbers."""
        vain = [number for one in self._vain for number in one]
        own = [float(self.warning), self._begin, self._past, self._last, float(self._begun), self._soonest]
        return [*own, *vain, *[np.nan] * (2 * _REMEMBERED - len(vain)), self._margin, self._ended]

    @classmethod
    def of(cls, state: Sequence[float], horizon: float = HORIZON) -> Self:
        """Go on from what `state` returned; a version before this one knew nothing of what comes last."""
        made = cls(horizon)
        warning, made._begin, made._past, made._last, begun, made._soonest = state[:6]
        made.warning, made._begun = bool(warning), bool(begun)
        if len(state) == WIDTH:
            made._margin, made._ended = state[-2:]
        vain = [one for one in state[6 : 6 + 2 * _REMEMBERED] if not np.isnan(one)]
        made._vain.extend(zip(vain[::2], vain[1::2], strict=True))
        return made

    def _learn(self, factor: float) -> None:
        """Change how near the limit must be foreseen."""
        self._margin = min(max(self._margin * factor, LEAST), ENTER / VAIN)

    def _heeded(self, time: float, past: bool, eta: float) -> bool:
        """Return whether the limit is near, and nearer than it was lately in vain; remember what that was."""
        near = eta <= self.horizon * (1.0 if self.warning else min(self._margin, ENTER))
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
