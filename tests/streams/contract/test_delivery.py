"""What an agent is given: everything, in order, again after a failure, from where it was committed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.embedded.schema import LogFullError, LogWriteError
from streams.lean import Batch
from tests.waiting import reached

from .conftest import Transport


def put(partition: int, *values: bytes) -> list[tuple[str, int, bytes | None, bytes]]:
    return [("observations", partition, None, value) for value in values]


def test_records_arrive_in_order_and_without_gaps_in_each_partition(transport: Transport) -> None:
    async def main() -> None:
        app, seen = transport.app(), dict[int, list[tuple[int, bytes]]]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            for offset, _, value in batch.records:
                seen.setdefault(batch.partition, []).append((offset, value))
            batch.done()

        await app.start()
        await asyncio.gather(
            *(app.produce_many(put(n % 3, *(b"%d" % (n * 10 + i) for i in range(10)))) for n in range(300))
        )
        await reached(lambda: sum(map(len, seen.values())) >= 3000)
        await app.stop()
        for partition, records in seen.items():
            assert [offset for offset, _ in records] == list(range(1000))
            expected = [b"%d" % (n * 10 + i) for n in range(partition, 300, 3) for i in range(10)]
            assert [value for _, value in records] == expected

    asyncio.run(main())


def test_produce_returns_the_offset_it_was_written_at(transport: Transport) -> None:
    async def main() -> None:
        app = transport.app()
        await app.start()
        assert [await app.produce("observations", 1, b"k", b"v") for _ in range(3)] == [0, 1, 2]
        assert await app.produce_many(put(2, b"a") + put(1, b"b", b"c")) == [0, 3, 4]
        assert app.log_store.read("observations", 1, 0, 1) == [(0, b"k", b"v")]
        with pytest.raises(LogWriteError, match="no partition 7"):
            await app.produce("observations", 7, None, b"")
        await app.stop()

    asyncio.run(main())


def test_an_agent_that_raises_commits_nothing_and_gets_the_bad_record_alone(transport: Transport) -> None:
    async def main() -> None:
        app, calls, kept = transport.app(), list[tuple[int, list[bytes]]](), list[bytes]()
        held = asyncio.Event()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            await held.wait()
            values = [value for _, _, value in batch.records]
            calls.append((batch.attempt, values))
            if b"bad" in values and not (batch.attempt > 1 and values == [b"bad"]):
                raise RuntimeError("cannot handle this")
            kept.extend(values)
            batch.done()

        await app.start()
        await app.produce_many(put(0, b"a", b"bad", b"c"))
        held.set()
        await reached(lambda: len(kept) == 3)
        assert kept == [b"a", b"bad", b"c"]
        assert (0, [b"a", b"bad", b"c"]) in calls or calls[0][0] == 0
        assert any(attempt > 0 and values == [b"bad"] for attempt, values in calls)
        await reached(lambda: app.log_store.committed("worker", "observations", 0) == 3)
        await app.stop()

    asyncio.run(main())


def test_work_goes_on_after_a_restart_where_it_was_committed(transport: Transport) -> None:
    async def run(name: str, count: int, commit: bool, produce: int) -> list[bytes]:
        app, seen = transport.app(name), list[bytes]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            seen.extend(value for _, _, value in batch.records)
            if commit:
                await batch.done()

        await app.start()
        if produce:
            await app.produce_many(put(0, *(b"%d" % n for n in range(produce))))
        await reached(lambda: len(seen) >= count)
        await app.stop()
        return seen

    first = asyncio.run(run("worker", 50, False, 50))
    again = asyncio.run(run("worker", 50, True, 0))
    assert first == again, "what is not committed comes again"
    assert asyncio.run(run("worker", 0, True, 0)) == []
    assert asyncio.run(run("another", 50, True, 0)) == first, "another group begins at the beginning"


def test_where_a_group_begins_is_pinned_when_it_first_sees_a_partition(transport: Transport) -> None:
    async def main() -> None:
        app = transport.app(consumer_auto_offset_reset="latest")

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None: ...

        before = transport.app("before")
        await before.start()
        await before.produce_many(put(1, b"old", b"old"))
        await before.stop()
        await app.start()
        await reached(lambda: app.log_store.committed("worker", "observations", 1) == 2)
        assert app.log_store.committed("worker", "observations", 0) == 0
        await app.produce_many(put(0, b"in flight"))
        await app.stop()

        later, seen = transport.app(consumer_auto_offset_reset="latest"), list[bytes]()

        @later.batch_agent("observations")
        async def engine_again(batch: Batch) -> None:
            seen.extend(value for _, _, value in batch.records)

        await later.start()
        await reached(lambda: seen)
        await later.stop()
        assert seen == [b"in flight"]

    asyncio.run(main())


def test_a_rebalance_gives_partitions_back_and_loses_and_repeats_nothing(transport: Transport) -> None:
    async def main() -> None:
        app, seen, events = transport.app(), list[tuple[int, int]](), list[str]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            await asyncio.sleep(0)
            seen.extend((batch.partition, offset) for offset, _, _ in batch.records)
            batch.done()

        app.on_assigned(lambda partitions: events.append(f"+{len(partitions)}"))
        app.on_revoked(lambda partitions: events.append(f"-{len(partitions)}"))
        await app.start()
        consumer: Any = app.consumer
        rounds = {"sqlite": 200, "kafka": 20}[transport.kind]
        for _ in range(rounds):
            for partition in range(3):  # in flight while the rebalance runs
                app.log_store.append(put(partition, *[b"x"] * 3))
            await consumer.rebalance()
        await reached(lambda: len(set(seen)) >= 9 * rounds)
        await reached(lambda: all(app.log_store.committed("worker", "observations", p) == 3 * rounds for p in range(3)))
        await app.stop()
        assert sorted(seen) == [(p, o) for p in range(3) for o in range(3 * rounds)]
        assert events == ["+3"] + ["-3", "+3"] * rounds + ["-3"]

    asyncio.run(main())


def test_the_hooks_frame_every_delivery(transport: Transport) -> None:
    async def main() -> None:
        app, events = transport.app(), list[str]()

        @app.on_assigned
        async def assigned(partitions: list[tuple[str, int]]) -> None:
            await asyncio.sleep(0.05)
            events.append("assigned")

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            events.append("batch")
            await asyncio.sleep(0.05)
            events.append("handled")
            batch.done()

        @app.on_revoked
        async def revoked(partitions: list[tuple[str, int]]) -> None:
            events.append("revoked")
            await app.produce("snapshots", 0, b"state", b"last words")

        await app.start()
        await app.produce("observations", 0, None, b"x")
        await reached(lambda: "batch" in events)
        await app.stop()
        assert events == ["assigned", "batch", "handled", "revoked"]

        reader = transport.app()
        await reader.start()
        assert reader.log_store.read("snapshots", 0, 0) == [(0, b"state", b"last words")]
        await reader.stop()

    asyncio.run(main())


def test_a_timer_outlives_a_log_that_cannot_be_written(transport: Transport) -> None:
    async def main() -> None:
        app, turns = transport.app(), list[int]()

        @app.timer(0.01)
        async def tick() -> None:
            turns.append(len(turns))
            raise LogFullError("full")

        await app.start()
        await reached(lambda: len(turns) >= 3)
        assert not app.crashed
        await app.stop()

    asyncio.run(main())


def test_a_hook_that_fails_stops_the_application_with_its_reason(transport: Transport) -> None:
    async def main() -> None:
        app = transport.app()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None: ...

        @app.on_assigned
        async def assigned(partitions: list[tuple[str, int]]) -> None:
            raise RuntimeError("no snapshot")

        starting = asyncio.create_task(app.start())
        assert "no snapshot" in str(await asyncio.wait_for(app.failure(), 10))
        await app.stop()
        await asyncio.wait([starting], timeout=5)
        starting.cancel()

    asyncio.run(main())
