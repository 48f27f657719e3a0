"""The worker by itself: a disk that fills up, and the way back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from alerts.queries import Reader
from sensors import observation
from sensors.observation import Publication
from sensors.steps import finished
from streams import bundle, publication, settings, shelf
from streams.batches import Output
from streams.bundle import Bundle
from streams.deadman import standing
from streams.embedded.store import Log
from streams.figures import write_figures
from streams.hub import HubProducer
from streams.moments import FOLDER, Moments, engine_before
from streams.replay import compare, entries
from streams.station import Station
from streams.topics import GROUP, OBSERVATIONS
from streams.worker import FOLLOW_SECONDS, SLICE, SLICE_BYTES, Worker, slices
from tests.streams.small_site import START, frame_of, published, rules, site
from tests.waiting import reached

CONTENT = Bundle(site=site(points=100), rules=rules())
ROOM = 2_000_000
FRAMES = 400


def frame(number: int) -> bytes:
    """Make a frame of 500 readings; from the three hundredth on, the first point is high."""
    at = START + 10.0 * number
    high = 30.0 if number > 300 else 1.0
    return frame_of([(k % 100, at + k // 100, high if k % 100 == 0 else 1.0 + k % 7) for k in range(500)], at)


def test_a_full_disk_is_said_loses_nothing_acknowledged_and_heals(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = settings.load({}, data=str(tmp_path), snapshot_seconds=0.5)
    (tmp_path / "run").mkdir()
    done: dict[int, Exception | None] = {}
    lock = threading.Lock()

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START + 10.0 * FRAMES)
        worker.app.log_options["max_bytes"] = ROOM
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        producer = HubProducer(found.hub_path)

        def settled(number: int):  # type: ignore[no-untyped-def]
            def note(error: Exception | None) -> None:
                with lock:
                    done[number] = error

            return note

        for number in range(FRAMES):
            producer.produce([(OBSERVATIONS, 0, frame(number))], settled(number))
        await reached(lambda: "full" in caplog.text)
        stored = worker.app.log_store.end(OBSERVATIONS, 0)
        with lock:
            acknowledged = len(done)
        assert 0 < acknowledged < FRAMES  # what did not fit is not acknowledged
        assert not any(done.values())  # nor given up
        assert stored >= acknowledged
        assert not task.done()

        worker.app.log_store.set_max_bytes(200_000_000)  # somebody makes room
        await reached(lambda: len(done) == FRAMES, 60)
        assert not any(done.values())
        await reached(lambda: sum(s.readings for s in worker.stations.values()) >= FRAMES * 500, 60)
        await reached(lambda: not sum(s.lag for s in worker.stations.values()))
        reader = Reader(found.journal_url)
        await reached(lambda: any(one["rule"] == "creep" for one in reader.alarms("all", limit=500).items))
        reader.close()
        await asyncio.to_thread(producer.close)
        stop.set()
        await asyncio.wait_for(task, 20)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    said = next(record.getMessage() for record in caplog.records if "full" in record.getMessage())
    assert "the disk, or the log's size limit, is full: nothing was written or acknowledged; make room" in said
    assert len(caplog.records) < 10  # said, not shouted

    with Log.open_readonly(tmp_path / "log.sqlite") as log:
        held = [value for batch in entries(log, OBSERVATIONS, 0) for _, value in batch]
        assert [value for value in held if value[0] == 1] == [frame(number) for number in range(FRAMES)]
        replayed = compare(log, lambda p: log.committed(GROUP, OBSERVATIONS, p) or 0)
        assert replayed.agrees, (replayed.missing, replayed.added, replayed.changed)
        assert replayed.transitions


def test_a_journal_that_takes_nothing_keeps_the_signs_of_life_from_saying_that_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()
    away = [True]

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START + 100.0)
        record = worker.journal.record

        def recorded(*given: Any) -> int:
            if away[0]:
                raise OperationalError("INSERT", {}, ConnectionError("the server closed the connection"))
            return record(*given)

        monkeypatch.setattr(worker.journal, "record", recorded)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        producer = HubProducer(found.hub_path)
        producer.produce([(OBSERVATIONS, 0, frame_of([(0, START + 100.0, 30.0)], START + 100.0))], lambda error: None)
        said = "worker: the journal takes nothing, nobody is told of alarms"

        def stands() -> str:
            return standing({"worker": worker.figures(START)}, frozenset())

        await reached(lambda: stands().startswith(said))
        away[0] = False
        await reached(lambda: not stands())
        with contextlib.closing(Reader(found.journal_url)) as reader:
            assert [one["scope"] for one in reader.alarms("all", limit=500).items if one["rule"] == "creep"] == ["p0"]
        await asyncio.to_thread(producer.close)
        stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(scenario())


def test_a_tick_comes_before_all_that_is_heard_after_a_start(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()

    async def scenario() -> list[str]:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        records = worker.app.log_store.read(OBSERVATIONS, 0, 0, worker.app.log_store.end(OBSERVATIONS, 0), limit=10)
        stop.set()
        await task
        return [type(observation.decode(value)).__name__ for _, _, value in records]

    assert asyncio.run(scenario())[:2] == ["Publication", "Tick"]


def test_it_gives_signs_of_life_while_rules_are_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()
    compiling, seen, signs = threading.Event(), threading.Event(), []

    def alive() -> None:
        if compiling.is_set():
            signs.append(threading.current_thread())
            seen.set()

    def take(self: Station, records: list[tuple[int, bytes]]) -> list[Output]:
        if not any(observation.is_publication(value) for _, value in records):
            return real(self, records)
        compiling.set()
        noticed.append(seen.wait(10))  # the event loop stands still all that while
        compiling.clear()
        return real(self, records)

    real, noticed = Station.take, list[bool]()
    monkeypatch.setattr(Station, "take", take)

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set, alive=alive))
        await asyncio.wait_for(ready.wait(), 20)
        await reached(lambda: any(station.engine.version for station in worker.stations.values()))
        stop.set()
        await task

    asyncio.run(scenario())
    assert noticed == [True]
    assert threading.main_thread() not in signs
    assert not [one for one in signs if one.is_alive()], "its thread ends with the work"


def test_a_site_that_the_log_has_is_not_published_again_while_the_folder_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()
    packed = bundle.pack(CONTENT)
    publication.write(tmp_path, packed)
    changed = bundle.pack(Bundle(site=site(points=100), rules=rules(threshold=30.0)))
    tries, free = list[float](), threading.Event()
    left = tmp_path / "left"
    left.mkdir()

    def adopt(data: Path, proposal: publication.Proposal, told: publication.Told | None = None) -> None:
        tries.append(time.monotonic())
        if not free.is_set():
            raise OSError("the folder takes nothing")
        real(data, proposal, told)

    real = publication.adopt
    monkeypatch.setattr(publication, "adopt", adopt)

    async def scenario() -> None:
        worker = Worker(found, packed, 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        await asyncio.wait_for(ready.wait(), 20)
        proposal = publication.propose(tmp_path, changed, "s", "test", "", START)
        await reached(lambda: len(tries) == 4)
        assert worker.version == bundle.version_of(changed), "there is no way back"
        assert publication.withdraw(tmp_path, proposal) is False
        for name in (publication.FILE, publication.PUBLISHING):  # as it is found by whoever starts after a death now
            (left / name).write_bytes((tmp_path / name).read_bytes())
        free.set()
        publication.finish(left)
        assert publication.version(left) == worker.version and not (left / publication.PUBLISHING).exists()
        await reached(lambda: publication.version(tmp_path) == worker.version)
        log = worker.app.log_store
        records = log.read(OBSERVATIONS, 0, 0, log.end(OBSERVATIONS, 0), limit=100)
        versions = [one.version for _, _, value in records if isinstance(one := observation.decode(value), Publication)]
        assert versions == [bundle.version_of(packed), worker.version]
        stop.set()
        await task

    asyncio.run(scenario())
    assert tries[3] - tries[0] >= 0.7 > 3 * FOLLOW_SECONDS
    assert not (tmp_path / publication.PROPOSED).exists() and not (tmp_path / publication.PUBLISHING).exists()
    assert sum("cannot be put in force yet" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([10] * SLICE, [SLICE]),
        ([10] * (2 * SLICE + 1), [SLICE, SLICE, 1]),
        ([SLICE_BYTES // 2] * 3, [2, 1]),
        ([10, 5 * SLICE_BYTES, 10], [1, 1, 1]),
    ],
)
def test_the_engine_takes_so_many_records_and_bytes_at_a_time(sizes: list[int], parts: list[int]) -> None:
    records = [(offset, bytes(size)) for offset, size in enumerate(sizes)]
    found = list(slices(records))
    assert [len(part) for part in found] == parts
    assert [one for part in found for one in part] == records


def test_what_brings_rules_is_taken_by_itself() -> None:
    brings = published(CONTENT)
    records = list(enumerate([b"1", brings, b"2", b"3", brings, brings]))
    assert [len(part) for part in slices(records)] == [1, 1, 2, 1, 1]


def test_a_publication_is_made_ready_beside_the_engine_wherever_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proposed, or by another worker into the log, even two at once: none is compiled while the engine stands still."""
    found = settings.load({}, data=str(tmp_path))
    (tmp_path / "run").mkdir()
    packed = bundle.pack(CONTENT)
    publication.write(tmp_path, packed)
    proposed = bundle.pack(Bundle(site=site(points=100), rules=rules(threshold=30.0)))
    others = [Bundle(site=site(points=points), rules=rules(threshold=25.0)) for points in (110, 120)]
    spot: list[object] = []

    async def scenario() -> None:
        worker = Worker(found, packed, 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        async with asyncio.timeout(20):
            await ready.wait()
        await reached(lambda: worker.stations[0].engine.version == worker.version)
        monkeypatch.setattr("streams.engine.finished", lambda steps: spot.append(steps) or finished(steps))
        publication.propose(tmp_path, proposed, "s", "test", "", START)
        await reached(lambda: worker.stations[0].engine.version == bundle.version_of(proposed))
        values = [published(content, f"v{number}") for number, content in enumerate(others)]
        await worker.app.produce_many([(OBSERVATIONS, 0, None, value) for value in (*values, frame(1))])
        await reached(lambda: worker.stations[0].engine.version == "v1" and worker.stations[0].readings > 0)
        await reached(lambda: publication.version(tmp_path) == bundle.version_of(proposed))
        stop.set()
        await task

    asyncio.run(scenario())
    assert not spot
    (kept,) = [one for one in shelf.listed(tmp_path) if one.version == bundle.version_of(proposed)]
    unraised = "rules that decide otherwise under the same version: 1 (creep)"
    assert kept.difference == ("rules changed: 1 (creep)", unraised)
    with Log.open_readonly(tmp_path / "log.sqlite") as log:
        replayed = compare(log, lambda p: log.committed(GROUP, OBSERVATIONS, p) or 0)
        assert replayed.agrees, (replayed.missing, replayed.added, replayed.changed)


def test_what_was_refused_counts_whichever_way_it_came(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    worker = Worker(settings.load({}, data=str(tmp_path)), bundle.pack(CONTENT), 1)
    write_figures(tmp_path, "bridge", {"refused": {"malformed": 2}})
    write_figures(tmp_path, "console", {"refused": {"malformed": 3, "wrong_unit": 1}})
    assert worker.figures(START)["quarantine"] == {"malformed": 5, "wrong_unit": 1}


def test_a_state_is_kept_beside_the_log_from_which_a_replay_can_begin(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path), snapshot_seconds=0.2)
    (tmp_path / "run").mkdir()
    moments = Moments(tmp_path / FOLDER, 0)

    async def scenario() -> None:
        worker = Worker(found, bundle.pack(CONTENT), 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        async with asyncio.timeout(20):
            await ready.wait()
        await reached(lambda: bool(moments.all()), seconds=20)
        stop.set()
        await task

    asyncio.run(scenario())
    with Log.open_readonly(tmp_path / "log.sqlite") as log:
        engine = engine_before(log, 0, log.end(OBSERVATIONS, 0))
        assert engine is not None and engine.version and engine.clock == START
