"""What an early warning is: one definition for recordings and for their evaluation.

The rules that ship do not use it: they ask for `eta` itself, with `for` and `clear` of their own.

It begins when the limit is foreseen well within the horizon while the value is short of it, by two readings in a row
where the second comes soon: one alone may be a spike. It stands until the limit
is reached, or until nothing has been foreseen within the horizon for twice as long: the time within which the limit
must be reached for the warning to be right. After the limit it can begin again once the value has been back for half
the horizon, so that a value that plays about its limit does not warn each time.
"""

from __future__ import annotations

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

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Warner:
    """Follow one series, reading by reading."""

    def __init__(self, horizon: float = HORIZON) -> None:
        self.horizon = horizon
        self.warning = False
        self._foreseen = self._past = self._last = -np.inf
        self._begun = False  # the last reading foresaw the limit

    def see(self, time: float, past: bool, eta: float) -> bool:
        """Take a reading: its time, whether it is at or past its limit, and its eta (seconds). Return the warning."""
        sure = self._begun or time - self._last > SOON * self.horizon
        self._last, self._begun = time, False
        if past:
            self.warning, self._past = False, time
        elif eta <= self.horizon * (1.0 if self.warning else ENTER) and time - self._past >= BACK * self.horizon:
            self._begun = True
            if self.warning or sure:
                self.warning, self._foreseen = True, time
        elif time - self._foreseen >= GRACE * self.horizon:
            self.warning = False
        return self.warning


def warnings(time: Floats, past: Bools, eta: Floats, horizon: float = HORIZON) -> Bools:
    """Return after which readings (f8[n] unix seconds, bool[n], f8[n] seconds) a warning stands."""
    warner = Warner(horizon)
    return np.array([warner.see(*each) for each in zip(time.tolist(), past.tolist(), eta.tolist(), strict=True)], bool)
