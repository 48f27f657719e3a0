"""What is known of an alarm when it opens, as the numbers that a triage model weighs."""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, log, log1p, log10, pi, sin
from typing import NamedTuple

KEYS = ("rule", "scope", "area", "type")
"""Of what it is remembered how often it was real: how many of its alarms were, and how many were a nuisance."""

NAMES = (
    *(f"{key} was real before" for key in KEYS),
    "level", "data quality", "score", "score known", "events", "reports", "points", "other alarms of the area",
    "repeats", "data quality in doubt", "hour (sine)", "hour (cosine)",
)  # fmt: skip
"""Names of the numbers of `vector`, in order."""

MOST_KEYS = 20_000
"""Keys remembered of each kind; beyond, new ones are not."""

LONGEST_KEY = 500
"""Characters of a key that tell it apart: the store takes no longer ones."""


class Case(NamedTuple):
    """An alarm as it stood when it opened; `opened` is unix seconds."""

    opened: float
    rule: str
    scope: str
    area: str
    type: str  # of the area
    level: int  # 1 blue to 4 red
    quality: bool  # its rule is of the kind data_quality
    score: float | None  # what the models said, 0..1
    events: int  # camera events among the evidence
    reports: int  # people's reports among it
    points: int  # points among it
    beside: int  # other alarms that opened in the area in the half-hour before
    repeats: int  # alarms of the same rule and scope in the day before
    doubtful: bool  # an alarm of data quality opened in the area in the hour before


class Verdict(NamedTuple):
    """What people found an alarm to be, once its incident was closed (unix s); `weight` 1 shared by an incident's."""

    case: Case
    real: bool
    closed: float
    weight: float = 1.0
    incident: str = ""  # its id; without one, those closed at the same second are one


Tallies = dict[str, dict[str, tuple[float, float]]]
"""By kind of key: key → alarms that were real, and those that were a nuisance."""


def key_of(case: Case, kind: str) -> str:
    """Return what a case is remembered by, of the kinds `KEYS`."""
    key: str = getattr(case, kind)
    return key[:LONGEST_KEY]


def tally(tallies: Tallies, verdict: Verdict) -> None:
    """Remember a verdict."""
    for kind in KEYS:
        known = tallies.setdefault(kind, {})
        key = key_of(verdict.case, kind)
        if key in known or len(known) < MOST_KEYS:
            real, nuisance = known.get(key, (0.0, 0.0))
            share = verdict.weight
            known[key] = (real + share, nuisance) if verdict.real else (real, nuisance + share)


def tallied(verdicts: Iterable[Verdict]) -> Tallies:
    """Remember verdicts."""
    found: Tallies = {kind: {} for kind in KEYS}
    for verdict in verdicts:
        tally(found, verdict)
    return found


def vector(case: Case, tallies: Tallies) -> list[float]:
    """Write a case as numbers, each of the size of one."""
    past = []
    for kind in KEYS:
        real, nuisance = tallies.get(kind, {}).get(key_of(case, kind), (0.0, 0.0))
        past.append(log((real + 1.0) / (nuisance + 1.0)))
    hour = case.opened % 86400.0 / 86400.0 * 2.0 * pi
    known = case.score is not None and 0.0 <= case.score <= 1.0
    rarity = min(-log10(max(1.0 - (case.score or 0.0), 1e-6)), 6.0) if known else 0.0
    counts = (case.events, case.reports, case.points, case.beside, case.repeats)
    events, reports, points, beside, repeats = (log1p(max(count, 0)) for count in counts)
    return [
        *past, float(case.level), float(case.quality), rarity, float(known), events, reports, points, beside, repeats,
        float(case.doubtful), sin(hour), cos(hour),
    ]  # fmt: skip
