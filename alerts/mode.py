"""A mode of the site: a way in which an area is run for a time, such as maintenance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from alerts.outcome import ModeChange

Row = dict[str, Any]


class Spell(msgspec.Struct, kw_only=True):
    """One mode in one area, or in the whole site (`area` empty). Times are on the engine's arrival clock."""

    order: str  # the id of the observation that began it
    mode: str
    area: str
    since: float
    until: float
    by: str
    reason: str
    gateway: str = ""  # it is no mode: this gateway is gone
    warned: bool = False  # that it soon ends


class Down(msgspec.Struct, kw_only=True):
    """A gateway that is gone, or was until just now. Times are on the engine's arrival clock."""

    gateway: str
    since: float
    simulated: bool = False
    until: float | None = None  # once it is back: until when its points have time to be heard of


def spell_key(mode: str, area: str) -> str:
    """Key of a spell: there is one of a mode in an area."""
    return f"{mode}\0{area}"


def governing(spells: Iterable[Spell], modes: tuple[str, ...], area: str) -> Spell | None:
    """Return the spell of one of `modes` that lasts longest in an area; None when there is none."""
    found = [spell for spell in spells if spell.mode in modes and spell.area in ("", area)]
    return max(found, key=lambda spell: (spell.until, spell.mode, spell.area), default=None)


def begun_mode(change: ModeChange) -> Row:
    """Make the journal's row of a spell that it does not know yet."""
    return {
        "order": change.order,
        "area": change.area,
        "partition": change.partition,
        "mode": change.mode,
        "state": "on",
        "since": change.since,
        "until": change.until,
        "by": "",
        "reason": "",
        "time": change.time,
        "ended_by": "",
        "ended_why": "",
    }


def fold_mode(row: Row, change: ModeChange) -> None:
    """Bring the row of a spell up to date with a change."""
    row["time"] = change.time
    if change.edge == "warned":
        return
    if change.edge == "began":
        row |= {"state": "on", "by": change.actor, "reason": change.reason, "until": change.until}
    else:
        row |= {"state": change.edge, "ended_by": change.actor, "ended_why": change.reason}
        if not row["by"]:
            row["by"] = change.actor
