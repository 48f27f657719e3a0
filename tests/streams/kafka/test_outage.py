"""The broker is killed under load and comes back: nothing is lost, said twice, or out of order."""

from __future__ import annotations

import asyncio

import pytest

from streams.kafka.address import parse
from streams.kafka.reader import KafkaReader
from streams.kafka.sink import KafkaSink
from streams.kafka.topics import Topics
from streams.lean import Batch, create_app
from tests.waiting import reached

from .conftest import TOPICS, Own

pytestmark = pytest.mark.server


def test_an_outage_under_load_loses_and_repeats_no_outcome(own: Own) -> None:
    url = f"kafka://{own.broker.servers}/outage"
    acknowledged: set[int] = set()

    def offer(sink: KafkaSink, numbers: range) -> None:
        for n in numbers:
            record = ("observations", n % 2, b"%d" % n)
            sink.produce([record], lambda error, n=n: acknowledged.add(n))  # type: ignore[misc]

    async def main() -> None:
        topics = Topics(parse(url), TOPICS)
        await topics.apply(await topics.plan())
        app, handled = create_app("worker", broker_url=url, topics=TOPICS), list[int]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            handled.extend(int(value) for _, _, value in batch.records)
            batch.done([("outcomes", batch.partition, None, value) for _, _, value in batch.records])

        await app.start()
        sink = KafkaSink(parse(url))
        offer(sink, range(100))
        await reached(lambda: len(acknowledged) == 100 and handled)
        offer(sink, range(100, 150))
        own.broker.kill()  # with requests, fetches and transactions under way
        offer(sink, range(150, 200))
        own.broker.start()  # here: it ends with the thread that began it; the clients' own thread goes on meanwhile
        await reached(lambda: len(acknowledged) == 200, 60, "all to be acknowledged")
        log = app.log_store
        await reached(
            lambda: (
                all(log.committed("worker", "observations", p) == log.seen_end("observations", p) for p in range(2))
                and len(set(handled)) == 200
            ),
            60,
            "all to be handled and committed",
        )
        sink.close()
        await app.stop()

    asyncio.run(main())
    with KafkaReader(parse(url)) as log:
        for partition in range(2):
            into, outof = (
                [int(value) for _, _, value in log.read(topic, partition, 0, limit=1000)]
                for topic in ("observations", "outcomes")
            )
            assert list(dict.fromkeys(into)) == list(range(partition, 200, 2)), "none missing, none before its turn"
            assert outof == into
