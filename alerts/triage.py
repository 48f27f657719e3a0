"""Triage: how likely open alarms are to be real, by a model of the verdicts that people gave. It only adds a number.

No alarm is hidden, lowered or delayed by it: neither the engine nor the desk knows it, the console fills it in.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from alerts.queries import Reader
from alerts.tables import alarms, incidents, transitions
from alerts.triage_folder import FOLDER, PROMOTED, TriageStoreError, in_force
from models.area.store import StoreError
from models.triage.case import Case, Verdict
from models.triage.drift import Since, judge
from models.triage.reasons import reasons
from models.triage.store import Stored, decode
from sensors.site import RANK

logger = logging.getLogger(__name__)

BESIDE, DOUBTFUL, REPEATED = 1800.0, 3600.0, 86400.0
"""Seconds before an alarm in which others beside it, doubts of the data, and the same alarm count."""
MOST_VERDICTS, MOST_AROUND = 20_000, 200_000
MOST_ASKED = 2000
_CHUNK = 500
_VERDICTS = {"real": True, "nuisance": False}
Row = dict[str, Any]


class _Opening(NamedTuple):
    """An alarm's opening, and the alarm's number in the journal."""

    id: str
    opened: float
    rule: str
    scope: str
    area: str
    kind: str
    level: str
    explanation: Row


def verdicts(reader: Reader, types: Mapping[str, str], since: float = 0.0) -> list[Verdict]:
    """Read what people found alarms to be: of closed incidents, the latest 20 000, what was simulated left out.

    `types` are the areas' types; incidents closed from `since` on (unix s). Tests and duplicates say nothing of an
    alarm's like.
    """
    query = (
        sa.select(incidents.c.id, incidents.c.alarms, incidents.c.disposition, incidents.c.time)
        .where(incidents.c.open.is_(False), incidents.c.simulated.is_(False))
        .where(incidents.c.disposition.in_(tuple(_VERDICTS)))
        .where(incidents.c.time >= since)
        .order_by(incidents.c.number.desc())
        .limit(MOST_VERDICTS)
    )
    with reader.engine.connect() as connection:
        found = connection.execute(query).all()
    judged = {
        id: (_VERDICTS[row.disposition], float(row.time), 1.0 / len(row.alarms), row.id)
        for row in found
        for id in row.alarms
    }
    openings = _openings(reader, judged)
    cases = _cases(openings, _around(reader, openings), types)
    return [Verdict(case, *judged[opening.id]) for opening, case in zip(openings, cases, strict=True)]


def come_true(reader: Reader, types: Mapping[str, str], stored: Stored) -> Since:
    """Hold a model against the verdicts on alarms that opened after all it learnt from."""
    later = [one for one in verdicts(reader, types, stored.facts.end) if one.case.opened > stored.facts.end]
    return judge(later, [stored.model.odds(one.case) for one in later])


def _openings(reader: Reader, ids: Iterable[str]) -> list[_Opening]:
    """Read how alarms opened: what came later is not for a model that tells early."""
    wanted = list(ids)
    found = []
    with reader.engine.connect() as connection:
        for start in range(0, len(wanted), _CHUNK):
            part = wanted[start : start + _CHUNK]
            first = (
                sa.select(sa.func.min(transitions.c.position))
                .where(transitions.c.alarm.in_(part))
                .group_by(transitions.c.alarm)
            )
            for row in connection.execute(sa.select(transitions.c.record).where(transitions.c.position.in_(first))):
                record = row.record
                if record.get("simulated"):
                    continue
                found.append(
                    _Opening(
                        record["alarm"],
                        float(record.get("time", 0.0)),
                        record["rule"],
                        record["scope"],
                        record["area"],
                        record["kind"],
                        record["level"],
                        record.get("explanation") or {},
                    )
                )
    return found


def _around(reader: Reader, openings: Sequence[_Opening]) -> dict[str, list[tuple[float, str, str, str]]]:
    """Read the alarms of the same areas, from a day before the first: when each opened, its rule, scope and kind."""
    found: dict[str, list[tuple[float, str, str, str]]] = {}
    if not openings:
        return found
    since = min(one.opened for one in openings) - REPEATED
    until = max(one.opened for one in openings)
    columns = (alarms.c.area, alarms.c.opened, alarms.c.rule, alarms.c.scope, alarms.c.kind)
    query = (
        sa.select(*columns)
        .where(alarms.c.opened >= since, alarms.c.opened <= until, alarms.c.simulated.is_(False))
        .order_by(alarms.c.opened.desc())
        .limit(MOST_AROUND)
    )
    with reader.engine.connect() as connection:
        for row in connection.execute(query):
            found.setdefault(row.area, []).append((row.opened, row.rule, row.scope, row.kind))
    for rows in found.values():
        rows.sort()
    return found


def _cases(
    openings: Sequence[_Opening], around: Mapping[str, list[tuple[float, str, str, str]]], types: Mapping[str, str]
) -> list[Case]:
    found = []
    for one in openings:
        rows = around.get(one.area, [])
        end = bisect_left(rows, (one.opened,))
        before = rows[bisect_left(rows, (one.opened - REPEATED,)) : end]
        events = one.explanation.get("events") or ()
        reports = sum(bool(event.get("report")) for event in events)
        found.append(
            Case(
                opened=one.opened,
                rule=one.rule,
                scope=one.scope,
                area=one.area,
                type=types.get(one.area, ""),
                level=RANK.get(one.level, 0),
                quality=one.kind == "data_quality",
                score=one.explanation.get("score"),
                events=len(events) - reports,
                reports=reports,
                points=len(one.explanation.get("points") or ()),
                beside=sum(row[0] >= one.opened - BESIDE for row in before),
                repeats=sum((row[1], row[2]) == (one.rule, one.scope) for row in before),
                doubtful=any(row[0] >= one.opened - DOUBTFUL and row[3] == "data_quality" for row in before),
            )
        )
    return found


def likeliest(told: Iterable[Row]) -> float | None:
    """Give the highest `odds` that were told; None where none were."""
    return max((row["odds"] for row in told if row["odds"] is not None), default=None)


class Triage:
    """Give open alarms their odds by the model in force: that of the publication that is followed.

    Where no publication ever said one, it is the folder's, read anew when another was promoted.
    """

    def __init__(self, data: Path, packed: bytes | None = None) -> None:
        self._data = data
        self._mark: tuple[int, int] | None = None
        self._stored: Stored | None = None
        self._published = False
        self.take(packed)

    def take(self, packed: bytes | None) -> None:
        """Go by what a publication says from now on: a model, empty for none, None where it says nothing of it."""
        stored = None
        try:
            stored = decode(packed) if packed else None
        except StoreError as error:
            logger.warning("no odds are told: %s", error)
        self._stored, self._published, self._mark = stored, packed is not None, None

    def stored(self) -> Stored | None:
        """Give the model in force; None without one, or where it cannot be read."""
        if self._published:
            return self._stored
        try:
            status = (self._data / FOLDER / PROMOTED).stat()
            mark = (status.st_mtime_ns, status.st_size)
        except OSError:
            mark = None
        if mark != self._mark:
            try:
                self._stored = in_force(self._data) if mark is not None else None
            except TriageStoreError as error:
                logger.warning("no odds are told: %s", error)
                self._stored = None
            self._mark = mark
        return self._stored

    def add(self, reader: Reader, rows: Sequence[Row], types: Mapping[str, str]) -> None:
        """Fill in `odds` of alarms (0..1) and `odds_reason` while one is open; None otherwise, or without a model."""
        stored = self.stored()
        for row in rows:
            row["odds"], row["odds_reason"] = None, None
        asked = {row["id"]: row for row in rows if row["state"] != "NORM" and not row["simulated"]}
        if stored is None or not asked:
            return
        openings = _openings(reader, asked)
        for opening, case in zip(openings, _cases(openings, _around(reader, openings), types), strict=True):
            english, chinese = reasons(stored.model, case)
            asked[opening.id] |= {"odds": stored.model.odds(case), "odds_reason": {"en": english, "zh": chinese}}

    def add_to_incidents(self, reader: Reader, rows: Sequence[Row], types: Mapping[str, str]) -> None:
        """Fill in `odds` of incidents: those of the open alarm that is likeliest to be real, as `add` tells them.

        Of a flood's alarms the first `MOST_ASKED` are looked at; an incident of which none was has None.
        """
        for row in rows:
            row["odds"] = None
        holders = {alarm: row for row in rows if row["state"] != "closed" for alarm in row["alarms"]}
        wanted = list(holders)[:MOST_ASKED]
        if self.stored() is None or not wanted:
            return
        query = sa.select(alarms.c.id, alarms.c.state, alarms.c.simulated)
        found: list[Row] = []
        with reader.engine.connect() as connection:
            for start in range(0, len(wanted), _CHUNK):
                part = wanted[start : start + _CHUNK]
                found += [dict(row._mapping) for row in connection.execute(query.where(alarms.c.id.in_(part)))]
        self.add(reader, found, types)
        for one in found:
            row = holders[one["id"]]
            row["odds"] = likeliest((row, one))
