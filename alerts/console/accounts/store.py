"""The account store: tables, and how the file is opened."""

from __future__ import annotations

import importlib
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
    inspect,
)
from sqlalchemy.engine import URL
from sqlalchemy.schema import CreateColumn

from alerts.elsewhere import open_elsewhere

METADATA = MetaData()

NO_PASSWORD = "!"  # noqa: S105  # no hash of Argon2 looks so: no password is right

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
    Column("issuer", String),  # of the provider by which it signs in; NULL signs in by its password
    Column("subject", String),  # who it is there
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
    Column("second", Boolean),  # a second step was given in it, or to the provider; NULL is no
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

SIGN_INS = Table(
    "sign_ins",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),  # of the state that a provider sent back
    Column("used", Float, nullable=False, index=True),
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

_APPEND_ONLY_ELSEWHERE = (
    "CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
    "CREATE OR REPLACE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()",
)
SCHEMA = "accounts"
_LOCK = 5_277_832  # what two who would write to one PostgreSQL contend for: the audit is one chain

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

    def insert(self, table: Table) -> Any:
        """Begin an insertion that may say what to do where the row is there: in the words of this database."""
        # the module of the other database is not loaded
        return importlib.import_module(f"sqlalchemy.dialects.{self.engine.dialect.name}").insert(table)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_accounts(place: Path | str, *, hasher: argon2.PasswordHasher | None = None) -> Accounts:
    """Open the store: a file, made with mode 0600 if it is new, or the schema `accounts` of a PostgreSQL database.

    `hasher` sets the cost of Argon2id.

    The default cost, 32 MiB and three passes on one lane, is above OWASP's floor (19 MiB, two passes) and keeps a
    log-in near 60 ms.
    """
    hasher = hasher or argon2.PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
    return Accounts(_elsewhere(place) if "://" in str(place) else _file(Path(place)), hasher)


def _file(path: Path) -> Engine:
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

    with engine.execution_options(immediate=True).begin() as connection:
        METADATA.create_all(connection)
        _add_columns(connection)
        for statement in _APPEND_ONLY:
            connection.exec_driver_sql(statement)
    return engine


def _add_columns(connection: Connection, schema: str | None = None) -> None:
    """Give the tables of a store that is older than a column that column, with its default."""
    found = inspect(connection)
    for table in METADATA.sorted_tables:
        known = {column["name"] for column in found.get_columns(table.name, schema=schema)}
        for column in table.columns:
            if column.name not in known:
                made = CreateColumn(column).compile(dialect=connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {made}")


def _elsewhere(url: Path | str) -> Engine:
    engine = open_elsewhere(str(url), SCHEMA)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("immediate"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")

    with engine.execution_options(immediate=True).begin() as connection:
        new = not inspect(connection).has_table(AUDIT.name, schema=SCHEMA)
        METADATA.create_all(connection)
        if new:
            for statement in _APPEND_ONLY_ELSEWHERE:
                connection.exec_driver_sql(statement)
        _add_columns(connection, SCHEMA)
    return engine
