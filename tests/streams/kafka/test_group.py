"""Several workers: partitions move, nothing is lost or said twice, and who was put out can say nothing more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from streams.embedded.schema import LogClosedError, LogError
from streams.kafka.address import Address
from streams.kafka.log import KafkaLog
from streams.kafka.reader import KafkaReader
from streams.lean import Batch, LeanApp, create_app
from tests.waiting import reached

from .conftest import TOPICS

pytestmark = pytest.mark.server

PARTITIONS, ROUNDS, EACH = 4, 6, 10


def url(address: Address) -> str:
    return f"kafka://{address.servers[0]}/{address.prefix}"


def worker(address: Address, seen: dict[str, int], name: str, **log: Any) -> LeanApp:
    options = {"session_seconds": 3.0, **log}
    app = create_app("worker", broker_url=url(address), topics=TOPICS, log_options=options)

    @app.batch_agent("observations")
    async def engine(batch: Batch) -> None:
        seen[name] = seen.get(name, 0) + len(batch.records)
        await asyncio.sleep(0)
        batch.done([("outcomes", batch.partition, None, value) for _, _, value in batch.records])

    return app


def test_workers_join_and_leave_under_load_and_each_id_comes_out_once(address: Address) -> None:
    async def main() -> None:
        seen: dict[str, int] = {}
        first = worker(address, seen, "first")
        await first.start()
        stopping, sent = asyncio.Event(), 0

        async def load() -> None:
            nonlocal sent
            while not stopping.is_set():
                await first.produce_many(
                    [("observations", n % PARTITIONS, None, b"%d" % (sent + n)) for n in range(EACH * PARTITIONS)]
                )
                sent += EACH * PARTITIONS

        loading = asyncio.create_task(load())
        for turn in range(ROUNDS):
            name = f"second {turn}"
            second = worker(address, seen, name)
            await second.start()
            await reached(lambda name=name: seen.get(name), what=f"work for {name}")  # type: ignore[misc]
            await second.stop()
        stopping.set()
        await loading
        log = first.log_store
        places = [("observations", p) for p in range(PARTITIONS)]

        def done() -> bool:
            return all(log.committed("worker", *place) == log.end(*place) for place in places)

        await reached(done, what="the first to have all again")
        assert log.figures()["gaps"] == 0
        await first.stop()
        with KafkaReader(address) as reader:
            for topic, partition in places:
                into = [value for _, _, value in reader.read(topic, partition, 0, limit=1_000_000)]
                outof = [value for _, _, value in reader.read("outcomes", partition, 0, limit=1_000_000)]
                assert outof == into, "each once, in order"
        assert sum(seen.values()) >= sent

    asyncio.run(main())


def test_a_session_that_kafka_does_not_take_ends_the_worker_with_what_to_do(address: Address) -> None:
    async def main() -> None:
        app = worker(address, {}, "hasty", session_seconds=0.5)
        starting = asyncio.create_task(app.start())
        async with asyncio.timeout(20):
            why = await app.failure()
        assert "takes no session of 0.5 s: set group.min.session.timeout.ms" in str(why)
        starting.cancel()
        await asyncio.wait([starting])
        await app.stop()

    asyncio.run(main())


def test_a_worker_for_which_nothing_is_fetched_any_more_ends(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        app = worker(address, {}, "deaf")

        def torn(*_: object) -> None:
            raise ValueError("a record is torn")

        await app.start()
        monkeypatch.setattr(app.log_store.membership, "_take_in", torn)
        await app.produce("observations", 0, None, b"x")
        async with asyncio.timeout(90):
            why = await app.failure()
        assert "fetching from Kafka broke off: ValueError('a record is torn')" in str(why)
        await app.stop()

    asyncio.run(main())


def test_who_was_put_out_can_write_nothing_more(address: Address) -> None:
    async def main() -> None:
        before, after = (KafkaLog(address, TOPICS, "worker") for _ in range(2))
        output, commit = ("outcomes", 1, None, b"x"), ("worker", "observations", 1, 7)
        places = [("observations", 1)]
        for log in (before, after):
            await log.open()
        await before.take_over(places, places, 0)
        assert await before.produce([output], commits=[commit]) == [0]
        await after.take_over(places, places, 0)
        assert after.committed("worker", "observations", 1) == 7
        with pytest.raises(LogClosedError, match="taken over by another"):
            await before.produce([("outcomes", 1, None, b"zombie")], commits=[("worker", "observations", 1, 9)])
        with pytest.raises(LogClosedError):
            await before.produce([("outcomes", 1, None, b"again")], commits=[("worker", "observations", 1, 9)])
        await after.produce([("outcomes", 1, None, b"y")], commits=[("worker", "observations", 1, 8)])
        values = [value for _, _, value in await asyncio.to_thread(after.read, "outcomes", 1, 0)]
        assert values == [b"x", b"y"]
        for log in (before, after):
            await asyncio.to_thread(log.close)
        with KafkaReader(address) as reader:
            assert reader.committed("worker", "observations", 1) == 8

    asyncio.run(main())


@pytest.mark.parametrize("heard", [False, True], ids=["before it was done", "after it was done"])
def test_a_commit_whose_answer_is_lost_is_done_once(
    address: Address, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = AIOKafkaProducer.commit_transaction, list[int]()

    async def losing(self: AIOKafkaProducer) -> None:
        if heard or lost:
            await commit(self)
        if not lost:
            lost.append(1)
            raise KafkaTimeoutError

    async def main() -> None:
        app = worker(address, {}, "one")
        await app.start()
        await app.produce_many([("observations", 0, None, b"%d" % n) for n in range(3)])
        await reached(lambda: app.log_store.committed("worker", "observations", 0) == 3)
        values = [value for _, _, value in app.log_store.read("outcomes", 0, 0)]
        assert values == [b"0", b"1", b"2"] and lost
        await app.stop()

    monkeypatch.setattr(AIOKafkaProducer, "commit_transaction", losing)
    asyncio.run(main())


def test_a_second_run_on_the_same_prefix_is_refused(address: Address) -> None:
    async def main() -> None:
        first, second = (worker(address, {}, "one", instance=f"run-{n}", alone=True) for n in (1, 2))
        held = asyncio.Event()
        first.on_assigned(lambda _: held.set())
        await first.start()
        async with asyncio.timeout(20):
            await held.wait()
        with pytest.raises(LogError, match=r"another run works on .*run-1"):
            await second.start()
        await first.stop()

    asyncio.run(main())


def test_without_its_topics_a_worker_does_not_start(kafka: str) -> None:
    async def main() -> None:
        log = KafkaLog(Address((kafka,), "nothing-here"), TOPICS, "worker")
        with pytest.raises(LogError, match=r"no topic nothing-here.observations.*foreshock topics apply"):
            await log.open()

    asyncio.run(main())
