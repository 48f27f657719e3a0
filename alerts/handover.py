"""The handover sheet: what one turn of duty leaves to the next, made from the journal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from alerts.load import Load
from alerts.queries import MAX_PAGE, Reader
from alerts.tables import alarms, dispatches, incident_changes, incidents
from sensors.site import RANK

Row = dict[str, Any]

MOST = 60
"""Lines of one part of a sheet; how many more there are is said."""

SOON = 3600.0
"""Seconds before their end from which silences and modes of the site are said to end soon."""


def sheet(reader: Reader, now: float, since: float) -> Row:
    """Gather what is to be handed over at `now`, of a turn that began at `since` (unix seconds).

    open: incidents not closed, the highest level first, with the steps of their plan that are done. outside: risk
    alarms that are active though their incident was closed. overdue: dispatches that are late. shelved: alarms that are
    set aside, with the time they come back. silences and modes: what calls nobody, and how the site is run, what ends
    first leading, with whether it ends `soon`. degraded: open alarms about the quality of data. floods and load: of the
    turn. comments: those of the turn, the newest first. What is of an exercise is left out.
    """
    with reader.engine.connect() as connection:

        def rows(query: Any) -> list[Row]:
            return [dict(row) for row in connection.execute(query).mappings()]

        risks = sa.select(incidents).where(incidents.c.open == sa.true(), incidents.c.kind == "risk")
        opened = rows(risks.where(incidents.c.exercise.is_(None)))
        cases = alarms.outerjoin(incidents, incidents.c.id == alarms.c.incident)
        outlived = rows(
            sa.select(alarms)
            .select_from(cases)
            .where(alarms.c.open == sa.true(), alarms.c.kind == "risk", alarms.c.exercise.is_(None))
            .where(alarms.c.state.in_(("UNACK", "ACKED", "RTNUN")), incidents.c.open.is_not(sa.true()))
            .order_by(alarms.c.onset)
        )
        late = rows(
            sa.select(dispatches)
            .join(incidents, incidents.c.id == dispatches.c.incident)
            .where(dispatches.c.open == sa.true(), dispatches.c.overdue == sa.true(), incidents.c.exercise.is_(None))
            .order_by(dispatches.c.deadline)
        )
        poor = rows(
            sa.select(alarms)
            .where(alarms.c.open == sa.true(), alarms.c.kind == "data_quality", alarms.c.exercise.is_(None))
            .order_by(alarms.c.onset)
        )
        said = rows(
            sa.select(incident_changes.c.record, incident_changes.c.time)
            .where(incident_changes.c.time >= since)
            .order_by(incident_changes.c.time.desc(), incident_changes.c.position.desc())  # as the index has them
            .limit(20_000)
        )
    opened.sort(key=lambda one: (-RANK[one["level"]], one["opened"]))
    load = Load()
    load.note(reader.transitions(since))
    whole = load.whole()
    shelved = [one for one in reader.set_aside(limit=MAX_PAGE) if not one["exercise"]]
    told = [one["record"] for one in said if not one["record"].get("exercise")]
    comments = [one for one in told if one["edge"] == "commented"]
    closed = [one for one in told if one["edge"] == "closed"]
    return {
        "time": now,
        "since": since,
        "open": _cut(opened, _incident),
        "outside": _cut(sorted(outlived, key=lambda one: -RANK[one["level"]]), _alarm),
        "overdue": _cut(late, _dispatch),
        "shelved": _cut(shelved, _aside),
        "silences": _cut([_soon(one, now) for one in reader.silences()], _silence),
        "modes": _cut([_soon(one, now) for one in sorted(reader.modes(), key=lambda one: one["until"])], _mode),
        "degraded": _cut(poor, _alarm),
        "comments": _cut(comments, _comment),
        "closed": len(closed),
        "load": {
            "rings": whole.rings,
            "peak": whole.peak,
            "floods": whole.floods,
            "flood_minutes": whole.flood_minutes,
        },
    }


def _cut(rows: list[Row], shape: Any) -> Row:
    return {"items": [shape(row) for row in rows[:MOST]], "more": max(len(rows) - MOST, 0)}


def _incident(row: Row) -> Row:
    kept = ("id", "area", "level", "state", "title", "opened", "acknowledged_by", "simulated")
    return {**{name: row[name] for name in kept}, "steps_done": len(row["ticks"] or {})}


def _dispatch(row: Row) -> Row:
    return {name: row[name] for name in ("id", "incident", "area", "unit", "leg", "level", "deadline", "simulated")}


def _aside(row: Row) -> Row:
    aside = row["aside"] or {}
    return {
        **{name: row[name] for name in ("id", "area", "scope", "state", "level", "rule_title", "simulated")},
        **{name: aside.get(name) for name in ("by", "reason", "until", "hidden")},
    }


def _soon(row: Row, now: float) -> Row:
    return {**row, "soon": row["until"] - now < SOON}


def _silence(row: Row) -> Row:
    kept = ("id", "level", "areas", "scopes", "rules", "since", "until", "by", "reason", "soon")
    return {name: row[name] for name in kept}


def _mode(row: Row) -> Row:
    return {name: row[name] for name in ("order", "mode", "area", "since", "until", "by", "reason", "soon")}


def _alarm(row: Row) -> Row:
    return {name: row[name] for name in ("id", "area", "scope", "level", "state", "title", "onset", "simulated")}


def _comment(record: Row) -> Row:
    text = str(record.get("args", {}).get("text") or record.get("reason") or "")
    kept = {name: record[name] for name in ("incident", "area", "time")}
    return {**kept, "actor": record.get("actor", ""), "text": text[:500]}
