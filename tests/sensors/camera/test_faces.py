from __future__ import annotations

import cv2
import numpy as np
import pytest

from sensors.camera.faces import Faces
from sensors.camera.snapshot import encode


def drawn(size: int) -> np.ndarray:
    """Draw a face of some width in the middle of a grey picture."""
    picture = np.full((2 * size, 2 * size, 3), 150, np.uint8)

    def oval(x: float, y: float, width: float, height: float, colour: tuple[int, int, int], begin: int = 0) -> None:
        centre, axes = (round(size * (1 + x)), round(size * (1 + y))), (round(size * width), round(size * height))
        cv2.ellipse(picture, centre, axes, 0, begin, 360, colour, -1)

    oval(0, 0, 0.5, 0.68, (150, 180, 215))
    oval(0, -0.42, 0.52, 0.35, (40, 50, 60), 180)
    for side in (-1, 1):
        oval(0.2 * side, -0.12, 0.13, 0.07, (70, 80, 90))
        oval(0.2 * side, -0.23, 0.15, 0.035, (50, 60, 70))
    oval(0, 0.1, 0.07, 0.16, (165, 195, 228))
    oval(0, 0.22, 0.1, 0.03, (90, 110, 140))
    oval(0, 0.4, 0.2, 0.05, (80, 80, 140))
    return cv2.GaussianBlur(picture, (0, 0), size * 0.03)


@pytest.fixture(scope="module")
def faces() -> Faces:
    return Faces()


@pytest.mark.parametrize("size", [30, 60, 100])
def test_a_face_is_found_and_nothing_of_it_can_be_told_afterwards(faces: Faces, size: int) -> None:
    picture = cv2.copyMakeBorder(drawn(size), *[size] * 4, cv2.BORDER_REPLICATE)
    [(x, y, width, height)] = faces.find(picture)
    assert abs(x + width / 2 - 2 * size) < 0.3 * size
    assert abs(y + height / 2 - 2 * size) < 0.3 * size
    blurred = faces.blurred(picture)
    part = blurred[y : y + height, x : x + width].reshape(-1, 3)
    assert len(np.unique(part, axis=0)) <= 16, "a few flat squares"
    assert faces.find(blurred) == []
    assert (blurred[:2] == picture[:2]).all(), "what is not the face stays as it was"


def test_a_picture_without_a_face_stays_as_it_is_to_the_byte(faces: Faces) -> None:
    picture = encode(np.full((120, 160, 3), 90, np.uint8))
    assert faces.veiled(picture) is picture


def test_a_stored_picture_has_its_face_blurred(faces: Faces) -> None:
    veiled = faces.veiled(encode(drawn(60)))
    shown = cv2.imdecode(np.frombuffer(veiled, np.uint8), cv2.IMREAD_COLOR)
    assert faces.find(shown) == []
    with pytest.raises(ValueError, match="cannot be decoded"):
        faces.veiled(b"no picture")


def test_without_its_cascade_nothing_passes_for_blurred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors.camera.faces.CASCADE", "none.xml")
    with pytest.raises(RuntimeError, match="faces cannot be blurred"):
        Faces()
