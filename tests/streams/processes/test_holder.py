"""Of several notifiers one tells people: who holds the database's lock, until it goes or its connection does."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from streams.processes.holder import Holder
from streams.processes.lock import Lock
from tests.waiting import reached

pytestmark = pytest.mark.server


def test_one_holds_and_the_next_takes_over(postgresql: str) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        async with Holder(postgresql, 7, stop) as second:
            async with Holder(postgresql, 7, stop) as first:
                assert await first.take()
                waiting = asyncio.create_task(second.take())
                with Lock(postgresql, 8) as other:
                    assert other.take(), "another number is another lock"
                assert not waiting.done() and not first.ended.is_set()
            assert await waiting

    asyncio.run(main())


def test_who_lost_the_connection_stops_at_once(postgresql: str) -> None:
    async def main() -> None:
        async with Holder(postgresql, 9, asyncio.Event()) as holder:
            assert await holder.take()
            engine = sa.create_engine(postgresql)
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 9"
                )
            await reached(holder.ended.is_set, what="the end of the work")
            engine.dispose()

    asyncio.run(main())


def test_who_waits_in_vain_ends_with_the_run(postgresql: str) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        with Lock(postgresql, 11) as taken:
            assert taken.take() and taken.is_ours()
            async with Holder(postgresql, 11, stop) as holder:
                waiting = asyncio.create_task(holder.take())
                stop.set()
                assert not await waiting

    asyncio.run(main())


def test_a_database_that_is_away_gives_no_lock() -> None:
    with Lock("postgresql+psycopg://nobody@127.0.0.1:1/none", 1) as lock:
        assert not lock.take() and not lock.is_ours()
