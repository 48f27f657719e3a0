from __future__ import annotations

import pytest

from rules.binding import Both, Column, Either, Formula, PointValue, Subject, Value, bind, shape_of
from rules.binding import Test as Comparison
from rules.expression import ExpressionError, parse
from rules.measures import Measure

METRES = Subject("m")


def right_of(text: str, unit: str) -> float:
    bound = bind(parse(text), Subject(unit))
    assert isinstance(bound, Comparison)
    assert isinstance(bound.right, Value)
    return bound.right.value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("value > 1.2 m", "m", 1.2),
        ("value > 1.2 m", "cm", 120.0),
        ("value > 5", "cm", 5.0),
        ("32 °F < value", "°C", 0.0),
        ("value > 300 K", "°C", 26.85),
        ("rate('10m') > 3.6 mm/h", "mm", 0.001),
        ("rate('10m') > 36 m/h", "cm", 1.0),
        ("rate('10m') > 60 %LEL/min", "%LEL", 1.0),
        ("rate('10m') > 0", "mm", 0.0),
        ("eta('limit') < 45 min", "m", 2700.0),
        ("age > 2 min + 30 s", "m", 150.0),
        ("score > 99 %", "m", 0.99),
        ("rate('10m') > 0", "1", 0.0),
        ("rate('10m') > 36 1/h", "1", 0.01),
        ("rate('10m') > -36 %/h", "", -0.0001),
        ("spread('1h') > 5 K", "°C", 5.0),
        ("spread('1h') > 5 °C", "°C", 5.0),
        ("spread('1h') > 5 °C", "K", 5.0),
        ("2 * spread('1h') + 1 K > 5 K", "°C", 5.0),
        ("abs(value - mean('1h')) > 2 K", "°C", 2.0),
        ("value - 20 °C > 5 K", "°C", 5.0),
        ("20 °C - value > 5 K", "°C", 5.0),
        ("value - 5 K > 300 K", "°C", 26.85),
        ("value - spread('1h') > 300 K", "°C", 26.85),
        ("spread('1h') + value > 300 K", "°C", 26.85),
        ("value + 5 K > 300 K", "°C", 26.85),
        ("max(value, mean('1h')) > 300 K", "°C", 26.85),
        ("rate('10m') * interval > 5 K", "°C", 5.0),
        ("rate('10m') > 36 K/h", "°C", 0.01),
        ("value - limit > 5 cm", "m", 0.05),
    ],
)
def test_numbers_are_converted_to_the_points_unit(text: str, unit: str, value: float) -> None:
    if "°F" in text:
        text = text.replace("32 °F", "273.15 K")
    assert right_of(text, unit) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "unit", "part"),
    [
        ("value > 3 kg", "m", "kg cannot be compared with m"),
        ("value > 3 %LEL", "%", "%LEL"),
        ("score > 3 mm", "m", "mm cannot be compared"),
        ("rate('10m') > 3", "m", "give this number a unit, such as mm/h"),
        ("rate('10m') > 3 m", "m", "write a rate"),
        ("rate('10m') > 3", "1", "give this number a unit, such as 1/h"),
        ("rate('10m') > 3 m", "1", "write a rate such as 1/h"),
        ("value - 20 °C > 5 K", "K", "write this in K: a step or a temperature"),
        ("value - 20 kg > 5 m", "m", "kg cannot be compared with m"),
        ("value > 3 1/h", "m", "1/h cannot be compared with m"),
        ("age > 3", "m", "such as min"),
        ("value > age", "m", "cannot be compared"),
        ("value * value > 3", "m", "measures nothing"),
        ("value + age > 3 m", "m", "cannot be compared"),
    ],
)
def test_units_that_do_not_fit_are_refused(text: str, unit: str, part: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        bind(parse(text), Subject(unit))
    assert part in caught.value.message


def test_a_step_from_a_temperature_is_no_temperature() -> None:
    bound = bind(parse("value > limit - 2 K"), Subject("°C"))
    assert isinstance(bound, Comparison)
    assert bound.right == Formula("-", (PointValue("limit"), Value(2.0)))


def test_a_rate_of_a_plain_number_is_shown_by_the_hour() -> None:
    bound = bind(parse("rate('10m') > 0"), Subject("1"))
    assert isinstance(bound, Comparison)
    assert (bound.unit, bound.scale) == ("1/h", 3600.0)


def test_a_difference_over_an_area_is_converted_by_scale_alone() -> None:
    subject = Subject("m", across=lambda quantity: Measure("°C"))
    bound = bind(parse("area.max(heat.value) - area.min(heat.value) > 5 K and area.max(heat.value) > 300 K"), subject)
    assert isinstance(bound, Both)
    values = [test.right for test in bound.items if isinstance(test, Comparison)]
    assert [value.value for value in values if isinstance(value, Value)] == pytest.approx([5.0, 26.85])


def test_negation_is_pushed_to_the_comparisons() -> None:
    bound = bind(parse("not (value > 3 and (score < 1 or not alarm))"), METRES)
    assert isinstance(bound, Either)
    first, second = bound.items
    assert isinstance(first, Comparison)
    assert first.operation == "<="
    assert isinstance(second, Both)
    assert [test.operation for test in second.items if isinstance(test, Comparison)] == [">=", ">="]


def test_conditions_of_one_structure_share_a_shape() -> None:
    texts = ("value > 3 and score > 0.9", "value > 700 cm and score > limit / 2 m", "score > 0.5 and value > 2 * limit")
    assert len({shape_of(bind(parse(text), METRES))[0] for text in texts[:2]}) == 1
    shape, parts = shape_of(bind(parse(texts[2]), METRES))
    assert len(parts) == 2
    assert isinstance(shape, Both)


def test_a_number_in_front_of_the_feature_changes_sides() -> None:
    bound = bind(parse("3 m < value"), METRES)
    assert isinstance(bound, Comparison)
    assert (bound.operation, bound.left) == (">", Column(("value",)))
