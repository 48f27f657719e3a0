"""The counts of changes written plainly, each question asked of all changes anew: what `models.codes` is held to."""

from __future__ import annotations

from math import floor

from models.codes import COMMON, FEW, MOST, Change, Seldom
from models.hours import DAYS, FEWER, HABIT, IDLE
from models.hours import MOST as MOST_HOURS

HOUR, DAY = 3600.0, 24


class SlowCodes:
    """Count the changes of all coded rows."""

    def __init__(self) -> None:
        self.pasts: dict[int, dict[Change, int]] = {}  # how often each change came
        self.forgotten: dict[int, list[int]] = {}  # how often those came that gave way, and how many codes did
        self.clocks: dict[int, dict[tuple[Change, int], list[int]]] = {}  # the days of a change and hour of the day

    def change(self, row: int, before: float, after: float, readings: float, time: float, since: float) -> Seldom:
        """Take a change; return how seldom such a one is."""
        past, clocks = self.pasts.setdefault(row, {}), self.clocks.setdefault(row, {})
        forgotten = self.forgotten.setdefault(row, [0, 0])
        change, hour = (before, after), floor(time / HOUR)
        times = past.get(change, 0)
        known = {code for each in past for code in each} or {before}
        unseen = after not in known
        rarer = forgotten[unseen] + (sum(came for came in past.values() if came <= times) if times else 0)
        if not times and len(past) >= MOST:
            rarest = min(past, key=lambda each: (past[each], each))
            forgotten[0] += past.pop(rarest)
            forgotten[1] += len(set(rarest) - {code for each in past for code in each})
            for word in [word for word in clocks if word[0] == rarest]:
                del clocks[word]
        if not times and len(past) == FEW:
            words = sorted(clocks, key=lambda word: (-clocks[word][-1], *word))
            for word in words[FEWER:]:
                del clocks[word]
        most = FEWER if len(past) + (not times) > FEW else MOST_HOURS
        share, habit = (rarer + 1.0) / (readings + 1.0), 0.0
        if share < COMMON:
            kept = [DAY * day + at for (which, at), days in clocks.items() if which == change for day in days]
            habit = max(self.habit(kept, hour, (time - since) / (HOUR * DAY), days) for days in (1, 7))
            self.keep(clocks, change, hour, most)
        past[change] = times + 1
        return Seldom(min(max(share, habit), 1.0), float(times), unseen, len(known))

    def keep(self, clocks: dict[tuple[Change, int], list[int]], change: Change, hour: int, most: int) -> None:
        """Keep the day of a change and hour, those that were idle for longest giving way."""
        day, at = divmod(hour, DAY)
        for word in [word for word, days in clocks.items() if day - days[-1] > DAYS + 1]:
            del clocks[word]
        if (change, at) not in clocks and len(clocks) >= most:
            oldest = min(days[-1] for days in clocks.values())
            if day - oldest < IDLE:
                return
            for word in [word for word, days in clocks.items() if days[-1] == oldest]:
                del clocks[word]
        clocks.setdefault((change, at), []).append(day)

    def habit(self, hours: list[int], hour: int, known_days: float, days: int) -> float:
        """Return the share of days (or weeks, `days` 7) on which it came at this hour, give or take one."""
        spans = range(days, DAYS + 1, days)
        came = sum(any(hour - DAY * back + off in hours for off in (-1, 0, 1)) for back in spans)
        known = max(min(floor(known_days / days), DAYS // days), came)
        return came / (known + 1.0) if came >= HABIT else 0.0
