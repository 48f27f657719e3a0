"""Plots on paper: stacked bars and lines over a span, drawn with the lines and boxes of PDF itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from fpdf import FPDF

Colour = tuple[int, int, int]
Plot = Callable[[FPDF, float, float, float, float], None]

LEVEL_COLOURS: dict[str, Colour] = {
    "red": (200, 30, 30),
    "orange": (240, 130, 20),
    "yellow": (235, 200, 40),
    "blue": (60, 120, 200),
}
_GRID: Colour = (215, 215, 215)
_INK: Colour = (90, 90, 90)
_LEFT, _FOOT, _HEAD = 12.0, 5.0, 5.0  # mm for the scale, the labels below, the key above
LINES: tuple[tuple[Colour, float], ...] = (((30, 90, 160), 0.0), ((150, 80, 20), 1.2))
"""Colour and length of dashes of each line: they differ in print without colour, too."""


def bars(series: Mapping[str, Sequence[int]], names: Mapping[str, str], labels: Sequence[str]) -> Plot:
    """Stack counts by level, the first lowest in the list on top; the sum stands above each bar."""

    def draw(pdf: FPDF, left: float, top: float, width: float, height: float) -> None:
        sums = [sum(column) for column in zip(*series.values(), strict=True)]
        most = _round_up(max(sums, default=0))
        x, y, wide, high = _frame(pdf, left, top, width, height, [f"{most * n // 2}" for n in (0, 1, 2)])
        step = wide / max(len(labels), 1)
        for n, label in enumerate(labels):
            foot = y + high
            for level, counts in reversed(list(series.items())):
                tall = high * counts[n] / most
                if tall:
                    pdf.set_fill_color(*LEVEL_COLOURS[level])
                    pdf.rect(x + n * step + step * 0.15, foot - tall, step * 0.7, tall, style="F")
                foot -= tall
            if sums[n]:
                _text(pdf, x + n * step, foot - 3.2, step, str(sums[n]))
            if not n % _every(len(labels)):
                _text(pdf, x + n * step - step, y + high + 0.8, step * 3, label)
        at = x
        for level in series:
            pdf.set_fill_color(*LEVEL_COLOURS[level])
            pdf.rect(at, top + 0.4, 2.6, 2.6, style="F")
            at += _text(pdf, at + 3.4, top, 0, names[level]) + 9

    return draw


def lines(series: Mapping[str, Sequence[float | None]], labels: Sequence[str]) -> Plot:
    """Draw shares, 0..1, from the lowest of them up; where nothing is known the line is broken."""

    def draw(pdf: FPDF, left: float, top: float, width: float, height: float) -> None:
        known = [value for values in series.values() for value in values if value is not None]
        least = next((low for low in (0.99, 0.95, 0.9, 0.8, 0.5) if min(known, default=1.0) >= low), 0.0)
        scale = [least, (least + 1) / 2, 1.0]
        x, y, wide, high = _frame(pdf, left, top, width, height, [f"{share * 100:g} %" for share in scale])
        step = wide / max(len(labels), 1)
        at = x
        for (name, values), (colour, dash) in zip(series.items(), LINES, strict=False):
            pdf.set_draw_color(*colour)
            pdf.set_line_width(0.5)
            pdf.set_dash_pattern(dash=dash, gap=dash)
            points = [
                None if value is None else (x + (n + 0.5) * step, y + high * (1 - (value - least) / (1 - least)))
                for n, value in enumerate(values)
            ]
            for before, after in pairwise(points):
                if before is not None and after is not None:
                    pdf.line(*before, *after)
            pdf.line(at, top + 1.7, at + 6, top + 1.7)
            pdf.set_dash_pattern()
            at += _text(pdf, at + 7, top, 0, name) + 13
        for n, label in enumerate(labels):
            if not n % _every(len(labels)):
                _text(pdf, x + n * step - step, y + high + 0.8, step * 3, label)

    return draw


def _frame(
    pdf: FPDF, left: float, top: float, width: float, height: float, scale: Sequence[str]
) -> tuple[float, float, float, float]:
    """Draw the grid and its scale; return the room inside: left, top, width and height."""
    x, y, wide, high = left + _LEFT, top + _HEAD + 3, width - _LEFT, height - _HEAD - _FOOT - 3
    pdf.set_draw_color(*_GRID)
    pdf.set_line_width(0.2)
    for n, label in enumerate(scale):
        at = y + high * (1 - n / (len(scale) - 1))
        pdf.line(x, at, x + wide, at)
        pdf.set_text_color(*_INK)
        pdf.set_xy(left, at - 2)
        pdf.cell(_LEFT - 1.5, 4, label, align="R")
    return x, y, wide, high


def _text(pdf: FPDF, x: float, y: float, wide: float, text: str) -> float:
    """Write a label, in the middle of `wide` mm or, without, from `x` on; return its width."""
    pdf.set_text_color(*_INK)
    pdf.set_xy(x, y)
    long = float(pdf.get_string_width(text))
    pdf.cell(wide or long + 2, 3.4, text, align="C" if wide else "L")
    return long


def _round_up(most: int) -> int:
    """Return a round number that is no less, and even: the middle of the scale is one, too."""
    if most <= 2:
        return 2
    size: int = 10 ** (len(str(most)) - 1)
    return next(round(size * n) for n in (1, 2, 3, 4, 5, 6, 8, 10) if size * n >= most and (size * n) % 2 == 0)


def _every(labels: int) -> int:
    return 1 if labels <= 12 else 3 if labels <= 24 else 5
