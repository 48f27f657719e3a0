from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from sensors.camera import eye as eyes
from sensors.camera.eye import Eye, source_of
from sensors.camera.still import Stills
from sensors.camera.stream import Stream
from sensors.quarantine import RAW_LIMIT, WHOLE_LIMIT
from sensors.site import Camera, HealthSettings, Text
from tests.sensors.camera.test_stream import film
from tests.waiting import until


def camera(**fields: object) -> Camera:
    return Camera(id="cam", name=Text(zh="", en=""), areas=("a",), **fields)  # type: ignore[arg-type]


def test_a_stream_comes_before_stills() -> None:
    assert source_of(camera()) is None
    assert source_of(camera(stream="rtsp://x", snapshot="http://y")) == "rtsp://x"
    assert source_of(camera(snapshot="http://y")) == "still+http://y"
    assert isinstance(eyes.reader_of("still+http://y", 1.0), Stills)
    assert isinstance(eyes.reader_of("rtsp://x", 1.0), Stream)


def test_a_source_that_gives_nothing_is_lost_after_the_time_given(tmp_path: Path) -> None:
    eye = Eye(camera(health=HealthSettings(lost=0.05)), str(tmp_path / "none.avi"))
    assert eye.judgement(5.0) is None, "nothing is known yet"
    eye.start()
    found = until(lambda: eye.judgement(5.0))
    assert (found.state, found.faults, found.judged) == ("lost", {"loss": 1.0}, False)
    eye.stop()


def test_a_camera_whose_picture_is_not_watched_is_only_there_or_lost(tmp_path: Path) -> None:
    eye = Eye(camera(health=HealthSettings(watch=False)), str(film(tmp_path / "a.avi")))
    eye.start()
    found = until(lambda: eye.judgement(5.0))
    assert (found.state, found.faults) == ("unjudged", {})
    eye.stop()


def test_a_decoder_that_hangs_is_noticed_and_replaced_and_its_late_frames_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eyes, "STUCK", 0.0)
    let_go, late = threading.Event(), threading.Event()
    run = Stream.run
    hang = True

    def hanging(self: Stream, take, stop, trouble, clock=time.time):  # type: ignore[no-untyped-def]
        nonlocal hang
        if hang:
            hang = False
            let_go.wait(20)  # as inside a library: it does not look at `stop`
            take(0.0, None)
            late.set()
            return
        run(self, take, stop, trouble, clock)

    monkeypatch.setattr(Stream, "run", hanging)
    eye = Eye(camera(timeout=0.05), str(film(tmp_path / "a.avi")))
    eye.start()
    until(lambda: eye.stuck)
    eye.again()
    until(lambda: eye.frames)
    frames = eye.frames
    assert eye.hung == 1
    let_go.set()
    assert late.wait(10)
    assert eye.frames in (frames, frames + 1), "the broken frame of the old decoder is not taken"
    assert until(lambda: not eye.hung), "it came back after all"
    eye.stop()
    assert eye.ended(10)


def test_refused_pictures_are_counted_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.camera.stream.LARGEST", 64 * 48 - 1)
    eye = Eye(camera(), str(film(tmp_path / "a.avi")))
    eye.start()
    until(lambda: eye.refused)
    eye.stop()
    assert eye.refused == {"image_bomb": 1}
    assert eye.refusals[0].detail == "frames of 64×48 pixels"


def test_of_large_or_many_refused_pictures_only_the_beginning_is_held() -> None:
    eye = Eye(camera(), "still+http://127.0.0.1:1/x")
    eye._refused("malformed", "", b"a" * 15_000_000)
    eye._refused("malformed", "", b"b" * WHOLE_LIMIT)
    assert [(len(one.raw), one.size) for one in eye.refusals] == [(RAW_LIMIT, 15_000_000), (WHOLE_LIMIT, WHOLE_LIMIT)]
    for _ in range(2 * eyes.MOST_REFUSALS):
        eye._refused("malformed", "", b"c" * WHOLE_LIMIT)
    assert sum(len(one.raw) for one in eye.refusals) < eyes.MOST_HELD + eyes.MOST_REFUSALS * RAW_LIMIT
    assert eye.refused == {"malformed": 2 + 2 * eyes.MOST_REFUSALS}


@pytest.mark.parametrize(("away", "most"), [(600.0, 3), (0.0, 5)])
def test_a_camera_of_which_several_decoders_hang_rests_and_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: float, most: int
) -> None:
    monkeypatch.setattr(eyes, "STUCK", 0.0)
    monkeypatch.setattr(eyes, "AWAY", away)
    let_go = threading.Event()
    plain = Stream.run
    monkeypatch.setattr(Stream, "run", lambda *_: let_go.wait(20))
    eye = Eye(camera(timeout=0.0, health=HealthSettings(lost=0.0)), str(film(tmp_path / "a.avi")))
    eye.start()

    def looked() -> bool:
        if eye.aside:
            eye.start()
        if eye.stuck:
            eye.again()
        return eye.hung >= most

    until(looked)
    assert eye.hung == most
    if away:
        looked()
        assert eye.aside and eye.hung == most
        found = eye.judgement(5.0)
        assert found is not None and found.state == "lost"
        assert eye.refused == {"decoder_hang": 1}, "it is said once"
    monkeypatch.setattr(Stream, "run", plain)
    let_go.set()
    until(lambda: not eye.hung)
    until(lambda: (looked(), eye.frames)[1])
    assert not eye.aside, "they came back"
    eye.stop()


def test_clips_have_more_and_smaller_pictures_and_stills_come_no_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(eyes.time, "time", lambda: now)
    filmed, plain = Eye(camera(), "none.avi", clips=4.0), Eye(camera(blur_faces=True), "none.avi", clips=4.0)
    for number in range(20):
        now = 1000.0 + 0.25 * number
        for eye in (filmed, plain):
            eye._take(np.full((270, 960, 3), number, np.uint8))
    assert len(filmed.film.between(0, 2e9)) == 20
    assert 5 <= len(filmed.ring.between(0, 2e9)) == filmed.frames <= 6
    small = cv2.imdecode(np.frombuffer(filmed.film.between(0, 2e9)[0][1], np.uint8), cv2.IMREAD_COLOR)
    assert small.shape == (135, 480, 3)
    assert not plain.film.between(0, 2e9) and plain.frames == filmed.frames
