"""Equip a bank with what a site says of its points: interval, kind, budget, what may be guessed, what drives what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models import creep
from models.bank import Bank
from models.driver import Drive, Drivers, brings
from models.guess import possible
from models.jump import Jumps
from sensors.site import Point, Site

TEMPERATURES = ("°C", "degC", "Cel", "celsius", "°F", "degF", "fahrenheit")
"""Units whose points may come in the other of the two."""


def equip(bank: Bank, jumps: Jumps, rows: Iterable[tuple[int, Point]], site: Site) -> None:
    """Configure rows of a bank, and of the jumps that are looked for beside it, for their points at a site."""
    budgets = {kind.id: kind.alarms_per_day for kind in site.area_types}
    types = {area.id: area.type for area in site.areas}
    for row, point in rows:
        bank.configure(
            row,
            interval=point.interval,
            kind=point.kind,
            budget=budgets.get(types.get(point.areas[0], "")) if point.areas else None,
            creeps=point.quantity in creep.QUANTITIES,
            guess=possible(point.unit, point.quantity) if may_guess(point) else (),
        )
        jumps.configure(row, gauge=point.kind == "gauge", thermal=point.unit in TEMPERATURES)


def drivers_of(points: Sequence[Point]) -> Drivers | None:
    """Say which rows drive which, points in order of their rows; None where nothing drives anything."""
    row_of = {point.id: row for row, point in enumerate(points)}
    drives = [
        Drive(row, row_of[one.point], one.lag, brings(driver.quantity, driver.kind), driver.interval)
        for row, point in enumerate(points)
        for one in point.drivers
        if one.point in row_of
        for driver in (points[row_of[one.point]],)
    ]
    return Drivers(drives, len(points)) if drives else None


def may_guess(point: Point) -> bool:
    """Return whether a point's kind may be guessed: what only a gauge has, a limit or neighbours, would be lost."""
    return point.guess and not (point.limit is not None or point.levels or point.drivers or point.redundant)
