"""Where the notifiers remember: a file of their own, or a schema of the database that several runs share.

The statements are what SQLite and PostgreSQL have in common; types and marks of values are put into the other's words.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts.elsewhere import open_elsewhere

ERRORS = (sqlite3.Error, SQLAlchemyError)
"""What goes wrong with either."""

SCHEMA = "outbox"
_WORDS = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}
_LOCK = 5_277_833  # what several who would make the tables contend for


class Done(NamedTuple):
    """What a statement came to: the rows that it gave, and how many it changed."""

    rows: Sequence[Any]
    changed: int


class Memory:
    """A file or a schema with tables. For one thread. A database that was away is asked again by the next statement."""

    def __init__(self, place: Path | str, schema: str) -> None:
        self._file: sqlite3.Connection | None = None
        self._held: Connection | None = None  # of the transaction under way
        if "://" in str(place):
            self._engine = open_elsewhere(str(place), SCHEMA).execution_options(isolation_level="AUTOCOMMIT")
            with self.transaction():
                self.do(f"SELECT pg_advisory_xact_lock({_LOCK})")
                for statement in filter(str.strip, _translated(schema).split(";")):
                    self.do(statement)
        else:
            self._file = sqlite3.connect(place, isolation_level=None, timeout=5.0)
            self._file.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {schema}")

    def close(self) -> None:
        """Let go of it."""
        if self._file is not None:
            self._file.close()
        else:
            self._engine.dispose()

    def do(self, statement: str, *values: Any) -> Done:
        """Run a statement with values for its question marks."""
        if self._file is not None:
            done = self._file.execute(statement, values)
            return Done(done.fetchall(), done.rowcount)
        if self._held is not None:
            return _ask(self._held, statement, values)
        with self._engine.connect() as connection:
            return _ask(connection, statement, values)

    def one(self, statement: str, *values: Any) -> Any:
        """Return the first row that a statement gives, or None."""
        return next(iter(self.do(statement, *values).rows), None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is done within, or nothing."""
        if self._file is not None:
            with self._file:
                self._file.execute("BEGIN")
                yield
            return
        with self._engine.connect() as connection:
            self._held = connection
            try:
                connection.exec_driver_sql("BEGIN")
                yield
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                connection.invalidate()  # whatever state it is in: the database undoes what was not committed
                raise
            finally:
                self._held = None


def _ask(connection: Connection, statement: str, values: Sequence[Any]) -> Done:
    found = connection.exec_driver_sql(statement.replace("?", "%s"), tuple(values))
    return Done(found.fetchall() if found.returns_rows else (), found.rowcount)


def _translated(schema: str) -> str:
    schema = schema.replace(" WITHOUT ROWID", "")
    return re.sub("|".join(_WORDS), lambda found: _WORDS[found[0]], schema)
