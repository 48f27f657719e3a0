"""Say in words what a trend foresees: which limit, in how long, between what, and where the value stands."""

from __future__ import annotations

from math import isfinite

_SPANS = ((86400.0, "d", "天"), (3600.0, "h", "小时"), (60.0, "min", "分钟"), (1.0, "s", "秒"))


def foreseen(
    eta: float, low: float, high: float, limit: float, value: float, unit: str, below: bool
) -> tuple[str, str]:
    """Say it in English and Chinese; `eta`, `low` and `high` in seconds (`high` inf: perhaps never)."""
    unit = "" if unit == "1" else f" {unit}"
    (when, when_zh), (soonest, soonest_zh) = _span(eta), _span(low)
    if isfinite(high):
        latest, latest_zh = _span(high)
        between, between_zh = f"between {soonest} and {latest}", f"{soonest_zh}至{latest_zh}之间"
    else:
        between, between_zh = f"{soonest} at the soonest", f"最早{soonest_zh}"
    way, way_zh = ("falls to", "降至") if below else ("reaches", "达到")
    return (
        f"trend from {value:.6g}{unit} {way} {limit:.6g}{unit} in {when}, {between}",
        f"按趋势将由 {value:.6g}{unit} 在{when_zh}后{way_zh} {limit:.6g}{unit}（{between_zh}）",
    )


def _span(seconds: float) -> tuple[str, str]:
    for size, name, name_zh in _SPANS:
        if seconds >= 2.0 * size or size == 1.0:
            told = f"{seconds / size:.2g}" if seconds < 9.95 * size else f"{seconds / size:.0f}"
            return f"{told} {name}", f" {told} {name_zh}"
    raise AssertionError("the last unit always fits")
