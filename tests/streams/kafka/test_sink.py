"""What a bridge hands over: in order, and once it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scripts.ports import free_port
from streams.hub import HubClosedError, HubFullError, HubRefusedError
from streams.kafka.address import Address
from streams.kafka.reader import KafkaReader
from streams.kafka.sink import KafkaSink
from streams.kafka.transactions import REQUEST_BYTES
from tests.waiting import until


def test_what_waits_is_bounded_and_given_back_at_the_end() -> None:
    sink = KafkaSink(Address((f"127.0.0.1:{free_port()}",)), limit_bytes=10)
    said: list[Exception | None] = []
    sink.produce([("observations", 0, b"x" * 11)], said.append)
    sink.produce([("observations", 0, b"y")], said.append)
    assert isinstance(said[0], HubFullError) and sink.waiting == 1
    sink.produce([("observations", 0, bytes(REQUEST_BYTES))], said.append)
    assert isinstance(said[1], HubRefusedError) and said[1].permanent
    sink.close(0.1)
    sink.produce([("observations", 0, b"z")], said.append)
    assert [type(one) for one in said[2:]] == [HubClosedError, HubClosedError]


def test_what_comes_as_a_partition_was_just_emptied_does_not_wait_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited until something else came to its partition: at night, for as long as a sensor is quiet."""
    sink, said = KafkaSink(Address((f"127.0.0.1:{free_port()}",))), list[Exception | None]()

    async def send(topic: str, partition: int, queue: Sequence[object]) -> int:
        if not said:  # in the loop's own thread: it is taken in before anything that the end of this task brings about
            sink.produce([("observations", 0, b"second")], said.append)
        return len(queue)

    monkeypatch.setattr(sink, "_send", send)
    sink.produce([("observations", 0, b"first")], said.append)
    until(lambda: said == [None, None], 5)
    sink.close(0.1)


@pytest.mark.server
def test_batches_over_partitions_are_acknowledged_whole_and_stay_in_order(address: Address) -> None:
    sink, done = KafkaSink(address), list[int]()
    for n in range(200):
        records = [("observations", p, b"%d" % n * (1 if p else 5000)) for p in range(3)]

        def told(error: Exception | None, n: int = n) -> None:
            assert error is None
            done.append(n)

        sink.produce(records, told)
    until(lambda: len(done) == 200)
    assert sink.waiting == 0
    sink.close()
    with KafkaReader(address) as log:
        for partition in range(3):
            values = [value for _, _, value in log.read("observations", partition, 0, limit=1000)]
            assert values == [b"%d" % n * (1 if partition else 5000) for n in range(200)]
