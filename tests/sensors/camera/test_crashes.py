"""Crashes of decoders: whose it was is known at the next start, and who does it again and again is put aside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sensors.camera.crashes import AWAY, SHORT, Crashes, blamed, name_of

PROGRAM = """
import signal, sys, threading
from pathlib import Path
from sensors.camera.crashes import Crashes
crashes = Crashes(Path(sys.argv[1]))
crashes.watch()
resting = threading.Event()

def read(name, crash):
    crashes.begun(name)
    if crash:
        signal.raise_signal(signal.SIGSEGV)
    resting.wait()

for name, crash in (("one", False), ("two", sys.argv[2] == "crash")):
    threading.Thread(target=read, args=(name, crash), daemon=True).start()
if sys.argv[2] == "crash":
    resting.wait()
"""


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def run(folder: Path, how: str) -> int:
    return subprocess.run([sys.executable, "-c", PROGRAM, str(folder), how], timeout=60, check=False).returncode


def test_a_process_that_died_of_a_decoder_says_whose_it_was(tmp_path: Path) -> None:
    clock = Clock()
    for aside in (False, True):
        assert run(tmp_path, "crash") < 0
        crashes = Crashes(tmp_path, clock)
        assert (crashes.aside("two"), crashes.aside("one")) == (aside, False)
        clock.now += 10
    assert run(tmp_path, "end") == 0
    clock.now += 1
    assert Crashes(tmp_path, clock).aside("two"), "and it is remembered over starts that went well"


def crashed(folder: Path, clock: Clock, name: str = "two") -> Crashes:
    (folder / "camera.trail").write_text(f"begun 0x00000000000000aa {name}\nCurrent thread 0x00000000000000aa (most\n")
    return Crashes(folder, clock)


def test_who_is_put_aside_is_tried_again_and_the_next_crash_counts_at_once(tmp_path: Path) -> None:
    clock = Clock()
    crashed(tmp_path, clock)
    clock.now += SHORT - 1
    crashes = crashed(tmp_path, clock)
    assert crashes.aside("two")
    clock.now += AWAY
    assert not crashes.aside("two")
    assert crashed(tmp_path, clock).aside("two")


def test_crashes_far_apart_put_nobody_aside(tmp_path: Path) -> None:
    clock = Clock()
    crashed(tmp_path, clock)
    clock.now += SHORT + AWAY + 1
    assert not crashed(tmp_path, clock).aside("two")


@pytest.mark.parametrize(
    ("trail", "name"),
    [
        ("", None),
        ("begun 0x0a one\n", None),
        ("begun 0x0a one\nFatal Python error\n\nThread 0x0a (most recent", None),
        ("begun 0x0a one\nbegun 0x0a two\n\nCurrent thread 0x000a (most recent", "two"),
        ("begun 0x0a one\nCurrent thread 0x0a (most recent\nbegun 0x0a two\n", "one"),
        ("begun 0x0a one\nCurrent thread 0x0b (most recent", None),
        ("\ufffd" * 1000, None),
    ],
)
def test_blame_is_for_the_current_thread_alone(trail: str, name: str | None) -> None:
    assert blamed(trail) == name


def test_what_cannot_be_read_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "camera.crashes").write_bytes(b"{")
    (tmp_path / "camera.trail").write_bytes(b"\xff" * 100)
    assert not Crashes(tmp_path).aside("two")


def test_a_name_holds_no_password_and_is_another_for_another_source() -> None:
    assert "secret" not in name_of("cam", "rtsp://user:secret@camera/1")
    assert name_of("cam", "rtsp://a/1") != name_of("cam", "rtsp://a/2")
