"""Units of measure: the site's table, what pint adds, and what is no unit at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import measure


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12) | st.text("mkgsh*/^2-·%°Wµ_if", max_size=10))
def test_any_text_is_a_unit_or_not(text: str) -> None:
    assert measure.is_unit(text) in (True, False)


def test_every_unit_of_the_table_is_one_pint_knows() -> None:
    for text in measure.SITE_UNITS:
        measure.unit(text)
    assert measure.convert_value(10, "ft", "m") == pytest.approx(3.048)
    assert measure.convert_value(20, "°C", "K") == pytest.approx(293.15)
    assert measure.convert_value(3.6, "km/h", "m/s") == pytest.approx(1)
    assert measure.is_unit("kg*m/s^2")
    assert not measure.same_dimension("%LEL", "%")
    with pytest.raises(measure.UnitError, match="do not measure the same"):
        measure.convert_value(1, "NTU", "m")


def test_an_angle_is_no_number_and_turns_are_counted() -> None:
    assert measure.convert_value(60, "rpm", "Hz") == pytest.approx(1)
    assert measure.convert_value(180, "°", "mrad") == pytest.approx(3141.592653589793)
    for one, other in (("°", "%"), ("mrad", "1"), ("°/s", "Hz")):
        assert not measure.same_dimension(one, other)


def test_a_line_between_two_units_is_free_of_what_floating_point_adds() -> None:
    assert measure.linear("°C", "degF") == (1.8, 32.0)
    assert measure.linear("degC/h", "degF/h") == (1.8, 0.0)  # a rate of a temperature is a difference
    assert measure.on_line(77, measure.linear("degF", "°C")) == 25
    assert measure.on_line(32, measure.linear("degF", "°C")) == 0
