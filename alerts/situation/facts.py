"""What the journal says of a span, area by area: counted by the database, which looks at the span's rows only.

Risk alarms and incidents alone are counted; what is simulated or part of an exercise is told of by its number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql import ColumnElement

from alerts import exercise
from alerts.load import RINGS, Habit, habit
from alerts.operations import troubles
from alerts.queries import Reader
from alerts.situation.period import Span
from alerts.tables import alarms, dispatch_changes, dispatches, exercises, incident_changes, incidents, transitions
from sensors.site import LEVELS, RANK

SLACK = 6 * 3600.0
"""Seconds by which partitions' clocks may have been apart when the journal was written."""

MOST = 100_000
"""Rows that are read one by one of one kind: with more, times and leads are those of the first so many."""

MOST_LEADS = 20_000
"""Records that are read whole to find when a limit was reached."""

LASTING = 62 * 86400.0
"""Seconds before a span's end within which a trouble began that lasted beyond the end and is over by now."""

MOST_DRILLS = 20
_FENCE = 5_000_000  # rows: with a limit the database looks at the span's rows first, whatever they are joined with
_NAMED = 10_000  # points that one statement may name
LEGS = ("acknowledge", "accept", "on_scene", "resolve", "close")
"""What is timed: from the opening of an incident to its acknowledgement and its end, and from the issue of an order."""

_EDGES = {"accepted": "accept", "on_scene": "on_scene", "resolved": "resolve"}


class Lead(msgspec.Struct, frozen=True):
    """How long before a point reached its limit the first warning of its incident came. `seconds` is 0 or more."""

    area: str
    incident: str
    title: dict[str, str]
    point: str
    warned: float
    seconds: float


class Facts(msgspec.Struct, kw_only=True):
    """Counts of one span by area. A part is the place of an hour or day in the span."""

    span: Span
    since: float | None = None  # when the journal begins, unix seconds
    alarms: Counter[tuple[str, str, int]] = msgspec.field(default_factory=Counter)  # area, highest level, part
    rules: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # area, rule
    titles: dict[str, dict[str, str]] = {}  # rule → its title
    actors: Counter[tuple[str, str, str, Habit]] = msgspec.field(default_factory=Counter)  # area, rule, scope, what
    opened: Counter[tuple[str, str, int]] = msgspec.field(default_factory=Counter)  # area, peak, part
    closed: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # area, disposition
    times: dict[str, list[tuple[str, float]]] = {}  # leg → area, seconds
    orders: Counter[str] = msgspec.field(default_factory=Counter)  # area → issued
    overdue: Counter[str] = msgspec.field(default_factory=Counter)  # area → of those, late at some leg
    leads: list[Lead] = []
    troubles: dict[str, list[tuple[float, float]]] = {}  # point or camera → times of bad data
    drills: list[dict[str, Any]] = []
    left_out: int = 0  # alarms that were simulated or part of an exercise
    cut: bool = False  # there were more rows than are read


def gather(reader: Reader, span: Span, limits: Mapping[str, float]) -> Facts:
    """Count what happened in a span. `limits` are those of points, by id, for the time that warnings won."""
    facts = Facts(span=span, since=reader.first(), times={leg: [] for leg in LEGS})
    with reader.engine.connect() as connection:
        rung = _among(connection, alarms, alarms.c.opened, span)
        cases = _among(connection, incidents, incidents.c.opened, span)
        sent = _among(connection, dispatches, dispatches.c.issued, span)
        _alarms(connection, facts, rung)
        _actors(connection, facts)
        _incidents(connection, facts, cases)
        _orders(connection, facts, sent)
        _leads(connection, facts, cases, limits)
        _troubles(connection, facts)
        drilled = sa.select(exercises.c.id).where(exercises.c.began >= span.begin, exercises.c.began < span.end)
        ids = [str(id) for (id,) in connection.execute(drilled.order_by(exercises.c.began).limit(MOST_DRILLS))]
    for id in ids:
        drill = reader.exercise(id)
        if drill is not None:
            facts.drills.append(exercise.report(drill))
    return facts


def _among(
    connection: Connection, table: sa.Table, column: sa.Column[Any], span: Span
) -> tuple[ColumnElement[bool], ...]:
    """Make the conditions for rows that begin in a span: by their numbers, which are given in order of time."""
    low = _number(connection, table, column, span.begin - SLACK)
    high = _number(connection, table, column, span.end + SLACK)
    return table.c.number >= low, table.c.number < high, column >= span.begin, column < span.end


def _number(connection: Connection, table: sa.Table, column: sa.Column[Any], time: float, order: str = "number") -> int:
    """Find the first number whose row begins at a time or after: some twenty looks at an index, no walk."""
    number = table.c[order]
    low = int(connection.scalar(sa.select(sa.func.min(number))) or 0)
    high = int(connection.scalar(sa.select(sa.func.max(number))) or 0) + 1
    query = (
        sa.select(number.label("number"), column.label("at"))
        .where(number >= sa.bindparam("middle"))
        .order_by(number)
        .limit(1)
    )
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(query, {"middle": middle}).first()
        if row is None or row.at >= time:
            high = middle
        else:
            low = int(row.number) + 1
    return low


def _fenced(query: Any) -> Any:
    return query.limit(_FENCE).subquery()


def _real(table: sa.Table) -> tuple[ColumnElement[bool], ...]:
    return table.c.kind == "risk", table.c.simulated == sa.false(), table.c.exercise.is_(None)


def _part(column: sa.Column[Any], span: Span) -> ColumnElement[int]:
    inner = span.marks[1:-1]
    if not inner:
        return sa.literal(0)
    return sa.case(*((column < mark, n) for n, mark in enumerate(inner)), else_=len(inner))


def _rank(column: ColumnElement[str]) -> ColumnElement[int]:
    return sa.case(*((column == level, RANK[level]) for level in LEVELS), else_=0)


def said(table: sa.Table, name: str) -> ColumnElement[str]:
    """Give a text of a change's record, in either database."""
    found: ColumnElement[str] = table.c.record[name].as_string()
    return found


def _alarms(connection: Connection, facts: Facts, rung: tuple[ColumnElement[bool], ...]) -> None:
    """Count alarms by the highest level that they had; a row has the last, which steps down after calm."""
    rows = sa.select(alarms.c.area, alarms.c.level, _part(alarms.c.opened, facts.span).label("part"))
    of = rows.where(*rung, *_real(alarms)).subquery()
    counted = sa.select(of.c.area, of.c.level, of.c.part, sa.func.count()).group_by(of.c.area, of.c.level, of.c.part)
    for area, level, part, count in connection.execute(counted):
        facts.alarms[area, level, part] = count
    lower = (  # those whose incident was worse than they are: they may have been, too
        sa.select(alarms.c.id, alarms.c.area, alarms.c.level, _part(alarms.c.opened, facts.span).label("part"))
        .join(incidents, incidents.c.id == alarms.c.incident)
        .where(*rung, *_real(alarms), _rank(incidents.c.peak) > _rank(alarms.c.level))
        .limit(MOST)
        .subquery()
    )
    highest = (
        sa.select(lower.c.area, lower.c.level, lower.c.part, sa.func.max(_rank(said(transitions, "level"))))
        .join(transitions, transitions.c.alarm == lower.c.id)
        .group_by(lower.c.id, lower.c.area, lower.c.level, lower.c.part)
    )
    for area, level, part, rank in connection.execute(highest):
        if rank and rank > RANK[level]:
            facts.alarms[area, level, part] -= 1
            facts.alarms[area, LEVELS[rank - 1], part] += 1
    query = sa.select(alarms.c.area, alarms.c.rule, sa.func.count(), sa.func.max(alarms.c.id))
    one: dict[str, str] = {}
    for area, rule, count, id in connection.execute(
        query.where(*rung, *_real(alarms)).group_by(alarms.c.area, alarms.c.rule)
    ):
        facts.rules[area, rule] = count
        one[id] = rule
    ids = sorted(one)
    for start in range(0, len(ids), 500):
        named = sa.select(alarms.c.id, alarms.c.title).where(alarms.c.id.in_(ids[start : start + 500]))
        facts.titles |= {one[id]: title for id, title in connection.execute(named)}
    unreal = sa.or_(alarms.c.simulated == sa.true(), alarms.c.exercise.is_not(None))
    facts.left_out = int(connection.scalar(sa.select(sa.func.count()).select_from(alarms).where(*rung, unreal)) or 0)


def _actors(connection: Connection, facts: Facts) -> None:
    """Count who rang, chattered and went stale, of the site's rules: what people told of is about a person."""
    span, time = facts.span, transitions.c.time
    low, high = (
        _number(connection, transitions, time, at, "position") for at in (span.begin - SLACK, span.end + SLACK)
    )
    edge = said(transitions, "edge")
    query = (
        sa.select(transitions.c.record)
        .where(transitions.c.position >= low, transitions.c.position < high, time >= span.begin, time < span.end)
        .where(edge.in_((*RINGS, "stale")))
        .order_by(transitions.c.position)
        .limit(MOST + 1)
    )
    found = connection.scalars(query).all()
    facts.cut |= len(found) > MOST
    for record in found[:MOST]:
        what = habit(record) if record["kind"] == "risk" and not record.get("simulated") else None
        if what is not None and not record["rule"].startswith("@"):
            facts.actors[record["area"], record["rule"], record["scope"], what] += 1


def _incidents(connection: Connection, facts: Facts, cases: tuple[ColumnElement[bool], ...]) -> None:
    span = facts.span
    rows = sa.select(incidents.c.area, incidents.c.peak, _part(incidents.c.opened, span).label("part"))
    of = rows.where(*cases, *_real(incidents)).subquery()
    counted = sa.select(of.c.area, of.c.peak, of.c.part, sa.func.count()).group_by(of.c.area, of.c.peak, of.c.part)
    for area, peak, part, count in connection.execute(counted):
        facts.opened[area, peak, part] = count
    over = (*_real(incidents), incidents.c.open == sa.false(), incidents.c.time.between(span.begin, span.end))
    ended = sa.select(incidents.c.area, incidents.c.disposition, sa.func.count()).where(*over)
    for area, disposition, count in connection.execute(ended.group_by(incidents.c.area, incidents.c.disposition)):
        facts.closed[area, disposition] = count
    lasted = sa.select(incidents.c.area, incidents.c.time - incidents.c.opened).where(
        *over, incidents.c.disposition != ""
    )
    _time(connection, facts, "close", lasted)
    begun = _fenced(sa.select(incidents.c.id, incidents.c.area, incidents.c.opened).where(*cases, *_real(incidents)))
    seen = (
        sa.select(begun.c.area, sa.func.min(incident_changes.c.time) - begun.c.opened)
        .join(incident_changes, incident_changes.c.incident == begun.c.id)
        .where(said(incident_changes, "edge") == "acknowledged")
        .group_by(begun.c.id, begun.c.area, begun.c.opened)
    )
    _time(connection, facts, "acknowledge", seen)


def _orders(connection: Connection, facts: Facts, sent: tuple[ColumnElement[bool], ...]) -> None:
    columns = dispatches.c.id, dispatches.c.incident, dispatches.c.area, dispatches.c.issued
    all_sent = _fenced(sa.select(*columns).where(*sent))
    joined = sa.select(all_sent).join(incidents, incidents.c.id == all_sent.c.incident).where(*_real(incidents))
    of = _fenced(joined)
    for area, count in connection.execute(sa.select(of.c.area, sa.func.count()).group_by(of.c.area)):
        facts.orders[area] = count
    edge = said(dispatch_changes, "edge")

    def changes(*columns: Any) -> Any:
        return sa.select(*columns).join(dispatch_changes, dispatch_changes.c.dispatch == of.c.id)

    late = changes(of.c.area, sa.func.count(of.c.id.distinct())).where(edge == "overdue").group_by(of.c.area)
    for area, count in connection.execute(late):
        facts.overdue[area] = count
    for reached, leg in _EDGES.items():
        took = changes(of.c.area, sa.func.min(dispatch_changes.c.time) - of.c.issued).where(edge == reached)
        _time(connection, facts, leg, took.group_by(of.c.id, of.c.area, of.c.issued))


def _time(connection: Connection, facts: Facts, leg: str, query: Any) -> None:
    found = connection.execute(query.limit(MOST + 1)).all()
    facts.cut |= len(found) > MOST
    facts.times[leg] = [(str(area), max(float(seconds), 0.0)) for area, seconds in found[:MOST]]


def _leads(
    connection: Connection, facts: Facts, cases: tuple[ColumnElement[bool], ...], limits: Mapping[str, float]
) -> None:
    """Find when, in each incident, an alarm first said that a point is at its limit."""
    columns = incidents.c.id, incidents.c.area, incidents.c.title, incidents.c.opened
    of = _fenced(sa.select(*columns).where(*cases, *_real(incidents)))
    query = (
        sa.select(of.c.id, of.c.area, of.c.title, of.c.opened, alarms.c.scope, transitions.c.record)
        .join(alarms, alarms.c.incident == of.c.id)
        .join(transitions, transitions.c.alarm == alarms.c.id)
        .where(
            *([alarms.c.scope.in_(sorted(limits))] if len(limits) <= _NAMED else []),
            said(transitions, "edge").in_(("alarm", "raise", "realarm")),
        )
        .limit(MOST_LEADS + 1)
    )
    first: dict[str, Lead] = {}
    found = connection.execute(query).all() if limits else []
    facts.cut |= len(found) > MOST_LEADS
    for id, area, title, opened, scope, record in found[:MOST_LEADS]:
        if scope not in limits:
            continue
        terms = (record.get("explanation") or {}).get("terms", ())
        at = float(record["time"])
        if not any(reaches(term, limits[scope]) for term in terms):
            continue
        if id not in first or opened + first[id].seconds > at:
            first[id] = Lead(area, id, title, scope, opened, max(at - opened, 0.0))
    facts.leads = sorted(first.values(), key=lambda one: -one.seconds)


def reaches(term: Mapping[str, Any], limit: float) -> bool:
    """Tell whether a term says that the value itself is at the limit, or beyond it."""
    if term["name"] != "value" or not term["holds"] or term["threshold"] is None:
        return False
    more = float(term["threshold"]) >= limit if term["op"].startswith(">") else float(term["threshold"]) <= limit
    return more and term["op"] in (">", ">=", "<", "<=")


def _troubles(connection: Connection, facts: Facts) -> None:
    """Find when data of points and cameras were bad: the times of their alarms of data quality."""
    span = facts.span
    lasted = _number(connection, alarms, alarms.c.opened, span.end - LASTING)
    ended = _number(connection, alarms, alarms.c.opened, span.end + SLACK)
    found: list[dict[str, Any]] = []
    for which in (  # each is found by an index of its own
        (alarms.c.open == sa.true(), alarms.c.opened < span.end),
        (alarms.c.open == sa.false(), alarms.c.time >= span.begin, alarms.c.time < span.end),
        (alarms.c.open == sa.false(), alarms.c.number.between(lasted, ended), alarms.c.time >= span.end),
    ):
        poor = alarms.c.kind == "data_quality", alarms.c.simulated == sa.false(), alarms.c.exercise.is_(None)
        of = _fenced(sa.select(alarms.c.id, alarms.c.scope).where(*which, *poor, alarms.c.opened < span.end))
        query = (
            sa.select(of.c.scope, transitions.c.alarm, transitions.c.time, transitions.c.position)
            .add_columns(said(transitions, "after").label("after"))
            .join(of, of.c.id == transitions.c.alarm)
            .limit(MOST + 1)
        )
        rows = connection.execute(query).all()
        facts.cut |= len(rows) > MOST
        found += [row._asdict() for row in rows[:MOST]]
    found.sort(key=lambda row: row["position"])
    spells = troubles(found, span.end)
    inside: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for scope, times in spells.items():
        for start, stop, _ in times:
            if stop > span.begin and start < span.end:
                inside[scope].append((max(start, span.begin), min(stop, span.end)))
    facts.troubles = dict(inside)


def limits_of(points: Iterable[Any]) -> dict[str, float]:
    """Name the limits of points that have one."""
    return {point.id: float(point.limit) for point in points if point.limit is not None}
