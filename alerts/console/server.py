"""Serve the console with uvicorn: quietly, and with a stop that does not wait for open streams."""

from __future__ import annotations

import signal
import socket

import uvicorn

from alerts.console.app import create_app
from alerts.console.config import ConsoleConfig
from alerts.console.console import Console


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
