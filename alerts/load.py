"""Alarm load: how many alarms ring for the people at the desk, against EEMUA 191 and ISA-18.2.

Counted are rings: an alarm that comes to wait for an acknowledgement, be it new, back or at a higher level. Folded
rings, and those of alarms about the quality of data, which are shown apart, ask nobody for anything and do not count.
Figures depend on which rings there were, not on the order in which they are told, so live and replayed ones agree.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, Literal, TypeVar

import msgspec

from sensors.site import LEVELS

Key = TypeVar("Key")

MINUTE = 60.0
DAY_MINUTES = 1440
SPAN = 10
"""Minutes over which a desk's load is told."""

FLOOD_ABOVE = 10
FLOOD_BELOW = 5
"""A flood begins with more than the one within `SPAN`, and is over with fewer than the other (EEMUA 191)."""

TOP = 10
MOST_SOURCES = 10_000
"""Sources counted of one hour; rings of further ones count without a name."""

RINGS = ("alarm", "raise", "realarm", "unshelve", "unsuppress", "in_service", "unhush")
"""Edges that ring where they lead to UNACK."""

Habit = Literal["rang", "chattered", "stale"]
"""What makes an alarm a bad actor: how often it rang, was folded as it chattered, or went stale."""

Band = Literal["acceptable", "manageable", "demanding", "unacceptable"]
BANDS: tuple[tuple[int, Band], ...] = ((1, "acceptable"), (2, "manageable"), (5, "demanding"))
"""EEMUA 191: rings in ten minutes that are at most so many are so; more are unacceptable."""


class Actor(msgspec.Struct, frozen=True):
    """Say how often the alarm of one rule and scope rang, or did what else it is listed for."""

    rule: str
    scope: str
    rings: int
    share: float  # of all that did so


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """Give the load at one moment, as the page's header shows it: rings of the last ten minutes and day."""

    ten_minutes: int
    day: int
    band: Band  # of the last ten minutes
    flood: bool
    flood_since: float | None  # unix seconds
    levels: dict[str, int]  # of the day, by level: EEMUA 191 looks for about 5, 15 and 80 % of high, medium and low


class Figures(Now, frozen=True, kw_only=True):
    """Give the load at one moment whole: the last hour too, what the day was like, and who rang."""

    hour: int
    peak: int  # most rings in ten minutes of the day
    floods: int  # of the day
    flood_minutes: int  # of the day
    actors: tuple[Actor, ...]  # those that rang most in the day
    chattering: tuple[Actor, ...]  # those whose rings were folded most often in the day
    stale: tuple[Actor, ...]  # those that went stale in the day


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """Give the load of all that was counted, such as a replayed stretch."""

    rings: int
    peak: int  # most rings in ten minutes
    peak_at: float | None  # when the first such ten minutes ended, unix seconds
    floods: int
    flood_minutes: int
    levels: dict[str, int]
    actors: tuple[Actor, ...]
    chattering: tuple[Actor, ...]
    stale: tuple[Actor, ...]


def habit(record: dict[str, Any]) -> Habit | None:
    """Say what an alarm's transition, as its record says, counts it for; None where for nothing."""
    if rings(record):
        return "rang"
    if record["kind"] == "data_quality" or record.get("exercise"):
        return None
    if record["edge"] == "stale":
        return "stale"
    return "chattered" if "folded" in record.get("marks", ()) else None


def rings(record: dict[str, Any]) -> bool:
    """Tell whether an alarm's transition, as its record says, rings."""
    return (
        record["after"] == "UNACK"
        and record["edge"] in RINGS
        and record["kind"] != "data_quality"
        and not {"folded", "silenced"}.intersection(record.get("marks", ()))
        and not record.get("exercise")  # a drill asks nothing of the desk that it is not there for
    )


class Load:
    """Count rings by the minute and the source, for a day. No clock: `now` is unix seconds."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[str]] = {}
        self._sources: dict[int, Counter[tuple[str, str]]] = {}  # by the hour
        self._habits: dict[int, Counter[tuple[Habit, str, str]]] = {}  # likewise, of those that did not ring

    def note(self, records: Iterable[dict[str, Any]]) -> None:
        """Count alarms' transitions, those that ring."""
        for record in records:
            found = habit(record)
            if found is None:
                continue
            minute = int(record["time"] // MINUTE)
            if found != "rang":
                _count(self._habits.setdefault(minute // 60, Counter()), (found, record["rule"], record["scope"]))
                continue
            self._minutes.setdefault(minute, Counter())[record["level"]] += 1
            _count(self._sources.setdefault(minute // 60, Counter()), (record["rule"], record["scope"]))

    def forget(self, now: float) -> None:
        """Drop what is older than a day."""
        oldest = int(now // MINUTE) - DAY_MINUTES - SPAN
        self._minutes = {minute: count for minute, count in self._minutes.items() if minute > oldest}
        self._sources = {hour: count for hour, count in self._sources.items() if hour >= oldest // 60}
        self._habits = {hour: count for hour, count in self._habits.items() if hour >= oldest // 60}

    def now(self, now: float) -> Now:
        """Tell the load at `now`, without what costs more than a glance: it is asked for every second."""
        return Now(**self._glance(now)[0])

    def figures(self, now: float) -> Figures:
        """Tell the load at `now`, whole."""
        glance, spans, flood = self._glance(now)
        last = int(now // MINUTE)
        return Figures(
            **glance,
            hour=self._levels(last - 59, last).total(),
            peak=max(spans),
            floods=len(_begins(flood)),
            flood_minutes=sum(flood),
            actors=self._actors(last // 60 - 23, last // 60),
            chattering=self._habit("chattered", last // 60 - 23, last // 60),
            stale=self._habit("stale", last // 60 - 23, last // 60),
        )

    def whole(self) -> Whole:
        """Tell the load of all that was counted and not forgotten."""
        first, last = min(self._minutes, default=0), max(self._minutes, default=0)
        spans, flood = self._course(first, last + SPAN)
        levels = self._levels(first, last)
        peak = max(spans)
        return Whole(
            rings=levels.total(),
            peak=peak,
            peak_at=(first + spans.index(peak) + 1) * MINUTE if peak else None,
            floods=len(_begins(flood)),
            flood_minutes=sum(flood),
            levels={level: levels[level] for level in LEVELS},
            actors=self._actors(first // 60, last // 60),
            chattering=self._habit("chattered", 0, sys.maxsize),
            stale=self._habit("stale", 0, sys.maxsize),
        )

    def hours(self) -> dict[float, int]:
        """Count rings by the hour: unix seconds at which it begins, of hours in which there was any."""
        counted: Counter[int] = Counter()
        for minute, count in self._minutes.items():
            counted[minute // 60] += count.total()
        return {hour * 3600.0: counted[hour] for hour in sorted(counted)}

    def _glance(self, now: float) -> tuple[dict[str, Any], list[int], list[bool]]:
        """Give the fields of `Now`, and the course of the day that they were read off."""
        last = int(now // MINUTE)
        first = last - DAY_MINUTES + 1
        spans, flood = self._course(first, last)
        begins, levels = _begins(flood), self._levels(first, last)
        glance = {
            "ten_minutes": spans[-1],
            "day": levels.total(),
            "band": band(spans[-1]),
            "flood": flood[-1],
            "flood_since": (first + begins[-1]) * MINUTE if flood[-1] else None,
            "levels": {level: levels[level] for level in LEVELS},
        }
        return glance, spans, flood

    def _course(self, first: int, last: int) -> tuple[list[int], list[bool]]:
        """Give, of each minute, the rings of the ten minutes that it ends, and whether it is one of a flood."""
        counts = [self._minutes[at].total() if at in self._minutes else 0 for at in range(first - SPAN + 1, last + 1)]
        total = [0, *accumulate(counts)]
        spans = [after - before for before, after in zip(total, total[SPAN:], strict=False)]
        return spans, floods(spans)

    def _levels(self, first: int, last: int) -> Counter[str]:
        return _summed(count for minute, count in self._minutes.items() if first <= minute <= last)

    def _actors(self, first: int, last: int) -> tuple[Actor, ...]:
        """Name those that rang most in some hours."""
        return _most(_summed(count for hour, count in self._sources.items() if first <= hour <= last))

    def _habit(self, what: Habit, first: int, last: int) -> tuple[Actor, ...]:
        """Name those that did something else than ring most often in some hours."""
        found: Counter[tuple[str, str]] = Counter()
        for hour, counts in self._habits.items():
            if first <= hour <= last:
                found.update({(rule, scope): count for (habit, rule, scope), count in counts.items() if habit == what})
        return _most(found)


def _count(counted: Counter[Key], key: Key) -> None:
    if key in counted or len(counted) < MOST_SOURCES:
        counted[key] += 1


def _most(sources: Counter[tuple[str, str]]) -> tuple[Actor, ...]:
    total = sources.total()
    most = sorted(sources.items(), key=lambda one: (-one[1], one[0]))[:TOP]
    return tuple(Actor(rule, scope, count, count / total) for (rule, scope), count in most)


def _summed(counts: Iterable[Counter[Key]]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for one in counts:
        found.update(one)  # adding makes a new one each time
    return found


def _begins(flood: Sequence[bool]) -> list[int]:
    return [at for at in range(len(flood)) if flood[at] and not (at and flood[at - 1])]


def band(count: int) -> Band:
    """Say how bearable so many rings in ten minutes are."""
    return next((name for most, name in BANDS if count <= most), "unacceptable")


def floods(spans: Sequence[int]) -> list[bool]:
    """Say of each minute whether it is one of a flood, by the rings of the ten minutes that it ends."""
    found: list[bool] = []
    flood = False
    for count in spans:
        flood = count >= FLOOD_BELOW if flood else count > FLOOD_ABOVE
        found.append(flood)
    return found
