"""In either database a page of a journal of years is found by indices: no table is walked, nothing big is sorted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import handover, tables
from alerts.console.routes.cap import _histories
from alerts.dispatch import OPEN
from alerts.journal import Journal
from alerts.queries import MAX_PAGE, Page, Reader
from tests.alerts.test_journal import NIGHT

AREAS = [f"a{n}" for n in range(200)]
MINE = ["a1", "a5", "gone"]
COPIES = 1200
LARGE = (
    "alarms",
    "transitions",
    "incidents",
    "incident_changes",
    "dispatches",
    "dispatch_changes",
    "snapshots",
    "reports",
)

QUESTIONS: dict[str, tuple[Callable[[Reader], object], str]] = {
    "open alarms of some areas": (lambda reader: reader.alarms("open", MINE), "alarms_area"),
    "all alarms of some areas": (lambda reader: reader.alarms("all", MINE, before=900), "alarms_of_area"),
    "alarms of some areas in a state": (lambda reader: reader.alarms("UNACK", MINE), "alarms_area"),
    "alarms of some areas that are over": (lambda reader: reader.alarms("NORM", MINE), "alarms_area"),
    "incidents of some areas": (lambda reader: reader.incidents("all", MINE), "incidents_of_area"),
    "open incidents of some areas": (lambda reader: reader.incidents("open", MINE), "incidents_area"),
    "incidents of some areas in a state": (lambda reader: reader.incidents("dispatched", MINE), "incidents_area"),
    "dispatches of an area": (lambda reader: reader.dispatches(state="all", area="a1"), "dispatches_of_area"),
    "dispatches of some areas": (lambda reader: reader.dispatches(state="all", area=MINE), "dispatches_of_area"),
    "open dispatches of some areas": (lambda reader: reader.dispatches(area=MINE), "dispatches_area"),
    "dispatches of some areas at a leg": (
        lambda reader: reader.dispatches(state="closed", area=MINE),
        "dispatches_area",
    ),
    "dispatches of an incident in some areas": (
        lambda reader: reader.dispatches(incident="i7", state="all", area=MINE),
        "ix_dispatches_incident",
    ),
    "who has a picture": (lambda reader: reader.pictured("b" * 64), "ix_snapshots_sha"),
    "reports of some areas": (lambda reader: reader.reports(MINE), "reports_area"),
    "spells of alarms": (lambda reader: reader.spells(MINE, 1e5, 2e6), "alarms_area_time"),
    "areas with alarms": (lambda reader: reader.areas(), ""),
    "an area's summary": (lambda reader: reader.summary("a1"), "alarms_area_time"),
    "CAP of some areas": (lambda reader: _histories(reader, MINE), "incidents_of_area"),
    "a handover": (lambda reader: handover.sheet(reader, 1e9, 1e9 - 100), "incident_changes_time"),
}
"""What is asked, and the index that finds it; empty where several would."""

_SAME = {f"{table}_area": f"{table}_of_area" for table in ("alarms", "incidents", "dispatches")}
_SAME |= {after: before for before, after in _SAME.items()}
"""Either begins with the area: where there are few rows, a database takes the one for the other."""

STATES = {
    "alarms": ("open", "all", "NORM"),
    "incidents": ("open", "closed", "calm"),
    "dispatches": ("open", "all", "closed", *OPEN),
}


@pytest.fixture
def years(journal: Journal) -> Journal:
    """A journal in which one night happened again and again, now here, now there."""
    journal.record(NIGHT)
    numbers = itertools.count(journal.position() + 1)
    with journal.engine.begin() as connection:
        for table in (
            tables.alarms,
            tables.transitions,
            tables.incidents,
            tables.incident_changes,
            tables.dispatches,
            tables.snapshots,
        ):
            rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            copies = [copy(rows[n % len(rows)], n, next(numbers)) for n in range(COPIES)]
            connection.execute(sa.insert(table), copies)
        told = {"category": "flood", "text": "", "actor": "user:an", "simulated": False}
        reports = (
            {**told, "id": f"r{n}", "area": AREAS[n % 200], "number": n, "time": n, "received": n}
            for n in range(COPIES)
        )
        connection.execute(sa.insert(tables.reports), list(reports))
        connection.execute(sa.update(tables.counters).values(value=next(numbers)))
    if journal.engine.dialect.name == "postgresql":
        with journal.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
    return journal


def copy(row: dict[str, Any], n: int, number: int) -> dict[str, Any]:
    """Make a later one like a row, elsewhere."""
    links = {name: f"{row[name]}-{n}" for name in ("id", "alarm", "incident") if row.get(name)}
    moved: dict[str, Any] = {name: number for name in ("number", "position") if name in row}
    moved |= {"state": "dispatched"} if row.get("state") == "open" else {}
    if "leg" in row:
        moved |= {"unit": f"u-{n % 20}", **({"open": True, "leg": "accepted"} if n % 2 else {})}
    return row | links | moved | ({"area": AREAS[n % 200]} if "area" in row else {}) | {"time": float(n * 600)}


def steps(engine: sa.Engine, ask: Callable[[], object]) -> Iterable[str]:
    """Name the steps by which the database finds what is asked for."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    ask()
    sa.event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # it would walk tables that are so small, whatever their indices
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        for statement, parameters in asked:
            yield from (str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))


def walked(step: str) -> str | None:
    """Name the table that a step walks: SQLite's SCAN, PostgreSQL's Seq Scan."""
    _, scan, what = step.replace("Seq Scan on ", "SCAN ").partition("SCAN ")
    return what.split()[0] if scan and what.split()[0] in LARGE else None


def test_what_is_asked_is_found_by_its_index_and_no_table_is_walked(years: Journal) -> None:
    for name, (ask, index) in QUESTIONS.items():
        plan = [*steps(years.engine, lambda ask=ask: ask(years))]  # type: ignore[misc]
        assert not any(map(walked, plan)), (name, plan)
        either = {index, _SAME.get(index, index)}
        assert not index or any(either & set(step.split()) for step in plan), (name, index, plan)


def test_some_areas_page_as_all_do_with_the_rest_left_out(years: Journal) -> None:
    for what, states in STATES.items():
        for state in states:
            whole = [row["id"] for row in turned(years, what, state, None, MAX_PAGE) if row["area"] in MINE]
            assert [row["id"] for row in turned(years, what, state, MINE, 4)] == whole, (what, state)
        assert turned(years, what, "all", [], 10) == []
    many = [f"x{n}" for n in range(450)] + MINE  # more than one statement takes
    assert years.alarms("all", many, 4) == years.alarms("all", MINE, 4)


def turned(years: Journal, what: str, state: str, area: list[str] | None, limit: int) -> list[dict[str, Any]]:
    """Turn all pages of a list."""
    page: Page = getattr(years, what)(state=state, area=area, limit=limit)
    items = page.items
    while page.next is not None:
        page = getattr(years, what)(state=state, area=area, limit=limit, before=page.next)
        items += page.items
    return items
