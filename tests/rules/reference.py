"""A slow, obvious reading of the rule language: every reading is kept, and everything is worked out anew each time.

It knows nothing of programs, guards, panes' arrays or batches. A condition is True, False or None (unknown).
"""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from rules import expression as language

PANES = 16
ZONE = ZoneInfo("Asia/Shanghai")
ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


@dataclass
class History:
    """All readings of one point: (time, value, score), the time being arrival as well."""

    readings: list[tuple[float, float, float]] = field(default_factory=list)

    def window(self, duration: float, now: float) -> list[tuple[float, float]]:
        """List the readings that the panes up to `now` hold."""
        width = duration / PANES
        newest = max(math.floor(now / width), math.floor(self.readings[-1][0] / width)) if self.readings else 0
        return [(time, value) for time, value, _ in self.readings if math.floor(time / width) > newest - PANES]


class World:
    """What happened: readings of points in one area, events, and where the clock stands."""

    def __init__(self, points: list[str], figures: dict[str, list[str]]) -> None:
        self.points = {name: History() for name in points}
        self.near = figures  # point → its neighbours
        self.events: list[tuple[str, float]] = []
        self.clock = 0.0
        self.ticked: dict[tuple[str, language.Node], Any] = {}  # figures as the last tick left them

    def truth(self, node: language.Node, point: str, now: float) -> bool | None:
        """Say whether a condition holds."""
        match node:
            case language.Logic("not", (item,)):
                found = self.truth(item, point, now)
                return None if found is None else not found
            case language.Logic(operation, items):
                each = [self.truth(item, point, now) for item in items]
                decides = operation == "or"
                return decides if decides in each else None if None in each else not decides
            case language.Compare(operation, left, right):
                a, b = self.number(left, point, now), self.number(right, point, now)
                return None if a is None or b is None else ORDER[operation](a, b)
            case language.AcrossFlag():
                return self.ticked.get((point if node.over == "neighbours" else "", node))
            case language.Flag("seen", seconds, kind):
                return any(one == kind and abs(now - time) <= seconds for one, time in self.events)
            case language.Order((first, second), seconds):
                return any(
                    (one, other) == (first, second) and 0 <= b - a <= seconds and abs(now - a) <= seconds
                    for one, a in self.events
                    for other, b in self.events
                ) and self._latest_begins_within(first, second, seconds, now)
            case language.Flag("night"):
                return self._local(now).hour >= 22 or self._local(now).hour < 6
        raise TypeError(node)

    def _latest_begins_within(self, first: str, second: str, seconds: float, now: float) -> bool:
        begun = [
            a
            for one, a in self.events
            for other, b in self.events
            if (one, other) == (first, second) and 0 <= b - a <= seconds
        ]
        return abs(now - max(begun)) <= seconds

    def number(self, node: language.Node, point: str, now: float) -> float | None:
        """Work out a number; None is unknown."""
        match node:
            case language.Number(value):
                return value
            case language.Arithmetic(operation, items):
                each = [self.number(item, point, now) for item in items]
                return None if None in each else self._sum(operation, each)  # type: ignore[arg-type]
            case language.Across():
                return self.ticked.get((point if node.over == "neighbours" else "", node))
            case language.Events(kind, seconds):
                return float(sum(one == kind and abs(now - time) <= seconds for one, time in self.events))
            case language.Clock(name):
                local = self._local(now)
                return float(local.hour if name == "hour" else local.isoweekday())
            case language.Feature(name):
                history = self.points[point]
                if not history.readings:
                    return None
                if name in ("value", "score"):
                    return history.readings[-1][1 if name == "value" else 2]
                return self._windowed(node, history, now)
        raise TypeError(node)

    def _windowed(self, node: language.Feature, history: History, now: float) -> float | None:
        inside = history.window(node.seconds, now)
        values = [value for _, value in inside]
        if node.name == "count":
            return float(len(values))
        if not values:
            return None
        match node.name:
            case "mean":
                return statistics.fmean(values)
            case "sum":
                return sum(values)
            case "min":
                return min(values)
            case "max":
                return max(values)
            case "spread":
                return max(values) - min(values)
            case "delta":
                return history.readings[-1][1] - values[0]
            case "median" | "quantile":
                share = 0.5 if node.name == "median" else node.share
                return next(
                    value
                    for value in sorted(values)
                    if sum(one <= value for one in values) >= share * len(values) - 1e-9
                )
        raise TypeError(node)

    @staticmethod
    def _sum(operation: str, each: list[float]) -> float | None:
        match operation:
            case "+":
                return each[0] + each[1]
            case "-":
                return each[0] - each[1]
            case "*":
                return each[0] * each[1]
            case "/":
                return each[0] / each[1] if each[1] else None
            case "neg":
                return -each[0]
            case "abs":
                return abs(each[0])
            case "min":
                return min(each)
        return max(each)

    @staticmethod
    def _local(now: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(now, ZONE)

    def tick(self, clock: float, figures: list[language.Node]) -> None:
        """Move the clock and work the figures over points out, which hold until the next tick."""
        self.clock = clock
        for node in figures:
            assert isinstance(node, language.Across | language.AcrossFlag)
            for owner in self.near if node.over == "neighbours" else [""]:
                members = self.near[owner] if owner else list(self.points)
                self.ticked[owner, node] = self._figure(node, members)

    def _figure(self, node: Any, members: list[str]) -> Any:
        if node.inner.boolean:
            each = [self.truth(node.inner, name, self.own_time(name)) for name in members]
            if node.operation == "count":
                return float(each.count(True)) if set(each) - {None} else None
            decides = node.operation == "any"
            if not each:
                return None
            return decides if decides in each else None if None in each else not decides
        known = [
            one for one in (self.number(node.inner, name, self.own_time(name)) for name in members) if one is not None
        ]
        if not known:
            return None
        return {"max": max, "min": min, "mean": statistics.fmean, "sum": sum}[node.operation](known)

    def own_time(self, point: str) -> float:
        """Say where a point's own clock stands."""
        readings = self.points[point].readings
        return max(readings[-1][0], self.clock) if readings else self.clock


@dataclass
class Level:
    """One level as it is decided: its conditions, delays, samples."""

    rank: int
    when: language.Node
    clear: language.Node | None  # None: that `when` is known not to hold
    hold: float = 0.0
    clear_after: float = 0.0
    samples: tuple[int, int] = (0, 0)


class Machine:
    """One rule at one point: which level is raised."""

    def __init__(self, point: str, levels: list[Level]) -> None:
        self.point, self.levels = point, levels
        self.current = 0
        self.since: dict[int, float | None] = {level.rank: None for level in levels}
        self.calm: float | None = None
        self.held: dict[int, list[bool]] = {level.rank: [] for level in levels}

    def look(self, world: World, now: float, *, reading: bool) -> None:
        """Move to what holds now."""
        standing = raised = 0
        for level in self.levels:
            true = world.truth(level.when, self.point, now) is True
            if reading:
                self.held[level.rank].append(true)
            since = self.since[level.rank]
            self.since[level.rank] = (now if since is None else since) if true else None
            if not true:
                continue
            standing = max(standing, level.rank)
            least, of = level.samples
            often = not least or sum(self.held[level.rank][-of:]) >= least
            if now - self.since[level.rank] >= level.hold and often:  # type: ignore[operator]
                raised = max(raised, level.rank)
        if raised > self.current:
            self.current, self.calm = raised, None
            return
        if standing >= self.current:
            self.calm = None
            return
        level = next(one for one in self.levels if one.rank == self.current)
        told = world.truth(level.when if level.clear is None else level.clear, self.point, now)
        if told is not (level.clear is not None):
            self.calm = None
            return
        self.calm = now if self.calm is None else self.calm
        if now - self.calm >= level.clear_after:
            self.current, self.calm = standing, None
