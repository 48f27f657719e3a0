"""The account store: tables, and how the file is opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import argon2
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateColumn

METADATA = MetaData()

USERS = Table(
    "users",
    METADATA,
    Column("name", String, primary_key=True),
    Column("display", String, nullable=False),
    Column("password", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("unit", String),
    Column("places", String, nullable=False, server_default=""),
    Column("language", String),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created", Float, nullable=False),
    Column("changed", Float, nullable=False),
    # since 0.1.0: brought into a store that was made before by `_bring_up`
    Column("place", String),  # the place whose reports it may read; NULL is all
    Column("second", String),  # the secret of its second step, base32; NULL is none
    Column("second_asked", String),  # one that is not confirmed yet
    Column("second_used", Integer),  # the last step of time whose code was taken
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("user", String, nullable=False, index=True),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("revoked", Float),
    Column("address", String, nullable=False),
    Column("agent", String, nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", String, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("unit", String),
    Column("places", String, nullable=False, server_default=""),
    Column("author", String, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("used", Float),
    Column("revoked", Float),
)

FIRST_LINKS = Table(
    "first_links",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("used", Float),
)

PUSHES = Table(
    "pushes",
    METADATA,
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("stamp", Float, nullable=False, index=True),
)

RULE_DRAFTS = Table(
    "rule_drafts",
    METADATA,
    Column("actor", String, primary_key=True),
    Column("rule", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("base", String, nullable=False),
    Column("begun", Float, nullable=False),
    Column("changed", Float, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("target", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

_APPEND_ONLY = [
    f"CREATE TRIGGER IF NOT EXISTS audit_no_{verb.lower()} BEFORE {verb} ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]


class AccountError(ValueError):
    """Raised when an account cannot be made or changed as asked. `code` is a key of `alerts.console.messages`."""

    def __init__(self, code: str, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.field = field


@dataclass(frozen=True)
class Accounts:
    """An open account store: the database, and how hard passwords are hashed."""

    engine: Engine
    hasher: argon2.PasswordHasher

    def reading(self) -> Any:
        """Open a connection for reading, as a context manager."""
        return self.engine.connect()

    def writing(self) -> Any:
        """Open a transaction that holds the write lock from its start, as a context manager."""
        return self.engine.execution_options(immediate=True).begin()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_accounts(path: Path | str, *, hasher: argon2.PasswordHasher | None = None) -> Accounts:
    """Open the store at `path`, made with mode 0600 if it is new. `hasher` sets the cost of Argon2id.

    The default cost, 32 MiB and three passes on one lane, is above OWASP's floor (19 MiB, two passes) and keeps a
    log-in near 60 ms.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=4, max_overflow=60)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun by `begin` below, never by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("immediate"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    accounts = Accounts(engine, hasher or argon2.PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1))
    with accounts.writing() as connection:
        METADATA.create_all(connection)
        _add_columns(connection)
        for statement in _APPEND_ONLY:
            connection.exec_driver_sql(statement)
    return accounts


def _add_columns(connection: Connection) -> None:
    """Give the tables of a store that is older than a column that column, with its default."""
    for table in METADATA.sorted_tables:
        known = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table.name})")}
        for column in table.columns:
            if column.name not in known:
                made = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")
