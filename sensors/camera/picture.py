"""Decode a still from outside: its type, its size in pixels and its end are looked at before a decoder sees it."""

from __future__ import annotations

import cv2
import numpy as np

from sensors.camera.snapshot import encode
from sensors.camera.stream import LARGEST, Frame

MOST_BYTES = 16_000_000
"""Bytes of a still beyond which it is refused."""

PHOTO = 64_000_000
"""Pixels of a person's JPEG beyond which it is refused: telephones take fifty million. It is decoded by halves."""

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_TAIL = 64
"""Bytes at the end of a file in which it must end: some cameras add a few of their own."""

_FRAMES = frozenset((*range(0xC0, 0xD0),)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset((0x01, *range(0xD0, 0xD9)))


class PictureError(ValueError):
    """Raised on what is no picture that may be decoded: `reason` is one of `sensors.quarantine.REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def decode(data: bytes, pixels: int = LARGEST) -> Frame:
    """Decode a JPEG or PNG of at most so many `pixels` to a BGR frame. Raise `PictureError`."""
    if len(data) > MOST_BYTES:
        raise PictureError("oversized", f"a still of more than {MOST_BYTES:,} bytes")
    width, height = size_of(data)
    if width * height > pixels:
        raise PictureError("image_bomb", f"a still of {width}×{height} pixels, beyond {pixels:,} in all")
    if (b"\xff\xd9" if data.startswith(_JPEG) else b"IEND") not in data[-_TAIL:]:
        raise PictureError("malformed", "a still that breaks off")
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), _halved(width, height))
    except cv2.error as error:
        raise PictureError("malformed", f"a still that cannot be decoded: {str(error)[:200]}") from error
    if frame is None or frame.size == 0:
        raise PictureError("malformed", "a still that cannot be decoded")
    return frame  # type: ignore[return-value]


def _halved(width: int, height: int) -> int:
    """Choose how a picture is decoded: beyond what cameras send at a half or a quarter, which takes a JPEG far less."""
    pixels = width * height
    if pixels <= LARGEST:
        return cv2.IMREAD_COLOR
    return cv2.IMREAD_REDUCED_COLOR_2 if pixels <= 4 * LARGEST else cv2.IMREAD_REDUCED_COLOR_4


def renewed(data: bytes) -> bytes:
    """Make a person's JPEG or PNG anew as a JPEG, no wider than those that cameras take. Raise `PictureError`.

    The new one holds the picture alone: where and by whom it was taken (EXIF), and whatever else was in it, is gone.
    """
    return encode(decode(data, PHOTO if data.startswith(_JPEG) else LARGEST))


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height as a JPEG or PNG states them. Raise `PictureError`."""
    if data.startswith(_PNG):
        if len(data) < 33 or data[12:16] != b"IHDR":
            raise PictureError("malformed", "a PNG without its size")
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if not data.startswith(_JPEG):
        raise PictureError("image_type", f"neither JPEG nor PNG: it begins with {data[:8].hex()}")
    place = 2
    while place + 9 <= len(data):
        if data[place] != 0xFF:
            break
        marker = data[place + 1]
        if marker == 0xFF or marker in _BARE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            return int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        place += 2 + max(int.from_bytes(data[place + 2 : place + 4]), 2)
    raise PictureError("malformed", "a JPEG without its size")
