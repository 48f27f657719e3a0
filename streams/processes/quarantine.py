"""What the console asks of the quarantine: the log's refusals, and their replay through the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from sensors.quarantine import Query
from sensors.site import Site
from streams.again import Record, Replay, alone
from streams.embedded.schema import LogError
from streams.hub import HubError
from streams.refusals import Marks, Refusals

MOST = 500
"""Messages that one request replays at most: it has to be answered soon."""


class Producer(Protocol):
    """What is asked of a client of the hub."""

    async def produce(self, records: Sequence[Record]) -> list[int]:
        """Write records, all or none, and return their offsets once durable."""
        ...


class Backlog:
    """Search and replay the quarantine of one data folder."""

    def __init__(self, data: Path, file: Path, site: Site, producer: Producer) -> None:
        self._data, self._file, self._site, self._producer = data, file, site, producer
        self._names = {point.index: point.id for point in site.points}
        self._marks = Marks()

    def page(self, query: Query, limit: int, cursor: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        """List refusals, the newest first; nothing where there is no log yet."""
        try:
            found = self._refusals().page(query, limit, cursor)
        except LogError:
            return [], None
        return [one.as_map() for one in found.items], found.cursor

    def one(self, id: str) -> Mapping[str, Any] | None:
        """Find one refusal, whole."""
        try:
            found = self._refusals().one(id)
        except LogError:
            return None
        return None if found is None else found.as_map(None)

    def statistics(self, query: Query) -> Mapping[str, Any]:
        """Count what is kept."""
        try:
            return msgspec.structs.asdict(self._refusals().statistics(query))
        except LogError:
            return {}

    async def replay(self, query: Query, actor: str, *, dry_run: bool, start: int) -> Mapping[str, Any]:
        """Replay at most `MOST` messages. Raise `BusyError`, `TimeoutError`, or `ConnectionError` without a worker."""
        replay = Replay(self._file, self._site, self._producer.produce, actor)
        try:
            with alone(self._data):
                tally = await replay.run(query, dry_run=dry_run, start=start, most=MOST)
        except (HubError, LogError) as error:
            raise ConnectionError(str(error)) from error
        return msgspec.structs.asdict(tally)

    def _refusals(self) -> Refusals:
        return Refusals(self._file, self._names, self._marks)
