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


def test_the_density_of_smoke_has_a_unit_of_its_own() -> None:
    assert measure.is_unit("dB/m") and measure.linear("dB/m", "dB/m") == (1.0, 0.0)
    with pytest.raises(measure.UnitError):
        measure.linear("dB/m", "%/m")


@pytest.mark.parametrize("text", ["dB/km", "dB*mm", "Np/m", "m/dBm", "dB^2"])
def test_a_product_with_a_logarithm_is_no_unit(text: str) -> None:
    assert not measure.is_unit(text)
    for use in (measure.unit, lambda one: measure.linear(one, "mm"), lambda one: measure.convert_value(1, "mm", one)):
        with pytest.raises(measure.UnitError):
            use(text)


@pytest.mark.parametrize(("source", "target"), [("dBm", "mW"), ("mW", "dBm"), ("dBm", "W"), ("dB", "1"), ("1", "dB")])
def test_no_straight_line_leads_from_decibels(source: str, target: str) -> None:
    with pytest.raises(measure.UnitError, match="no linear scale"):
        measure.linear(source, target)


def test_decibels_are_converted_value_by_value_and_to_nepers_along_a_line() -> None:
    assert measure.convert_value(20, "dBm", "mW") == pytest.approx(100)
    assert measure.linear("Np", "dB") == pytest.approx((8.685889638, 0.0))


_ANY_UNIT = st.lists(
    st.sampled_from([*measure.SITE_UNITS, "dBm", "Np", "degF", "octave", "x"]).flatmap(
        lambda one: st.sampled_from([one, f"{one}^9", f"{one}^-9"])
    ),
    min_size=1,
    max_size=6,
).map("*".join)


@settings(max_examples=200, deadline=None)
@given(_ANY_UNIT, _ANY_UNIT)
def test_only_a_unit_error_is_raised(one: str, other: str) -> None:
    for use in (measure.linear, measure.same_dimension, lambda *pair: measure.convert_value(1.5, *pair)):
        try:
            use(one, other)
        except measure.UnitError:
            continue


def test_spellings_without_end_are_not_remembered_without_end() -> None:
    memories = vars(measure.registry()._cache)
    measure.registry().get_root_units("mm*km")
    assert "mm*km" in memories["parse_unit"], "it is here that pint remembers"
    for k in range(measure.REMEMBERED + 50):
        measure.registry().get_root_units(f"mm^{k % 97 + 1}*km^{k // 97 + 1}")
    assert max(map(len, memories.values())) <= measure.REMEMBERED
    assert "mm*km" not in memories["parse_unit"]
    assert measure.linear("10*-6", "1") == (1e-6, 0.0)
    assert measure.linear("10*3", "1") == (1e3, 0.0)
