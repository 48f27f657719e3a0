from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.camera import picture
from sensors.camera.picture import PictureError, decode, renewed, size_of
from sensors.quarantine import REASONS

IMAGE = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()
PNG = cv2.imencode(".png", IMAGE)[1].tobytes()


def bomb_png(width: int, height: int) -> bytes:
    """Make a small PNG that says it is large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9999)) + chunk(b"IEND", b"")
    )


def bomb_jpeg(width: int, height: int) -> bytes:
    """Change the size that a JPEG states."""
    place = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:place] + struct.pack(">HH", height, width) + JPEG[place + 4 :]


@pytest.mark.parametrize("data", [JPEG, PNG, JPEG + b"\0\0camera"])
def test_a_still_is_decoded(data: bytes) -> None:
    assert size_of(data) == (64, 48)
    assert decode(data).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "image_type"),
        (b"<html>log in</html>", "image_type"),
        (b"GIF89a" + bytes(100), "image_type"),
        (JPEG[:-40], "malformed"),
        (JPEG[: len(JPEG) // 2], "malformed"),
        (PNG[:-40], "malformed"),
        (PNG[:20], "malformed"),
        (b"\xff\xd8\xff\xff\xff\xff", "malformed"),
        (bomb_png(60_000, 60_000), "image_bomb"),
        (bomb_jpeg(65_500, 65_500), "image_bomb"),
    ],
)
def test_what_may_not_be_decoded_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert caught.value.reason == reason
    assert reason in REASONS


def test_a_still_of_too_many_bytes_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MOST_BYTES", len(JPEG) - 1)
    with pytest.raises(PictureError) as caught:
        decode(JPEG)
    assert caught.value.reason == "oversized"


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([JPEG, PNG]),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8),
    st.integers(0, 50),
)
def test_damage_is_refused_or_decoded_to_a_picture_and_never_more(
    whole: bytes, edits: list[tuple[int, int]], cut: int
) -> None:
    data = bytearray(whole)
    for place, value in edits:
        data[place % len(data)] = value
    try:
        frame = decode(bytes(data[: len(data) - cut]))
    except PictureError as error:
        assert error.reason in REASONS
    else:
        assert frame.ndim == 3 and frame.size <= 3 * 4096 * 4096


def test_a_persons_photo_is_made_anew_without_what_was_hidden_in_it() -> None:
    plain = cv2.imencode(".jpg", np.zeros((40, 60, 3), np.uint8))[1].tobytes()
    secret = b"Exif\0\0" + b"GPS 22.55 N 113.88 E"
    hiding = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(secret) + 2) + secret + plain[2:]
    assert b"GPS" in hiding and size_of(hiding) == (60, 40)
    made = renewed(hiding)
    assert b"GPS" not in made
    assert size_of(made) == (60, 40)
    with pytest.raises(PictureError):
        renewed(hiding[:-60])


def test_a_large_jpeg_of_a_telephone_is_made_anew_by_halves_and_a_png_of_its_size_refused() -> None:
    photo = np.full((6000, 8000, 3), 90, np.uint8)
    made = renewed(cv2.imencode(".jpg", photo)[1].tobytes())
    width, height = size_of(made)
    assert width / height == pytest.approx(8 / 6, rel=0.01)
    with pytest.raises(PictureError, match="8000×6000"):
        renewed(cv2.imencode(".png", photo)[1].tobytes())
