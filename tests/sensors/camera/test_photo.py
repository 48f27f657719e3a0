"""Pictures from outside: sound ones are made anew without what was hidden in them, all others are refused."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.camera.photo import MOST_BYTES, PhotoError, renewed, size_of

IMAGE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
JPEG = cv2.imencode(".jpg", IMAGE)[1].tobytes()
PNG = cv2.imencode(".png", IMAGE)[1].tobytes()


def with_exif(jpeg: bytes) -> bytes:
    secret = b"Exif\0\0" + b"GPS 22.55 N 113.88 E"
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(secret) + 2) + secret + jpeg[2:]


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("picture", [JPEG, PNG])
def test_a_sound_picture_is_made_anew(picture: bytes) -> None:
    assert size_of(picture) == (60, 40)
    assert size_of(renewed(picture)) == (60, 40)


def test_what_is_hidden_in_a_picture_is_left_out() -> None:
    hiding = with_exif(JPEG)
    assert b"GPS" in hiding
    assert size_of(hiding) == (60, 40)
    assert b"GPS" not in renewed(hiding)


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (b"", "neither"),
        (b"GIF89a" + bytes(50), "neither"),
        (JPEG[:10], "cut short"),
        (PNG[:18], "cut short"),
        (PNG[:40], "decoded"),
        (bomb(30_000), "million"),
        (bomb(0), "no size"),
        (b"\xff\xd8\xff\xda\0\0", "not a sound JPEG"),
        (b"\xff\xd8\0\0\0\0", "not a sound JPEG"),
        (JPEG + bytes(MOST_BYTES), "MB"),
    ],
)
def test_what_is_no_picture_or_would_burst_is_refused(picture: bytes, reason: str) -> None:
    with pytest.raises(PhotoError, match=reason):
        renewed(picture)


@given(st.binary(max_size=80).map(lambda rest: b"\xff\xd8" + rest))
def test_no_head_is_read_for_ever_or_past_its_end(picture: bytes) -> None:
    try:
        width, height = size_of(picture)
    except PhotoError:
        return
    assert 0 < width < 65536 and 0 < height < 65536
