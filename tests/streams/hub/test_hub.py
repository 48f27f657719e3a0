"""The hub: batches once and in order whatever goes up or down, news to subscribers, bad clients shown the door."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import stat
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensors import quarantine
from sensors.flights import Flight, Flights
from streams.embedded.schema import LogFullError
from streams.embedded.store import Log, TopicSpec
from streams.hub import (
    RESYNC,
    HubClient,
    HubClosedError,
    HubError,
    HubFullError,
    HubProducer,
    HubRefusedError,
    HubServer,
    protocol,
)
from streams.hub.address import connect
from streams.hub.protocol import MAX_MESSAGE, VERSION, Hello, Put, encode
from tests.waiting import reached

Records = list[tuple[str, int, bytes | None, bytes]]


class Memory:
    """A log in memory that can be slow, full or refuse."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.calls = 0
        self.failing: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def produce(self, records: Records) -> list[int]:
        self.calls += 1
        await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        for topic, _, _, _ in records:
            if topic == "nowhere":
                raise ValueError("there is no topic 'nowhere'")
        begin = len(self.records)
        self.records += [value for _, _, _, value in records]
        return list(range(begin, len(self.records)))


def run(test: Callable[[Path, Memory], Any], tmp_path: Path) -> None:
    async def main() -> None:
        await test(tmp_path / "run" / "hub.sock", Memory())

    asyncio.run(main())


def test_a_batch_is_acknowledged_once_it_is_durable(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # noqa: ASYNC240
        producer, answers = HubProducer(path), list[Exception | None]()
        memory.gate.clear()
        producer.produce([("a", 0, b"x"), ("a", 1, b"y")], answers.append)
        await reached(lambda: memory.calls)
        assert not answers
        memory.gate.set()
        await reached(lambda: answers)
        assert answers == [None] and memory.records == [b"x", b"y"]
        client = HubClient(path)
        assert await client.produce([("a", 0, b"k", b"z"), ("a", 0, None, b"w")]) == [2, 3]
        await client.close()
        await asyncio.to_thread(producer.close)
        await server.stop()
        assert not path.exists()  # noqa: ASYNC240

    run(test, tmp_path)


def test_a_batch_handed_over_while_the_bell_is_answered_does_not_silence_the_bell(tmp_path: Path) -> None:
    """It did: later batches then waited for a reply to an earlier one, or for half a second."""

    class Bell:
        """The alarm's end of the bell, with something that happens at its first answer."""

        def __init__(self, alarm: socket.socket) -> None:
            self.alarm = alarm
            self.meanwhile: Callable[[], None] | None = None

        def fileno(self) -> int:
            return self.alarm.fileno()

        def close(self) -> None:
            self.alarm.close()

        def recv(self, size: int) -> bytes:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            return self.alarm.recv(size)

    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        producer, answers = HubProducer(path), list[Exception | None]()
        await reached(lambda: producer.connected)
        bell = Bell(producer._alarm)
        bell.meanwhile = lambda: producer.produce([("a", 0, b"second")], answers.append)
        producer._alarm = bell  # type: ignore[assignment]
        producer.produce([("a", 0, b"first")], answers.append)
        await reached(lambda: len(answers) == 2)
        await reached(lambda: not producer._rung, what="a bell that the next batch can ring")
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_batches_survive_a_restart_of_the_server_in_order(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        producer, answers = HubProducer(path), list[Exception | None]()
        for n in range(10):
            producer.produce([("a", 0, b"%d" % n)], answers.append)
        server = HubServer(path, memory.produce)
        await server.start()
        await reached(lambda: len(answers) == 10)
        for n in range(10, 500):
            producer.produce([("a", 0, b"%d" % n)], answers.append)
            if n % 100 == 0:
                await server.stop()
                server = HubServer(path, memory.produce)
                await server.start()
        await reached(lambda: len(answers) == 500)
        assert set(answers) == {None}
        first = list(dict.fromkeys(memory.records))
        assert first == [b"%d" % n for n in range(500)], "all there, first written in order"
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_a_batch_sent_again_over_a_new_connection_is_not_written_twice(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        producer, answers = HubProducer(path), list[Exception | None]()
        for n in range(300):
            producer.produce([("a", 0, b"%d" % n)], answers.append)
            if n % 30 == 0:
                await reached(lambda: server._connections)
                for connection in list(server._connections):
                    connection._transport.abort()  # type: ignore[union-attr]
                await asyncio.sleep(0)
        await reached(lambda: len(answers) == 300)
        assert memory.records == [b"%d" % n for n in range(300)]
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_a_full_log_holds_batches_back_in_order_until_there_is_room(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        producer, answers = HubProducer(path), list[Exception | None]()
        memory.failing = LogFullError("full")
        for n in range(50):
            producer.produce([("a", 0, b"%d" % n)], answers.append)
        await reached(lambda: memory.calls >= 2)
        assert not answers and not memory.records
        memory.failing = None
        await reached(lambda: len(answers) == 50)
        assert memory.records == [b"%d" % n for n in range(50)] and set(answers) == {None}
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_a_refused_batch_fails_alone(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        producer, answers = HubProducer(path), dict[int, Exception | None]()
        memory.gate.clear()
        for n in range(6):
            topic = "nowhere" if n == 3 else "a"
            producer.produce([(topic, 0, b"%d" % n)], lambda error, n=n: answers.__setitem__(n, error))
        memory.gate.set()
        await reached(lambda: len(answers) == 6)
        assert [n for n, error in answers.items() if error is not None] == [3]
        assert isinstance(answers[3], HubRefusedError) and "nowhere" in str(answers[3])
        assert answers[3].permanent
        assert memory.records == [b"0", b"1", b"2", b"4", b"5"]
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_a_producer_is_bounded_and_says_so_at_once(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        producer, answers = HubProducer(path, limit_bytes=1000), list[Exception | None]()
        for _ in range(20):
            producer.produce([("a", 0, bytes(100))], answers.append)
        assert answers and all(isinstance(answer, HubFullError) for answer in answers)
        waiting = producer.waiting
        await asyncio.to_thread(producer.close, 0.1)
        assert sum(isinstance(answer, HubClosedError) for answer in answers) == waiting
        producer.produce([("a", 0, b"")], answers.append)
        assert isinstance(answers[-1], HubClosedError)

    run(test, tmp_path)


def test_a_batch_too_large_for_one_message_goes_in_parts_and_what_is_too_large_alone_to_the_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was offered again unchanged for ever, so that its bridge never acknowledged anything more."""
    monkeypatch.setattr(protocol, "MAX_MESSAGE", 100_000)

    async def test(path: Path, memory: Memory) -> None:
        server = HubServer(path, memory.produce)
        await server.start()
        producer, kept = HubProducer(path), quarantine.Quarantine("bridge")
        flights = Flights(producer, kept, source="bridge", retry_most=1.0, landed=lambda: None)
        sizes = (60_000, 50_000, 120_000, 40_000)
        made = [("a", 0, bytes([n]) * size) for n, size in enumerate(sizes)]
        for number, records in enumerate((made, [("a", 0, b"next")])):
            flights.add(Flight(records, len(records), 1, b"ack%d" % number, 1, time.monotonic()))
        acks = bytearray()

        def settled() -> bool:
            acks.extend(flights.settle(time.monotonic(), 1))
            return not len(flights)

        await reached(settled)
        assert bytes(acks) == b"ack0ack1" and (flights.readings, flights.bytes, flights.failed) == (0, 0, 0)
        [word] = [record for record in memory.records if record not in (b"next", *(value for _, _, value in made))]
        refused = quarantine.decode(word)
        assert (refused.reason, refused.size, refused.raw) == ("log_refused", 120_000, b"\2" * quarantine.RAW_LIMIT)
        assert "100000 are allowed" in refused.detail and kept.counts == {"log_refused": 1}
        assert sorted(len(value) for value in memory.records if value is not word) == [4, 40_000, 50_000, 60_000]
        await asyncio.to_thread(producer.close)
        await server.stop()

    run(test, tmp_path)


def test_subscribers_hear_of_their_topics_and_of_every_reconnection(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        client, heard = HubClient(path), list[tuple[str, int, int, bytes]]()

        async def listen() -> None:
            async for record in client.subscribe(["a", "b"]):
                heard.append(record)

        listening = asyncio.create_task(listen())
        server = HubServer(path, memory.produce)
        await server.start()
        await reached(lambda: server.subscribers)
        server.publish("a", 1, 7, b"x")
        server.publish("c", 1, 7, b"not for us")
        server.publish("b", 0, 8, b"y")
        await reached(lambda: len(heard) == 3)
        await server.stop()
        server = HubServer(path, memory.produce)
        await server.start()
        await reached(lambda: server.subscribers)
        server.publish("a", 1, 9, b"z")
        await reached(lambda: len(heard) == 5)
        marker = (RESYNC, -1, -1, b"")
        assert heard == [marker, ("a", 1, 7, b"x"), ("b", 0, 8, b"y"), marker, ("a", 1, 9, b"z")]
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await server.stop()

    run(test, tmp_path)


def test_a_slow_subscriber_gets_a_marker_and_holds_up_nobody(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server, client, heard = HubServer(path, memory.produce), HubClient(path), list[tuple[str, int, int, bytes]]()
        await server.start()
        slow = asyncio.Event()

        async def listen() -> None:
            async for record in client.subscribe(["a"]):
                heard.append(record)
                if record[2] == 0:
                    await slow.wait()

        listening = asyncio.create_task(listen())
        await reached(lambda: server.subscribers)
        for n in range(400):
            server.publish("a", 0, n, bytes(100_000))
            await asyncio.sleep(0)
        slow.set()
        await reached(lambda: heard.count((RESYNC, -1, -1, b"")) == 2)
        server.publish("a", 0, 1000, b"again")
        await reached(lambda: heard[-1][2] == 1000)
        assert len(heard) < 400
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await server.stop()

    run(test, tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("<I", MAX_MESSAGE + 1),
        struct.pack("<I", 3) + b"\xc1\xc1\xc1",
        encode(Put(0, [("a", 0, None, b"without a hello")])),
        encode(Hello(VERSION + 1, "from the future")),
    ],
)
def test_a_client_that_speaks_nonsense_is_disconnected_and_others_are_not(tmp_path: Path, bad: bytes) -> None:
    async def test(path: Path, memory: Memory) -> None:
        server, client = HubServer(path, memory.produce), HubClient(path)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(bad)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert await client.produce([("a", 0, None, b"x")]) == [0]
        assert memory.records == [b"x"]
        await client.close()
        await server.stop()

    run(test, tmp_path)


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as left_over:
            left_over.bind(str(path))
        server = HubServer(path, memory.produce)
        await server.start()
        with pytest.raises(HubError, match="another worker answers"):
            await HubServer(path, memory.produce).start()
        await server.stop()

    run(test, tmp_path)


def test_a_deep_data_folder_is_no_problem(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        deep = tmp_path / ("d" * 60) / ("e" * 60) / "hub.sock"
        server = HubServer(deep, memory.produce)
        await server.start()
        assert len(os.fsencode(deep)) > 108
        connect(deep).close()
        client = HubClient(deep)
        assert await client.produce([("a", 0, None, b"x")]) == [0]
        await client.close()
        await server.stop()

    run(test, tmp_path)


def test_the_hub_in_front_of_a_real_log(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        with Log(tmp_path / "log", {"a": TopicSpec(2)}) as log:
            server, client = HubServer(path, log.produce), HubClient(path)
            await server.start()
            offsets = await asyncio.gather(*(client.produce([("a", 1, None, b"%d" % n)]) for n in range(200)))
            assert offsets == [[n] for n in range(200)]
            with pytest.raises(HubRefusedError, match="no partition 5"):
                await client.produce([("a", 5, None, b"")])
            assert log.end("a", 1) == 200
            await client.close()
            await server.stop()

    run(test, tmp_path)


def test_a_locked_log_holds_batches_back_until_it_is_let_go(tmp_path: Path) -> None:
    async def test(path: Path, memory: Memory) -> None:
        with Log(tmp_path / "log", {"a": TopicSpec(2)}) as log:
            log._connection.execute("PRAGMA busy_timeout=20")
            server = HubServer(path, log.produce)
            await server.start()
            other = sqlite3.connect(tmp_path / "log", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            producer, answers = HubProducer(path), list[Exception | None]()
            for n in range(20):
                producer.produce([("a", 0, b"%d" % n)], answers.append)
            await reached(lambda: log.figures()["failures"] >= 2)
            assert not answers, "neither taken nor refused: whoever waits for the answer is not acknowledged"
            other.execute("ROLLBACK")
            other.close()
            await reached(lambda: len(answers) == 20)
            assert set(answers) == {None}
            assert [value for _, _, value in log.read("a", 0, 0)] == [b"%d" % n for n in range(20)]
            await asyncio.to_thread(producer.close)
            await server.stop()

    run(test, tmp_path)
