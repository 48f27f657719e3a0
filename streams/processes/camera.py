"""The camera process: reads streams with OpenCV, tells how their pictures are, and takes some when an alarm is raised.

What a camera shows now goes to the console over a local socket (`streams.viewing`), never over the network.

What is wrong with a camera's picture goes into the log whenever it changes, and once a minute. A decoder that hangs is
left to itself and another begins: its camera is told as lost meanwhile, and the figures say how many hang.
One that crashes ends the process, and another begins; a camera that did so twice in a short time is put aside for a
while and told as lost, so that the others go on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from alerts import outcome
from alerts.outcome import AlarmTransition
from sensors import observation
from sensors.camera.crashes import Crashes
from sensors.camera.eye import Eye, source_of
from sensors.camera.health import Judgement
from sensors.camera.snapshot import prune
from sensors.camera.stream import redacted
from sensors.lookup import Registry
from sensors.observation import CameraHealth
from sensors.quarantine import Quarantine
from streams import bundle, publication, settings
from streams.album import FRESH, Album
from streams.bundle import Bundle, version_of
from streams.figures import keep_writing
from streams.following import Following
from streams.hub import RESYNC, HubClient, HubError
from streams.processes import child
from streams.quarantine.keeper import Keeper
from streams.topics import OBSERVATIONS, OUTCOMES
from streams.viewing import Showing, socket_of

logger = logging.getLogger(__name__)

CAMERAS = "FORESHOCK_CAMERAS"
"""Variable by which `foreshock run` hands over a JSON list of CAMERA=SOURCE."""

EDGES = {"alarm", "raise", "realarm"}
LOOK = 0.25
"""Seconds between two looks at the health of all cameras."""

TELL = 60.0
"""Seconds after which a camera's health is told again though nothing has changed."""

MOST_HUNG = 16
"""Decoders left to themselves at once beyond which the process begins anew: each holds memory and a thread."""

PATIENCE = 0.5
"""Seconds that decoders get to end at a stop."""


class Cameras:
    """All cameras of a site that have a stream."""

    def __init__(
        self,
        registry: Registry,
        sources: dict[str, str],
        folder: Path,
        hub: HubClient,
        count: int = 4,
        crashes: Crashes | None = None,
        clips: float = 0.0,
    ) -> None:
        self.registry, self.hub = registry, hub
        self.album = Album(folder, hub, lambda area: self.registry.partition(area), count)
        self._crashes, self._clips = crashes, clips
        self.eyes = [Eye(registry.cameras[name], source, crashes, clips) for name, source in sources.items()]
        self.quarantine = Quarantine("camera")
        self._keeper = Keeper(hub)
        self._told: dict[str, tuple[float, Judgement]] = {}  # camera → when (monotonic) and what was told last
        self._frames_before, self._refused_before = 0, Counter[str]()  # of eyes that are no more

    def adopt(self, registry: Registry, sources: dict[str, str]) -> None:
        """Change to another version of the site: what is read from the same source goes on being read."""
        kept, self.registry = {(eye.camera.id, eye.source): eye for eye in self.eyes}, registry
        names = {old: camera.id for camera in registry.site.cameras for old in camera.renamed_from}
        kept |= {(names[id], source): eye for (id, source), eye in kept.items() if id in names}
        eyes = []
        for name, source in sources.items():
            camera = registry.cameras[name]
            eye = kept.get((name, source))
            if eye is None or (eye.camera.health, eye.camera.timeout) != (camera.health, camera.timeout):
                eye = Eye(camera, source, self._crashes, self._clips)
                logger.info("camera %s from %s", name, redacted(source))
                eye.start()
            eye.camera = camera
            eyes.append(eye)
        self._tell_refused(at_once=True)
        for eye in self.eyes:
            if eye not in eyes:
                eye.stop()
                self._frames_before += eye.frames
                self._refused_before.update(eye.refused)
        self.eyes = eyes
        read = {eye.camera.id for eye in eyes}
        self._told = {camera: told for camera, told in self._told.items() if camera in read}

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
                                await self.album.take(eye, one)
                            except Exception:  # must not cost the pictures of the alarms after it
                                logger.exception("no picture of %s for %s", eye.camera.id, one.incident)

    async def tell(self) -> None:
        """Tell of the cameras' health and of refused pictures, and see to decoders that hang, for ever."""
        while True:
            self._see_to_hung()
            self._tell_refused()
            try:
                await self._tell_health()
            except (HubError, TimeoutError) as error:
                logger.error("the log does not take the cameras' health: %s", error)
            await asyncio.sleep(LOOK)

    def figures(self) -> dict[str, Any]:
        """Count frames, pictures and refusals, and say of each camera when it last gave a frame and how that is."""
        refused = Counter(self._refused_before)
        for eye in self.eyes:
            refused.update(eye.refused)
        return {
            "frames": self._frames_before + sum(eye.frames for eye in self.eyes),
            "pictures": self.album.pictures,
            "clips": self.album.clips,
            "seen": {eye.camera.id: eye.last_frame for eye in self.eyes if eye.last_frame is not None},
            "health": {camera: judgement.state for camera, (_, judgement) in self._told.items()},
            "aside": [eye.camera.id for eye in self.eyes if eye.aside],
            "hung": {eye.camera.id: eye.hung for eye in self.eyes if eye.hung},
            "refused": dict(refused),
        }

    def _see_to_hung(self) -> None:
        for eye in self.eyes:
            if eye.aside:
                eye.start()
            if eye.stuck:
                logger.error("the decoder of camera %s hangs; it is left to itself and another begins", eye.camera.id)
                eye.again()
        if sum(eye.hung for eye in self.eyes) > MOST_HUNG:
            logger.critical("more than %d decoders hang; the process begins anew", MOST_HUNG)
            os._exit(1)  # a thread inside a library ends with its process only

    async def _tell_health(self) -> None:
        now, moment = time.time(), time.monotonic()
        records: list[tuple[str, int, bytes | None, bytes]] = []
        told: dict[str, tuple[float, Judgement]] = {}
        for eye in self.eyes:
            judgement = eye.judgement(now)
            if judgement is None:
                continue
            since, before = self._told.get(eye.camera.id, (0.0, None))
            same = before is not None and (before.state, before.faults.keys(), before.judged) == (
                judgement.state,
                judgement.faults.keys(),
                judgement.judged,
            )
            if same and moment - since < TELL:
                continue
            told[eye.camera.id] = (moment, judgement)
            area = eye.camera.areas[0]
            health = CameraHealth(
                area=area,
                camera=eye.camera.id,
                time=now,
                received=now,
                faults={str(fault): sure for fault, sure in judgement.faults.items()},
                judged=judgement.judged,
            )
            records.append((OBSERVATIONS, self.registry.partition(area), None, observation.encode(health)))
        if records:
            await self.hub.produce(records)
            self._told |= told  # what the log did not take is told again at the next look

    async def finish(self, patience: float) -> None:
        """Wait for at most `patience` seconds until the log has the last refusals."""
        self.quarantine.close()
        self._tell_refused(at_once=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._keeper.waiting:
                    await asyncio.sleep(PATIENCE / 50)
                    self._tell_refused(at_once=True)

    def _tell_refused(self, *, at_once: bool = False) -> None:
        """Hand refusals over once the log has those before, or `at_once`: until then eyes hold them, within limits."""
        lost = self._keeper.look()
        if at_once or not self._keeper.waiting:
            for eye in self.eyes:
                while eye.refusals:
                    one = eye.refusals.popleft()
                    topic = f"camera/{eye.camera.id}"
                    self.quarantine.refuse(one.time, topic, one.reason, one.raw, one.detail, size=one.size)
            if self.quarantine.pending:
                lost += self._keeper.keep(self.quarantine.take(time.time()))
        if lost:
            self.quarantine.count("log_refused", lost)

    def newest(self, camera: str) -> tuple[float, bytes] | str:
        """Give a camera's newest picture as it may be shown, or why there is none. Called in a thread."""
        if camera not in self.registry.cameras:
            return "not_found"
        eye = next((one for one in self.eyes if one.camera.id == camera), None)
        if eye is None:
            return "camera_not_read"
        found = eye.ring.newest()
        if found is None or time.time() - found[0] > FRESH:
            return "camera_no_picture"
        return found[0], eye.shown(*found)


def sources_of(registry: Registry, given: Sequence[str]) -> dict[str, str]:
    """Say what is read for each camera: the site's streams and stills, changed by CAMERA=SOURCE. Raise ValueError."""
    sources = {camera.id: source for camera in registry.site.cameras if (source := source_of(camera))}
    for one in given:
        name, sign, source = one.partition("=")
        if not sign or not source:
            raise ValueError(f"--camera {one}: wants CAMERA=SOURCE")
        camera = registry.camera(name)  # by a former id too: a renamed one goes on being read
        if camera is None:
            raise ValueError(f"--camera {one}: the site has no camera {name}")
        sources[camera.id] = source
    return {name: source for name, source in sources.items() if source}


def given_by(environment: MutableMapping[str, str]) -> list[str]:
    """Take CAMERA=SOURCE out of the environment, where passwords in a source are not seen by others as in `ps`."""
    text = environment.pop(CAMERAS, "")
    return msgspec.json.decode(text, type=list[str]) if text else []


async def _run(found: settings.Settings, given: Sequence[str], crashes: Crashes | None = None) -> None:
    child.await_site()
    packed = publication.read(found.data_folder)
    registry = Registry(bundle.unpack(packed).site)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hub = HubClient(found.hub_path)
    folder = found.data_folder / "snapshots"
    cameras = Cameras(
        registry, sources_of(registry, given), folder, hub, found.snapshot_pictures, crashes, found.clip_rate
    )
    for eye in cameras.eyes:
        logger.info("camera %s from %s", eye.camera.id, redacted(eye.source))
        eye.start()

    def adopt(content: Bundle) -> None:
        fresh = Registry(content.site)
        there = [one for one in given if fresh.camera(one.partition("=")[0]) is not None]
        for one in sorted({*given} - {*there}):
            logger.warning("the site has no camera %s any more: it is not read", one.partition("=")[0])
        loop.call_soon_threadsafe(cameras.adopt, fresh, sources_of(fresh, there))

    following = Following(found.data_folder, version_of(packed), adopt)
    following.start()

    def figures() -> dict[str, Any]:
        return {**cameras.figures(), "following": following.version}

    showing = Showing(socket_of(found.data_folder), cameras.newest)
    await showing.start()
    tasks = [
        asyncio.create_task(cameras.watch()),
        asyncio.create_task(cameras.tell()),
        asyncio.create_task(keep_writing(found.data_folder, "camera", figures, child.parent().alive)),
    ]
    for task in tasks[:2]:
        task.add_done_callback(lambda _: stop.set())
    child.ready()
    try:
        while not stop.is_set():
            try:
                if folder.exists():
                    await asyncio.to_thread(
                        prune, folder, round(1e6 * found.snapshot_megabytes), 86400 * found.snapshot_days
                    )
            except OSError as error:  # must not end the watching of all cameras
                logger.error("old pictures cannot be removed: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(600):
                    await stop.wait()
    finally:
        ended = [place for place in (0, 1) if tasks[place].done()]
        for eye in cameras.eyes:
            eye.stop()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await cameras.album.close()
        await showing.close()
        await cameras.finish(PATIENCE)
        await hub.close()
        for place in ended:
            what = ("the outcomes are no longer followed", "the cameras' health is no longer told")[place]
            logger.critical("%s: %r", what, results[place])
        deadline = time.monotonic() + PATIENCE
        ends = [eye.ended(deadline - time.monotonic()) and not eye.hung for eye in cameras.eyes]
        if not all(ends):
            os._exit(
                int(bool(ended))
            )  # a hanging decoder must not hold up the stop, nor be torn down under its own feet
    if ended:
        raise SystemExit(1)


def main() -> None:
    """Run the cameras until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m streams.processes.camera")
    parser.add_argument("--camera", action="append", default=[], metavar="CAMERA=SOURCE")
    given = parser.parse_args()
    found = settings.load()
    child.begin("camera", found)
    asyncio.run(_run(found, [*given_by(os.environ), *given.camera], _crashes(found.data_folder / "run")))


def _crashes(folder: Path) -> Crashes | None:
    try:
        crashes = Crashes(folder)
        crashes.watch()
        return crashes
    except OSError as error:
        logger.error("whose decoder crashes will not be known: %s", error)
        return None


if __name__ == "__main__":
    main()
