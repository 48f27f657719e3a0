"""The counts of changes written plainly, each question asked of all changes anew: what `models.codes` is held to."""

from __future__ import annotations

from math import floor

from models.codes import MOST, Change, Seldom
from models.hours import DAYS, HABIT

HOUR, DAY = 3600.0, 24


class SlowCodes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self.pasts: dict[int, dict[Change, list[int]]] = {}  # the hour of each time that a change came

    def change(self, row: int, before: float, after: float, readings: float, time: float, since: float) -> Seldom:
        """Take a change; return how seldom such a one is."""
        pasts = self.pasts.setdefault(row, {})
        change, hour = (before, after), floor(time / HOUR)
        mine = pasts.get(change, [])
        times = len(mine)
        rarer = sum(len(came) for came in pasts.values() if len(came) <= times) if times else 0
        known = {code for each in pasts for code in each} or {before}
        if not times and len(pasts) >= MOST:
            del pasts[min(pasts, key=lambda each: (len(pasts[each]), each))]
        habit = max(self.habit(mine, hour, (time - since) / (HOUR * DAY), days) for days in (1, 7))
        pasts[change] = [*mine, hour]
        share = max((rarer + 1.0) / (readings + 1.0), habit)
        return Seldom(min(share, 1.0), float(times), after not in known, len(known))

    def habit(self, hours: list[int], hour: int, known_days: float, days: int) -> float:
        """Return the share of days (or weeks, `days` 7) on which it came at this hour, give or take one."""
        spans = range(days, DAYS + 1, days)
        came = sum(any(hour - DAY * back + off in hours for off in (-1, 0, 1)) for back in spans)
        known = max(min(floor(known_days / days), DAYS // days), came)
        return came / (known + 1.0) if came >= HABIT else 0.0
