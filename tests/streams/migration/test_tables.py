"""Databases beside the log: copied ahead, brought up to date by what has changed, compared by count and hash."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.migration.report import MigrationError
from streams.migration.tables import Store

TABLES = sa.MetaData()
ROWS = sa.Table(
    "rows",
    TABLES,
    sa.Column("target", sa.String, primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("record", sa.JSON),
)
SENT = sa.Table("sent", TABLES, sa.Column("target", sa.String), sa.Column("time", sa.Float))
"""It has no key, and the same row may be there twice."""

Rows = dict[tuple[str, int], int]
ROWS_HELD = st.dictionaries(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), st.integers(0, 2))


def hold(engine: sa.Engine, rows: Rows, sent: list[int]) -> None:
    """Have a database hold some rows and no other."""
    with engine.begin() as connection:
        for table in (ROWS, SENT):
            connection.execute(sa.delete(table))
        for (target, id), value in rows.items():
            connection.execute(sa.insert(ROWS).values(target=target, id=id, record={"v": value}))
        for one in sent:
            connection.execute(sa.insert(SENT).values(target="a", time=float(one)))


def held(engine: sa.Engine) -> tuple[Rows, list[int]]:
    """Read what a database holds."""
    with engine.connect() as connection:
        rows = {(one.target, one.id): one.record["v"] for one in connection.execute(sa.select(ROWS))}
        return rows, sorted(int(one) for one in connection.scalars(sa.select(SENT.c.time)))


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """Two empty databases."""
    engines = tuple(sa.create_engine("sqlite://") for _ in range(2))
    for engine in engines:
        TABLES.create_all(engine)
    yield engines[0], engines[1]
    for engine in engines:
        engine.dispose()


@settings(max_examples=40)
@given(ROWS_HELD, ROWS_HELD, st.lists(st.integers(0, 2), max_size=4), st.lists(st.integers(0, 2), max_size=4))
def test_what_was_copied_ahead_is_brought_up_to_date_by_what_changed_alone(
    both: tuple[sa.Engine, sa.Engine], first: Rows, then: Rows, sent: list[int], later: list[int]
) -> None:
    source, target = both
    hold(target, {}, [])
    hold(source, first, sent)
    store = Store("journal", source, target, TABLES)
    store.copy()
    hold(source, then, later)
    written: list[int] = []
    tables = {table.name: table for table in store.copy(told=written.append)}
    assert held(target) == held(source) == (then, sorted(later))
    assert (tables["rows"].rows, tables["rows"].source) == (len(then), tables["rows"].target)
    changed = sum(first.get(key) != value for key, value in then.items())
    assert sum(written) == changed + (len(later) if sorted(sent) != sorted(later) else 0)
    again = {table.name: table for table in Store("journal", source, target, TABLES).copy()}
    assert again == tables, "another call, which remembers nothing, finds the same"


def test_a_target_that_somebody_else_writes_to_is_told(both: tuple[sa.Engine, sa.Engine]) -> None:
    source, target = both
    hold(target, {}, [])
    hold(source, {("a", 1): 1}, [])
    store = Store("journal", source, target, TABLES)
    store.copy()
    hold(target, {("a", 1): 1, ("b", 9): 0}, [])
    with pytest.raises(MigrationError, match="table rows has 1 rows in the source and 2 in the target") as refused:
        store.copy()
    assert "源端 1 行，目标端 2 行" in refused.value.said("zh-CN")
