"""Tell the service manager (systemd's `sd_notify` protocol) how the product fares; without one nothing is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

_MICROSECONDS = 1_000_000


class ServiceManager:
    """Hold where the manager listens, taken out of the environment: children are not to speak for the product."""

    def __init__(self) -> None:
        """Read `NOTIFY_SOCKET`, and `WATCHDOG_USEC` where `WATCHDOG_PID` means this process."""
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        pid, every = os.environ.pop("WATCHDOG_PID", ""), os.environ.pop("WATCHDOG_USEC", "")
        mine = every.isdigit() and pid in ("", str(os.getpid()))
        self._every = int(every) / _MICROSECONDS if mine else 0.0

    def ready(self) -> None:
        """Say that the product works."""
        self._tell("READY=1")

    def stopping(self) -> None:
        """Say that it stops, in order."""
        self._tell("STOPPING=1")

    def busy(self, what: str, seconds: float) -> None:
        """Say what the start is at, and that it may take so many more seconds."""
        self._tell(f"STATUS={' '.join(what.split())}\nEXTEND_TIMEOUT_USEC={int(seconds * _MICROSECONDS)}")

    async def keep_alive(self) -> None:
        """Give signs of life, for as long as the loop turns; returns at once where the manager wants none."""
        while self._address and self._every:
            self._tell("WATCHDOG=1", patience=0.0)  # one that does not read must not hold up the loop
            await asyncio.sleep(self._every / 3)

    def _tell(self, state: str, patience: float = 1.0) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(patience)
            manager.sendto(state.encode(), address)
