"""Pictures from outside: what is no picture, or would burst when it is unpacked, is refused; the rest is made anew.

The new JPEG holds the picture alone: where and by whom it was taken (EXIF) is gone, and so is whatever else was in it.
"""

from __future__ import annotations

import struct

MOST_BYTES = 8_000_000
MOST_PIXELS = 50_000_000
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG segments that tell the picture's size."""


class PhotoError(ValueError):
    """Raised for bytes that cannot be used as a picture, with the reason."""


def renewed(picture: bytes) -> bytes:
    """Return a JPEG made anew from a JPEG or PNG, at most `sensors.camera.snapshot.WIDEST` wide. Raise `PhotoError`."""
    if len(picture) > MOST_BYTES:
        raise PhotoError(f"more than {MOST_BYTES // 1_000_000} MB")
    width, height = size_of(picture)
    if width * height > MOST_PIXELS:
        raise PhotoError(f"{width}×{height} pixels are more than {MOST_PIXELS // 1_000_000} million")
    import cv2
    import numpy as np

    from sensors.camera.snapshot import encode

    try:
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PhotoError("it cannot be decoded") from error
    if image is None or image.size == 0:
        raise PhotoError("it cannot be decoded")
    return encode(image.astype(np.uint8, copy=False))


def size_of(picture: bytes) -> tuple[int, int]:
    """Read width and height from a JPEG's or PNG's head. Raise `PhotoError` on anything else."""
    try:
        if picture.startswith(PNG) and picture[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", picture, 16)
        elif picture.startswith(JPEG):
            width, height = _of_jpeg(picture)
        else:
            raise PhotoError("neither a JPEG nor a PNG")
    except (struct.error, IndexError) as error:
        raise PhotoError("cut short") from error
    if not width or not height:
        raise PhotoError("it has no size")
    return width, height


def _of_jpeg(picture: bytes) -> tuple[int, int]:
    """Walk from segment to segment to the one that tells the size."""
    at = 2
    while True:
        if picture[at] != 0xFF:
            raise PhotoError("not a sound JPEG")
        marker = picture[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", picture, at + 5)
            return width, height
        elif marker == 0xDA:
            raise PhotoError("not a sound JPEG")
        else:
            at += 2 + max(2, struct.unpack_from(">H", picture, at + 2)[0])
