"""Having one database hold the rows of another, each time for what has changed, and comparing them by count and hash.

What was compared once is remembered by the hash of each row, so that a site that has stopped waits for what has changed
since alone: its own rows are read, and of the other side those that were written. That is some 200 bytes a row.

The hash of a table is the sum of the SHA-256 of its rows: databases do not agree on the order of text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from streams.migration.report import MigrationError, Table

ROWS = 1000
_BY_KEY = 5000
"""Rows that are asked for by their keys; more are found by reading the whole table."""

_KEYS = 200
_MOD = 1 << 256

Hashes = dict[tuple[Any, ...], bytes]
"""SHA-256 of a table's rows by their primary keys."""

Known = dict[str, dict[str, Hashes]]
"""By database and table, what the target holds."""

Change = Callable[[Connection], None]
Told = Callable[[int], None]


def nothing(_: Connection) -> None:
    """Change nothing."""


class Store:
    """A database on both sides: where its rows are, and what its tables are in each."""

    def __init__(
        self,
        name: str,
        source: Engine,
        target: Engine,
        metadata: sa.MetaData | None = None,
        but: Collection[str] = (),
    ) -> None:
        """`but`: tables that are not to be the same. Without `metadata` the tables are those that are there."""
        self.name, self.source, self.target = name, source, target
        self._but = {"alembic_version", *but}
        self._held: dict[str, Hashes] = {}
        self._mine, self._other = metadata or _reflected(source), metadata or _reflected(target)

    @property
    def tables(self) -> list[tuple[sa.Table, sa.Table]]:
        """Pair the tables of both. Raise `MigrationError` where one has none that the other has."""
        pairs = []
        for name, table in sorted(self._mine.tables.items()):
            if name in self._but:
                continue
            other = self._other.tables.get(name)
            if other is None or set(other.c.keys()) < set(table.c.keys()):
                raise MigrationError(
                    f"{self.name}: the target has no table {name} of this version",
                    f"{self.name}：目标端没有此版本的表 {name}",
                )
            pairs.append((table, other))
        return pairs

    def rows(self) -> int:
        """Count the rows of the source."""
        with self.source.connect() as connection:
            return sum(_count(connection, table) for table, _ in self.tables)

    def is_empty(self, *but: str) -> bool:
        """Tell whether the target holds nothing, but in some tables."""
        with self.target.connect() as connection:
            return not any(_count(connection, other) for _, other in self.tables if other.name not in but)

    def remember(self, known: Known) -> None:
        """Go by what another has compared, and have it know what this one does."""
        self._held = known.setdefault(self.name, self._held)

    def copy(self, change: Change = nothing, told: Told = lambda _: None) -> list[Table]:
        """Have the target hold the source's rows, compare, then `change` what is to differ: all of it or nothing.

        Nobody else may write to the target, from the first call on. Raise `MigrationError` with the first that differs.
        """
        with self._reading() as mine, self._writing() as other:
            fresh = {str(table.name): self._brought(mine, other, table, there, told) for table, there in self.tables}
            change(other)
        self._held.update({name: held for name, (_, held) in fresh.items()})
        return [table for table, _ in fresh.values()]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Have all that is read be of one moment, though others write meanwhile."""
        with self.source.connect() as connection:
            if self.source.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def _writing(self) -> AbstractContextManager[Connection]:
        return self.target.execution_options(immediate=True).begin()

    def _brought(
        self, mine: Connection, other: Connection, table: sa.Table, there: sa.Table, told: Told
    ) -> tuple[Table, Hashes]:
        columns = list(table.c.keys())
        key = [columns.index(column.key) for column in table.primary_key]
        known = self._held.get(str(table.name))
        before = _hashes(_rows(other, there, columns), key) if known is None else known
        now = _hashes(_rows(mine, table, columns), key)
        todo = {one for one, digest in now.items() if before.get(one) != digest}
        if not key and before != now:  # such a table is small, and written whole
            todo, before = set(now), {}
            other.execute(sa.delete(there))
        for some in _parts((one for one in before if one not in now or one in todo), _KEYS):
            other.execute(sa.delete(there).where(_named(there, columns, key, some)))
        for rows in _parts(_picked(mine, table, columns, key, todo), ROWS):
            other.execute(sa.insert(there), [dict(zip(columns, row, strict=True)) for row in rows])
            told(len(rows))
        held = {one: digest for one, digest in before.items() if one in now and one not in todo}
        held |= _hashes(_picked(other, there, columns, key, todo), key)
        found = Table(self.name, str(table.name), len(now), _sum(now), _sum(held))
        count = _count(other, there)
        if now != held or count != len(held):
            first = next((one for one in {**now, **held} if now.get(one) != held.get(one)), ())
            said = f"the first that differs begins with {_brief(first)}" if first else "nobody else may write to it"
            raise MigrationError(
                f"{self.name}: table {table.name} has {len(now)} rows in the source and {count} in the target; {said}",
                f"{self.name}：表 {table.name} 源端 {len(now)} 行，目标端 {count} 行，两端不一致：{said}",
            )
        return found, held


def _reflected(engine: Engine) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(engine)
    return found


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _rows(connection: Connection, table: sa.Table, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    found = connection.execute(sa.select(*(table.c[name] for name in columns)).execution_options(yield_per=ROWS))
    for some in found.partitions(ROWS):
        yield from some


def _picked(
    connection: Connection, table: sa.Table, columns: Sequence[str], key: Sequence[int], wanted: Collection[Any]
) -> Iterator[Sequence[Any]]:
    """Read the rows of some keys; all of a table that has none."""
    if wanted and (len(wanted) > _BY_KEY or not key):
        yield from (row for row in _rows(connection, table, columns) if not key or _key(row, key) in wanted)
        return
    for some in _parts(wanted, _KEYS):
        yield from connection.execute(
            sa.select(*(table.c[name] for name in columns)).where(_named(table, columns, key, some))
        )


def _named(table: sa.Table, columns: Sequence[str], key: Sequence[int], some: Sequence[Any]) -> sa.ColumnElement[bool]:
    return sa.tuple_(*(table.c[columns[at]] for at in key)).in_(some)


def _key(row: Sequence[Any], key: Sequence[int]) -> tuple[Any, ...]:
    return tuple(row[at] for at in key)


def _hashes(rows: Iterable[Sequence[Any]], key: Sequence[int]) -> Hashes:
    """Hash rows by their keys; those of a table without one, in which a row may be twice, by their place in order."""
    if not key:
        return {(place,): one for place, one in enumerate(sorted(_hash(row) for row in rows))}
    return {_key(row, key): _hash(row) for row in rows}


def _hash(row: Sequence[Any]) -> bytes:
    return hashlib.sha256(_written(row)).digest()


def _sum(hashes: Mapping[Any, bytes]) -> str:
    return f"{sum(int.from_bytes(one, 'big') for one in hashes.values()) % _MOD:064x}"


def _parts(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Cut rows into parts of a size."""
    left = iter(rows)
    while part := list(islice(left, size)):
        yield part


def _written(row: Sequence[Any]) -> bytes:
    """Write a row as both databases mean it: one of them keeps no NUL in text, and none keeps NaN."""
    plain = [bytes(one) if isinstance(one, memoryview | bytearray) else one for one in row]
    return msgspec.json.encode(plain, order="deterministic").replace(b"\\u0000", b"")


def _brief(key: Sequence[Any]) -> str:
    return ", ".join(str(one)[:40] for one in key[:2])
