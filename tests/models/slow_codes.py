"""The counts of changes written plainly, each question asked of all changes anew: what `models.codes` is held to."""

from __future__ import annotations

from math import floor

from models.codes import CLOCKS, COMMON, IDLE, MOST, Change, Seldom
from models.hours import DAYS, HABIT

HOUR, DAY = 3600.0, 24
FOUR_WEEKS = DAY * DAYS


class SlowCodes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self.pasts: dict[int, dict[Change, list[int]]] = {}  # the hour of each time that a change came
        self.clocks: dict[int, dict[Change, int]] = {}  # of which hours are kept: from which of those times on

    def change(self, row: int, before: float, after: float, readings: float, time: float, since: float) -> Seldom:
        """Take a change; return how seldom such a one is."""
        pasts, clocks = self.pasts.setdefault(row, {}), self.clocks.setdefault(row, {})
        change, hour = (before, after), floor(time / HOUR)
        mine = pasts.get(change, [])
        times = len(mine)
        rarer = sum(len(came) for came in pasts.values() if len(came) <= times) if times else 0
        known = {code for each in pasts for code in each} or {before}
        if not times and len(pasts) >= MOST:
            rarest = min(pasts, key=lambda each: (len(pasts[each]), each))
            del pasts[rarest]
            clocks.pop(rarest, None)
        share, habit = (rarer + 1.0) / (readings + 1.0), 0.0
        if times and share < COMMON and hour - mine[-1] <= FOUR_WEEKS + 2:
            if change in clocks:
                known_days = (time - since) / (HOUR * DAY)
                kept = mine[clocks[change] :]
                habit = max(self.habit(kept, hour, known_days, days) for days in (1, 7))
            elif hour > mine[-1] and self.room(pasts, clocks, hour):
                clocks[change] = times - 1
        else:
            clocks.pop(change, None)
        pasts[change] = [*mine, hour]
        return Seldom(min(max(share, habit), 1.0), float(times), after not in known, len(known))

    def room(self, pasts: dict[Change, list[int]], clocks: dict[Change, int], hour: int) -> bool:
        """Return whether hours of one more change may be kept, the one that was idle for longest giving way."""
        if len(clocks) < CLOCKS:
            return True
        oldest = min(clocks, key=lambda each: (pasts[each][-1], each))
        if hour - pasts[oldest][-1] <= IDLE:
            return False
        del clocks[oldest]
        return True

    def habit(self, hours: list[int], hour: int, known_days: float, days: int) -> float:
        """Return the share of days (or weeks, `days` 7) on which it came at this hour, give or take one."""
        spans = range(days, DAYS + 1, days)
        came = sum(any(hour - DAY * back + off in hours for off in (-1, 0, 1)) for back in spans)
        known = max(min(floor(known_days / days), DAYS // days), came)
        return came / (known + 1.0) if came >= HABIT else 0.0
