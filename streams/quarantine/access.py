"""What the console asks of the quarantine: the log's refusals, and their replay through the hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sensors.quarantine import Query
from sensors.site import Site
from streams import bundle, publication
from streams.embedded.schema import LogError
from streams.hub import HubError
from streams.quarantine.refusals import Marks, Refusals

if TYPE_CHECKING:
    from streams.quarantine.replay import Record

MOST = 500
"""Messages that one request replays at most: it has to be answered soon."""


class Producer(Protocol):
    """What is asked of a client of the hub."""

    async def produce(self, records: Sequence[Record]) -> list[int]:
        """Write records, all or none, and return their offsets once durable."""
        ...


class QuarantineAccess:
    """Search and replay the quarantine of one data folder. `names` are the ids of points by registry index."""

    def __init__(self, data: Path, file: Path, names: Mapping[int, str], producer: Producer) -> None:
        self._data, self._file, self._names, self._producer = data, file, names, producer
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
        from streams.quarantine.replay import Replay, alone  # with all dialects: the console begins sooner without

        try:
            site = await asyncio.to_thread(self._site)
            replay = Replay(self._file, site, self._producer.produce, actor)
            with contextlib.nullcontext() if dry_run else alone(self._data):
                tally = await replay.run(query, dry_run=dry_run, start=start, most=MOST)
        except (HubError, LogError) as error:
            raise ConnectionError(str(error)) from error
        return msgspec.structs.asdict(tally)

    def _site(self) -> Site:
        """Read the site in force: it may be another one than when the console began."""
        return bundle.unpack(publication.read(self._data)).site

    def _refusals(self) -> Refusals:
        return Refusals(self._file, self._names, self._marks)
