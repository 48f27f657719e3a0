"""Read a camera: open a stream or file with OpenCV, sample it, and open it again when it breaks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

logger = logging.getLogger(__name__)

Frame = npt.NDArray[np.uint8]

OPEN_TIMEOUT = 5000  # milliseconds
READ_TIMEOUT = 5000
RETRY = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before opening again, longer each time that no frame comes."""

PATIENCE = 20
"""Looks at a file that is not there before it is trouble: what makes it may have been started just now."""

ABSENT = 0.5
"""Seconds before looking again for a file that is not there: looking costs nothing, and it may be just being made."""

LARGEST = 4096 * 4096
"""Pixels of a frame beyond which it is refused: no camera makes them, a hostile file might."""


Refuse = Callable[[str, str, bytes], None]
"""Is told of a picture that was refused: reason (one of `sensors.quarantine.REASONS`), detail, its first bytes."""


def unheeded(reason: str, detail: str, raw: bytes) -> None:
    """Let a refusal be."""


class StreamError(RuntimeError):
    """Raised when a source cannot be opened or read, with the source and the reason."""


class AbsentError(StreamError):
    """Raised when a source is a file and there is none."""


class Stream:
    """One camera's frames, sampled `rate` times a second. A file is played at its own pace, again and again."""

    def __init__(
        self,
        source: str,
        rate: float = 1.0,
        *,
        pace: bool = True,
        loop: bool = True,
        timeout: float | None = None,
        refuse: Refuse = unheeded,
    ) -> None:
        self.source = source
        self.rate = rate
        self.moved = time.monotonic()  # when the decoder last came back, or will have at the latest
        self._timeout = None if timeout is None else round(1000 * timeout)
        self._refuse = refuse
        self._pace = pace  # False: read a file as fast as it goes (tests, evaluation)
        self._loop = loop
        self._file = "://" not in source
        self._capture: Any = None

    def open(self) -> None:
        """Open the source. Raise `StreamError`."""
        self.close()
        if self._file:
            if not Path(self.source).is_file():
                raise AbsentError(f"there is no file {self.source} yet; looking out for it")
            capture = cv2.VideoCapture(self.source)
        else:
            limits = self._timeout or OPEN_TIMEOUT, self._timeout or READ_TIMEOUT
            options = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limits[0], cv2.CAP_PROP_READ_TIMEOUT_MSEC, limits[1]]
            options += [cv2.CAP_PROP_N_THREADS, 1]  # what crashes does so in our thread, and the camera is known by it
            capture = cv2.VideoCapture(self.source, cv2.CAP_FFMPEG, options)
        if not capture.isOpened():
            capture.release()
            raise StreamError(f"cannot open {redacted(self.source)}")
        self._capture = capture

    def close(self) -> None:
        """Let go of the source."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def run(
        self,
        take: Callable[[float, Frame], None],
        stop: threading.Event,
        trouble: Callable[[str], None] = lambda sentence: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Give `take` a frame (unix time, BGR image) `rate` times a second until stopped; survive every break.

        `trouble` is told once what is wrong, and again only after frames have come in between.
        """
        failures = 0

        def taken(time: float, frame: Frame) -> None:
            nonlocal failures
            failures = 0
            take(time, frame)

        while not stop.is_set():
            self.moved = time.monotonic()
            try:
                self.open()
                self._read(taken, stop, clock)
                if self._file and not self._loop:
                    return
            except (StreamError, ValueError, cv2.error) as error:
                failures += 1
                absent = isinstance(error, AbsentError)
                if failures == (PATIENCE if absent else 1):
                    trouble(str(error))
                wait = ABSENT if absent else RETRY[min(failures, len(RETRY)) - 1]
                self.moved = time.monotonic() + wait
                stop.wait(wait)
            finally:
                self.close()

    def _read(self, take: Callable[[float, Frame], None], stop: threading.Event, clock: Callable[[], float]) -> None:
        pace = float(self._capture.get(cv2.CAP_PROP_FPS)) or 25.0
        pace = pace if 0.1 <= pace <= 240 else 25.0
        begun, number, taken = time.monotonic(), 0, -1
        started = clock()
        while not stop.is_set():
            if not self._capture.grab():
                if number == 0:
                    raise StreamError(f"{redacted(self.source)} gives no frame")
                if not self._file:
                    raise StreamError(f"{redacted(self.source)} has broken off")
                return
            self.moved = time.monotonic()
            at = number / pace if self._file else self.moved - begun
            number += 1
            if self._file and self._pace:
                wait = max(0.0, begun + at - self.moved)
                self.moved += wait
                stop.wait(wait)
            turn = int(at * self.rate)
            if turn == taken:
                continue
            taken = turn
            good, image = self._capture.retrieve()
            if not good or image is None or image.size == 0:
                self._refuse("malformed", "a frame that cannot be decoded", b"")
                raise StreamError(f"{redacted(self.source)} gives a broken frame")
            if image.shape[0] * image.shape[1] > LARGEST:
                self._refuse("image_bomb", f"frames of {image.shape[1]}×{image.shape[0]} pixels", b"")
                raise StreamError(f"{redacted(self.source)} gives frames of {image.shape[1]}×{image.shape[0]}")
            take(started + at if self._file else clock(), image)


def redacted(source: str) -> str:
    """Write a source without the user, password and query that it may hold."""
    scheme, sign, rest = source.partition("://")
    if not sign:
        return source
    place, query, _ = rest.rpartition("@")[2].partition("?")  # a password may hold anything but the last @
    return f"{scheme}://{place}{query and '?…'}"
