"""Which layout the tables of a journal have: the revision that Alembic keeps in a table of its own."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

HEAD = "0006"
"""The layout that `alerts.tables` describes, of those in `alerts.migrations`; a test holds the two together."""

STAMP = sa.Table(  # as Alembic makes it
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)


class JournalOlder(RuntimeError):
    """Say that a journal has an older layout, which is not to be changed without being asked."""


class JournalNewer(RuntimeError):
    """Say that a journal has a layout that this version does not know."""


def stamped(connection: Connection) -> str | None:
    """Return the revision of the tables; None where there are none, or those from before they were stamped.

    Raise SQLAlchemy's `DatabaseError` when the file is no database.
    """
    if not sa.inspect(connection).has_table(STAMP.name):
        return None
    found: str | None = connection.scalar(sa.select(STAMP.c.version_num))
    return found


def stamp(connection: Connection) -> None:
    """Note that the tables have the layout of this version."""
    STAMP.create(connection, checkfirst=True)
    connection.execute(sa.insert(STAMP).values(version_num=HEAD))
