from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.expression import Across, Compare, ExpressionError, Feature, Flag, Logic, Number, parse


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("value > 1.2 m", "m", 1.2),
        ("value > 1.2m", "m", 1.2),
        ("rate('10m') > 2 mm/h", "mm/h", 2.0),
        ("value > 20 %LEL", "%LEL", 20.0),
        ("value > -35 °C", "°C", -35.0),
        ("value > 2 persons/m²", "persons/m^2", 2.0),
        ("value > 2 m3/s", "m^3/s", 2.0),
        ("value > 3 kN*m", "kN*m", 3.0),
        ("value > 1e3", "", 1000.0),
        ("value > 5 μm", "µm", 5.0),
        ("eta('limit') < 45 min", "min", 45.0),
        ("rate('10m') > 3 1/h", "1/h", 3.0),
    ],
)
def test_a_number_may_carry_a_unit(text: str, unit: str, value: float) -> None:
    node = parse(text)
    assert isinstance(node, Compare)
    assert node.right == Number(value, unit)


def test_words_after_a_number_are_not_units() -> None:
    assert parse("value > 2 and score > 0.9 or not alarm") == parse("(value > 2 and score > 0.9) or (not alarm)")


def test_a_chain_compares_neighbours() -> None:
    assert parse("1 < value <= 3") == parse("1 < value and value <= 3")


def test_features_of_an_area_name_their_quantity() -> None:
    node = parse("area.max(rain.mean('6h')) > 3 mm/h")
    assert isinstance(node, Compare)
    assert node.left == Across("max", "rain", Feature("mean", 21600.0))
    flag = parse("not area.any(smoke.value > 2)")
    assert isinstance(flag, Logic)


def test_seen_takes_kind_and_duration() -> None:
    assert parse("seen('落石', '5m')") == Flag("seen", 300.0, "落石")


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ("vlaue > 1", 1, "did you mean 'value'"),
        ("value > 1 and scor > 2", 15, "did you mean 'score'"),
        ("value > 1 and quality > 0", 15, "did you mean 'flagged'"),
        ("value = 3", 7, "write '=='"),
        ("value > 2 foo", 9, "'foo' is not a unit"),
        ("seen('落石', '5m') and vlaue > 1", 22, "unknown name"),
        ("rate > 2", 1, "needs a duration"),
        ("quantile > 2", 1, "quantile('30m', 0.9)"),
        ("quantile('30m') > 2", 1, "quantile('30m', 0.9)"),
        ("quantile('30m', 90) > 2", 1, "quantile('30m', 0.9)"),
        ("quantile('30m', 1.5) > 2", 1, "between 0 and 1"),
        ("value > 1 or quantile('900d', 0.5) > 2", 14, "at most 32 days"),
        ("median(value) > 2", 1, "median('10m')"),
        ("eta > 2", 1, "eta('limit')"),
        ("value", 1, "not a condition"),
        ("value > 1 and 3", 15, "a number where a condition belongs"),
        ("(value > 1) + 2 > 3", 2, "a condition where a number belongs"),
        ("__import__('os').system('x')", 1, "not part of the rule language"),
        ("__import__('os')", 1, "unknown feature"),
        ("().__class__.__mro__", 1, "not part of the rule language"),
        ("value.__class__ > 1", 1, "belongs inside area"),
        ("9**9**9 > 1", 1, "not part"),
        ("(lambda: 1) > 1", 2, "not part"),
        ("[x for x in y]", 1, "not part"),
        ("value > 1e999", 9, "too large"),
        ("value > True", 9, "truth"),
        ("value & score > 1", 1, "write 'and'"),
        ("value in 3", 1, "compare"),
        ("mean('2y') > 1", 1, "is no duration"),
        ("mean('900d') > 1", 1, "at most 32 days"),
        ("mean('0s') > 1", 1, "more than 0"),
        ("eta('limt') < 3 min", 1, "did you mean 'limit'"),
        ("level('pink') > 3", 1, "takes blue"),
        ("rain.value > 1", 1, "belongs inside area"),
        ("area.max(rain.value + wind.value) > 1", 23, "one quantity"),
        ("area.max(area.min(value)) > 1", 10, "cannot stand inside"),
        ("area.any(value) > 1", 10, "takes a condition"),
        ("area.median(value) > 1", 1, "unknown 'area.median'"),
        ("abs(value, 1) > 1", 1, "takes one"),
        ("min(value) > 1", 1, "needs a duration"),
        ("value('3') > 1", 1, "takes no arguments"),
        ("", 1, "empty"),
        ("value >", 7, "no condition"),
        ("value > 1; score > 2", 10, "no condition"),
    ],
)
def test_mistakes_point_at_their_column(text: str, column: int, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert part in caught.value.message
    assert abs(caught.value.column - column) <= (1 if "no condition" in part else 0)


@pytest.mark.parametrize(
    "text",
    [
        "value > " + "9" * 5000,
        "(" * 150 + "value > 1" + ")" * 150,
        "(" * 900 + "value > 1" + ")" * 900,
        "not " * 400 + "alarm",
        "-" * 1500 + "value > 1",
        " or ".join(["value > 1"] * 200),
        "value > 1" + " " * 3000,
        "value\x00 > 1",
        "value > 1\ud800",
    ],
)
def test_size_and_depth_are_limited(text: str) -> None:
    try:
        parse(text)
    except ExpressionError:
        return
    assert len(text) <= 2000  # brackets alone add no depth


@given(st.text(max_size=200))
def test_any_text_is_a_condition_or_an_expression_error(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert error.column >= 1
