"""Questions to the journal, answered as plain dictionaries in the shape that the HTTP API speaks.

Lists page by keyset: `before` is the `next` of the page before. Any process may read while the worker writes (WAL).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.sql import ColumnElement

from alerts.dispatch import OPEN, WORKING
from alerts.exercise import MOST_ACTS, missed_id
from alerts.stamp import HEAD, stamped
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
    logs,
    modes,
    outbox,
    plans,
    positions,
    proposals,
    reports,
    results,
    silences,
    snapshots,
    transitions,
)
from sensors.site import RANK

Row = dict[str, Any]

MAX_PAGE = 500
_PASS = 2000
ASIDE = ("SHLVD", "DSUPR", "OOSRV")
"""The states in which an alarm is set aside."""

_STATES = ("NORM", "UNACK", "ACKED", "RTNUN", "SHLVD", "DSUPR", "OOSRV")
_ACTIVE, _CALM = ("UNACK", "ACKED"), ("NORM", "RTNUN")
_HIDDEN = {"number", "position", "open"}
_SQLITE = "sqlite:///"

CONNECT_SECONDS = 5
"""Seconds that a database elsewhere has to take a connection."""

UNANSWERED = 20_000
"""Milliseconds without an answer of its host to what was sent, after which a connection is given up."""

_OUTBOX = (  # made once: building it takes longer than running it
    sa.select(outbox)
    .where(outbox.c.position > sa.bindparam("after"))
    .order_by(outbox.c.position)
    .limit(sa.bindparam("most"))
)


Areas = str | Collection[str] | None
"""An area's id, or several, or None for all."""

Among = tuple[sa.Column[Any], Sequence[str]]
"""A column, and the values of which it has one."""


class JournalMissing(FileNotFoundError):
    """Say that there is no journal at this place (yet)."""


class Page(msgspec.Struct, frozen=True):
    """One page of a list, newest first. `next` is the `before` of the page after, None on the last one."""

    items: list[Row]
    next: int | None = None


def open_engine(url: str, *, readonly: bool, synchronous: str = "NORMAL") -> Engine:
    """Open the journal's database with WAL, a busy time-out and JSON by msgspec.

    `url` is a plain file path, `sqlite:///` before one (whose characters all stand for themselves), or another
    database's SQLAlchemy URL. `readonly` refuses every write and raises `JournalMissing` when
    there is no such file.
    """
    path = url.removeprefix(_SQLITE)
    parsed = URL.create("sqlite", database=path) if path != url or "://" not in url else make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and readonly:
        if not Path(path).is_file():
            raise JournalMissing(f"no journal at {path}")
        # mode=rw with query_only rather than mode=ro: a reader must be able to make the WAL's index after a crash.
        parsed = parsed.set(database=f"file:{quote(path)}", query={"mode": "rw", "uri": "true"})
    more: dict[str, Any] = {}
    if not sqlite:  # it may be far away, away, or back with another process: no answer is waited for without end
        patience = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": UNANSWERED}
        more = {"connect_args": patience, "pool_pre_ping": True}
    engine = sa.create_engine(
        parsed,
        **more,
        json_serializer=_json if sqlite else _json_without_nul,
        json_deserializer=msgspec.json.decode,
    )
    if sqlite:

        @event.listens_for(engine, "connect")
        def _settings(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=5000")
            if readonly:
                cursor.execute("PRAGMA query_only=ON")
            else:
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute(f"PRAGMA synchronous={synchronous}")
            cursor.close()

    elif not readonly:

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def _plain(_c: Any, _cursor: Any, statement: str, given: Any, _context: Any, _many: bool) -> tuple[str, Any]:
            return statement, _without_nul(given)

    return engine


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _json_without_nul(value: Any) -> str:
    made = _json(value)
    return _json(_without_nul(value)) if "\\u0000" in made else made


def _without_nul(given: Any) -> Any:
    """Take the character NUL out of texts: PostgreSQL takes none, and would be tried with it for ever."""
    if isinstance(given, str):
        return given.replace("\0", "") if "\0" in given else given
    if isinstance(given, dict):
        return {_without_nul(key): _without_nul(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return type(given)(map(_without_nul, given))
    return given


class Reader:
    """Read the journal. Safe to share between threads; raises `JournalMissing` when there is none (whole) yet."""

    def __init__(self, url: str | Path) -> None:
        self.engine = open_engine(str(url), readonly=True)
        try:
            with self.engine.connect() as connection:
                there = stamped(connection)
                old = there is None and sa.inspect(connection).has_table(counters.name)
        except BaseException:
            self.engine.dispose()
            raise
        if there == HEAD:
            return
        self.engine.dispose()
        place = self.engine.url.render_as_string(hide_password=True)
        if there is None and not old:
            raise JournalMissing(f"the journal at {place} has no tables yet")
        if old or (there or "") < HEAD:
            raise JournalMissing(f"the journal at {place} is of an older version, which the worker brings up to date")
        raise JournalMissing(f"the journal at {place} is of a newer version of Foreshock than this one")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # Incidents

    def incidents(self, state: str = "open", area: Areas = None, limit: int = 50, before: int | None = None) -> Page:
        """List incidents of areas, or of all: `state` is open, closed, all, or one state of `alerts.incident`."""
        where: list[ColumnElement[bool]] = []
        if state in ("open", "closed"):
            where.append(incidents.c.open == (state == "open"))
        elif state != "all":
            where.append(incidents.c.state == state)
            if area is not None:  # the area's index begins with what is open
                where.append(incidents.c.open == sa.true())
        with self.engine.connect() as connection:
            page = _page(connection, incidents, where, limit, before, each(incidents, area))
            _add_dispatches(connection, page.items)
        return page

    def incident(self, id: str) -> Row | None:
        """Read one incident with alarm_details, dispatch_details, history and snapshots; None if there is none.

        `suggested_units` is not the journal's to know: see `alerts.routing.Router.suggest`.
        """
        with self.engine.connect() as connection:
            row = _one(connection, incidents, id)
            if row is None:
                return None
            _add_dispatches(connection, [row])
            row["alarm_details"] = _rows(
                connection, sa.select(alarms).where(alarms.c.id.in_(row["alarms"])).order_by(alarms.c.number)
            )
            row["dispatch_details"] = _rows(
                connection, sa.select(dispatches).where(dispatches.c.incident == id).order_by(dispatches.c.number)
            )
            for dispatch in row["dispatch_details"]:
                dispatch["history"] = _records(connection, dispatch_changes, "dispatch", dispatch["id"])
            row["history"] = _records(connection, incident_changes, "incident", id)
            row["snapshots"] = self._snapshots(connection, id)
            row["attachments"] = _attached(connection, attachments.c.alarm.in_(row["alarms"]))
            row["plan"] = _plan(connection, row)
        for alarm in row["alarm_details"]:
            _alarm(alarm)
        return row

    def areas_of(self, incident: str) -> set[str]:
        """Name the areas of an incident's alarms: several, where alarms were merged or joined."""
        with self.engine.connect() as connection:
            return set(connection.scalars(sa.select(alarms.c.area).where(alarms.c.incident == incident).distinct()))

    def areas_ever(self, ids: Collection[str]) -> dict[str, set[str]]:
        """Name all areas that incidents have had, by the incidents' ids: also those that were split off."""
        found: dict[str, set[str]] = {}
        changes = sa.select(incident_changes.c.incident, incident_changes.c.record)
        with self.engine.connect() as connection:
            for id, record in connection.execute(changes.where(incident_changes.c.incident.in_(sorted(ids)))):
                found.setdefault(str(id), set()).update(record.get("areas") or (record["area"],))
        return found

    def areas_by_id(self, ids: Collection[str]) -> dict[str, str]:
        """Say where alarms, dispatches and incidents are, by id; those that the journal does not have are left out."""
        wanted, found = sorted(ids), {}
        with self.engine.connect() as connection:
            for start in range(0, len(wanted), MAX_PAGE):
                some = wanted[start : start + MAX_PAGE]
                for table in (alarms, dispatches, incidents):
                    for row in connection.execute(sa.select(table.c.id, table.c.area).where(table.c.id.in_(some))):
                        found[str(row.id)] = str(row.area)
        return found

    def plan_of(self, incident: str) -> Row | None:
        """Read the plan that an incident keeps to, as it was published, with `ticks`; None when it has none."""
        query = sa.select(incidents.c.plan, incidents.c.ticks).where(incidents.c.id == incident)
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else _plan(connection, row)

    def snapshots(self, incident: str) -> list[Row]:
        """List an incident's camera pictures, oldest first: camera, time, sha, url and area."""
        with self.engine.connect() as connection:
            return self._snapshots(connection, incident)

    def camera_transitions(self, cameras: Collection[str], since: float) -> list[Row]:
        """List the transitions of data-quality alarms about cameras in order: scope, alarm, after and time.

        Those of alarms that are open, or moved since a unix time; what was simulated is left out.
        """
        query = (
            sa.select(alarms.c.scope, transitions.c.alarm, transitions.c.time, transitions.c.record)
            .add_columns(transitions.c.position)
            .join(alarms, alarms.c.id == transitions.c.alarm)
            .where(alarms.c.kind == "data_quality", alarms.c.simulated.is_(False))
            .where((alarms.c.open == sa.true()) | (alarms.c.time >= since))  # each has an index of its own
        )
        known = set(cameras)
        with self.engine.connect() as connection:
            # SQLite would walk all transitions to have them in order
            rows = sorted(
                (row for row in connection.execute(query) if row.scope in known), key=lambda row: row.position
            )
        return [
            {"scope": row.scope, "alarm": row.alarm, "after": row.record["after"], "time": row.time} for row in rows
        ]

    def about(self, ids: Collection[str]) -> dict[str, Row]:
        """Say of alarms what they are about, by id: id, area, scope, level, title."""
        query = sa.select(alarms.c.id, alarms.c.area, alarms.c.scope, alarms.c.level, alarms.c.title)
        with self.engine.connect() as connection:
            return {row.id: row._asdict() for row in connection.execute(query.where(alarms.c.id.in_(ids)))}

    def spells(self, areas: Collection[str], begin: float, end: float) -> list[Row]:
        """List when alarms of areas were active between two times: alarm, rule, kind, simulated, begin, end, in order.

        A spell begins with its condition and ends with the return to normal, or with `end` where it lasts.
        """
        query = (
            sa.select(alarms.c.rule, alarms.c.kind, alarms.c.simulated, transitions.c.alarm, transitions.c.record)
            .add_columns(transitions.c.position)
            .join(alarms, alarms.c.id == transitions.c.alarm)
            .where(*_within(alarms, areas), alarms.c.onset < end)
        )
        running: dict[str, Row] = {}
        found: list[Row] = []
        with self.engine.connect() as connection:
            rows = {  # each is found by an index of its own; in order, SQLite would walk all transitions
                row.position: row
                for which in (alarms.c.open == sa.true(), alarms.c.time >= begin)
                for row in connection.execute(query.where(which))
            }
            for _, row in sorted(rows.items()):
                over = row.record["after"] in _CALM
                if row.record["after"] in _ACTIVE and row.alarm not in running:
                    since = row.record["time"] if row.record["edge"] == "realarm" else row.record["onset"]
                    one = {"alarm": row.alarm, "rule": row.rule, "kind": row.kind, "simulated": row.simulated}
                    running[row.alarm] = {**one, "begin": min(since or row.record["time"], row.record["time"])}
                elif over and row.alarm in running:
                    found.append({**running.pop(row.alarm), "end": row.record["time"]})
        found += [{**one, "end": end} for one in running.values()]
        inside = [one for one in found if one["end"] >= begin and one["begin"] < end]
        return sorted(inside, key=lambda one: (one["begin"], one["alarm"]))

    def reports(
        self,
        areas: Collection[str] | None = None,
        category: str | None = None,
        subject: str | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Page:
        """List what people reported, the newest first; `since` and `until` are of the time that the report is of."""
        where: list[ColumnElement[bool]] = []
        among = each(reports, areas)
        if category is not None:
            where.append(reports.c.category == category)
        if subject is not None:
            where += [reports.c.subject == subject, *_within(reports, areas)]
            among = None  # somebody has few
        if since is not None:
            where.append(reports.c.time >= since)
        if until is not None:
            where.append(reports.c.time <= until)
        with self.engine.connect() as connection:
            return _page(connection, reports, where, limit, before, among)

    def report(self, id: str) -> Row | None:
        """Read one report; None if there is none, or no longer."""
        with self.engine.connect() as connection:
            return _one(connection, reports, id)

    def pictured(self, sha: str) -> set[str]:
        """Name the areas whose incidents or reports have a picture, by the SHA-256 of its bytes."""
        shown = sa.select(snapshots.c.area).where(snapshots.c.sha == sha)
        with self.engine.connect() as connection:
            return set(connection.scalars(shown.union(sa.select(reports.c.area).where(reports.c.photo == sha))))

    def _snapshots(self, connection: Connection, incident: str) -> list[Row]:
        rows = _rows(
            connection,
            sa.select(snapshots.c.camera, snapshots.c.time, snapshots.c.sha, snapshots.c.area)
            .where(snapshots.c.incident == incident)
            .order_by(snapshots.c.position),
        )
        for row in rows:
            row["url"] = f"/api/v1/snapshots/{row['sha']}.jpg"
        return rows

    # Alarms

    def alarms(self, state: str = "open", area: Areas = None, limit: int = 50, before: int | None = None) -> Page:
        """List alarms: `state` is open (any but NORM), all, or one ISA-18.2 state."""
        where: list[ColumnElement[bool]] = []
        if state == "open":
            where.append(alarms.c.open == sa.true())
        elif state in _STATES:
            where.append(alarms.c.state == state if state != "NORM" else alarms.c.open == sa.false())
            if area is not None and state != "NORM":  # the area's index begins with what is open
                where.append(alarms.c.open == sa.true())
        elif state != "all":
            return Page([])
        with self.engine.connect() as connection:
            page = _page(connection, alarms, where, limit, before, each(alarms, area))
        for row in page.items:
            _alarm(row)
        return page

    def set_aside(self, area: Areas = None, limit: int = MAX_PAGE) -> list[Row]:
        """List the alarms that are shelved, suppressed or out of service, the one that comes back first leading."""
        query = sa.select(alarms).where(alarms.c.state.in_(ASIDE)).order_by(alarms.c.until, alarms.c.number)
        query = query.where(*_within(alarms, area))
        with self.engine.connect() as connection:
            return [_alarm(row) for row in _rows(connection, query.limit(max(1, min(limit, MAX_PAGE))))]

    def alarm(self, id: str) -> Row | None:
        """Read one alarm with its transitions, each with its partition and offset in the log; None if there is none."""
        with self.engine.connect() as connection:
            row = _one(connection, alarms, id)
            if row is None:
                return None
            query = sa.select(transitions).where(transitions.c.alarm == id).order_by(transitions.c.position)
            row["transitions"] = [
                {**one.record, "partition": one.partition, "offset": one.offset} for one in connection.execute(query)
            ]
            row["attachments"] = _attached(connection, attachments.c.alarm == id)
        return _alarm(row)

    def attachment(self, alarm: str, sha: str) -> Row | None:
        """Read what is known of a file of an alarm; None if it has no such one."""
        with self.engine.connect() as connection:
            found = _attached(connection, sa.and_(attachments.c.alarm == alarm, attachments.c.sha == sha))
        return found[0] if found else None

    def transitions(self, since: float, position: int | None = None) -> list[Row]:
        """List the records of alarms' transitions since a unix time, up to a position, the newest first.

        They are looked for from the end, a page at a time: the journal may hold years.
        """
        found: list[Row] = []
        with self.engine.connect() as connection:
            before = _counted(connection) + 1 if position is None else position + 1
            while True:
                page = connection.execute(
                    sa.select(transitions.c.position, transitions.c.time, transitions.c.record)
                    .where(transitions.c.position < before)
                    .order_by(transitions.c.position.desc())
                    .limit(_PASS)
                ).all()
                found += [row.record for row in page if row.time >= since]
                if len(page) < _PASS or page[-1].time < since:
                    return found
                before = page[-1].position

    def first(self) -> float | None:
        """Read the time of the first transition that is kept; None when there is none."""
        query = sa.select(transitions.c.time).order_by(transitions.c.position).limit(1)
        with self.engine.connect() as connection:
            found: float | None = connection.scalar(query)
        return found

    # Dispatches

    def dispatches(
        self,
        unit: str | Sequence[str] | None = None,
        state: str = "open",
        limit: int = 50,
        before: int | None = None,
        incident: str | None = None,
        area: Areas = None,
    ) -> Page:
        """List dispatches of a unit (or several, or any): `state` is open, all, or one leg."""
        where: list[ColumnElement[bool]] = []
        if state == "open":
            where.append(dispatches.c.open == sa.true())
        elif state != "all":
            # within areas by their index, which begins with what is open: SQLite would walk all of a leg
            leg = dispatches.c.leg if area is None else dispatches.c.leg + ""
            where.append(leg == state)
            if area is not None:
                where.append(dispatches.c.open == (state in OPEN))
        units = [unit] if isinstance(unit, str) else unit
        if incident is not None:
            where.append(dispatches.c.incident == incident)
        among = each(dispatches, area)
        if units is not None or incident is not None:  # they leave fewer rows than areas do
            where += _within(dispatches, area)
            among = None if units is None else (dispatches.c.unit, list(dict.fromkeys(units)))
        with self.engine.connect() as connection:
            return _page(connection, dispatches, where, limit, before, among)

    def dispatch(self, id: str) -> Row | None:
        """Read one dispatch with its history; None if there is none."""
        with self.engine.connect() as connection:
            row = _one(connection, dispatches, id)
            if row is not None:
                row["history"] = _records(connection, dispatch_changes, "dispatch", id)
        return row

    def burden(self, simulated: bool) -> list[tuple[str, str, int]]:
        """Count the orders that are worked on, real ones or those that are played: unit, area, how many."""
        columns = (dispatches.c.unit, dispatches.c.area)
        query = (
            sa.select(*columns, sa.func.count())
            .where(dispatches.c.open == sa.true(), dispatches.c.leg.in_(WORKING), dispatches.c.simulated == simulated)
            .group_by(*columns)
        )
        with self.engine.connect() as connection:
            return [(unit, area, count) for unit, area, count in connection.execute(query)]

    # Changes and figures

    def changes(self, since: int, limit: int = 500) -> list[Row]:
        """List changes after position `since`, oldest first: position, kind, id (of its object) and record.

        No change is ever left out between two that are listed, whatever is written meanwhile.
        """
        with self.engine.connect() as connection:
            # Each statement sees what was written before it. The counter, read first and written last, says how far
            # all tables are whole: of what comes after, a later statement would see what an earlier one did not.
            whole = _counted(connection)
            spans = [
                connection.scalars(
                    sa.select(table.c.position)
                    .where(table.c.position > since, table.c.position <= whole)
                    .order_by(table.c.position)
                    .limit(limit)
                ).all()
                for _, table, _ in _CHANGES
            ]
            last = sorted(position for span in spans for position in span)[:limit][-1:]
            rows = [
                row
                for (kind, table, key), span in zip(_CHANGES, spans, strict=True)
                if span and last and span[0] <= last[0]
                for row in _rows(
                    connection,
                    sa.select(
                        table.c.position, sa.literal(kind).label("kind"), table.c[key].label("id"), table.c.record
                    ).where(table.c.position.between(span[0], last[0])),
                    hide=(),
                )
            ]
        rows.sort(key=lambda row: int(row["position"]))
        return rows

    def records(self, ids: Collection[str]) -> dict[str, Row]:
        """Read changes by their own ids, as they were recorded; those that the journal does not have are left out."""
        wanted, found = sorted(ids), {}
        with self.engine.connect() as connection:
            for start in range(0, len(wanted), MAX_PAGE):
                some = wanted[start : start + MAX_PAGE]
                for _, table, _ in _CHANGES:
                    for row in connection.execute(sa.select(table.c.id, table.c.record).where(table.c.id.in_(some))):
                        found[str(row.id)] = dict(row.record)
        return found

    def observed(self, change: str) -> tuple[str, int, int] | None:
        """Return the log, partition and offset of the observation that a change came of; None when it is unknown."""
        with self.engine.connect() as connection:
            log = connection.scalar(sa.select(logs.c.id))
            for _, table, _ in _CHANGES:
                row = connection.execute(
                    sa.select(table.c.partition, table.c.offset).where(table.c.id == change)
                ).first()
                if row is not None and log is not None:
                    return str(log), int(row[0]), int(row[1])
        return None

    def position(self) -> int:
        """Return the position of the last change, 0 when there is none."""
        with self.engine.connect() as connection:
            return _counted(connection)

    def positions(self) -> dict[int, int]:
        """Return the last journalled offset of the observations topic, by partition."""
        with self.engine.connect() as connection:
            return {
                int(row.partition): int(row.offset)
                for row in connection.execute(sa.select(positions.c.partition, positions.c.offset))
            }

    def proposals(self, limit: int = 100) -> list[Row]:
        """List publications that waited for a second person, the latest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(proposals).order_by(proposals.c.number.desc()).limit(limit)).mappings()
            return [dict(row) for row in rows]

    def modes(self, only_on: bool = True, limit: int = MAX_PAGE) -> list[Row]:
        """List all modes that the site is in, area by area, and (`only_on` false) those of late, the newest first."""
        table = modes
        query = sa.select(table).order_by(table.c.since.desc(), table.c.order, table.c.area, table.c.partition)
        found: dict[tuple[str, str], Row] = {}
        with self.engine.connect() as connection:
            for one in _lasting(connection, query, table, only_on, limit):
                known = found.setdefault((one["order"], one["area"]), one)
                if known["state"] == "refused":  # the whole site is in it where one partition is
                    found[one["order"], one["area"]] = one
        return list(found.values())

    def mode_order(self, order: str) -> list[Row]:
        """List what became of an order that began a mode: a row for each area and partition."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(modes).where(modes.c.order == order)).mappings()
            return [dict(row) for row in rows]

    def silences(self, only_on: bool = True, limit: int = MAX_PAGE) -> list[Row]:
        """List all silences that last, what ends first leading; or (`only_on` false) also the latest that are over."""
        query = sa.select(silences).order_by(silences.c.until if only_on else silences.c.since.desc(), silences.c.id)
        found: dict[str, Row] = {}
        with self.engine.connect() as connection:
            for one in _lasting(connection, query, silences, only_on, limit):
                if found.setdefault(one["id"], one)["state"] != "on":  # it lasts where it does in one partition
                    found[one["id"]] = one
        return list(found.values())

    def candidates(self, state: str = "open", limit: int = 100) -> list[Row]:
        """List incidents that rose together and may be one matter, the latest first: open, dropped, merged or over."""
        query = sa.select(candidates).where(candidates.c.state == state).order_by(candidates.c.since.desc())
        with self.engine.connect() as connection:
            return _rows(connection, query.limit(max(1, min(limit, MAX_PAGE))), hide=("partition",))

    def candidate(self, id: str) -> Row | None:
        """Read one candidate; None if there is none."""
        with self.engine.connect() as connection:
            return _one(connection, candidates, id)

    def exercises(self, running: bool = False, limit: int = 50) -> list[Row]:
        """List drills, the latest first; or only those that run."""
        query = sa.select(exercises).order_by(exercises.c.began.desc()).limit(max(1, min(limit, MAX_PAGE)))
        if running:
            query = query.where(exercises.c.ended.is_(None))
        with self.engine.connect() as connection:
            return _rows(connection, query)

    def exercise(self, id: str) -> Row | None:
        """Read one drill with the `incidents` that are part of it, each as `incident` gives it; None without one.

        `missed` are the answers to the acts of its script that came to nothing.
        """
        with self.engine.connect() as connection:
            row = _one(connection, exercises, id)
            query = sa.select(incidents.c.id).where(incidents.c.exercise == id).order_by(incidents.c.number).limit(100)
            ids = [str(one.id) for one in connection.execute(query)]
            acts = results.c.id.in_([missed_id(id, number) for number in range(MOST_ACTS)])
            said = connection.execute(sa.select(results.c.record).where(acts).order_by(results.c.position)).all()
        if row is not None:
            row["missed"] = [_answer(one.record) for one in said]
            row["incidents"] = [one for one in map(self.incident, ids) if one is not None]
        return row

    def handovers(self, limit: int = 50) -> list[Row]:
        """List the turns that were taken over, the latest first, without their sheets."""
        columns = [column for column in handovers.c if column.name != "sheet"]
        query = sa.select(*columns).order_by(handovers.c.time.desc()).limit(max(1, min(limit, MAX_PAGE)))
        with self.engine.connect() as connection:
            return _rows(connection, query)

    def handover(self, id: str) -> Row | None:
        """Read one turn that was taken over, with the sheet that was signed; None if there is none."""
        with self.engine.connect() as connection:
            return _one(connection, handovers, id)

    def result(self, command: str) -> Row | None:
        """Read the answer to a command: id, ok, target, reason, time; None while there is none."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(results.c.record).where(results.c.id == command)).first()
        return None if row is None else _answer(row.record)

    def command_of(self, beginning: str) -> str | None:
        """Return the id of the command that was answered and whose id, in hexadecimal, begins so; None without one."""
        query = sa.select(results.c.id).where(results.c.id.between(beginning, f"{beginning}g")).limit(1)
        with self.engine.connect() as connection:
            found = connection.scalar(query)
        return None if found is None else str(found)

    def counts(self, kind: str = "risk") -> dict[str, int]:
        """Count open incidents by level that still have an active alarm: red, orange, yellow, blue."""
        query = (
            sa.select(incidents.c.level, sa.func.count())
            .where(incidents.c.open == sa.true(), incidents.c.kind == kind, incidents.c.state != "calm")
            .group_by(incidents.c.level)
        )
        counted = {"red": 0, "orange": 0, "yellow": 0, "blue": 0}
        with self.engine.connect() as connection:
            for level, count in connection.execute(query):
                counted[level] = int(count)
        return counted

    # What notifiers read

    def outbox(self, after: int, limit: int = 100) -> list[Row]:
        """List outbox rows after a position, oldest first."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(_OUTBOX, {"after": after, "most": limit}).mappings()]

    def events_told(self, ids: Sequence[str]) -> dict[str, Row]:
        """Give the events of outbox rows, as they are by now, by their ids; of those that are gone none."""
        query = sa.select(outbox.c.id, outbox.c.payload).where(outbox.c.id.in_(ids), outbox.c.kind == "dispatch")
        with self.engine.connect() as connection:
            return {str(row.id): row.payload for row in connection.execute(query) if row.payload}

    def is_answered(self, change: str, *, of_dispatch: bool) -> bool:
        """Tell whether a change of an incident, or a dispatch, asks for what has been seen to since.

        That is when it is over or calm by now, or a person or a unit has acted on it after that change (its id); not
        when a camera has sent a picture of it, or somebody has reported it again.
        """
        now, table = (dispatches, dispatch_changes) if of_dispatch else (incidents, incident_changes)
        key = table.c.dispatch if of_dispatch else table.c.incident
        with self.engine.connect() as connection:
            asked = connection.execute(sa.select(key.label("of"), table.c.position).where(table.c.id == change)).first()
            if asked is None:
                return False
            row = connection.execute(sa.select(now).where(now.c.id == asked.of)).mappings().one()
            if not row["open"] or (not row["overdue"] if of_dispatch else row["state"] == "calm"):
                return True
            later = sa.select(table.c.record).where(key == asked.of, table.c.position > asked.position).limit(MAX_PAGE)
            records = (record for (record,) in connection.execute(later) if record.get("edge") not in _NO_ANSWER)
            actors = (str(record.get("actor", "")) for record in records)
            return any(actor and actor != "engine" and not actor.startswith("rule:") for actor in actors)

    def is_over(self, dispatch: str) -> bool:
        """Tell whether a dispatch is known and nothing of it is open any more."""
        with self.engine.connect() as connection:
            found = connection.scalar(sa.select(dispatches.c.open).where(dispatches.c.id == dispatch))
        return found is not None and not found

    def outbox_start(self, time: float) -> int:
        """Return the position after which lie the outbox rows not older than `time`."""
        with self.engine.connect() as connection:
            first = connection.scalar(sa.select(sa.func.min(outbox.c.position)).where(outbox.c.time >= time))
            last = connection.scalar(sa.select(sa.func.max(outbox.c.position)))
        return int(first) - 1 if first is not None else int(last or 0)

    def areas(self) -> list[str]:
        """List the areas that ever had an alarm: one look at an index for each, however many alarms there are."""
        first = sa.select(sa.func.min(alarms.c.area).label("area")).cte("named", recursive=True)
        after = sa.select(sa.func.min(alarms.c.area)).where(alarms.c.area > first.c.area).scalar_subquery()
        named = first.union_all(sa.select(after).where(first.c.area.is_not(None)))
        with self.engine.connect() as connection:
            return [str(area) for area in connection.scalars(sa.select(named.c.area)) if area is not None]

    def summary(self, area: str, limit: int = 100) -> Row:
        """Sum up an area's alarms as the world may see them.

        `open` are the active ones, the highest level first; `returned` those that came back to normal unacknowledged;
        `level` is the highest active one or None; `count` counts the active ones, also beyond `limit`.
        """
        shown = [alarms.c[name] for name in _SUMMARY]
        query = sa.select(*shown).where(alarms.c.area == area, alarms.c.open == sa.true()).order_by(alarms.c.number)
        with self.engine.connect() as connection:
            rows = _rows(connection, query, hide=())
            updated = connection.scalar(sa.select(sa.func.max(alarms.c.time)).where(alarms.c.area == area))
        active = sorted(
            (row for row in rows if row["state"] in ("UNACK", "ACKED")), key=lambda row: -RANK[row["level"]]
        )
        return {
            "area": area,
            "level": active[0]["level"] if active else None,
            "count": len(active),
            "open": active[:limit],
            "returned": [row for row in rows if row["state"] == "RTNUN"][:limit],
            "simulated": bool(active) and all(row["simulated"] for row in active),
            "updated": updated,
        }


_NO_ANSWER = ("snapshot", "reported")
"""Changes of an incident that say more of it, whoever makes them, and take nothing up."""

_SUMMARY = ("id", "rule", "title", "kind", "scope", "state", "level", "onset", "incident", "simulated")

_CHANGES: tuple[tuple[str, sa.Table, str], ...] = (
    ("alarm", transitions, "alarm"),
    ("incident", incident_changes, "incident"),
    ("dispatch", dispatch_changes, "dispatch"),
    ("result", results, "id"),
)


def _within(table: sa.Table, area: Areas) -> list[ColumnElement[bool]]:
    """Return the condition that a row is of an area, or of one of several; none when all are meant."""
    if area is None:
        return []
    return [table.c.area == area if isinstance(area, str) else table.c.area.in_(list(area))]


def each(table: sa.Table, area: Areas) -> Among | None:
    """Return the areas of a table's rows for `newest`; None when all are meant."""
    if area is None:
        return None
    return table.c.area, [area] if isinstance(area, str) else sorted(area)


def _counted(connection: Connection) -> int:
    """Read the position of the last change."""
    return int(connection.scalar(sa.select(counters.c.value).where(counters.c.name == "changes")) or 0)


def _plan(connection: Connection, row: Any) -> Row | None:
    """Read the plan that an incident's row names, with the row's ticks."""
    if not row["plan"]:
        return None
    content = connection.scalar(sa.select(plans.c.content).where(plans.c.key == row["plan"]))
    return None if content is None else {**content, "ticks": row["ticks"] or {}}


def _page(
    connection: Connection,
    table: sa.Table,
    where: Iterable[ColumnElement[bool]],
    limit: int,
    before: int | None,
    among: Among | None = None,
) -> Page:
    """Read one page of a table of current rows, newest first; `among` is as in `newest`."""
    limit = max(1, min(limit, MAX_PAGE))
    if before is not None:
        where = [*where, table.c.number < before]
    rows = newest(connection, table, where, limit + 1, among, hide=("position", "open"))
    more = len(rows) > limit
    rows = rows[:limit]
    last = int(rows[-1]["number"]) if more else None
    for row in rows:
        del row["number"]
    return Page(rows, last)


def newest(
    connection: Connection,
    table: sa.Table,
    where: Iterable[ColumnElement[bool]],
    most: int,
    among: Among | None = None,
    hide: Iterable[str] = (),
) -> list[Row]:
    """Read the newest rows of a table of current rows, as dictionaries without the columns to hide.

    `among` are a column and the values that it may have, such as areas. By an index of that column and `number` the
    database looks at no more than `most` rows of each: the newest of all are no older than any one's last of so many.
    """
    conditions, number = list(where), table.c.number
    query = sa.select(table).order_by(number.desc()).limit(most)
    if among is None:
        return _rows(connection, query.where(*conditions), hide)
    column, values = among
    if len(values) < 2:
        return [row for one in values for row in _rows(connection, query.where(*conditions, column == one), hide)]
    each = _listed(connection, values)
    of_one = sa.select(number).where(*conditions, column == each.c.value).order_by(number.desc())
    last = of_one.offset(most - 1).limit(1).correlate(each).scalar_subquery()
    oldest = sa.func.coalesce(sa.select(sa.func.max(last)).select_from(each).scalar_subquery(), 0)
    found = sa.select(number).where(*conditions, column.in_(values), number >= oldest).correlate(None)
    # in no index's order: SQLite would walk that of all numbers
    found = found.order_by((number + 0).desc()).limit(most)
    return _rows(connection, query.where(number.in_(found)), hide)


def _listed(connection: Connection, values: Collection[str]) -> Any:
    """Make a table of texts, in its column `value`, of one parameter: so the statement is the same for any number."""
    text = sa.literal(_json(list(values)), sa.Text)
    if connection.dialect.name == "sqlite":
        return sa.func.json_each(text).table_valued("value")
    return sa.func.json_array_elements_text(sa.cast(text, sa.JSON)).table_valued("value")


def _one(connection: Connection, table: sa.Table, id: str) -> Row | None:
    """Read one current row by id."""
    rows = _rows(connection, sa.select(table).where(table.c.id == id))
    return rows[0] if rows else None


def _lasting(connection: Connection, query: sa.Select[Any], table: sa.Table, only_on: bool, limit: int) -> list[Row]:
    """Read what lasts, or also (`only_on` false) the latest of what is over, in the order that a query asks for."""
    if not only_on:  # however long ago it began, what lasts is there
        latest = sa.select(table.c.since).order_by(table.c.since.desc()).offset(limit - 1).limit(1).scalar_subquery()
        first = sa.func.coalesce(latest, 0.0)
        return _rows(
            connection, query.where(sa.or_(table.c.state == "on", table.c.since >= first)), hide=("partition",)
        )
    return _rows(connection, query.where(table.c.state == "on"), hide=("partition",))


def _rows(connection: Connection, query: sa.Select[Any], hide: Iterable[str] = _HIDDEN) -> list[Row]:
    """Read rows as dictionaries, without the columns to hide."""
    hidden = set(hide)
    return [
        {name: value for name, value in row.items() if name not in hidden}
        for row in connection.execute(query).mappings()
    ]


def _records(connection: Connection, table: sa.Table, key: str, id: str) -> list[Row]:
    """Read the records of one object's changes, oldest first."""
    query = sa.select(table.c.record).where(table.c[key] == id).order_by(table.c.position)
    return [row.record for row in connection.execute(query)]


def _add_dispatches(connection: Connection, rows: list[Row]) -> None:
    """Add the ids of its dispatches to each incident."""
    found: dict[str, list[str]] = {row["id"]: [] for row in rows}
    if found:
        query = (
            sa.select(dispatches.c.incident, dispatches.c.id)
            .where(dispatches.c.incident.in_(found))
            .order_by(dispatches.c.number)
        )
        for incident, id in connection.execute(query):
            found[incident].append(id)
    for row in rows:
        row["dispatches"] = found[row["id"]]


def _attached(connection: Connection, which: ColumnElement[bool]) -> list[Row]:
    """Read what is known of files that were put with alarms, in the order in which they were."""
    query = sa.select(attachments).where(which).order_by(attachments.c.time, attachments.c.id)
    return _rows(connection, query, ("id",))


def _alarm(row: Row) -> Row:
    """Name an alarm's title as the API does."""
    row["rule_title"] = row.pop("title")
    row |= {"marks": row["marks"] or [], "folded": row["folded"] or 0}  # not there in rows of an older version
    row.pop("until")  # it is in `aside`
    return row


def _answer(record: Row) -> Row:
    """Fill in a result's fields that msgspec leaves out when they hold their default."""
    return {"reason": "", "time": 0.0, **record}
