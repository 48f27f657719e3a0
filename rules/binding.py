"""Bind a condition to the points it covers: units checked and converted, negations pushed inward, constants lifted out.

A bound condition answers one question: is it *known to hold*? (`not x` is bound as the opposite of x, so that an
unknown x gives no for both.) Conditions of one structure become one `shape`, whose constants are parameters; the
compiler evaluates a shape once over all the places that use it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from rules.expression import (
    AREA_SCORE,
    CALENDAR,
    CLOCK,
    Across,
    AcrossFlag,
    AreaScore,
    Arithmetic,
    Clock,
    Compare,
    Constant,
    Events,
    ExpressionError,
    Feature,
    Flag,
    Logic,
    Node,
    Number,
    Order,
    Surprise,
    walk,
)
from rules.measures import PLAIN, SECONDS, TIME, Measure, conversion, difference, meant, plain_base
from rules.reports import PREFIX, wanted
from rules.sequences import MOST, sequence_name
from rules.unparse import unparse
from sensors.measure import UnitError, on_line

OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}
MIRROR = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}

Key = tuple[str | float, ...]
"""Names a column of features: ("value",), ("rate", 600.0), ("eta", "limit"), ("seen", "debris"), ("across", text),
("quantile", 1800.0, 0.9), ("surge", "person", 900.0), ("rising", "report-noise", 2419200.0)."""


@dataclass(frozen=True, slots=True)
class Value:
    """A fixed number."""

    value: float


@dataclass(frozen=True, slots=True)
class PointValue:
    """A number from the registry: limit, level:<name>, normal_low, normal_high, interval; in the point's unit."""

    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """A constant of one place, the `index`-th of its shape."""

    index: int


@dataclass(frozen=True, slots=True)
class Column:
    """A feature that moves: of the point, or (`area`) of the area.

    Where it is a figure that what is not known could still move, `bound` says what the place needs of it: what it is at
    least known to be (""), how far it may yet move ("far"), or what it is, once that is sure ("sure").
    """

    key: Key
    area: bool = False
    bound: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """+ - * / neg abs min max of numbers."""

    operation: str
    items: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison; the rest is for people: its name, and how to show its numbers (shown = internal * scale)."""

    operation: str
    left: Bound
    right: Bound
    name: str = field(default="", compare=False)
    unit: str = field(default="", compare=False)
    scale: float = field(default=1.0, compare=False)
    flag: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Both:
    """All items hold."""

    items: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Some item holds."""

    items: tuple[Bound, ...]


Bound = Value | PointValue | Param | Column | Formula | Test | Both | Either


class Subject(NamedTuple):
    """What a condition is bound to: points of one unit and one bad side."""

    unit: str
    below: bool = False
    across: Callable[[str], Measure] | None = None  # quantity → what it measures at this site; None: unknown
    bare: str | None = None  # the unit in which numbers without one are meant, where it is not the points'
    told: bool = False  # of data quality: flags count; a source that says it has gone has points older than any limit


def bind(node: Node, subject: Subject, *, negate: bool = False) -> Bound:
    """Bind a condition (or its negation). Raise `ExpressionError` where units do not fit."""
    match node:
        case Logic("not", (item,)):
            return bind(item, subject, negate=not negate)
        case Logic(operation, items):
            bound = tuple(bind(item, subject, negate=negate) for item in items)
            return Both(bound) if (operation == "and") != negate else Either(bound)
        case Compare():
            return _comparison(node, subject, negate)
        case Flag() | AcrossFlag() | Order():
            return _flag(node, subject, negate)
    raise ExpressionError("this is a number, not a condition", node.column)


def bind_number(node: Node, subject: Subject) -> tuple[Bound, Measure | None]:
    """Bind a number; the measure is None for a bare number. Raise `ExpressionError` where units do not fit."""
    unit = plain_base(subject.unit)
    bare = None if subject.bare is None or plain_base(subject.bare) == unit else plain_base(subject.bare)
    match node:
        case Number(value, ""):
            return Value(value), None
        case Number(value, written):
            return Value(value), Measure(written)
        case Feature("value" | "mean" | "min" | "max" | "sum" as name, duration):
            return Column(("value",) if name == "value" else (name, duration)), Measure(unit, bare=bare)
        case Feature("median", duration):
            return Column(("quantile", duration, 0.5)), Measure(unit, bare=bare)
        case Feature("quantile", duration, share=share):
            return Column(("quantile", duration, share)), Measure(unit, bare=bare)
        case Feature("deviation"):
            return Column(("deviation",)), difference(Measure(unit, bare=bare))
        case Feature("spread" | "delta" as name, duration):
            return Column((name, duration)), difference(Measure(unit, bare=bare))
        case Feature("rate" | "slope" as name, duration):
            return Column((name, duration)), Measure(unit, True, bare=bare)
        case Feature("count", duration):
            return Column(("count", duration)), PLAIN
        case Feature("age"):
            return Column(("silence" if subject.told else "age",)), SECONDS
        case Feature("eta", argument=what):
            return Column(("eta", what)), SECONDS
        case Feature(name):
            return Column((name,)), PLAIN
        case Constant("interval"):
            return PointValue("interval"), SECONDS
        case Constant(name, argument):
            return PointValue(f"{name}:{argument}" if argument else name), Measure(unit, bare=bare)
        case AreaScore():
            return Column(("across", AREA_SCORE), area=True), PLAIN
        case Surprise(name, kind, duration):
            return Column((name, kind if name == "surge" else PREFIX + kind, duration), area=True), PLAIN
        case Events(kind, duration):
            return Column(("events", kind, duration), area=True), PLAIN
        case Clock(name):
            return Column((name,), area=True), PLAIN
        case Across(operation, quantity, inner):
            figure = _figure(node, subject)
            if operation == "count":
                return figure, PLAIN
            if node.over == "neighbours" and not quantity:
                return figure, bind_number(inner, Subject(subject.unit, bare=subject.bare))[1]
            measured = subject.across(quantity) if subject.across else Measure("")
            return figure, bind_number(inner, Subject(measured.base))[1]
        case Arithmetic():
            return _arithmetic(node, subject)
    raise ExpressionError("this is a condition where a number belongs", node.column)


def _figure(node: Across | AcrossFlag, subject: Subject) -> Column:
    """Name the column of a figure: of the area, or of the points near or upstream of a point."""
    name = figure_name(node, subject.told)
    return Column(("across", name), area=True) if node.over == "area" else Column(("around", name))


def figure_name(node: Across | AcrossFlag, told: bool) -> str:
    """Name a figure over the points of an area; one of their age is another one where sources are believed."""
    aged = told and any(isinstance(part, Feature) and part.name == "age" for part in walk(node.inner))
    return unparse(node) + (" as told" if aged else "")


GROWS = {"count": 1, "sum": 1, "max": 1, "spread": 1, "min": -1, "events": 1, "rising": 1}
"""Figures that more readings or events could only move one way, and which."""

FAR, SURE = "far", "sure"
AT_MOST, EXACTLY = " at most", " exactly"
"""How the names of figures end that count the points for which a condition may hold, or is known to hold or not."""


def grows(column: Column) -> int:
    """Tell which way what is not known could move a figure: 1 up, -1 down, 0 it is no such figure."""
    name = str(column.key[0])
    if name in ("across", "around"):
        return int(str(column.key[1]).partition(".")[2].startswith("count("))
    return GROWS.get(name, 0)


def opposite(test: Test) -> Test:
    """Return the comparison that is known to hold where another is known not to."""
    return _test(OPPOSITE[test.operation], plain(test.left), plain(test.right), test.name, test.unit, test.scale)


def plain(bound: Bound) -> Bound:
    """Return a number as it is written, whatever the place where it stands needs of its columns."""
    match bound:
        case Column(("seen", *_) as key, area):  # seen and not seen speak of one time
            return Column(key[:2], area)
        case Column(("across" | "around" as over, name), area):
            return Column((over, str(name).removesuffix(AT_MOST).removesuffix(EXACTLY)), area)
        case Column(key, area):
            return Column(key, area)
        case Formula(operation, items):
            return Formula(operation, tuple(map(plain, items)))
    return bound


def directed(bound: Bound, way: int) -> Bound:
    """Have the figures of a number be what a condition needs that is sooner met the higher (1) or lower (-1) it is.

    With 0 both could be: the figures have to be sure then. So few events are no news before somebody looked.
    """
    match bound:
        case Column() if grows(bound) not in (0, way):
            if bound.key[0] in ("across", "around"):
                return replace(bound, key=(bound.key[0], f"{bound.key[1]}{AT_MOST if way else EXACTLY}"))
            return replace(bound, bound=FAR if way else SURE)
        case Formula("+" | "min" | "max" as operation, items):
            return Formula(operation, tuple(directed(item, way) for item in items))
        case Formula("-", (left, right)):
            return Formula("-", (directed(left, way), directed(right, -way)))
        case Formula("neg", (item,)):
            return Formula("neg", (directed(item, -way),))
        case Formula("*" | "/" as operation, (left, Value(number) as right)) if number:
            return Formula(operation, (directed(left, way if number > 0 else -way), right))
        case Formula("*", (Value(number) as left, right)) if number:
            return Formula("*", (left, directed(right, way if number > 0 else -way)))
        case Formula(operation, items):
            return Formula(operation, tuple(directed(item, 0) for item in items))
    return bound


def constant(bound: Bound) -> bool:
    """Tell whether a bound number moves with no reading: made of numbers and the registry's figures only."""
    if isinstance(bound, Formula):
        return all(constant(item) for item in bound.items)
    return isinstance(bound, Value | PointValue)


def shape_of(bound: Bound) -> tuple[Bound, list[Bound]]:
    """Lift the constants out: return the shape and the constant parts in the order of their `Param`."""
    parts: list[Bound] = []

    def lift(node: Bound) -> Bound:
        match node:
            case Value() | PointValue():
                parts.append(node)
                return Param(len(parts) - 1)
            case Formula(operation, items):
                if constant(node):
                    parts.append(node)
                    return Param(len(parts) - 1)
                return Formula(operation, tuple(map(lift, items)))
            case Test(operation, left, right):
                return Test(operation, lift(left), lift(right))
            case Both(items):
                return Both(tuple(map(lift, sorted(items, key=cost))))
            case Either(items):
                return Either(tuple(map(lift, sorted(items, key=cost))))
        return node

    return lift(bound), parts


OF_VALUE = ("value", "mean", "min", "max", "quantile")
"""Columns that a deadband goes by: those that measure what the point does."""


def loosened(bound: Bound, deadband: Number, subject: Subject) -> Bound:
    """Move the limits of a condition that lets go by a deadband, away from where the alarm is.

    Raise `ExpressionError` where nothing is compared with a limit, or the deadband is in another unit.
    """
    unit = plain_base(subject.unit)
    target = difference(Measure(unit, bare=subject.bare and plain_base(subject.bare)))
    amount, measure = bind_number(deadband, subject)
    measure = _step(measure, target, deadband)
    step = _aligned(amount, measure, target, deadband)
    moved = False

    def move(node: Bound) -> Bound:
        nonlocal moved
        match node:
            case Both(items):
                return Both(tuple(map(move, items)))
            case Either(items):
                return Either(tuple(map(move, items)))
            case Test(operation, Column(key, False), right) if key[0] in OF_VALUE and operation not in ("==", "!="):
                moved = True
                sign = "-" if operation in ("<", "<=") else "+"
                return replace(node, right=_folded(Formula(sign, (right, step))))
        return node

    found = move(bound)
    if not moved:
        raise ExpressionError("a deadband needs a limit that the value is compared with", deadband.column)
    return found


_COST = {
    "alarm": 0.0,
    "age": 0.1,
    "silence": 0.1,
    "since": 0.2,
    "value": 0.5,
    "warned": 0.8,
    "score": 1.0,
    "flat": 2.0,
    "seen": 2.0,
    "across": 2.0,
    "around": 2.0,
    "events": 2.0,
    **dict.fromkeys((*CLOCK, *CALENDAR, "between", "mode"), 1.5),
    "surge": 2.0,
    "rising": 2.0,
    "slope": 8.0,
    "quantile": 8.5,
    "eta": 9.0,
}
"""What it costs to look at a column, and how often it is past a bar: windows are 3."""


def column_cost(key: Key) -> float:
    """Rank what a column costs: rare and cheap first, worked out with effort last."""
    return _COST.get(str(key[0]), 3.0)


def cost(bound: Bound) -> float:
    """Rank how costly a part is to work out: the dearest column it reads."""
    return max((column_cost(column.key) for column in columns(bound)), default=0.0)


def columns(bound: Bound) -> set[Column]:
    """Name the feature columns that a bound condition reads."""
    match bound:
        case Column():
            return {bound}
        case Formula(_, items) | Both(items) | Either(items):
            return set().union(*map(columns, items))
        case Test(_, left, right):
            return columns(left) | columns(right)
    return set()


def tests(bound: Bound) -> list[Test]:
    """List the comparisons of a bound condition in reading order."""
    if isinstance(bound, Test):
        return [bound]
    if isinstance(bound, Both | Either):
        return [test for item in bound.items for test in tests(item)]
    return []


def _flag(node: Flag | AcrossFlag | Order, subject: Subject, negate: bool) -> Bound:
    name = ("not " if negate else "") + unparse(node)
    operation = ">="
    column, threshold = Column(()), 1.0
    match node:
        case Flag("beyond", _, what):
            limit = PointValue("limit" if what == "limit" else f"level:{what}")
            operation = "<=" if subject.below else ">="
            operation = OPPOSITE[operation] if negate else operation
            return Test(operation, Column(("value",)), limit, "value", subject.unit)
        case Flag("flat", duration):
            column, threshold = Column(("flat",)), duration
        case Flag("seen", duration, kind):
            column, threshold, operation = _sighting(kind, duration, negate), duration, "<="
        case Flag("reports" | "repeat" as how, duration, kind, count):
            name_of = wanted(kind, count, of_one=how == "repeat")
            column, threshold, operation = _sighting(name_of, duration, negate), duration, "<="
        case Flag("flagged", duration, kind):
            if not subject.told:
                message = (
                    "bad quality neither raises nor ends an alarm of risk: 'flagged' is for rules of kind data_quality"
                )
                raise ExpressionError(message, node.column)
            column, threshold, operation = Column(("since", kind)), duration, "<="
        case AcrossFlag():
            column = _figure(node, subject)
        case Order(kinds, duration):
            column, threshold, operation = _sighting(sequence_name(kinds, duration), duration, negate), duration, "<="
        case Flag("between" | "mode" as how, _, kind):
            column = Column((how, kind), area=True)
        case Flag(name_of) if name_of in CALENDAR:
            column = Column((name_of,), area=True)
        case Flag("fault" | "warned" as own, _, kind):
            column = Column((own, kind))
        case Flag(other):
            column = Column((other,))
    return Test(OPPOSITE[operation] if negate else operation, column, Value(threshold), name, flag=True)


def _sighting(kind: str, duration: float, negate: bool) -> Column:
    """Name the time since `kind` was seen; that nothing was takes a watch of the whole `duration` (s)."""
    return Column(("seen", kind, duration) if negate else ("seen", kind), area=True)


def _comparison(node: Compare, subject: Subject, negate: bool) -> Test:
    left, left_measure = bind_number(node.left, subject)
    right, right_measure = bind_number(node.right, subject)
    operation, left_node, right_node = node.operation, node.left, node.right
    if constant(left) and not constant(right):
        left, left_measure, left_node, right, right_measure, right_node = (
            right,
            right_measure,
            right_node,
            left,
            left_measure,
            left_node,
        )
        operation = MIRROR[operation]
    right = _aligned(right, right_measure, left_measure, right_node)
    if isinstance(left_node, Events) and isinstance(right, Value) and right.value > MOST:
        raise ExpressionError(f"{MOST} events of a kind are remembered: more cannot be counted", right_node.column)
    unit, scale = _shown(left_measure, right_node)
    operation = OPPOSITE[operation] if negate else operation
    return _test(operation, left, right, unparse(left_node), unit, scale)


def _test(operation: str, left: Bound, right: Bound, name: str, unit: str, scale: float) -> Test:
    way = {">": 1, ">=": 1, "<": -1, "<=": -1}.get(operation, 0)
    return Test(operation, directed(left, way), directed(right, -way), name, unit, scale)


def _aligned(bound: Bound, measure: Measure | None, target: Measure | None, node: Node) -> Bound:
    """Convert a number to what the other side measures."""
    if measure == target:
        return bound
    if measure is None:
        assert target is not None
        free = target == PLAIN or (not target.per_second and target != SECONDS)
        if not free and not (isinstance(bound, Value) and bound.value == 0):
            example = ("mm/h" if target.base else "1/h") if target.per_second else "min"
            raise ExpressionError(f"give this number a unit, such as {example}", node.column)
        measure = meant(measure, target)
        if measure is None:
            return bound
    if target is None:
        raise ExpressionError(f"this is in {measure}, the other side has no unit", node.column)
    try:
        scale, offset = conversion(measure, target)
    except UnitError as error:
        raise ExpressionError(str(error), node.column) from error
    if isinstance(bound, Value):
        return Value(bound.value * scale + offset if measure.per_second else on_line(bound.value, (scale, offset)))
    bound = bound if scale == 1 else Formula("*", (bound, Value(scale)))
    return bound if offset == 0 else Formula("+", (bound, Value(offset)))


def _shown(measure: Measure | None, other: Node) -> tuple[str, float]:
    """Choose unit and scale to show a comparison in: rates and durations as the author wrote them."""
    if measure is None or measure == PLAIN:
        return "", 1.0
    written = other.unit if isinstance(other, Number) else ""
    if measure.per_second:
        written = written or f"{measure.base or 1}/h"
        return written, conversion(measure, Measure(written))[0]
    if measure == SECONDS:
        written = written if written in TIME else "s"
        return written, 1.0 / TIME[written]
    return measure.base, 1.0


def _arithmetic(node: Arithmetic, subject: Subject) -> tuple[Bound, Measure | None]:
    bound = [bind_number(item, subject) for item in node.items]
    operation = node.operation
    if operation in ("neg", "abs"):
        return _folded(Formula(operation, (bound[0][0],))), bound[0][1]
    if operation in ("*", "/"):
        (left, one), (right, other) = bound
        return _folded(Formula(operation, (left, right))), _product(operation, one, other, node)
    measure = next((m for b, m in bound if m is not None and not constant(b)), None)
    measure = measure or next((m for _, m in bound if m is not None), None)
    if measure is None or operation not in ("+", "-"):
        items = tuple(_aligned(item, its, measure, part) for (item, its), part in zip(bound, node.items, strict=True))
        return _folded(Formula(operation, items)), measure
    bound = [(item, meant(its, measure) if constant(item) else its) for item, its in bound]
    # A number in a sum is a step from what it is added to: `limit - 2 K` is two degrees below the limit.
    items = tuple(
        _aligned(item, _step(its, measure, part) if isinstance(item, Value) else its, measure, part)
        for (item, its), part in zip(bound, node.items, strict=True)
    )
    apart = _is_apart(operation, [None if isinstance(item, Value) else its for item, its in bound])
    if operation == "-" and isinstance(bound[1][0], Value) and (bound[1][1] or measure).base == measure.base:
        apart = True  # `value - 20 °C`: how far it is from there
    measure = measure._replace(difference=False)
    return _folded(Formula(operation, items)), difference(measure) if apart else measure


def _step(measure: Measure | None, target: Measure, node: Node) -> Measure | None:
    """Return the measure of a number as a step; refuse one that could as well be a temperature (°C where K is)."""
    if measure is None or measure.base in (target.base, "K"):
        return measure and difference(measure)
    with contextlib.suppress(UnitError):  # what does not fit is refused by who converts it
        if conversion(measure, target)[1]:
            raise ExpressionError(f"write this in {target.base}: a step or a temperature could be meant", node.column)
    return difference(measure)


def _is_apart(operation: str, measures: list[Measure | None]) -> bool:
    """Tell whether a sum is a difference; None is a plain number, which goes along with the other side."""
    kinds = [None if measure is None else measure.difference for measure in measures]
    if operation == "+":
        return any(kinds) and False not in kinds
    left, right = kinds
    return bool(left) if right is None or right else True


def _product(operation: str, one: Measure | None, other: Measure | None, node: Node) -> Measure | None:
    left, right = one or PLAIN, other or PLAIN
    if right == PLAIN:
        return one if one is not None else other
    if operation == "*":
        if left == PLAIN:
            return other
        if left.per_second and right == SECONDS:
            return difference(Measure(left.base, bare=left.bare))
        if right.per_second and left == SECONDS:
            return difference(Measure(right.base, bare=right.bare))
    elif left[:2] == right[:2]:
        return PLAIN
    elif right == SECONDS and not left.per_second:
        return Measure(left.base, True)
    raise ExpressionError(f"{left} {operation} {right} measures nothing known here", node.column)


def _folded(formula: Formula) -> Bound:
    """Work out a formula of plain numbers."""
    numbers = [item.value for item in formula.items if isinstance(item, Value)]
    if len(numbers) != len(formula.items):
        return formula
    return Value(fold(formula.operation, numbers))


def fold(operation: str, numbers: list[float]) -> float:
    """Work out one operation on plain numbers; a division by zero is unknown (NaN)."""
    match operation:
        case "+":
            return numbers[0] + numbers[1]
        case "-":
            return numbers[0] - numbers[1]
        case "*":
            return numbers[0] * numbers[1]
        case "/":
            return numbers[0] / numbers[1] if numbers[1] else float("nan")
        case "neg":
            return -numbers[0]
        case "abs":
            return abs(numbers[0])
        case "min":
            return min(numbers)
    return max(numbers)
