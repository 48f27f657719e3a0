"""How long the journal keeps what: cases that are over, and what in them is about persons.

A case is an incident with its alarms and dispatches; nothing of it goes before all of it is over, and old enough.
Everything is done in small transactions, so that the engine's changes never wait for long, and may be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from alerts.policy import Policy
from alerts.redaction import redact, who, words
from alerts.tables import (
    alarms,
    attachments,
    candidates,
    counters,
    dispatch_changes,
    dispatches,
    exercises,
    handovers,
    incident_changes,
    incidents,
    modes,
    outbox,
    plans,
    reports,
    results,
    silences,
    snapshots,
    transitions,
)

DAY = 86400.0
OUTBOX_DAYS = 30.0
"""Days for which a target that was away can still be told."""

_AT_ONCE = 100
"""Cases of one transaction: some ten milliseconds."""

_REDACTED = "redacted"
"""The counter that says up to when (unix seconds) cases have been redacted."""

_TOLD = "redacted_told"
"""The counter that says up to which position what is told has been looked at."""

PERSONAL = ("actor", "reason", "people", "sheet", "by", "ended_by", "ended_why")
"""What is personal in rows that stand for themselves."""

SPELLS = ((modes, ("on",)), (silences, ("on",)), (candidates, ("open", "dropped")))
"""What lasts for a time beside the cases, and the states in which it still does."""

Told = Callable[[str, int], None]


class Kept(msgspec.Struct):
    """What a policy has done, or would do: cases removed, changes and rows redacted, reports and notices removed."""

    cases: int = 0
    redacted: int = 0
    reports: int = 0
    notices: int = 0

    def __bool__(self) -> bool:
        """Tell whether it was anything that people would want to know of."""
        return bool(self.cases or self.redacted or self.reports)


def keep(engine: Engine, policy: Policy, now: float, told: Told = lambda *_: None) -> Kept:
    """Remove and redact what is older than the policy allows at `now` (unix seconds). `told` hears how far it is."""
    kept = Kept()
    with engine.begin() as connection:
        kept.notices = connection.execute(sa.delete(outbox).where(outbox.c.time < now - OUTBOX_DAYS * DAY)).rowcount
    if policy.reports:
        with engine.begin() as connection:
            old = reports.c.received < now - policy.reports * DAY
            kept.reports = connection.execute(sa.delete(reports).where(old)).rowcount
    if policy.cases:
        for count in _prune(engine, now - policy.cases * DAY):
            kept.cases += count
            told("prune", kept.cases)
    if policy.personal:
        for count in _redact(engine, now - policy.personal * DAY):
            kept.redacted += count
            told("redact", kept.redacted)
    return kept


def look(engine: Engine, policy: Policy, now: float) -> Kept:
    """Count what `keep` would remove and redact, changing nothing: cases, and incidents with personal fields."""
    kept = Kept()
    with engine.connect() as connection:

        def count(query: sa.Select[Any]) -> int:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0)

        if policy.cases:
            kept.cases = count(_over(incidents, now - policy.cases * DAY))
        if policy.personal:
            since, before = _reached(connection), now - policy.personal * DAY
            kept.redacted = count(closed(incidents, since, before))
        if policy.reports:
            kept.reports = count(sa.select(reports.c.id).where(reports.c.received < now - policy.reports * DAY))
        kept.notices = count(sa.select(outbox.c.position).where(outbox.c.time < now - OUTBOX_DAYS * DAY))
    return kept


# Removing


def _over(table: sa.Table, before: float) -> sa.Select[Any]:
    """Select the ids of incidents, or of alarms outside any, that are over for good since before a time."""
    query = sa.select(table.c.id).where(table.c.open == sa.false(), table.c.time < before)
    if table is alarms:
        known = sa.select(incidents.c.id).where(incidents.c.id == alarms.c.incident)
        return query.where(~known.exists())
    for part in (alarms, dispatches):
        lasts = sa.select(part.c.id).where(part.c.incident == incidents.c.id)
        query = query.where(~lasts.where(sa.or_(part.c.open == sa.true(), part.c.time >= before)).exists())
    return query


def _prune(engine: Engine, before: float) -> Iterator[int]:
    """Remove what is over since before a time, a few cases a transaction; yield how many cases each took."""
    while True:
        with engine.begin() as connection:
            ids = list(connection.scalars(_over(incidents, before).limit(_AT_ONCE)))
            if not ids:
                break
            _remove(connection, dispatch_changes, "dispatch", dispatches, dispatches.c.incident.in_(ids))
            _remove_attached(connection, sa.select(alarms.c.id).where(alarms.c.incident.in_(ids)))
            _remove(connection, transitions, "alarm", alarms, alarms.c.incident.in_(ids))
            connection.execute(sa.delete(snapshots).where(snapshots.c.incident.in_(ids)))
            _remove(connection, incident_changes, "incident", incidents, incidents.c.id.in_(ids))
        yield len(ids)
    while True:
        with engine.begin() as connection:
            ids = list(connection.scalars(_over(alarms, before).limit(_AT_ONCE)))
            if not ids:
                break
            _remove_attached(connection, ids)
            _remove(connection, transitions, "alarm", alarms, alarms.c.id.in_(ids))
    while True:
        with engine.begin() as connection:
            first = connection.execute(
                sa.select(results.c.position, results.c.time).order_by(results.c.position).limit(10 * _AT_ONCE)
            ).all()
            old = [position for position, time in first if time < before]
            if not old:
                break
            connection.execute(sa.delete(results).where(results.c.position.in_(old)))
    with engine.begin() as connection:
        connection.execute(sa.delete(handovers).where(handovers.c.time < before))
        for table, lasting in SPELLS:
            connection.execute(sa.delete(table).where(table.c.state.not_in(lasting), table.c.time < before))
        used = sa.select(incidents.c.id).where(incidents.c.exercise == exercises.c.id)
        connection.execute(sa.delete(exercises).where(exercises.c.ended < before, ~used.exists()))
        kept = sa.select(incidents.c.plan).where(incidents.c.plan.is_not(None))
        connection.execute(sa.delete(plans).where(plans.c.key.not_in(kept)))


def _remove(connection: Connection, changes: sa.Table, key: str, table: sa.Table, which: Any) -> None:
    """Remove rows of a table, and the changes that made them."""
    connection.execute(sa.delete(changes).where(changes.c[key].in_(sa.select(table.c.id).where(which))))
    connection.execute(sa.delete(table).where(which))


def _remove_attached(connection: Connection, alarms: Any) -> None:
    """Forget the files that were put with alarms; `sweep` removes those that no alarm has any more."""
    connection.execute(sa.delete(attachments).where(attachments.c.alarm.in_(alarms)))


def sweep(engine: Engine, folder: Path, now: float) -> int:
    """Remove the files of a folder that no alarm has: what was redacted or removed, or never taken; return how many.

    One of the last day may be on its way into the journal.
    """
    files = [file for file in folder.glob("[0-9a-f]*.*") if file.stat().st_mtime < now - DAY]
    if not files:
        return 0
    with engine.connect() as connection:
        known = set(connection.scalars(sa.select(attachments.c.sha).distinct()))
    gone = [file for file in files if file.stem not in known]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


# Redacting


def closed(table: sa.Table, since: float, before: float) -> sa.Select[Any]:
    """Select the ids of what was over for good between two times: itself, and the incident that it belongs to."""
    inside = sa.and_(table.c.open == sa.false(), table.c.time >= since, table.c.time < before)
    if table is incidents:
        return sa.select(table.c.id).where(inside)
    lasts = sa.select(incidents.c.id).where(
        incidents.c.id == table.c.incident, sa.or_(incidents.c.open == sa.true(), incidents.c.time >= before)
    )
    last = sa.select(table.c.id).where(inside, ~lasts.exists())
    before_it = (
        sa.select(table.c.id)
        .join(incidents, incidents.c.id == table.c.incident)
        .where(incidents.c.open == sa.false(), incidents.c.time >= since, incidents.c.time < before)
        .where(table.c.open == sa.false(), table.c.time < since)
    )
    return sa.select(sa.union_all(last, before_it).subquery().c.id)


def _reached(connection: Connection, name: str = _REDACTED) -> float:
    found = connection.scalar(sa.select(counters.c.value).where(counters.c.name == name))
    return float(found or 0)


def _reach(connection: Connection, name: str, value: int) -> None:
    """Move a counter on; it never goes back."""
    if not connection.scalar(sa.select(sa.func.count()).where(counters.c.name == name)):
        connection.execute(sa.insert(counters).values(name=name, value=value))
    connection.execute(sa.update(counters).where(counters.c.name == name, counters.c.value < value).values(value=value))


def _redact(engine: Engine, before: float) -> Iterator[int]:
    """Redact what closed before a time and was not redacted yet; yield how many rows each transaction changed.

    What closes later has a later time: so it is enough to remember how far this has come.
    """
    before = float(int(before))  # what the counter can hold
    with engine.connect() as connection:
        since = _reached(connection)
    for changes, key, table, fields in (
        (transitions, "alarm", alarms, _alarm),
        (incident_changes, "incident", incidents, _incident),
        (dispatch_changes, "dispatch", dispatches, _dispatch),
    ):
        with engine.connect() as connection:
            ids = list(connection.scalars(closed(table, since, before)))
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            with engine.begin() as connection:
                count = _change(connection, table, table.c.id, table.c.id.in_(some), fields)
                count += _change(connection, changes, changes.c.position, changes.c[key].in_(some), _record)
                if table is alarms:
                    _remove_attached(connection, some)
            yield count
    with engine.connect() as connection:  # what a target that was away is told of late is told without it
        seen, last = _reached(connection, _TOLD), connection.scalar(sa.select(sa.func.max(outbox.c.position))) or 0
        told = list(connection.scalars(sa.select(outbox.c.position).where(_told_between(since, before, seen))))
    for start in range(0, len(told), _AT_ONCE):
        with engine.begin() as connection:
            which = outbox.c.position.in_(told[start : start + _AT_ONCE])
            yield _change(connection, outbox, outbox.c.position, which, _notice)
    with engine.begin() as connection:
        count = 0
        for table, id, time, fields in (
            (handovers, handovers.c.id, handovers.c.time, _whole),
            (exercises, exercises.c.id, exercises.c.ended, _whole),
        ):
            count += _change(connection, table, id, sa.and_(time >= since, time < before), fields)
        for table, lasting in SPELLS:
            over = sa.and_(table.c.state.not_in(lasting), table.c.time >= since, table.c.time < before)
            for row in connection.execute(sa.select(table).where(over)).mappings().all():
                where = [column == row[column.name] for column in table.primary_key]
                connection.execute(sa.update(table).where(*where).values(**_whole(row)))
                count += 1
        _reach(connection, _REDACTED, int(before))
        _reach(connection, _TOLD, int(last))
    yield count


def _told_between(since: float, before: float, seen: float) -> sa.ColumnElement[bool]:
    """Find what has grown old enough, or came late: a journal that caught up is told of what is old already."""
    fresh = sa.or_(outbox.c.time >= since, outbox.c.position > seen)
    return sa.and_(fresh, outbox.c.time < before, outbox.c.kind == "dispatch")


def _change(
    connection: Connection, table: sa.Table, id: Any, which: Any, fields: Callable[[Any], dict[str, Any]]
) -> int:
    """Write the rows of a table anew as `fields` gives them; return how many became others."""
    made = [(row[id.name], fields(row), row) for row in connection.execute(sa.select(table).where(which)).mappings()]
    others = [(key, new) for key, new, row in made if any(row[name] != new[name] for name in new)]
    if others:
        values = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in others[0][1]}
        told = [{"key": key, **{f"new_{name}": value for name, value in new.items()}} for key, new in others]
        connection.execute(sa.update(table).where(id == sa.bindparam("key")).values(values), told)
    return len(others)


def _record(row: Any) -> dict[str, Any]:
    return {"record": redacted(row["record"])}


def redacted(record: dict[str, Any]) -> dict[str, Any]:
    """Return a change's record without what is personal, marked so."""
    return {**redact(record), "redacted": True}


def _notice(row: Any) -> dict[str, Any]:
    """Redact an event that is told; of a silence or a mode that ends, `why` is what somebody wrote."""
    made = redact(row["payload"])
    data = (made or {}).get("data") or {}
    if data.get("edge") in ("silence_ends", "mode_ends"):
        made["data"] = {**data, "why": words(data["why"])}
    return {"payload": made}


def _alarm(row: Any) -> dict[str, Any]:
    return {
        "acknowledged_by": who(row["acknowledged_by"]),
        "assignee": who(row["assignee"]),
        "explanation": redact(row["explanation"]),
        "aside": redact(row["aside"]),
    }


def _incident(row: Any) -> dict[str, Any]:
    return {
        "acknowledged_by": who(row["acknowledged_by"]),
        "reason": words(row["reason"]),
        "ticks": redact(row["ticks"]),
    }


def _dispatch(row: Any) -> dict[str, Any]:
    return {"note": words(row["note"])}


def _whole(row: Any) -> dict[str, Any]:
    """Redact every field of a row that holds something personal."""
    made = redact(dict(row))
    return {name: made[name] for name in PERSONAL if name in made}
