"""The archiver process: it archives what is due, says what holds it up, and outlasts that."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streams import settings
from streams.archive import witness
from streams.archive.place import Place
from streams.archive.survey import survey
from streams.processes import archiver
from streams.processes.archiver import Archiving, Working
from streams.trouble import LASTS
from tests.streams.archive.past import BEGAN, HOUR, lived
from tests.streams.archive.test_archiver import cut_off
from tests.streams.processes.test_notifier import Told


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived(tmp_path_factory.mktemp("past") / "log.sqlite")


@pytest.fixture
def found(past: Path, tmp_path: Path) -> settings.Settings:
    shutil.copytree(past.parent, tmp_path / "data")
    return settings.load({}, data=str(tmp_path / "data"), archive=str(tmp_path / "archive"))


def made(found: settings.Settings, clock: Clock) -> tuple[Archiving, Told]:
    heard = Told()
    return Archiving(found, heard, lambda seconds: False, clock), heard  # type: ignore[arg-type]


def test_what_is_due_is_archived_and_how_far_it_is_behind_is_told(found: settings.Settings) -> None:
    clock = Clock()
    archiving, heard = made(found, clock)
    clock.now = BEGAN + 0.5 * HOUR
    archiving.turn()
    assert archiving.figures()["segments"] == 0 and 0 < archiving.figures()["lag"] < 0.5 * HOUR
    clock.now = BEGAN + 1.5 * HOUR
    archiving.turn()
    assert archiving.figures()["segments"] == 1
    clock.now = BEGAN + 100 * HOUR
    archiving.turn()
    figures = archiving.figures()
    assert (figures["observations"], figures["lost"], figures["lag"], figures["trouble"]) == (93, 0, 0.0, "")
    assert heard.said == [("archive", "")], "an earlier run's alarm is over"
    seen = survey(Place(where=found.archive), found.data_folder, whole=True)
    assert seen is not None and seen.faults == [] and witness.read(found.data_folder) is not None
    archiving.close()
    assert archiving.figures()["observations"] == 93


def test_a_place_that_is_away_is_an_alarm_after_a_while_and_is_tried_again(
    found: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, ticks = Clock(), [0.0]
    monkeypatch.setattr(archiver.time, "monotonic", lambda: ticks[0])
    Path(found.archive).write_text("in the way")
    archiving, heard = made(found, clock)
    clock.now = BEGAN + 100 * HOUR
    archiving.turn()
    ticks[0] = LASTS - 1
    archiving.turn()
    assert heard.said == [] and "cannot be used" in archiving.figures()["trouble"]
    ticks[0] = LASTS
    archiving.turn()
    archiving.turn()
    assert [component for component, detail in heard.said if detail] == ["archive"]
    Path(found.archive).unlink()
    archiving.turn()
    assert heard.said[-1] == ("archive", "") and archiving.figures()["observations"] == 93


def test_what_was_gone_before_is_an_alarm_to_acknowledge(found: settings.Settings) -> None:
    clock = Clock()
    archiving, heard = made(found, clock)
    clock.now = BEGAN + 1.5 * HOUR
    archiving.turn()
    cut_off(found.log_file, 60)
    clock.now = BEGAN + 100 * HOUR
    archiving.turn()
    lost = archiving.figures()["lost"]
    said = f"{lost} observations were gone from the log before they were archived"
    assert lost > 0 and heard.said.index(("archive:0", said)) + 1 == heard.said.index(("archive:0", ""))


def test_what_could_not_be_read_is_put_aside_told_and_holds_nothing_up(found: settings.Settings) -> None:
    clock = Clock()
    archiving, heard = made(found, clock)
    clock.now = BEGAN + 1.5 * HOUR
    archiving.turn()
    archiving.close()
    marker, noted = Path(found.archive) / "archive.json", found.data_folder / witness.FILE
    marker.write_bytes(b"")
    noted.write_bytes(b"")
    clock.now = BEGAN + 100 * HOUR
    archiving.turn()
    assert (archiving.figures()["trouble"], archiving.figures()["damaged"]) == ("", 1)
    told = [detail for component, detail in heard.said if component == "archive:damaged"]
    assert "archive.json could not be read" in told[0] and told[1] == "", "it stands until somebody acknowledges it"
    seen = survey(Place(where=found.archive), found.data_folder, whole=True)
    assert seen is not None and [Path(fault.name) for fault in seen.faults] == [
        noted.with_name(noted.name + ".unreadable")
    ], "until somebody has looked at it: what was cut off before could not be noticed"


def test_the_policy_is_kept_to_once_a_day(found: settings.Settings) -> None:
    clock = Clock()
    kept = settings.load({}, data=found.data, archive=found.archive, archive_days=1.0)
    archiving, _ = made(kept, clock)
    clock.now = BEGAN + 3 * HOUR
    archiving.turn()
    clock.now = BEGAN + 100 * HOUR
    archiving.turn()
    seen = survey(Place(where=found.archive), found.data_folder, whole=True)
    assert seen is not None and seen.faults == [] and seen.segments == 1


def test_before_the_worker_has_made_the_log_it_waits(tmp_path: Path) -> None:
    found = settings.load({}, data=str(tmp_path / "data"), archive=str(tmp_path / "archive"))
    archiving, _ = made(found, Clock())
    archiving.turn()
    assert archiving.figures()["trouble"] == "" and not Path(found.archive).exists()


def test_the_end_comes_between_two_segments(found: settings.Settings) -> None:
    clock = Clock()
    clock.now = BEGAN + 100 * HOUR
    archiving = Archiving(found, Told(), lambda seconds: True, clock)  # type: ignore[arg-type]
    archiving.turn()
    assert archiving.figures()["segments"] == 1


def test_a_bucket_that_does_not_answer_holds_up_no_stop(found: settings.Settings) -> None:
    code = (
        "from streams.processes import archiver, child\n"
        "child.await_site = lambda: None\n"
        "archiver.LEAVE = 0.1\n"
        "archiver.main()"
    )
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(30)
        environment = {
            **os.environ,
            "FORESHOCK_DATA": found.data,
            "FORESHOCK_ARCHIVE": "s3://bucket/site",
            "FORESHOCK_ARCHIVE_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "FORESHOCK_ARCHIVE_KEY_ID": "key",
            "FORESHOCK_ARCHIVE_SECRET": "secret",
        }
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE)
        try:
            asked, _ = silent.accept()
            with asked:
                assert asked.recv(4)
                process.terminate()
                _, said = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 0, said.decode()


def test_what_ends_the_work_ends_the_process(found: settings.Settings) -> None:
    stop = threading.Event()
    archiving, _ = made(found, Clock())
    archiving.turn = lambda: 1 / 0  # type: ignore[method-assign, assignment]
    working = Working(archiving, stop)
    working.start()
    assert stop.wait(10)
    with pytest.raises(ZeroDivisionError):
        working.end()
