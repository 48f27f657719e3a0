"""Draw series with what was found in them: one HTML file of inline SVG that needs no script, font or network.

A panel is one stretch of one series. Bands are stretches of time (a labelled anomaly, a warning), marks are moments (an
alarm, a crossing); their kind decides their colour, and the legend tells those in use.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from math import floor, inf, isfinite, log10
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Look = Literal["event", "found", "missed", "false", "range", "blue", "yellow", "orange", "red"]

LOOKS: dict[Look, tuple[str, str]] = {
    "event": ("#6b7280", "what happened"),
    "found": ("#15803d", "found"),
    "missed": ("#7c3aed", "missed"),
    "false": ("#c2410c", "false alarm"),
    "range": ("#2563eb", "expected range"),
    "blue": ("#2563eb", "blue"),
    "yellow": ("#ca8a04", "yellow"),
    "orange": ("#ea580c", "orange"),
    "red": ("#dc2626", "red"),
}
"""Colour and meaning of each look."""

_CHINESE: dict[Look, str] = {
    "event": "已知发生", "found": "找到", "missed": "漏报", "false": "误报", "range": "预期范围",
    "blue": "蓝", "yellow": "黄", "orange": "橙", "red": "红",
}  # fmt: skip

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 980, 190, 64, 12, 22, 22
_TURNED = 0.8 * _WIDTH  # beyond, words stand before their mark
_DAY = 86400.0
_STEPS = (60.0, 300.0, 900.0, 3600.0, 10800.0, 21600.0, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 91 * _DAY)
_PAGE = """
body { font: 14px/1.5 system-ui, sans-serif; color: #1f2937; background: #fff; margin: 24px auto; max-width: 980px }
h1 { font-size: 20px; margin: 0 0 4px } p { margin: 0 0 12px; color: #4b5563 }
"""
_STYLE = """
.panels { background: #fff; color: #1f2937; font: 14px/1.5 system-ui, sans-serif; max-width: 980px }
.panels figure { margin: 0 0 20px } .panels figcaption { font-weight: 600 }
.panels small { font-weight: 400; color: #4b5563 } .panels svg { width: 100%; height: auto; display: block }
.panels text { font: 11px system-ui, sans-serif; fill: #4b5563 } .panels .grid { stroke: #e5e7eb }
.panels .series { fill: none; stroke: #111827; stroke-width: 1.3; stroke-linejoin: round }
.panels .second { fill: none; stroke: #2563eb; stroke-width: 1.2 }
.panels .limit { stroke: #b91c1c; stroke-dasharray: 5 4 }
.key { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 12px; vertical-align: -1px; opacity: .75 }
"""


class Mark(msgspec.Struct, frozen=True):
    """Mark a moment (unix seconds)."""

    time: float
    text: str = ""
    look: Look = "event"


class Band(msgspec.Struct, frozen=True):
    """Mark a stretch of time (unix seconds)."""

    begin: float
    end: float
    text: str = ""
    look: Look = "event"


class Panel(msgspec.Struct, frozen=True):
    """Hold one picture: times (unix seconds, rising) and values f8[n], NaN where there is none."""

    title: str
    times: Floats
    values: Floats
    marks: Sequence[Mark] = ()
    bands: Sequence[Band] = ()
    limit: float | None = None  # drawn dashed
    note: str = ""
    second: Floats | None = None  # another series f8[n] of the same unit (a forecast, a profile)
    zone: str = "UTC"  # of the times that are written


def pages(path: Path, panels: Iterable[Panel], title: str = "", note: str = "", language: str = "en") -> None:
    """Write panels under each other into one HTML file. Raise OSError when it cannot be written.

    `language` is that of the page, en or zh-CN, and of what the looks mean; the rest is written as it is given.
    """
    drawn = list(panels)
    path.write_text(
        f'<!doctype html>\n<html lang="{language}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_PAGE}{_STYLE}</style>\n<h1>{escape(title)}</h1>\n<p>{escape(note)}{_keys(drawn, language)}</p>\n"
        f"{_figures(drawn, language)}\n</html>\n",
        encoding="utf-8",
    )


def fragment(panels: Iterable[Panel], language: str = "en") -> str:
    """Draw panels under each other as a part of another page, such as a notebook; `language` as for `pages`."""
    drawn = list(panels)
    keys = _keys(drawn, language)
    return f"<style>{_STYLE}</style>" + (f"<p>{keys}</p>" if keys else "") + _figures(drawn, language)


def _figures(panels: Sequence[Panel], language: str = "en") -> str:
    nothing = "Nothing to show." if language == "en" else "没有可显示的内容。"
    drawn = "\n".join(_figure(panel, language) for panel in panels)
    return f'<div class="panels">{drawn or f"<p>{nothing}</p>"}</div>'


def _keys(panels: Sequence[Panel], language: str = "en") -> str:
    """Tell the meaning of the looks in use."""
    used = {mark.look for panel in panels for mark in panel.marks}
    used |= {band.look for panel in panels for band in panel.bands}
    told = (_look(look, language) for look in LOOKS if look in used)
    return "".join(f'<span class="key" style="background:{colour}"></span>{meaning}' for colour, meaning in told)


def _look(look: Look, language: str) -> tuple[str, str]:
    """Return colour and meaning of a look."""
    colour, meaning = LOOKS[look]
    return colour, meaning if language == "en" else _CHINESE[look]


def around(time: Floats, begin: float, end: float, margin: float) -> slice:
    """Return the readings (of rising times f8[n]) between `margin` seconds before `begin` and after `end`."""
    low, high = np.searchsorted(time, (begin - margin, end + margin))
    return slice(int(low), int(high))


def _figure(panel: Panel, language: str) -> str:
    caption = f"<figcaption>{escape(panel.title)} <small>{escape(panel.note)}</small></figcaption>"
    return f"<figure>{caption}\n{_svg(panel, language)}</figure>"


def _svg(panel: Panel, language: str) -> str:
    times, values = np.asarray(panel.times, np.float64), np.asarray(panel.values, np.float64)
    told = values[np.isfinite(values)]
    if not told.size:
        return "<p>No readings.</p>" if language == "en" else "<p>没有读数。</p>"
    begin, end = float(times[0]), max(float(times[-1]), float(times[0]) + 1.0)
    bounds = [float(told.min()), float(told.max()), *([panel.limit] if panel.limit is not None else [])]
    low, high = min(bounds), max(bounds)
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    frame = _Frame(begin, end, low, high)
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(panel.title)}">']
    parts += [_band(frame, band, language) for band in panel.bands if band.end >= begin and band.begin <= end]
    parts += [frame.across(y, f"{y:.6g}") for y in _ticks(low, high)]
    parts += [frame.down(x, words) for x, words in _dates(begin, end, language, panel.zone)]
    parts += [f'<path class="series" d="{_path(frame, times, values)}"/>']
    if panel.second is not None:
        parts += [f'<path class="second" d="{_path(frame, times, np.clip(panel.second, low, high))}"/>']
    if panel.limit is not None:
        y = frame.y(panel.limit)
        parts += [f'<line class="limit" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>']
    parts += _marks(frame, [mark for mark in panel.marks if begin <= mark.time <= end], language)
    return "".join([*parts, "</svg>"])


class _Frame:
    """Turn time and value into places of the picture."""

    def __init__(self, begin: float, end: float, low: float, high: float) -> None:
        self.begin, self.low = begin, low
        self.wide = (_WIDTH - _LEFT - _RIGHT) / (end - begin)
        self.tall = (_HEIGHT - _TOP - _BOTTOM) / (high - low)

    def x(self, time: float) -> float:
        """Return where a time is, kept within the picture."""
        return min(max(_LEFT + (time - self.begin) * self.wide, _LEFT), _WIDTH - _RIGHT)

    def y(self, value: float) -> float:
        """Return where a value is."""
        return _HEIGHT - _BOTTOM - (value - self.low) * self.tall

    def across(self, value: float, words: str) -> str:
        """Draw a line of the grid with its value."""
        y = self.y(value)
        return (
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
        )

    def down(self, time: float, words: str) -> str:
        """Draw a line of the grid with its date."""
        x = self.x(time)
        anchor = "end" if x > _WIDTH - 40 else "middle"
        return (
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
            f'<text x="{x:.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{words}</text>'
        )


def _band(frame: _Frame, band: Band, language: str) -> str:
    x, until = frame.x(band.begin), frame.x(band.end)
    colour, meaning = _look(band.look, language)
    return (
        f'<rect x="{x:.1f}" y="{_TOP}" width="{max(until - x, 1.5):.1f}" height="{_HEIGHT - _TOP - _BOTTOM}" '
        f'fill="{colour}" opacity="0.16"><title>{escape(band.text or meaning)}</title></rect>'
    )


def _marks(frame: _Frame, marks: Sequence[Mark], language: str) -> list[str]:
    """Draw marks; words that would run into those before them are told by the line alone, when it is pointed at."""
    drawn, free = [], -inf
    for mark in sorted(marks, key=lambda one: one.time):
        x, wide = frame.x(mark.time), sum(7.0 if letter < "\u2e80" else 13.0 for letter in mark.text)
        left = x - wide if x > _TURNED else x
        drawn.append(_mark(x, mark, left >= free, language))
        if left >= free:
            free = left + wide
    return drawn


def _mark(x: float, mark: Mark, words: bool, language: str) -> str:
    colour, meaning = _look(mark.look, language)
    anchor = "end" if x > _TURNED else "start"
    told = f'<text x="{x:.1f}" y="{_TOP - 9}" text-anchor="{anchor}">{escape(mark.text)}</text>' if words else ""
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{_HEIGHT - _BOTTOM}" stroke="{colour}" '
        f'stroke-width="1.5"><title>{escape(mark.text or meaning)}</title></line>{told}'
    )


def _path(frame: _Frame, times: Floats, values: Floats) -> str:
    """Return the path of a line; of many readings a column only the first, least, largest and last are drawn."""
    columns = np.array([frame.x(time) for time in times.tolist()]).astype(np.intp)
    keep = np.ones(len(times), np.bool_)
    if len(times) > 4 * _WIDTH:
        keep[:] = False
        edges = np.flatnonzero(np.diff(columns, prepend=-1))
        for start, stop in zip(edges.tolist(), [*edges[1:].tolist(), len(times)], strict=True):
            part = values[start:stop]
            there = np.flatnonzero(np.isfinite(part))
            if there.size:
                keep[start + there[[0, -1, int(part[there].argmin()), int(part[there].argmax())]]] = True
            if there.size < len(part):
                keep[start + int(np.flatnonzero(~np.isfinite(part))[0])] = True
    path: list[str] = []
    pen = "M"
    for time, value in zip(times[keep].tolist(), values[keep].tolist(), strict=True):
        if not isfinite(value):
            pen = "M"
            continue
        path.append(f"{pen}{frame.x(time):.1f} {frame.y(value):.1f}")
        pen = "L"
    return "".join(path)


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round values between two."""
    rough = (high - low) / about
    if not (0.0 < rough < inf):
        return [low]
    base = 10.0 ** floor(log10(rough))
    step = min((base * each for each in (1.0, 2.0, 5.0, 10.0) if base * each >= rough), default=base)
    first = np.ceil(low / step)
    return [float(place * step) + 0.0 for place in np.arange(first, np.floor(high / step) + 1.0)]


def _dates(begin: float, end: float, language: str, zone: str, about: int = 8) -> list[tuple[float, str]]:
    """Return times between two that are round in a zone, in words."""
    here = ZoneInfo(zone)
    ahead = datetime.fromtimestamp(begin, here).utcoffset()
    east = ahead.total_seconds() if ahead is not None else 0.0
    step = next((each for each in _STEPS if (end - begin) / each <= about), 365.0 * _DAY)
    hours, days = ("%d %b %H:%M", "%d %b %Y") if language == "en" else ("%m-%d %H:%M", "%Y-%m-%d")
    form = "%H:%M" if end - begin < _DAY else hours if step < _DAY else days
    first = np.ceil((begin + east) / step) * step - east
    return [
        (float(time), datetime.fromtimestamp(float(time), here).strftime(form)) for time in np.arange(first, end, step)
    ]
