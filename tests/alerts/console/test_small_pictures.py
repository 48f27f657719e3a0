from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from alerts.console import small_pictures
from alerts.console.small_pictures import SmallPictures, Width


def picture(folder: Path, seed: int = 0) -> Path:
    noise = np.random.default_rng(seed).integers(0, 256, (180, 640, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    path = folder / f"{hashlib.sha256(data).hexdigest()}.jpg"
    path.write_bytes(data)
    return path


def shape(data: bytes | None) -> tuple[int, ...]:
    assert data is not None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]  # type: ignore[union-attr]


def test_a_picture_is_made_as_wide_as_asked_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, small = picture(tmp_path), SmallPictures()
    assert [shape(small.of(path, width)) for width in Width] == [(45, Width.IN_MANY), (90, 320)]
    first = small.of(path, Width.IN_MANY)
    monkeypatch.setattr(small_pictures, "_made", lambda data, width: pytest.fail("it is made again"))
    assert small.of(path, Width.IN_MANY) is first


def test_the_last_ones_stay_within_their_bytes(tmp_path: Path) -> None:
    paths = [picture(tmp_path, seed) for seed in range(4)]
    each = len(SmallPictures().of(paths[0], Width.IN_MANY) or b"")
    small = SmallPictures(most_bytes=2 * each + each // 2)
    made = [small.of(path, Width.IN_MANY) for path in (*paths[:3], paths[1], paths[3])]
    assert made[1] is made[3]
    assert small.of(paths[1], Width.IN_MANY) is made[1], "it was asked for last, and stays"
    assert small.of(paths[0], Width.IN_MANY) is not made[0], "it went first"


def test_where_none_can_be_made_the_large_one_has_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, small = tmp_path / f"{'a' * 64}.jpg", SmallPictures()
    broken.write_bytes(b"\xff\xd8\xff picture")
    assert small.of(broken, Width.IN_MANY) is None
    path, over = picture(tmp_path), threading.Event()
    monkeypatch.setattr(small_pictures, "MOST_PIXELS", 180 * 640 - 1)
    assert small.of(path, Width.IN_MANY) is None, "it is too large to be decoded"
    monkeypatch.undo()
    monkeypatch.setattr(small_pictures, "PATIENCE", 0.01)
    small._maker.submit(over.wait)
    assert small.of(path, Width.IN_MANY) is None, "another one takes too long"
    over.set()
    monkeypatch.undo()
    assert shape(small.of(path, Width.IN_MANY)) == (45, 160)
    with pytest.raises(FileNotFoundError):
        small.of(tmp_path / f"{'b' * 64}.jpg", Width.IN_MANY)


def test_opencv_is_not_loaded_for_them(tmp_path: Path) -> None:
    code = """if True:
        import pathlib, sys
        from alerts.console.small_pictures import SmallPictures, Width
        print(len(SmallPictures().of(pathlib.Path(sys.argv[1]), Width.IN_FEW)) > 1000, "cv2" in sys.modules)"""
    run = subprocess.run([sys.executable, "-c", code, picture(tmp_path)], capture_output=True, text=True, timeout=60)
    assert run.stdout == "True False\n", run.stderr
