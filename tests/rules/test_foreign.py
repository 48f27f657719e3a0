"""Full-width characters and signs of other languages: each is named, with what to write instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.expression import ExpressionError, parse
from rules.foreign import strange


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("value ＞ 3", 7, "'＞' is a full-width character: write >"),
        ("value ＞＝ 3", 7, "write >="),
        ("（value > 3）", 1, "write ("),
        ("count('a'， '5m') > 3", 10, "write ,"),
        ("value > ３", 9, "write 3"),
        ("value > 3\u3000and score > 0.9", 10, "write a plain one"),
        ("value > 3 毫米", 11, "'毫米' is no unit here: write mm"),
        ("rate('1h') > 3毫米/小时", 15, "write mm/h"),
        ("value > 3 丈", 11, "units and names are of Latin letters"),
        ("value > 3 且 score > 0.9", 11, "write and"),
        ("value > 3 && score > 0.9", 11, "'&&' is not part of the rule language: write and"),
        ("value > 3 || score > 0.9", 11, "write or"),
        ("!(value > 3)", 1, "write not"),
        ("！alarm", 1, "write not"),
        ("value ≥ 3", 7, "write >="),
        ("seen(“debris”, '5m')", 6, "write '"),
        ("value = 3", 7, "'=' is no comparison; write '=='"),
        ("value ＝ 3", 7, "write =="),
        ("value => 3", 7, "write '>='"),
        ("(" * 300 + "value" + ")" * 300 + " > 1", 201, "nested too deep"),
        ("not " * 100 + "alarm", 101, "nested too deep"),
    ],
)
def test_what_is_none_of_the_language_is_named_with_what_to_write(text: str, column: int, part: str) -> None:
    with pytest.raises(ExpressionError) as told:
        parse(text)
    assert (told.value.column, part in told.value.message) == (column, True), told.value


@pytest.mark.parametrize("text", ["seen('碎石！', '5m')", "value != 3 and value > 0.2 µm", "mean('5m') >= 0.3 °C"])
def test_texts_and_units_may_have_any_character(text: str) -> None:
    assert parse(text)


@given(st.text())
def test_any_text_has_something_strange_at_a_column_of_its_own_or_nothing(text: str) -> None:
    found = strange(text)
    assert found is None or 1 <= found.column <= len(text)
