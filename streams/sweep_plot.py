"""Draw a sweep: false alarms and missed cases by threshold and delay, as SVG, or as HTML around it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal

from streams.sweep import Tried

Language = Literal["zh-CN", "en"]
_WORDS = {
    "zh-CN": (
        "误报 · 漏报 · 提前",
        "延时 ↓  阈值 →",
        "每格：误报数 · 漏报的真实事件数 · 提前量中位数（分钟）；粗框为现行规则，紫色表示有漏报。",
        "分",
    ),
    "en": (
        "false · missed · lead",
        "delay ↓  threshold →",
        "Each cell: false alarms · real cases missed · median lead time. The thick frame is the rule as it is; purple "
        "misses a real case.",
        "min",
    ),
}

_CELL, _TALL, _LEFT, _TOP = 92, 40, 120, 64


def svg(rule: str, found: Sequence[Tried], language: Language = "en") -> str:
    """Draw one cell a variant: its false alarms (the darker the more), missed cases, and lead time in minutes."""
    told, axes, _, minutes = _WORDS[language]
    factors = sorted({one.factor for one in found})
    delays = sorted({one.delay for one in found})
    threshold = {one.factor: f"{one.limit} ×{one.factor:g}" if one.limit else f"{one.threshold:g}" for one in found}
    most = max((one.false for one in found), default=0) or 1
    width, height = _LEFT + _CELL * len(factors) + 16, _TOP + _TALL * len(delays) + 32
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#1f2937">',
        f"<title>{escape(rule)}</title>",
        f'<text x="8" y="20" font-size="15">{escape(rule)}: {told}</text>',
        f'<text x="8" y="{_TOP - 10}">{axes}</text>',
    ]
    for column, factor in enumerate(factors):
        x = _LEFT + _CELL * column + _CELL / 2
        parts.append(f'<text x="{x}" y="{_TOP - 10}" text-anchor="middle">{escape(threshold[factor])}</text>')
    for row, delay in enumerate(delays):
        y = _TOP + _TALL * row + _TALL / 2 + 4
        parts.append(f'<text x="{_LEFT - 10}" y="{y}" text-anchor="end">{delay:g} s</text>')
    for one in found:
        x, y = _LEFT + _CELL * factors.index(one.factor), _TOP + _TALL * delays.index(one.delay)
        edge = ' stroke="#111827" stroke-width="3"' if one.as_it_is else ' stroke="#ffffff"'
        opacity = 0.1 + 0.6 * one.false / most
        colour = "#7c3aed" if one.missed else "#c2410c"
        lead = "–" if one.lead is None else f"{one.lead / 60:.0f} {minutes}"
        parts.append(
            f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_TALL - 2}" fill="{colour}" '
            f'fill-opacity="{opacity:.2f}"{edge}/>'
            f'<text x="{x + _CELL / 2}" y="{y + _TALL / 2 + 4}" text-anchor="middle">'
            f"{one.false} · {one.missed} · {lead}</text>"
        )
    parts.append("</svg>")
    return "\n".join(parts)


def html(rule: str, found: Sequence[Tried], language: Language = "en") -> str:
    """Put the drawing into a page that needs nothing else."""
    legend = _WORDS[language][2]
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(rule)}</title>'
        f"<body>{svg(rule, found, language)}<p>{legend}</p></body></html>"
    )
