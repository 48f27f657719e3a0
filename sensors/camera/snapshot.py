"""Pictures kept: a short ring of what a camera just saw, and a content-addressed store with limits."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import deque
from pathlib import Path

import cv2

from sensors.camera.clip import ENDING
from sensors.camera.stream import Frame

SECONDS = 16.0
"""Seconds of pictures that the ring holds: ten before an alarm, five after."""

WIDEST = 1280
"""Pixels: wider frames are made smaller before they are kept."""


class Ring:
    """The last seconds of one camera as JPEG pictures, safe between threads."""

    def __init__(self, seconds: float = SECONDS, quality: int = 82, widest: int = WIDEST) -> None:
        self._seconds, self._quality, self._widest = seconds, quality, widest
        self._pictures: deque[tuple[float, bytes]] = deque()
        self._lock = threading.Lock()

    def add(self, time: float, frame: Frame) -> None:
        """Keep a frame taken at a unix time; forget what is older than the ring."""
        picture = encode(frame, self._quality, self._widest)
        with self._lock:
            self._pictures.append((time, picture))
            while self._pictures and self._pictures[0][0] < time - self._seconds:
                self._pictures.popleft()

    def newest(self) -> tuple[float, bytes] | None:
        """Return the newest (unix time, JPEG), None when there is none."""
        with self._lock:
            return self._pictures[-1] if self._pictures else None

    def between(self, start: float, stop: float) -> list[tuple[float, bytes]]:
        """Return the pictures of a span of unix time, oldest first."""
        with self._lock:
            return [one for one in self._pictures if start <= one[0] <= stop]


def encode(frame: Frame, quality: int = 82, widest: int = WIDEST) -> bytes:
    """Encode a BGR frame as JPEG, made smaller when it is wider than `widest`. Raise ValueError on an empty frame."""
    if frame.size == 0:
        raise ValueError("an empty frame is no picture")
    frame = smaller(frame, widest)
    good, picture = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not good:
        raise ValueError("the frame cannot be encoded as JPEG")
    return picture.tobytes()


def smaller(frame: Frame, widest: int = WIDEST) -> Frame:
    """Make a frame no wider than `widest`: by halves first, which is several times as fast as averaging at once."""
    height, width = frame.shape[:2]
    while width >= 2 * widest and height >= 2:
        width, height = width // 2, height // 2
        frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if width > widest:  # by less than two: each pixel of the result still has a share of all that were there
        size = widest, max(round(height * widest / width), 1)
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return frame


def keep(folder: Path, picture: bytes, ending: str = "jpg") -> str:
    """Store a picture under the SHA-256 of its bytes and return that name; storing it again makes it new again."""
    name = hashlib.sha256(picture).hexdigest()
    file = folder / f"{name}.{ending}"
    with contextlib.suppress(FileNotFoundError):
        os.utime(file)
        return name
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
    with fresh.open("wb") as out:
        out.write(picture)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    return name


def prune(folder: Path, most_bytes: int, oldest_seconds: float, now: float | None = None) -> int:
    """Remove the oldest pictures and clips beyond a size, and all beyond an age; return how many."""
    now = time.time() if now is None else now
    held = []
    for file in (*folder.glob("*.jpg"), *folder.glob(f"*.{ENDING}")):
        with contextlib.suppress(FileNotFoundError):  # somebody else removes old ones as well
            status = file.stat()
            held.append((status.st_mtime, status.st_size, file))
    held.sort()
    total = sum(size for _, size, _ in held)
    removed = 0
    for changed, size, file in held:
        if total <= most_bytes and now - changed <= oldest_seconds:
            break
        file.unlink(missing_ok=True)
        total -= size
        removed += 1
    return removed
