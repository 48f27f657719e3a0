"""Why a reading was surprising, as a code, and in words for the person on duty."""

from __future__ import annotations

from math import floor, inf, isfinite, log10

import numpy as np

FIGURES = 9
"""Significant figures that a number is told with at most: a float has more, nobody reads them."""

NOTHING, VALUE_ABOVE, VALUE_BELOW, MEAN_ABOVE, MEAN_BELOW, CHANGE_ABOVE, CHANGE_BELOW, RARE, UNSEEN, SELDOM = range(10)
HOUR_ABOVE, HOUR_BELOW, STOPPED, DAY_ABOVE, DAY_BELOW = range(10, 15)
"""Codes: the value, its short mean, or the mean's change is above or below its range; or rare within its range;
a code that was never seen, or a change from one code to another that comes seldom; or the value is above or below what
is usual at its hour; or a counter that always moved stands still; or the mean of the last day is above or below what it
was in the four weeks before the running ones."""
CODES = np.array([*range(VALUE_ABOVE, RARE), HOUR_ABOVE, HOUR_BELOW], np.uint8)
"""Of the streams, each above and below: value, short mean, change, residual of the daily swing."""

_WORDS = {
    "en": {
        VALUE_ABOVE: "value {value} above {low}…{high} seen in the last {span}",
        VALUE_BELOW: "value {value} below {low}…{high} seen in the last {span}",
        MEAN_ABOVE: "short mean {value} above {low}…{high} seen in the last {span}",
        MEAN_BELOW: "short mean {value} below {low}…{high} seen in the last {span}",
        CHANGE_ABOVE: "{turn} of the mean by {value}, outside {low}…{high} seen in the last {span}",
        CHANGE_BELOW: "{turn} of the mean by {value}, outside {low}…{high} seen in the last {span}",
        RARE: "value {value} rare within {low}…{high} of the last {span}: {share} of readings are as far out",
        UNSEEN: "code {value} after {low}, never seen in the last {span}",
        SELDOM: "change from {low} to {value}, seen {high} times in the last {span}",
        HOUR_ABOVE: "value {value} above {low}…{high} usual at this hour",
        HOUR_BELOW: "value {value} below {low}…{high} usual at this hour",
        DAY_ABOVE: "mean of the last day {value} above {low}…{high} of four weeks before",
        DAY_BELOW: "mean of the last day {value} below {low}…{high} of four weeks before",
        STOPPED: "counter has stood at {value} for {span}, having moved all the time before",
    },
    "zh": {
        VALUE_ABOVE: "数值 {value} 高于最近 {span}内的范围 {low}…{high}",
        VALUE_BELOW: "数值 {value} 低于最近 {span}内的范围 {low}…{high}",
        MEAN_ABOVE: "短时均值 {value} 高于最近 {span}内的范围 {low}…{high}",
        MEAN_BELOW: "短时均值 {value} 低于最近 {span}内的范围 {low}…{high}",
        CHANGE_ABOVE: "均值{turn} {value}，超出最近 {span}内的变化范围 {low}…{high}",
        CHANGE_BELOW: "均值{turn} {value}，超出最近 {span}内的变化范围 {low}…{high}",
        RARE: "数值 {value} 在最近 {span}的范围 {low}…{high} 内少见：仅 {share} 的读数如此偏离",
        UNSEEN: "代码 {value}（此前为 {low}）在最近 {span}内从未出现",
        SELDOM: "由 {low} 变为 {value}，最近 {span}内仅出现 {high} 次",
        HOUR_ABOVE: "数值 {value} 高于该时段的常见范围 {low}…{high}",
        HOUR_BELOW: "数值 {value} 低于该时段的常见范围 {low}…{high}",
        DAY_ABOVE: "最近一天的均值 {value} 高于此前四周的范围 {low}…{high}",
        DAY_BELOW: "最近一天的均值 {value} 低于此前四周的范围 {low}…{high}",
        STOPPED: "计数值停在 {value} 已 {span}，此前一直在走动",
    },
}
_RANGED = (HOUR_ABOVE, HOUR_BELOW, DAY_ABOVE, DAY_BELOW)
_TURNS = {"en": ("fall", "rise"), "zh": ("下降", "上升")}
_DETAILS = {
    "en": {"far": ", {} the range beyond it", "lasted": ", outside for {}", "shape": ", {}"},
    "zh": {"far": "，超出幅度为范围的 {}", "lasted": "，已持续 {}", "shape": "，形态：{}"},
}
_SHARE = {"en": "{} % of", "zh": "{} %"}
_TIMES = {"en": "{} times", "zh": "{} 倍"}
_SPANS = {
    "en": ((86400.0, "{} d"), (3600.0, "{} h"), (60.0, "{} min"), (1.0, "{} s")),
    "zh": ((86400.0, "{} 天"), (3600.0, "{} 小时"), (60.0, "{} 分钟"), (1.0, "{} 秒")),
}


def reason_text(
    code: int, *, value: float, low: float, high: float, span: float, score: float, language: str = "en"
) -> str:
    """Say a code in words ('' for NOTHING). `span` seconds of memory; language "en" or "zh-CN"."""
    language = "zh" if language.startswith("zh") else "en"
    words = _WORDS[language].get(code)
    if words is None:
        return ""
    step = _step(value, low, high)
    turned = code in (CHANGE_ABOVE, CHANGE_BELOW)  # the word says which way it goes, so the number need not
    return words.format(
        value=_number(abs(value) if turned else value, step),
        turn=_TURNS[language][value >= 0.0],
        low=_number(low, step),
        high=_number(high, step),
        span=_span(span, language),
        share=f"{100.0 * (1.0 - score):.2g} %",
    )


def seldom(score: float, language: str = "en") -> str:
    """Say a score below the one from which a reason is kept: how many readings are as surprising, in words."""
    words = "仅 {} 的读数同样反常" if language.startswith("zh") else "{} of readings are as surprising"
    return words.format(f"{100.0 * (1.0 - score):.2g} %")


def details_text(
    code: int, *, value: float, low: float, high: float, lasted: float = 0.0, shape: str = "", language: str = "en"
) -> str:
    """Say how far outside the range, for how long (seconds, 0: not told) and in what shape (`models.shape.WORDS`).

    It goes on from `reason_text`; '' where there is nothing to add.
    """
    language = "zh" if language.startswith("zh") else "en"
    parts = []
    width, beyond = high - low, max(value - high, low - value)
    if (NOTHING < code < RARE or code in _RANGED) and 0.0 < width < inf and 0.0 < beyond < inf:
        parts.append(_DETAILS[language]["far"].format(_share(beyond / width, language)))
    if lasted > 0.0:
        parts.append(_DETAILS[language]["lasted"].format(_span(lasted, language)))
    if shape:
        parts.append(_DETAILS[language]["shape"].format(shape))
    return "".join(parts) if code != NOTHING else ""


def _share(ranges: float, language: str) -> str:
    """Write how many ranges something is, below one as a share."""
    if ranges < 0.995:
        return _SHARE[language].format(f"{100.0 * ranges:.2g}")
    told = f"{ranges:.2g}" if ranges < 99.5 else "100+"
    return "once" if language == "en" and told == "1" else _TIMES[language].format(told)


def _step(value: float, low: float, high: float) -> int:
    """Return the power of ten to tell numbers to: three figures of the range, two of how far the value is from it."""
    told = ((high - low, 3), (abs(value - low), 2), (abs(value - high), 2))
    return min(
        (floor(log10(size)) - figures + 1 for size, figures in told if 0.0 < size < inf),
        default=floor(log10(abs(value))) - 2 if 0.0 < abs(value) < inf else 0,
    )


def _number(value: float, step: int) -> str:
    """Write a number to a power of ten, with at most `FIGURES` figures; very small and large ones as 1.2e-7."""
    if value == 0.0 or not isfinite(value):
        return f"{value + 0.0:g}"
    size = floor(log10(abs(value)))
    if -5 < size < 9:
        text = f"{value:.{min(max(-step, 0), max(FIGURES - 1 - size, 0))}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if size < step:
        return "0"
    mantissa, _, power = f"{value:.{min(size - step, FIGURES - 1)}e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def _span(seconds: float, language: str) -> str:
    for unit, words in _SPANS[language]:
        if seconds >= 2.0 * unit or unit == 1.0:
            return words.format(round(seconds / unit))
    raise AssertionError("the last unit always fits")
