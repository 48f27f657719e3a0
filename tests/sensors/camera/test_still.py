"""A camera that gives stills over HTTP, good ones and bad ones."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sensors.camera import still
from sensors.camera.still import PREFIX, Stills
from sensors.camera.stream import Frame
from tests.sensors.camera.test_picture import JPEG, bomb_png


class Camera(BaseHTTPRequestHandler):
    """Answers each path in its own way."""

    halt = threading.Event()

    def do_GET(self) -> None:
        what = self.path.partition("?")[0]
        given = self.headers.get("Authorization", "")
        if what == "/basic" and not given.startswith("Basic "):
            return self.say(401, b"", ask='Basic realm="x"')
        if what == "/digest" and not self.knows(given):
            return self.say(401, b"", ask='Digest realm="x", nonce="abc", qop="auth", algorithm=MD5')
        if what == "/html":
            return self.say(200, b"<html>", "text/html")
        if what == "/lies":
            return self.say(200, b"<html>", "image/jpeg")
        if what == "/bomb":
            return self.say(200, bomb_png(50_000, 50_000), "image/png")
        if what == "/cut":
            return self.say(200, JPEG[:-50], "image/jpeg")
        if what == "/large":
            return self.say(200, bytes(200_000), "image/jpeg")
        if what == "/gone":
            return self.say(404, b"")
        if what == "/elsewhere":
            return self.say(302, b"", location="http://127.0.0.1:1/")
        if what == "/drips":
            return self.drip(b"Content-Type: image/jpeg\r\n\r\n")
        if what == "/dawdles":  # its headers never end
            return self.drip(b"X-Slow: ")
        if what == "/hangs":
            self.halt.wait(20)
            return None
        return self.say(200, JPEG, "image/jpeg")

    def knows(self, given: str) -> bool:
        parts = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        if not given.startswith("Digest ") or parts.get("username") != "guard":
            return False
        one = hashlib.md5(b"guard:x:s3cret").hexdigest()
        two = hashlib.md5(f"GET:{parts['uri']}".encode()).hexdigest()
        whole = f"{one}:{parts['nonce']}:{parts['nc']}:{parts['cnonce']}:{parts['qop']}:{two}"
        return parts["response"] == hashlib.md5(whole.encode()).hexdigest()

    def say(self, status: int, body: bytes, kind: str = "text/plain", ask: str = "", location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if ask:
            self.send_header("WWW-Authenticate", ask)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, begun: bytes) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\n" + begun)
        try:
            while not self.halt.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()
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
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"still+http://guard:s3cret@127.0.0.1:{server.server_port}"
    Camera.halt.set()
    server.shutdown()
    server.server_close()


def read(source: str, timeout: float = 5.0) -> tuple[list[Frame], list[str], list[str]]:
    """Read until a still or trouble comes: stills, sentences, reasons of refusal."""
    taken: list[Frame] = []
    told: list[str] = []
    refused: list[str] = []
    stop = threading.Event()

    def take(at: float, frame: Frame) -> None:
        taken.append(frame)
        stop.set()

    def trouble(sentence: str) -> None:
        told.append(sentence)
        stop.set()

    Stills(source, timeout=timeout, refuse=lambda reason, detail, raw: refused.append(reason)).run(take, stop, trouble)
    return taken, told, refused


@pytest.mark.parametrize("path", ["/still", "/basic", "/digest", "/digest?channel=1"])
def test_a_still_is_taken_whatever_way_of_logging_in_the_camera_asks_for(camera: str, path: str) -> None:
    taken, told, refused = read(camera + path)
    assert [frame.shape for frame in taken] == [(48, 64, 3)]
    assert told == refused == []


@pytest.mark.parametrize(
    ("path", "sentence", "reason"),
    [
        ("/html", "gives no still but text/html", "image_type"),
        ("/lies", "neither JPEG nor PNG", "image_type"),
        ("/bomb", "50000×50000 pixels", "image_bomb"),
        ("/cut", "a still that breaks off", "malformed"),
        ("/large", "of more than 100,000 bytes", "oversized"),
        ("/gone", "answers 404", None),
        ("/elsewhere", "answers 302", None),
    ],
)
def test_what_is_no_still_is_one_sentence_and_a_counted_reason(
    camera: str, path: str, sentence: str, reason: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still, "MOST_BYTES", 100_000)
    taken, told, refused = read(camera + path)
    assert taken == []
    assert len(told) == 1 and sentence in told[0] and "s3cret" not in told[0]
    assert refused == ([reason] if reason else [])


@pytest.mark.parametrize("path", ["/hangs", "/drips", "/dawdles"])
def test_a_camera_that_hangs_or_drips_is_given_up(camera: str, path: str) -> None:
    begun = time.monotonic()
    taken, told, _ = read(camera + path, timeout=0.2)
    assert taken == [] and len(told) == 1
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("bad", ["http://guard:s3/cret@127.0.0.1/x.jpg", "http://127.0.0.1:99999/x?key=s3", "http://"])
def test_an_address_that_cannot_be_parsed_is_one_sentence_without_it(bad: str) -> None:
    taken, told, refused = read(PREFIX + bad)
    assert taken == refused == []
    assert len(told) == 1 and "still" in told[0] and "s3" not in told[0]


def test_a_camera_that_is_not_there_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(still, "RETRY", (0.01,))
    told: list[str] = []
    stop, reader = threading.Event(), Stills("still+http://127.0.0.1:1/x?key=s3cret", timeout=0.5)
    tries = iter(range(5))

    def clocked(_: float) -> bool:
        if next(tries, None) is None:
            stop.set()
        return stop.is_set()

    stop.wait = clocked  # type: ignore[method-assign,assignment]
    reader.run(lambda at, frame: None, stop, told.append)
    assert len(told) == 1 and "s3cret" not in told[0]
