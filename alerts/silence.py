"""Silences: they pause notification and escalation of what they cover, never its recovery, and hide no worsening.

A silence names areas, points (or what else rules watch) or rules, the worst level that it covers, a reason and an end.
Alarms that it covers ring, return and are listed as ever, marked as silenced: they send nobody, nobody is reminded of
them, and orders of incidents in which all is silent do not go up for want of an answer. One that rises above the level
at which it fell silent calls at once, and when the silence ends so does each that is still active.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import msgspec

from alerts import ending_soon
from alerts.alarm import Alarm, Note
from alerts.casebook import Casebook, bound
from alerts.dispatch import Dispatch
from alerts.grouping import note_member, settle, standing
from alerts.hush import Silenced, changed, rank_of
from alerts.incident import Incident, all_silent
from alerts.outcome import AnyOutcome, CommandResult
from alerts.sending import ENGINE
from alerts.suppression import LEEWAY
from sensors.observation import Silence
from sensors.site import RANK

MOST = 1000
"""Silences that last at once in one partition."""

MOST_NAMED = 200
"""Areas, points or rules that one silence names."""

WORST = RANK["orange"]
"""The worst level that can be silenced."""


def order(
    book: Casebook, what: Silence, areas: Collection[str], partition: int, clock: float, out: list[AnyOutcome]
) -> None:
    """Begin, prolong, shorten or end a silence, where it may cover an area of this partition. A repeat does nothing."""
    known = book.cases.silences.get(what.of)
    mine = known is not None if what.of else not what.areas or any(area in areas for area in what.areas)
    if not mine or what.id in book.cases.answered:
        return
    bound(book.cases.answered, book.settings.remember)
    book.cases.answered[what.id] = True
    why = _refusal(book, what, clock)
    if why:
        pass
    elif known is not None and not what.until:
        _end(book, known, "ended", partition, what.id, clock, out, what.actor, what.reason)
    elif known is not None:
        known.until, known.warned = what.until, False
        out.append(changed(known, "changed", partition, what.id, clock, what.actor, what.reason))
    else:
        _begin(book, what, partition, clock, out)
    out.append(CommandResult(id=what.id, ok=not why, target=(what.of or what.id)[:64], reason=why, time=clock))
    book.wake_at(next_due(book))


def lapse(book: Casebook, partition: int, clock: float, out: list[AnyOutcome]) -> None:
    """Say which silences end soon, and end those whose time has come."""
    for one in list(book.cases.silences.values()):
        if one.until <= clock:
            _end(book, one, "over", partition, one.id, clock, out, ENGINE, "silence.over")
        elif not one.warned and _warn_at(book, one) <= clock:
            one.warned = True
            cause = f"{one.id}-{clock:.3f}"
            told = changed(one, "warned", partition, cause, clock, ENGINE, "silence.ends")
            out.append(msgspec.structs.replace(told, event=ending_soon.of_silence(book, one, clock)))
            for alarm in _under(book, one):
                if alarm.state in ("UNACK", "ACKED"):
                    _note(book, alarm, "warn", clock, out, ENGINE, "silence.ends")


def next_due(book: Casebook) -> float:
    """Return when the clock next has something to say of a silence; infinite when none lasts."""
    silences = book.cases.silences.values()
    return min((one.until if one.warned else _warn_at(book, one) for one in silences), default=math.inf)


def hold(book: Casebook, case: Dispatch | Incident) -> bool:
    """Put off what is due of an incident or its dispatch while all of it is silent; tell whether that is so."""
    incident = case if isinstance(case, Incident) else book.cases.incidents.get(case.incident)
    if incident is None or not all_silent(incident):
        return False
    covering = (book.cases.alarms[id].silence for id, member in incident.members.items() if member.rank)
    case.remind_at = min(book.cases.silences[id].until for id in covering)
    incident.held = True
    return True


def _warn_at(book: Casebook, one: Silenced) -> float:
    return max(one.until - book.settings.shelf_warning, (one.since + one.until) / 2)


def _refusal(book: Casebook, what: Silence, clock: float) -> str:
    """Say why an order is refused, as a key of `alerts.messages`; empty when it is not."""
    if what.of and not what.until:
        return ""
    named = (what.areas, what.scopes, what.rules)
    rank = rank_of(what.level)
    if not what.reason.strip():
        return "reason_needed"
    if len(what.reason) > book.settings.longest_text or len(what.actor) > 256:
        return "too_long"
    if not what.until > clock:
        return "silence.past"
    if not what.until - clock <= book.settings.silence_longest + LEEWAY:
        return "silence.too_long"
    if what.of:
        return ""
    if not any(named):
        return "silence.too_wide"
    if not rank:
        return "bad_argument"
    if rank > WORST:
        return "silence.red"
    if any(len(names) > MOST_NAMED or any(len(name) > 128 for name in names) for names in named):
        return "too_many"
    return "too_many" if len(book.cases.silences) >= MOST else ""


def _begin(book: Casebook, what: Silence, partition: int, clock: float, out: list[AnyOutcome]) -> None:
    one = book.cases.silences[what.id] = Silenced(
        id=what.id,
        since=clock,
        until=what.until,
        by=what.actor,
        reason=what.reason.strip(),
        rank=rank_of(what.level),
        areas=what.areas,
        scopes=what.scopes,
        rules=what.rules,
    )
    out.append(changed(one, "began", partition, one.id, clock, one.by, one.reason))
    for alarm in book.cases.alarms.values():
        if not alarm.silence and one.covers(alarm.rule, alarm.scope, alarm.area, alarm.level):
            alarm.silence, alarm.quiet = one.id, alarm.level
            _note(book, alarm, "hush", clock, out, one.by, one.reason)


def _end(
    book: Casebook,
    one: Silenced,
    edge: str,
    partition: int,
    cause: str,
    clock: float,
    out: list[AnyOutcome],
    actor: str,
    reason: str,
) -> None:
    del book.cases.silences[one.id]
    out.append(changed(one, edge, partition, cause, clock, actor, reason))
    for alarm in _under(book, one):
        other = book.silence_of(alarm.rule, alarm.scope, alarm.area, alarm.quiet)
        if other is not None:
            alarm.silence = other.id
            continue
        alarm.silence, alarm.quiet = "", 0
        incident = book.cases.incidents.get(alarm.incident)
        was = standing(incident) if incident is not None else None
        _note(book, alarm, "unhush", clock, out, actor, reason)
        if incident is not None and was is not None:
            demand = alarm.level if alarm.state == "UNACK" else 0
            settle(
                book,
                incident,
                was,
                clock,
                out,
                actor=actor,
                reason=reason,
                demand=demand,
                area=alarm.area,
                device=alarm.scope,
            )


def _under(book: Casebook, one: Silenced) -> list[Alarm]:
    return [alarm for alarm in book.cases.alarms.values() if alarm.silence == one.id]


def _note(
    book: Casebook, alarm: Alarm, note: Note, clock: float, out: list[AnyOutcome], actor: str, reason: str
) -> None:
    out.append(book.alarm_record(alarm, note, alarm.state, clock, actor=actor, reason=reason))
    incident = book.cases.incidents.get(alarm.incident)
    if incident is not None:
        note_member(book, incident, alarm)
