"""Give a journal years of a past: one real case after the other, each a copy of one that the desk has played.

A case is two alarms of one area, dispatched, answered and closed. All its rows are cloned within SQLite, under ids,
positions, areas and times of their own; only the times inside the records stay those of the first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from alerts.desk import Desk
from alerts.journal import Journal
from alerts.outcome import AnyOutcome, DispatchChange, Explanation, Record, Term
from alerts.tables import metadata
from rules.rule import Rule
from sensors.observation import Command
from sensors.site import Site

EVERY = 3600.0
"""Seconds between two cases: a busy district."""

SOME = 20_000
"""Cases that are cloned by one statement."""

_MOVED = {"position": "{step}", "number": "{step}", "sequence": "0", "offset": "100"}
_TIMES = ("time", "onset", "opened", "issued", "deadline", "until")


class Turn(NamedTuple):
    """A rule's condition that moved, as `alerts.condition.Change` has it."""

    rule: Rule
    scope: str
    area: str
    before: int
    after: int
    onset: float
    time: float
    why: Explanation | None = None
    simulated: bool = False


def play(site: Site, rule: Rule, begin: float) -> list[Record]:
    """Play one case from the first alarm to the disposition, one record an observation."""
    desk, area = Desk(site), site.areas[0].id
    why = Explanation(
        clause="eta('limit') < 3600",
        terms=(Term(name="eta('limit')", value=2400.0, op="<", threshold=3600.0, unit="s", holds=True),),
        clear="eta('limit') > 7200",
        points=(site.points[0].id,),
    )

    def turn(scope: str, before: int, after: int, at: float) -> list[AnyOutcome]:
        return desk.condition(Turn(rule, scope, area, before, after, at, at, why), at)

    def order(kind: str, target: str, at: float, **more: str) -> list[AnyOutcome]:
        id = f"c-{kind}-{target}"
        command = Command(id=id, kind=kind, target=target, area=area, actor="user:li", time=at, args={**more})
        return desk.command(command, at)

    points = [point.id for point in site.points[:2]]
    steps = [turn(points[0], 0, 3, begin), turn(points[1], 0, 3, begin + 10)]
    sent = next(one for out in steps for one in out if isinstance(one, DispatchChange))
    steps.append(order("acknowledge", sent.incident, begin + 60))
    for at, kind in enumerate(("accept", "on_scene", "resolve", "close")):
        steps.append(order(kind, sent.dispatch, begin + 120 + at * 60))
    steps += [turn(point, 3, 0, begin + 900) for point in points]
    steps.append(order("close", sent.incident, begin + 1000, disposition="real", reason="the slope had moved"))
    return [Record(0, offset, tuple(out)) for offset, out in enumerate(steps) if out]


def fill(
    path: Path, site: Site, rule: Rule, rows: int, begin: float, told: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Fill a journal with at least so many rows of closed cases, and return how many it has then."""
    journal = Journal(path)
    last = journal.record(play(site, rule, begin))
    journal.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        run = connection.execute
        for setting in ("synchronous=OFF", "journal_mode=OFF", "cache_size=-200000", "locking_mode=EXCLUSIVE"):
            run(f"PRAGMA {setting}").close()
        tables = [t for t in metadata.sorted_tables if "position" in t.columns and t.name != "outbox"]  # kept for days
        counts = {t.name: run(f'SELECT count(*) FROM "{t.name}"').fetchone()[0] for t in tables}  # noqa: S608
        a_case = sum(counts.values())
        cases = max(1, -(-rows // a_case))
        indices = run("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indices:
            run(f'DROP INDEX "{name}"')
        ids = [row[0] for t in ("alarms", "incidents", "dispatches") for row in run(f"SELECT id FROM {t}")]  # noqa: S608
        run("CREATE TEMP TABLE clones (n INTEGER PRIMARY KEY)")
        for start in range(1, cases, SOME):
            stop = min(start + SOME, cases)
            run("DELETE FROM clones")
            connection.executemany("INSERT INTO clones VALUES (?)", ((n,) for n in range(start, stop)))
            run("BEGIN")
            for table in tables:
                run(_clone(table, ids, last), {"areas": len(site.areas), "last": last})
            run("COMMIT")
            told(stop, cases)
        for _, sql in indices:
            run(sql)
        run("UPDATE counters SET value = ? WHERE name = 'changes'", (cases * last,))
        run('UPDATE positions SET "offset" = ?', (cases * 100,))
        run("PRAGMA journal_mode=WAL").close()
    return cases * a_case


def _clone(table: sa.Table, ids: list[str], last: int) -> str:
    """Write the statement that clones a table's first rows for every number in `clones`."""
    values = []
    for column in table.columns:
        name = f't."{column.name}"'
        if column.name in _MOVED:
            values.append(f"{name} + n * {_MOVED[column.name].format(step=last)}")
        elif column.name in _TIMES and column.type.python_type is float:
            values.append(f"{name} + n * {EVERY}")
        elif column.name == "area":
            values.append("'a' || (n % :areas)")
        elif column.type.python_type in (str, dict) or column.name in ("alarms", "marks"):
            for id in ids:
                name = f"replace({name}, '{id}', '{id}-' || n)"
            values.append(name)
        else:
            values.append(name)
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    key = "position" if table.name not in ("alarms", "incidents", "dispatches") else "number"
    return (
        f'INSERT INTO "{table.name}" ({columns}) SELECT {", ".join(values)} FROM clones '  # noqa: S608 - our own names
        f'CROSS JOIN (SELECT * FROM "{table.name}" WHERE "{key}" <= :last ORDER BY "{key}") t'
    )
