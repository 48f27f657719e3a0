"""Serve the console with uvicorn: quietly, and with a stop that does not wait for open streams."""

from __future__ import annotations

import asyncio
import signal
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from alerts.console.app import create_app
from alerts.console.config import ConsoleConfig
from alerts.console.console import Console

PATIENCE = 20.0
"""Seconds that a request may take to arrive, whole: a client that dribbles must not hold a place."""


class _Prompt(H11Protocol):
    """Hang up on a client whose request does not arrive in time."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._due is not None:
            self._due.cancel()

    def _wait(self) -> None:
        """Run the clock while the client still owes a part of its request."""
        owes = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if owes and self._due is None:
            self._due = self.loop.call_later(PATIENCE, self._hang_up)
        elif not owes and self._due is not None:
            self._due.cancel()
            self._due = None

    def _hang_up(self) -> None:
        self._due = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, console: Console) -> None:
        super().__init__(config)
        self._console = console

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._console.config.started is not None:
            self._console.config.started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._console.live.close()
        await super().shutdown(sockets)


def run(config: ConsoleConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raise `SystemExit` when the port is taken."""
    app = create_app(config)
    server = _Server(
        uvicorn.Config(
            app,
            host=config.host,
            port=config.port,
            log_config=None,
            access_log=False,
            http=_Prompt,
            proxy_headers=False,  # from loopback they would be believed: who guesses passwords could change address
            server_header=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
            limit_concurrency=config.viewers + 500,
            backlog=512,
            h11_max_incomplete_event_size=32 * 1024,
            ws="none",
        ),
        app.state.console,
    )

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn raises what stopped it once more when it is done; here that is no reason to die
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.run()
