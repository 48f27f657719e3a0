"""Room on the disk of the data folder: that it is getting full is an alarm before nothing is taken any more."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from streams.trouble import Told
from streams.vitals import DISK

LEAST_FREE = 2_000_000_000
"""Bytes that should be free on the data folder's disk."""

ENOUGH = 1.1
"""Times as many have to be free before it is well again: at the edge nothing flaps."""

LOOK = 10.0
"""Seconds between two looks."""


class Room:
    """Look at what is free, and tell when that is too little and when it no longer is."""

    def __init__(self, folder: Path, vitals: Told) -> None:
        self._folder, self._vitals = folder, vitals
        self._short = False

    def look(self) -> None:
        """Look once."""
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:  # the disk is away: the log's own trouble tells of it
            return
        if not self._short and free < LEAST_FREE:
            self._short = True
            self._vitals.down(DISK, f"{free / 1e9:.1f} GB free of {self._folder}")
        elif self._short and free > LEAST_FREE * ENOUGH:
            self._short = False
            self._vitals.back(DISK)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK)
