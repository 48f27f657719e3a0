"""A slow, obvious reading of the rule language: every reading is kept, and everything is worked out anew each time.

It knows nothing of programs, guards, panes' arrays or batches. A condition is True, False or None (unknown).
"""

from __future__ import annotations

import datetime
import itertools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from rules import expression as language

PANES = 16
LOOSE = ("value", "mean", "min", "max", "median", "quantile")
"""What a deadband goes by."""

GROWS = ("count", "sum", "max", "spread")
"""What more readings in a window could only make larger (a sum, as far as what is summed is not negative)."""

ZONE = ZoneInfo("Asia/Shanghai")
ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


FIGURES = {
    "mean": {"total"},
    "sum": {"total"},
    "min": {"low"},
    "max": {"high"},
    "spread": {"low", "high"},
    "rate": {"total", "moment"},
    "slope": {"total", "moment"},
    "delta": {"first"},
    "median": {"sample"},
    "quantile": {"sample"},
    "count": set(),
}
"""What a statistic is made of: one that is new in a window is unknown until the window lies after that."""


class Tie(Exception):
    """Raised where two fractions are as good as equal: no floating point could tell which is more."""


@dataclass
class History:
    """All readings of one point: (time, value, score), the time being arrival as well; `eta` as the models last said.

    `limits` are those of the registry by name, `below` whether they are floors.
    """

    readings: list[tuple[float, float, float]] = field(default_factory=list)
    eta: float | None = None
    limits: dict[str, float] = field(default_factory=dict)
    below: bool = False

    def window(self, duration: float, now: float, begun: int = 0) -> list[tuple[int, float, float]]:
        """List the readings (place, time, value) that the panes up to `now` hold, from the `begun`-th on."""
        width = duration / PANES
        newest = max(math.floor(now / width), math.floor(self.readings[-1][0] / width)) if self.readings else 0
        return [
            (place, time, value)
            for place, (time, value, _) in enumerate(self.readings)
            if place >= begun and math.floor(time / width) > newest - PANES
        ]


def windowed(node: language.Node) -> set[tuple[str, float]]:
    """Name each statistic and duration that a condition looks at, also inside figures over other points."""
    match node:
        case language.Feature(name, seconds) if name in FIGURES:
            return {(name, seconds)}
        case language.Logic(_, items) | language.Arithmetic(_, items):
            return set().union(*map(windowed, items))
        case language.Compare(_, left, right):
            return windowed(left) | windowed(right)
        case language.Across() | language.AcrossFlag():
            return windowed(node.inner)
    return set()


def sighted(node: language.Node) -> set[Any]:
    """List what a condition asks for: kinds of events, those that are counted, sequences; and what is remembered."""
    match node:
        case language.Flag("seen", _, kind):
            return {kind}
        case language.Events(kind):
            return {kind, ("count", kind), ("events", kind)}
        case language.Order(kinds, seconds):
            return {(kinds, seconds), *(("events", kind) for kind in kinds)}
        case language.Logic(_, items) | language.Arithmetic(_, items):
            return set().union(*map(sighted, items))
        case language.Compare(_, left, right):
            return sighted(left) | sighted(right)
    return set()


def watches(node: language.Node, positive: bool = True) -> bool:
    """Say whether time alone may bring a condition about, so that it is looked at once a second, not at readings only.

    A window's figures move by the clock too, and are looked at when the point reports; but for a count that falls.
    """
    match node:
        case language.Logic("not", (item,)):
            return watches(item, not positive)
        case language.Logic(_, items) | language.Arithmetic(_, items):
            return any(watches(item, positive) for item in items)
        case language.Compare(operation, left, right):
            way = 0 if operation in ("==", "!=") else 1 if (">" in operation) == positive else -1
            return watches(left) or watches(right) or falls(left, way) or falls(right, -way)
        case language.Flag("beyond") | language.Feature() | language.Number():
            return False
    return True


def asks(node: language.Node, kind: str, world: World) -> bool:
    """Say whether the event of this kind that has just come is one that a condition asks for."""
    match node:
        case language.Flag("seen", _, named) | language.Events(named):
            return named == kind
        case language.Order((first, second), seconds):
            come = world.events[-1][1]
            earlier = any(one == first and 0 <= come - time <= seconds for one, time in world.events)
            return second == kind and earlier
        case language.Logic(_, items) | language.Arithmetic(_, items):
            return any(asks(item, kind, world) for item in items)
        case language.Compare(_, left, right):
            return asks(left, kind, world) or asks(right, kind, world)
    return False


def falls(node: language.Node, way: int) -> bool:
    """Say whether a count of readings that falls may make a number higher (way 1), lower (-1), or either (0)."""
    match node:
        case language.Arithmetic("-", (left, right)):
            return falls(left, way) or falls(right, -way)
        case language.Arithmetic("neg", (item,)):
            return falls(item, -way)
        case language.Arithmetic(operation, items):
            return any(falls(item, way if operation in ("+", "min", "max") else 0) for item in items)
    return isinstance(node, language.Feature) and node.name == "count" and way != 1


class World:
    """What happened: readings of points in one area, events, and where the clock stands."""

    def __init__(self, points: dict[str, History], figures: dict[str, list[str]]) -> None:
        self.points = points
        self.begun: dict[tuple[float, str], dict[str, int]] = {}  # window and figure → point → its first reading there
        self.near = figures  # point → its neighbours
        self.events: list[tuple[str, float]] = []
        self.watched: dict[Any, tuple[float, int]] = {}  # what is asked for → since when, and the first event then
        self.clock = 0.0
        self.modes: dict[str, float] = {}  # mode → until when it lasts, everywhere
        self.ticked: dict[tuple[str, language.Node], Any] = {}  # figures as the last tick left them

    def publish(self, conditions: list[language.Node]) -> None:
        """Keep the windows that these conditions look at; those that nobody looked at before begin now."""
        asked = set().union(*map(windowed, conditions))
        kinds = set().union(*map(sighted, conditions))
        self.watched = {kind: self.watched.get(kind, (self.clock, len(self.events))) for kind in kinds}
        wanted = {(seconds, figure) for name, seconds in asked for figure in {"", *FIGURES[name]}}  # "": its readings
        now = {name: len(history.readings) for name, history in self.points.items()}
        self.begun = {one: self.begun.get(one, now) for one in wanted}
        for (seconds, figure), begun in self.begun.items():
            if begun is now and self.begun[seconds, ""] is now:
                self.begun[seconds, figure] = self.begun[seconds, ""]

    def truth(self, node: language.Node, point: str, now: float, slack: float = 0.0) -> bool | None:
        """Say whether a condition holds, with limits that are `slack` easier to be beyond."""
        match node:
            case language.Logic("not", (item,)):
                found = self.truth(item, point, now, -slack)
                return None if found is None else not found
            case language.Logic(operation, items):
                each = [self.truth(item, point, now, slack) for item in items]
                decides = operation == "or"
                return decides if decides in each else None if None in each else not decides
            case language.Compare(operation, left, right):
                a, b = self.span(left, point, now), self.span(right, point, now)
                if a is None or b is None:
                    return None
                if isinstance(left, language.Feature) and left.name in LOOSE and operation not in ("==", "!="):
                    b = tuple(one + (-slack if ">" in operation else slack) for one in b)
                return self._compared(operation, a, b)
            case language.Flag("beyond", _, what):
                history = self.points[point]
                if not history.readings or what not in history.limits:
                    return None
                value, limit = history.readings[-1][1], history.limits[what]
                return value <= limit + slack if history.below else value >= limit - slack
            case language.Flag("flat", seconds):
                readings = self.points[point].readings
                if not readings:
                    return None
                same = 0
                while same < len(readings) and readings[-1 - same][1] == readings[-1][1]:
                    same += 1
                return now - readings[-same][0] >= seconds
            case language.AcrossFlag():
                return self.ticked.get((point if node.over == "neighbours" else "", node))
            case language.Flag("seen", seconds, kind):
                since, place = self.watched[kind]
                if any(one == kind and abs(now - time) <= seconds for one, time in self.events[place:]):
                    return True
                return False if now - since >= seconds else None
            case language.Order((first, second), seconds):
                found = any(
                    (one, other) == (first, second) and 0 <= b - a <= seconds and abs(now - a) <= seconds
                    for one, a in self.events
                    for other, b in self.events
                ) and self._latest_begins_within(first, second, seconds, now)
                return found or (False if now - self.watched[node.kinds, seconds][0] >= seconds else None)
            case language.Flag("mode", _, named):
                return self.modes.get(named, self.clock) > self.clock
            case language.Flag("night"):
                return self.local(now).hour >= 22 or self.local(now).hour < 6
        raise TypeError(node)

    def _latest_begins_within(self, first: str, second: str, seconds: float, now: float) -> bool:
        begun = [
            a
            for one, a in self.events
            for other, b in self.events
            if (one, other) == (first, second) and 0 <= b - a <= seconds
        ]
        return abs(now - max(begun)) <= seconds

    @staticmethod
    def _compared(operation: str, a: Any, b: Any) -> bool | None:
        """Say whether it holds wherever between its bounds each side lies; two are equal only if both are sure."""
        if operation in ("==", "!="):
            return ORDER[operation](a[0], b[0]) if a[0] == a[1] and b[0] == b[1] else None
        each = {ORDER[operation](one, other) for one in a for other in b}
        return each.pop() if len(each) == 1 else None

    def span(self, node: language.Node, point: str, now: float) -> tuple[float, float] | None:
        """Work out between which bounds a number lies: a window, and what events tell, may not have been kept whole."""
        if isinstance(node, language.Arithmetic):
            each = [self.span(item, point, now) for item in node.items]
            if None in each:
                return None
            match node.operation:
                case "-":
                    (low, high), (least, most) = each  # type: ignore[misc]
                    return low - most, high - least
                case "neg":
                    (low, high) = each[0]  # type: ignore[misc]
                    return -high, -low
                case "+" | "min" | "max":
                    lows, highs = zip(*each, strict=True)  # type: ignore[arg-type]
                    return self._sum(node.operation, lows), self._sum(node.operation, highs)  # type: ignore[return-value]
            if any(low != high for low, high in each):  # type: ignore[misc]
                return None
        if isinstance(node, language.Across) and node.operation == "count":
            return self.ticked.get((point if node.over == "neighbours" else "", node))
        found = self.number(node, point, now)
        if found is None:
            return None
        if isinstance(node, language.Events):
            whole = now - self.watched["count", node.kind][0] >= node.seconds
        elif isinstance(node, language.Feature) and node.name in (*GROWS, "min"):
            begun = self.begun[node.seconds, ""][point]
            whole = now - self.points[point].readings[begun][0] >= node.seconds
        else:
            return found, found
        if whole:
            return found, found
        return (-math.inf, found) if getattr(node, "name", "") == "min" else (found, math.inf)

    def number(self, node: language.Node, point: str, now: float) -> float | None:
        """Work out a number by what is known; None is unknown."""
        match node:
            case language.Number(value):
                return value
            case language.Arithmetic(operation, items):
                each = [self.number(item, point, now) for item in items]
                return None if None in each else self._sum(operation, each)  # type: ignore[arg-type]
            case language.Across():
                return self.ticked.get((point if node.over == "neighbours" else "", node))
            case language.Events(kind, seconds):
                _, place = self.watched["events", kind]
                return float(sum(one == kind and abs(now - time) <= seconds for one, time in self.events[place:]))
            case language.Clock(name):
                local = self.local(now)
                return float(local.hour if name == "hour" else local.isoweekday())
            case language.Feature(name):
                history = self.points[point]
                if not history.readings:
                    return None
                if name in ("value", "score"):
                    return history.readings[-1][1 if name == "value" else 2]
                if name == "eta":
                    if history.eta is None or node.argument not in history.limits:
                        return None
                    return max(history.eta - max(now - history.readings[-1][0], 0.0), 0.0)
                return self._windowed(node, history, now)
        raise TypeError(node)

    def _windowed(self, node: language.Feature, history: History, now: float) -> float | None:
        name = next(one for one, other in self.points.items() if other is history)
        begun = self.begun[node.seconds, ""][name]
        inside = history.window(node.seconds, now, begun)
        values = [value for _, _, value in inside]
        if node.name == "count":
            return float(len(values)) if len(history.readings) > begun else None
        known = max(self.begun[node.seconds, figure][name] for figure in FIGURES[node.name])
        if not values or inside[0][0] < known:
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
            case "rate" | "slope":
                return self._line(node, inside)
            case "median" | "quantile":
                share = 0.5 if node.name == "median" else node.share
                return next(
                    value
                    for value in sorted(values)
                    if sum(one <= value for one in values) >= share * len(values) - 1e-9
                )
        raise TypeError(node)

    @staticmethod
    def _line(node: language.Feature, inside: list[tuple[int, float, float]]) -> float | None:
        """Fit a line through the panes: each stands at the mean time and mean value of its readings."""
        panes: dict[int, list[tuple[Fraction, Fraction]]] = {}
        width = Fraction(node.seconds) / PANES
        for _, time, value in inside:
            panes.setdefault(math.floor(Fraction(time) / width), []).append((Fraction(time), Fraction(value)))
        dots = [
            (sum(one for one, _ in each) / len(each), sum(one for _, one in each) / len(each), len(each))
            for each in panes.values()
        ]
        span = max(when for when, _, _ in dots) - min(when for when, _, _ in dots)
        half = Fraction(node.seconds) / 2
        if abs(span - half) < Fraction(1, 10**6) and any(when.denominator > 2 for when, _, _ in dots):
            raise Tie
        if span < half:
            return None
        if node.name == "slope":
            return float(statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(dots, 2)))
        number = sum(count for _, _, count in dots)
        middle = sum(when * count for when, _, count in dots) / number
        height = sum(value * count for _, value, count in dots) / number
        product = sum(count * (when - middle) * (value - height) for when, value, count in dots)
        return float(product / sum(count * (when - middle) ** 2 for when, _, count in dots))

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
    def local(now: float) -> datetime.datetime:
        """Read the site's clock."""
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
                if not set(each) - {None}:
                    return None
                return float(each.count(True)), float(len(each) - each.count(False))
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
    deadband: float = 0.0  # how far the value must be back, where nothing else says what clears
    beside: language.Node | None = None  # one of what corroborates it
    schedule: tuple[int, int, tuple[int, ...]] | None = None  # minutes of the day from and to, days from 1 (Monday)

    def within(self, world: World, now: float) -> bool:
        """Say whether its schedule lets it count."""
        if self.schedule is None:
            return True
        first, last, days = self.schedule
        local = world.local(now)
        minute = local.hour * 60 + local.minute
        inside = first <= minute < last if first < last else minute >= first or minute < last
        return inside and (not days or local.isoweekday() in days)

    def holds(self, world: World, point: str, now: float) -> bool:
        """Say whether it is known that it may be raised."""
        parts = [self.when] if self.beside is None else [self.when, self.beside]
        return self.within(world, now) and all(world.truth(part, point, now) is True for part in parts)

    def lets_go(self, world: World, point: str, now: float) -> bool:
        """Say whether it is known that it may be left."""
        if not self.within(world, now):
            return True
        if self.clear is None:
            return world.truth(self.when, point, now, self.deadband) is False
        return world.truth(self.clear, point, now) is True


class Machine:
    """One rule at one point: which level is raised."""

    def __init__(self, point: str, levels: list[Level], *, fresh: bool = False) -> None:
        self.point, self.levels = point, levels
        self.fresh = fresh  # it was just published: the next tick looks at what was read before
        self.waits = False  # a delay runs
        conditions = [one for level in levels for one in (level.when, level.clear, level.beside) if one is not None]
        self.conditions = conditions
        self.watches = any(level.schedule or level.beside for level in levels) or any(map(watches, conditions))
        self.current = 0
        self.since: dict[int, float | None] = {level.rank: None for level in levels}
        self.calm: float | None = None
        self.held: dict[int, list[bool]] = {level.rank: [] for level in levels}

    def go_on(self, before: Machine | None, same: set[int]) -> None:
        """Take over from the rule of before what it remembers of the levels that decide as they did."""
        if before is None:
            return
        for rank in same:
            self.since[rank], self.held[rank] = before.since[rank], before.held[rank]
        if before.current in same:
            self.current, self.calm = before.current, before.calm

    def hear(self, world: World, kind: str, now: float) -> None:
        """Look at an event at once, beside figures over other points as they were at the last tick."""
        if any(asks(node, kind, world) for node in self.conditions):
            self._move(world, now, reading=False)

    def look(self, world: World, now: float, *, reading: bool) -> None:
        """Move to what holds now, where there is something to look at."""
        if reading or self.fresh or self.watches or self.waits:
            self.fresh = self.fresh and reading
            self._move(world, now, reading)

    def _move(self, world: World, now: float, reading: bool) -> None:
        self._decide(world, now, reading)
        begun = [since is not None and rank > self.current for rank, since in self.since.items()]
        self.waits = any(begun) or self.calm is not None

    def _decide(self, world: World, now: float, reading: bool) -> None:
        standing = raised = 0
        for level in self.levels:
            true = level.holds(world, self.point, now)
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
        if not level.lets_go(world, self.point, now):
            self.calm = None
            return
        self.calm = now if self.calm is None else self.calm
        if now - self.calm >= level.clear_after:
            self.current, self.calm = standing, None
