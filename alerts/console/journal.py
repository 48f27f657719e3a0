"""The journal as the console reads it: opened when it appears, and asked off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from anyio import to_thread
from sqlalchemy.exc import OperationalError

from alerts.queries import JournalMissing, Reader
from alerts.tables import alarms, dispatches, incidents

T = TypeVar("T")
Row = dict[str, Any]
_TABLES = {"alarm": alarms, "incident": incidents, "dispatch": dispatches}


class Journal:
    """Read the journal at `url` through one `Reader`, made at first use. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._reader: Reader | None = None
        self._lock = threading.Lock()

    def ask(self, question: Callable[[Reader], T]) -> T:
        """Answer a question in this thread. Raise `JournalMissing` while there is no journal, or not all of it."""
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self._url)
            reader = self._reader
        try:
            return question(reader)
        except OperationalError as error:
            if "no such table" not in str(error.orig):
                raise
            raise JournalMissing("the journal has no tables yet") from error

    async def answer(self, question: Callable[[Reader], T]) -> T:
        """Answer a question in a thread of its own."""
        return await to_thread.run_sync(self.ask, question)

    def titles(self, ids: set[str]) -> dict[str, tuple[dict[str, str], str]]:
        """Map incidents' ids to their titles, and to the areas of their causes, which these name."""
        if not ids:
            return {}
        area = sa.func.coalesce(alarms.c.area, incidents.c.area).label("area")
        both = incidents.outerjoin(alarms, alarms.c.id == incidents.c.cause)
        query = sa.select(incidents.c.id, incidents.c.title, area).select_from(both).where(incidents.c.id.in_(ids))

        def read(reader: Reader) -> dict[str, tuple[dict[str, str], str]]:
            with reader.engine.connect() as connection:
                return {row.id: (row.title, row.area) for row in connection.execute(query)}

        return self.ask(read)

    async def area(self, kind: Literal["alarm", "incident", "dispatch"], id: str) -> str | None:
        """Name the area of an alarm, incident or dispatch; None if there is none."""
        table = _TABLES[kind]
        query = sa.select(table.c.area).where(table.c.id == id)

        def read(reader: Reader) -> str | None:
            with reader.engine.connect() as connection:
                found: str | None = connection.scalar(query)
            return found

        return await self.answer(read)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
