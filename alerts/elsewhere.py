"""What several runs share beside the journal, in schemas of their own of its PostgreSQL database."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError

from alerts.queries import CONNECT_SECONDS, UNANSWERED

MOST = 16
"""Connections of a process to one schema, at most."""


def open_elsewhere(url: str, schema: str) -> Engine:
    """Open a database, where names stand for what is in `schema`; that is made if it is not there.

    Raise SQLAlchemy's `OperationalError` when it cannot be reached.
    """
    given = {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": UNANSWERED,
        "options": f"-c search_path={schema}",
    }
    engine = create_engine(url, connect_args=given, pool_pre_ping=True, pool_size=4, max_overflow=MOST - 4)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    except IntegrityError:  # another process was faster by a moment
        pass
    return engine
