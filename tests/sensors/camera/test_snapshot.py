from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from sensors.camera.snapshot import WIDEST, Ring, encode, keep, prune

GREY = np.full((48, 64, 3), 128, np.uint8)


def decoded(picture: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


def test_a_ring_keeps_the_last_seconds_only() -> None:
    ring = Ring(seconds=5)
    assert ring.newest() is None
    for second in range(20):
        ring.add(float(second), GREY)
    newest = ring.newest()
    assert newest is not None
    assert newest[0] == 19.0
    assert [at for at, _ in ring.between(0, 100)] == [14.0, 15.0, 16.0, 17.0, 18.0, 19.0]
    assert [at for at, _ in ring.between(16, 17.5)] == [16.0, 17.0]


def test_a_ring_is_safe_between_threads() -> None:
    ring, stop = Ring(seconds=2), threading.Event()

    def look() -> None:
        while not stop.is_set():
            ring.newest()
            ring.between(0, 1e9)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for second in range(300):
        ring.add(second * 0.1, GREY)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(ring.between(0, 1e9)) == 21


def test_a_wide_frame_is_made_smaller_and_keeps_its_shape() -> None:
    picture = decoded(encode(np.zeros((1080, 1920, 3), np.uint8)))
    assert picture.shape == (720, WIDEST, 3)
    assert decoded(encode(GREY)).shape == GREY.shape


def test_an_empty_frame_is_no_picture() -> None:
    with pytest.raises(ValueError, match="empty frame"):
        encode(np.empty((0, 0, 3), np.uint8))


def test_a_picture_is_stored_once_under_the_hash_of_its_bytes(tmp_path: Path) -> None:
    folder, picture = tmp_path / "snapshots", encode(GREY)
    name = keep(folder, picture)
    assert name == hashlib.sha256(picture).hexdigest()
    assert (folder / f"{name}.jpg").read_bytes() == picture
    before = (folder / f"{name}.jpg").stat().st_ino
    os.utime(folder / f"{name}.jpg", (1e9, 1e9))
    assert keep(folder, picture) == name
    after = (folder / f"{name}.jpg").stat()
    assert after.st_ino == before
    assert after.st_mtime > 1e9, "what is told of again is not among the oldest"
    assert [file.name for file in folder.iterdir()] == [f"{name}.jpg"], "nothing is left lying about"


def stored(folder: Path, *ages: float, size: int = 100) -> list[Path]:
    """Store pictures of some ages in seconds at time 1e9."""
    folder.mkdir()
    files = []
    for number, age in enumerate(ages):
        file = folder / f"{number}.jpg"
        file.write_bytes(b"x" * size)
        os.utime(file, (1e9 - age, 1e9 - age))
        files.append(file)
    return files


def test_pictures_beyond_an_age_go(tmp_path: Path) -> None:
    files = stored(tmp_path / "s", 50, 150, 250)
    clip = files[2].rename(files[2].with_suffix(".clip"))
    assert prune(tmp_path / "s", 10**9, 100.0, now=1e9) == 2
    assert [file.exists() for file in (*files[:2], clip)] == [True, False, False], "a clip goes as a picture does"


def test_the_oldest_pictures_go_when_there_are_too_many_bytes(tmp_path: Path) -> None:
    files = stored(tmp_path / "s", 30, 10, 20)
    assert prune(tmp_path / "s", 200, 1e6, now=1e9) == 1
    assert [file.exists() for file in files] == [False, True, True]


def test_within_the_limits_nothing_goes(tmp_path: Path) -> None:
    stored(tmp_path / "s", 1, 2)
    assert prune(tmp_path / "s", 200, 100.0, now=1e9) == 0
    assert prune(tmp_path / "none", 200, 100.0) == 0
