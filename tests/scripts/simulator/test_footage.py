"""The drawn film: whole when it appears, marked as a simulation, in step with its scene."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.simulator.footage import AFTERMATH, HEIGHT, WIDTH, Film, FootageError, Stage, render
from scripts.simulator.scenes import SCENES

SCENE = SCENES["landslide"]
START = 1_795_420_800.0


def frames_of(file: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(file)), []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def test_a_film_lasts_as_long_as_its_scene_at_the_speed(tmp_path: Path) -> None:
    file = tmp_path / "run" / "camera.avi"
    begun = time.process_time()
    assert render(file, SCENE, START, SCENE.lasts, 120.0, "Asia/Shanghai") == 30
    assert time.process_time() - begun < 3
    frames = frames_of(file)
    assert len(frames) == 30
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    assert file.stat().st_size < 15e6
    assert [one.name for one in file.parent.iterdir()] == ["camera.avi"], "no part is left"


def test_debris_is_in_view_when_the_camera_reports_it_and_the_slope_comes_down_at_the_end() -> None:
    stage = Stage(SCENE)

    def toe(at: float) -> np.ndarray:
        return stage.picture(at, 0, "")[266:330, 330:520].astype(int)

    def changed(before: float, after: float) -> float:
        return float((np.abs(toe(before) - toe(after)).max(axis=2) > 40).mean())

    reports = [one.at for one in SCENE.seen]
    assert changed(0, 600) < 0.01
    shares = [changed(0, at) for at in reports]
    assert shares == sorted(shares)
    assert shares[0] > 0.005
    assert changed(0, 58 * 60) > 0.4


def test_every_picture_says_that_it_is_a_simulation() -> None:
    stage = Stage(SCENE)
    for at in (0.0, 1800.0, 3590.0):
        banner = stage.picture(at, 1, "2026-11-23 16:00:00")[9:11, 508:628]
        assert (np.abs(banner.astype(int) - (0, 190, 250)).max(axis=2) < 12).mean() > 0.9


def test_a_film_begins_and_ends_with_its_scene(tmp_path: Path) -> None:
    file = tmp_path / "camera.avi"
    file.write_bytes(b"of the last run")
    film = Film(file, SCENE, START, 600.0, 120.0, "Asia/Shanghai")
    assert not file.exists()
    film.show()
    assert len(frames_of(file)) == 10
    film.end()
    assert len(frames_of(file)) == AFTERMATH


def test_a_film_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((FootageError, OSError)):
        render(tmp_path / "file" / "camera.avi", SCENE, START, 60.0, 60.0, "Asia/Shanghai")
