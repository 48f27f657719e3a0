"""What a publication puts in force in one partition, made ready beside the engine that it will be put into.

Pure: an engine is looked at and not touched. So it can be done in steps between batches, long before the record is
reached, and what is left to do at its offset is to switch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from models.area.store import decode as decode_model
from models.equipment import Row, budgets_of, drivers_of, told_of
from rules.compiler import RuleBook, compiling
from rules.evaluation import Evaluator
from sensors.lookup import Registry
from sensors.renames import Renames, between
from sensors.site import SYSTEM, Point, Text
from sensors.steps import Steps
from streams import bundle

if TYPE_CHECKING:
    from models.driver import Drivers
    from sensors.observation import Shadow
    from streams.engine import Engine

EVERY = 1000
"""Points that are looked at in one step."""


class Prepared(NamedTuple):
    """A publication that is ready to be put in force, on the ground on which it was made ready."""

    version: str
    ground: tuple[Registry | None, npt.NDArray[np.uint32]]
    content: bundle.Bundle
    known: bundle.Known
    registry: Registry
    points: npt.NDArray[np.uint32]
    rows: list[Point]
    row_of: npt.NDArray[np.intp]
    areas: set[str]
    interval: npt.NDArray[np.float64]
    changed: list[Row]
    drivers: Drivers | None
    evaluator: Evaluator
    renames: Renames
    shadow: tuple[Shadow, RuleBook | str] | None  # the shadow rules, compiled for the same site, or why they do not

    def stands(self, engine: Engine) -> bool:
        """Tell whether it is on the same ground still: nothing was published to the engine meanwhile."""
        return self.ground[0] is engine.registry and self.ground[1] is engine.points


def preparing(engine: Engine, packed: bytes, version: str) -> Steps[Prepared]:
    """Make a publication ready, in steps. Raise what bundles and rules that are none raise."""
    before, stood, partition = engine.registry, engine.points, engine.partition
    content, known = yield from bundle.unpacking(packed, engine.known_content)
    if before is not None and before.site is content.site:
        registry, renames, points, row_of = before, Renames(), stood, engine.row_of
        by_index = {point.index: point for point in content.site.points if 0 <= point.index < len(row_of)}
        yield
        by_index = {index: point for index, point in by_index.items() if row_of[index] >= 0}
    else:
        registry = Registry(content.site)
        yield
        renames = between(before.site, content.site) if before is not None else Renames()
        yield
        by_index = {}
        for number, point in enumerate(content.site.points):
            if mine(registry, point, partition):
                by_index[point.index] = point
            if number % EVERY == 0:
                yield
        have = set(stood.tolist())
        points = np.array(stood.tolist() + [index for index in by_index if index not in have], np.uint32)
        row_of = np.full(max((point.index for point in content.site.points), default=-1) + 1, -1, np.intp)
        for row, index in enumerate(points.tolist()):
            if index in by_index:
                row_of[index] = row
    yield
    rows = [by_index.get(index) or gone(index) for index in points.tolist()]
    yield
    interval = np.array([by_index[i].interval if i in by_index else np.nan for i in points.tolist()])
    areas = areas_of(registry, partition)
    changed: list[Row] = []
    if registry is not before:
        changed = yield from _changed(engine, registry, by_index, row_of)
    drivers = drivers_of(rows)
    yield
    book = yield from compiling(content.rules, content.site, rows, areas)
    models = [decode_model(one) for one in content.models]
    yield
    former = {name: area.id for area in content.site.areas for name in area.renamed_from}
    evaluator = Evaluator(book, engine.bank, models, former)
    yield
    if engine.evaluator is not None and bool((active := engine.evaluator.awake | engine.evaluator.running).any()):
        yield from book.keying()
        yield from _levels(engine.evaluator.book, active, book)
    shadow = engine.shadow
    other: tuple[Shadow, RuleBook | str] | None = None
    if shadow is not None:
        try:
            other = shadow.what, (yield from compiling(shadow.rules, content.site, rows, areas))
        except Exception as error:  # they are ended at the switch, which says why
            other = shadow.what, str(error)
    return Prepared(
        version=version,
        ground=(before, stood),
        content=content,
        known=known,
        registry=registry,
        points=points,
        rows=rows,
        row_of=row_of,
        areas=areas,
        interval=interval,
        changed=changed,
        drivers=drivers,
        evaluator=evaluator,
        renames=renames,
        shadow=other,
    )


def _levels(before: RuleBook, active: npt.NDArray[np.bool_], book: RuleBook) -> Steps[None]:
    """Work out what decides in each level, by which the state of changed rules is carried over."""
    known = set(before.digests)
    for number in np.unique(before.rule[active]).tolist():
        before.decides(number)
        yield
    for number, digest in enumerate(book.digests):
        if digest not in known:
            book.decides(number)
            yield


def _changed(
    engine: Engine, registry: Registry, by_index: dict[int, Point], row_of: npt.NDArray[np.intp]
) -> Steps[list[Row]]:
    """Find the rows that the models are to be told of: new ones, and those of which something else is said now."""
    told = budgets_of(engine.registry.site) if engine.registry is not None else {}
    before = engine.registry.by_index if engine.registry is not None else {}
    telling, found = budgets_of(registry.site), []
    for number, (index, point) in enumerate(by_index.items()):
        old = before.get(index) if index < len(engine.row_of) and engine.row_of[index] >= 0 else None
        one = told_of(int(row_of[index]), point, telling)
        if old is None or told_of(int(row_of[index]), old, told) != one:
            found.append(one)
        if number % EVERY == 0:
            yield
    return found


def mine(registry: Registry, point: Point, partition: int) -> bool:
    """Tell whether a point's readings go to a partition."""
    return partition in registry.partitions_of(point.id)


def areas_of(registry: Registry, partition: int) -> set[str]:
    """Name the areas of a partition."""
    return {area.id for area in registry.site.areas if registry.partition(area.id) == partition}


def home_of(registry: Registry, areas: set[str], partition: int) -> str:
    """Name the area whose commands reach a partition, where the engine's own alarm stands."""
    return SYSTEM if registry.partition(SYSTEM) == partition else min(areas, default="")


def gone(index: int) -> Point:
    """Stand in for a point that the site no longer has: its row stays, nothing covers it."""
    name = Text(zh="", en="")
    return Point(id=f"gone-{index}", name=name, areas=(), quantity="", unit="1", index=index)
