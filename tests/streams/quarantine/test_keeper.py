"""Refusals on their way into a log that is away, full, or takes not all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from streams.hub import HubClient, HubServer
from streams.quarantine import keeper as module
from streams.quarantine.keeper import Keeper
from tests.waiting import reached

Records = list[tuple[str, int, bytes | None, bytes]]


class Log:
    """What a worker has written, a batch each; it refuses what holds a bad record."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []

    async def write(self, records: Records) -> list[int]:
        values = [value for *_, value in records]
        if b"bad" in values:
            raise ValueError("a bad record")
        self.batches.append(values)
        return list(range(len(values)))

    @property
    def values(self) -> list[bytes]:
        return [value for batch in self.batches for value in batch]


def play(folder: Path, scene: Callable[[HubServer, HubClient, Log], Awaitable[None]]) -> None:
    """Play a scene with a server that has not begun."""

    async def test() -> None:
        log = Log()
        server, client = HubServer(folder / "hub.sock", log.write), HubClient(folder / "hub.sock")
        try:
            await scene(server, client, log)
        finally:
            await client.close()
            await server.stop()

    asyncio.run(test())


def test_what_is_kept_is_written_once_in_order_and_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 30)

    async def scene(server: HubServer, client: HubClient, log: Log) -> None:
        keeper, records = Keeper(client), [b"%010d" % number for number in range(8)]
        assert keeper.keep(records) == 0
        assert keeper.waiting == 8, "the worker is away"
        await server.start()
        await reached(lambda: keeper.look() or not keeper.waiting)
        assert log.values == records
        assert max(map(len, log.batches)) == 3

    play(tmp_path, scene)


def test_only_what_the_log_never_takes_is_given_up(tmp_path: Path) -> None:
    async def scene(server: HubServer, client: HubClient, log: Log) -> None:
        await server.start()
        keeper = Keeper(client)
        lost = keeper.keep([b"one", b"two", b"bad", b"three", b"bad", b"four"])

        def done() -> bool:
            nonlocal lost
            lost += keeper.look()
            return not keeper.waiting

        await reached(done)
        assert lost == 2
        assert log.values == [b"one", b"two", b"three", b"four"]
        keeper.keep([b"%d" % number for number in range(4)])
        await reached(lambda: keeper.look() or not keeper.waiting)
        assert len(log.batches[-1]) == 4, "parts are large again"

    play(tmp_path, scene)


def test_a_client_that_is_full_is_offered_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.hub.client.LIMIT_BYTES", 100)

    async def scene(server: HubServer, client: HubClient, log: Log) -> None:
        before = client.hand_over([("other", 0, None, bytes(200))])
        keeper = Keeper(client)
        assert keeper.keep([b"one", b"two"]) == 0
        assert keeper.waiting == 2 and len(client._outbox) == 1
        await server.start()
        await before
        await reached(lambda: keeper.look() or not keeper.waiting)
        assert log.values == [bytes(200), b"one", b"two"]

    play(tmp_path, scene)
