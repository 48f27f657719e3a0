"""Wait for a condition, never for a time: what all tests of running things share."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 20.0
"""Seconds, on a machine that others use too. Nothing waits so long unless it fails."""

Answer = TypeVar("Answer")


def until(condition: Callable[[], Answer], seconds: float = PATIENCE, what: str = "") -> Answer:
    """Wait until a condition holds and return what it said. Raise `TimeoutError` naming `what`."""
    deadline = time.monotonic() + seconds
    waiter = threading.Event()
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what or condition}")
        waiter.wait(0.005)
    return found


async def reached(condition: Callable[[], Answer], seconds: float = PATIENCE, what: str = "") -> Answer:
    """Wait as `until` does, in an event loop."""
    try:
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                await asyncio.sleep(0.002)
            return found
    except TimeoutError as error:
        raise TimeoutError(f"waited {seconds:g} s in vain for {what or condition}") from error
