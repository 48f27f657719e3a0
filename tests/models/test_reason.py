"""Reasons in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reason import CHANGE_ABOVE, CHANGE_BELOW, MEAN_ABOVE, NOTHING, RARE, VALUE_ABOVE, details_text, reason_text


@pytest.mark.parametrize(
    ("code", "language", "expected"),
    [
        (NOTHING, "en", ""),
        (VALUE_ABOVE, "en", "value 14.2 above 12.1…14 seen in the last 17 d"),
        (VALUE_ABOVE, "zh-CN", "数值 14.2 高于最近 17 天内的范围 12.1…14"),
        (MEAN_ABOVE, "zh", "短时均值 14.2 高于最近 17 天内的范围 12.1…14"),
        (CHANGE_BELOW, "en", "rise of the mean by 14.2, outside 12.1…14 seen in the last 17 d"),
        (CHANGE_ABOVE, "zh-CN", "均值上升 14.2，超出最近 17 天内的变化范围 12.1…14"),
        (RARE, "en", "value 14.2 rare within 12.1…14 of the last 17 d: 0.2 % of readings are as far out"),
    ],
)
def test_words(code: int, language: str, expected: str) -> None:
    told = reason_text(code, value=14.2, low=12.1, high=14.0, span=17.2 * 86400, score=0.998, language=language)
    assert told == expected


@pytest.mark.parametrize(
    ("span", "expected"), [(30.0, "30 s"), (600.0, "10 min"), (3 * 3600.0, "3 h"), (86400.0, "24 h")]
)
def test_spans(span: float, expected: str) -> None:
    assert reason_text(VALUE_ABOVE, value=2.0, low=0.0, high=1.0, span=span, score=1.0).endswith(expected)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (14.0001, 12.1, 14.0, "14.0001 above 12.1…14"),
        (123456.7, 1000.0, 5000.0, "123457 above 1000…5000"),
        (3e-7, 1e-8, 2e-7, "3e-7 above 1e-8…2e-7"),
        (1e-9, 0.0, 0.0, "1e-9 above 0…0"),
        (0.14, 0.1, 0.1, "0.14 above 0.1…0.1"),
        (1e100, 0.5, 0.7, "1e100 above 0.5…0.7"),
        (1.23456e100, -1e100, 1e100, "1.23e100 above -1e100…1e100"),
        (5.0, 5.0, 5.0, "5 above 5…5"),
        (-0.0, -1.0, -0.5, "0 above -1…-0.5"),
    ],
)
def test_numbers_are_told_apart_whatever_their_size(value: float, low: float, high: float, expected: str) -> None:
    told = reason_text(VALUE_ABOVE, value=value, low=low, high=high, span=30.0, score=1.0)
    assert told == f"value {expected} seen in the last 30 s"


@pytest.mark.parametrize(
    ("value", "language", "expected"),
    [
        (14.2, "en", ", 11 % of the range beyond it, outside for 20 min, ramp"),
        (20.0, "en", ", 3.2 times the range beyond it, outside for 20 min, ramp"),
        (9.9, "zh-CN", "，超出幅度为范围的 1.2 倍，已持续 20 分钟，形态：ramp"),
        (1e99, "zh-CN", "，超出幅度为范围的 100+ 倍，已持续 20 分钟，形态：ramp"),
    ],
)
def test_details(value: float, language: str, expected: str) -> None:
    told = details_text(VALUE_ABOVE, value=value, low=12.1, high=14.0, lasted=1200.0, shape="ramp", language=language)
    assert told == expected


def test_a_fall_is_told_by_how_much_and_once_the_range_is_no_times() -> None:
    told = reason_text(CHANGE_BELOW, value=-6.36, low=-5.7, high=6.8, span=1.5e6, score=1.0)
    assert told == "fall of the mean by 6.36, outside -5.7…6.8 seen in the last 17 d"
    once = details_text(VALUE_ABOVE, value=3.0, low=1.0, high=2.0, lasted=0.0, shape="")
    assert once == ", once the range beyond it"


def test_what_is_rare_within_its_range_or_has_no_range_is_not_told_as_far_outside() -> None:
    assert details_text(RARE, value=13.0, low=12.1, high=14.0, lasted=0.0, shape="ramp") == ", ramp"
    assert details_text(VALUE_ABOVE, value=14.0, low=12.1, high=12.1, lasted=0.0, shape="") == ""
    assert details_text(NOTHING, value=14.0, low=12.1, high=12.5, lasted=90.0, shape="ramp") == ""


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_reason_is_never_long(value: float, low: float, high: float) -> None:
    told = reason_text(VALUE_ABOVE, value=value, low=low, high=high, span=30.0, score=1.0)
    assert len(told) < 100
