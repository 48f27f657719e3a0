"""The databases beside the log, open on both sides: journal, accounts, and what was delivered to whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts.console.accounts import open_accounts
from alerts.console.accounts.store import METADATA as ACCOUNTS
from alerts.elsewhere import open_elsewhere
from alerts.journal import LOG, Journal
from alerts.notifiers.deliveries import Deliveries
from alerts.notifiers.memory import SCHEMA
from alerts.notifiers.replies import Replies
from alerts.queries import JournalMissing, open_engine
from alerts.stamp import HEAD, stamped
from alerts.tables import logs, metadata
from streams.migration.report import MigrationError
from streams.migration.tables import Store
from streams.settings import Settings

JOURNAL, ACCOUNT, OUTBOX = "journal", "accounts", "outbox"


def apart(source: Settings, target: Settings) -> list[str]:
    """Name the databases that are not the same on both sides, and so are to be copied."""
    pairs = {
        JOURNAL: (source.journal_url, target.journal_url),
        ACCOUNT: (str(source.accounts_at), str(target.accounts_at)),
        OUTBOX: (str(source.outbox_at), str(target.outbox_at)),
    }
    return [name for name, (mine, other) in pairs.items() if mine != other]


@contextmanager
def opened(source: Settings, target: Settings, names: list[str]) -> Iterator[list[Store]]:
    """Open the databases of both sides; tables that the target lacks are made. Raise `MigrationError`."""
    with ExitStack() as stack:
        found = []
        try:
            if JOURNAL in names:
                mine = open_engine(source.journal_url, readonly=True)
                stack.callback(mine.dispose)
                with mine.connect() as connection:
                    if stamped(connection) != HEAD:
                        raise MigrationError(
                            "the journal is of an older version: `foreshock journal migrate --apply` first",
                            "数据库是旧版本：请先执行 `foreshock journal migrate --apply`",
                        )
                journal = Journal(target.journal_url, synchronous="FULL")
                stack.callback(journal.close)
                found.append(Store(JOURNAL, mine, journal.engine, metadata, but=(logs.name,)))
            if ACCOUNT in names and _there(source.accounts_at):
                one, two = open_accounts(source.accounts_at), open_accounts(target.accounts_at)
                stack.callback(one.close)
                stack.callback(two.close)
                found.append(Store(ACCOUNT, one.engine, two.engine, ACCOUNTS))
            if OUTBOX in names and _there(source.outbox_at):
                Deliveries(target.outbox_at).close()
                Replies(target.outbox_at, b"").close()  # only for its table
                before, after = _outbox(source.outbox_at), _outbox(target.outbox_at)
                for engine in (before, after):
                    stack.callback(engine.dispose)
                found.append(Store(OUTBOX, before, after))
        except JournalMissing as error:
            raise MigrationError(str(error)) from error
        except SQLAlchemyError as error:
            raise MigrationError(
                f"a database cannot be used: {_said(error)}", f"数据库无法使用：{_said(error)}"
            ) from error
        yield found


def _there(place: Path | str) -> bool:
    return isinstance(place, str) or place.is_file()


def _outbox(place: Path | str) -> sa.Engine:
    if isinstance(place, str):
        return open_elsewhere(place, SCHEMA)
    return sa.create_engine(sa.URL.create("sqlite", database=str(place)))


def _said(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split("\n", 1)[0].split())[:300]


def name_log(connection: Connection, identity: str) -> None:
    """Have a journal's positions be those of another log: the same offsets, under another name."""
    connection.execute(sa.delete(logs))
    connection.execute(sa.insert(logs).values(name=LOG, id=identity))


def hand_over(target: Settings, identity: str) -> None:
    """Have a journal that stays where it is go on with another log."""
    engine = open_engine(target.journal_url, readonly=False)
    try:
        with engine.begin() as connection:
            name_log(connection, identity)
    finally:
        engine.dispose()
