"""Suppression by design: modes of the site begin and end, and alarms give way to them for that time.

A mode has an author, a reason and an end. Alarms of rules that name it (`suppress`) are DSUPR while it lasts, those
that stand already as well; each stays listed with what it hid. One that rises above what its rule lets a mode suppress
rings at once, and when the mode ends each rings whose condition still holds.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Literal

import msgspec

from alerts import ending_soon
from alerts.alarm import Alarm
from alerts.casebook import Casebook
from alerts.grouping import give_way, take_edge
from alerts.mode import Spell, spell_key
from alerts.outcome import AnyOutcome, CommandResult, ModeChange
from alerts.sending import ENGINE
from sensors.observation import SiteMode

MOST = 4096
"""Spells that last at once in one partition."""

LEEWAY = 60.0
"""Seconds that an order may take until the engine sees it."""

Edge = Literal["began", "replaced", "warned", "ended", "over", "refused"]


def order(
    book: Casebook, what: SiteMode, areas: Collection[str], partition: int, clock: float, out: list[AnyOutcome]
) -> None:
    """Begin or end a mode in those of its areas that are among `areas`, the partition's."""
    mine = [area for area in dict.fromkeys(what.areas or ("",)) if not area or area in areas]
    why = ""
    for area in mine:
        known = book.cases.modes.get(spell_key(what.mode, area))
        refused = _refusal(book, what, known, clock)
        if refused:
            why = refused
            spell = Spell(
                order=what.id,
                mode=what.mode[:64],
                area=area[:128],
                since=clock,
                until=what.until if math.isfinite(what.until) else 0.0,
                by=what.actor[:256],
                reason=what.reason[:500],
            )
            out.append(_change(spell, "refused", partition, clock, what.id, spell.by, refused))
        elif what.until:
            _begin(book, what, area, partition, clock, out)
        else:
            assert known is not None
            _end(book, known, "ended", partition, clock, out, what.id, what.actor, what.reason)
    if mine:
        out.append(CommandResult(id=what.id, ok=not why, target=what.mode[:64], reason=why, time=clock))
    book.wake_at(next_end(book))


def lapse(book: Casebook, partition: int, clock: float, out: list[AnyOutcome]) -> None:
    """Say which modes end soon, whether they suppress anything or not, and end those whose time has come."""
    told_of: set[str] = set()  # people are told once of an order, whatever areas it is about
    for spell in list(book.cases.modes.values()):
        if spell.until <= clock:
            _end(book, spell, "over", partition, clock, out, spell.order, ENGINE, "mode.over")
        elif not spell.warned and _warn_at(book, spell) <= clock:
            spell.warned = True
            told = _change(spell, "warned", partition, clock, spell.order, ENGINE, "mode.ends")
            event = ending_soon.of_mode(book, spell, clock) if spell.order not in told_of else None
            told_of.add(spell.order)
            out.append(msgspec.structs.replace(told, event=event))


def next_end(book: Casebook) -> float:
    """Return when the clock next has something to say of a mode; infinite when none lasts."""
    modes = book.cases.modes.values()
    return min((spell.until if spell.warned else _warn_at(book, spell) for spell in modes), default=math.inf)


def _warn_at(book: Casebook, spell: Spell) -> float:
    return max(spell.until - book.settings.shelf_warning, (spell.since + spell.until) / 2)


def _refusal(book: Casebook, what: SiteMode, known: Spell | None, clock: float) -> str:
    """Say why an order is refused, as a key of `alerts.messages`; empty when it is not."""
    if not what.until:
        return "" if known is not None else "mode.not_on"
    mode = next((one for one in book.site.modes if one.id == what.mode), None)
    if mode is None:
        return "mode.unknown"
    if not what.reason.strip():
        return "reason_needed"
    if not what.until > clock:
        return "mode.over"
    if what.until - clock > mode.longest + LEEWAY:
        return "mode.too_long"
    if known is None and len(book.cases.modes) >= MOST:
        return "too_many"
    return ""


def _begin(book: Casebook, what: SiteMode, area: str, partition: int, clock: float, out: list[AnyOutcome]) -> None:
    key = spell_key(what.mode, area)
    before = book.cases.modes.get(key)
    if before is not None:
        out.append(_change(before, "replaced", partition, clock, what.id, what.actor, what.reason))
    spell = book.cases.modes[key] = Spell(
        order=what.id,
        mode=what.mode,
        area=area,
        since=clock,
        until=what.until,
        by=what.actor[:256],
        reason=what.reason[: book.settings.longest_text],
    )
    out.append(_change(spell, "began", partition, clock, what.id, spell.by, spell.reason))
    for alarm in _of(book, area):
        if alarm.shelf is not None and alarm.shelf.mode == spell.mode:
            alarm.shelf.until, alarm.shelf.warned = spell.until, False
            book.wake_at(book.alarm_due(alarm))
        elif alarm.state in ("UNACK", "ACKED") and what.mode in alarm.yields and alarm.level <= alarm.yields_to:
            give_way(book, alarm, spell, alarm.level, clock, out, actor=spell.by, hidden=0)


def _end(
    book: Casebook,
    spell: Spell,
    edge: Edge,
    partition: int,
    clock: float,
    out: list[AnyOutcome],
    cause: str,
    actor: str,
    reason: str,
) -> None:
    del book.cases.modes[spell_key(spell.mode, spell.area)]
    out.append(_change(spell, edge, partition, clock, cause, actor, reason))
    for alarm in _of(book, spell.area):
        shelf = alarm.shelf
        if shelf is None or shelf.mode != spell.mode:
            continue
        other = book.yields_to(alarm, alarm.level)
        if other is None:
            why = reason or "mode.ended"
            take_edge(book, alarm, "unsuppress", alarm.asked, clock, out, actor=actor, reason=why)
        else:
            shelf.by, shelf.reason, shelf.until, shelf.mode = other.by, other.reason, other.until, other.mode
            shelf.gateway = other.gateway
            book.wake_at(book.alarm_due(alarm))


def _of(book: Casebook, area: str) -> list[Alarm]:
    return [alarm for alarm in book.cases.alarms.values() if area in ("", alarm.area)]


def _change(spell: Spell, edge: Edge, partition: int, clock: float, cause: str, actor: str, reason: str) -> ModeChange:
    return ModeChange(
        id=f"{cause}-{partition}-{edge}-{spell.mode}-{spell.area}",
        order=spell.order,
        mode=spell.mode,
        area=spell.area,
        partition=partition,
        edge=edge,
        since=spell.since,
        until=spell.until,
        time=clock,
        actor=actor,
        reason=reason,
    )
