"""Equip a bank with what a site says of its points: interval, kind, budget, what may be guessed, what drives what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from models import creep
from models.bank import Bank
from models.driver import Drive, Drivers, brings
from models.guess import Guess, possible
from models.jump import Jumps
from sensors.site import Point, Site

if TYPE_CHECKING:
    from models.bank import Kind

TEMPERATURES = ("°C", "degC", "Cel", "celsius", "°F", "degF", "fahrenheit")
"""Units whose points may come in the other of the two."""


class OfBank(TypedDict):
    """What `Bank.configure` is told of a row."""

    interval: float
    kind: Kind
    budget: float | None
    creeps: bool
    guess: tuple[Guess, ...] | frozenset[Guess]


class Row(NamedTuple):
    """What the models are told of a row's point."""

    row: int
    of_bank: OfBank
    thermal: bool


def budgets_of(site: Site) -> dict[str, float | None]:
    """Return the budget of alarms of each area."""
    budgets = {kind.id: kind.alarms_per_day for kind in site.area_types}
    return {area.id: budgets.get(area.type) for area in site.areas}


def told_of(row: int, point: Point, budgets: dict[str, float | None]) -> Row:
    """Return what the models are told of a point."""
    of_bank = OfBank(
        interval=point.interval,
        kind=point.kind,
        budget=budgets.get(point.areas[0]) if point.areas else None,
        creeps=point.quantity in creep.QUANTITIES,
        guess=possible(point.unit, point.quantity) if may_guess(point) else (),
    )
    return Row(row, of_bank, point.unit in TEMPERATURES)


def equip(bank: Bank, jumps: Jumps, rows: Iterable[Row]) -> None:
    """Configure rows of a bank, and of the jumps that are looked for beside it."""
    for row, of_bank, thermal in rows:
        bank.configure(row, **of_bank)
        jumps.configure(row, gauge=of_bank["kind"] == "gauge", thermal=thermal)


def drivers_of(points: Sequence[Point]) -> Drivers | None:
    """Say which rows drive which, points in order of their rows; None where nothing drives anything."""
    driven = [(row, point) for row, point in enumerate(points) if point.drivers]
    if not driven:
        return None
    row_of = {point.id: row for row, point in enumerate(points)}
    drives = [
        Drive(row, row_of[one.point], one.lag, brings(driver.quantity, driver.kind), driver.interval)
        for row, point in driven
        for one in point.drivers
        if one.point in row_of
        for driver in (points[row_of[one.point]],)
    ]
    return Drivers(drives, len(points)) if drives else None


def may_guess(point: Point) -> bool:
    """Return whether a point's kind may be guessed: what only a gauge has, a limit or neighbours, would be lost."""
    return point.guess and not (point.limit is not None or point.levels or point.drivers or point.redundant)
