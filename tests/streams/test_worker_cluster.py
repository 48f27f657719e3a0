"""A worker of a cluster: what it keeps over a rebalance, and whose site it goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from sensors.observation import Tick
from streams import bundle, joining, publication, settings
from streams.bundle import Bundle, version_of
from streams.publication import Proposal
from streams.topics import GROUP, OBSERVATIONS, SITE
from streams.worker import Worker
from tests.streams.small_site import START, published, record, rules, site
from tests.waiting import reached

FIRST, SECOND = (Bundle(site=site(version=version), rules=rules()) for version in ("v1", "v2"))


def lived(folder: Path, live: Callable[[Worker], Awaitable[None]]) -> None:
    """Run a worker on a log of its own, as one of a cluster would."""
    (folder / "run").mkdir()
    publication.write(folder, bundle.pack(FIRST))
    found = msgspec.structs.replace(settings.load({}, data=str(folder)), cluster=True, journal="")

    async def main() -> None:
        worker = Worker(found, bundle.pack(FIRST), 1, clock=lambda: START)
        stop, ready = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(worker.run(stop.wait(), ready.set))
        async with asyncio.timeout(20):
            await ready.wait()
        try:
            await live(worker)
        finally:
            stop.set()
            await task

    asyncio.run(main())


async def settled(worker: Worker) -> None:
    """Wait until all that is in the log is done."""
    log = worker.app.log_store

    def done() -> bool:
        station = worker.stations.get(0)
        end = log.end(OBSERVATIONS, 0)
        return station is not None and log.committed(GROUP, OBSERVATIONS, 0) == end == station.engine.offset + 1

    await reached(done, what="all to be done")


@pytest.mark.parametrize("moved", [False, True], ids=["nobody went on", "another went on"])
def test_a_state_that_comes_back_is_kept_if_it_is_still_true(tmp_path: Path, moved: bool) -> None:
    async def live(worker: Worker) -> None:
        await settled(worker)
        before = worker.stations[0]
        await worker._revoked([(OBSERVATIONS, 0)])
        assert not worker.stations
        if moved:
            log = worker.app.log_store
            end = log.end(OBSERVATIONS, 0)
            await log.produce(
                [(OBSERVATIONS, 0, None, record(Tick(time=START + 1)))], commits=[(GROUP, OBSERVATIONS, 0, end + 1)]
            )
        after = await worker._open(0)
        assert (after is before) is not moved

    lived(tmp_path, live)


def test_what_another_run_puts_in_force_is_gone_by(tmp_path: Path) -> None:
    packed = bundle.pack(SECOND)
    other = tmp_path / "other"
    other.mkdir()
    publication.write_indices(other, {"p0": 0, "late": 77})

    async def live(worker: Worker) -> None:
        log = worker.app.log_store
        first = joining.newest(log)
        assert first is not None and version_of(first.packed) == worker.version, "the first says what is in force"
        written = joining.record(other, Proposal(packed, "", "ann", "changed elsewhere", START))
        assert written.topic == SITE
        await log.produce([tuple(written)])
        await log.produce([(OBSERVATIONS, 0, None, published(SECOND, version_of(packed)))])
        await reached(lambda: worker.version == version_of(packed), what="the other's version")
        await reached(lambda: publication.version(tmp_path) == version_of(packed), what="the data folder")
        assert publication.known(tmp_path)["late"] == 77

    lived(tmp_path, live)
