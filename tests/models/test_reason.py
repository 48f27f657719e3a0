"""Reasons in words."""

from __future__ import annotations

import pytest

from models.reason import CHANGE_BELOW, MEAN_ABOVE, NOTHING, RARE, VALUE_ABOVE, reason_text


@pytest.mark.parametrize(
    ("code", "language", "expected"),
    [
        (NOTHING, "en", ""),
        (VALUE_ABOVE, "en", "value 14.2 above 12.1…14 seen in the last 17 d"),
        (VALUE_ABOVE, "zh-CN", "数值 14.2 高于最近 17 天内的范围 12.1…14"),
        (MEAN_ABOVE, "zh", "短时均值 14.2 高于最近 17 天内的范围 12.1…14"),
        (CHANGE_BELOW, "en", "fall of the mean by 14.2 below 12.1…14 seen in the last 17 d"),
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
