"""Numbers as sources write them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.dialects import values

PLAIN = re.compile(rb"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)


@given(st.text("0123456789.+-eE x\t", max_size=16).map(str.encode))
def test_a_number_is_what_the_simple_pattern_says(text: bytes) -> None:
    expected = float(text) if PLAIN.fullmatch(text) else math.inf
    assert values.number(text) == (expected if math.isfinite(expected) else None)
    assert values.reason_of(text, ValueError()) == (
        "not_finite" if PLAIN.fullmatch(text) and math.isinf(expected) else "malformed"
    )


def test_numbers_near_nothing_are_refused_only_where_they_are_many_in_much() -> None:
    many = b"[" + b",".join([b"0.99999999999999999E-0300"] * 1001)
    with pytest.raises(values.TooLarge):
        values.require_quick(many + b" " * 65_536)
    for fine in (many, b'["1.5e-05",' + b"1.5e-05,1e-9," * 9000, b"[" + b"1e-300," * 1000 + b"2," * 60_000):
        values.require_quick(fine)


def test_what_is_too_long_is_refused_by_its_length() -> None:
    assert values.number(b"1" * 64) is not None
    assert values.number(b" " * 99 + b"1.5" + b" " * 99) == 1.5
    for text in (b"1" * 65, b"1" * 4095 + b"x", b"1" * 400):
        assert values.number(text) is None
        assert values.reason_of(text, ValueError()) == "malformed"
