"""The console's replay of the quarantine through the hub, whatever the worker does meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sensors.lookup import Registry
from sensors.quarantine import BusyError, Query
from streams import bundle, publication
from streams.bundle import Bundle
from streams.hub import HubClient, HubServer
from streams.quarantine import access as module
from streams.quarantine import replay
from streams.quarantine.access import QuarantineAccess
from tests.streams.quarantine.test_replay import Worker, message
from tests.streams.small_site import site
from tests.waiting import reached


class Desk:
    """A console beside a worker: two messages are refused, and the site has had their points since."""

    def __init__(self, folder: Path) -> None:
        self.worker = Worker(folder)
        self.worker.refuse(site(2), message(3, 30), message(4, 40))
        publication.write(folder, bundle.pack(Bundle(site=site(), rules=())))
        self.server = HubServer(folder / "hub.sock", self.write)
        self.client = HubClient(folder / "hub.sock")
        self.access = QuarantineAccess(folder, self.worker.log.path, {}, self.client)
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0

    async def write(self, records: list[tuple[str, int, bytes | None, bytes]]) -> list[int]:
        self.asked += 1
        await self.answers.wait()
        return await self.worker.produce(records)

    @property
    def readings(self) -> list[tuple[int, float]]:
        return [(point, value) for point, value, _ in self.worker.readings]

    async def replay(self, *, dry_run: bool = False) -> dict[str, int]:
        tally = await self.access.replay(Query(), "user:li", dry_run=dry_run, start=0)
        return dict(tally["outcomes"])

    async def replay_in_turn(self) -> dict[str, int]:
        """Replay as soon as no other does."""
        found: list[dict[str, int]] = []
        async with asyncio.timeout(20):
            while not found:
                try:
                    found.append(await self.replay())
                except BusyError:
                    await asyncio.sleep(0)
        return found[0]


def play(folder: Path, scene: Callable[[Desk], Awaitable[None]]) -> None:
    async def test() -> None:
        desk = Desk(folder)
        try:
            await scene(desk)
        finally:
            desk.answers.set()
            await desk.client.close()
            await desk.server.stop()

    asyncio.run(test())


ONCE = [(3, 30.0), (4, 40.0)]


@pytest.mark.parametrize("away", [True, False])
def test_what_a_worker_writes_late_is_in_the_log_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: bool
) -> None:
    """By a worker that is away, and by one that answers too late."""
    monkeypatch.setattr(module, "WAIT", 0.1)

    async def scene(desk: Desk) -> None:
        if not away:
            desk.answers.clear()
            await desk.server.start()
        with pytest.raises(TimeoutError):
            await desk.replay()
        for _ in range(2):
            with pytest.raises(BusyError):
                await desk.replay()
        assert await desk.replay(dry_run=True) == {"accepted": 2}, "to look is nobody in the way"
        assert desk.readings == []
        if away:
            await desk.server.start()
        desk.answers.set()
        assert await desk.replay_in_turn() == {"taken_before": 2}
        assert desk.readings == ONCE

    play(tmp_path, scene)


def test_a_request_that_is_given_up_keeps_its_turn_until_the_worker_has_answered(tmp_path: Path) -> None:
    async def scene(desk: Desk) -> None:
        desk.answers.clear()
        await desk.server.start()
        asked = asyncio.create_task(desk.replay())
        await reached(lambda: desk.asked)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        with pytest.raises(BusyError):
            await desk.replay()
        desk.answers.set()
        assert await desk.replay_in_turn() == {"taken_before": 2}
        assert desk.readings == ONCE

    play(tmp_path, scene)


def test_a_turn_ends_with_what_can_never_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT", 0.1)

    async def scene(desk: Desk) -> None:
        with pytest.raises(TimeoutError):
            await desk.replay()
        await desk.client.close()
        with pytest.raises(ConnectionError):  # not busy: the client is closed, and nothing of it will be written
            await desk.replay()

    play(tmp_path, scene)


def test_nothing_that_takes_long_is_done_in_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    class Noted(Registry):
        def __init__(self, *arguments: Any) -> None:
            threads.append(threading.current_thread())
            super().__init__(*arguments)

    monkeypatch.setattr(replay, "Registry", Noted)

    async def scene(desk: Desk) -> None:
        await desk.server.start()
        assert await desk.replay() == {"accepted": 2}

    play(tmp_path, scene)
    assert threads and threading.main_thread() not in threads
