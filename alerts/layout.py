"""The way from the layout that a journal's tables have to the one that this version writes.

The steps are Alembic's, in `alerts.migrations`. Alembic takes a third of a second to load, so it is only when there is
a step to take: a new journal is made as `alerts.tables` says, and a test holds that against the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, event

from alerts.queries import open_engine
from alerts.stamp import HEAD, JournalNewer, JournalOlder, stamp, stamped
from alerts.tables import counters, metadata

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 5_277_831  # what two who would change one PostgreSQL contend for


class Step(msgspec.Struct, frozen=True):
    """One step between two layouts: its revision, and what it does."""

    revision: str
    says: str


def bring_up(url: str, *, quietly: bool | None = None) -> list[Step]:
    """Make the tables of a new journal, or bring those of an older one to the layout of this version.

    Return the steps that were taken, none for a new journal. All are, or none. Unless `quietly`, an older journal is
    left alone and `JournalOlder` raised; the default changes SQLite's, which is this run's own, and no other. Raise
    `JournalNewer` when a newer version has written it.
    """
    with changing(url) as connection:
        now = stamped(connection)
        if now == HEAD:
            return []
        if now is None and not sa.inspect(connection).has_table(counters.name):
            metadata.create_all(connection)
            stamp(connection)
            _begin(connection)
            return []
        steps = _steps(now)
        if not (connection.dialect.name == "sqlite" if quietly is None else quietly):
            raise JournalOlder(
                f"the journal is {len(steps)} step(s) behind this version; look at them with `foreshock journal "
                "migrate`, and take them with `foreshock journal migrate --apply`"
            )
        migrate(connection, HEAD)
        _begin(connection)
    return steps


def rehearse(url: str) -> list[Step]:
    """Take the steps that `bring_up` would, and take them back; return them. Raise what a step would raise."""
    with changing(url, keep=False) as connection:
        now = stamped(connection)
        if now == HEAD:
            return []
        steps = _steps(now)
        migrate(connection, HEAD)
    return steps


def migrate(connection: Connection, revision: str) -> None:
    """Take the steps up or down to a revision; `base` drops all tables, with what is in them."""
    from alembic import command  # here and below: it takes a third of a second to load

    now = stamped(connection)
    down = revision == "base" or (now is not None and revision < now)  # revisions are numbered
    (command.downgrade if down else command.upgrade)(config(connection), revision)


def _steps(now: str | None) -> list[Step]:
    """Name the steps from a revision to the layout of this version. Raise `JournalNewer` where there is no such way."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config())
    if now is not None and now not in {one.revision for one in scripts.walk_revisions()}:
        raise JournalNewer(
            f"the journal has the layout {now}, which this version does not know: a newer Foreshock has written it"
        )
    found = list(scripts.iterate_revisions(HEAD, now or "base"))
    return [Step(one.revision, (one.doc or "").splitlines()[0]) for one in reversed(found)]


def config(connection: Connection | None = None) -> Config:
    """Make the settings that Alembic's commands take."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _begin(connection: Connection) -> None:
    """Make the row that says how many changes there are: what a journal that is whole has last."""
    if not connection.scalar(sa.select(sa.func.count()).select_from(counters).where(counters.c.name == "changes")):
        connection.execute(sa.insert(counters).values(name="changes", value=0))


@contextmanager
def changing(url: str, *, keep: bool = True) -> Iterator[Connection]:
    """Open one transaction that holds other writers off and takes in changes of tables; `keep` it in the end or not.

    Raise SQLAlchemy's `DatabaseError` when the database cannot be used.
    """
    engine = open_engine(url, readonly=False)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def by_hand(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # the driver begins none before a change of tables

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
            (connection.commit if keep else connection.rollback)()
    finally:
        engine.dispose()
