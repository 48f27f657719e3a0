"""Figures over the points of an area: `area.max(rain.mean('6h'))`, `area.count(score > 0.99)`.

They are worked out on ticks, from what each point stands at, and used until the next tick: so an outcome does not
depend on which readings happened to share a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.binding import (
    AT_MOST,
    EXACTLY,
    Bound,
    Column,
    Key,
    Subject,
    bind,
    bind_number,
    columns,
    figure_name,
    shape_of,
)
from rules.expression import Across, AcrossFlag, ExpressionError
from rules.measures import Measure, conversion, plain_base
from rules.shapes import Array, holds, number, resolve_constants, resolver
from rules.typical import Units, other_unit, units_of
from sensors.measure import UnitError
from sensors.problem import suggest
from sensors.site import Area, Point, Site

Rows = npt.NDArray[np.intp]
Measures = Callable[[str], Measure]


class Member(NamedTuple):
    """Points of one unit: what is worked out for each, and how it becomes the common measure."""

    rows: Rows
    shape: Bound
    params: Array
    scale: float
    offset: float
    opposite: tuple[Bound, Array] | None  # shape and parameters of what makes a condition known not to hold


class AcrossProgram(NamedTuple):
    """One figure over the points of each area. `members` cover `rows` in order; an area's members are one range."""

    text: str
    operation: str
    boolean: bool
    members: tuple[Member, ...]
    rows: Rows  # members' rows one after another
    order: Rows  # puts them in order of area
    areas: Rows  # areas that have members
    starts: Rows  # their ranges, in that order
    needs: tuple[tuple[Key, Rows], ...]

    def inner(self, column: Callable[[Column, Rows], Array]) -> tuple[Array, Array]:
        """Work out the inner expression for every member, by area: (value or 1 for true, 1 for known to be false).

        `column(wanted, place)` gives a feature of `self.rows[place]`.
        """
        values, false = np.empty(len(self.rows)), np.zeros(len(self.rows))
        done = 0
        for member in self.members:
            place = np.arange(done, done + len(member.rows))
            done += len(member.rows)

            def leaf(wanted: Column, place: Rows = place) -> Array:
                return column(wanted, place)

            every = np.arange(len(member.rows))
            resolve = resolver(member.params, every, leaf)
            if member.opposite is not None:
                values[place] = holds(member.shape, resolve)
                false[place] = holds(member.opposite[0], resolver(member.opposite[1], every, leaf))
            else:
                values[place] = np.asarray(number(member.shape, resolve)) * member.scale + member.offset
        return values[self.order], false[self.order]

    def figure(self, values: Array, false: Array) -> Array:
        """Reduce the members' values to one for each of `areas`; NaN where unknown."""
        starts = self.starts
        if not len(starts):
            return np.empty(0)
        if not self.boolean:
            known = np.add.reduceat((~np.isnan(values)).astype(np.float64), starts)
            with np.errstate(all="ignore"):
                match self.operation:
                    case "max":
                        return np.fmax.reduceat(values, starts)
                    case "min":
                        return np.fmin.reduceat(values, starts)
                total = np.add.reduceat(np.where(np.isnan(values), 0.0, values), starts)
                if self.operation == "mean":
                    return np.where(known > 0, total / known, np.nan)
                return np.where(known > 0, total, np.nan)
        true = np.add.reduceat(values, starts)
        wrong = np.add.reduceat(false, starts)
        size = np.diff(np.append(starts, len(values)))
        if self.operation == "any":
            return np.where(true > 0, 1.0, np.where(wrong == size, 0.0, np.nan))
        if self.operation == "all":
            return np.where(true == size, 1.0, np.where(wrong > 0, 0.0, np.nan))
        known = true + wrong == size if self.text.endswith(EXACTLY) else true + wrong > 0
        return np.where(known, size - wrong if self.text.endswith(AT_MOST) else true, np.nan)


def measures_of(site: Site) -> Measures:
    """Return what a quantity is measured in at this site, as it says or its first point does; "" is any quantity."""
    own = units_of(site)
    units: dict[str, str] = {}
    for point in site.points:
        if point.quantity not in units:
            units[point.quantity] = plain_base(own(point.quantity, "") or point.unit)

    def measure(quantity: str) -> Measure:
        if quantity and quantity not in units:
            raise LookupError(f"no point of the site measures '{quantity}'{suggest(quantity, units)}")
        return Measure(units.get(quantity, ""))

    return measure


def compile_across(
    node: Across | AcrossFlag,
    points: Sequence[Point],
    areas: Sequence[Area],
    measures: Measures,
    table: dict[str, Array],
    told: bool = False,
    units: Units = lambda quantity, kind: None,
    around: Sequence[tuple[int, int]] | None = None,
    common: Measure | None = None,
) -> AcrossProgram:
    """Compile one figure over the areas of a partition; `told` is as in `Subject`, `units` is as `units_of` makes it.

    With pairs `around`, (row of a member, row of the point that it is near), it is one over the points near others.
    `common` is what numbers are turned to, where that is not what the site says of the quantity.

    Raise `ExpressionError` where units do not fit.
    """
    try:
        common = common or measures(node.quantity)
    except LookupError as error:
        raise ExpressionError(str(error), node.column) from error
    place = {area.id: number for number, area in enumerate(areas)}
    groups: dict[tuple[str, bool, str | None], list[tuple[int, int]]] = {}
    if around is None:
        around = [
            (row, place[area])
            for row, point in enumerate(points)
            if not node.quantity or point.quantity == node.quantity
            for area in point.areas
            if area in place
        ]
        kinds = [areas[home].type for _, home in around]
    else:
        homes_of = [next((name for name in points[row].areas if name in place), None) for row, _ in around]
        kinds = [areas[place[name]].type if name is not None else "" for name in homes_of]
    for (row, owner), kind in zip(around, kinds, strict=True):
        point = points[row]
        bare = other_unit(point, kind, units)
        groups.setdefault((point.unit, point.limit_below, bare), []).append((row, owner))
    members, member_areas, needs = [], [], []
    for (unit, below, bare), pairs in groups.items():
        rows = np.array([row for row, _ in pairs], np.intp)
        subject = Subject(unit, below, bare=bare, told=told)
        with naming(points[pairs[0][0]] if bare is not None else None):
            bound, scale, offset = _bound(node, subject, common)
        opposite = None
        if node.inner.boolean:
            opposite = _laid_out(bind(node.inner, subject, negate=True), table, rows)
        shape, params = _laid_out(bound, table, rows)
        members.append(Member(rows, shape, params, scale, offset, opposite))
        member_areas += [area for _, area in pairs]
        needs += [(column.key, rows) for column in columns(bound)]
    homes = np.array(member_areas, np.intp)
    order = np.argsort(homes, kind="stable")
    present, starts = np.unique(homes[order], return_index=True)
    return AcrossProgram(
        figure_name(node, told),
        node.operation,
        node.inner.boolean,
        tuple(members),
        np.concatenate([member.rows for member in members]) if members else np.empty(0, np.intp),
        order,
        present,
        starts.astype(np.intp),
        tuple(needs),
    )


@contextmanager
def naming(odd: Point | None) -> Iterator[None]:
    """Name in what goes wrong the point that is in another unit than its quantity: one alone can unfit a rule."""
    try:
        yield
    except ExpressionError as error:
        if odd is None:
            raise
        raise ExpressionError(f"{error.message} (point '{odd.id}' is in {odd.unit})", error.column) from error


def _bound(node: Across | AcrossFlag, subject: Subject, common: Measure) -> tuple[Bound, float, float]:
    """Bind what is worked out for points of one unit; return scale and offset to the common measure as well."""
    if node.inner.boolean:
        return bind(node.inner, subject), 1.0, 0.0
    bound, measure = bind_number(node.inner, subject)
    wanted = bind_number(node.inner, Subject(common.base))[1]
    if measure is None or wanted is None or not (node.quantity or node.over == "neighbours"):
        return bound, 1.0, 0.0
    try:
        return bound, *conversion(measure, wanted)
    except UnitError as error:
        raise ExpressionError(str(error), node.column) from error


def _laid_out(bound: Bound, table: dict[str, Array], rows: Rows) -> tuple[Bound, Array]:
    """Lift the constants of a bound expression out: its shape, and its parameters for `rows`."""
    shape, constants = shape_of(bound)
    params = np.empty((len(constants), len(rows)))
    for index, part in enumerate(constants):
        params[index] = number(part, resolve_constants(table, rows))
    return shape, params
