"""Spells: from the transitions of alarms, and the changes of dispatches, to stretches of time that can be compared."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from alerts.outcome import AlarmTransition, DispatchChange, Kind
from sensors.site import RANK

ENDED = ("NORM", "RTNUN")
ASIDE = ("SHLVD", "DSUPR", "OOSRV")
OVER = ("closed", "refused")


class Spell(msgspec.Struct, kw_only=True):
    """One time for which the alarm of a rule and scope was active, also while it was set aside. Times are unix seconds.

    `raised` is when the engine knew, `onset` when the condition began; `end` is None while it lasts.
    """

    alarm: str
    rule: str
    scope: str
    area: str
    kind: Kind
    simulated: bool
    raised: float
    onset: float
    level: str  # the highest
    end: float | None = None
    reached: dict[str, float] = {}  # level → when it was first at that level or above
    points: list[str] = []  # the scope, if it is a point, and the evidence
    at: int = 0  # offset at which it was raised

    @property
    def key(self) -> tuple[str, str, bool]:
        """Name what two spells must share to be of the same thing."""
        return self.rule, self.scope, self.simulated

    @property
    def begun(self) -> float:
        """Tell when it began."""
        return self.raised


class Sending(msgspec.Struct, kw_only=True):
    """One dispatch: when it was issued, to whom, and when it was over (unix seconds; None while it is open)."""

    dispatch: str
    area: str
    unit: str
    simulated: bool
    issued: float
    level: str
    end: float | None = None
    at: int = 0

    @property
    def key(self) -> tuple[str, str, bool]:
        """Name what two dispatches must share to be of the same thing."""
        return self.area, self.unit, self.simulated

    @property
    def begun(self) -> float:
        """Tell when it began."""
        return self.issued


def spells(transitions: Iterable[AlarmTransition], at: Iterable[int]) -> list[Spell]:
    """Put transitions, in order, together to spells; `at` is the offset at which each was decided."""
    found: list[Spell] = []
    active: dict[str, Spell] = {}
    for one, offset in zip(transitions, at, strict=True):
        spell = active.get(one.alarm)
        if one.after in ENDED:
            if spell is not None:
                spell.end = one.time
                del active[one.alarm]
            continue
        if spell is None and one.after in ASIDE and one.before in ENDED:  # set aside while it is calm
            continue
        if spell is None:
            spell = Spell(
                alarm=one.alarm,
                rule=one.rule,
                scope=one.scope,
                area=one.area,
                kind=one.kind,
                simulated=one.simulated,
                raised=one.time,
                onset=one.onset,
                level=one.level,
                at=offset,
            )
            active[one.alarm] = spell
            found.append(spell)
        for level, rank in RANK.items():
            if 0 < rank <= RANK[one.level]:
                spell.reached.setdefault(level, one.time)
        if RANK[one.level] > RANK[spell.level]:
            spell.level = one.level
        if one.explanation is not None:
            spell.points += [point for point in one.explanation.points if point not in spell.points]
    return found


def sendings(changes: Iterable[DispatchChange], at: Iterable[int]) -> list[Sending]:
    """Put changes of dispatches, in order, together; `at` is the offset at which each was decided."""
    found: dict[str, Sending] = {}
    for one, offset in zip(changes, at, strict=True):
        known = found.get(one.dispatch)
        if known is None:
            known = found[one.dispatch] = Sending(
                dispatch=one.dispatch,
                area=one.area,
                unit=one.unit,
                simulated=one.simulated,
                issued=one.time,
                level=one.level,
                at=offset,
            )
        if RANK[one.level] > RANK[known.level]:
            known.level = one.level
        if one.leg in OVER and known.end is None:
            known.end = one.time
    return list(found.values())
