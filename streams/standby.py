"""Standbys: the state of partitions that other runs of a cluster work on, kept where they stand for the day one dies.

A standby applies what its owner has committed, says nothing, and is as far as the owner was when it is taken over: only
the last second's observations are read then, instead of a snapshot and all that came after it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from streams.embedded.schema import HoleError
from streams.readable import Followed
from streams.station import GapError, Station
from streams.topics import OBSERVATIONS

logger = logging.getLogger(__name__)

AGAIN = 60.0
"""Seconds until a standby that could not be kept is tried again: what it needs may come with the next snapshot."""


class Owned(Followed, Protocol):
    """A log that says how far a group has come."""

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the next offset that the group will read; None where it has read nothing."""
        ...


class Standbys:
    """Keep a standby for each partition that `look` is told of. One caller at a time works on each."""

    def __init__(self, log: Callable[[], Owned], group: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._group, self._clock = log, group, clock
        self._kept: dict[int, Station] = {}
        self._not_before: dict[int, float] = {}
        self._locks: dict[int, asyncio.Lock] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, partition: int, station: Station) -> None:
        """Go on with a state that was given up, as a standby of who has it now."""
        if not station.lost:
            self._kept[partition] = station

    async def look(self, partitions: Iterable[int]) -> None:
        """Bring the standbys of these partitions up to what is committed; make those that are missing, drop others."""
        wanted = list(partitions)
        for partition in self._kept.keys() - set(wanted):
            del self._kept[partition]
        for partition in wanted:
            async with self._lock(partition):
                if self._clock() >= self._not_before.get(partition, 0.0):
                    await self._follow(partition)

    async def take(self, partition: int, committed: int | None) -> Station | None:
        """Give up the standby of a partition, brought up to what is `committed`; None when none can be had."""
        async with self._lock(partition):
            station = self._kept.pop(partition, None)
            if station is None or committed is None or station.engine.offset >= committed:
                return None
            try:
                await asyncio.to_thread(station.take_over, committed)
            except Exception as error:  # whatever it is, the state can still be restored from the log
                logger.warning("partition %d: its standby cannot be used: %s", partition, error)
                return None
            return station

    def _lock(self, partition: int) -> asyncio.Lock:
        return self._locks.setdefault(partition, asyncio.Lock())

    async def _follow(self, partition: int) -> None:
        station = self._kept.pop(partition, None)
        try:
            log = self._log()
            committed = await asyncio.to_thread(log.committed, self._group, OBSERVATIONS, partition)
            if committed is None:
                return
            if station is None:
                station = await asyncio.to_thread(Station, partition, log, committed)
            else:
                await asyncio.to_thread(station.follow, committed)
        except (HoleError, GapError) as error:
            logger.warning("partition %d: no standby is kept for now: %s", partition, error)
            station = None
        except Exception as error:  # the log does not answer, as when a machine of it dies: what is known is still so
            logger.warning("partition %d: its standby cannot be brought up for now: %s", partition, error)
        if station is None or station.lost:
            self._not_before[partition] = self._clock() + AGAIN
        else:
            self._kept[partition] = station
