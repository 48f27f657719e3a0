"""Conditions that contradict themselves, by the intervals of one feature."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.binding import Subject
from rules.contradiction import contradiction, holds_while
from rules.expression import Compare, Logic, Node, Number, parse

MM = Subject("mm")


@pytest.mark.parametrize(
    ("text", "column", "often"),
    [
        ("value > 5 and value < 3", 1, "never"),
        ("value > 5 cm and value < 3 mm", 1, "never"),
        ("value == 3 and value != 3", 1, "never"),
        ("value < 3 and value >= 3", 1, "never"),
        ("value > limit and value <= limit", 1, "never"),
        ("holiday and not holiday", 1, "never"),
        ("seen('a', '5m') and not seen('a', '10m')", 1, "never"),
        ("alarm and (score > 0.5 and score < 0.2)", 12, "never"),
        ("area.max(rain.value) > 5 and area.max(rain.value) < 3", 1, "never"),
        ("value >= 3 or value < 5", 1, "always"),
        ("not (value > 5 and value < 3)", 6, "never"),
    ],
)
def test_what_never_or_always_holds_is_named_with_its_column(text: str, column: int, often: str) -> None:
    found = contradiction(parse(text), MM)
    assert found is not None and (found.column, f"{often} holds" in found.message) == (column, True), found


@pytest.mark.parametrize(
    "text",
    [
        "value > 5 mm and value < 3 cm",
        "value <= 3 and value >= 3",
        "hour >= 22 or hour < 6",
        "(value > 5 or score > 0.9) and (value < 3 or rate('1h') > 1 mm/h)",
        "value > limit and value < level('red')",
        "value > 5 and value < 3 kg",
        " or ".join(f"(value > {n} and score > 0.{n})" for n in range(1, 9)),
    ],
)
def test_what_can_hold_or_does_not_fit_is_left_alone(text: str) -> None:
    assert contradiction(parse(text), MM) is None


@pytest.mark.parametrize(
    ("when", "clear", "does"),
    [
        ("value > 5", "value > 4", True),
        ("value > 5 mm", "value > 0.4 cm", True),
        ("value > 5", "value > 5", True),
        ("value > 5 and score > 0.9", "value > 4", True),
        ("seen('a', '5m')", "seen('a', '10m')", True),
        ("value > 5", "value < 4", False),
        ("value > 5", "value < 6", False),
        ("value > 5 or score > 0.9", "value > 4", False),
        ("value > 5", "value > 4 and age > 1 h", False),
        ("beyond('red')", "not beyond('red')", False),
    ],
)
def test_a_clear_that_holds_while_its_when_does_is_found(when: str, clear: str, does: bool) -> None:
    assert holds_while(parse(clear), parse(when), MM) is does


_OPERATIONS = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_ATOMS = st.builds("value {} {}".format, st.sampled_from(sorted(_OPERATIONS)), st.integers(1, 3))
_TEXTS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=6,
)
_VALUES = [step / 2 for step in range(10)]  # each number, and one between any two


def _truth(node: Node, value: float) -> bool:
    if isinstance(node, Logic):
        each = [_truth(item, value) for item in node.items]
        return not each[0] if node.operation == "not" else all(each) if node.operation == "and" else any(each)
    assert isinstance(node, Compare) and isinstance(node.right, Number)
    return bool(_OPERATIONS[node.operation](value, node.right.value))


@given(_TEXTS, _TEXTS)
def test_it_is_found_exactly_where_no_value_or_every_value_fulfils_a_part(when: str, clear: str) -> None:
    raised, calm = parse(when), parse(clear)

    def parts(node: Node) -> list[Node]:
        inner = [part for item in node.items for part in parts(item)] if isinstance(node, Logic) else []
        return [node, *inner] if isinstance(node, Logic) and node.operation != "not" else inner

    odd = any(len({_truth(part, value) for value in _VALUES}) == 1 for part in parts(raised))
    assert (contradiction(raised, MM) is not None) == odd
    if holds_while(calm, raised, MM):
        assert all(_truth(calm, value) for value in _VALUES if _truth(raised, value))
