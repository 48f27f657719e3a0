"""Drills (演练) of one partition: what is part of one, who may be sent in it, and its end. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from alerts.outcome import AnyOutcome, ExerciseChange
from sensors.observation import Exercise

if TYPE_CHECKING:
    from alerts.casebook import Casebook

MOST = 16
"""Drills that run at once."""


class Drill(msgspec.Struct):
    """A drill that runs, at the longest `until` then (unix seconds; infinite where nobody has said)."""

    areas: tuple[str, ...]
    units: tuple[str, ...]
    until: float = math.inf


def drill_at(book: Casebook, area: str) -> str:
    """Name the drill that runs in an area; empty when none does."""
    return next((id for id, drill in book.cases.drills.items() if area in drill.areas), "")


def begin(book: Casebook, what: Exercise, clock: float, out: list[AnyOutcome]) -> None:
    """Begin a drill in those of its areas where none runs; one that is known changes nothing."""
    drills = book.cases.drills
    areas = tuple(area for area in what.areas if area in book.router.areas and not drill_at(book, area))
    if what.id in drills or not areas or len(drills) >= MOST:
        return
    units = tuple(unit for unit in what.units if unit in book.router.units)
    drills[what.id] = Drill(areas, units, what.until if what.until > 0 else math.inf)
    book.wake_at(drills[what.id].until)
    out.append(record(what, clock))


def over(book: Casebook, clock: float) -> list[Exercise]:
    """Write the ends of the drills whose time is over: whoever ran them is gone."""
    late = [(id, one) for id, one in book.cases.drills.items() if one.until <= clock]
    return [Exercise(id=id, edge="end", actor="engine", time=clock, areas=one.areas) for id, one in late]


def next_end(book: Casebook) -> float:
    """Return when the next drill ends by itself; infinite when none does."""
    return min((one.until for one in book.cases.drills.values()), default=math.inf)


def record(what: Exercise, clock: float) -> ExerciseChange:
    """Make the record of a drill's beginning or end."""
    return ExerciseChange(
        id=f"{what.id}.{what.edge}",
        exercise=what.id,
        edge=what.edge,
        time=clock,
        actor=what.actor,
        title=what.title,
        areas=what.areas,
        units=what.units,
        objectives=what.objectives,
    )
