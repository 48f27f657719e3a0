"""Say in words what made a count of events surprising, in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from rules.binding import Key
from rules.reports import PREFIX
from rules.rising import Risen, Rising
from rules.surges import TELLING, Best, Surges

if TYPE_CHECKING:
    from rules.evaluation import Evaluator

_SPANS = ((86400.0, "d", "天"), (3600.0, "h", "小时"), (60.0, "min", "分钟"), (1.0, "s", "秒"))
_SELDOM = 1e6
"""What comes more seldom than once in so many is told as that: no profile knows it better."""


def said_of_counts(evaluator: Evaluator, keys: Iterable[Key], area: int) -> tuple[float, str, str] | None:
    """Give the highest score that counts have in an area, and why, in English and Chinese; None where none tells."""
    best: tuple[float, str, str] | None = None
    for key in sorted(keys, key=str):
        counts: Surges | Rising = evaluator.surges if key[0] == "surge" else evaluator.rising
        score = float(counts.column(key, np.array([area]))[0])
        told = counts.told(key, area)
        if told is None or isnan(score) or score < TELLING or (best is not None and score <= best[0]):
            continue
        kind, window = str(key[1]).removeprefix(PREFIX), float(key[2])
        words = _surge(told, kind, window, score) if isinstance(told, Best) else _rising(told, kind, window, score)
        best = (score, *words)
    return best


def _surge(told: Best, kind: str, window: float, score: float) -> tuple[str, str]:
    camera, zone = told.stream.camera, told.stream.zone
    by = (f" by camera {camera}" if camera else "") + (f" in zone {zone}" if zone else "")
    at = (f"摄像机 {camera} " if camera else "") + (f"区域 {zone} " if zone else "")
    (span, span_zh), usual, once = _span(window), _number(told.expected), _once(score)
    return (
        f"{told.count} × {kind}{by} within {span}, {usual} are usual at this time of the week; "
        f"so many come once in {once} windows",
        f"{at}{span_zh}内 {kind} 出现 {told.count} 次，每周同一时段通常为 {usual} 次；约每 {once} 个时段才有一次",
    )


def _rising(told: Risen, kind: str, window: float, score: float) -> tuple[str, str]:
    by, by_zh = ("week", "周") if window >= 14 * 86400.0 else ("day", "日")
    each, (span, span_zh) = " · ".join(map(str, told.counts)), _span(window)
    usual, once = _number(told.expected), _once(score)
    return (
        f"{told.count} reports of {kind} about one person within {span}, by {by} {each} (the latest last); "
        f"{usual} more were to be expected of that person's past; one report in {once} is such a rise",
        f"同一当事人 {span_zh}内被上报 {kind} {told.count} 次，逐{by_zh} {each}（最近在后）；"
        f"按其以往预计再有约 {usual} 次；约每 {once} 次上报才有一次如此上升",
    )


def _once(score: float) -> str:
    return f"{_SELDOM:.0f}" if score >= 1.0 - 1.0 / _SELDOM else f"{float(f'{1.0 / (1.0 - score):.2g}'):.0f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10.0 else f"{value:.2g}"


def _span(seconds: float) -> tuple[str, str]:
    for size, name, name_zh in _SPANS:
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {name}", f"{seconds / size:.0f} {name_zh}"
    return f"{seconds:g} s", f"{seconds:g} 秒"
