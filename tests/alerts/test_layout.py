"""Migrations: they and the tables agree, an older journal is brought up whole or not at all, a newer one is refused."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from alerts import layout, tables
from alerts.journal import Journal, JournalMissing, Reader
from alerts.stamp import HEAD, STAMP, JournalNewer, JournalOlder, stamped
from tests.alerts.test_journal import NIGHT, make_old

REVISIONS = [one.revision for one in ScriptDirectory(str(Path(layout.__file__).parent / "migrations")).walk_revisions()]
"""The newest first."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def contents(path: Path) -> list[tuple[str, str]]:
    """All definitions of a journal, as SQLite has them, and every row's content."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        made = [(str(row.name), str(row.sql)) for row in connection.execute(sa.text("SELECT * FROM sqlite_master"))]
        rows = [
            (name, repr([*row]))
            for name, sql in made
            if sql.startswith("CREATE TABLE")
            for row in connection.execute(sa.text(f'SELECT * FROM "{name}"'))
        ]
    engine.dispose()
    return sorted(made + rows)


def go_to(path: Path, revision: str) -> None:
    with layout.changing(str(path)) as connection:
        layout.migrate(connection, revision)


def test_the_newest_revision_is_the_layout_that_is_written() -> None:
    assert REVISIONS[0] == HEAD
    assert sorted(REVISIONS, reverse=True) == REVISIONS, "they are compared as text"


def test_all_steps_from_nothing_make_the_tables_as_they_are_described(path: Path) -> None:
    go_to(path, "head")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == [], "write a step: python -m scripts.new_revision WHAT"
        assert stamped(connection) == HEAD
    engine.dispose()


@pytest.mark.parametrize("revision", [*REVISIONS[1:], "base"])
def test_every_step_can_be_taken_down_and_up_again_and_keeps_what_is_there(path: Path, revision: str) -> None:
    journal = Journal(path)
    journal.record(NIGHT)
    before = journal.alarms("all").items, journal.changes(0), journal.incidents("all").items
    journal.close()
    go_to(path, revision)
    with pytest.raises(JournalMissing):
        Reader(path)
    journal = Journal(path)
    if revision == "base":
        assert journal.changes(0) == [], "nothing was left of it"
        journal.record(NIGHT)
    assert (journal.alarms("all").items, journal.changes(0), journal.incidents("all").items) == before
    assert journal.record(NIGHT) == journal.position()
    journal.close()


def test_a_journal_that_is_new_or_up_to_date_does_not_wait_for_alembic(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "alembic"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "alembic", None)  # to import it raises
    Journal(path).close()
    Journal(path).close()
    Reader(path).close()


def test_an_older_journal_is_told_of_before_it_is_changed(path: Path) -> None:
    Journal(path).close()
    make_old(path)
    before = contents(path)
    steps = layout.rehearse(str(path))
    assert [step.revision for step in steps] == REVISIONS[::-1]
    assert all(step.says for step in steps)
    with pytest.raises(JournalOlder, match="foreshock journal migrate"):
        layout.bring_up(str(path), quietly=False)
    assert contents(path) == before
    assert layout.bring_up(str(path)) == steps
    assert layout.rehearse(str(path)) == layout.bring_up(str(path)) == []


def test_a_step_that_fails_leaves_all_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(path).close()
    make_old(path)
    before = contents(path)
    take = layout.migrate

    def fail(connection: sa.Connection, revision: str) -> None:
        take(connection, revision)
        raise OSError("disk full")

    monkeypatch.setattr(layout, "migrate", fail)
    with pytest.raises(OSError, match="disk full"):
        Journal(path)
    assert contents(path) == before
    monkeypatch.undo()
    Journal(path).close()


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    journal = Journal(path)
    with journal.engine.begin() as connection:
        connection.execute(sa.update(STAMP).values(version_num="9999"))
    journal.close()
    before = contents(path)
    with pytest.raises(JournalNewer, match="newer Foreshock"):
        Journal(path)
    with pytest.raises(JournalNewer, match="9999"):
        layout.rehearse(str(path))
    with pytest.raises(JournalMissing, match="newer version"):
        Reader(path)
    assert contents(path) == before


def test_two_that_begin_at_once_make_one_journal(path: Path) -> None:
    Journal(path).close()
    make_old(path)
    trouble: list[BaseException] = []

    def begin() -> None:
        try:
            Journal(path).close()
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    Reader(path).close()


@pytest.mark.server
def test_the_steps_make_the_same_tables_in_postgresql(postgresql: str) -> None:
    for revision in ("base", *reversed(REVISIONS)):
        with layout.changing(postgresql) as connection:
            layout.migrate(connection, revision)
    engine = sa.create_engine(postgresql)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    _step_down_and_up_with_rows(postgresql, engine)
    engine.dispose()


def _step_down_and_up_with_rows(postgresql: str, engine: sa.Engine) -> None:
    """Go down a step, and all of them, and up again with rows in all tables; what both layouts have must stay."""
    journal = Journal(postgresql)
    journal.record(NIGHT)
    journal.close()
    with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            for nulls in (False, True):
                connection.execute(sa.insert(table).values(_made_up(table, nulls)))
    before = _rows(engine)
    assert all(len(rows) >= 2 for rows in before.values())
    for revision in (REVISIONS[1], REVISIONS[-1]):
        with layout.changing(postgresql) as connection:
            layout.migrate(connection, revision)
        there = {
            (name, column["name"])
            for inspector in (sa.inspect(engine),)
            for name in inspector.get_table_names()
            for column in inspector.get_columns(name)
        }
        with layout.changing(postgresql) as connection:
            layout.migrate(connection, "head")
        after = _rows(engine)
        for name, rows in before.items():
            kept = [column for column in (rows[0] if rows else ()) if (name, column) in there]
            cut = [[{column: row[column] for column in kept} for row in some] for some in (rows, after[name]) if kept]
            assert all(some == cut[0] for some in cut), (revision, name)
    with engine.begin() as connection:  # other tests have the database after this one
        for table in tables.metadata.sorted_tables:
            connection.execute(sa.delete(table))
        connection.execute(sa.insert(tables.counters).values(name="changes", value=0))


def _made_up(table: sa.Table, nulls: bool) -> dict[str, object]:
    """Make up a row: of the longest texts, or with nothing where that may be."""
    values: dict[str, object] = {}
    for column in table.columns:
        kind = column.type.python_type if not isinstance(column.type, sa.JSON) else dict
        if nulls and column.nullable:
            values[column.name] = None
        elif kind is str:
            values[column.name] = ("n" if nulls else "x") * (getattr(column.type, "length", None) or 5000)
        elif kind is dict:
            values[column.name] = {"zh": "边坡", "deep": [1, None, {"a": 1.5}]}
        else:
            values[column.name] = kind(10_000 + nulls) if kind is not bool else nulls
    return values


def _rows(engine: sa.Engine) -> dict[str, list[dict[str, object]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(dict, connection.execute(sa.select(table)).mappings()), key=repr)
            for table in tables.metadata.sorted_tables
        }


@pytest.mark.server
def test_a_shared_database_is_not_changed_unasked(postgresql: str) -> None:
    Journal(postgresql).close()
    with layout.changing(postgresql) as connection:
        layout.migrate(connection, "0001")
    with pytest.raises(JournalOlder, match="--apply"):
        Journal(postgresql)
    assert [step.revision for step in layout.bring_up(postgresql, quietly=True)] == REVISIONS[-2::-1]
    Journal(postgresql).close()
