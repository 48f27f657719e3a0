"""What other rules change, as one HTML page of tables and inline SVG: no script, no font, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from alerts.comparison import WHATS, AlarmChange, Comparison, DispatchDifference
from alerts.spells import Spell
from scripts.commands.replay_tables import cells, seat_heads, seat_rows
from scripts.commands.words import Words
from streams.durable import replace

LANES = 60
"""Rules and scopes that are drawn, those that change first; the table lists more."""

LISTED = 500

_WIDTH, _LEFT, _RIGHT = 980, 230, 30
_STYLE = """
body { font: 14px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: #1f2937; background: #fff;
  margin: 24px auto; max-width: 980px; padding: 0 12px }
h1 { font-size: 20px; margin: 0 0 4px } h2 { font-size: 16px; margin: 28px 0 6px }
p { margin: 0 0 12px; color: #4b5563 } table { border-collapse: collapse; width: 100% } th { font-weight: 600 }
th, td { text-align: left; padding: 3px 10px 3px 0; border-bottom: 1px solid #e5e7eb; vertical-align: top }
.n { text-align: right } svg { width: 100%; height: auto; display: block }
text { font: 11px system-ui, "Noto Sans CJK SC", sans-serif; fill: #4b5563 }
.r { text-anchor: end } .m { text-anchor: middle } .grid { stroke: #e5e7eb }
.before { fill: #9ca3af } .after { fill: #1d4ed8 } .link { stroke: #6b7280; stroke-width: 1.5 }
.gained { fill: #c2410c } .lost { fill: #0f766e } .earlier { fill: #1d4ed8 } .later { fill: #7c3aed }
.level { fill: #a16207 } .l-red { fill: #dc2626 } .l-orange { fill: #f97316 } .l-yellow { fill: #eab308 }
.l-blue { fill: #3b82f6 } .old { opacity: .55 }
.key { width: 12px; height: 12px; display: inline-block; vertical-align: -2px; margin: 0 4px 0 14px }
"""
_HOUR = 3600.0
_STEPS = tuple(_HOUR * hours for hours in (1 / 60, 1 / 12, 1 / 6, 0.5, 1, 3, 6, 24, 48, 168, 336, 720))


def write(path: Path, found: Comparison, words: Words, begin: float, end: float, note: str = "") -> None:
    """Write the page. Raise `OSError` when it cannot be written."""
    replace(path, page(found, words, begin, end, note).encode())


def page(found: Comparison, words: Words, begin: float, end: float, note: str = "") -> str:
    """Return the page, of what was replayed from `begin` to `end` (unix s). Its policy allows only its own style.

    `note` says what must be borne in mind of it.
    """
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    since, until = (words.time(at, "%Y-%m-%d %H:%M") for at in (begin, end))
    parts = [_summary(found, words), _counts(found, words)]
    if found.before.hours or found.after.hours:
        parts += [_head(words("rings_an_hour")), _hours(found, words)]
    if found.alarms:
        parts += [_head(words("by_rule")), _bars("by_rule", found.by_rule, words), _head(words("by_area"))]
        parts += [_bars("by_area", found.by_area, words), _head(words("courses")), _lanes(found.alarms, end, words)]
    if found.before.seats:
        parts += [_head(words("by_seat")), _seats(found, words)]
    if found.leads:
        parts += [_head(words("leads")), _leads(found, words)]
    parts += _changes("changed_alarms", ("when", "rule", "scope"), found.alarms, words)
    parts += _changes("changed_dispatches", ("when", "area", "unit"), found.dispatches, words)
    title = escape(words("title"))
    if note:
        parts.insert(0, f"<p>{escape(note)}</p>")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<p>{escape(since)} – {escape(until)}</p>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _head(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Write a table; the last `numbers` columns are numbers."""
    plain = len(heads) - numbers

    def row(tag: str, values: Sequence[str]) -> str:
        made = (
            f"<{tag}{' class=n' if place >= plain else ''}>{escape(value)}</{tag}>"
            for place, value in enumerate(values)
        )
        return f"<tr>{''.join(made)}</tr>"

    return "<table>" + "\n".join([row("th", heads), *(row("td", one) for one in rows)]) + "</table>"


def _summary(found: Comparison, words: Words) -> str:
    before, after = found.before, found.after
    rows = [
        (words("alarms"), str(before.alarms), str(after.alarms)),
        (words("rings"), str(before.load.rings), str(after.load.rings)),
        (words("peak"), str(before.load.peak), str(after.load.peak)),
        (words("hour_peak"), *(str(max(side.hours.values(), default=0)) for side in (before, after))),
        (words("flood"), str(before.load.flood_minutes), str(after.load.flood_minutes)),
        (words("dispatches"), str(before.dispatches), str(after.dispatches)),
    ]
    if found.leads:
        rows += [
            (words("crossings"), str(len(found.leads)), str(len(found.leads))),
            (words("warned"), str(before.warned), str(after.warned)),
            (words("lead"), words.duration(before.lead), words.duration(after.lead)),
        ]
    return _table(("", words("before"), words("after")), rows, 2)


def _counts(found: Comparison, words: Words) -> str:
    keys = (f"{_key(what)}{escape(words(what))} {found.counts[what]}" for what in WHATS)
    none = "" if found.alarms or found.dispatches else f" · {escape(words('none'))}"
    return f"<p>{''.join(keys)} · {escape(words('same'))} {found.same}{none}</p>"


def _key(name: str) -> str:
    return f'<svg class="key" viewBox="0 0 12 12"><rect class="{name}" width="12" height="12"/></svg>'


def _svg(height: float, parts: Iterable[str], title: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    shown = text if len(text) <= 40 else text[:39] + "…"
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(shown)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    inside = f"<title>{escape(title)}</title>" if title else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.0):.1f}" height="{height:.1f}"'
    return f'<rect {place} class="{kind}">{inside}</rect>'


class _Time:
    """Place times on a line from left to right."""

    def __init__(self, begin: float, end: float) -> None:
        self.begin, self.end = begin, max(end, begin + 60.0)

    def x(self, time: float) -> float:
        """Return where a time is, within the line."""
        share = (min(max(time, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def grid(self, words: Words, height: float) -> list[str]:
        """Draw lines at round times, named below."""
        step = next((one for one in _STEPS if (self.end - self.begin) / one <= 9), _STEPS[-1])
        form = "%m-%d" if step >= 24 * _HOUR else "%m-%d %H:%M" if self.end - self.begin > 24 * _HOUR else "%H:%M"
        parts = []
        at = words.rounded(self.begin, step, up=True)
        while at <= self.end:
            x = self.x(at)
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height:.1f}" class="grid"/>')
            parts.append(_text(x, height + 14, words.time(at, form), "m"))
            at = words.rounded(at + step, step)
        return parts


def _hours(found: Comparison, words: Words) -> str:
    hours = sorted({*found.before.hours, *found.after.hours})
    line, high = _Time(hours[0], hours[-1] + _HOUR), 130.0
    most = max(*found.before.hours.values(), *found.after.hours.values(), 1, 1)
    parts = line.grid(words, high)
    parts += [_text(_LEFT - 8, 12, str(most), "r"), _text(_LEFT - 8, high, "0", "r")]
    for hour in hours:
        left, width = line.x(hour), line.x(hour + _HOUR) - line.x(hour)
        for place, (side, counted) in enumerate((("before", found.before.hours), ("after", found.after.hours))):
            tall = counted.get(hour, 0) / most * (high - 4)
            title = f"{words.time(hour, '%m-%d %H:%M')} {words(side)}: {counted.get(hour, 0)}"
            part = _rect(left + place * width / 2, high - tall, max(width / 2 - 0.4, 0.6), tall, side, title)
            parts.append(part)
    keys = f"<p>{_key('before')}{escape(words('before'))}{_key('after')}{escape(words('after'))}</p>"
    return keys + _svg(high + 20, parts, words("rings_an_hour"))


def _bars(title: str, groups: dict[str, dict[str, int]], words: Words) -> str:
    """Draw a bar a group, its parts by what changes; those that change most first."""
    some = sorted(groups.items(), key=lambda one: (-sum(one[1].values()), one[0]))[:LANES]
    most = max(sum(one.values()) for _, one in some)
    parts = []
    for place, (name, counted) in enumerate(some):
        y, x = place * 20.0, float(_LEFT)
        parts.append(_text(_LEFT - 8, y + 13, name, "r"))
        for what in WHATS:
            width = counted[what] / most * (_WIDTH - _LEFT - 60)
            parts.append(_rect(x, y + 2, width, 14, what, f"{name}: {words(what)} {counted[what]}"))
            x += width
        parts.append(_text(x + 6, y + 13, str(sum(counted.values()))))
    more = f"<p>{escape(words('more', count=len(groups) - len(some)))}</p>" if len(groups) > len(some) else ""
    return _svg(len(some) * 20 + 4, parts, words(title)) + more


def _lanes(changes: Sequence[AlarmChange], end: float, words: Words) -> str:
    """Draw when alarms were active, a lane for a rule and scope: above before, below after, in the level's colour."""
    lanes: dict[tuple[str, str], list[AlarmChange]] = {}
    for one in changes:
        lanes.setdefault((one.rule, one.scope), []).append(one)
    some = list(lanes.items())[:LANES]
    sides = [side for _, mine in some for one in mine for side in (one.before, one.after) if side is not None]
    begin = min(side.raised for side in sides)
    end = max(end if side.end is None else side.end for side in sides)
    line = _Time(begin - (end - begin) * 0.02, end + (end - begin) * 0.02)
    high = len(some) * 34.0
    parts = line.grid(words, high)
    for place, ((rule, scope), mine) in enumerate(some):
        y = place * 34.0
        parts += [_text(_LEFT - 8, y + 13, rule, "r"), _text(_LEFT - 8, y + 26, scope, "r")]
        for one in mine:
            parts += [_spell(line, side, y + 4, "old", words("before"), words) for side in _there(one.before)]
            parts += [_spell(line, side, y + 17, "new", words("after"), words) for side in _there(one.after)]
    more = f"<p>{escape(words('more', count=len(lanes) - len(some)))}</p>" if len(lanes) > len(some) else ""
    return _svg(high + 20, parts, words("courses")) + more


def _there(side: Spell | None) -> list[Spell]:
    return [] if side is None else [side]


def _spell(line: _Time, one: Spell, y: float, kind: str, side: str, words: Words) -> str:
    left = line.x(one.raised)
    right = line.x(line.end if one.end is None else one.end)
    until = "…" if one.end is None else words.time(one.end)
    title = f"{side}: {words(one.level)}, {words.time(one.raised)} – {until}"
    return _rect(left, y, max(right - left, 2.5), 10, f"l-{one.level} {kind}", title)


def _seats(found: Comparison, words: Words) -> str:
    return _table(seat_heads(words), seat_rows(found), 6)


def _leads(found: Comparison, words: Words) -> str:
    """Draw how long before each crossing its alarm came: grey before, blue after; the crossing itself is at 0."""
    some = found.leads[:LANES]
    most = max([lead for one in some for lead in (one.before, one.after) if lead is not None], default=60.0) or 60.0
    wide = _WIDTH - _LEFT - 110
    parts = []
    for place, one in enumerate(some):
        y = place * 22.0 + 11
        parts.append(_text(_LEFT - 8, y + 4, f"{one.point} {words.time(one.time, '%m-%d %H:%M')}", "r"))
        leads = (("before", one.before), ("after", one.after))
        at = {side: _LEFT + lead / most * wide for side, lead in leads if lead is not None}
        if len(at) == 2:
            parts.append(f'<line x1="{at["before"]:.1f}" x2="{at["after"]:.1f}" y1="{y}" y2="{y}" class="link"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y}" r="5" class="{side}"/>' for side, x in at.items()]
        told = [words("not_warned") if lead is None else words.duration(lead) for lead in (one.before, one.after)]
        parts.append(_text(max([*at.values(), _LEFT]) + 10, y + 4, " → ".join(told)))
    more = f"<p>{escape(words('more', count=len(found.leads) - len(some)))}</p>" if len(found.leads) > len(some) else ""
    return _svg(len(some) * 22 + 4, parts, words("leads")) + more


def _changes(
    title: str,
    heads: Sequence[str],
    changes: Sequence[AlarmChange] | Sequence[DispatchDifference],
    words: Words,
) -> list[str]:
    if not changes:
        return []
    names = [words(name) for name in (*heads, "what", "levels", "shift")]
    more = f"<p>{escape(words('more', count=len(changes) - LISTED))}</p>" if len(changes) > LISTED else ""
    return [_head(words(title)), _table(names, (cells(one, words) for one in changes[:LISTED])) + more]
