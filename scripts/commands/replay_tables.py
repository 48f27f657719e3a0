"""What other rules change, as tables at the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from alerts.comparison import WHATS, AlarmChange, Comparison, DispatchDifference
from scripts.commands.terminal import out, plain
from scripts.commands.words import Words


def show(found: Comparison, words: Words, most: int) -> None:
    """Print a comparison; of each list at most so many lines."""
    out.print(_summary(found, words))
    counted = " · ".join(f"{words(what)} {found.counts[what]}" for what in WHATS)
    out.print(words("alarms_changed", counted=counted, same=found.same))
    for title, head, groups in (("by_rule", "rule", found.by_rule), ("by_area", "area", found.by_area)):
        _groups(words, title, head, groups, most)
    _groups(words, "by_hour", "hour", {words.time(at, "%m-%d %H:%M"): one for at, one in found.by_hour.items()}, most)
    if found.before.seats:
        out.print(_seats(found, words))
    if found.leads:
        _leads(found, words, most)
    _changes(words, "changed_alarms", found.alarms, most)
    _changes(words, "changed_dispatches", found.dispatches, most)


def _summary(found: Comparison, words: Words) -> Table:
    table = Table("", words("before"), words("after"))
    for column in table.columns[1:]:
        column.justify = "right"
    before, after = found.before, found.after
    rows = {
        "alarms": (before.alarms, after.alarms),
        "rings": (before.load.rings, after.load.rings),
        "peak": (before.load.peak, after.load.peak),
        "hour_peak": (max(before.hours.values(), default=0), max(after.hours.values(), default=0)),
        "flood": (before.load.flood_minutes, after.load.flood_minutes),
        "dispatches": (before.dispatches, after.dispatches),
    }
    for name, (old, new) in rows.items():
        table.add_row(words(name), str(old), str(new))
    if found.leads:
        table.add_row(words("crossings"), str(len(found.leads)), str(len(found.leads)))
        table.add_row(words("warned"), str(before.warned), str(after.warned))
        table.add_row(words("lead"), words.duration(before.lead), words.duration(after.lead))
    return table


def _groups(words: Words, title: str, head: str, groups: Mapping[str, Mapping[str, int]], most: int) -> None:
    if not groups:
        return
    table = Table(words(head), *(words(what) for what in WHATS), title=words(title), title_justify="left")
    for name in list(groups)[:most]:
        table.add_row(plain(name), *(str(groups[name][what] or "") for what in WHATS))
    out.print(table)
    _more(words, len(groups), most)


def _seats(found: Comparison, words: Words) -> Table:
    table = Table(*seat_heads(words), title=words("by_seat"), title_justify="left")
    for row in seat_rows(found):
        table.add_row(plain(row[0]), *row[1:])
    return table


def seat_heads(words: Words) -> list[str]:
    """Name the columns of what each seat has to bear."""
    whats = ("rings", "hour_peak", "peak")
    return [words("seat"), *(f"{words(what)}: {words(side)}" for what in whats for side in ("before", "after"))]


def seat_rows(found: Comparison) -> list[list[str]]:
    """Write what each seat has to bear, before and after: rings, most in an hour, most in ten minutes."""
    rows = []
    for seat, old in found.before.seats.items():
        new = found.after.seats[seat]
        hours = [max(side.seat_hours[seat].values(), default=0) for side in (found.before, found.after)]
        rows.append([seat, *map(str, (old.rings, new.rings, *hours, old.peak, new.peak))])
    return rows


def _leads(found: Comparison, words: Words, most: int) -> None:
    table = Table(words("when"), words("point"), words("before"), words("after"))
    table.title, table.title_justify = words("leads"), "left"
    for one in found.leads[:most]:
        told = (words("not_warned") if lead is None else words.duration(lead) for lead in (one.before, one.after))
        table.add_row(words.time(one.time), plain(one.point), *told)
    out.print(table)
    _more(words, len(found.leads), most)


def _changes(
    words: Words, title: str, changes: tuple[AlarmChange, ...] | tuple[DispatchDifference, ...], most: int
) -> None:
    if not changes:
        return
    alarms = isinstance(changes[0], AlarmChange)
    heads = ("when", "rule", "scope") if alarms else ("when", "area", "unit")
    table = Table(*map(words, (*heads, "what", "levels", "shift")), title=words(title), title_justify="left")
    for one in changes[:most]:
        table.add_row(*map(plain, cells(one, words)))
    out.print(table)
    _more(words, len(changes), most)


def cells(one: AlarmChange | DispatchDifference, words: Words) -> list[str]:
    """Write one change: when, what it is of, how it differs, its levels, by how much it is later."""
    at = min(side.begun for side in (one.before, one.after) if side is not None)
    names = (one.rule, one.scope) if isinstance(one, AlarmChange) else (one.area, one.unit)
    mark = f" ({words('simulated')})" if one.simulated else ""
    levels = list(dict.fromkeys(words(side.level) for side in (one.before, one.after) if side is not None))
    how = ", ".join(words(what) for what in one.what)
    return [words.time(at), names[0], names[1] + mark, how, " → ".join(levels), words.shift(one.shift)]


def _more(words: Words, count: int, most: int) -> None:
    if count > most:
        out.print(words("more", count=count - most))
