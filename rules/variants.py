"""A rule with other thresholds and delays: what a sweep tries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from rules.breaking import places
from rules.expression import Compare, Node, Number, parse
from rules.rule import Rule
from rules.unparse import unparse
from sensors.site import LEVELS

FACTORS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""What the threshold is multiplied by."""


class VariantError(ValueError):
    """Raised when a rule has nothing to vary, with a sentence that says why."""


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of which one level's threshold and delay (seconds) are other ones; `as_it_is` for the rule's own."""

    id: str
    level: str
    factor: float
    threshold: float
    delay: float
    when: str
    as_it_is: bool
    rule: Rule


def variants(rule: Rule, level: str = "", delays: Sequence[float] = ()) -> list[Variant]:
    """Make the variants of a rule: each threshold with each delay, its own among them.

    Of the level, by default the lowest, the first number that something is compared with in `when` is the threshold;
    `clear` moves by the same factor. The other levels are left out. `delays` default to none, half, once, two and four
    times the level's own, or to 0, 10, 30, 60 and 300 s where it has none. Raise `VariantError` when there is no such
    number: a limit of the registry is moved there.
    """
    ranked = {LEVELS[rank - 1]: one for rank, one in rule.ranked()}
    name = level or next(one for one in LEVELS if one in ranked)
    if name not in ranked:
        raise VariantError(f"rule {rule.id} has no level {name}; it has {', '.join(ranked)}")
    one = ranked[name]
    own = rule.hold_of(one)
    clear_after = rule.clear_after_of(one)
    spans = sorted(
        {own, *(delays or ((0.0, own / 2, own, 2 * own, 4 * own) if own else (0.0, 10.0, 30.0, 60.0, 300.0)))}
    )
    found = []
    for row, factor in enumerate(FACTORS):
        when, threshold = scaled(one.when, factor)
        if threshold is None:
            raise VariantError(
                f"level {name} of rule {rule.id} compares with no number of its own: {one.when}; a limit of the "
                "registry is moved there"
            )
        clear = one.clear if one.clear is None or factor == 1.0 else scaled(one.clear, factor)[0]
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
                )
            )
    return found


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
