"""The worker after somebody took a file away: the journal is made again from the log; a new log is not the old one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.queries import Reader
from streams import bundle, settings
from streams.bundle import Bundle
from streams.hub import HubProducer
from streams.topics import OBSERVATIONS
from streams.worker import Worker
from tests.streams.small_site import START, frame_of, rules, site
from tests.streams.test_worker import until

CONTENT = Bundle(site=site(), rules=rules())


def work(folder: Path, point: int, number: int) -> None:
    """Run a worker until `number` alarms stand in the journal, after one point has gone high."""
    found = settings.load({}, data=str(folder))
    (folder / "run").mkdir(exist_ok=True)

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START + 100.0 * (point + 1))
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        producer = HubProducer(found.hub_path)
        at = START + 100.0 * (point + 1)
        producer.produce([(OBSERVATIONS, 0, frame_of([(point, at, 30.0)], at))], lambda error: None)
        await until(lambda: len(alarms(folder)) == number)
        await asyncio.to_thread(producer.close)
        stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(scenario())


def alarms(folder: Path) -> set[str]:
    reader = Reader(settings.load({}, data=str(folder)).journal_url)
    try:
        return {one["scope"] for one in reader.alarms("all", limit=500).items if one["rule"] == "creep"}
    finally:
        reader.close()


def remove(folder: Path, name: str) -> None:
    for file in folder.glob(f"{name}*"):
        file.unlink()


def test_a_lost_journal_is_made_again_from_the_log(tmp_path: Path) -> None:
    work(tmp_path, 0, 1)
    remove(tmp_path, "journal.sqlite")
    work(tmp_path, 1, 2)
    assert alarms(tmp_path) == {"p0", "p1"}


@pytest.mark.parametrize("runs", [1, 2])
def test_the_alarms_of_a_new_log_reach_an_old_journal(tmp_path: Path, runs: int) -> None:
    for point in range(runs):
        work(tmp_path, point, point + 1)
    remove(tmp_path, "log.sqlite")
    work(tmp_path, 4, runs + 1)
    assert "p4" in alarms(tmp_path)
