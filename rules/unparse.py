"""The rule language: typed tree → text, as it stands in explanations and names figures across an area."""

from __future__ import annotations

from rules.expression import (
    AREA_SCORE,
    NEAR,
    Across,
    AcrossFlag,
    AreaScore,
    Arithmetic,
    Clock,
    Compare,
    Constant,
    Events,
    Feature,
    Flag,
    Logic,
    Node,
    Number,
    Order,
    Surprise,
)

_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"))


def unparse(node: Node, quantity: str = "") -> str:
    """Write a tree as text again; what is said of points is said of those that measure `quantity`, if any."""

    def text(inner: Node) -> str:
        return unparse(inner, quantity)

    of = f"{quantity}." if quantity else ""
    match node:
        case Number(value, unit):
            return f"{value:.12g} {unit}".strip()
        case Feature("quantile", duration, _, share):
            return f"{of}quantile('{_span(duration)}', {share:.12g})"
        case Feature(name, duration, argument):
            inside = _span(duration) if duration else argument
            return f"{of}{name}('{inside}')" if inside else of + name
        case Constant(name, argument):
            return f"{of}{name}('{argument}')" if argument else of + name
        case Flag(name, duration, kind, count) if count:
            return f"{name}({kind!r}, {count}, {_span(duration)!r})"
        case Flag("between", _, kind):
            return f"between({', '.join(map(repr, kind.split('-')))})"
        case Order(kinds, duration):
            return f"sequence({', '.join(map(repr, (*kinds, _span(duration))))})"
        case Events(kind, duration):
            return f"count({kind!r}, {_span(duration)!r})"
        case Clock(name):
            return name
        case Flag(name, duration, kind):
            parts = ([kind] if kind else []) + ([_span(duration)] if duration else [])
            return f"{of}{name}({', '.join(map(repr, parts))})" if parts else of + name
        case Across(operation, named, inner, over, near) | AcrossFlag(operation, named, inner, over, near):
            within = f", '{near:.12g} m'" if near not in (0.0, NEAR) else ""
            return f"{over}.{operation}({unparse(inner, named)}{within})"
        case Surprise(name, kind, duration):
            return f"{name}({kind!r}, {_span(duration)!r})"
        case AreaScore():
            return AREA_SCORE
        case Arithmetic("neg", (item,)):
            return f"-{text(item)}"
        case Arithmetic("abs" | "min" | "max" as operation, items):
            return f"{operation}({', '.join(map(text, items))})"
        case Arithmetic(operation, items):
            return "(" + f" {operation} ".join(map(text, items)) + ")"
        case Compare(operation, left, right):
            return f"{text(left)} {operation} {text(right)}"
        case Logic("not", (item,)):
            return f"not ({text(item)})"
        case Logic(operation, items):
            return "(" + f" {operation} ".join(map(text, items)) + ")"
    raise TypeError(node)


def _span(duration: float) -> str:
    for size, name in _SPANS:
        if duration >= size and duration % size == 0:
            return f"{duration / size:.0f}{name}"
    return f"{duration:.12g}s"
