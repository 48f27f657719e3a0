"""The rule language: text → typed tree. Parsed with Python's `ast` from a whitelist; nothing is ever executed.

    value > 1.2 m and rate('10m') > 2 mm/h and not seen('debris', '5m')

Numbers may carry a unit. A condition is true, false or unknown (Kleene's three values): a feature without data is
unknown, a comparison with it is unknown, `unknown and false` is false, `unknown or true` is true, `not unknown` is
unknown. What is unknown never raises a level and never clears one.
"""

from __future__ import annotations

import ast
import itertools
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

from rules.foreign import strange
from rules.reports import MOST
from rules.sequences import FEWEST, LONGEST
from rules.units import measures, take_units
from sensors.duration import seconds as duration_seconds
from sensors.flags import RULED
from sensors.observation import CAMERA_FAULTS
from sensors.problem import suggest
from sensors.site import LEVELS

MOMENT = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z|24:00\Z")
_CATEGORY = re.compile(r"[a-z][a-z0-9_-]{0,47}\Z")
MAX_LENGTH = 2000  # characters
MAX_NODES = 200
MAX_DEPTH = 24
MAX_WINDOW = 32 * 86400.0  # seconds; longer windows belong to the models

WINDOWED = ("rate", "slope", "delta", "mean", "min", "max", "sum", "count", "spread", "median", "quantile")
PLAIN = ("value", "score", "age", "deviation")
CONSTANT = ("limit", "normal_low", "normal_high", "interval")
CLOCK = ("hour", "weekday")
CALENDAR = ("night", "holiday", "workday")
BOOLEAN = (
    "alarm", "flat", "seen", "sequence", "reports", "repeat", "beyond", "fault", "judged", "flagged", "between", "mode",
    "warned",
    *CALENDAR,
)  # fmt: skip
AREA = ("max", "min", "mean", "sum", "count", "any", "all")
COUNTED = ("surge", "rising")
OVER = ("area", "neighbours", "upstream")
"""Over which points a figure may be: the area's, those near a point, those that the site names as its drivers."""

NEAR = 1000.0
FURTHEST = 50_000.0
"""Metres within which points are neighbours, where a figure does not say, and at most."""

NAMES = (*PLAIN, *CONSTANT, *BOOLEAN, *WINDOWED, *COUNTED, *CLOCK, "eta", "level", "abs", *OVER)


SHORTEST_COUNTED = {"surge": 60.0, "rising": 86400.0}
"""Seconds over which events are counted at least."""

AREA_SCORE = "area.score"
"""How the score of an area's model is written, in conditions and among the figures across an area."""


class ExpressionError(ValueError):
    """Raised when a text is no condition: `message`, and the `column` (from 1) it is about."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.message = message
        self.column = column
        super().__init__(f"column {column}: {message}")


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a condition; `column` counts from 1."""

    boolean: ClassVar[bool] = False
    column: int = field(default=1, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number, with its unit as written, or none."""

    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Feature(Node):
    """Something a point shows: value, score, age, deviation, a window's statistic (`seconds`), eta (`argument`).

    Of quantile, `share` is the share of the readings that are at most so high.
    """

    name: str
    seconds: float = 0.0
    argument: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """Something the registry says of a point: limit, level (`argument`), normal_low, normal_high, interval."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Flag(Node):
    """A feature that is true or false: alarm, flat (`seconds`), seen and flagged (`kind`, `seconds`), beyond (a level).

    Of the site's own clock: night, holiday, workday, between (`kind` is `22:00-06:00`). mode: whether the area is run
    in that mode of the site (`kind`).

    reports and repeat: `count` reports of a category (`kind`) within `seconds`, the second all about one person.

    beyond('red'): the value is at its limit of that level or past it, on the side that is bad for this point;
    warned('red'): a warning of it stands. Of a
    camera: fault (`kind`), judged.
    """

    boolean: ClassVar[bool] = True
    name: str
    seconds: float = 0.0
    kind: str = ""
    count: int = 0  # of reports


@dataclass(frozen=True, slots=True)
class Order(Node):
    """Whether events of these kinds were seen one after another, all within `seconds` and not longer ago."""

    boolean: ClassVar[bool] = True
    kinds: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Events(Node):
    """How many events of a `kind` were seen within `seconds`."""

    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Clock(Node):
    """Where the site's own clock stands: hour (0 to 23), weekday (1 is Monday, 7 Sunday)."""

    name: str


@dataclass(frozen=True, slots=True)
class Across(Node):
    """A figure over points: `operation` of `inner` over those that measure `quantity` (or all).

    `over` is one of `OVER`; neighbours are those of the same quantity by default, within so many metres (`near`).
    """

    operation: str
    quantity: str
    inner: Node
    over: str = "area"
    near: float = 0.0


@dataclass(frozen=True, slots=True)
class AcrossFlag(Node):
    """Whether `inner` holds for any or all points of the area, or of others, as in `Across`."""

    boolean: ClassVar[bool] = True
    operation: str
    quantity: str
    inner: Node
    over: str = "area"
    near: float = 0.0


@dataclass(frozen=True, slots=True)
class AreaScore(Node):
    """How unlike their history the area's points are together, by the area's model."""


@dataclass(frozen=True, slots=True)
class Surprise(Node):
    """How surprising a count of events of a `kind` within `seconds` is, 0..1: surge; rising: of reports about a person.

    Of rising, `kind` is the category of the reports.
    """

    name: str
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """+ - * / of two numbers, or abs, neg, min, max."""

    operation: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """One comparison: > >= < <= == !=."""

    boolean: ClassVar[bool] = True
    operation: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """and, or (two or more items), not (one)."""

    boolean: ClassVar[bool] = True
    operation: str
    items: tuple[Node, ...]


@lru_cache(maxsize=65536)
def parse(text: str) -> Node:
    """Parse a condition. Raise `ExpressionError` with the column of the mistake."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the condition is longer than {MAX_LENGTH} characters", MAX_LENGTH + 1)
    flat = re.sub(r"[\r\n\t]", " ", text)
    if not flat.strip():
        raise ExpressionError("the condition is empty")
    plain, units = take_units(flat)
    lead = len(plain) - len(plain.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain[lead:], mode="eval").body
    except SyntaxError as error:
        raise _broken(plain, lead, error) from None
    except (MemoryError, RecursionError):
        raise ExpressionError(_TOO_DEEP) from None
    except ValueError as error:
        raise ExpressionError(f"this is no condition: {error}") from None
    node = _Parser(plain[lead:], lead, units).node(tree, 0)
    if not node.boolean:
        raise ExpressionError("this is a number, not a condition; compare it with something", node.column)
    return node


_TOO_DEEP = f"nested too deep: at most {MAX_DEPTH} levels; split the rule"


def _broken(plain: str, lead: int, error: SyntaxError) -> ExpressionError:
    """Say what is wrong with a text that is none of Python's, and what a person could write instead."""
    odd = strange(plain)
    if odd is not None:
        return ExpressionError(odd.message, odd.column)
    assigned = re.search(r"(?<![=<>!])=(?!=)[<>]?", plain)
    if assigned:
        instead = f"{assigned[0][1:]}=" if assigned[0][1:] else "=="
        return ExpressionError(f"'{assigned[0]}' is no comparison; write '{instead}'", assigned.start() + 1)
    column = lead + (error.offset or len(plain.rstrip()) - lead)
    if "too many nested" in error.msg:
        return ExpressionError(_TOO_DEEP, column)
    if "was never closed" in error.msg:
        return ExpressionError("this bracket is not closed", column)
    return ExpressionError("this bracket closes none" if "unmatched" in error.msg else "this is no condition", column)


def walk(node: Node) -> list[Node]:
    """List a tree's nodes, what lies inside `area.…(…)` excluded."""
    found = [node]
    if isinstance(node, Arithmetic | Logic):
        for item in node.items:
            found += walk(item)
    elif isinstance(node, Compare):
        found += walk(node.left) + walk(node.right)
    return found


_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


class _Parser:
    """Turn Python's tree into ours, refusing all that the language does not have."""

    def __init__(self, text: str, lead: int, units: dict[int, str]) -> None:
        self.bytes = text.encode()
        self.lead = lead
        self.units = units
        self.count = 0
        self.quantity: str | None = None  # while inside area.…(…): the quantity named there, "" before one is
        self.inside = False
        self.over = "area"

    def column(self, tree: ast.AST) -> int:
        offset: int = getattr(tree, "col_offset", 0)
        return self.lead + len(self.bytes[:offset].decode("utf-8", "replace")) + 1

    def fail(self, tree: ast.AST, message: str) -> ExpressionError:
        return ExpressionError(message, self.column(tree))

    def node(self, tree: ast.expr, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH:
            raise self.fail(tree, _TOO_DEEP)
        if self.count > MAX_NODES:
            raise self.fail(tree, f"more than {MAX_NODES} parts; split the rule")
        column = self.column(tree)
        match tree:
            case ast.Constant(value=bool()) | ast.Constant(value=None):
                raise self.fail(tree, "constants of truth have no use here")
            case ast.Constant(value=int() | float() as value):
                return self._number(tree, value, column)
            case ast.Constant(value=str()):
                raise self.fail(tree, "a text is only an argument, as in seen('debris', '5m')")
            case ast.Name(id=name):
                return self._name(tree, name, column)
            case ast.Attribute():
                return self._attribute(tree, [], tree, column)
            case ast.Call():
                return self._call(tree, depth, column)
            case ast.BoolOp(op=op, values=values):
                items = tuple(self._boolean(value, depth + 1) for value in values)
                return Logic("and" if isinstance(op, ast.And) else "or", items, column=column)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Logic("not", (self._boolean(operand, depth + 1),), column=column)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                item = self._numeric(operand, depth + 1)
                if isinstance(item, Number):
                    return Number(-item.value, item.unit, column=column)
                return Arithmetic("neg", (item,), column=column)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._numeric(operand, depth + 1)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                both = (self._numeric(left, depth + 1), self._numeric(right, depth + 1))
                return Arithmetic(_BINARY[type(op)], both, column=column)
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                raise self.fail(tree, "write 'and' and 'or' for '&' and '|'")
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._compare(tree, [left, *comparators], ops, depth, column)
        raise self.fail(tree, foreign(tree))

    def _number(self, tree: ast.Constant, value: float, column: int) -> Number:
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if abs(number) > 1e300:
            raise self.fail(tree, "the number is too large")
        unit = self.units.get(column - 1, "")
        if unit and not measures(unit):
            raise self.fail(tree, f"'{unit}' is not a unit of measure")
        return Number(number, unit, column=column)

    def _boolean(self, tree: ast.expr, depth: int) -> Node:
        node = self.node(tree, depth)
        if not node.boolean:
            raise ExpressionError("this is a number where a condition belongs; compare it with something", node.column)
        return node

    def _numeric(self, tree: ast.expr, depth: int) -> Node:
        node = self.node(tree, depth)
        if node.boolean:
            raise ExpressionError("this is a condition where a number belongs", node.column)
        return node

    def _compare(self, tree: ast.expr, sides: list[ast.expr], ops: list[ast.cmpop], depth: int, column: int) -> Node:
        items = [self._numeric(side, depth + 1) for side in sides]
        parts: list[Node] = []
        for left, op, right in zip(items, ops, items[1:], strict=False):
            if type(op) not in _COMPARE:
                raise self.fail(tree, "only > >= < <= == != compare")
            parts.append(Compare(_COMPARE[type(op)], left, right, column=left.column))
        return parts[0] if len(parts) == 1 else Logic("and", tuple(parts), column=column)

    def _name(self, tree: ast.AST, name: str, column: int) -> Node:
        if name in PLAIN:
            return Feature(name, column=column)
        if name in CONSTANT:
            return Constant(name, column=column)
        if name == "judged" and self.inside:
            raise self.fail(tree, "'judged' speaks of one camera, not of the area's points")
        if name in ("alarm", "judged"):
            return Flag(name, column=column)
        if name in (*CLOCK, *CALENDAR):
            self._outside(tree, name, "the site's clock")
            return Clock(name, column=column) if name in CLOCK else Flag(name, column=column)
        if name == "quantile":
            raise self.fail(tree, "'quantile' needs a duration and a share, as in quantile('30m', 0.9)")
        if name in WINDOWED:
            raise self.fail(tree, f"'{name}' needs a duration, as in {name}('10m')")
        if name == "eta":
            raise self.fail(tree, "'eta' needs what it counts to, as in eta('limit')")
        if name in OVER:
            raise self.fail(tree, f"'{name}' stands alone; write {name}.max(…)")
        if name in (*BOOLEAN, *COUNTED, "level", "abs"):
            use = {"sequence": "sequence('smoke', 'fire', '10m')", "between": "between('22:00', '06:00')"}
            use |= {"reports": "reports('noise', 3, '1h')", "repeat": "repeat('family-dispute', 2, '14d')"}
            use |= {"flat": "flat('30m')", "seen": "seen('debris', '5m')", "beyond": "beyond('red')"}
            use |= {"surge": "surge('person', '15m')", "rising": "rising('family-dispute', '28d')"}
            use |= {"fault": "fault('black')", "level": "level('red')", "flagged": "flagged('jump', '10m')"}
            use |= {"mode": "mode('maintenance')", "warned": "warned('limit')"}
            raise self.fail(tree, f"'{name}' stands alone; write {use.get(name, name + '(…)')}")
        meant = "flagged" if name == "quality" else name  # what a reading's quality is asked for by
        raise self.fail(tree, f"unknown name '{name}'{suggest(meant, NAMES)}")

    def _attribute(self, tree: ast.Attribute, arguments: list[ast.expr], place: ast.AST, column: int) -> Node:
        """Take `rain.value`, `rain.sum('24h')`: a feature of the points that measure a quantity, inside area.…(…)."""
        if not isinstance(tree.value, ast.Name):
            raise self.fail(place, foreign(tree))
        quantity = tree.value.id
        if quantity == "area" and tree.attr == "score" and tree is place and not self.inside:
            return AreaScore(column=column)
        if not self.inside:
            raise self.fail(place, f"'{quantity}.{tree.attr}' belongs inside area.max(…), area.any(…) and the like")
        if quantity in OVER:
            raise self.fail(place, f"{quantity}.… cannot stand inside {self.over}.…")
        if self.quantity and self.quantity != quantity:
            message = f"one {self.over}.…(…) speaks of one quantity; '{self.quantity}' is named already"
            raise self.fail(place, message)
        self.quantity = quantity
        if isinstance(place, ast.Call):
            return self._feature(place, tree.attr, arguments, column)
        return self._name(place, tree.attr, column)

    def _call(self, tree: ast.Call, depth: int, column: int) -> Node:
        if tree.keywords:
            raise self.fail(tree, "arguments have no names here")
        match tree.func:
            case ast.Attribute(value=ast.Name(id=over), attr=operation) if over in OVER:
                return self._across(tree, over, operation, depth, column)
            case ast.Attribute() as attribute:
                return self._attribute(attribute, tree.args, tree, column)
            case ast.Name(id=name):
                pass
            case other:
                raise self.fail(tree, foreign(other))
        if name in ("min", "max") and not (len(tree.args) == 1 and _is_text(tree.args[0])):
            if len(tree.args) < 2:
                raise self.fail(tree, f"'{name}' needs a duration, as in {name}('10m'), or two numbers")
            return Arithmetic(name, tuple(self._numeric(item, depth + 1) for item in tree.args), column=column)
        if name == "abs":
            if len(tree.args) != 1:
                raise self.fail(tree, "'abs' takes one number")
            return Arithmetic("abs", (self._numeric(tree.args[0], depth + 1),), column=column)
        return self._feature(tree, name, tree.args, column)

    def _feature(self, tree: ast.AST, name: str, arguments: list[ast.expr], column: int) -> Node:
        if name == "quantile":
            return self._quantile(tree, arguments, column)
        if name == "count" and len(arguments) == 2:
            kind, span = self._text(tree, arguments, "count('intrusion', '10m')", 2)
            self._kinds(tree, (kind,), "count('intrusion', '10m')")
            self._outside(tree, "count", "the whole area")
            return Events(kind, self._seconds(tree, span), column=column)
        if name == "sequence":
            return self._sequence(tree, arguments, column)
        if name == "mode":
            kind = self._text(tree, arguments, "mode('maintenance')", 1)[0]
            self._outside(tree, "mode", "the whole area")
            return Flag(name, kind=kind, column=column)
        if name == "between":
            return self._between(tree, arguments, column)
        if name in WINDOWED:
            return Feature(name, self._duration(tree, name, arguments), column=column)
        if name == "flat":
            return Flag(name, self._duration(tree, name, arguments), column=column)
        if name in ("eta", "level", "beyond", "warned"):
            known = LEVELS if name == "level" else ("limit", *LEVELS)
            what = self._text(tree, arguments, f"{name}('{known[0]}')", 1)[0]
            if what not in known:
                raise self.fail(tree, f"{name}(…) takes {', '.join(known)}, not '{what}'{suggest(what, known)}")
            if name == "eta":
                return Feature(name, argument=what, column=column)
            return Constant(name, what, column=column) if name == "level" else Flag(name, kind=what, column=column)
        if name == "seen":
            kind, span = self._text(tree, arguments, "seen('debris', '5m')", 2)
            self._kinds(tree, (kind,), "seen('debris', '5m')")
            self._outside(tree, "seen", "the whole area")
            return Flag(name, self._seconds(tree, span), kind, column=column)
        if name in ("reports", "repeat"):
            return self._reports(tree, name, arguments, column)
        if name in COUNTED:
            return self._surprise(tree, name, arguments, column)
        if name == "flagged":
            kind, span = self._text(tree, arguments, "flagged('jump', '10m')", 2)
            if kind not in RULED:
                raise self.fail(tree, f"flagged(…) takes {', '.join(RULED)}, not '{kind[:40]}'{suggest(kind, RULED)}")
            self._outside(tree, "flagged", "one point")
            return Flag(name, self._seconds(tree, span), kind, column=column)
        if name == "fault":
            kinds = (*CAMERA_FAULTS, "any")
            kind = self._text(tree, arguments, "fault('black')", 1)[0]
            if kind not in kinds:
                raise self.fail(tree, f"fault(…) takes {', '.join(kinds)}, not '{kind}'{suggest(kind, kinds)}")
            if self.inside:
                raise self.fail(tree, "'fault' speaks of one camera, not of the area's points")
            return Flag(name, kind=kind, column=column)
        if name in (*PLAIN, *CONSTANT, *CLOCK, *CALENDAR, "alarm", "judged"):
            raise self.fail(tree, f"'{name}' takes no arguments")
        raise self.fail(tree, f"unknown feature '{name}'{suggest(name, NAMES)}")

    def _quantile(self, tree: ast.AST, arguments: list[ast.expr], column: int) -> Node:
        given = [item.value for item in arguments if isinstance(item, ast.Constant)]
        match given:
            case [str() as span, float() as share] if len(arguments) == 2:
                pass
            case _:
                raise self.fail(tree, "write quantile('30m', 0.9): a duration, and the share of the readings below")
        if not 0 < share < 1:
            raise self.fail(tree, "the share of a quantile lies between 0 and 1; for the ends there are min and max")
        return Feature("quantile", self._seconds(tree, span), share=share, column=column)

    def _reports(self, tree: ast.AST, name: str, arguments: list[ast.expr], column: int) -> Node:
        given = [item.value for item in arguments if isinstance(item, ast.Constant)]
        match given:
            case [str() as category, int() as count, str() as span] if len(arguments) == 3 and type(count) is int:
                pass
            case _:
                use = "reports('noise', 3, '1h')" if name == "reports" else "repeat('family-dispute', 2, '14d')"
                raise self.fail(tree, f"write {use}: a category, how many, within what time")
        if not _CATEGORY.match(category):
            raise self.fail(tree, "a category is of small letters, digits, '-' and '_', as reports are given it")
        if not 2 <= count <= MOST:
            raise self.fail(tree, f"{name}(…) counts 2 to {MOST} reports; for one write seen('report-{category}', …)")
        self._outside(tree, name, "the whole area")
        return Flag(name, self._seconds(tree, span), category, count, column=column)

    def _surprise(self, tree: ast.AST, name: str, arguments: list[ast.expr], column: int) -> Node:
        use = "surge('person', '15m')" if name == "surge" else "rising('family-dispute', '28d')"
        kind, span = self._text(tree, arguments, use, 2)
        if name == "surge" and not 0 < len(kind) <= 64:
            raise self.fail(tree, f"name the kind of event, as in {use}")
        if name == "rising" and not _CATEGORY.match(kind):
            raise self.fail(tree, "a category is of small letters, digits, '-' and '_', as reports are given it")
        seconds = self._seconds(tree, span)
        if seconds < SHORTEST_COUNTED[name]:
            raise self.fail(tree, f"{name}(…) counts over {SHORTEST_COUNTED[name] / 60:.0f} min at least")
        self._outside(tree, name, "the whole area")
        return Surprise(name, kind, seconds, column=column)

    def _across(self, tree: ast.Call, over: str, operation: str, depth: int, column: int) -> Node:
        if operation not in AREA:
            raise self.fail(tree, f"unknown '{over}.{operation}'{suggest(operation, AREA)}")
        if self.inside:
            raise self.fail(tree, f"{over}.… cannot stand inside {self.over}.…")
        near, arguments = 0.0, tree.args
        if over == "neighbours":
            near = NEAR
            if len(arguments) == 2:
                near = self._metres(arguments[1])
                arguments = arguments[:1]
        if len(arguments) != 1:
            raise self.fail(tree, f"{over}.{operation}(…) takes one expression")
        self.inside, self.quantity, self.over = True, "", over
        inner = self.node(arguments[0], depth + 1)
        self.inside, quantity = False, self.quantity or ""
        if operation in ("any", "all", "count") and not inner.boolean:
            raise ExpressionError(f"{over}.{operation}(…) takes a condition", inner.column)
        if operation in ("max", "min", "mean", "sum") and inner.boolean:
            raise ExpressionError(f"{over}.{operation}(…) takes a number", inner.column)
        kind = AcrossFlag if operation in ("any", "all") else Across
        return kind(operation, quantity, inner, over, near, column=column)

    def _metres(self, tree: ast.expr) -> float:
        text = tree.value if isinstance(tree, ast.Constant) and isinstance(tree.value, str) else ""
        match = re.fullmatch(r" *([0-9]{1,5}(?:\.[0-9]{1,3})?) *(m|km) *", text)
        metres = float(match[1]) * (1000.0 if match[2] == "km" else 1.0) if match else 0.0
        if not 0 < metres <= FURTHEST:
            raise self.fail(tree, f"how near is a text such as '500 m' or '2 km', at most {FURTHEST / 1000:.0f} km")
        return metres

    def _sequence(self, tree: ast.AST, arguments: list[ast.expr], column: int) -> Node:
        use = "sequence('smoke', 'fire', '10m')"
        if not FEWEST < len(arguments) <= LONGEST + 1:
            raise self.fail(tree, f"write {use}: {FEWEST} to {LONGEST} kinds of events, and within what time")
        *kinds, span = self._text(tree, arguments, use, len(arguments))
        self._kinds(tree, kinds, use)
        same = next((kind for kind, other in itertools.pairwise(kinds) if kind == other), None)
        if same is not None:
            message = f"'{same}' cannot follow itself; write count('{same}', '{span}') >= 2"
            raise self.fail(tree, message)
        self._outside(tree, "sequence", "the whole area")
        return Order(tuple(kinds), self._seconds(tree, span), column=column)

    def _between(self, tree: ast.AST, arguments: list[ast.expr], column: int) -> Node:
        use = "between('22:00', '06:00')"
        begin, end = self._text(tree, arguments, use, 2)
        if not (MOMENT.match(begin) and MOMENT.match(end)) or begin == end or begin == "24:00":
            raise self.fail(tree, f"write {use}: two times of the day, 00:00 to 24:00")
        self._outside(tree, "between", "the site's clock")
        return Flag("between", kind=f"{begin}-{end}", column=column)

    def _kinds(self, tree: ast.AST, kinds: Sequence[str], use: str) -> None:
        if not all(0 < len(kind) <= 64 and kind.isprintable() for kind in kinds):
            raise self.fail(tree, f"name the kind of event, as in {use}")

    def _outside(self, tree: ast.AST, name: str, what: str) -> None:
        if self.inside:
            raise self.fail(tree, f"'{name}' speaks of {what}: write it outside {self.over}.…(…)")

    def _text(self, tree: ast.AST, arguments: list[ast.expr], use: str, count: int) -> list[str]:
        texts = [item.value for item in arguments if isinstance(item, ast.Constant) and isinstance(item.value, str)]
        if len(texts) != len(arguments) or len(texts) != count:
            raise self.fail(tree, f"write {use}")
        return texts

    def _duration(self, tree: ast.AST, name: str, arguments: list[ast.expr]) -> float:
        return self._seconds(tree, self._text(tree, arguments, f"{name}('10m')", 1)[0])

    def _seconds(self, tree: ast.AST, span: str) -> float:
        try:
            seconds = duration_seconds(span)
        except ValueError as error:
            raise self.fail(tree, str(error)) from None
        if not 0 < seconds <= MAX_WINDOW:
            raise self.fail(tree, f"a duration here is more than 0 and at most {MAX_WINDOW / 86400:.0f} days")
        return seconds


_FOREIGN: dict[type[ast.AST], str] = {
    ast.Pow: "'**' is not part of the rule language: there are + - * /, abs, min and max",
    ast.FloorDiv: "'//' is not part of the rule language: there are + - * /, abs, min and max",
    ast.Mod: "'%' is not part of the rule language, but as a unit after a number: 5 %",
    ast.LShift: "'<<' is not part of the rule language: there are + - * /, abs, min and max",
    ast.RShift: "'>>' is not part of the rule language: there are + - * /, abs, min and max",
    ast.NamedExpr: "':=' is not part of the rule language: nothing has a name of its own",
    ast.IfExp: "'if' is not part of the rule language: join conditions with and, or, not",
    ast.JoinedStr: "a text that is put together is not part of the rule language",
    ast.Subscript: "'[ ]' is not part of the rule language: nothing is looked up",
    ast.Attribute: "'.{attr}' is not part of the rule language: a dot stands in area.max(…) and the like, and in them",
}


def foreign(tree: ast.AST) -> str:
    """Say of a part of Python's grammar that the language does not have it."""
    kind = type(tree.op) if isinstance(tree, ast.BinOp) else type(tree)
    message = _FOREIGN.get(kind, "this is not part of the rule language")
    return message.replace("{attr}", tree.attr[:40]) if isinstance(tree, ast.Attribute) else message


def _is_text(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and isinstance(tree.value, str)
