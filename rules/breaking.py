"""Break a rule's limits one at a time, and see whether its own tests notice: what none notices is not proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

import msgspec

from rules.clauses import corroborates, quantity_of, samples_of, scheduled
from rules.compiler import CompileError
from rules.expression import Across, AcrossFlag, Compare, Constant, Events, Flag, Node, Number, parse
from rules.rule import Level, Rule, RuleTest, Series
from rules.unparse import unparse
from rules.vectors import Bench, VectorError
from sensors.site import LEVELS, Point, Quantity, Text

Described = TypeVar("Described", Point, Series, Quantity)

BY = 0.25
"""Share by which a limit is moved, both ways: a test that does not notice a quarter does not say where the limit is."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of which one thing was changed: `level` and `part` say where, `before` and `after` what."""

    level: str
    part: str  # when | clear | for | clear_after | limit | samples | deadband | schedule | with
    before: str
    after: str
    rule: Rule
    bench: Bench


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """Which of a rule's tests failed once something was broken; empty for none."""

    level: str
    part: str
    before: str
    after: str
    test: str


def name_of(test: RuleTest) -> str:
    """Name a test in English."""
    return test.name.en if isinstance(test.name, Text) else test.name


def failures(rule: Rule, test: RuleTest, bench: Bench) -> list[str]:
    """Run a test; return what differs from what it expects, or why it cannot run."""
    try:
        return bench.run(rule, test)
    except (VectorError, CompileError) as error:
        return [str(error)]


def notice(broken: Broken) -> Noticed:
    """Run the tests of a broken rule until one fails."""
    rule = broken.rule
    found = next((name_of(test) for test in rule.tests if failures(rule, test, broken.bench)), "")
    return Noticed(level=broken.level, part=broken.part, before=broken.before, after=broken.after, test=found)


def breaks(rule: Rule, bench: Bench) -> Iterator[Broken]:
    """Change each limit of a rule, a quarter up and down, and each delay: to none, and to twice as long.

    A deadband as a delay; samples to one and to all; the schedule and what corroborates are left out, and limits of
    what corroborates are moved.

    A limit of the registry is changed for one quantity at a time.
    """
    bench = bench.only_for(rule)
    for rank, level in rule.ranked():
        name = LEVELS[rank - 1]

        def made(part: str, before: str, after: str, changed: Level, name: str = name) -> Broken:
            levels = msgspec.structs.replace(rule.levels, **{name: changed})
            return Broken(
                level=name,
                part=part,
                before=before,
                after=after,
                rule=msgspec.structs.replace(rule, levels=levels),
                bench=bench,
            )

        for part, text in (("when", level.when), ("clear", level.clear)):
            if text is None:
                continue
            tree = parse(text)
            for before, after, changed in _shifted(tree):
                yield made(part, before, after, msgspec.structs.replace(level, **{part: unparse(changed)}))
            for limit, quantity in sorted(registered(tree, rule.where.quantities or ("",))):
                for factor in (1 - BY, 1 + BY):
                    broken = _relimited(rule, bench, name, part, limit, quantity, factor)
                    if broken is not None:
                        yield broken
        for part, field, span in (
            ("for", "hold", rule.hold_of(level)),
            ("clear_after", "clear_after", rule.clear_after_of(level)),
        ):
            if span > 0:
                for other in (0.0, 2 * span):
                    delayed = msgspec.structs.replace(level, **{field: other})
                    yield made(part, f"{span:g} s", f"{other:g} s", delayed)
        least, of = samples_of(rule.samples_of(level))
        for other_samples in sorted({f"1 of {of}", f"{of} of {of}"} - {f"{least} of {of}"}) if least else ():
            changed_level = msgspec.structs.replace(level, samples=other_samples)
            yield made("samples", f"{least} of {of}", other_samples, changed_level)
        if deadband := rule.deadband_of(level):
            written = quantity_of(deadband)
            for moved in (replace(written, value=0.0), replace(written, value=2 * written.value)):
                other_deadband = unparse(moved) if moved.value else 0.0
                changed_level = msgspec.structs.replace(level, deadband=other_deadband)
                yield made("deadband", str(deadband), str(other_deadband), changed_level)
    for part, before, after, changed_rule in _without(rule):
        yield Broken(level="", part=part, before=before, after=after, rule=changed_rule, bench=bench)


def _without(rule: Rule) -> Iterator[tuple[str, str, str, Rule]]:
    """Yield (part, before, after, rule) without schedule, without what corroborates, with limits of that moved."""
    if rule.schedule:
        yield "schedule", scheduled(rule.schedule), "always", msgspec.structs.replace(rule, schedule=None)
    if not rule.corroborated:
        return
    every = " or ".join(corroborates(one, rule) for one in rule.corroborated)
    yield "with", every, "nothing", msgspec.structs.replace(rule, corroborated=())
    for place, one in enumerate(rule.corroborated):
        for field in ("above", "below"):
            if getattr(one, field) is None:
                continue
            number = quantity_of(getattr(one, field))
            for factor in (1 - BY, 1 + BY):
                moved = msgspec.structs.replace(one, **{field: unparse(replace(number, value=number.value * factor))})
                some = (*rule.corroborated[:place], moved, *rule.corroborated[place + 1 :])
                changed = msgspec.structs.replace(rule, corroborated=some)
                yield "with", corroborates(one, rule), corroborates(moved, rule), changed


def _shifted(tree: Node) -> Iterator[tuple[str, str, Node]]:
    """Yield (before, after, tree) for each number that something is compared with, moved down and up."""
    for node, put in places(tree, lambda changed: changed):
        if not isinstance(node, Compare):
            continue
        for side in ("left", "right"):
            number = getattr(node, side)
            if isinstance(number, Number) and number.value:
                step = max(abs(number.value) * BY, 1.0 if _counts(node, side) else 0.0)
                for moved in (number.value - step, number.value + step):
                    other = replace(number, value=moved)
                    changed = replace(node, left=other) if side == "left" else replace(node, right=other)
                    yield unparse(node), unparse(changed), put(changed)


def _counts(node: Compare, side: str) -> bool:
    """Tell whether what is compared is a number of things: a quarter of three is none."""
    other = node.right if side == "left" else node.left
    return (
        isinstance(other, Events) or getattr(other, "name", "") == "count" or getattr(other, "operation", "") == "count"
    )


def places(node: Node, put: Callable[[Node], Node]) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """Yield every node with what makes the whole tree anew around another in its place."""
    yield node, put
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node):

            def within(changed: Node, name: str = field.name) -> Node:
                return put(_with(node, name, changed))

            yield from places(value, within)
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if not isinstance(item, Node):  # the kinds of a sequence
                    continue

                def among(
                    changed: Node, name: str = field.name, items: tuple[Node, ...] = value, at: int = place
                ) -> Node:
                    return put(_with(node, name, (*items[:at], changed, *items[at + 1 :])))

                yield from places(item, among)


def _with(node: Node, field: str, value: Any) -> Node:
    return replace(node, **{field: value})


def registered(node: Node, quantities: tuple[str, ...]) -> set[tuple[str, str]]:
    """Name the limits of the registry that a condition asks for, each with its quantity ("" for any)."""
    if isinstance(node, Across | AcrossFlag):
        own = node.over == "neighbours" and not node.quantity
        return registered(node.inner, quantities if own else (node.quantity,))
    if isinstance(node, Flag) and node.name == "beyond":
        return {(node.kind, quantity) for quantity in quantities}
    if isinstance(node, Constant) and node.name in ("limit", "level"):
        return {(node.argument or "limit", quantity) for quantity in quantities}
    found = set()
    for field in fields(node):
        value = getattr(node, field.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Node):
                found |= registered(inner, quantities)
    return found


def _relimited(
    rule: Rule, bench: Bench, level: str, part: str, limit: str, quantity: str, factor: float
) -> Broken | None:
    """Move a limit of the registry, of the site's points and of those that the tests describe themselves.

    None where nothing that measures the quantity has that limit.
    """
    own = rule.where.quantities[0] if rule.where.quantities else ""

    def moved(described: Described, measures: str) -> Described:
        return _moved(described, limit, factor) if quantity in ("", measures) else described

    tests = tuple(
        msgspec.structs.replace(
            test,
            point=moved(test.point, test.point.quantity or own),
            others={id: moved(one, one.quantity) for id, one in test.others.items()},
        )
        for test in rule.tests
    )
    like = (
        bench.model(rule, (rule.where.types or ("",))[0])
        if not quantity
        else bench.like(quantity, (rule.where.types or ("",))[0])
    )
    if tests == rule.tests and (like is None or moved(like, like.quantity) == like):
        return None
    points = tuple(moved(point, point.quantity) for point in bench.site.points)
    quantities = tuple(moved(one, one.id) for one in bench.site.quantities)
    return Broken(
        level=level,
        part=part,
        before=f"the registry's {limit}" + (f" of {quantity}" if quantity else ""),
        after=f"× {factor:g}",
        rule=msgspec.structs.replace(rule, tests=tests),
        bench=Bench(msgspec.structs.replace(bench.site, points=points, quantities=quantities)),
    )


def _moved(described: Described, limit: str, factor: float) -> Described:
    if limit == "limit" and described.limit is not None:
        return msgspec.structs.replace(described, limit=described.limit * factor)
    if limit in described.levels:
        return msgspec.structs.replace(described, levels=described.levels | {limit: described.levels[limit] * factor})
    return described
