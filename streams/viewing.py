"""What cameras show now, over a local socket: the camera process answers, the console asks.

One line of JSON asks for a camera's newest picture (`{"camera": "cam-1"}`); one line answers, with `time` and `bytes`
and so many bytes after it, or with `problem`. The socket is in the data folder, for its owner alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from streams.hub.address import listen, reachable

logger = logging.getLogger(__name__)

LONGEST = 1000
"""Bytes of a question or of an answer's first line."""

MOST_BYTES = 8_000_000
"""Bytes of a picture."""

MOST_ASKERS = 64
"""Connections at once: a console asks over one each time."""

PATIENCE = 5.0
"""Seconds that a question and an answer may take each."""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which camera."""

    camera: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Unix time and length of the picture that follows, or why there is none: a key of the console's messages."""

    time: float = 0.0
    bytes: int = 0
    problem: str = ""


Newest = Callable[[str], tuple[float, bytes] | str]
"""Give a camera's newest picture (unix time, JPEG) or the problem. Called in a thread."""


def socket_of(data: Path) -> Path:
    """Say where the socket is in a data folder."""
    return data / "run" / "cameras.sock"


class Showing:
    """Answer those who ask, until closed."""

    def __init__(self, path: Path, newest: Newest) -> None:
        self._path, self._newest = path, newest
        self._server: asyncio.Server | None = None
        self._asking: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Listen. Raise `HubError` where another process does."""
        self._server = await asyncio.start_unix_server(self._serve, sock=listen(self._path), limit=LONGEST)

    async def close(self) -> None:
        """Listen no more and let go of all who ask."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._asking) >= MOST_ASKERS:
                return
            self._asking.add(task)
            await self._answer(reader, writer)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
            logger.debug("no answer to a question for a picture: %s", error)
        finally:
            self._asking.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(PATIENCE):
            line = await reader.readline()
        asked = msgspec.json.decode(line, type=Question)
        try:
            found = await asyncio.to_thread(self._newest, asked.camera)
        except Exception:
            logger.exception("no picture of %r", asked.camera[:200])
            found = "camera_no_picture"
        if isinstance(found, tuple) and len(found[1]) > MOST_BYTES:
            found = "camera_no_picture"
        if isinstance(found, str):
            parts = [msgspec.json.encode(Answer(problem=found)), b"\n"]
        else:
            parts = [msgspec.json.encode(Answer(time=found[0], bytes=len(found[1]))), b"\n", found[1]]
        async with asyncio.timeout(PATIENCE):
            writer.writelines(parts)
            await writer.drain()


class Looking:
    """Ask the camera process; the console's side."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def newest(self, camera: str) -> tuple[float, bytes] | str:
        """Return a camera's newest picture (unix time, JPEG), or the problem: a key of the console's messages."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(camera)
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
            logger.debug("the camera process gives no answer: %s", error)
            return "cameras_away"

    async def _ask(self, camera: str) -> tuple[float, bytes] | str:
        with reachable(self._path) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LONGEST)
        try:
            writer.write(msgspec.json.encode(Question(camera)) + b"\n")
            await writer.drain()
            answer = msgspec.json.decode(await reader.readline(), type=Answer)
            if answer.problem:
                return answer.problem
            if not 0 < answer.bytes <= MOST_BYTES:
                return "camera_no_picture"
            return answer.time, await reader.readexactly(answer.bytes)
        finally:
            writer.close()
