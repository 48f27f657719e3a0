"""Plain Faust on the transport: events, tables, what an agent sends."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.waiting import reached

from .conftest import Transport, values


def plain(transport: Transport, name: str = "plain") -> Any:
    return transport.plain(
        name,
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=2,
        datadir=str(transport.folder / "data"),
    )


def count(log: Any, topic: str) -> int:
    return sum(len(values(log, topic, partition)) for partition in range(log.topics().get(topic, 0)))


def test_events_tables_and_sends_of_plain_faust_survive_a_restart(transport: Transport) -> None:
    async def run(begin: int, end: int) -> dict[bytes, int]:
        app = plain(transport)
        source = app.topic(
            transport.named("source"), key_type=bytes, value_type=bytes, value_serializer="raw", partitions=2
        )
        result = app.topic(
            transport.named("result"), key_type=bytes, value_type=bytes, value_serializer="raw", partitions=2
        )
        table = app.Table("totals", default=int, partitions=2)
        seen = []

        @app.agent(source)
        async def add(stream: Any) -> None:
            async for key, value in stream.items():
                table[key.decode()] += int(value)
                await result.send(key=key, value=value)
                seen.append(value)

        await app.start()
        await result.declare()
        for n in range(begin, end):
            await source.send(key=b"k%d" % (n % 5), value=b"%d" % n)
        await reached(lambda: len(seen) == end - begin)
        log = app.producer.log_store
        await reached(lambda: count(log, result.get_topic_name()) == end)
        group = app.conf.id
        name = source.get_topic_name()
        await reached(lambda: all(log.committed(group, name, p) == log.end(name, p) for p in range(2)))
        totals = {key: table[key] for key in ("k0", "k1", "k2", "k3", "k4")}
        await app.stop()
        return totals  # type: ignore[return-value]

    transport.provide(transport.named("source"), 2)
    asyncio.run(run(0, 100))
    totals = asyncio.run(run(100, 200))
    assert totals == {f"k{k}": sum(n for n in range(200) if n % 5 == k) for k in range(5)}, "the table was restored"


def test_what_an_agent_sends_waits_for_its_event(transport: Transport) -> None:
    async def main() -> None:
        app = plain(transport)
        source = app.topic(transport.named("source"), value_type=bytes, value_serializer="raw", partitions=1)
        result = app.topic(transport.named("result"), value_type=bytes, value_serializer="raw", partitions=1)
        go, sent = asyncio.Event(), asyncio.Event()

        @app.agent(source)
        async def pass_on(stream: Any) -> None:
            async for value in stream:
                await result.send(value=value)
                sent.set()
                await go.wait()

        await app.start()
        await result.declare()
        log = app.producer.log_store
        await source.send(value=b"x")
        await asyncio.wait_for(sent.wait(), 10)
        await app.producer.flush()
        assert count(log, result.get_topic_name()) == 0, "held while its event is being handled"
        go.set()
        await reached(lambda: count(log, result.get_topic_name()) == 1)
        assert log.committed(app.conf.id, source.get_topic_name(), 0) == 1
        await app.stop()

    transport.provide(transport.named("source"), 1)
    asyncio.run(main())
