"""What the evaluator says: changes of conditions, and why."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from rules.events import Told
from rules.rule import Rule


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a clause as it stood: `name op threshold` with the value it had, in `unit`."""

    name: str
    value: float | None  # None is unknown
    op: str = ""
    threshold: float | None = None
    unit: str = ""
    holds: bool | None = None  # None is unknown
    low: float | None = None  # the interval about a value that is foreseen (eta), in `unit`; None: open or unknown
    high: float | None = None


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a level was raised or left, and what would clear it."""

    clause: str  # the `when` of the level that is now raised (of the level left, when none is)
    terms: tuple[Term, ...] = ()
    clear: str = ""
    clear_terms: tuple[Term, ...] = ()
    hold: float = 0.0  # seconds of `for`
    clear_after: float = 0.0  # seconds of calm that clearing needs
    points: tuple[str, ...] = ()  # the evidence
    cameras: tuple[str, ...] = ()
    events: tuple[Told, ...] = ()  # what was seen or reported
    score: float | None = None
    score_reason: str = ""  # in English
    score_reason_zh: str = ""
    foreseen: str = ""  # what the trend foresees, in English
    foreseen_zh: str = ""
    unconfirmed: tuple[str, ...] = ()  # points of the evidence that their redundant ones do not confirm
    gone: str = ""  # the source that says of itself that it has gone, where the point's silence is its word


class Change(NamedTuple):
    """A condition moved from one level to another. Ranks: 0 none, 1 blue, 2 yellow, 3 orange, 4 red.

    `before` and `after` are the same when what only simulation raised is now real; `onset` is then when that was seen.
    """

    rule: Rule
    scope: str  # the point's id, or the area's or camera's for a rule on those
    area: str
    before: int
    after: int
    onset: float  # event time since when the condition of `after` has held (since when it was calm, if lowered)
    time: float  # arrival clock
    why: Why | None
    simulated: bool
    position: int  # of the reading in the call; 0 for events and ticks


class LevelStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where one level of a rule stands: its conditions with their values, and for how long (s) `when` has held."""

    level: str
    why: Why
    held: float | None  # None: it does not hold


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rule stands at one scope: `level` is the raised one, empty for none; `time` is the scope's own clock."""

    rule: Rule
    scope: str
    area: str
    level: str
    time: float
    levels: tuple[LevelStanding, ...]


class Withdrawn(NamedTuple):
    """A raised condition whose rule is no longer in force (changed, removed, or its point is gone)."""

    rule: str
    scope: str
    area: str
    level: int
