"""The `sqlite://` transport for Faust: `sqlite:////absolute/path`, `sqlite:///relative/path`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from faust.transport import base
from faust.transport.conductor import Conductor
from faust.transport.consumer import Fetcher, TransactionManager

from streams.embedded.consumer import Consumer
from streams.embedded.producer import Producer
from streams.embedded.schema import LogClosedError
from streams.embedded.store import Log

__all__ = ["Conductor", "Consumer", "Fetcher", "Producer", "TransactionManager", "Transport"]

CLOSE_SECONDS = 3.0


class Transport(base.Transport):
    """Carry Faust on the embedded log.

    The app may say what the log holds and how: `app.log_topics` (name → TopicSpec), `app.log_options` (for `Log`).
    """

    Consumer: ClassVar[Any] = Consumer
    Producer: ClassVar[Any] = Producer
    Conductor: ClassVar[Any] = Conductor
    Fetcher: ClassVar[Any] = Fetcher
    TransactionManager: ClassVar[Any] = TransactionManager
    driver_version = "sqlite"
    default_port = 0

    _log: Log | None = None

    @property
    def path(self) -> Path:
        """Return the log file that the URL names."""
        return Path(self.url[0].path[1:])

    @property
    def is_open(self) -> bool:
        """Say whether the log is open."""
        return self._log is not None

    @property
    def log_store(self) -> Log:
        """Return the open log. Raise `LogClosedError` before start and after stop."""
        if self._log is None:
            raise LogClosedError("the log is not open")
        return self._log

    def open(self) -> Log:
        """Open the log, once."""
        if self._log is None:
            options = getattr(self.app, "log_options", {})
            self._log = Log(self.path, getattr(self.app, "log_topics", {}), **options)
        return self._log

    async def close(self) -> None:
        """Close the log without holding the loop up."""
        log, self._log = self._log, None
        if log is not None:
            await asyncio.get_running_loop().run_in_executor(None, log.close, CLOSE_SECONDS)
