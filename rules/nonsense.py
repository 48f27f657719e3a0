"""What a condition cannot mean though it is well formed: found before it is published, not when it is in force."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan
from typing import NamedTuple

from rules.binding import MIRROR, fold
from rules.expression import (
    Across,
    AcrossFlag,
    AreaScore,
    Arithmetic,
    Clock,
    Compare,
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
from rules.unparse import unparse


class _Range(NamedTuple):
    """Between what a feature lies, both included, and whether in steps of one."""

    low: float = -inf
    high: float = inf
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.low:g} or more" if self.high == inf else f"{self.low:g} to {self.high:g}"


_ANY = _Range()
_SHARE = _Range(0.0, 1.0)
_COUNT = _Range(0.0, whole=True)
_AMOUNT = _Range(0.0)
_CLOCK = {"hour": _Range(0.0, 23.0, whole=True), "weekday": _Range(1.0, 7.0, whole=True)}


def nonsense(node: Node) -> ExpressionError | None:
    """Return the first thing in a condition that cannot be meant, with its column; None when there is none."""
    return next(_found(node), None)


def lookback(node: Node, kept: float) -> ExpressionError | None:
    """Return the first thing that looks back on more seconds than the log is `kept`, with its column; None: none does.

    Nobody could tell again why such a condition held: a replay begins where the log does.
    """
    for part in walk(node):
        if isinstance(part, Across | AcrossFlag):
            found = lookback(part.inner, kept)
            if found is not None:
                return found
        elif isinstance(part, Feature | Flag | Events | Order | Surprise) and part.seconds > kept:
            message = f"looks back on {part.seconds / 86400.0:g} days, and the log is kept for {kept / 86400.0:g}"
            return ExpressionError(f"{unparse(part)} {message} (FORESHOCK_RETENTION_DAYS)", part.column)
    return None


def _found(node: Node) -> Iterator[ExpressionError]:
    match node:
        case Compare(_, left, right):
            yield from _found(left)
            yield from _found(right)
            if _number(left) is not None and _number(right) is not None:
                yield ExpressionError("no reading moves this: it holds always, or never", node.column)
            elif left == right:
                yield ExpressionError("the same stands on both sides", node.column)
            else:
                yield from _beyond(node.operation, left, right)
                yield from _beyond(MIRROR[node.operation], right, left)
        case Arithmetic("/", (above, below)):
            yield from _found(above)
            yield from _found(below)
            if _number(below) == 0.0 or _nothing(below):
                yield ExpressionError("this divides by zero", below.column)
        case Arithmetic(_, items) | Logic(_, items):
            for item in items:
                yield from _found(item)
        case Across() | AcrossFlag():
            yield from _found(node.inner)


def _beyond(operation: str, side: Node, other: Node) -> Iterator[ExpressionError]:
    """Find a limit that what it is compared with can never reach, or never leave."""
    limit, spans = _number(other), _range(side)
    if limit is None or spans == _ANY:
        return
    if spans == _SHARE and isinstance(other, Number) and other.unit == "%":
        limit /= 100.0
    what = unparse(side)
    if not spans.low <= limit <= spans.high:
        yield ExpressionError(f"{what} is {spans}: this holds always, or never", other.column)
    elif (operation == ">" and limit == spans.high) or (operation == "<" and limit == spans.low):
        yield ExpressionError(f"{what} is {spans}: this never holds", other.column)
    elif spans.whole and operation in ("==", "!=") and limit != int(limit):
        often = "never" if operation == "==" else "always"
        yield ExpressionError(f"{what} is a whole number: this {often} holds", other.column)


def _range(node: Node) -> _Range:
    match node:
        case Feature("score") | AreaScore() | Surprise():
            return _SHARE
        case Feature("count") | Events() | Across("count"):
            return _COUNT
        case Feature("age" | "spread"):
            return _AMOUNT
        case Clock(name):
            return _CLOCK[name]
    return _ANY


def _nothing(node: Node) -> bool:
    """Tell whether a number is a difference of the same."""
    return isinstance(node, Arithmetic) and node.operation == "-" and node.items[0] == node.items[1]


def _number(node: Node) -> float | None:
    """Work out what is made of numbers alone; None where something else is in it, or a zero is divided by."""
    if isinstance(node, Number):
        return node.value
    if not isinstance(node, Arithmetic):
        return None
    each = [_number(item) for item in node.items]
    if any(one is None for one in each):
        return None
    found = fold(node.operation, [one for one in each if one is not None])
    return None if isnan(found) else found
