"""The camera process: reads streams with OpenCV, and takes a picture when an alarm is raised where a camera looks."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts import outcome
from alerts.outcome import AlarmTransition
from sensors import observation
from sensors.camera.snapshot import Ring, keep, prune
from sensors.camera.stream import Frame, Stream, redacted
from sensors.lookup import Registry
from sensors.observation import Command
from sensors.site import RANK, Camera
from streams import bundle, publication, settings
from streams.bundle import Bundle, version_of
from streams.figures import keep_writing
from streams.following import Following
from streams.hub import RESYNC, HubClient, HubError
from streams.processes import child
from streams.topics import OBSERVATIONS, OUTCOMES

logger = logging.getLogger(__name__)

CAMERAS = "FORESHOCK_CAMERAS"
"""Variable by which `foreshock run` hands over a JSON list of CAMERA=SOURCE."""

EDGES = {"alarm", "raise", "realarm"}
FRESH = 10.0
"""Seconds after which a picture no longer shows what an alarm is about."""

AGAIN = 5.0
"""Seconds between two pictures of one camera for one incident, unless its level rises."""

FAULT = 5.0
"""Seconds of rest after an unforeseen fault of a decoder."""

PATIENCE = 0.5
"""Seconds that decoders get to end at a stop."""

MOST_BYTES = 5_000_000_000
OLDEST = 90 * 86400.0


class Eye:
    """One camera: its stream in a thread of its own, and its ring of pictures."""

    def __init__(self, camera: Camera, source: str) -> None:
        self.camera, self.source = camera, source
        self.ring = Ring()
        self.frames = 0
        self.last_frame: float | None = None  # unix seconds
        self.last_picture = (0.0, "", 0)  # when, for which incident, at which level
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=camera.id, daemon=True)

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stop.set()

    def ended(self, seconds: float) -> bool:
        """Wait for the thread's end, at most `seconds`; tell whether it came. A decoder may hang for longer."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        stream = Stream(self.source)
        while not self._stop.is_set():
            try:
                stream.run(self._take, self._stop, self._trouble)
            except Exception:  # a decoder's unforeseen fault must not blind this camera for good
                logger.exception("camera %s broke", self.camera.id)
                self._stop.wait(FAULT)

    def _trouble(self, sentence: str) -> None:
        logger.warning("camera %s: %s", self.camera.id, sentence)

    def _take(self, at: float, frame: Frame) -> None:
        self.frames += 1
        self.last_frame = time.time()
        self.ring.add(self.last_frame, frame)


class Cameras:
    """All cameras of a site that have a stream."""

    def __init__(self, registry: Registry, sources: dict[str, str], folder: Path, hub: HubClient) -> None:
        self.registry, self.folder, self.hub = registry, folder, hub
        self.eyes = [Eye(registry.cameras[name], source) for name, source in sources.items()]
        self.pictures = 0

    def adopt(self, registry: Registry, sources: dict[str, str]) -> None:
        """Change to another version of the site: what is read from the same source goes on being read."""
        kept, self.registry = {(eye.camera.id, eye.source): eye for eye in self.eyes}, registry
        names = {old: camera.id for camera in registry.site.cameras for old in camera.renamed_from}
        kept |= {(names[id], source): eye for (id, source), eye in kept.items() if id in names}
        eyes = []
        for name, source in sources.items():
            eye = kept.get((name, source))
            if eye is None:
                eye = Eye(registry.cameras[name], source)
                logger.info("camera %s from %s", name, redacted(source))
                eye.start()
            eye.camera = registry.cameras[name]
            eyes.append(eye)
        for eye in self.eyes:
            if eye not in eyes:
                eye.stop()
        self.eyes = eyes

    async def watch(self) -> None:
        """Follow the outcomes and take pictures on alarms, for ever."""
        async for topic, _, _, value in self.hub.subscribe([OUTCOMES]):
            if topic == RESYNC:
                continue
            try:
                found = outcome.decode(value).outcomes
            except Exception:
                logger.exception("an outcome cannot be read")
                continue
            for one in found:
                if isinstance(one, AlarmTransition) and one.edge in EDGES and one.kind == "risk" and one.incident:
                    for eye in self.eyes:
                        if one.area in eye.camera.areas:
                            try:
                                await self._picture(eye, one)
                            except Exception:  # must not cost the pictures of the alarms after it
                                logger.exception("no picture of %s for %s", eye.camera.id, one.incident)

    def figures(self) -> dict[str, Any]:
        """Count frames read and pictures taken, and say when each camera last gave a frame."""
        return {
            "frames": sum(eye.frames for eye in self.eyes),
            "pictures": self.pictures,
            "seen": {eye.camera.id: eye.last_frame for eye in self.eyes if eye.last_frame is not None},
        }

    async def _picture(self, eye: Eye, alarm: AlarmTransition) -> None:
        now = time.time()
        newest = eye.ring.newest()
        if newest is None or now - newest[0] > FRESH:
            return
        when, incident, rank = eye.last_picture
        if now - when < AGAIN and alarm.incident == incident and RANK[alarm.level] <= rank:
            return
        eye.last_picture = (now, str(alarm.incident), RANK[alarm.level])
        at, picture = newest
        try:
            name = await asyncio.to_thread(keep, self.folder, picture)
        except OSError as error:
            logger.error("cannot keep a picture of %s: %s", eye.camera.id, error.strerror)
            return
        command = Command(
            id=f"snapshot-{alarm.id}-{eye.camera.id}",
            kind="snapshot",
            target=str(alarm.incident),
            area=alarm.area,
            actor=f"camera:{eye.camera.id}",
            time=now,
            args={"camera": eye.camera.id, "sha": name, "time": at},
        )
        partition = self.registry.partition(alarm.area)
        try:
            await self.hub.produce([(OBSERVATIONS, partition, None, observation.encode(command))])
        except (HubError, TimeoutError) as error:
            logger.error("the log does not take a picture of %s for %s: %s", eye.camera.id, alarm.incident, error)
            return
        self.pictures += 1


def sources_of(registry: Registry, given: Sequence[str]) -> dict[str, str]:
    """Say which camera is read from where: the site's streams, changed by CAMERA=SOURCE. Raise ValueError."""
    sources = {camera.id: camera.stream for camera in registry.site.cameras if camera.stream}
    for one in given:
        name, sign, source = one.partition("=")
        if not sign or not source:
            raise ValueError(f"--camera {one}: wants CAMERA=SOURCE")
        if name not in registry.cameras:
            raise ValueError(f"--camera {one}: the site has no camera {name}")
        sources[name] = source
    return {name: source for name, source in sources.items() if source}


def given_by(environment: MutableMapping[str, str]) -> list[str]:
    """Take CAMERA=SOURCE out of the environment, where passwords in a source are not seen by others as in `ps`."""
    text = environment.pop(CAMERAS, "")
    return msgspec.json.decode(text, type=list[str]) if text else []


async def _run(found: settings.Settings, given: Sequence[str]) -> None:
    child.await_site()
    packed = publication.read(found.data_folder)
    registry = Registry(bundle.unpack(packed).site)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hub = HubClient(found.hub_path)
    folder = found.data_folder / "snapshots"
    cameras = Cameras(registry, sources_of(registry, given), folder, hub)
    for eye in cameras.eyes:
        logger.info("camera %s from %s", eye.camera.id, redacted(eye.source))
        eye.start()

    def adopt(content: Bundle) -> None:
        fresh = Registry(content.site)
        there = [one for one in given if one.partition("=")[0] in fresh.cameras]
        loop.call_soon_threadsafe(cameras.adopt, fresh, sources_of(fresh, there))

    following = Following(found.data_folder, version_of(packed), adopt)
    following.start()

    def figures() -> dict[str, Any]:
        return {**cameras.figures(), "following": following.version}

    tasks = [
        asyncio.create_task(cameras.watch()),
        asyncio.create_task(keep_writing(found.data_folder, "camera", figures, child.parent().alive)),
    ]
    tasks[0].add_done_callback(lambda _: stop.set())
    child.ready()
    try:
        while not stop.is_set():
            if folder.exists():
                await asyncio.to_thread(prune, folder, MOST_BYTES, OLDEST)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(600):
                    await stop.wait()
    finally:
        ended = tasks[0].done()
        for eye in cameras.eyes:
            eye.stop()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await hub.close()
        if ended:
            logger.critical("the outcomes are no longer followed: %r", results[0])
        deadline = time.monotonic() + PATIENCE
        if not all(eye.ended(deadline - time.monotonic()) for eye in cameras.eyes):
            os._exit(int(ended))  # a hanging decoder must not hold up the stop, nor be torn down under its own feet
    if ended:
        raise SystemExit(1)


def main() -> None:
    """Run the cameras until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m streams.processes.camera")
    parser.add_argument("--camera", action="append", default=[], metavar="CAMERA=SOURCE")
    given = parser.parse_args()
    found = settings.load()
    child.begin("camera", found)
    asyncio.run(_run(found, [*given_by(os.environ), *given.camera]))


if __name__ == "__main__":
    main()
