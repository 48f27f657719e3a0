"""A cluster's log into the archive, over the ends of transactions, and gone on with later."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from alerts import outcome
from alerts.outcome import Record
from streams.archive.archiver import Archiver, archive_all
from streams.archive.chain import Chain
from streams.archive.place import ArchiveError, Place
from streams.archive.reader import ArchiveReader
from streams.archive.store import Store
from streams.kafka.address import Address
from streams.kafka.log import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.topics import GROUP, OBSERVATIONS, OUTCOMES

from .conftest import TOPICS

pytestmark = pytest.mark.server


async def go_on(address: Address, first: int, count: int) -> None:
    """Write observations, handle all but the last, and have every other lead to something."""
    log = KafkaLog(address, TOPICS, GROUP)
    await log.open()
    await log.produce([(OBSERVATIONS, 1, None, b"%d" % n) for n in range(first, first + count)])
    await log.take_over([(OBSERVATIONS, 1)], [(OBSERVATIONS, 1)], 0)
    for n in range(first, first + count - 1, 2):
        record = outcome.encode(Record(1, n, ()))
        await log.produce(
            [(OUTCOMES, 1, None, record)], commits=[(GROUP, OBSERVATIONS, 1, min(n + 2, first + count - 1))]
        )
    await asyncio.to_thread(log.close)


def test_what_was_handled_is_archived_as_it_is_and_the_rest_later(address: Address, tmp_path: Path) -> None:
    place = Place(where=str(tmp_path / "archive"))
    for first, handled in ((0, 9), (10, 19)):
        asyncio.run(go_on(address, first, 10))
        with KafkaReader(address) as log:
            archive_all(Archiver(Store(place), 3600.0, tmp_path), log, time.time())
            with ArchiveReader(place) as archive:
                assert archive.end(OBSERVATIONS, 1) == handled == archive.committed(GROUP, OBSERVATIONS, 1)
                assert archive.topics() == {OBSERVATIONS: 4, OUTCOMES: 4}
                known = log.read_timed(OBSERVATIONS, 1, 0, handled)
                assert len(known) == handled and archive.read_timed(OBSERVATIONS, 1, 0, handled) == known
                end = archive.end(OUTCOMES, 1)
                assert archive.read_timed(OUTCOMES, 1, 0, end) == log.read_timed(OUTCOMES, 1, 0, end)
                assert [outcome.decode(value).offset for _, _, value in archive.read(OUTCOMES, 1, 0)] == [
                    n for n in range(handled) if n % 2 == 0
                ]
    chain = Chain(Store(place), 1)
    assert [*chain.faults(whole=True)] == [] and len(chain) == 2


def test_another_prefix_is_another_log(address: Address, tmp_path: Path) -> None:
    store = Store(Place(where=str(tmp_path / "archive")))
    asyncio.run(go_on(address, 0, 3))
    with KafkaReader(address) as log:
        archive_all(Archiver(store, 3600.0, tmp_path), log, time.time())

    class Other(KafkaReader):
        @property
        def identity(self) -> str:
            return "another"

    with Other(address) as log, pytest.raises(ArchiveError, match="archive of another log"):
        archive_all(Archiver(store, 3600.0, tmp_path), log, time.time())
