"""Find by intervals what can never hold, or always does, and a `clear` that holds whenever its `when` does.

A condition becomes alternatives, each of which says within what every feature in it must lie. Numbers of the registry
differ from point to point: what is compared with one is a feature of its own, true or false.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf, isnan
from typing import NamedTuple

from rules.across import measures_of
from rules.binding import OPPOSITE, Bound, Subject, Test, Value, bind, plain
from rules.expression import ExpressionError, Logic, Node, parse, walk
from rules.rule import Rule
from rules.typical import other_unit, units_of
from rules.vectors import Bench
from sensors.problem import Path
from sensors.site import LEVELS, Site

MOST = 64
"""Alternatives of a condition; of one that has more, nothing is said."""


class Span(NamedTuple):
    """Between what a feature lies; `name` is how people write it."""

    name: str
    low: float = -inf
    high: float = inf
    above: bool = False  # the low end is left out
    below: bool = False  # the high end is left out
    out: frozenset[float] = frozenset()

    def meet(self, other: Span) -> Span:
        """Return what lies in both."""
        low, above = max((self.low, self.above), (other.low, other.above))
        high, under = min((self.high, not self.below), (other.high, not other.below))
        return Span(self.name, low, high, above, not under, self.out | other.out)

    @property
    def empty(self) -> bool:
        """Tell whether nothing lies in it."""
        if self.low != self.high:
            return self.low > self.high
        return self.above or self.below or self.low in self.out

    def has(self, value: float) -> bool:
        """Tell whether a number lies in it."""
        return not self.meet(Span("", value, value)).empty

    def within(self, other: Span) -> bool:
        """Tell whether all of it lies in another."""
        met = self.meet(other)
        return met[1:5] == self[1:5] and not any(self.has(value) for value in other.out)


Alternative = Mapping[object, Span]
"""What each feature must lie in."""


class Contradictions:
    """Look for conditions of rules that contradict themselves, as they are bound to the points of a site."""

    def __init__(self, site: Site, bench: Bench) -> None:
        self.bench = bench
        self.measures, self.units = measures_of(site), units_of(site)

    def of(self, rule: Rule) -> Iterator[tuple[Path, str]]:
        """Say where in a rule, and what; nothing of what does not parse or bind, which the compiler tells."""
        subject: Subject | None = None
        for rank, level in rule.ranked():
            texts = [("when", level.when)] + ([("clear", level.clear)] if level.clear is not None else [])
            try:
                nodes = [parse(text) for _, text in texts]
            except ExpressionError:
                continue
            if len(nodes) == 1 and not isinstance(nodes[0], Logic):
                continue
            subject = subject or self._subject(rule)
            wrong = False
            for (part, _), node in zip(texts, nodes, strict=True):
                found = contradiction(node, subject)
                if found is not None:
                    wrong = True
                    yield ("levels", LEVELS[rank - 1], part), f"column {found.column}: {found.message}"
            if not wrong and len(nodes) == 2 and holds_while(nodes[1], nodes[0], subject):
                message = "holds whenever `when` does: say what is calm again, such as a value below its limit"
                yield ("levels", LEVELS[rank - 1], "clear"), message

    def hidden(self, rule: Rule) -> Iterator[tuple[Path, str]]:
        """Say which levels are never seen, as a higher one is raised whenever they would be: two were swapped."""
        levels = rule.ranked()
        if len(levels) < 2:
            return
        subject = self._subject(rule)
        try:
            raised = [_alternatives(parse(level.when), subject, False) for _, level in levels]
        except (ExpressionError, LookupError):  # the compiler tells
            return
        for place, (rank, level) in enumerate(levels):
            for higher in range(place + 1, len(levels)):
                above = levels[higher][1]
                sooner = rule.hold_of(above) <= rule.hold_of(level)
                samples = rule.samples_of(above) in ("", rule.samples_of(level))
                if sooner and samples and _covered(raised[place], raised[higher]):
                    name = LEVELS[levels[higher][0] - 1]
                    yield ("levels", LEVELS[rank - 1], "when"), f"is never seen: '{name}' holds whenever this does"
                    break

    def _subject(self, rule: Rule) -> Subject:
        told = rule.kind == "data_quality"
        point = self.bench.covered(rule.where) if rule.scope == "point" else None
        if point is None:
            return Subject("", False, self.measures, None, told)
        kinds = [area.type for area in map(self.bench.areas.get, point.areas) if area and rule.where.takes_area(area)]
        bare = other_unit(point, kinds[0], self.units) if kinds else None
        return Subject(point.unit, point.limit_below, self.measures, bare, told)


def contradiction(node: Node, subject: Subject) -> ExpressionError | None:
    """Return the first part of a condition that can never hold, or always does, with its column; None: there is none.

    What does not bind to the subject is left to who compiles it.
    """
    joins = {part.operation for part in walk(node) if isinstance(part, Logic)}
    for negate in (False, True) if joins - {"and"} else (False,):  # what only `and` joins cannot always hold
        try:
            _alternatives(node, subject, negate)
        except _Never as found:
            return ExpressionError(found.message, found.column)
        except (ExpressionError, LookupError):
            return None
    return None


def holds_while(clear: Node, when: Node, subject: Subject) -> bool:
    """Tell whether a `clear` is known to hold whenever its `when` does: it would say nothing of calm."""
    try:
        return _covered(_alternatives(when, subject, False), _alternatives(clear, subject, False))
    except (ExpressionError, LookupError):
        return False


def _covered(some: list[Alternative] | None, others: list[Alternative] | None) -> bool:
    """Tell whether it is known that each alternative implies one of the others."""
    return bool(some and others) and all(any(_implies(one, other) for other in others or ()) for one in some or ())


class _Never(ExpressionError):
    """Raised where a part of a condition excludes itself."""


def _alternatives(node: Node, subject: Subject, negate: bool) -> list[Alternative] | None:
    """List the alternatives of a condition or of its negation; None where there are too many."""
    if not isinstance(node, Logic):
        return _alone(bind(node, subject, negate=negate))
    if node.operation == "not":
        return _alternatives(node.items[0], subject, not negate)
    each = [_alternatives(item, subject, negate) for item in node.items]
    known = [one for one in each if one is not None]
    if (node.operation == "and") == negate:
        joined = [alternative for one in known for alternative in one]
        return joined if len(known) == len(each) and len(joined) <= MOST else None
    found: list[Alternative] = [{}]
    clash: Span | None = None
    for one in known:
        if len(found) * len(one) > MOST * MOST:
            return None
        met = [_met(left, right) for left in found for right in one]
        found = [alternative for alternative in met if not isinstance(alternative, Span)]
        clash = next((alternative for alternative in met if isinstance(alternative, Span)), clash)
        if not found and clash is not None:
            never = f"this never holds: what it asks of {clash.name} cannot be so at once"
            always = f"this always holds: whatever {clash.name} is, some part of it is so"
            raise _Never(always if negate else never, node.column)
    return found if len(known) == len(each) and len(found) <= MOST else None


def _alone(bound: Bound) -> list[Alternative] | None:
    """Give the one alternative of a comparison."""
    if not isinstance(bound, Test):
        return None
    name, left = bound.name.removeprefix("not "), plain(bound.left)
    if not isinstance(bound.right, Value):
        straight = bound.operation in (">", ">=", "==")
        key = left, plain(bound.right), bound.operation if straight else OPPOSITE[bound.operation]
        return [{key: Span(name, float(straight), float(straight))}]
    limit = bound.right.value
    if isnan(limit):
        return None
    match bound.operation:
        case ">" | ">=":
            span = Span(name, low=limit, above=bound.operation == ">")
        case "<" | "<=":
            span = Span(name, high=limit, below=bound.operation == "<")
        case "==":
            span = Span(name, limit, limit)
        case _:
            span = Span(name, out=frozenset({limit}))
    return [{left: span}]


def _met(one: Alternative, other: Alternative) -> Alternative | Span:
    """Join two alternatives; return what is empty in it where they exclude each other."""
    found = dict(one)
    for key, span in other.items():
        found[key] = found[key].meet(span) if key in found else span
        if found[key].empty:
            return found[key]
    return found


def _implies(one: Alternative, other: Alternative) -> bool:
    return all(key in one and one[key].within(span) for key, span in other.items())
