"""Cameras' pictures made small, for a strip of many: the last ones stay in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from enum import IntEnum
from pathlib import Path


class Width(IntEnum):
    """Pixels that a small picture may be wide."""

    IN_MANY = 160  # of a strip of many
    IN_FEW = 320


MOST_BYTES = 16_000_000
"""Of small pictures in memory: some three thousand."""

PATIENCE = 5.0
"""Seconds that one waits for its turn, as one is made at a time; after that the large one is given."""

QUALITY = 70
"""Of the JPEG, 0..100."""


class SmallPictures:
    """Make pictures small, one at a time, and keep the last ones. Threads may share it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._held = most_bytes, 0
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._turn, self._lock = threading.Lock(), threading.Lock()

    def of(self, path: Path, width: Width) -> bytes | None:
        """Return a kept picture as a JPEG of at most so many pixels' width; None where the large one has to do.

        `path` is named by the hash of its bytes, so what is known of it once stays true. Raise `OSError`.
        """
        if (known := self._known(path.stem, width)) is not None:
            return known
        if not self._turn.acquire(timeout=PATIENCE):
            return None
        try:
            if (known := self._known(path.stem, width)) is not None:  # made while this one waited
                return known
            made = _made(path.read_bytes(), width)
            if made is not None:
                self._keep(path.stem, width, made)
            return made
        finally:
            self._turn.release()

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
    from sensors.camera.picture import PictureError, decode  # here: OpenCV takes long to load
    from sensors.camera.snapshot import encode

    try:
        return encode(decode(data), QUALITY, width)
    except PictureError:
        return None
