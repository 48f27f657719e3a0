"""UCUM's codes: those of the standard's tables, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import measure, ucum


@pytest.mark.parametrize(
    ("code", "unit", "scale", "offset"),
    [
        ("Cel", "°C", 1, 0),
        ("[degF]", "°C", 5 / 9, -160 / 9),
        ("m[H2O]", "kPa", 9.80665, 0),
        ("mm[Hg]", "kPa", 0.133322387415, 0),
        ("[in_i]", "mm", 25.4, 0),
        ("m3/h", "m^3/h", 1, 0),
        ("s-1", "Hz", 1, 0),
        ("kW.h", "kWh", 1, 0),
        ("ug/m3", "µg/m^3", 1, 0),
        ("umol/mol", "ppm", 1, 0),
        ("kOhm", "Ω", 1000, 0),
        ("/min", "count/min", 1, 0),
        ("{cars}/min", "count/min", 1, 0),
        ("mg/L{wet}", "mg/L", 1, 0),
        ("''", "°", 1 / 3600, 0),
        ("10*-6", "ppm", 1, 0),
        ("10^3.mm", "m", 1, 0),
        ("10*3/m3", "count/m^3", 1000, 0),
    ],
)
def test_a_code_is_a_unit(code: str, unit: str, scale: float, offset: float) -> None:
    assert measure.linear(code, unit) == pytest.approx((scale, offset))


@pytest.mark.parametrize(
    "text", ["[x]", "m[", "{", "..", "m..s", "m/", "10*99", "10*", "10**3", "(m)", "m**2", "lambda.x", "m" * 50]
)
def test_what_is_no_code_is_no_unit(text: str) -> None:
    assert not measure.is_unit(text)


@settings(max_examples=300, deadline=None)
@given(st.text("mskCel[]{}H2O_i./'-10%*()", max_size=14))
def test_any_text_is_a_code_or_not(text: str) -> None:
    code = ucum.expression(text)
    assert code is None or not set(code) & set("[]{}()")
    assert measure.is_unit(text) in (True, False)
