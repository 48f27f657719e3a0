"""A wire between the browser and a server that can be cut: nothing goes through, and nobody is told."""

from __future__ import annotations

import asyncio
import contextlib


class Wire:
    """Pass bytes to a port of this machine, while `whole`. Begin and cut it in the loop that serves."""

    def __init__(self, port: int) -> None:
        self.whole = asyncio.Event()
        self.whole.set()
        self._to = port
        self._ways: set[asyncio.Task[None]] = set()

    async def begin(self) -> int:
        """Take connections; return the port."""
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.whole.wait()
        beyond, back = await asyncio.open_connection("127.0.0.1", self._to)
        for ways in ((reader, back), (beyond, writer)):
            task = asyncio.create_task(self._pass(*ways))
            self._ways.add(task)
            task.add_done_callback(self._ways.discard)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await self.whole.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
