"""Cameras' pictures made small, for a strip of many: the last ones stay in memory."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from pathlib import Path

from PIL import Image


class Width(IntEnum):
    """Pixels that a small picture may be wide."""

    IN_MANY = 160  # of a strip of many
    IN_FEW = 320


MOST_BYTES = 16_000_000
"""Of small pictures in memory: some three thousand."""

MOST_PIXELS = 16_000_000
"""Of a kept picture beyond which it is given as it is: cameras' are no wider than 1 280."""

PATIENCE = 0.5
"""Seconds that a request waits for one, which takes some 6 ms; after that the large one is given."""

QUALITY = 70
"""Of the JPEG, 0..100."""


class SmallPictures:
    """Make pictures small and keep the last ones. Threads may share it.

    One thread makes them all: the allocator keeps some megabytes of every thread that ever made one.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._held = most_bytes, 0
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._lock, self._maker = threading.Lock(), ThreadPoolExecutor(1, "small-pictures")

    def of(self, path: Path, width: Width) -> bytes | None:
        """Return a kept picture as a JPEG of at most so many pixels' width; None where the large one has to do.

        `path` is named by the hash of its bytes, so what is known of it once stays true. Raise `OSError`.
        """
        if (known := self._known(path.stem, width)) is not None:
            return known
        made = self._maker.submit(self._make, path, width)
        try:
            return made.result(PATIENCE)
        except TimeoutError:
            made.cancel()  # where it has begun, it is there for the next one who asks
            return None

    def _make(self, path: Path, width: int) -> bytes | None:
        if (known := self._known(path.stem, width)) is not None:  # made while this one waited
            return known
        made = _made(path.read_bytes(), width)
        if made is not None:
            self._keep(path.stem, width, made)
        return made

    def _known(self, sha: str, width: int) -> bytes | None:
        with self._lock:
            if (sha, width) in self._kept:
                self._kept.move_to_end((sha, width))
            return self._kept.get((sha, width))

    def _keep(self, sha: str, width: int, made: bytes) -> None:
        with self._lock:
            self._kept[sha, width] = made
            self._held += len(made)
            while self._held > self._most:
                self._held -= len(self._kept.popitem(last=False)[1])


def _made(data: bytes, width: int) -> bytes | None:
    """Make a JPEG small. Pillow decodes it at an eighth already, and takes less memory than OpenCV by far."""
    small = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.thumbnail((width, picture.height))
            picture.convert("RGB").save(small, "JPEG", quality=QUALITY)
    except (OSError, SyntaxError, ValueError):  # what Pillow raises on broken ones
        return None
    return small.getvalue()
