"""Cameras over RTSP, against a real server: GStreamer's, from Debian's packages."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGUSR1

import pytest

from scripts.ports import free_port
from sensors.camera import stream
from sensors.camera.stream import Frame, Stream
from tests.waiting import until

SERVER = Path(__file__).parent / "rtsp_server.py"
PYTHON = "/usr/bin/python3"  # Debian's own, which finds Debian's GStreamer


def has_gstreamer() -> bool:
    asks = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        return subprocess.run([PYTHON, "-c", asks], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux" or not has_gstreamer(), reason="GStreamer's RTSP server is not there"),
]


@contextmanager
def server(port: int, *login: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([PYTHON, str(SERVER), str(port), *login], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()


class Watched:
    """A stream that is read in a thread, and what came of it."""

    def __init__(self, source: str) -> None:
        self.frames: list[Frame] = []
        self.told: list[str] = []
        self.stop = threading.Event()
        self._stream = Stream(source, 5.0, timeout=1.5)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._stream.run(lambda at, frame: self.frames.append(frame), self.stop, self.told.append)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(10)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RETRY", (0.05, 0.1))


def test_a_stream_is_read_and_found_again_after_it_stalls_and_after_its_server_dies() -> None:
    port = free_port()
    with Watched(f"rtsp://127.0.0.1:{port}/still") as watched:
        with server(port) as process:
            until(lambda: len(watched.frames) >= 2, seconds=20)
            assert watched.frames[0].shape == (240, 320, 3)
            watched.told.clear()  # it may have begun before the server did
            process.send_signal(SIGUSR1)  # the connection stays, no frame comes
            until(lambda: bool(watched.told), seconds=20)
            assert watched.told == [f"rtsp://127.0.0.1:{port}/still has broken off"]
        before = len(watched.frames)
        with server(port):
            until(lambda: len(watched.frames) > before + 1, seconds=20)


def test_a_password_with_every_sign_opens_the_stream_and_a_wrong_one_is_not_told() -> None:
    port = free_port()
    with server(port, "guard", "p@ss:word/1"):
        with Watched(f"rtsp://guard:p%40ss%3Aword%2F1@127.0.0.1:{port}/ball") as watched:
            until(lambda: bool(watched.frames), seconds=20)
            assert watched.told == []
        with Watched(f"rtsp://guard:secret@127.0.0.1:{port}/ball") as watched:
            until(lambda: bool(watched.told), seconds=20)
            assert watched.told == [f"cannot open rtsp://127.0.0.1:{port}/ball"]
            assert watched.frames == []
