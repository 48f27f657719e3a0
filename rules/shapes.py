"""Evaluate shapes: one structure of condition over many places at once, on arrays of features and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rules.binding import (
    Both,
    Bound,
    Column,
    Either,
    Formula,
    Key,
    Param,
    PointValue,
    Test,
    Value,
    column_cost,
    constant,
)

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Resolve = Callable[[Bound], "Array | float"]


def number(bound: Bound, resolve: Resolve) -> Array | float:
    """Work out a number; `resolve` gives the leaves. Unknown and division by zero are NaN."""
    match bound:
        case Value(value):
            return value
        case Formula(operation, items):
            values = [number(item, resolve) for item in items]
            return _formula(operation, values)
    return resolve(bound)


def holds(bound: Bound, resolve: Resolve) -> Truth:
    """Work out where a condition is known to hold."""
    match bound:
        case Test(operation, left, right):
            return compare(operation, number(left, resolve), number(right, resolve))
        case Both(items):
            found = holds(items[0], resolve)
            for item in items[1:]:
                if not found.any():
                    break  # the items are in order of cost: most conditions end at the first
                found = found & holds(item, resolve)
            return found
        case Either(items):
            found = holds(items[0], resolve)
            for item in items[1:]:
                if found.all():
                    break
                found = found | holds(item, resolve)
            return found
    raise TypeError(bound)


def compare(operation: str, left: Array | float, right: Array | float) -> Truth:
    """Compare; NaN on either side gives no."""
    match operation:
        case ">":
            return np.greater(left, right)
        case ">=":
            return np.greater_equal(left, right)
        case "<":
            return np.less(left, right)
        case "<=":
            return np.less_equal(left, right)
        case "==":
            return np.equal(left, right)
    return np.less(left, right) | np.greater(left, right)


def _formula(operation: str, values: list[Array | float]) -> Array | float:
    with np.errstate(all="ignore"):
        match operation:
            case "+":
                return np.add(values[0], values[1])
            case "-":
                return np.subtract(values[0], values[1])
            case "*":
                return np.multiply(values[0], values[1])
            case "/":
                divisor = np.asarray(values[1], np.float64)
                return np.divide(values[0], np.where(divisor == 0, np.nan, divisor))
            case "neg":
                return np.negative(values[0])
            case "abs":
                return np.abs(values[0])
        merge = np.minimum if operation == "min" else np.maximum
        found = values[0]
        for value in values[1:]:
            found = merge(found, value)
        return found


class Bar(NamedTuple):
    """A necessary sign: the condition can only hold where column `key` is at or past the constant `part`."""

    key: Key
    above: bool  # at or above; else at or below
    part: Bound


def bars(bound: Bound) -> tuple[float, list[Bar]] | None:
    """Find bars of a condition: while none is passed, it cannot hold. None: no such sign; always look."""
    match bound:
        case Test(operation, Column(key, False), right) if constant(right) and operation != "!=":
            above = operation in (">", ">=", "==")
            young = key in (("age",), ("silence",)) and not above  # a reading always is
            return 99.0 if young else column_cost(key), [Bar(key, above, right)]
        case Both(items):
            found = [guard for guard in map(bars, items) if guard is not None]
            return min(found, key=lambda guard: guard[0]) if found else None
        case Either(items):
            each = [bars(item) for item in items]
            if any(guard is None for guard in each):
                return None
            known = [guard for guard in each if guard is not None]
            return max(cost for cost, _ in known), [bar for _, some in known for bar in some]
    return None


def resolve_constants(table: dict[str, Array], rows: npt.NDArray[np.intp]) -> Resolve:
    """Give the registry's figures of some rows, for evaluating constant parts. Raise `KeyError` for others."""

    def resolve(leaf: Bound) -> Array | float:
        assert isinstance(leaf, PointValue)
        return table[leaf.name][rows]

    return resolve


def resolver(params: Array, chosen: npt.NDArray[np.intp], column: Callable[[Column], Array]) -> Resolve:
    """Give the parameters of the chosen places and the columns, for evaluating a shape."""

    def resolve(leaf: Bound) -> Array | float:
        if isinstance(leaf, Param):
            found: Array = params[leaf.index][chosen]
            return found
        assert isinstance(leaf, Column)
        return column(leaf)

    return resolve
