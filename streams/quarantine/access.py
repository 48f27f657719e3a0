"""What the console asks of the quarantine: the log's refusals, and their replay through the hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sensors.quarantine import Query
from streams import bundle, publication
from streams.embedded.schema import LogError
from streams.hub import HubError
from streams.kafka.address import Address
from streams.quarantine.alone import alone
from streams.quarantine.refusals import Marks, Refusals

if TYPE_CHECKING:
    from streams.quarantine.replay import Record, Replay

MOST = 500
"""Messages that one request replays at most: it has to be answered soon."""

WAIT = 10.0
"""Seconds that the worker may take to write what a part of a replay brings; then the request is answered."""


class Producer(Protocol):
    """What is asked of a client of the hub."""

    def hand_over(self, records: Sequence[Record]) -> asyncio.Future[list[int]]:
        """Take records to be written, all or none, and return what will have their offsets once durable."""
        ...


class QuarantineAccess:
    """Search and replay the quarantine of one data folder. `names` are the ids of points by registry index."""

    def __init__(self, data: Path, where: Path | Address, names: Mapping[int, str], producer: Producer) -> None:
        self._data, self._where, self._names, self._producer = data, where, names, producer
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
        """Replay at most `MOST` messages. Raise `BusyError`, `TimeoutError`, or `ConnectionError` without a worker.

        What the worker has not answered in time it may write still: another replay is busy until that is known.
        """
        unanswered: asyncio.Future[list[int]] | None = None

        async def produce(records: Sequence[Record]) -> list[int]:
            nonlocal unanswered
            unanswered = self._producer.hand_over(records)
            async with asyncio.timeout(WAIT):
                return await asyncio.shield(unanswered)

        with contextlib.ExitStack() as turn:
            try:
                replay = await asyncio.to_thread(self._replay, produce, actor)
                if not dry_run:
                    turn.enter_context(alone(self._data))
                tally = await replay.run(query, dry_run=dry_run, start=start, most=MOST)
            except (HubError, LogError) as error:
                raise ConnectionError(str(error)) from error
            finally:
                if unanswered is not None and not unanswered.done():
                    _until(unanswered, turn.pop_all())
        return msgspec.structs.asdict(tally)

    def _replay(self, produce: Callable[[Sequence[Record]], Awaitable[list[int]]], actor: str) -> Replay:
        """Prepare a replay with the site in force: it may be another one than when the console began. Takes a second.

        What decodes comes with all dialects: the console begins sooner without.
        """
        from streams.quarantine.replay import Replay

        return Replay(self._where, bundle.unpack(publication.read(self._data)).site, produce, actor)

    def _refusals(self) -> Refusals:
        return Refusals(self._where, self._names, self._marks)


def _until(answer: asyncio.Future[list[int]], turn: contextlib.ExitStack) -> None:
    """Give a turn back once it is known what became of the records."""

    def known(answer: asyncio.Future[list[int]]) -> None:
        turn.close()
        if not answer.cancelled():
            answer.exception()  # nobody else asks for it

    answer.add_done_callback(known)
