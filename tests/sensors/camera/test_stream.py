from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from sensors.camera import stream
from sensors.camera.stream import Frame, Stream, StreamError, redacted


def film(file: Path, frames: int = 12, rate: float = 4.0, width: int = 64, height: int = 48) -> Path:
    """Write a small film whose n-th picture has brightness 10 n."""
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
    for number in range(frames):
        writer.write(np.full((height, width, 3), 10 * number % 250, np.uint8))
    writer.release()
    return file


def frames_of(
    source: Path | str, rate: float = 1.0, enough: int = 100, seconds: float = 10.0
) -> tuple[list[tuple[float, int]], list[str]]:
    """Read a source as fast as it goes; return (time, brightness) of the frames, and what was said of trouble."""
    taken: list[tuple[float, int]] = []
    told: list[str] = []
    stop = threading.Event()

    def take(at: float, frame: Frame) -> None:
        taken.append((at, round(float(frame.mean()))))
        if len(taken) >= enough:
            stop.set()

    def trouble(sentence: str) -> None:
        told.append(sentence)
        stop.set()

    timer = threading.Timer(seconds, stop.set)
    timer.start()
    Stream(str(source), rate, pace=False, loop=False).run(take, stop, trouble, clock=lambda: 1000.0)
    timer.cancel()
    return taken, told


def test_a_file_is_sampled_at_the_rate_with_times_of_its_own(tmp_path: Path) -> None:
    taken, told = frames_of(film(tmp_path / "a.avi"))
    assert [at for at, _ in taken] == [1000.0, 1001.0, 1002.0]
    assert [brightness for _, brightness in taken] == pytest.approx([0, 40, 80], abs=3)
    assert told == []


def test_a_file_is_played_again_and_again_until_stopped(tmp_path: Path) -> None:
    file, stop, count = film(tmp_path / "a.avi", frames=2), threading.Event(), 0

    def take(at: float, frame: Frame) -> None:
        nonlocal count
        count += 1
        if count == 5:
            stop.set()

    Stream(str(file), 4.0, pace=False).run(take, stop)
    assert count == 5


def test_a_file_that_is_replaced_is_read_anew_when_it_comes_round(tmp_path: Path) -> None:
    file, stop = film(tmp_path / "a.avi", frames=2), threading.Event()
    seen: list[int] = []

    def take(at: float, frame: Frame) -> None:
        seen.append(round(float(frame.mean())))
        if len(seen) == 1:
            other = tmp_path / "b.avi"
            writer = cv2.VideoWriter(str(other), cv2.VideoWriter.fourcc(*"MJPG"), 4.0, (64, 48))
            writer.write(np.full((48, 64, 3), 200, np.uint8))
            writer.release()
            other.replace(file)
        if seen[-1] > 150:
            stop.set()

    timer = threading.Timer(10, stop.set)
    timer.start()
    Stream(str(file), 4.0, pace=False).run(take, stop)
    timer.cancel()
    assert seen[-1] == pytest.approx(200, abs=3)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def text(file: Path) -> None:
    file.write_text("this is no film\n" * 100)


def header_only(file: Path) -> None:
    film(file)
    file.write_bytes(file.read_bytes()[:300])


@pytest.mark.parametrize("damage", [empty, text, header_only], ids=lambda damage: str(damage.__name__))
def test_what_is_no_film_is_one_clear_sentence(damage: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "bad.avi"
    damage(file)
    taken, told = frames_of(file)
    assert taken == []
    assert len(told) == 1
    assert str(file) in told[0]


def test_a_truncated_film_gives_what_is_left_of_it(tmp_path: Path) -> None:
    file = film(tmp_path / "cut.avi", frames=40)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    taken, _ = frames_of(file, rate=4.0)
    assert 10 <= len(taken) < 40


def test_a_missing_file_is_said_once_and_found_when_it_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ABSENT", 0.01)
    monkeypatch.setattr(stream, "PATIENCE", 2)
    file, stop, told = tmp_path / "later.avi", threading.Event(), []
    film(tmp_path / "made.avi")
    looked = 0

    class Looked(Stream):
        def open(self) -> None:
            nonlocal looked
            looked += 1
            if looked == 4:
                (tmp_path / "made.avi").replace(file)
            super().open()

    Looked(str(file), pace=False).run(lambda at, frame: stop.set(), stop, told.append)
    assert told == [f"there is no file {file} yet; looking out for it"]
    assert looked >= 4


def test_a_frame_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "LARGEST", 64 * 48 - 1)
    taken, told = frames_of(film(tmp_path / "a.avi"))
    assert taken == []
    assert "gives frames of 64×48" in told[0]


def test_a_fault_of_the_taker_does_not_end_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RETRY", (0.01,))
    stop, count, told = threading.Event(), 0, []

    def take(at: float, frame: Frame) -> None:
        nonlocal count
        count += 1
        if count < 3:
            raise ValueError("the frame cannot be encoded")
        stop.set()

    Stream(str(film(tmp_path / "a.avi")), pace=False).run(take, stop, told.append)
    assert count == 3
    assert set(told) == {"the frame cannot be encoded"}


# ── streams ──


class Camera(BaseHTTPRequestHandler):
    """A camera that speaks MJPEG: `/breaks` hangs up after three pictures, `/hangs` says nothing at all."""

    halt = threading.Event()

    def do_GET(self) -> None:
        if self.path.startswith("/hangs"):
            self.halt.wait(30)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        picture = cv2.imencode(".jpg", np.full((48, 64, 3), 120, np.uint8))[1].tobytes()
        sent = 0
        try:
            while not self.halt.is_set() and not (self.path.startswith("/breaks") and sent >= 3):
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
                self.wfile.write(f"Content-Length: {len(picture)}\r\n\r\n".encode() + picture + b"\r\n")
                sent += 1
                self.halt.wait(0.02)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def camera() -> Iterator[str]:
    """Serve the camera on loopback; give the beginning of its address."""
    Camera.halt.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://guard:s3cret@127.0.0.1:{server.server_port}"
    Camera.halt.set()
    server.shutdown()
    server.server_close()


def test_an_mjpeg_stream_is_read(camera: str) -> None:
    taken, told = frames_of(f"{camera}/video", rate=1000.0, enough=2)
    assert [round(brightness, -1) for _, brightness in taken] == [120, 120]
    assert told == []


def test_a_stream_that_breaks_off_is_opened_again(camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RETRY", (0.01,))
    stop, told, count = threading.Event(), [], 0
    opened = 0

    class Opened(Stream):
        def open(self) -> None:
            nonlocal opened
            opened += 1
            if opened == 3:
                stop.set()
            super().open()

    def take(at: float, frame: Frame) -> None:
        nonlocal count
        count += 1

    timer = threading.Timer(15, stop.set)
    timer.start()
    Opened(f"{camera}/breaks", 1000.0).run(take, stop, told.append)
    timer.cancel()
    assert opened == 3
    assert count >= 2
    assert told
    assert all("has broken off" in one and "s3cret" not in one for one in told)


def test_a_stream_that_hangs_is_given_up(camera: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 300)
    begun = time.monotonic()
    with pytest.raises(StreamError, match=r"cannot open http://127\.0\.0\.1:\d+/hangs") as caught:
        Stream(f"{camera}/hangs").open()
    assert time.monotonic() - begun < 8
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://admin:pass@10.0.0.5:554/ch1", "rtsp://10.0.0.5:554/ch1"),
        ("rtsp://admin:p@ss@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:p/w@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:p?w@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("http://10.0.0.5/cgi?user=admin&pwd=secret", "http://10.0.0.5/cgi?…"),
        ("http://10.0.0.5/video", "http://10.0.0.5/video"),
        ("films/slope.avi", "films/slope.avi"),
    ],
)
def test_a_source_is_shown_without_its_credentials(source: str, shown: str) -> None:
    assert redacted(source) == shown
