"""The worker after somebody took a file away: the journal is made again from the log; a new log is not the old one."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from alerts.queries import Reader
from streams import bundle, settings
from streams.bundle import Bundle
from streams.embedded.schema import row_id
from streams.embedded.store import Log
from streams.hub import HubProducer
from streams.topics import GROUP, OBSERVATIONS
from streams.worker import Worker
from tests.streams.small_site import START, frame_of, rules, site, tick
from tests.waiting import reached

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
        await reached(lambda: len(alarms(folder)) == number)
        await asyncio.to_thread(producer.close)
        stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(scenario())


def alarms(folder: Path, state: str = "all") -> set[str]:
    reader = Reader(settings.load({}, data=str(folder)).journal_url)
    try:
        return {one["scope"] for one in reader.alarms(state, limit=500).items if one["rule"] == "creep"}
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
    assert alarms(tmp_path, "open") == {"p4"}, "the engine of the new log knows no other: nobody could close them"


def test_what_alarms_after_the_log_lost_its_end_reaches_a_journal_that_did_not_and_is_said(tmp_path: Path) -> None:
    """As after a loss of power, where the two are not flushed together."""
    work(tmp_path, 0, 1)
    before = (tmp_path / "log.sqlite").read_bytes()
    for point in (1, 2, 3):
        work(tmp_path, point, point + 1)
    remove(tmp_path, "log.sqlite")
    (tmp_path / "log.sqlite").write_bytes(before)
    work(tmp_path, 4, 5)
    assert alarms(tmp_path) == {"p0", "p1", "p2", "p3", "p4"}
    assert alarms(tmp_path, "open") == {"p0", "p4"}, "the log knows nothing of the others: nobody could close them"
    with contextlib.closing(Reader(settings.load({}, data=str(tmp_path)).journal_url)) as reader:
        (told,) = [one for one in reader.alarms("all", limit=500).items if one["scope"] == "memory"]
    said = told["explanation"]["clause"]
    assert "the log ends at" in said and "FORESHOCK_SYNCHRONOUS" in said


def test_a_journal_that_forgets_what_it_took_is_told_it_again(tmp_path: Path) -> None:
    """As a server that fell over with `synchronous_commit` off, or one that took its place and was behind."""
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()
    at = START + 100.0

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: at)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        producer = HubProducer(found.hub_path)
        with contextlib.closing(sqlite3.connect(":memory:")) as kept:

            async def raised(point: int, all: set[str]) -> None:
                producer.produce([(OBSERVATIONS, 0, frame_of([(point, at, 30.0)], at))], lambda error: None)
                await reached(lambda: alarms(tmp_path) == all)

            def forget() -> None:
                with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite", timeout=10)) as journal:
                    kept.backup(journal)

            await raised(0, {"p0"})
            with contextlib.closing(sqlite3.connect(tmp_path / "journal.sqlite")) as journal:
                journal.backup(kept)
            await raised(1, {"p0", "p1"})
            forget()
            assert alarms(tmp_path) == {"p0"}
            await raised(2, {"p0", "p1", "p2"})  # with the next that comes
            forget()
            assert alarms(tmp_path) == {"p0"}
            await worker.look_back()  # and where nothing comes
            assert alarms(tmp_path) == {"p0", "p1", "p2"}
        await asyncio.to_thread(producer.close)
        stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(scenario())


def trim_past_the_snapshot(folder: Path) -> None:
    """Leave a log as retention does where no snapshot was written for long; a last reading is not looked at yet."""
    at = START + 150.0
    with Log(folder / "log.sqlite") as log:
        log.write([(OBSERVATIONS, 0, None, tick(at + n)) for n in range(10)])
        end = log.end(OBSERVATIONS, 0)
        log.write(
            [(OBSERVATIONS, 0, None, frame_of([(3, at + 20, 30.0)], at + 20))], commits=[(GROUP, OBSERVATIONS, 0, end)]
        )
    with contextlib.closing(sqlite3.connect(folder / "log.sqlite", isolation_level=None)) as file:
        (ident,) = file.execute("SELECT id FROM partition WHERE topic = ?", (OBSERVATIONS,)).fetchone()
        file.execute("UPDATE partition SET first = ? WHERE id = ?", (end - 3, ident))
        file.execute("DELETE FROM record WHERE id >= ? AND id < ?", (row_id(ident, 0), row_id(ident, end - 3)))


def test_a_snapshot_older_than_the_log_is_no_crash_loop_but_an_alarm(tmp_path: Path) -> None:
    work(tmp_path, 0, 1)
    trim_past_the_snapshot(tmp_path)
    work(tmp_path, 4, 3)
    assert alarms(tmp_path) == {"p0", "p3", "p4"}, "what was acknowledged and not looked at yet is looked at"
    assert alarms(tmp_path, "open") == {"p3", "p4"}, "what the engine no longer knows is closed"
    reader = Reader(settings.load({}, data=str(tmp_path)).journal_url)
    (found,) = [one for one in reader.alarms("all", limit=500).items if one["rule"] == "@memory"]
    reader.close()
    assert found["state"] == "RTNUN", "it stands until somebody has acknowledged it"
    assert re.search(r"partition 0: observations \d+ to \d+ are no longer", found["explanation"]["clause"])
    work(tmp_path, 5, 4)  # and the next start is like any other
