"""Outputs and offsets stand or fall together, whatever is killed when."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from streams.embedded.schema import LogFullError, LogWriteError
from streams.hub import HubProducer
from streams.lean import Batch, TopicSpec, create_app
from tests.waiting import reached, until

from .conftest import Transport, values

ROOT = Path(__file__).parents[3]
WORKER = Path(__file__).with_name("worker.py")


def spawn(transport: Transport, mode: str = "work") -> subprocess.Popen[bytes]:
    hub = transport.folder / "hub.sock"
    return subprocess.Popen(
        [sys.executable, str(WORKER), transport.url, str(hub), mode], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )


def test_outputs_and_offset_are_durable_together(transport: Transport) -> None:
    async def main() -> None:
        app, offsets = transport.app(), list[list[int]]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            before = app.log_store.committed("worker", "observations", batch.partition) or 0
            written = batch.done([("outcomes", batch.partition, b"k", value * 2) for _, _, value in batch.records])
            there = len(batch.records) + before
            assert len(values(app.log_store, "outcomes", batch.partition)) in (before, there), "none or all"
            offsets.append(await written)
            # what Kafka has acknowledged is kept; readers see it a little later, the offset perhaps before the outputs
            await reached(lambda: app.log_store.committed("worker", "observations", batch.partition) == there)
            await reached(lambda: len(values(app.log_store, "outcomes", batch.partition)) == there)

        await app.start()
        await app.produce_many([("observations", 1, None, b"a"), ("observations", 1, None, b"b")])
        await reached(lambda: sum(map(len, offsets)) == 2)
        assert [offset for written in offsets for offset in written] == [0, 1]
        await reached(lambda: app.log_store.committed("worker", "observations", 1) == 2)
        assert await reached(lambda: app.log_store.read("outcomes", 1, 0)) == [(0, b"k", b"aa"), (1, b"k", b"bb")]
        await app.stop()

    asyncio.run(main())


def test_an_output_that_cannot_be_written_fails_the_agent_and_not_the_partition(transport: Transport) -> None:
    async def main() -> None:
        app, errors = transport.app(), list[Exception]()

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            try:
                batch.done([("nowhere", 0, None, b"")])
            except LogWriteError as error:
                errors.append(error)
                await batch.done()

        await app.start()
        await app.produce("observations", 0, None, b"x")
        await reached(lambda: app.log_store.committed("worker", "observations", 0) == 1)
        assert "nowhere" in str(errors[0])
        await app.stop()

    asyncio.run(main())


def test_kill_9_under_load_loses_nothing_and_repeats_no_output(transport: Transport) -> None:
    kills = {"sqlite": 6, "kafka": 2}[transport.kind]  # a worker takes twice as long to start on Kafka
    chance = random.Random(kills)
    acknowledged: set[bytes] = set()
    lock = threading.Lock()
    producer = HubProducer(transport.folder / "hub.sock")
    worker = spawn(transport)
    number = 0
    try:
        for _ in range(kills):
            until(lambda: producer.connected)
            goal = len(acknowledged) + chance.randint(100, 1500)
            while len(acknowledged) < goal:
                if producer.waiting > 200:
                    time.sleep(0.001)
                    continue
                value = b"%d" % number

                def done(error: Exception | None, value: bytes = value) -> None:
                    assert error is None
                    with lock:
                        acknowledged.add(value)

                producer.produce([("observations", number % 2, value)], done)
                number += 1
            worker.kill()
            assert worker.wait() == -signal.SIGKILL, "it worked until it was killed"
            worker = spawn(transport)
        producer.produce([("observations", 0, b"last")], lambda error: acknowledged.add(b"last"))  # by the last worker
        until(lambda: producer.waiting == 0)
        producer.close()

        def caught_up() -> bool:
            return all(log.committed("worker", "observations", p) == log.end("observations", p) for p in range(2))

        with transport.reader() as log:
            until(caught_up)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(5) == 0
    finally:
        worker.kill()
        worker.wait()
    written: set[bytes] = set()
    with transport.reader() as log:
        for partition in range(2):
            into, outof = values(log, "observations", partition), values(log, "outcomes", partition)
            assert len(into) == log.end("observations", partition)
            assert outof == into, "each input has its one output, in order"
            written.update(into)
    assert len(acknowledged) == number + 1
    assert acknowledged == written, "what was acknowledged is in the log"


def test_sigterm_stops_a_busy_worker_within_five_seconds(transport: Transport) -> None:
    worker = spawn(transport, "stuck")
    hub = transport.folder / "hub.sock"
    try:
        producer = HubProducer(hub)
        until(lambda: producer.connected)
        producer.produce([("observations", 0, b"x")], lambda error: None)
        until(lambda: hub.with_name("hub.sock.stuck").exists())
        began = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        worker.wait(6)
        assert time.monotonic() - began <= 5.0
        producer.close(0)
    finally:
        worker.kill()
        worker.wait()


def test_a_full_log_makes_outputs_wait_in_order_and_loses_none(tmp_path: Path) -> None:
    async def main() -> None:
        app = create_app(
            "worker",
            broker_url=f"sqlite:///{tmp_path}/log.sqlite",
            topics={"observations": TopicSpec(1), "outcomes": TopicSpec(1)},
            log_options={"max_bytes": 4_000_000},
        )
        handled = 0

        @app.batch_agent("observations")
        async def engine(batch: Batch) -> None:
            nonlocal handled
            handled += len(batch.records)
            batch.done([("outcomes", 0, None, value * 2000) for _, _, value in batch.records])

        await app.start()
        log = app.log_store
        for n in range(100):
            await app.produce("observations", 0, None, b"%04d" % n * 10)
        await reached(lambda: log.figures()["failures"] >= 3)
        await reached(lambda: handled >= 100)
        committed = log.committed("worker", "observations", 0) or 0
        assert committed == log.end("outcomes", 0) < 400
        for n in range(100, 120):
            with suppress(LogFullError):
                await app.produce("observations", 0, None, b"%04d" % n * 10)
        log.set_max_bytes(100_000_000)
        await reached(lambda: log.committed("worker", "observations", 0) == log.end("observations", 0))
        outcomes = log.read_stored("outcomes", 0, 0, limit=10_000, max_bytes=1 << 30)
        observations = log.read_stored("observations", 0, 0, limit=10_000)
        assert [value[:40] for _, _, value in outcomes] == [value for _, _, value in observations]
        await app.stop()

    asyncio.run(main())
