"""Reading a cluster's topics as the embedded log's reader does."""

from __future__ import annotations

import asyncio
import time

import pytest

from scripts.ports import free_port
from streams.embedded.schema import LogError, LogUnavailableError
from streams.kafka.address import Address
from streams.kafka.log import KafkaLog
from streams.kafka.reader import KafkaReader

from .conftest import TOPICS

pytestmark = pytest.mark.server


async def fill(address: Address) -> None:
    """Write ten records, two of them keyed, and three outcomes in transactions of their own."""
    log = KafkaLog(address, TOPICS, "worker")
    await log.open()
    await log.produce([("observations", 0, b"k" if n % 5 == 0 else None, b"%d" % n) for n in range(10)])
    await log.take_over([("observations", 0)], [("observations", 0)], 0)
    for n in range(3):
        await log.produce([("outcomes", 0, None, b"%d" % n)], commits=[("worker", "observations", 0, n)])
    await asyncio.to_thread(log.close)


def test_records_are_found_by_offset_key_and_time_from_either_end(address: Address) -> None:
    before = time.time()
    asyncio.run(fill(address))
    with KafkaReader(address) as log:
        assert log.topics() == {name: spec.partitions for name, spec in TOPICS.items()}
        assert (log.start("observations", 0), log.end("observations", 0)) == (0, 10)
        assert [offset for offset, _, _ in log.read("observations", 0, 3, 8)] == [3, 4, 5, 6, 7]
        assert [offset for offset, _, _ in log.read("observations", 0, 8, limit=1)] == [8]
        assert [offset for offset, _, _ in log.read("observations", 0, 9)] == [9], "goes on where it stood"
        assert log.read("observations", 0, 4, max_bytes=1) == [(4, None, b"4")], "at least one"
        assert log.read("observations", 0, 10) == []
        assert list(log.keyed("observations", 0, 1)) == [(5, b"k", b"5")]
        assert [offset for offset, _, _ in log.newest_first("observations", 0, 3)] == [9, 8, 7]
        assert log.offset_at("observations", 0, before - 10) == 0
        assert log.offset_at("observations", 0, time.time() + 60) == 10
        assert (log.time_of("observations", 0, 3) or 0) == pytest.approx(before, abs=60)
        assert log.time_of("observations", 0, 99) is None
        assert [value for _, _, value in log.read("outcomes", 0, 0)] == [b"0", b"1", b"2"], "over transactions' ends"
        assert [value for _, _, value in log.newest_first("outcomes", 0, 2)] == [b"2", b"1"]
        assert log.committed("worker", "observations", 0) == 2
        assert log.committed("nobody", "observations", 0) is None
        with pytest.raises(LogError, match="no partition 9"):
            log.read("observations", 9, 0)


def test_a_cluster_that_is_not_there_is_named() -> None:
    server = f"127.0.0.1:{free_port()}"
    with pytest.raises(LogUnavailableError, match=server):
        KafkaReader(Address((server,)))
