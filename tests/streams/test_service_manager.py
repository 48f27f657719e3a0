"""A service manager hears when the product is ready, busy, alive and stopping; without one nothing is said."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.service_manager import ServiceManager


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield manager


def test_it_is_told_how_the_start_goes_and_children_are_not_to_speak(listening: socket.socket) -> None:
    manager = ServiceManager()
    assert "NOTIFY_SOCKET" not in os.environ
    manager.busy("worker: 3\nof 9", 30)
    manager.ready()
    manager.stopping()
    heard = [listening.recv(1000) for _ in range(3)]
    assert heard == [b"STATUS=worker: 3 of 9\nEXTEND_TIMEOUT_USEC=30000000", b"READY=1", b"STOPPING=1"]


@pytest.mark.parametrize(("pid", "wanted"), [("", True), ("mine", True), ("1", False)])
def test_signs_of_life_come_for_as_long_as_the_loop_turns(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch, pid: str, wanted: bool
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "3000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "mine" else pid)

    async def live() -> None:
        alive = asyncio.create_task(ServiceManager().keep_alive())
        if wanted:
            for _ in range(3):
                assert await asyncio.to_thread(listening.recv, 1000) == b"WATCHDOG=1"
        else:
            await alive
        alive.cancel()

    asyncio.run(live())


def test_nobody_listens_and_nothing_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    ServiceManager().ready()
    for address in (str(tmp_path / "away"), "@away-from-here"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        ServiceManager().ready()
