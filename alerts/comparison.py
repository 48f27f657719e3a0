"""What other rules change: two courses of alarms and dispatches over the same past, held against each other.

Two alarms are the same one when they are of the same rule and scope and overlap in time, or lie at most `NEAR` apart;
likewise two dispatches of the same area and unit. What stands on one side only is gained or lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Protocol, TypeVar

import msgspec

from alerts.load import Load, Whole
from alerts.outcome import AlarmTransition
from alerts.spells import Sending, Spell
from rules.difference import WHATS, What, differs

NEAR = 1800.0
"""Seconds between two alarms, or dispatches, that may still be the same one: an incident takes alarms as long."""

EARLY = 6 * 3600.0
"""Seconds before a point crosses its limit within which an alarm that has gone again still counts as its warning."""

__all__ = ["WHATS", "AlarmChange", "Comparison", "DispatchDifference", "Lead", "Past", "Side", "What", "compare"]


class Limit(Protocol):
    """That a point came to its limit at a time (unix seconds)."""

    @property
    def point(self) -> str:
        """Name the point."""
        ...

    @property
    def area(self) -> str:
        """Name its area."""
        ...

    @property
    def time(self) -> float:
        """Tell when."""
        ...


class AlarmChange(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one alarm differs; `shift` is by how many seconds it is raised later (negative: earlier)."""

    what: tuple[What, ...]  # gained | lost, or any of earlier | later and level
    rule: str
    scope: str
    area: str
    simulated: bool
    before: Spell | None
    after: Spell | None
    shift: float | None = None


class DispatchDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Say how one dispatch differs, as of an alarm."""

    what: tuple[What, ...]
    area: str
    unit: str
    simulated: bool
    before: Sending | None
    after: Sending | None
    shift: float | None = None


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """Say how long before a point crossed its limit its first alarm of risk came (seconds); None is that none came."""

    point: str
    area: str
    time: float
    before: float | None
    after: float | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Sum up one course."""

    alarms: int
    dispatches: int
    load: Whole
    hours: dict[float, int]  # hour (unix seconds at its beginning) → rings
    seats: dict[str, Whole]  # duty seat → load of its subdistricts
    seat_hours: dict[str, dict[float, int]]  # duty seat → hour → rings
    warned: int  # crossings of a limit that had their alarm before
    lead: float | None  # median of the lead of those, seconds


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Say what changes. Counts are by `What`."""

    before: Side
    after: Side
    alarms: tuple[AlarmChange, ...]
    dispatches: tuple[DispatchDifference, ...]
    leads: tuple[Lead, ...]
    counts: dict[str, int]
    by_rule: dict[str, dict[str, int]]
    by_area: dict[str, dict[str, int]]
    by_hour: dict[float, dict[str, int]]
    same: int  # alarms that are as they were


class Past(msgspec.Struct, kw_only=True):
    """One course whole: what stood and came up to the end of the stretch, and the transitions of the stretch."""

    spells: list[Spell]
    sendings: list[Sending]
    transitions: list[AlarmTransition]


def compare(
    before: Past,
    after: Past,
    crossings: Sequence[Limit],
    begin: float,
    end: float,
    seats: Mapping[str, frozenset[str] | None] | None = None,
) -> Comparison:
    """Compare two courses between `begin` and `end` (unix seconds). `seats`: seat → its areas, None is all."""
    alarms: list[AlarmChange] = []
    same = 0
    for old, new in paired(before.spells, after.spells):
        spell = old or new
        if spell is None or not _within(begin, end, old, new):
            continue
        what, shift = _judged(old, new)
        if not what:
            same += 1
            continue
        alarms.append(
            AlarmChange(
                what=what,
                rule=spell.rule,
                scope=spell.scope,
                area=spell.area,
                simulated=spell.simulated,
                before=old,
                after=new,
                shift=shift,
            )
        )
    dispatches: list[DispatchDifference] = []
    for sent, would in paired(before.sendings, after.sendings):
        order = sent or would
        if order is None or not _within(begin, end, sent, would):
            continue
        what, shift = _judged(sent, would)
        if what:
            dispatches.append(
                DispatchDifference(
                    what=what,
                    area=order.area,
                    unit=order.unit,
                    simulated=order.simulated,
                    before=sent,
                    after=would,
                    shift=shift,
                )
            )
    alarms.sort(key=_order)
    dispatches.sort(key=lambda one: (_first(one.before, one.after), one.area, one.unit))
    leads = tuple(
        Lead(
            point=one.point,
            area=one.area,
            time=one.time,
            before=_lead(before.spells, one),
            after=_lead(after.spells, one),
        )
        for one in sorted(crossings, key=lambda one: (one.time, one.point))
        if begin <= one.time < end
    )
    return Comparison(
        before=_side(before, [one.before for one in leads], begin, end, seats or {}),
        after=_side(after, [one.after for one in leads], begin, end, seats or {}),
        alarms=tuple(alarms),
        dispatches=tuple(dispatches),
        leads=leads,
        counts=_counts(alarms),
        by_rule=_grouped((one.rule, one) for one in alarms),
        by_area=_grouped((one.area, one) for one in alarms),
        by_hour=_grouped((_first(one.before, one.after) // 3600 * 3600.0, one) for one in alarms),
        same=same,
    )


class _Stretch(Protocol):
    level: str
    end: float | None

    @property
    def key(self) -> tuple[str, str, bool]: ...

    @property
    def begun(self) -> float: ...


One = TypeVar("One", bound=_Stretch)
Name = TypeVar("Name", str, float)


def paired(before: Iterable[One], after: Iterable[One]) -> list[tuple[One | None, One | None]]:
    """Pair what is the same on both sides, each with one at most; what has no partner stands alone."""
    old, new = _by_key(before), _by_key(after)
    found: list[tuple[One | None, One | None]] = []
    for key in sorted({*old, *new}):
        mine, theirs = old.get(key, []), new.get(key, [])
        i = j = 0
        while i < len(mine) and j < len(theirs):
            a, b = mine[i], theirs[j]
            if _until(a) + NEAR < b.begun or _nearer(mine[i + 1 : i + 2], a, b):
                found.append((a, None))
                i += 1
            elif _until(b) + NEAR < a.begun or _nearer(theirs[j + 1 : j + 2], b, a):
                found.append((None, b))
                j += 1
            else:
                found.append((a, b))
                i, j = i + 1, j + 1
        found += [(a, None) for a in mine[i:]] + [(None, b) for b in theirs[j:]]
    return found


def _by_key(those: Iterable[One]) -> dict[tuple[str, str, bool], list[One]]:
    found: dict[tuple[str, str, bool], list[One]] = {}
    for one in sorted(those, key=lambda one: one.begun):
        found.setdefault(one.key, []).append(one)
    return found


def _until(one: _Stretch) -> float:
    return float("inf") if one.end is None else one.end


def _nearer(later: Sequence[_Stretch], this: _Stretch, other: _Stretch) -> bool:
    """Tell whether the next of one side begins nearer to what is on the other side than this one does."""
    return bool(later) and abs(later[0].begun - other.begun) < abs(this.begun - other.begun)


def _within(begin: float, end: float, *those: _Stretch | None) -> bool:
    return any(begin <= one.begun < end for one in those if one is not None)


def _judged(before: _Stretch | None, after: _Stretch | None) -> tuple[tuple[What, ...], float | None]:
    old, new = (None if one is None else (one.begun, one.level) for one in (before, after))
    return differs(old, new)


def _first(*those: _Stretch | None) -> float:
    return min(one.begun for one in those if one is not None)


def _order(one: AlarmChange) -> tuple[float, str, str, bool]:
    return _first(one.before, one.after), one.rule, one.scope, one.simulated


def _counts(changes: Iterable[AlarmChange]) -> dict[str, int]:
    counted = Counter(what for one in changes for what in one.what)
    return {what: counted[what] for what in WHATS}


def _grouped(named: Iterable[tuple[Name, AlarmChange]]) -> dict[Name, dict[str, int]]:
    groups: dict[Name, list[AlarmChange]] = {}
    for name, one in named:
        groups.setdefault(name, []).append(one)
    return {name: _counts(groups[name]) for name in sorted(groups)}


def _lead(spells: Iterable[Spell], crossing: Limit) -> float | None:
    """Return how long before a crossing the first alarm came that was still about it, or had gone within `EARLY`."""
    found = [
        crossing.time - one.raised
        for one in spells
        if one.kind == "risk"
        and (crossing.point == one.scope or crossing.point in one.points)
        and one.raised <= crossing.time
        and (one.end is None or one.end >= crossing.time or crossing.time - one.raised <= EARLY)
    ]
    return max(found, default=None)


def _side(
    past: Past,
    leads: Sequence[float | None],
    begin: float,
    end: float,
    seats: Mapping[str, frozenset[str] | None],
) -> Side:
    load, by_seat = Load(), {name: Load() for name in seats}
    for one in past.transitions:
        if not begin <= one.time < end:
            continue
        record = msgspec.structs.asdict(one)
        load.note([record])
        for name, areas in seats.items():
            if areas is None or one.area in areas:
                by_seat[name].note([record])
    known = [lead for lead in leads if lead is not None]
    return Side(
        alarms=sum(begin <= one.raised < end for one in past.spells),
        dispatches=sum(begin <= one.issued < end for one in past.sendings),
        load=load.whole(),
        hours=load.hours(),
        seats={name: by_seat[name].whole() for name in seats},
        seat_hours={name: by_seat[name].hours() for name in seats},
        warned=len(known),
        lead=median(known) if known else None,
    )
