"""What closed incidents say of the rules: how often each was right, what it missed, and when and where it annoyed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from alerts.tables import alarms, incidents

DISPOSITIONS = ("real", "nuisance", "test", "duplicate")


class Share(msgspec.Struct, frozen=True):
    """A share of so many, with its 95 % interval; all None of none."""

    of: int
    value: float | None
    low: float | None
    high: float | None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm of a rule in an incident that was judged. Times are unix seconds."""

    alarm: str
    incident: str
    rule: str
    scope: str
    area: str
    level: str
    onset: float
    opened: float
    disposition: str


class Place(msgspec.Struct, frozen=True):
    """How often a rule was right and wrong at one point, area or camera."""

    scope: str
    real: int
    nuisance: int


class Precision(msgspec.Struct, frozen=True, kw_only=True):
    """How a rule fared. A test or a duplicate is neither right nor wrong.

    Precision is the share of its alarms that were real. Recall is the share of the real incidents, in the areas that it
    looks at, in which it raised an alarm: what nobody and no other rule noticed is in neither. `by_hour` counts
    nuisances by hour of the site's day, `places` where they were, the worst first.
    """

    rule: str
    counts: dict[str, int]
    precision: Share
    recall: Share
    by_hour: tuple[int, ...]
    places: tuple[Place, ...]


def wilson(hits: int, of: int) -> Share:
    """Give a share with its 95 % interval (Wilson, 1927), which holds with few cases and at none or all."""
    from scipy.stats import binomtest  # here: it takes as long to load as all the rest

    if not of:
        return Share(0, None, None, None)
    interval = binomtest(hits, of).proportion_ci(0.95, method="wilson")
    return Share(of, hits / of, float(interval.low), float(interval.high))


def cases(engine: sa.Engine, since: float = 0.0) -> list[Case]:
    """List the alarms of incidents that were closed with a disposition since a time, oldest first; not simulated ones.

    An alarm's own time is when it was first raised.
    """
    with engine.connect() as connection:
        found = connection.execute(
            sa.select(alarms, incidents.c.disposition)
            .join(incidents, incidents.c.id == alarms.c.incident)
            .where(
                incidents.c.disposition.in_(DISPOSITIONS),
                incidents.c.simulated == sa.false(),
                incidents.c.opened >= since,
                incidents.c.time >= since,  # as it follows; by this they are found
            )
        ).mappings()
        rows = sorted(found, key=lambda row: int(row["number"]))  # SQLite would walk all alarms to have them in order
        return [
            Case(
                alarm=row["id"],
                incident=row["incident"],
                rule=row["rule"],
                scope=row["scope"],
                area=row["area"],
                level=row["level"],
                onset=row["onset"],
                opened=row["opened"],
                disposition=row["disposition"],
            )
            for row in rows
        ]


def precision(
    found: Collection[Case], zone: str, covers: Mapping[str, Collection[str]] | None = None
) -> list[Precision]:
    """Work out how each rule fared, by rule. `covers` names the areas that each looks at, by default where it raised.

    An incident counts once for a rule at a scope, however often it rang there.
    """
    place = ZoneInfo(zone)
    of_rule: dict[str, dict[tuple[str, str], Case]] = defaultdict(dict)
    real: dict[str, str] = {}  # incident → area
    for one in found:
        of_rule[one.rule].setdefault((one.incident, one.scope), one)
        if one.disposition == "real":
            real[one.incident] = one.area
    told = []
    for rule in sorted({*of_rule, *(covers or {})}):
        mine = list(of_rule[rule].values())
        counts = Counter(one.disposition for one in mine)
        where = set(covers[rule]) if covers is not None and rule in covers else {one.area for one in mine}
        caught = {one.incident for one in mine if one.disposition == "real"}
        asked = {incident for incident, area in real.items() if area in where} | caught
        hours = Counter(datetime.fromtimestamp(one.opened, place).hour for one in mine if one.disposition == "nuisance")
        by_scope: dict[str, Counter[str]] = defaultdict(Counter)
        for one in mine:
            by_scope[one.scope][one.disposition] += 1
        places = [Place(scope, count["real"], count["nuisance"]) for scope, count in by_scope.items()]
        told.append(
            Precision(
                rule=rule,
                counts={name: counts[name] for name in DISPOSITIONS},
                precision=wilson(counts["real"], counts["real"] + counts["nuisance"]),
                recall=wilson(len(caught), len(asked)),
                by_hour=tuple(hours[hour] for hour in range(24)),
                places=tuple(sorted(places, key=lambda one: (-one.nuisance, one.scope))),
            )
        )
    return told
