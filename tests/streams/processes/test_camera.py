"""The camera process at work on a real hub: an alarm where a camera looks makes a stored picture and a command."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from alerts import outcome
from alerts.outcome import AlarmTransition, Record
from scripts.commands import run
from sensors import observation, quarantine
from sensors.camera.clip import unpacked
from sensors.camera.crashes import Crashes
from sensors.camera.eye import Eye
from sensors.camera.faces import Faces
from sensors.camera.stream import Stream
from sensors.lookup import Registry
from sensors.observation import CameraHealth, Command
from sensors.site import Camera, HealthSettings, Text
from streams import bundle, publication, settings
from streams.album import Album
from streams.bundle import Bundle
from streams.hub import HubClient, HubError, HubFullError, HubRefusedError, HubServer
from streams.processes.camera import Cameras, _run, given_by, sources_of
from streams.topics import OBSERVATIONS, OUTCOMES, QUARANTINE
from tests.streams.small_site import rules, site
from tests.waiting import reached

Records = list[tuple[str, int, bytes | None, bytes]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a minute of a grey picture, a frame a second."""
    file = tmp_path_factory.mktemp("film") / "grey.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 1.0, (64, 48))
    for number in range(60):
        writer.write(np.full((48, 64, 3), 60 + 2 * number, np.uint8))
    writer.release()
    return file


def alarm(number: int = 1, **changes: Any) -> AlarmTransition:
    """Make the transition of a risk alarm in the area that the camera watches."""
    made = AlarmTransition(
        id=f"a.{number}",
        alarm="a",
        sequence=number,
        rule="creep",
        rule_version="1",
        kind="risk",
        area="a0",
        scope="p0",
        incident="i-1",
        edge="alarm",
        before="NORM",
        after="UNACK",
        level="orange",
    )
    return msgspec.structs.replace(made, **changes)


class Desk:
    """The worker's side: publishes outcomes, keeps what is produced."""

    def __init__(self, server: HubServer, written: Records) -> None:
        self.server, self.written = server, written
        self._offset = 0

    def say(self, one: AlarmTransition) -> None:
        self._offset += 1
        self.server.publish(OUTCOMES, 0, self._offset, outcome.encode(Record(0, self._offset, (one,))))

    @property
    def commands(self) -> list[Command]:
        found = [observation.decode(value) for topic, _, _, value in self.written if topic == OBSERVATIONS]
        return [one for one in found if isinstance(one, Command)]


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """Run a hub in a data folder."""
    written: Records = []

    async def produce(records: Records) -> list[int]:
        written.extend(records)
        return list(range(len(records)))

    (folder / "run").mkdir(parents=True, exist_ok=True)
    server = HubServer(folder / "run" / "hub.sock", produce)
    await server.start()
    try:
        yield Desk(server, written)
    finally:
        await server.stop()


@asynccontextmanager
async def watching(folder: Path, film: Path) -> AsyncIterator[tuple[Desk, Cameras]]:
    """Run the cameras against a hub; the camera has shown its first picture."""
    async with desk(folder) as found:
        hub = HubClient(folder / "run" / "hub.sock")
        cameras = Cameras(Registry(site()), {"cam": str(film)}, folder / "snapshots", hub)
        task = asyncio.create_task(cameras.watch())
        for eye in cameras.eyes:
            eye.start()
        await reached(lambda: cameras.eyes[0].ring.newest() is not None and found.server.subscribers)
        try:
            yield found, cameras
        finally:
            for eye in cameras.eyes:
                eye.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hub.close()


def test_an_alarm_makes_a_stored_picture_and_a_command(tmp_path: Path, film: Path) -> None:
    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            found.say(alarm())
            await reached(lambda: found.commands)
            command = found.commands[0]
            assert (command.kind, command.target, command.area, command.actor) == (
                "snapshot",
                "i-1",
                "a0",
                "camera:cam",
            )
            assert command.id == "snapshot-a.1-cam", "the same alarm makes the same command"
            picture = (tmp_path / "snapshots" / f"{command.args['sha']}.jpg").read_bytes()
            assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
            assert abs(command.args["time"] - command.time) < 10
            await reached(lambda: cameras.figures()["pictures"] == 1)

    asyncio.run(test())


def test_only_what_a_picture_can_show_makes_one(tmp_path: Path, film: Path) -> None:
    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            found.say(alarm(1, edge="return"))
            found.say(alarm(2, kind="data_quality"))
            found.say(alarm(3, area="a1"))
            found.say(alarm(4, incident=None))
            found.say(alarm(5))
            found.say(alarm(6))  # the same moment, the same level
            await reached(lambda: of_the_moment(found))
            cameras.eyes[0].ring.add(time.time(), np.full((48, 64, 3), 255, np.uint8))
            found.say(alarm(7, level="red", edge="raise"))
            found.say(alarm(8, incident="i-2"))
            await reached(lambda: len(of_the_moment(found)) == 3)
            assert of_the_moment(found) == ["snapshot-a.5-cam", "snapshot-a.7-cam", "snapshot-a.8-cam"]

    asyncio.run(test())


def of_the_moment(found: Desk) -> list[str]:
    """List the commands of the pictures of alarms' own moments."""
    return [one.id for one in found.commands if "@" not in one.id]


def test_an_alarm_has_pictures_of_before_and_after_in_one_command_each(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.album.moments", lambda count: (-10.0, -5.0, 0.0, 0.5))
    monkeypatch.setattr("streams.album.AFTER", 0.5)

    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            cameras.album = Album(tmp_path / "snapshots", cameras.hub, lambda area: 0)
            camera, now = cameras.eyes[0].camera, time.time()
            cameras.eyes[0].stop()
            eye = Eye(camera, "other")
            for back in range(12, -1, -1):
                eye.ring.add(now - back, np.full((48, 64, 3), 20 * back, np.uint8))
                eye.film.add(now - back, np.full((48, 64, 3), 20 * back, np.uint8))
            cameras.eyes = [eye]
            found.say(alarm(1))
            await reached(lambda: len(found.commands) >= 3)
            eye.ring.add(time.time(), np.full((48, 64, 3), 250, np.uint8))
            await reached(lambda: len(found.commands) == 4)
            assert {one.id: round(one.args["time"] - now) for one in found.commands} == {
                "snapshot-a.1-cam": 0,
                "snapshot-a.1-cam@-10": -10,
                "snapshot-a.1-cam@-5": -5,
                "snapshot-a.1-cam@+0.5": 0,
            }
            assert len({one.args["sha"] for one in found.commands}) == 4
            own = next(one.args["sha"] for one in found.commands if one.id == "snapshot-a.1-cam")
            clip = unpacked((tmp_path / "snapshots" / f"{own}.clip").read_bytes())  # there before the last picture is
            assert [round(at - now) for at, _ in clip] == list(range(-9, 1)) and cameras.album.clips == 1
            found.say(alarm(1, id="a.1"))  # the log says it again
            found.say(alarm(2, incident="i-2"))
            await reached(lambda: any(one.target == "i-2" for one in found.commands))
            ids = [one.id for one in found.commands if one.target == "i-1"]
            assert len(ids) == len(set(ids)) == 4

    asyncio.run(test())


def test_where_faces_are_to_be_blurred_no_picture_leaves_as_it_was(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    veiled: list[bytes] = []

    def veil(self: Faces, picture: bytes) -> bytes:
        veiled.append(picture)
        return b"veiled" + picture

    monkeypatch.setattr(Faces, "veiled", veil)

    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            eye = cameras.eyes[0]
            eye.camera = msgspec.structs.replace(eye.camera, blur_faces=True)
            found.say(alarm(1))
            await reached(lambda: found.commands)
            kept = (tmp_path / "snapshots" / f"{found.commands[0].args['sha']}.jpg").read_bytes()
            assert kept.startswith(b"veiled")
            shown = cameras.newest("cam")
            assert isinstance(shown, tuple)
            assert shown[1].startswith(b"veiled")
            assert len(veiled) == len(set(veiled)), "none is looked at twice"
            eye.film.add(time.time(), np.zeros((48, 64, 3), np.uint8))
            await cameras.album._film(eye, time.time(), "sha")
            assert not list((tmp_path / "snapshots").glob("*.clip")), "no clip has a picture that was not looked at"

    asyncio.run(test())


def test_a_picture_that_is_too_old_is_not_taken_for_the_moment(tmp_path: Path, film: Path) -> None:
    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            camera, now = cameras.eyes[0].camera, time.time()
            stale, fresh = Eye(camera, "stale"), Eye(camera, "fresh")
            stale.ring.add(now - 60, np.zeros((48, 64, 3), np.uint8))
            fresh.ring.add(now, np.full((48, 64, 3), 255, np.uint8))
            cameras.eyes[0].stop()
            cameras.eyes = [stale, fresh]
            found.say(alarm(1))
            found.say(alarm(2, incident="i-2"))
            await reached(lambda: len(found.commands) == 2)
            assert {one.args["time"] for one in found.commands} == {now}

    asyncio.run(test())


def test_a_log_that_is_away_costs_a_picture_not_the_process(tmp_path: Path, film: Path) -> None:
    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            produce, cameras.hub.produce = cameras.hub.produce, refusing  # type: ignore[method-assign]
            found.say(alarm(1))
            await reached(lambda: refused)
            cameras.hub.produce = produce  # type: ignore[method-assign]
            found.say(alarm(2, incident="i-2"))
            await reached(lambda: found.commands)
            assert [one.id for one in found.commands] == ["snapshot-a.2-cam"]

    async def refusing(records: Any, *, seconds: float = 10.0) -> list[int]:
        refused.append(records)  # the picture is there, and the log was asked: only now may it come back
        raise TimeoutError("no answer")

    refused: list[Any] = []
    asyncio.run(test())


def test_an_unforeseen_fault_costs_a_picture_not_the_following(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with watching(tmp_path, film) as (found, cameras):
            take = cameras.album.take

            async def broken(eye: Eye, one: AlarmTransition) -> None:
                if one.id == "a.1":
                    raise RuntimeError("unforeseen")
                await take(eye, one)

            monkeypatch.setattr(cameras.album, "take", broken)
            found.say(alarm(1))
            found.server.publish(OUTCOMES, 0, 99, b"no outcome")
            found.say(alarm(2))
            await reached(lambda: found.commands)
            assert [one.id for one in found.commands] == ["snapshot-a.2-cam"]

    asyncio.run(test())


def test_the_process_ends_with_an_error_when_outcomes_are_no_longer_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=rules())))

    async def broken(self: Cameras) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(Cameras, "watch", broken)
    with pytest.raises(SystemExit) as caught:
        asyncio.run(asyncio.wait_for(_run(settings.load({"FORESHOCK_DATA": str(tmp_path)}), []), 10))
    assert caught.value.code == 1


def test_pictures_that_cannot_be_removed_do_not_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publication.write(tmp_path, bundle.pack(Bundle(site=site(), rules=rules())))
    (tmp_path / "snapshots").mkdir()

    def refusing(*_: Any) -> int:
        raise OSError("the disk is read-only")

    monkeypatch.setattr("streams.processes.camera.prune", refusing)

    async def test() -> None:
        async with desk(tmp_path):
            process = asyncio.create_task(_run(settings.load({"FORESHOCK_DATA": str(tmp_path)}), []))
            await reached(lambda: process.done() or "read-only" in caplog.text)
            await asyncio.sleep(0.05)
            assert not process.done()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(process, 10)

    asyncio.run(test())


def test_sources_with_passwords_are_on_no_command_line(tmp_path: Path) -> None:
    source = "rtsp://user:pass@camera/1"
    content = Bundle(site=site(), rules=rules())
    started = run.site_children(settings.load({"FORESHOCK_DATA": str(tmp_path)}), content, None, [f"cam={source}"])
    assert "pass" not in str([one.arguments for one in started])
    [camera] = [one for one in started if one.name == "camera"]
    environment = dict(camera.environment)
    assert sources_of(Registry(site()), given_by(environment)) == {"cam": source}
    assert environment.keys() == camera.environment.keys() - {"FORESHOCK_CAMERAS"}
    assert all("FORESHOCK_CAMERAS" not in one.environment for one in started if one is not camera)
    assert given_by({}) == []


def test_a_broken_decoder_does_not_blind_its_camera(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors.camera.eye.FAULT", 0.01)
    eye = Eye(Registry(site()).cameras["cam"], str(film))
    add, broken = eye.ring.add, 2

    def breaking(at: float, frame: Any) -> None:
        nonlocal broken
        if broken:
            broken -= 1
            raise RuntimeError("unforeseen")
        add(at, frame)

    monkeypatch.setattr(eye.ring, "add", breaking)

    async def test() -> None:
        eye.start()
        await reached(lambda: eye.ring.newest() is not None)
        eye.stop()

    asyncio.run(test())
    assert eye.frames >= 3, "it came back after each fault"


def test_sources_come_from_the_site_and_the_command_line() -> None:
    registry = Registry(site())
    assert sources_of(registry, []) == {}
    assert sources_of(registry, ["cam=a=b.avi"]) == {"cam": "a=b.avi"}
    (camera, *others) = registry.site.cameras
    renamed = msgspec.structs.replace(camera, id="gate", renamed_from=("cam",))
    after = Registry(msgspec.structs.replace(registry.site, cameras=(renamed, *others)))
    assert sources_of(after, ["cam=a.avi"]) == {"gate": "a.avi"}, "a renamed camera goes on being read"
    with pytest.raises(ValueError, match="no camera nine"):
        sources_of(registry, ["nine=a.avi"])
    with pytest.raises(ValueError, match="CAMERA=SOURCE"):
        sources_of(registry, ["cam"])


@pytest.mark.server
def test_the_process_reads_its_site_and_stops_within_a_second_of_sigterm(tmp_path: Path, film: Path) -> None:
    packed = bundle.pack(Bundle(site=site(), rules=rules()))
    publication.write(tmp_path, packed)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORESHOCK_")}

    async def test() -> None:
        async with desk(tmp_path) as found:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "streams.processes.camera", "--camera", f"cam={film}"),
                env={**environment, "FORESHOCK_DATA": str(tmp_path)},
            )
            try:
                await reached(lambda: found.server.subscribers and frames_read(tmp_path), 20)
                found.say(alarm())
                await reached(lambda: found.commands)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 2.0) == 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    asyncio.run(test())


def frames_read(folder: Path) -> int:
    """Read the process's own figures."""
    try:
        return int(msgspec.json.decode((folder / "run" / "camera.json").read_bytes())["frames"])
    except FileNotFoundError:
        return 0


def healths(found: Desk) -> list[CameraHealth]:
    said = [observation.decode(value) for topic, _, _, value in found.written if topic == OBSERVATIONS]
    return [one for one in said if isinstance(one, CameraHealth)]


@asynccontextmanager
async def telling(folder: Path, sources: dict[str, str], content: Any = None) -> AsyncIterator[tuple[Desk, Cameras]]:
    """Run the cameras' health against a hub."""
    async with desk(folder) as found:
        hub = HubClient(folder / "run" / "hub.sock")
        cameras = Cameras(Registry(content or site()), sources, folder / "snapshots", hub)
        for eye in cameras.eyes:
            eye.start()
        task = asyncio.create_task(cameras.tell())
        try:
            yield found, cameras
        finally:
            for eye in cameras.eyes:
                eye.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hub.close()


def eyes_of(count: int, **health: Any) -> Any:
    cameras = tuple(
        Camera(id=f"cam-{n}", name=Text(zh="", en=""), areas=("a0",), health=HealthSettings(**health))
        for n in range(count)
    )
    return msgspec.structs.replace(site(), cameras=cameras)


def test_health_is_told_at_changes_and_again_after_a_while(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with telling(tmp_path, {"cam": str(film)}) as (found, cameras):
            await reached(lambda: healths(found))
            (first,) = healths(found)
            assert (first.camera, first.area, first.faults, first.judged) == ("cam", "a0", {}, False)
            assert abs(first.time - time.time()) < 10
            await reached(lambda: cameras.figures()["health"] == {"cam": "learning"})  # once the log has answered
            monkeypatch.setattr("streams.processes.camera.TELL", 0.0)
            await reached(lambda: len(healths(found)) > 1)

    asyncio.run(test())


def test_a_camera_that_gives_nothing_is_lost_and_the_others_are_not(tmp_path: Path, film: Path) -> None:
    async def test() -> None:
        sources = {"cam-0": str(film), "cam-1": str(tmp_path / "none.avi")}
        async with telling(tmp_path, sources, eyes_of(2, lost=2.0)) as (found, _):
            await reached(lambda: {one.camera for one in healths(found)} == {"cam-0", "cam-1"})
            assert {one.camera: dict(one.faults) for one in healths(found)} == {"cam-0": {}, "cam-1": {"loss": 1.0}}

    asyncio.run(test())


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Have decoders of sources that say so hang, and be taken to at once, until the event is set."""
    held, run = threading.Event(), Stream.run

    def hanging(self: Stream, *arguments: Any) -> None:
        if "hangs" in self.source:
            held.wait(20)
        else:
            run(self, *arguments)

    monkeypatch.setattr(Stream, "run", hanging)
    monkeypatch.setattr("sensors.camera.eye.STUCK", -9.0)
    return held


def test_a_decoder_that_hangs_stops_no_other_camera(tmp_path: Path, film: Path, hold: threading.Event) -> None:
    async def test() -> None:
        sources = {"cam-0": str(film), "cam-1": "rtsp://hangs"}
        async with telling(tmp_path, sources, eyes_of(2, lost=2.0)) as (found, cameras):
            await reached(lambda: cameras.figures()["hung"].get("cam-1"))
            await reached(lambda: any(one.camera == "cam-1" and "loss" in one.faults for one in healths(found)))
            frames = cameras.eyes[0].frames
            await reached(lambda: cameras.eyes[0].frames > frames)
            hold.set()

    asyncio.run(test())


def test_refused_pictures_are_in_the_quarantine(tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.camera.stream.LARGEST", 10)

    async def test() -> None:
        async with telling(tmp_path, {"cam": str(film)}) as (found, cameras):
            await reached(lambda: any(topic == QUARANTINE for topic, *_ in found.written))
            [kept] = [quarantine.decode(value) for topic, _, _, value in found.written if topic == QUARANTINE][:1]
            assert (kept.source, kept.topic, kept.reason) == ("camera", "camera/cam", "image_bomb")
            assert cameras.figures()["refused"]["image_bomb"] >= 1

    asyncio.run(test())


def test_health_that_the_log_does_not_take_is_told_again(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with telling(tmp_path, {"cam": str(film)}) as (found, cameras):
            produce, refused = cameras.hub.produce, 0

            async def refusing(records: Any, *, seconds: float = 10.0) -> list[int]:
                nonlocal refused
                refused += 1
                raise TimeoutError("no answer")

            cameras.hub.produce = refusing  # type: ignore[method-assign]
            await reached(lambda: refused)
            cameras.hub.produce = produce  # type: ignore[method-assign]
            await reached(lambda: healths(found))

    asyncio.run(test())


def kept(found: Desk) -> list[tuple[str, str]]:
    """List topic and reason of what is in the quarantine."""
    records = [quarantine.decode(value) for topic, _, _, value in found.written if topic == QUARANTINE]
    return [(one.topic, one.reason) for one in records]


@pytest.mark.parametrize("error", [HubFullError("full"), HubRefusedError("never"), ConnectionError, TimeoutError])
def test_refusals_that_the_log_does_not_take_are_told_once_it_does(tmp_path: Path, error: Any) -> None:
    """By a hub that is full, one that refuses what comes together, and a worker that is away or answers nothing."""

    async def test() -> None:
        async with desk(tmp_path) as found:
            hub = HubClient(tmp_path / "run" / "hub.sock")
            cameras = Cameras(Registry(site()), {"cam": "none.avi"}, tmp_path / "snapshots", hub)
            if isinstance(error, HubError):
                hand_over, left = hub.hand_over, 3

                def refusing(records: Any) -> Any:
                    nonlocal left
                    left -= 1
                    if left >= 0 and (isinstance(error, HubFullError) or len(records) > 1):
                        raise error
                    return hand_over(records)

                hub.hand_over = refusing  # type: ignore[method-assign]
            elif error is ConnectionError:
                await found.server.stop()
            else:
                answers = asyncio.Event()
                produce = found.server._produce

                async def late(records: Records) -> list[int]:
                    await answers.wait()
                    return await produce(records)

                found.server._produce = late
            for number in range(5):
                cameras.eyes[0]._refused(f"{number}", "", b"")
            task = asyncio.create_task(cameras.tell())
            if error is ConnectionError:
                await reached(lambda: cameras._keeper.waiting == 5)
                assert kept(found) == []
                await found.server.start()
            elif error is TimeoutError:
                await reached(lambda: cameras._keeper.waiting == 5 and found.server._ledgers)
                cameras.eyes[0]._refused("5", "", b"")
                answers.set()
            expected = 6 if error is TimeoutError else 5
            await reached(lambda: len(kept(found)) >= expected and not cameras._keeper.waiting)
            assert kept(found) == [("camera/cam", f"{number}") for number in range(expected)]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hub.close()

    asyncio.run(test())


def test_an_address_that_cannot_be_parsed_blinds_its_own_camera_only(
    tmp_path: Path, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = "still+http://viewer:hush/ss@10.0.0.9/snap.jpg"

    async def test() -> None:
        async with telling(tmp_path, {"cam-0": bad, "cam-1": str(film)}, eyes_of(2, lost=2.0)) as (found, cameras):
            cameras.adopt(Registry(eyes_of(2, lost=3.0)), {"cam-0": bad, "cam-1": str(film)})
            await reached(lambda: {one.camera for one in healths(found)} == {"cam-0", "cam-1"})
            assert {one.camera: dict(one.faults) for one in healths(found)} == {"cam-0": {"loss": 1.0}, "cam-1": {}}
            assert cameras.eyes[1].frames

    asyncio.run(test())
    assert "cannot be parsed" in caplog.text and "hush" not in caplog.text


def test_a_camera_whose_decoders_hang_is_put_aside_before_it_takes_the_others_along(
    tmp_path: Path, film: Path, hold: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os._exit", lambda code: pytest.fail("the process began anew"))

    async def test() -> None:
        sources = {"cam-0": str(film), "cam-1": "rtsp://hangs"}
        async with telling(tmp_path, sources, eyes_of(2, lost=2.0)) as (found, cameras):
            await reached(lambda: cameras.figures()["aside"])
            assert (cameras.figures()["aside"], cameras.figures()["hung"]) == (["cam-1"], {"cam-1": 3})
            await reached(lambda: ("camera/cam-1", "decoder_hang") in kept(found))
            await reached(lambda: any(one.camera == "cam-1" and "loss" in one.faults for one in healths(found)))
            frames = cameras.eyes[0].frames
            await reached(lambda: cameras.eyes[0].frames > frames + 1)
            assert cameras.figures()["hung"] == {"cam-1": 3}
            hold.set()
            await reached(lambda: not cameras.figures()["aside"])

    asyncio.run(test())


PROGRAM = """
import asyncio, signal, sys
from pathlib import Path
from sensors.camera import eye
from sensors.camera.stream import Stream
from streams import settings
from streams.processes import camera

class Deadly(Stream):
    def open(self):
        super().open()
        signal.raise_signal(signal.SIGSEGV)  # in the thread of the decoder, as a real one would

eye.reader_of = lambda source, *rest: (Deadly if "deadly" in source else Stream)(source)
found = settings.load({"FORESHOCK_DATA": sys.argv[1]})
asyncio.run(camera._run(found, sys.argv[2:], camera._crashes(Path(sys.argv[1]) / "run")))
"""


def test_a_camera_whose_decoder_crashes_the_process_again_is_put_aside_and_the_others_go_on(
    tmp_path: Path, film: Path
) -> None:
    deadly = tmp_path / "deadly.avi"
    deadly.write_bytes(film.read_bytes())
    publication.write(tmp_path, bundle.pack(Bundle(site=eyes_of(2), rules=rules())))

    async def test() -> None:
        async with desk(tmp_path) as found:
            given = [f"cam-0={film}", f"cam-1={deadly}"]
            starts = [[sys.executable, "-c", PROGRAM, str(tmp_path), *given] for _ in range(3)]
            for start in starts[:2]:
                child = await asyncio.create_subprocess_exec(*start)
                async with asyncio.timeout(30):
                    assert await child.wait() == -signal.SIGSEGV
            found.written.clear()
            child = await asyncio.create_subprocess_exec(*starts[2])
            try:
                await reached(lambda: {one.camera for one in healths(found)} >= {"cam-0", "cam-1"})
                assert {one.camera: set(one.faults) for one in healths(found)} == {"cam-0": set(), "cam-1": {"loss"}}
                kept = [quarantine.decode(value) for topic, _, _, value in found.written if topic == QUARANTINE]
                assert [(one.topic, one.reason) for one in kept] == [("camera/cam-1", "decoder_crash")]
                assert child.returncode is None
            finally:
                child.terminate()
                async with asyncio.timeout(30):
                    await child.wait()

    asyncio.run(test())


def test_a_camera_that_was_put_aside_is_read_again_later(tmp_path: Path, film: Path) -> None:
    class Pardoned(Crashes):
        pardon = False

        def aside(self, name: str) -> bool:
            return not self.pardon

    async def test() -> None:
        async with desk(tmp_path) as found:
            hub, crashes = HubClient(tmp_path / "run" / "hub.sock"), Pardoned(tmp_path / "run")
            cameras = Cameras(Registry(site()), {"cam": str(film)}, tmp_path / "snapshots", hub, crashes=crashes)
            cameras.eyes[0].start()
            task = asyncio.create_task(cameras.tell())
            await reached(lambda: any("loss" in one.faults for one in healths(found)))
            assert cameras.figures()["aside"] == ["cam"] and cameras.figures()["refused"] == {"decoder_crash": 1}
            crashes.pardon = True
            await reached(lambda: cameras.figures()["frames"] > 0 and "loss" not in healths(found)[-1].faults)
            assert cameras.figures()["aside"] == []
            cameras.eyes[0].stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await hub.close()

    asyncio.run(test())
