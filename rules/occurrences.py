"""Rules that go by what is told alone, events and reports: each is an occurrence of its own, and none a measurement.

That such a condition still holds says only that what happened is not long ago.
"""

from __future__ import annotations

from rules.expression import Compare, Events, Flag, Logic, Node, Number, Order, Surprise, parse
from rules.rule import Rule

_TOLD = ("seen", "reports", "repeat")
_OVER, _UNDER = (">", ">="), ("<", "<=")


def goes_by_events(rule: Rule) -> bool:
    """Tell whether every level of a rule, and what corroborates it, asks only for what was seen or reported of late.

    What asks that nothing was is no such rule: no event would ever make it true.
    """
    return not any(one.quantity for one in rule.corroborated) and all(
        _is_told(parse(level.when), True) and (level.clear is None or _is_told(parse(level.clear), False))
        for _, level in rule.ranked()
    )


def _is_told(node: Node, by_events: bool) -> bool:
    """Tell whether events alone decide a condition: more of them make it true, or else (not `by_events`) false."""
    match node:
        case Logic("not", (inner,)):
            return _is_told(inner, not by_events)
        case Logic(_, items):
            return all(_is_told(item, by_events) for item in items)
        case Flag(name):
            return by_events and name in _TOLD
        case Order():
            return by_events
        case Compare(operation, Events() | Surprise(), Number()):
            return operation in (_OVER if by_events else _UNDER)
        case Compare(operation, Number(), Events() | Surprise()):
            return operation in (_UNDER if by_events else _OVER)
    return False
