"""The SQL journal: what the engine decided, written exactly once by the worker; anyone may read while it writes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from alerts.candidate import fold_candidate
from alerts.dispatch import OPEN
from alerts.ending import ended
from alerts.hush import fold_silence
from alerts.layout import bring_up
from alerts.mode import begun_mode, fold_mode
from alerts.outcome import (
    AlarmTransition,
    CandidateChange,
    CommandResult,
    DispatchChange,
    ExerciseChange,
    HandoverSigned,
    IncidentChange,
    ModeChange,
    ProposalChange,
    Published,
    Record,
    Reported,
    ShadowChange,
    ShadowVerdict,
    SilenceChange,
)
from alerts.parting import part_again
from alerts.queries import ASIDE, JournalMissing, Reader, open_engine
from alerts.shadow import begun_shadow, fold_shadow
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
    shadow_verdicts,
    shadows,
    silences,
    snapshots,
    transitions,
)
from sensors.site import SYSTEM

__all__ = ["Journal", "JournalMissing", "Reader"]

Change = AlarmTransition | IncidentChange | DispatchChange | CommandResult
Row = dict[str, Any]

LOG = "observations"  # row of the log that the positions are in
_LOST = ".lost-"  # in the id of a change that the log has lost
_ID = 96  # characters that an id may have
_DIGITS = 19  # of a position
_BEGAN = "log"  # the counter that says after which position the changes of this log are
_RECENT = 50_000  # positions, some of the partition and none of them lost: before them there is none
_CHUNK = 500  # ids in one IN (...): below every database's limit on parameters
LEAP = 1_000_000
"""Positions that a server's journal leaves out after each new connection: more than a server that fell over, or one
that took its place, can have forgotten. Who had read on to a forgotten position would pass over what gets it anew."""


class JournalWentBack(RuntimeError):
    """Say that a journal lacks what it had taken: its server fell over and forgot, or another took its place."""


class Journal(Reader):
    """Write and read the journal. Makes its tables. One writer at a time; it is safe from any thread.

    A journal of an older version is brought up to date (`alerts.layout.bring_up`).

    `synchronous` is SQLite's: NORMAL survives the kill of any process; FULL also the loss of power, at the cost of a
    disk flush a call. With NORMAL, resume from `positions()`, not from a consumer's own offset.
    """

    def __init__(self, url: str | Path, *, synchronous: str = "NORMAL") -> None:
        self.engine = open_engine(str(url), readonly=False, synchronous=synchronous)
        self._connected = self._leapt = 0  # connections made, and how many of them when positions leapt last
        if self.engine.dialect.name != "sqlite":
            sa.event.listen(self.engine, "connect", self._count)
        try:
            with self.engine.connect() as connection:
                there = stamped(connection)
            if there != HEAD:
                bring_up(str(url))
        except BaseException:
            self.engine.dispose()
            raise

    def _count(self, _connection: Any, _record: Any) -> None:
        self._connected += 1

    def record(self, records: Iterable[Record], log: str = "", after: Mapping[int, int] | None = None) -> int:
        """Write records in one transaction, each change exactly once; return the position of the last change.

        Records of a partition before its last journalled offset are skipped, and so is every change whose id is
        known: repeats are harmless, however they are cut into calls.

        `log` names the log that the offsets are in, by an id it was given when it was made. In another one than
        before they begin anew, so that no record of it is skipped; and what is open is closed first, for the engine of
        the new log knows nothing of it. Empty: the same log as ever.

        `after`: by partition, the offset that the journal has reached as far as the caller knows. Where it has not
        (any more), nothing is written and `JournalWentBack` raised: what lies between is to be recorded first.
        """
        records = list(records)
        try:
            return self._record(records, log, after or {}, look=False)
        except sa.exc.IntegrityError:  # an offset that is new, and yet a change that is not
            return self._record(records, log, after or {}, look=True)

    def _record(self, records: list[Record], log: str, after: Mapping[int, int], *, look: bool) -> int:
        """Write records as `record` does. `look` for each change; else for those of new offsets only in the call."""
        with self.engine.begin() as connection:
            connected = self._connected
            position = first = self._begin(connection)
            before, reached = _standing(connection)
            if not log or before == log:
                for partition, offset in after.items():
                    if reached.get(partition, -1) < offset:
                        raise JournalWentBack(f"partition {partition}: {reached.get(partition)} instead of {offset}")
            if log and before != log:
                if before is not None:  # a journal from before logs had ids goes on
                    position = _close(connection, position, log, "log.replaced", _latest(records))
                connection.execute(sa.delete(positions))
                reached.clear()
                _upsert(connection, logs, [{"name": LOG, "id": log}])
                _upsert(connection, counters, [{"name": _BEGAN, "value": position}])
            fresh: list[tuple[int, int, Change]] = []
            perhaps: set[str] = set()  # ids that the journal may have
            renamed: list[Published] = []
            told: list[Reported] = []
            proposed: list[ProposalChange] = []
            in_mode: list[ModeChange] = []
            hushed: list[SilenceChange] = []
            ending: list[ModeChange | SilenceChange] = []
            together: list[CandidateChange] = []
            signed: list[HandoverSigned] = []
            drilled: list[ExerciseChange] = []
            shadowed: list[ShadowChange | ShadowVerdict] = []
            for record in records:
                last = reached.get(record.partition)
                if last is not None and record.offset < last:
                    continue
                reached[record.partition] = record.offset
                changes = [one for one in record.outcomes if isinstance(one, Change)]
                if look or last is None or record.offset == last:
                    perhaps.update(one.id for one in changes)
                else:
                    perhaps.update(one.id for one in changes if isinstance(one, CommandResult))  # named by who asked
                if last is None or record.offset > last:
                    renamed += [one for one in record.outcomes if isinstance(one, Published) and one.renamed]
                shadowed += [one for one in record.outcomes if isinstance(one, ShadowChange | ShadowVerdict)]
                proposed += [one for one in record.outcomes if isinstance(one, ProposalChange)]
                in_mode += [one for one in record.outcomes if isinstance(one, ModeChange)]
                together += [one for one in record.outcomes if isinstance(one, CandidateChange)]
                hushed += [one for one in record.outcomes if isinstance(one, SilenceChange)]
                told += [one for one in record.outcomes if isinstance(one, Reported)]
                drilled += [one for one in record.outcomes if isinstance(one, ExerciseChange)]
                if last is None or record.offset > last:
                    ending += [one for one in record.outcomes if isinstance(one, ModeChange | SilenceChange)]
                signed += [one for one in record.outcomes if isinstance(one, HandoverSigned)]
                fresh += [(record.partition, record.offset, one) for one in changes]
            _upsert(connection, positions, [{"partition": p, "offset": offset} for p, offset in reached.items()])
            batch = _Batch(connection, position)
            batch.add(fresh, perhaps)
            batch.warn(ending)
            batch.write()
            batch.report(told)
            batch.shadow(shadowed)
            batch.propose(proposed)
            batch.put_in_mode(in_mode)
            batch.silence(hushed)
            batch.suggest(together)
            batch.exercise(drilled)
            _upsert(connection, handovers, [msgspec.structs.asdict(one) for one in signed], update=False)
            for one in renamed:
                batch.rename(one)
            if batch.position != first:
                _move(connection, batch.position)
        self._leapt = connected
        return batch.position

    def back_to(self, partition: int, offset: int, log: str) -> int:
        """Take a partition's records from beyond an offset again, where the log goes no further than that any more.

        Return how many offsets the journal had been ahead, 0 where it was not, or of another log, and all is as before.
        What was told of the lost ones stays, but gives its ids free: heard once more, it happens under the same. What
        they were about stands again as the changes before left it, as the engine has it: what was closed then is open.
        """
        with self.engine.begin() as connection:
            before, reached = _standing(connection)
            ahead = reached.get(partition, offset) - offset if before == log else 0
            if ahead > 0:
                _upsert(connection, positions, [{"partition": partition, "offset": offset}])
                _free(connection, partition, offset)
        return max(0, ahead)

    def forget(
        self,
        partition: int,
        known: Collection[str],
        records: Iterable[Record],
        time: float,
        elsewhere: Collection[str] = (),
    ) -> int:
        """Bring a partition to where an engine stands that began again in the middle; return the position.

        What is open but not among the ids that it knows is closed: nobody could do so otherwise. Silences, modes and
        drills that it knows last again, should they have ended in what its log has lost. Of `records`, what
        it found on its way and still knows is taken in. A drill goes on that has areas `elsewhere`, those of the other
        partitions, unless they have forgotten it before.
        """
        with self.engine.begin() as connection:
            connected = self._connected
            first = self._begin(connection)
            _last(connection, partition, known)
            position = _close(connection, first, f"{time:.3f}", "log.forgotten", time, partition, known, elsewhere)
            batch = _Batch(connection, position)
            batch.add(
                [
                    (record.partition, record.offset, one)
                    for record in records
                    for one in record.outcomes
                    if isinstance(one, Change) and getattr(one, _TABLES[type(one)][1]) in known
                ]
            )
            batch.write()
            if batch.position != first:
                _move(connection, batch.position)
        self._leapt = connected
        return batch.position

    def _begin(self, connection: Connection) -> int:
        """Return the position to go on from: that of the last change, or far beyond it on a new connection."""
        position = _position(connection)
        if position and self._connected != self._leapt:
            position += LEAP
            _move(connection, position)
        return position


class _Batch:
    """The rows that one call of `record` writes."""

    def __init__(self, connection: Connection, position: int) -> None:
        self.connection = connection
        self.position = position
        self._changes: dict[str, list[Row]] = {table.name: [] for table, _ in _TABLES.values()}
        self.standing: dict[str, dict[str, Row]] = {"alarms": {}, "incidents": {}, "dispatches": {}}
        self._outbox: list[Row] = []
        self._areas: dict[str, Row] = {}
        self._snapshots: list[Row] = []
        self._attachments: list[Row] = []
        self._plans: dict[str, Row] = {}
        self._merged: list[tuple[str, str]] = []  # incidents that ended in another, in order

    def add(self, fresh: list[tuple[int, int, Change]], perhaps: set[str] | None = None) -> None:
        """Take in the changes that are not in the journal yet, in order. It may have `perhaps`; None: any of them."""
        known = self._known([one for _, _, one in fresh if perhaps is None or one.id in perhaps])
        fresh = [item for item in fresh if (type(item[2]), item[2].id) not in known]
        self._load(fresh)
        for partition, offset, change in fresh:
            if (type(change), change.id) in known:
                continue  # twice in one call
            known.add((type(change), change.id))
            self.position += 1
            table, key = _TABLES[type(change)]
            row = {
                "position": self.position,
                "id": change.id,
                "time": change.time,
                "partition": partition,
                "offset": offset,
                "record": {"type": type(change).__struct_config__.tag, **plain(change)},
            }
            if key != "id":
                row[key] = getattr(change, key)
            self._changes[table.name].append(row)
            _FOLD[type(change)](self, change)

    def write(self) -> None:
        """Write all rows, if there are any."""
        for table, _ in _TABLES.values():
            if self._changes[table.name]:
                self.connection.execute(sa.insert(table), self._changes[table.name])
        self.stand()
        _upsert(self.connection, plans, list(self._plans.values()), update=False)
        if self._snapshots:
            self.connection.execute(sa.insert(snapshots), self._snapshots)
        if self._attachments:
            self.connection.execute(sa.insert(attachments), self._attachments)
        for before, after in self._merged:  # what had ended by then as well: the case is one
            for table in (alarms, dispatches, snapshots):
                self.connection.execute(sa.update(table).where(table.c.incident == before).values(incident=after))
        told = self._outbox + list(self._areas.values())
        if told:
            self.connection.execute(sa.insert(outbox), sorted(told, key=lambda row: int(row["position"])))

    def stand(self) -> None:
        """Write how alarms, incidents and dispatches stand."""
        for table in _CURRENT.values():
            _upsert(self.connection, table, list(self.standing[table.name].values()))

    def report(self, told: list[Reported]) -> None:
        """Keep what people reported; what is there already stays as it is."""
        rows = []
        for one in told:
            self.position += 1
            rows.append({"number": self.position, **msgspec.structs.asdict(one)})
        _upsert(self.connection, reports, rows, update=False)

    def shadow(self, told: list[ShadowChange | ShadowVerdict]) -> None:
        """Keep what became of shadow rules, and how their alarms compare."""
        sets: dict[tuple[str, int], Row] = {}
        pairs: dict[str, Row] = {}
        for one in told:
            if isinstance(one, ShadowVerdict):
                self.position += 1
                row = {name: getattr(one, name) for name in one.__struct_fields__ if name != "id"}
                pairs[one.pair] = row | {"number": self.position}
                continue
            key = one.shadow, one.partition
            if key not in sets:
                known = sa.select(shadows).where(shadows.c.id == key[0], shadows.c.partition == key[1])
                found = self.connection.execute(known).mappings().first()
                sets[key] = dict(found) if found is not None else begun_shadow(one)
            fold_shadow(sets[key], one)
        _upsert(self.connection, shadows, list(sets.values()))
        _upsert(self.connection, shadow_verdicts, list(pairs.values()))

    def propose(self, told: list[ProposalChange]) -> None:
        """Keep where publications that wait stand."""
        rows = {}
        for one in told:
            row = {name: getattr(one, name) for name in one.__struct_fields__ if name != "id"}
            rows[one.number] = row | {"difference": list(one.difference)}
        _upsert(self.connection, proposals, list(rows.values()))

    def warn(self, told: list[ModeChange | SilenceChange]) -> None:
        """Have people told of what is nearly over; every partition says so, and the event's id is the same."""
        for one in told:
            if one.event is None:
                continue
            self.position += 1
            area = (one.event["data"]["area"] or {"id": SYSTEM})["id"]
            row = {"position": self.position, "id": one.event["id"], "kind": "dispatch", "area": area, "unit": ""}
            self._outbox.append({**row, "simulated": False, "time": one.time, "payload": one.event})

    def put_in_mode(self, told: list[ModeChange]) -> None:
        """Keep which modes of the site begin and end, where."""
        rows: dict[tuple[str, str, int], Row] = {}
        for one in told:
            key = one.order, one.area, one.partition
            if key not in rows:
                at = (modes.c.order == key[0], modes.c.area == key[1], modes.c.partition == key[2])
                known = self.connection.execute(sa.select(modes).where(*at)).mappings().first()
                rows[key] = dict(known) if known is not None else begun_mode(one)
            fold_mode(rows[key], one)
        _upsert(self.connection, modes, list(rows.values()))

    def silence(self, told: list[SilenceChange]) -> None:
        """Keep which silences begin and end."""
        rows: dict[tuple[str, int], Row | None] = {}
        for one in told:
            key = one.silence, one.partition
            if key not in rows:
                at = (silences.c.id == key[0], silences.c.partition == key[1])
                known = self.connection.execute(sa.select(silences).where(*at)).mappings().first()
                rows[key] = dict(known) if known is not None else None
            rows[key] = fold_silence(rows[key], one)
        _upsert(self.connection, silences, [row for row in rows.values() if row is not None])

    def suggest(self, told: list[CandidateChange]) -> None:
        """Keep which incidents may be one matter, and what became of the thought."""
        rows: dict[str, Row] = {}
        for one in told:
            known: Any = rows.get(one.candidate)
            if known is None:
                query = sa.select(candidates).where(candidates.c.id == one.candidate)
                known = self.connection.execute(query).mappings().first()
            rows[one.candidate] = fold_candidate(known, one)
        _upsert(self.connection, candidates, list(rows.values()))

    def exercise(self, told: list[ExerciseChange]) -> None:
        """Keep when drills began and ended; each partition says so."""
        for one in told:
            row = {name: getattr(one, name) for name in ("title", "actor", "objectives")}
            row |= {"id": one.exercise, "areas": list(one.areas), "units": list(one.units)}
            if one.edge == "begin":
                _upsert(self.connection, exercises, [{**row, "began": one.time, "ended": None}], update=False)
            else:
                ended = sa.update(exercises).where(exercises.c.id == one.exercise, exercises.c.ended.is_(None))
                self.connection.execute(ended.values(ended=one.time))

    def rename(self, published: Published) -> None:
        """Have what is past be found under the ids of now; the records of each change stay as they were written.

        The notifiers are told of both ids of an area: what they keep posted of the former one must go.
        """
        write = self.connection.execute
        areas = published.renamed.get("areas", {})
        watched = {**published.renamed.get("cameras", {}), **published.renamed.get("points", {})}
        for old, new in watched.items():
            write(sa.update(alarms).where(alarms.c.scope == old, alarms.c.area != old).values(scope=new))
        for old, new in areas.items():
            write(sa.update(alarms).where(alarms.c.scope == old, alarms.c.area == old).values(scope=new))
            for table in (alarms, incidents, dispatches, snapshots, reports, modes):
                write(sa.update(table).where(table.c.area == old).values(area=new))
        for old, new in published.renamed.get("cameras", {}).items():
            write(sa.update(snapshots).where(snapshots.c.camera == old).values(camera=new))
        told = []
        for place, area in enumerate(name for pair in areas.items() for name in pair):
            self.position += 1
            told.append(
                {
                    "position": self.position,
                    "id": f"{published.id}.{place}",
                    "kind": "area",
                    "area": area,
                    "unit": "",
                    "simulated": False,
                    "time": published.time,
                    "payload": None,
                }
            )
        if told:
            self.connection.execute(sa.insert(outbox), told)

    def _known(self, changes: list[Change]) -> set[tuple[type, str]]:
        """Find the changes that the journal has already."""
        known: set[tuple[type, str]] = set()
        for kind, (table, _) in _TABLES.items():
            ids = [change.id for change in changes if type(change) is kind]
            for some in _chunks(ids):
                query = sa.select(table.c.id).where(table.c.id.in_(some))
                known.update((kind, str(id)) for (id,) in self.connection.execute(query))
        return known

    def _load(self, fresh: list[tuple[int, int, Change]]) -> None:
        """Read the current rows that the changes are about; what begins with one of them has none."""
        begun = {getattr(change, _TABLES[type(change)][1]) for _, _, change in fresh if _begins(change)}
        for kind, table in _CURRENT.items():
            key = _TABLES[kind][1]
            ids = list(dict.fromkeys(getattr(change, key) for _, _, change in fresh if type(change) is kind))
            ids = [id for id in ids if id not in begun]
            for some in _chunks(ids):
                query = sa.select(table).where(table.c.id.in_(some))
                for row in self.connection.execute(query).mappings():
                    self.standing[table.name][str(row["id"])] = dict(row)

    def _row(self, table: str, id: str, **first: Any) -> Row:
        """Return an object's current row, made from `first` when it is new."""
        row = self.standing[table].get(id)
        if row is None:
            row = self.standing[table][id] = {"id": id, "number": self.position, **first}
        row["position"] = self.position
        return row

    def alarm(self, change: AlarmTransition) -> None:
        """Fold a transition into its alarm."""
        row = self._row(
            "alarms",
            change.alarm,
            rule=change.rule,
            kind=change.kind,
            area=change.area,
            scope=change.scope,
            opened=change.time,
            title=change.title or {"zh": change.rule, "en": change.rule},
            rationale=change.rationale,
            acknowledged_by=None,
            explanation=None,
            simulated=change.simulated,
        )
        row |= {
            "sequence": change.sequence,
            "open": change.after != "NORM",
            "rule_version": change.rule_version,
            "state": change.after,
            "level": change.level,
            "onset": change.onset,
            "time": change.time,
            "incident": change.incident or None,
            "aside": plain(change.aside) if change.aside is not None and change.after in ASIDE else None,
            "until": change.aside.until if change.aside is not None and change.after in ASIDE else None,
            "assignee": change.assignee or None,
            "marks": list(change.marks),
            "folded": change.folded,
            "exercise": change.exercise or None,
        }
        if change.explanation is not None and change.edge != "return":  # what would explain a calm is not why it rang
            row["explanation"] = plain(change.explanation)
        if change.attachment is not None:
            self._attachments.append(
                {
                    "id": change.id,
                    "alarm": change.alarm,
                    "time": change.time,
                    "by": change.actor,
                    **plain(change.attachment),
                }
            )
        if change.edge == "acknowledge":
            row["acknowledged_by"] = change.actor
        elif change.after == "UNACK" and change.before != "UNACK":
            row["acknowledged_by"] = None
        self._areas[change.area] = self._told(change.id, "area", change, unit="", payload=None)

    def incident(self, change: IncidentChange) -> None:
        """Fold a change into its incident; keep a camera's picture."""
        row = self._row(
            "incidents", change.incident, acknowledged_by=None, disposition="", reason="", plan=None, ticks=None
        )
        row |= {
            "sequence": change.sequence,
            "open": change.state != "closed",
            "area": change.area,
            "kind": change.kind,
            "state": change.state,
            "level": change.level,
            "peak": change.peak or change.level,
            "cause": change.cause,
            "alarms": list(change.alarms),
            "title": change.title,
            "opened": change.opened,
            "time": change.time,
            "simulated": change.simulated,
            "exercise": change.exercise or None,
            "sort": change.sort or None,
            "subject": change.subject or None,
        }
        if change.edge == "acknowledged":
            row["acknowledged_by"] = change.actor
        elif change.unacknowledged or change.state == "open":  # records of old do not have the first
            row["acknowledged_by"] = None
        if change.edge == "merged":
            self._merged.append((change.incident, change.args["into"]))
        if change.edge in ("closed", "merged"):
            row |= {"disposition": change.disposition, "reason": change.reason}
        elif change.edge == "planned":
            self._plan(row, change)
        elif change.edge in ("ticked", "unticked"):
            self._tick(row, change)
        elif change.edge == "snapshot":
            self._snapshots.append(
                {
                    "id": change.id,
                    "position": self.position,
                    "incident": change.incident,
                    "area": change.area,
                    **{name: change.args[name] for name in ("camera", "sha", "time")},
                }
            )
        if change.event is not None:  # nobody is on it: of no unit's, for all who listen
            told = self._told(change.id, "dispatch", change, unit="", payload=change.event)
            self._outbox.append(told | {"area": change.event["data"]["area"]["id"]})  # where somebody is wanted

    def _plan(self, row: Row, change: IncidentChange) -> None:
        """Keep the plan that an incident has from now on, and the ticks of steps that it still has."""
        key, content = change.args["plan"], change.args["content"]
        self._plans[key] = {"key": key, "content": content}
        same = (row["plan"] or "").partition("@")[0] == content["id"]
        steps = {step["id"] for step in content["steps"]} if same else set()
        row["ticks"] = {step: tick for step, tick in (row["ticks"] or {}).items() if step in steps}
        row["plan"] = key

    def _tick(self, row: Row, change: IncidentChange) -> None:
        """Keep who ticked a step of the plan, or that nobody has after all."""
        ticks = dict(row["ticks"] or {})
        ticks.pop(change.args["step"], None)
        if change.edge == "ticked":
            at = change.args.get("time", change.time)  # of a step that was done on an incident merged into this one
            ticks[change.args["step"]] = {"by": change.actor, "time": at, "note": change.reason}
        row["ticks"] = ticks

    def dispatch(self, change: DispatchChange) -> None:
        """Fold a change into its dispatch, and have its event told."""
        row = self._row("dispatches", change.dispatch, issued=change.time, note="")
        data = (change.event or {}).get("data", {})
        row |= {
            "sequence": change.sequence,
            "open": change.leg in OPEN,
            "incident": change.incident,
            "area": change.area,
            "unit": change.unit,
            "leg": change.leg,
            "level": change.level,
            "deadline": change.deadline,
            "overdue": change.overdue,
            "time": change.time,
            "simulated": change.simulated,
            "lead": change.lead,
            "repair": change.repair,
            "note": data.get("note") or row["note"],
        }
        if change.event is not None:
            self._outbox.append(self._told(change.id, "dispatch", change, unit=change.unit, payload=change.event))

    def result(self, change: CommandResult) -> None:
        """Need nothing beyond the answer itself."""

    def _told(self, id: str, kind: str, change: AlarmTransition | IncidentChange | DispatchChange, **rest: Any) -> Row:
        """Make an outbox row."""
        return {
            "position": self.position,
            "id": id,
            "kind": kind,
            "area": change.area,
            "simulated": change.simulated,
            "time": change.time,
            **rest,
        }


# statements are made once: building one takes longer than running it
_CHANGES = sa.update(counters).where(counters.c.name == "changes")
_HOLD = _CHANGES.values(value=counters.c.value).returning(counters.c.value)
_MOVE = _CHANGES.values(value=sa.bindparam("position"))
_STANDING = sa.union_all(
    sa.select(logs.c.id, sa.literal(None, sa.Integer()).label("partition"), sa.literal(0).label("offset")).where(
        logs.c.name == LOG
    ),
    sa.select(sa.literal(None, sa.String()), positions.c.partition, positions.c.offset),
)


def _position(connection: Connection) -> int:
    """Return the position of the last change. Ask first: it holds other writers off, so that they show in order."""
    return int(connection.scalar(_HOLD) or 0)


def _standing(connection: Connection) -> tuple[str | None, dict[int, int]]:
    """Return the id of the log that was journalled last, None without one, and the offset reached in each partition."""
    rows = connection.execute(_STANDING).all()
    ids = [str(row.id) for row in rows if row.partition is None]
    return (ids[0] if ids else None), {int(row.partition): int(row.offset) for row in rows if row.partition is not None}


def _begins(change: Change) -> bool:
    """Tell whether a change is the first of what it is about."""
    return not isinstance(change, CommandResult) and change.sequence == 1


def _move(connection: Connection, position: int) -> None:
    connection.execute(_MOVE, {"position": position})


def _latest(records: list[Record]) -> float:
    """Return the time of the newest outcome, 0 when none has one."""
    return max((getattr(one, "time", 0.0) for record in records for one in record.outcomes), default=0.0)


def _close(
    connection: Connection,
    position: int,
    mark: str,
    reason: str,
    time: float,
    partition: int | None = None,
    known: Collection[str] = (),
    elsewhere: Collection[str] = (),
) -> int:
    """Close what is open, of a partition or all, but for what is known; return the position reached.

    The ids end in `mark`, so that none is taken for one that an engine gives.
    """
    last: dict[str, dict[str, Any]] = {}
    for change, current in _CURRENT.items():
        table, key = _TABLES[change]
        query = (
            sa.select(table).join(current, current.c.position == table.c.position).where(current.c.open == sa.true())
        )
        if partition is not None:
            query = query.where(table.c.partition == partition)
        for row in connection.execute(query.order_by(table.c.position)).mappings():
            if row[key] not in known:
                last[str(row[key])] = dict(row)
    over: Row = {"state": "ended", "ended_why": reason, "time": time}
    thought = candidates.c.state.in_(("open", "dropped"))
    lasting: list[tuple[sa.Column[str], sa.ColumnElement[bool], Row]] = [
        (modes.c.order, modes.c.state == "on", over),
        (candidates.c.id, thought, {"state": "over", "reason": reason, "time": time}),
        (silences.c.id, silences.c.state == "on", over),
    ]
    for id_of, on, ends in lasting:
        here = on if partition is None else sa.and_(id_of.table.c.partition == partition, on)
        held = connection.scalars(sa.select(id_of).where(here)).all()
        # what is known is held against what is on here: it can be more than a statement may have parameters
        for ids in _chunks([id for id in held if partition is None or id not in known]):
            connection.execute(sa.update(id_of.table).where(here, id_of.in_(ids)).values(**ends))
    drilled = sa.update(exercises).where(exercises.c.ended.is_(None))
    if partition is not None:
        drilled = drilled.where(exercises.c.id.in_(_forget_drills(connection, known, elsewhere)))
    connection.execute(drilled.values(ended=time))
    batch = _Batch(connection, position)
    # dispatches end first and incidents last, as they do at the desk
    order = {"dispatch": 0, "alarm": 1, "incident": 2}
    still = sorted(last.items(), key=lambda item: (order[item[1]["record"]["type"]], item[1]["position"]))
    _, reached = _standing(connection)
    at = [(row["partition"], reached.get(row["partition"], row["offset"])) for _, row in still]  # offsets never fall
    batch.add(
        [(*where, ended(id, row["record"], mark, reason, time)) for where, (id, row) in zip(at, still, strict=True)]
    )
    batch.write()
    return batch.position


def _last(connection: Connection, partition: int, known: Collection[str]) -> None:
    """Have the silences, modes, drills and candidates last that an engine knows, though the journal has their end."""
    nobody = {"state": "on", "ended_by": "", "ended_why": ""}

    def over(id_of: sa.Column[str], there: sa.ColumnElement[bool]) -> Iterable[list[str]]:
        """List those that ended among the known: there are fewer of them than of all that is known."""
        return _chunks(sorted(set(connection.scalars(sa.select(id_of).where(there))).intersection(known)))

    hushed = sa.and_(silences.c.partition == partition, silences.c.state != "on")
    for ids in over(silences.c.id, hushed):
        connection.execute(sa.update(silences).where(hushed, silences.c.id.in_(ids)).values(**nobody))
    for ids in over(exercises.c.id, exercises.c.ended.is_not(None)):
        connection.execute(sa.update(exercises).where(exercises.c.id.in_(ids)).values(ended=None))
    decided = sa.and_(candidates.c.partition == partition, candidates.c.state.in_(("merged", "over")))
    for ids in over(candidates.c.id, decided):
        connection.execute(sa.update(candidates).where(decided, candidates.c.id.in_(ids)).values(state="open"))
    for ids in over(modes.c.order, sa.and_(modes.c.partition == partition, modes.c.state != "on")):
        ordered = sa.and_(modes.c.partition == partition, modes.c.order.in_(ids))
        on = sa.select(modes.c.order).where(ordered, modes.c.state == "on")
        ends = sa.select(modes.c.order, sa.func.max(modes.c.time).label("time")).where(
            ordered, modes.c.order.not_in(on)
        )
        # of an order for several areas those that ended last: what a log has lost is its end
        for order, time in connection.execute(ends.group_by(modes.c.order)).all():
            at = sa.and_(modes.c.partition == partition, modes.c.order == order, modes.c.time == time)
            connection.execute(sa.update(modes).where(at).values(**nobody))


def _free(connection: Connection, partition: int, offset: int) -> None:
    """Mark the ids of a partition's changes from beyond an offset, so that none stands in the way of a new one."""
    mark = f"{_LOST}{_position(connection)}"
    began = int(connection.scalar(sa.select(counters.c.value).where(counters.c.name == _BEGAN)) or 0)
    merged: set[str] = set()
    for kind, (table, key) in _TABLES.items():
        here = sa.and_(table.c.partition == partition, _is_kept(table))  # not what was lost before
        since = _since(connection, table, here, offset, began)
        lost = sa.and_(here, table.c.offset > offset, table.c.position > since)
        ids = sa.select(table.c.id).where(lost)
        for held in (attachments, snapshots):  # they are named by the change that put them there
            connection.execute(
                sa.update(held).where(held.c.id.in_(ids)).values(id=_marked(held.c.id, sa.literal(mark), len(mark)))
            )
        if kind is IncidentChange:
            told = connection.scalars(sa.select(table.c.record).where(lost))
            merged = {str(one["args"]["into"]) for one in told if one["edge"] == "merged"}
        named: Iterable[Any] = () if kind is CommandResult else connection.scalars(sa.select(table.c[key]).where(lost))
        about = [*dict.fromkeys(map(str, named))]  # DISTINCT would walk the whole index
        # each by its own place: of ids that are longer than engines give, many may begin alike
        own = sa.literal(_LOST) + sa.cast(table.c.position, sa.String)
        connection.execute(sa.update(table).where(lost).values(id=_marked(table.c.id, own, len(_LOST) + _DIGITS)))
        for some in _chunks(about):
            _fold_again(connection, kind, some)
    if merged:
        part_again(connection, merged)


def _since(connection: Connection, table: sa.Table, here: sa.ColumnElement[bool], offset: int, began: int) -> int:
    """Find a position after which all lost changes are: they are the last, and a journal of years is not walked.

    `here` are the partition's changes. Those of another log, up to `began`, have offsets that say nothing of this one.
    """
    at = int(connection.scalar(sa.select(sa.func.max(table.c.position))) or 0)
    while at > began:
        before = max(at - _RECENT, began)
        some = sa.select(sa.func.max(table.c.offset)).where(here, table.c.position.between(before + 1, at))
        reached = connection.scalar(some)
        if reached is not None and reached <= offset:  # where there are others' only, its own may be further back
            return before
        at = before
    return began


def _is_kept(table: sa.Table) -> sa.ColumnElement[bool]:
    """Tell whether the log that is has a change."""
    return table.c.id.not_like(f"%{_LOST}%")


def _marked(id: sa.Column[str], mark: sa.ColumnElement[str], most: int) -> sa.ColumnElement[str]:
    """Mark an id, however long it is, with `most` characters: a database may hold its length."""
    return sa.func.substr(id, 1, _ID - most) + mark


def _fold_again(connection: Connection, kind: type, ids: list[str]) -> None:
    """Bring alarms, incidents or dispatches to where their changes that are not lost leave them, if there are any.

    Each keeps its place in lists, and what it is about the name of now: the changes tell of it by that of their time.
    """
    table, key = _TABLES[kind]
    current = _CURRENT[kind]
    lasting = [column for column in current.c if column.name in ("number", "area", "scope")]
    query = sa.select(table).where(table.c[key].in_(ids), _is_kept(table))
    batch = _Batch(connection, 0)
    for row in connection.execute(query.order_by(table.c.position)).mappings():
        batch.position = int(row["position"])
        _FOLD[kind](batch, msgspec.convert(row["record"], kind, strict=False))
    folded = batch.standing[current.name]
    for row in connection.execute(sa.select(current.c.id, *lasting).where(current.c.id.in_(ids))).mappings():
        if row["id"] in folded:
            folded[row["id"]] |= row
    batch.stand()


def _forget_drills(connection: Connection, known: Collection[str], elsewhere: Collection[str]) -> list[str]:
    """Note where drills are known no more; name those that no other partition can know of either.

    Partitions that have all lost their memory say so one after another, so what each has lost is kept.
    """
    columns = (exercises.c.id, exercises.c.areas, exercises.c.forgotten)
    over = []
    for row in connection.execute(sa.select(*columns).where(exercises.c.ended.is_(None))).all():
        if row.id in known:
            continue
        lost = {*(row.forgotten or ()), *(area for area in row.areas if area not in elsewhere)}
        if lost.issuperset(row.areas):
            over.append(row.id)
        else:
            noted = sa.update(exercises).where(exercises.c.id == row.id)
            connection.execute(noted.values(forgotten=sorted(lost)))
    return over


_TABLES: dict[type, tuple[sa.Table, str]] = {
    AlarmTransition: (transitions, "alarm"),
    IncidentChange: (incident_changes, "incident"),
    DispatchChange: (dispatch_changes, "dispatch"),
    CommandResult: (results, "target"),
}

_CURRENT: dict[type, sa.Table] = {AlarmTransition: alarms, IncidentChange: incidents, DispatchChange: dispatches}
"""How what the changes are about stands."""

_FOLD: dict[type, Callable[[_Batch, Any], None]] = {
    AlarmTransition: _Batch.alarm,
    IncidentChange: _Batch.incident,
    DispatchChange: _Batch.dispatch,
    CommandResult: _Batch.result,
}


def _upsert(connection: Connection, table: sa.Table, rows: list[Row], *, update: bool = True) -> None:
    """Insert rows, or bring those that are there up to date."""
    if rows:
        connection.execute(_upsert_statement(connection.dialect.name, table, update), rows)


@cache
def _upsert_statement(dialect: str, table: sa.Table, update: bool) -> Any:
    """Make the statement, once."""
    # the module of the other database is not loaded
    statement: Any = importlib.import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    keys = [column.name for column in table.primary_key]
    if not update:
        return statement.on_conflict_do_nothing(index_elements=keys)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def plain(value: Any) -> Any:
    """Turn an outcome into plain data with every field present, also those at their default."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    """Cut ids into lists that one statement may take."""
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
