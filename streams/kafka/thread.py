"""A thread with an event loop of its own: heartbeats go on while the engine works."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from streams.embedded.schema import LogClosedError, LogUnavailableError
from streams.kafka.quiet import quieten

T = TypeVar("T")


class LoopThread:
    """Run coroutines for other threads."""

    def __init__(self, name: str) -> None:
        quieten()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    @property
    def alive(self) -> bool:
        """Say whether it runs."""
        return self._thread.is_alive() and not self.loop.is_closed()

    def begin(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin work. Raise `LogClosedError` once closed."""
        if not self.alive:
            work.close()
            raise LogClosedError("the log is closed")
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def ask(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Wait for work, in another thread than this one. Raise `LogUnavailableError` after `seconds`."""
        future = self.begin(work)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            raise LogUnavailableError(f"Kafka did not answer within {seconds:g} s") from error

    def close(self, seconds: float = 2.0) -> None:
        """Stop; what still runs is cancelled."""
        if self.alive:
            self.loop.call_soon_threadsafe(self.loop.create_task, self._end())
            self._thread.join(seconds)

    async def _end(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self.loop.stop()
