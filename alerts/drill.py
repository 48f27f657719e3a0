"""Drills (演练) of one partition: what is part of one, who may be sent in it, and its end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from alerts.outcome import AnyOutcome, ExerciseChange
from sensors.observation import Exercise

if TYPE_CHECKING:
    from alerts.casebook import Casebook

MOST = 16
"""Drills that run at once."""


class Drill(msgspec.Struct, frozen=True):
    """A drill that runs."""

    areas: tuple[str, ...]
    units: tuple[str, ...]


def drill_at(book: Casebook, area: str) -> str:
    """Name the drill that runs in an area; empty when none does."""
    return next((id for id, drill in book.cases.drills.items() if area in drill.areas), "")


def begin(book: Casebook, what: Exercise, clock: float, out: list[AnyOutcome]) -> None:
    """Begin a drill in those of its areas where none runs; one that is known changes nothing."""
    drills = book.cases.drills
    areas = tuple(area for area in what.areas if area in book.router.areas and not drill_at(book, area))
    if what.id in drills or not areas or len(drills) >= MOST:
        return
    drills[what.id] = Drill(areas, tuple(unit for unit in what.units if unit in book.router.units))
    out.append(record(what, clock))


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
