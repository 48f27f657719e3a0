"""Say why a condition stands where it does: each comparison with its value, and what would clear it."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from models.reason import seldom
from models.scoring import TELLING
from rules.across import AcrossProgram
from rules.binding import Bound, Column, PointValue, Test, columns, opposite, plain, tests
from rules.compiler import OF_EVENTS
from rules.counting import said_of_counts
from rules.events import Told
from rules.explanation import LevelStanding, Standing, Term, Why
from rules.expression import AREA_SCORE, COUNTED
from rules.features import Array, Columns, Features
from rules.foreseen import foreseen
from rules.shapes import number
from sensors.site import LEVELS

if TYPE_CHECKING:
    from rules.evaluation import Evaluator

_OF_MODEL, _SILENCE, _SCORE = Column(("across", AREA_SCORE), area=True), Column(("silence",)), Column(("score",))
MAX_EVENTS = 8
MAX_EVIDENCE = 8  # points named for a figure across an area
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_SAW = {False: ("<=",), True: (">", ">=")}  # of what was not seen no camera is evidence; by whether events are counted


def why(evaluator: Evaluator, instance: int, rank: int, place: int, now: Array, features: Columns) -> Why:
    """Explain one level of an instance that stands at `place` of the features."""
    book = evaluator.book
    slot = int(book.first[instance] + book.level_offset[instance, rank])
    when, clear = book.clauses[book.clause[slot]], book.clauses[book.clause[slot] + 1]
    scene = _Scene(evaluator, instance, place, now, features)
    row = int(book.row[instance])
    area = int(book.area[instance])
    real = row < book.rows
    points = [book.points[row].id] if real else []
    cameras = [book.scope(instance)] if row >= book.camera_rows else []
    seen: list[Told] = []
    comparisons, asked = tests(when.bound), columns(when.bound)
    terms = tuple(map(scene.term, comparisons))
    if cameras and any(term.name == "fault('any')" for term in terms):
        wrong = evaluator.cameras.faults(row - book.camera_rows)
        terms += tuple(Term(name=f"fault('{fault}')", value=1.0, holds=True) for fault in wrong)
    for test in comparisons:
        column = test.left
        if isinstance(column, Column) and column.key[0] == "around":
            points += [name for name in evidence_around(evaluator, str(column.key[1]), row) if name not in points]
        elif isinstance(column, Column) and column.area:
            if column.key[0] == "across":
                points += [name for name in evidence(evaluator, str(column.key[1]), area) if name not in points]
            elif column.key[0] in OF_EVENTS and test.operation in _SAW[column.key[0] != "seen"] and scene.truth(test):
                told = evaluator.sightings.told(str(column.key[1]), area, float(scene.now[0]))
                if told is not None:
                    seen += [told] if told not in seen else []
                    cameras += [told.camera] if told.camera and told.camera not in cameras else []
    current = real and not evaluator.points.historical[row]
    score = float(evaluator.points.score[row]) if current else float("nan")
    # The bank keeps the last reason, however old: here it must be this reading's.
    surprising = score >= TELLING or (current and bool(evaluator.points.alarm[row]))
    reason, reason_zh = (
        (evaluator.bank.reason_text(row), evaluator.bank.reason_text(row, "zh-CN")) if surprising else ("", "")
    )
    if not reason and score > 0.0 and _SCORE in asked:
        reason, reason_zh = seldom(score), seldom(score, "zh-CN")
    if _OF_MODEL in asked and not surprising:
        score = float(evaluator.across[AREA_SCORE][area])
        if score > 0.0:
            together = evaluator.together
            reason, reason_zh = together.reason_text(area), together.reason_text(area, "zh-CN")
    counted = {column.key for column in asked if column.key[0] in COUNTED}
    if counted and not reason:
        score, reason, reason_zh = said_of_counts(evaluator, counted, area) or (score, reason, reason_zh)
    told_ahead = next(filter(None, map(scene.foreseen, comparisons)), ("", ""))
    unconfirmed = []
    if evaluator.neighbours.some and not book.quality[instance]:
        at = {point.id: row for row, point in enumerate(book.points) if evaluator.neighbours.disagrees[row]}
        unconfirmed = [name for name in points if name in at]
    return Why(
        clause=when.text,
        terms=terms,
        clear=clear.text,
        clear_terms=tuple(map(scene.term, tests(clear.bound))),
        hold=float(book.hold[slot]),
        clear_after=float(book.clear_after[slot]),
        points=tuple(points),
        cameras=tuple(cameras),
        events=tuple(seen[:MAX_EVENTS]),
        score=None if math.isnan(score) else score,
        score_reason=reason,
        score_reason_zh=reason_zh,
        foreseen=told_ahead[0],
        foreseen_zh=told_ahead[1],
        unconfirmed=tuple(unconfirmed),
        gone=evaluator.gone.get(row, "") if _SILENCE in asked else "",
    )


def standing(evaluator: Evaluator, rule: str, scope: str) -> Standing | None:
    """Say where a rule stands at a scope now: every level's conditions with their values. None when it has none."""
    book = evaluator.book
    instance = book.instance(rule, scope)
    if instance is None:
        return None
    now, features = evaluator.between_readings(instance)
    found = book.rules[int(book.rule[instance])]
    first, time = int(book.first[instance]), float(now[0])
    levels = []
    for part, (rank, _) in enumerate(found.ranked()):
        since = float(evaluator.held_since[first + part])
        levels.append(
            LevelStanding(
                level=LEVELS[rank - 1],
                why=why(evaluator, instance, rank, 0, now, features),
                held=None if np.isnan(since) else time - since,
            )
        )
    current = int(evaluator.current[instance])
    return Standing(
        rule=found,
        scope=scope,
        area=book.areas[int(book.area[instance])],
        level=LEVELS[current - 1] if current else "",
        time=time,
        levels=tuple(levels),
    )


def terms(evaluator: Evaluator, instance: int) -> list[tuple[str, str, Term]]:
    """List the comparisons of an instance's levels as they stand now: level, `when` or `clear`, term."""
    now, features = evaluator.between_readings(instance)
    scene, book = _Scene(evaluator, instance, 0, now, features), evaluator.book
    first, found = int(book.first[instance]), []
    for part, (rank, _) in enumerate(book.rules[int(book.rule[instance])].ranked()):
        clause = int(book.clause[first + part])
        for name, bound in (("when", book.clauses[clause].bound), ("clear", book.clauses[clause + 1].bound)):
            found += [(LEVELS[rank - 1], name, scene.term(test)) for test in tests(bound)]
    return found


class _Scene:
    """One instance at one moment."""

    def __init__(self, evaluator: Evaluator, instance: int, place: int, now: Array, features: Columns) -> None:
        self.evaluator, self.instance, self.place, self.features = evaluator, instance, place, features
        self.now = now[place : place + 1]

    def leaf(self, bound: Bound) -> Array:
        evaluator, book = self.evaluator, self.evaluator.book
        if isinstance(bound, PointValue):
            return book.constants[bound.name][book.row[self.instance] : book.row[self.instance] + 1]
        assert isinstance(bound, Column)
        area = book.area[self.instance : self.instance + 1]
        if not bound.area:
            return self.features.at(bound, np.array([self.place]))
        return evaluator.of_area(bound, area, self.now)

    def truth(self, test: Test) -> bool | None:
        """Tell whether a comparison is known to hold, or not to."""
        found = _truth(test, *self.sides(test))
        if found is not False or test.flag:
            return found
        other = opposite(test)
        return False if _truth(other, *self.sides(other)) else None

    def sides(self, test: Test) -> tuple[float, float]:
        return _one(number(test.left, self.leaf)), _one(number(test.right, self.leaf))

    def foreseen(self, test: Test) -> tuple[str, str] | None:
        """Say what is foreseen where a comparison holds by it, in English and Chinese."""
        features, what = self.features, _foresees(test)
        if what is None or not isinstance(features, Features) or not self.truth(test):
            return None
        eta = float(features.at(Column(("eta", what)), np.array([self.place]))[0])
        if not np.isfinite(eta):
            return None
        low, high = features.eta_range(what, self.place)
        limit, value, below = features.target(what, self.place)
        unit = self.evaluator.book.points[int(self.evaluator.book.row[self.instance])].unit
        return foreseen(eta, low, high, limit, value, unit, below)

    def interval(self, test: Test) -> tuple[float | None, float | None]:
        """Return between what the left side lies where it is foreseen, in the test's unit."""
        what = _foresees(test)
        if what is None or not isinstance(self.features, Features):
            return None, None
        told = self.features.eta_range(what, self.place)
        low, high = (each * test.scale if np.isfinite(each) else None for each in told)
        return low, high

    def term(self, test: Test) -> Term:
        truth = self.truth(test)
        left, right = (_one(number(plain(side), self.leaf)) for side in (test.left, test.right))
        if test.flag:
            return Term(name=test.name, value=None if truth is None else float(truth), holds=truth)
        low, high = self.interval(test) if math.isfinite(left) else (None, None)
        return Term(
            name=test.name,
            value=_in_unit(left, test) if math.isfinite(left) else None,
            low=low,
            high=high,
            op=test.operation,
            threshold=None if math.isnan(right) else _in_unit(right, test),
            unit=test.unit,
            holds=truth,
        )


def _one(found: Array | float) -> float:
    return float(found.reshape(-1)[0] if isinstance(found, np.ndarray) else found)


def _in_unit(value: float, test: Test) -> float:
    """Turn a number of a comparison into the unit that it is shown in, rid of what the ways there and back added.

    The number that is compared is what it was: only what people read is rounded, to fewer digits than `on_line` leaves.
    """
    return value if test.scale == 1.0 or not math.isfinite(value) else float(f"{value * test.scale:.12g}")


def _truth(test: Test, left: float, right: float) -> bool | None:
    """Tell whether a comparison holds; None where a side is unknown."""
    return None if math.isnan(left) or math.isnan(right) else _COMPARED[test.operation](left, right)


def _foresees(test: Test) -> str | None:
    """Name the target that the left side of a comparison foresees; None where it foresees none."""
    match test.left:
        case Column(("eta", what), False):
            return str(what)
        case Column(("warned", what), False) if test.operation == ">=":
            return str(what)
    return None


def evidence(evaluator: Evaluator, text: str, area: int) -> list[str]:
    """Name the points that spoke for a figure across an area at the last tick: its extreme, or those that held."""
    book = evaluator.book
    if text == AREA_SCORE:
        found_points = [name for name, _ in evaluator.together.contributors(area)]
        return found_points or evaluator.evidence.get((text, area), [])
    program = next(one for one in book.across if one.text == text)
    found = np.flatnonzero(program.areas == area)
    if not found.size or text not in evaluator.members:
        return evaluator.evidence.get((text, area), [])
    return _speaking(evaluator, program, evaluator.members[text], int(found[0]))


def evidence_around(evaluator: Evaluator, text: str, row: int) -> list[str]:
    """Name the points that spoke for a figure around a point at the last tick."""
    for place, program in enumerate(evaluator.book.around):
        found = np.flatnonzero(program.areas == row)
        if program.text == text and found.size and place in evaluator.members_around:
            return _speaking(evaluator, program, evaluator.members_around[place], int(found[0]))
    return []


def _speaking(evaluator: Evaluator, program: AcrossProgram, values: Array, number: int) -> list[str]:
    """Name the points that speak for the figure of a program's `number`-th area."""
    ends = np.append(program.starts, len(values))
    part = slice(int(program.starts[number]), int(ends[number + 1]))
    rows, mine = program.rows[program.order][part], values[part]
    if program.boolean:
        chosen = rows[mine > 0]
    elif np.isnan(mine).all():
        chosen = rows[:0]
    elif program.operation in ("max", "min"):
        pick = np.nanargmax(mine) if program.operation == "max" else np.nanargmin(mine)
        chosen = rows[pick : pick + 1]
    else:
        chosen = rows[~np.isnan(mine)]
    return [evaluator.book.points[row].id for row in chosen[:MAX_EVIDENCE]]
