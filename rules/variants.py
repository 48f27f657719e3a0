"""A rule with other thresholds and delays: what a sweep tries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import msgspec

from rules.breaking import places
from rules.expression import (
    Across,
    AcrossFlag,
    Arithmetic,
    Compare,
    Constant,
    Feature,
    Flag,
    Logic,
    Node,
    Number,
    parse,
)
from rules.rule import Rule
from rules.unparse import unparse
from sensors.site import LEVELS

FACTORS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""What the threshold is multiplied by."""


class VariantError(ValueError):
    """Raised when a rule has nothing to vary, with a sentence that says why."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of which one level's threshold and delay (seconds) are other ones; `as_it_is` for the rule's own.

    Where `limit` names one of the registry's, the threshold is what that is multiplied by.
    """

    id: str
    level: str
    factor: float
    threshold: float
    delay: float
    when: str
    as_it_is: bool
    rule: Rule
    limit: str = ""


def variants(
    rule: Rule, level: str = "", delays: Sequence[float] = (), *, limit: str = "", floors: Collection[bool] = (False,)
) -> list[Variant]:
    """Make the variants of a rule: each threshold with each delay, its own among them.

    Of the level, by default the lowest (with `limit` the lowest that goes by it), the first number that something is
    compared with in `when` is the threshold; `clear` moves by the same factor. The other levels are left out. `delays`
    default to none, half, once, two and four times the level's own, or to 0, 10, 30, 60 and 300 s where it has none.

    Where there is no such number, or `limit` asks for it, the threshold is a limit of the registry (`limit`, or that of
    a level): it moves wherever the level names it, as if the registry said so for all points that the rule covers.
    `floors` says of those whether their limits are floors. Raise `VariantError` where there is nothing to vary.
    """
    ranked = {LEVELS[rank - 1]: one for rank, one in rule.ranked()}
    goes_by = {one: limits_of(ranked[one].when) for one in LEVELS if one in ranked}
    name = level or next((one for one, named in goes_by.items() if limit in named), next(iter(goes_by)))
    if name not in ranked:
        raise VariantError(f"rule {rule.id} has no level {name}; it has {', '.join(ranked)}")
    one = ranked[name]
    own = rule.hold_of(one)
    clear_after = rule.clear_after_of(one)
    spans = sorted(
        {own, *(delays or ((0.0, own / 2, own, 2 * own, 4 * own) if own else (0.0, 10.0, 30.0, 60.0, 300.0)))}
    )
    found = []
    if not limit and scaled(one.when, 1.0)[1] is None:
        limit = next(iter(limits_of(one.when)), "")
        if not limit:
            raise VariantError(f"level {name} of rule {rule.id} compares with no number and no limit: {one.when}")
    if limit:
        _may_move(rule, name, (one.when, one.clear or ""), limit, floors)
    for row, factor in enumerate(FACTORS):
        if limit:
            when, threshold = relimited(one.when, limit, factor, floor=True in floors), factor
        else:
            when, number = scaled(one.when, factor)
            assert number is not None
            threshold = number
        clear = one.clear
        if clear is not None and factor != 1.0:
            clear = relimited(clear, limit, factor, floor=True in floors) if limit else scaled(clear, factor)[0]
        for column, delay in enumerate(spans):
            changed = msgspec.structs.replace(
                one, when=one.when if factor == 1.0 else when, clear=clear, hold=delay, clear_after=clear_after
            )
            levels = msgspec.structs.replace(
                rule.levels, **{other: changed if other == name else None for other in LEVELS}
            )
            id = f"{rule.id}~{row}-{column}"
            found.append(
                Variant(
                    id=id,
                    level=name,
                    factor=factor,
                    threshold=threshold,
                    delay=delay,
                    when=changed.when,
                    as_it_is=factor == 1.0 and delay == own,
                    rule=msgspec.structs.replace(rule, id=id, levels=levels, tests=()),
                    limit=limit,
                )
            )
    return found


def limits_of(text: str) -> list[str]:
    """Name the registry's limits of its own points that a condition compares with, in reading order."""
    return list(dict.fromkeys(_named(parse(text))))


def _named(node: Node) -> Iterator[str]:
    match node:
        case Constant("limit"):
            yield "limit"
        case Constant("level", name) | Flag("beyond", _, name):
            yield name
        case Logic(_, items) | Arithmetic(_, items):
            for item in items:
                yield from _named(item)
        case Compare(_, left, right):
            yield from _named(left)
            yield from _named(right)
        case Across() | AcrossFlag() if node.over != "area" and not node.quantity:
            yield from _named(node.inner)


def _may_move(rule: Rule, level: str, texts: Sequence[str], limit: str, floors: Collection[bool]) -> None:
    """Refuse a limit that the level does not go by, or that decides more than what is moved here."""
    if limit not in limits_of(texts[0]):
        known = ", ".join(limits_of(texts[0])) or "none"
        said = f"level {level} of rule {rule.id} goes by no limit {limit} of the registry; it has {known}"
        others = [LEVELS[rank - 1] for rank, one in rule.ranked() if limit in limits_of(one.when)]
        raise VariantError(said + (f"; level {', '.join(others)} goes by it" if others else ""))
    if len(set(floors)) > 1:
        raise VariantError(f"rule {rule.id} covers floors and ceilings: sweep one kind at a time")
    for node in (node for text in texts if text for node, _ in places(parse(text), lambda changed: changed)):
        if node in (Feature("eta", argument=limit), Flag("warned", kind=limit)):
            raise VariantError(
                f"level {level} of rule {rule.id} asks for {unparse(node)}, which moves with the limit: change the "
                "registry in a copy of the site, and replay that"
            )


def relimited(text: str, limit: str, factor: float, *, floor: bool = False) -> str:
    """Multiply a limit of the registry wherever a condition names it; `floor` where it is one."""
    return text if factor == 1.0 else unparse(_relimited(parse(text), limit, factor, floor))


def _relimited(node: Node, limit: str, factor: float, floor: bool) -> Node:
    def again(part: Node) -> Node:
        return _relimited(part, limit, factor, floor)

    own = Constant("limit") if limit == "limit" else Constant("level", limit)
    moved = Arithmetic("*", (own, Number(factor)))
    match node:
        case Constant("limit") if limit == "limit":
            return moved
        case Constant("level", name) if name == limit:
            return moved
        case Flag("beyond", _, name) if name == limit:
            return Compare("<=" if floor else ">=", Feature("value"), moved)
        case Logic(_, items) | Arithmetic(_, items):
            return replace(node, items=tuple(map(again, items)))
        case Compare(_, left, right):
            return replace(node, left=again(left), right=again(right))
        case Across() | AcrossFlag() if node.over != "area" and not node.quantity:
            return replace(node, inner=again(node.inner))
    return node


def scaled(text: str, factor: float) -> tuple[str, float | None]:
    """Multiply the first number that a condition compares with; return it too, None when there is none."""
    tree = parse(text)
    for node, put in places(tree, lambda changed: changed):
        if not isinstance(node, Compare):
            continue
        for side in ("right", "left"):
            number: Node = getattr(node, side)
            if isinstance(number, Number) and number.value:
                moved = replace(number, value=float(f"{number.value * factor:.6g}"))
                changed = replace(node, right=moved) if side == "right" else replace(node, left=moved)
                return unparse(put(changed)), moved.value
    return text, None
