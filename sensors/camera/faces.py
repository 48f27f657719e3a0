"""Blur the faces of a picture, found by the cascade that OpenCV's package holds (`cv2.data`).

It finds faces that look at the camera and are some 24 pixels wide or more. What is smaller, turned away or in profile
is missed: see docs/performance.md. Who may be recognised by less needs a camera that looks elsewhere.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sensors.camera.snapshot import encode
from sensors.camera.stream import Frame

CASCADE = "haarcascade_frontalface_alt2.xml"

SMALLEST = 20
"""Pixels: what the cascade was trained on."""

MARGIN = 0.25
"""Share of a face's width by which more is blurred on each side: hair, chin, ears."""

Box = tuple[int, int, int, int]


class Faces:
    """Find and blur faces. Safe between threads. Raise RuntimeError where the package lacks its cascade."""

    def __init__(self) -> None:
        folder = Path(getattr(getattr(cv2, "data", None), "haarcascades", ""))
        self._cascade: Any = cv2.CascadeClassifier(str(folder / CASCADE))
        if self._cascade.empty():
            raise RuntimeError(f"OpenCV's package lacks {CASCADE}: faces cannot be blurred")
        self._lock = threading.Lock()

    def find(self, frame: Frame) -> list[Box]:
        """Find the faces of a BGR frame: left, top, width, height in pixels."""
        grey = cv2.equalizeHist(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))
        with self._lock:
            found = self._cascade.detectMultiScale(grey, 1.2, 2, minSize=(SMALLEST, SMALLEST))
        return [(int(x), int(y), int(width), int(height)) for x, y, width, height in found]

    def blurred(self, frame: Frame) -> Frame:
        """Return a BGR frame whose faces are a few flat squares each; the frame itself where there are none."""
        boxes = self.find(frame)
        if not boxes:
            return frame
        shown = frame.copy()
        for x, y, width, height in boxes:
            more = round(MARGIN * width)
            part = shown[max(y - more, 0) : y + height + more, max(x - more, 0) : x + width + more]
            few = cv2.resize(part, (4, 4), interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(few, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST)
        return shown

    def veiled(self, picture: bytes) -> bytes:
        """Return a JPEG of our own with its faces blurred, as it is where none is found."""
        frame: Any = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        if frame is None:
            raise ValueError("the picture cannot be decoded")
        shown = self.blurred(frame)
        return picture if shown is frame else encode(shown)
