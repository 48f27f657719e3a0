"""One person in the journal: what it says of them, given on request, and taken out of what is over.

Somebody is there as an actor (`user:li`), or as whom reports are about, a keyed hash. For an actor the whole journal is
looked through: seldom, and a second or two a million rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from alerts.redaction import REDACTED, WORDS, redact, words
from alerts.retention import PERSONAL, SPELLS, closed
from alerts.tables import (
    alarms,
    attachments,
    candidates,
    dispatch_changes,
    dispatches,
    exercises,
    handovers,
    incident_changes,
    incidents,
    modes,
    outbox,
    proposals,
    reports,
    shadows,
    silences,
    transitions,
)

MOST_LINES = 100_000
"""Lines of the journal that are given at most."""

_CASES = (
    (transitions, "alarm", alarms, ("acknowledged_by", "assignee", "explanation", "aside")),
    (incident_changes, "incident", incidents, ("acknowledged_by", "ticks")),
    (dispatch_changes, "dispatch", dispatches, ()),
)
"""Changes, what they are of, and what of that may name a person."""

_WORDS = {"incidents": "reason", "dispatches": "note"}
"""What stands in a case without the name of whoever wrote it."""

_ALONE = (handovers, exercises, modes, silences, candidates, reports)
_ANSWERED_FOR = (shadows, proposals)
"""Who publishes and approves rules is given and, as in the audit, not taken away: rules are answered for."""

_NAMED = ("actor", "by", "ended_by", "author")

Line = dict[str, Any]
Change = tuple[sa.Table, Line, Line]
"""A table, a row of it as it was read, and what columns are to be."""

_AT_ONCE = 100
"""Rows of one transaction: some ten milliseconds."""


class Erased(msgspec.Struct):
    """Lines that are without the person now, and lines that stay until what they are of is over."""

    lines: int = 0
    left: int = 0


def lines_of(engine: Engine, actor: str, most: int = MOST_LINES) -> list[Line]:
    """Give each line of the journal that names a person, with the name of its table; at most so many."""

    def found(connection: Connection) -> Iterator[Line]:
        for changes, *_ in _CASES:
            for row in _naming(connection, changes, actor):
                yield {"table": str(changes.name), **row["record"]}
        for table in (*_ALONE, attachments, *_ANSWERED_FOR):
            for row in _naming(connection, table, actor):
                yield {"table": str(table.name), **row}

    with engine.connect() as connection:
        return [line for line, _ in zip(found(connection), range(most), strict=False)]


def erase_actor(engine: Engine, actor: str, now: float) -> Erased:
    """Take a person's name and words out of all that is over at `now` (unix seconds). Doing it again changes nothing.

    The journal is looked through first, and written in small transactions then: the engine's changes never wait long.
    """
    done = Erased()
    todo = list[Change]()
    gone = list[str]()
    events = dict[str, Any]()  # of changes, as they are without the person
    begun = set[str]()  # their silences and modes that are over
    with engine.connect() as connection:
        for changes, key, table, fields in _CASES:
            rows = list(_naming(connection, changes, actor))
            over = _over(connection, table, {row[key] for row in rows}, now)
            texts = {text for row in rows for text in _said(row["record"], actor)}
            done.left += sum(row[key] not in over for row in rows)
            for row in _rows(connection, changes, changes.c[key], over):  # others' changes may say it again
                record = _unsaid(redact(row["record"], actor), texts)
                if record != row["record"]:
                    todo.append((changes, row, {"record": {**record, "redacted": True}}))
                    events[row["id"]] = record.get("event")
            for row in _rows(connection, table, table.c.id, over):
                made = redact(row, actor)
                values = {name: made[name] for name in fields}
                if (word := _WORDS.get(table.name)) and row[word] in texts:
                    values |= redact({word: row[word]})
                todo.append((table, row, values))
            if table is alarms:
                gone = [row["id"] for row in _naming(connection, attachments, actor) if row["alarm"] in over]
        for row in _rows(connection, outbox, outbox.c.id, {id for id, event in events.items() if event}):
            if row["payload"]:  # what a target that was away would yet be told
                todo.append((outbox, row, {"payload": events[row["id"]]}))
        lasting = dict(SPELLS)
        open_areas = _open_areas(connection)
        for table in _ALONE:
            for row in _naming(connection, table, actor):
                if _lasts(table, row, lasting.get(table, ()), open_areas):
                    done.left += 1
                    continue
                made = redact(row, actor)
                values = {name: made[name] for name in (*PERSONAL, "text") if name in made}
                todo.append((table, row, values))
                if table in (silences, modes) and row["by"] == actor:
                    begun.add(row["id" if table is silences else "order"])
        todo += _endings(connection, begun)
    done.lines = _write(engine, todo) + _remove(engine, attachments, gone)
    return done


def reports_about(engine: Engine, subject: str, most: int = MOST_LINES) -> list[Line]:
    """Give the reports about one subject (a keyed hash), the newest first; at most so many."""
    query = sa.select(reports).where(reports.c.subject == subject).order_by(reports.c.number.desc()).limit(most)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def erase_subject(engine: Engine, subject: str, now: float) -> tuple[Erased, set[str]]:
    """Remove the reports about one subject where nothing is open, and what alarms that are over quote of them.

    So does what anybody wrote in a case about them that is over, and in what is yet to be told of it; who wrote it
    stays. Also return the SHA-256 of photos that no report has any more. The hash itself stays in the cases, where it
    says that two were about one person, and not about whom.
    """
    done = Erased()
    todo = list[Change]()
    with engine.connect() as connection:
        query = sa.select(reports).where(reports.c.subject == subject)
        about = [dict(row) for row in connection.execute(query).mappings()]
        lasting = _open_areas(connection)
        gone = [row for row in about if row["area"] not in lasting]
        done.left = len(about) - len(gone)
        ids = {row["id"] for row in gone}
        if ids:
            first = min(row["received"] for row in gone)
            near = sa.select(alarms.c.id).where(
                alarms.c.area.in_({row["area"] for row in gone}), alarms.c.time >= first, alarms.c.open == sa.false()
            )
            over = _over(connection, alarms, set(connection.scalars(near)), now)
            for table, key, field in ((transitions, "alarm", "record"), (alarms, "id", "explanation")):
                for row in _rows(connection, table, table.c[key], over):
                    if (made := _unquoted(row[field], ids)) != row[field]:
                        marked = {**made, "redacted": True} if field == "record" else made
                        todo.append((table, row, {field: marked}))
        todo += _cases_about(connection, subject, now)
    done.lines = _write(engine, todo) + _remove(engine, reports, sorted(ids))
    photos = {row["photo"] for row in gone if row["photo"]}
    with engine.connect() as connection:
        kept = set(connection.scalars(sa.select(reports.c.photo).where(reports.c.photo.in_(photos))))
    return done, photos - kept


def _cases_about(connection: Connection, subject: str, now: float) -> Iterator[Change]:
    """Leave out what was written in the cases about a subject that are over, and in what is yet to be told of them."""
    cases = set(connection.scalars(closed(incidents, 0.0, now).where(incidents.c.subject == subject)))
    told = set[str]()
    for changes, key, table, fields in _CASES:
        rows = list(_rows(connection, table, table.c.id if table is incidents else table.c.incident, cases))
        word = _WORDS.get(table.name)
        for row in rows:
            yield (
                table,
                row,
                {name: _wordless({name: row[name]})[name] for name in (*fields, *([word] if word else ()))},
            )
        for row in _rows(connection, changes, changes.c[key], {row["id"] for row in rows}):
            made = _wordless(row["record"])
            if made != row["record"]:
                yield changes, row, {"record": {**made, "redacted": True}}
            told |= {row["id"]} if made.get("event") else set()
    for row in _rows(connection, outbox, outbox.c.id, told):
        if row["payload"]:
            yield outbox, row, {"payload": _wordless(row["payload"])}


def _wordless(value: Any) -> Any:
    """Leave out all that people wrote, but not who they are."""
    if isinstance(value, dict):
        return {
            name: words(one) if name in WORDS and isinstance(one, str) else _wordless(one)
            for name, one in value.items()
        }
    return [_wordless(one) for one in value] if isinstance(value, list) else value


def _naming(connection: Connection, table: sa.Table, actor: str) -> Iterator[Line]:
    """Find the rows in which somebody is named: as the value of a column, or of a field anywhere in one of JSON."""
    quoted = msgspec.json.encode(actor).decode()
    where: list[sa.ColumnElement[bool]] = []
    for column in table.columns:
        if isinstance(column.type, sa.JSON):
            where.append(sa.cast(column, sa.Text).contains(quoted, autoescape=True))
        elif column.name in _NAMED:
            where.append(column == actor)
    for row in connection.execute(sa.select(table).where(sa.or_(*where))).mappings().all():
        if _names(dict(row), actor):
            yield {str(name): value for name, value in row.items()}


def _names(value: Any, actor: str) -> bool:
    """Tell whether somebody is named anywhere in plain data; what they are called may also be a word of a text."""
    if isinstance(value, dict):
        return any(_names(one, actor) for one in value.values())
    if isinstance(value, list):
        return any(_names(one, actor) for one in value)
    return bool(value == actor)


def _endings(connection: Connection, begun: set[str]) -> Iterator[Change]:
    """Leave out why some silences and modes began where people were to be told that they end soon."""
    if not begun:
        return
    query = sa.select(outbox).where(outbox.c.kind == "dispatch", outbox.c.id.contains("-ends-", autoescape=True))
    for row in connection.execute(query).mappings().all():
        event = row["payload"] or {}
        if event.get("subject") in begun:
            told = {**event, "data": {**event["data"], "why": words(event["data"]["why"])}}
            yield outbox, dict(row), {"payload": told}


def _said(value: Any, actor: str) -> Iterator[str]:
    """Give the texts that stand beside somebody's name, and what went with what they did."""
    if isinstance(value, dict):
        if actor in value.values():
            own = [value, value.get("args") or {}]
            if value.get("edge") == "issued":  # whoever sends writes the note; who is sent only carries it on
                own.append((value.get("event") or {}).get("data") or {})
            for one in own:
                texts = (text for name, text in one.items() if name in WORDS and isinstance(text, str))
                yield from (text for text in texts if words(text) == REDACTED)
        for one in value.values():
            yield from _said(one, actor)
    elif isinstance(value, list):
        for one in value:
            yield from _said(one, actor)


def _unsaid(value: Any, texts: set[str]) -> Any:
    """Leave out what somebody wrote, wherever it is said again."""
    if isinstance(value, dict):
        return {
            name: REDACTED if name in WORDS and isinstance(one, str) and one in texts else _unsaid(one, texts)
            for name, one in value.items()
        }
    return [_unsaid(one, texts) for one in value] if isinstance(value, list) else value


def _unquoted(value: Any, ids: set[str]) -> Any:
    """Leave out what reports said, wherever they are quoted."""
    if isinstance(value, dict):
        if value.get("report") in ids:
            return redact(value)
        return {name: _unquoted(one, ids) for name, one in value.items()}
    return [_unquoted(one, ids) for one in value] if isinstance(value, list) else value


def _over(connection: Connection, table: sa.Table, ids: set[str], now: float) -> set[str]:
    """Keep of some ids those of what is over for good."""
    if not ids:
        return set()
    return ids & set(connection.scalars(closed(table, 0.0, now)))


def _open_areas(connection: Connection) -> set[str]:
    """Name the areas in which something is open."""
    query = sa.select(incidents.c.area).where(incidents.c.open == sa.true()).distinct()
    return set(connection.scalars(query))


def _lasts(table: sa.Table, row: Line, states: Iterable[str], open_areas: set[str]) -> bool:
    if table is exercises:
        return row["ended"] is None
    return row["area"] in open_areas if table is reports else row.get("state", "") in set(states)


def _rows(connection: Connection, table: sa.Table, column: Any, ids: set[str]) -> Iterator[Line]:
    """Read the rows of some ids, a few hundred at a time."""
    known = sorted(ids)
    for start in range(0, len(known), 500):
        some = sa.select(table).where(column.in_(known[start : start + 500]))
        yield from (dict(row) for row in connection.execute(some).mappings().all())


def _write(engine: Engine, changes: Sequence[Change]) -> int:
    """Write what is another value now, a few rows a transaction; return how many rows that was."""
    fresh = [
        (table, row, changed)
        for table, row, values in changes
        if (changed := {name: value for name, value in values.items() if value != row[name]})
    ]
    for start in range(0, len(fresh), _AT_ONCE):
        with engine.begin() as connection:
            for table, row, changed in fresh[start : start + _AT_ONCE]:
                where = [column == row[column.name] for column in table.primary_key]
                connection.execute(sa.update(table).where(*where).values(**changed))
    return len(fresh)


def _remove(engine: Engine, table: sa.Table, ids: Sequence[str]) -> int:
    """Remove rows by their ids, a few a transaction; return how many there were."""
    count = 0
    for start in range(0, len(ids), _AT_ONCE):
        with engine.begin() as connection:
            some = table.c.id.in_(ids[start : start + _AT_ONCE])
            count += connection.execute(sa.delete(table).where(some)).rowcount
    return count
