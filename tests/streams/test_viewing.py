from __future__ import annotations

import asyncio
import socket
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from streams import viewing
from streams.viewing import Looking, Newest, Showing, socket_of


@asynccontextmanager
async def showing(folder: Path, newest: Newest) -> AsyncIterator[tuple[Path, Looking]]:
    path = socket_of(folder)
    server = Showing(path, newest)
    await server.start()
    try:
        yield path, Looking(path)
    finally:
        await server.close()


def test_a_picture_comes_with_its_time_and_a_problem_as_such(tmp_path: Path) -> None:
    def newest(camera: str) -> tuple[float, bytes] | str:
        return (12.5, b"x" * 300_000) if camera == "cam" else "camera_not_read"

    async def test() -> None:
        async with showing(tmp_path, newest) as (path, looking):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert await looking.newest("cam") == (12.5, b"x" * 300_000)
            assert await looking.newest("other") == "camera_not_read"
        assert await looking.newest("cam") == "cameras_away", "nobody listens any more"
        assert not path.exists()

    asyncio.run(test())


def test_what_goes_wrong_with_a_picture_is_no_picture(tmp_path: Path) -> None:
    def newest(camera: str) -> tuple[float, bytes] | str:
        if camera == "large":
            return 1.0, bytes(viewing.MOST_BYTES + 1)
        raise RuntimeError("faces cannot be blurred")

    async def test() -> None:
        async with showing(tmp_path, newest) as (_, looking):
            assert await looking.newest("cam") == "camera_no_picture"
            assert await looking.newest("large") == "camera_no_picture"

    asyncio.run(test())


@pytest.mark.parametrize("sent", [b"no json\n", b"{}\n", b'{"camera": 3}\n', b"x" * 5000, b'{"camera":"a","more":1}\n'])
def test_a_question_that_is_none_is_not_answered_and_the_next_is(tmp_path: Path, sent: bytes) -> None:
    async def test() -> None:
        async with showing(tmp_path, lambda camera: (1.0, b"x")) as (path, looking):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(sent)
            async with asyncio.timeout(5):
                with suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()
            assert await looking.newest("cam") == (1.0, b"x")

    asyncio.run(test())


def test_who_does_not_ask_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "PATIENCE", 0.05)

    async def test() -> None:
        async with showing(tmp_path, lambda camera: (1.0, b"x")) as (path, _):
            reader, writer = await asyncio.open_unix_connection(path)
            async with asyncio.timeout(5):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(test())


def test_a_process_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "PATIENCE", 0.1)
    path = socket_of(tmp_path)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(1)
        assert asyncio.run(Looking(path).newest("cam")) == "cameras_away"


def test_no_more_ask_at_once_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MOST_ASKERS", 1)
    hold, begun = threading.Event(), threading.Event()

    def newest(camera: str) -> tuple[float, bytes] | str:
        begun.set()
        hold.wait(5)
        return 1.0, b"x"

    async def test() -> None:
        async with showing(tmp_path, newest) as (_, looking):
            first = asyncio.create_task(looking.newest("cam"))
            await asyncio.to_thread(begun.wait, 5)
            assert await looking.newest("cam") == "cameras_away"
            hold.set()
            assert await first == (1.0, b"x")

    asyncio.run(test())
