"""The pictures of an alarm: some of the seconds before it at once, those after it, and its clip, when they are due."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from alerts.outcome import AlarmTransition
from sensors import observation
from sensors.camera.clip import keep_clip
from sensors.camera.eye import Eye
from sensors.camera.moments import AFTER, BEFORE, NEAR, moments, nearest
from sensors.camera.snapshot import keep
from sensors.observation import Command
from sensors.site import RANK
from streams.hub import HubClient, HubError
from streams.topics import OBSERVATIONS

logger = logging.getLogger(__name__)

FRESH = 10.0
"""Seconds after which a picture no longer shows what an alarm is about."""

AGAIN = 5.0
"""Seconds between two alarms of one incident that one camera takes pictures for, unless its level rises."""

MOST_WAITING = 256
"""Alarms that wait for their later pictures at once."""


class Album:
    """Take pictures of alarms, keep them and attach them to their incidents; keep a clip beside the alarm's own."""

    def __init__(self, folder: Path, hub: HubClient, partition: Callable[[str], int], count: int = 4) -> None:
        self.folder, self.hub, self.pictures, self.clips = folder, hub, 0, 0
        self._partition, self._moments = partition, moments(count)
        self._waiting: set[asyncio.Task[None]] = set()

    async def take(self, eye: Eye, alarm: AlarmTransition) -> None:
        """Take an alarm's pictures with one camera: up to now at once, later ones in a task of their own."""
        now = time.time()
        newest = eye.ring.newest()
        if newest is None or now - newest[0] > FRESH:
            return
        when, incident, rank = eye.last_picture
        if now - when < AGAIN and alarm.incident == incident and RANK[alarm.level] <= rank:
            return
        eye.last_picture = (now, str(alarm.incident), RANK[alarm.level])
        name = await self._attach(eye, alarm, 0.0, newest)  # the one that matters most comes first
        past = eye.ring.between(now - 60, now)
        for moment in self._moments:
            if moment < 0:
                await self._attach(eye, alarm, moment, nearest(past, now + moment))
        if len(self._waiting) < MOST_WAITING:
            task = asyncio.create_task(self._later(eye, alarm, now, name))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Wait for no more moments."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _later(self, eye: Eye, alarm: AlarmTransition, now: float, name: str) -> None:
        """Take the later pictures; the clip before the last one, whose coming makes pages look again."""
        for moment in sorted({*(one for one in self._moments if one > 0), AFTER}):
            at = now + moment
            try:
                await asyncio.sleep(max(at - time.time(), 0.0))
                if moment == AFTER and name:
                    await self._film(eye, at, name)
                if moment in self._moments:
                    await self._attach(eye, alarm, moment, nearest(eye.ring.between(at - NEAR, at + NEAR), at))
            except Exception:
                logger.exception("no later picture of %s for %s", eye.camera.id, alarm.incident)

    async def _film(self, eye: Eye, end: float, name: str) -> None:
        """Keep the clip of an alarm beside its picture; none where faces are blurred, see `Eye`."""
        if eye.camera.blur_faces:
            return
        frames = eye.film.between(end - AFTER - BEFORE, end)
        try:
            self.clips += await asyncio.to_thread(keep_clip, self.folder, name, frames)
        except OSError as error:
            logger.error("cannot keep a clip of %s: %s", eye.camera.id, error)

    async def _attach(self, eye: Eye, alarm: AlarmTransition, moment: float, found: tuple[float, bytes] | None) -> str:
        """Keep a picture and tell its incident of it, once; the same alarm and moment make the same command.

        Return the picture's name; empty where nothing came of it.
        """
        if found is None or (str(alarm.incident), found[0]) in eye.taken:
            return ""
        at, picture = found
        eye.taken.append((str(alarm.incident), at))

        def store() -> str:
            return keep(self.folder, eye.shown(at, picture))

        def forget() -> None:
            with contextlib.suppress(ValueError):  # pushed out by later ones
                eye.taken.remove((str(alarm.incident), at))

        try:
            name = await asyncio.to_thread(store)
        except (OSError, RuntimeError, ValueError) as error:
            logger.error("cannot keep a picture of %s: %s", eye.camera.id, error)
            forget()
            return ""
        command = Command(
            id=f"snapshot-{alarm.id}-{eye.camera.id}" + (f"@{moment:+g}" if moment else ""),
            kind="snapshot",
            target=str(alarm.incident),
            area=alarm.area,
            actor=f"camera:{eye.camera.id}",
            time=time.time(),
            args={"camera": eye.camera.id, "sha": name, "time": at},
        )
        record = (OBSERVATIONS, self._partition(alarm.area), None, observation.encode(command))
        try:
            await self.hub.produce([record])
        except (HubError, TimeoutError) as error:
            logger.error("the log does not take a picture of %s for %s: %s", eye.camera.id, alarm.incident, error)
            forget()  # the next alarm of the incident may have it; told twice, it is the same command
            return ""
        self.pictures += 1
        return name
