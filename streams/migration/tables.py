"""Copying the rows of one database into another, in one transaction, and comparing them by count and hash.

The hash of a table is the sum of the SHA-256 of its rows: databases do not agree on the order of text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from streams.migration.report import MigrationError, Table

ROWS = 1000
_MOD = 1 << 256
_IN_FULL = 200_000
"""Rows of a table among which the first that differs is looked for."""

Told = Callable[[int], None]


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
                raise MigrationError(f"{self.name}: the target has no table {name} of this version")
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

    def copy(self, change: Callable[[Connection], None] = lambda _: None, told: Told = lambda _: None) -> list[Table]:
        """Copy all rows and compare them, then `change` what is to differ: all of it or nothing.

        Raise `MigrationError` with the first row that differs.
        """
        with self.source.connect() as mine, self._writing() as other:
            found = []
            for table, there in self.tables:
                if there.name == "counters":  # made with the tables, and about to be copied
                    other.execute(sa.delete(there))
                for some in _chunks(mine, table):
                    other.execute(sa.insert(there), some)
                    told(len(some))
                found.append(self._compared(mine, other, table, there))
            change(other)
        return found

    def compare(self) -> list[Table]:
        """Compare all rows of both. Raise `MigrationError` with the first that differs."""
        with self.source.connect() as mine, self.target.connect() as other:
            return [self._compared(mine, other, table, there) for table, there in self.tables]

    def _writing(self) -> AbstractContextManager[Connection]:
        return self.target.execution_options(immediate=True).begin()

    def _compared(self, mine: Connection, other: Connection, table: sa.Table, there: sa.Table) -> Table:
        columns = list(table.c.keys())
        counts, sums = [], []
        for connection, one in ((mine, table), (other, there)):
            count = total = 0
            for row in _rows(connection, one, columns):
                count, total = count + 1, (total + _number(row)) % _MOD
            counts.append(count)
            sums.append(f"{total:064x}")
        if counts[0] != counts[1] or sums[0] != sums[1]:
            said = _first(mine, other, table, there, columns) if max(counts) <= _IN_FULL else "too many to say which"
            raise MigrationError(
                f"{self.name}: table {table.name} has {counts[0]} rows in the source and {counts[1]} in the target; "
                f"{said}; where the target holds other data, name an empty database"
            )
        return Table(self.name, str(table.name), counts[0], *sums)


def _reflected(engine: Engine) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(engine)
    return found


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def _chunks(connection: Connection, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    found = connection.execute(sa.select(table).execution_options(yield_per=ROWS))
    for some in found.partitions(ROWS):
        yield [dict(row._mapping) for row in some]


def _rows(connection: Connection, table: sa.Table, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    found = connection.execute(sa.select(*(table.c[name] for name in columns)).execution_options(yield_per=ROWS))
    for some in found.partitions(ROWS):
        yield from some


def _number(row: Sequence[Any]) -> int:
    return int.from_bytes(hashlib.sha256(_written(row)).digest(), "big")


def _written(row: Sequence[Any]) -> bytes:
    """Write a row as both databases mean it: one of them keeps no NUL in text, and none keeps NaN."""
    plain = [bytes(one) if isinstance(one, memoryview | bytearray) else one for one in row]
    return msgspec.json.encode(plain, order="deterministic").replace(b"\\u0000", b"")


def _first(mine: Connection, other: Connection, table: sa.Table, there: sa.Table, columns: Sequence[str]) -> str:
    """Name the first row of the source that the target does not have, or the other way round."""
    theirs = {_number(row) for row in _rows(other, there, columns)}
    ours = set()
    for row in _rows(mine, table, columns):
        ours.add(_number(row))
        if _number(row) not in theirs:
            return f"the first that is not in the target begins with {_brief(row)}"
    for row in _rows(other, there, columns):
        if _number(row) not in ours:
            return f"the first that is not in the source begins with {_brief(row)}"
    return "one of them is there more than once"


def _brief(row: Sequence[Any]) -> str:
    return ", ".join(str(one)[:40] for one in row[:2])
