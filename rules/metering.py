"""Measure what each rule costs: beside the evaluator that decides, one for each rule alone is given the same calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import numpy as np

from rules.compiler import compile_rules
from rules.evaluation import Evaluator
from rules.explanation import Change
from rules.expression import AREA_SCORE
from rules.rule import Rule
from sensors.site import Point, Site


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule cost: CPU seconds in which it was evaluated, and bytes of its state and windows.

    What any set of rules costs (the points' last values, the clock) is left out; a window that several rules use is in
    the cost of each.
    """

    rule: str
    cpu: float
    bytes: int
    places: int  # points, areas or cameras that it covers
    readings: int  # of all points, over which it was measured


class _Alone:
    """One rule, or none, by itself."""

    def __init__(self, rule: Rule | None, meter: Metered, site: Site, points: Sequence[Point]) -> None:
        areas = meter.book.areas
        book = compile_rules([] if rule is None else [rule], site, points, areas)
        self.evaluator = Evaluator(book, meter.bank)
        self.evaluator.restore(meter.state())
        self.nanoseconds = 0

    def call(self, name: str, *args: Any, **named: Any) -> None:
        """Call a method and count the CPU time of this thread in it."""
        method = getattr(self.evaluator, name)
        begun = time.thread_time_ns()
        method(*args, **named)
        self.nanoseconds += time.thread_time_ns() - begun


def _beside(name: str) -> Callable[..., Any]:
    def both(self: Metered, *args: Any, **named: Any) -> Any:
        found = getattr(Evaluator, name)(self, *args, **named)
        for alone in (self.nothing, *self.alone.values()):
            alone.call(name, *args, **named)
        return found

    return both


class Metered(Evaluator):
    """Take the place of an evaluator: the same state, the same changes, and each rule measured beside it."""

    def __init__(self, evaluator: Evaluator, site: Site, points: Sequence[Point], rules: Collection[str]) -> None:
        vars(self).update(vars(evaluator))
        self.counted = 0
        self.nothing = _Alone(None, self, site, points)
        self.alone = {rule.id: _Alone(rule, self, site, points) for rule in self.book.rules if rule.id in rules}

    def readings(self, rows: Any, *args: Any, **named: Any) -> list[Change]:
        """Take in readings as the evaluator does."""
        self.counted += len(rows)
        found: list[Change] = _readings(self, rows, *args, **named)
        return found

    def tick(self, *args: Any, **named: Any) -> list[Change]:
        """Move the clock as the evaluator does."""
        for alone in self.alone.values():  # what models of areas say is worked out once
            for mine, known in (
                (alone.evaluator.across, self.across),
                (alone.evaluator.across_real, self.across_real),
            ):
                np.copyto(mine[AREA_SCORE], known[AREA_SCORE])
        found: list[Change] = _tick(self, *args, **named)
        return found

    event = _beside("event")
    health = _beside("health")
    mark = _beside("mark")
    source = _beside("source")
    cameras_of_source = _beside("cameras_of_source")
    pause = _beside("pause")
    step = _beside("step")
    shift = _beside("shift")

    def costs(self) -> list[Cost]:
        """Return what each rule cost so far, the dearest first."""
        found = [
            Cost(
                rule=id,
                cpu=max(alone.nanoseconds - self.nothing.nanoseconds, 0) / 1e9,
                bytes=max(alone.evaluator.nbytes - self.nothing.evaluator.nbytes, 0),
                places=alone.evaluator.book.instances,
                readings=self.counted,
            )
            for id, alone in self.alone.items()
        ]
        return sorted(found, key=lambda cost: (-cost.cpu, cost.rule))


_readings = _beside("readings")
_tick = _beside("tick")
