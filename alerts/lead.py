"""The time that rules' warnings won: from the first alarm to the moment a point of the incident was at its limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median

import msgspec
import sqlalchemy as sa

from alerts.precision import Case
from alerts.situation.facts import reaches, said
from alerts.tables import alarms, transitions

_CHUNK = 500  # incidents asked for by one statement
_LOOKED_AT = ("alarm", "raise", "realarm")


class Lead(msgspec.Struct, frozen=True):
    """Of so many real incidents in which a limit was reached: how many it warned before, and the median of seconds."""

    of: int
    before: int
    median: float | None


def lead_times(engine: sa.Engine, found: Collection[Case], limits: Mapping[str, float]) -> dict[str, Lead]:
    """Tell how long before a limit each rule raised its alarm, by rule. `limits` are those of points, by id.

    Only incidents that were real count. A rule that raised no sooner than the limit was reached won nothing.
    """
    real = [one for one in found if one.disposition == "real"]
    at_limit = _reached(engine, sorted({one.incident for one in real}), limits)
    first: dict[tuple[str, str], float] = {}
    for one in real:
        if one.incident in at_limit:
            key = one.rule, one.incident
            first[key] = min(first.get(key, one.opened), one.opened)
    won: dict[str, list[float]] = {}
    for (rule, incident), opened in first.items():
        won.setdefault(rule, []).append(at_limit[incident] - opened)
    told = {}
    for rule, leads in won.items():
        before = [seconds for seconds in leads if seconds > 0]
        told[rule] = Lead(len(leads), len(before), median(before) if before else None)
    return told


def _reached(engine: sa.Engine, incidents: list[str], limits: Mapping[str, float]) -> dict[str, float]:
    """Find when in each incident an alarm first said that its point is at the limit, unix seconds."""
    found: dict[str, float] = {}
    with engine.connect() as connection:
        for start in range(0, len(incidents), _CHUNK):
            query = (
                sa.select(alarms.c.incident, alarms.c.scope, transitions.c.time, transitions.c.record)
                .join(transitions, transitions.c.alarm == alarms.c.id)
                .where(alarms.c.incident.in_(incidents[start : start + _CHUNK]))
                .where(said(transitions, "edge").in_(_LOOKED_AT))
            )
            for incident, scope, time, record in connection.execute(query):
                terms = (record.get("explanation") or {}).get("terms", ())
                if scope in limits and any(reaches(term, limits[scope]) for term in terms):
                    found[incident] = min(found.get(incident, time), time)
    return found
