"""A silence (静默): alarms that a matcher covers are listed as ever, and call nobody for a time."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.outcome import SilenceChange
from sensors.renames import Renames
from sensors.site import LEVELS, RANK

Row = dict[str, Any]


class Silenced(msgspec.Struct, kw_only=True):
    """One silence that lasts. Times are on the engine's arrival clock; an empty list matches anything."""

    id: str
    since: float
    until: float
    by: str
    reason: str
    rank: int  # what is worse rings
    areas: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()  # points, or what else a rule watches
    rules: tuple[str, ...] = ()
    warned: bool = False

    def covers(self, rule: str, scope: str, area: str, rank: int) -> bool:
        """Tell whether an alarm of a rule and scope is silent at a rank."""
        return (
            rank <= self.rank
            and (not self.areas or area in self.areas)
            and (not self.scopes or scope in self.scopes)
            and (not self.rules or rule in self.rules)
        )

    def rename(self, renames: Renames) -> None:
        """Go on under the ids of now."""
        self.areas = tuple(renames.area(area) for area in self.areas)
        self.scopes = tuple(renames.scope(scope) for scope in self.scopes)


def changed(
    one: Silenced, edge: Any, partition: int, cause: str, clock: float, actor: str, reason: str
) -> SilenceChange:
    """Make the record of a change of a silence; `cause` is the order that it follows from."""
    return SilenceChange(
        id=f"{cause}-{partition}-{edge}",
        silence=one.id,
        partition=partition,
        edge=edge,
        since=one.since,
        until=one.until,
        level=LEVELS[one.rank - 1] if one.rank else "",
        areas=one.areas,
        scopes=one.scopes,
        rules=one.rules,
        time=clock,
        actor=actor,
        reason=reason,
    )


def rank_of(level: str) -> int:
    """Return a level's rank, 0 of what is none."""
    return RANK.get(level, 0)


def fold_silence(row: Row | None, change: SilenceChange) -> Row:
    """Bring the journal's row of a silence up to date with a change; without a row make it."""
    if row is None or change.edge == "began":
        row = {
            "id": change.silence,
            "partition": change.partition,
            "state": "on",
            "since": change.since,
            "level": change.level,
            "areas": list(change.areas),
            "scopes": list(change.scopes),
            "rules": list(change.rules),
            "by": change.actor,
            "reason": change.reason,
            "ended_by": "",
            "ended_why": "",
        }
    row |= {"until": change.until, "time": change.time}
    if change.edge in ("ended", "over"):
        row |= {"state": change.edge, "ended_by": change.actor, "ended_why": change.reason}
    return row
