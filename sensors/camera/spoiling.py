"""Spoil frames as bad cameras do, and change them as weather and daylight do: for tests and for measuring `health`."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import cv2
import numpy as np

from sensors.camera.stream import Frame
from sensors.site import Fault

STRENGTHS = ("weak", "middle", "strong")

FAULTS: tuple[Fault, ...] = ("black", "freeze", "blur", "cover", "shift", "overexposed")
"""What can be put on."""

HARMLESS = ("dimmed", "daylight", "infrared", "rain", "noise")
"""What a healthy camera shows."""

_AMOUNT: dict[str, tuple[float, float, float]] = {
    "black": (0.05, 0.02, 0.0),  # share of the light that is left
    "freeze": (1.0, 0.4, 0.0),  # spread of what a codec changes on a still picture, in levels of luma
    "blur": (0.004, 0.008, 0.02),  # spread of the blur as a share of the width
    "cover": (0.5, 0.8, 1.0),  # share of the view
    "shift": (0.04, 0.1, 0.25),  # share of the width
    "overexposed": (3.0, 5.0, 10.0),  # gain of light
}


class Spoiler:
    """Put one fault on the frames of a clip, from the first frame that it is given on."""

    def __init__(self, fault: str, strength: str = "strong", seed: int = 1) -> None:
        self._amount = _AMOUNT[fault][STRENGTHS.index(strength)]
        self._do: Callable[[Frame], Frame] = getattr(self, f"_{fault}")
        self._random = np.random.default_rng(seed)
        self._first: Frame | None = None

    def __call__(self, frame: Frame) -> Frame:
        """Return the frame with the fault on it."""
        return self._do(frame)

    def _black(self, frame: Frame) -> Frame:
        return noisy(lit(frame, self._amount), 1.5, self._random)

    def _freeze(self, frame: Frame) -> Frame:
        if self._first is None:
            self._first = frame.copy()
        return noisy(self._first, self._amount, self._random) if self._amount else self._first

    def _blur(self, frame: Frame) -> Frame:
        return cast(Frame, cv2.GaussianBlur(frame, (0, 0), self._amount * frame.shape[1]))

    def _cover(self, frame: Frame) -> Frame:
        width = frame.shape[1]
        found = frame.copy()
        wide = round(width * self._amount)
        found[:, :wide] = np.linspace(40, 60, wide, dtype=np.uint8)[None, :, None]
        return noisy(found, 2.0, self._random)

    def _shift(self, frame: Frame) -> Frame:
        by = self._amount * frame.shape[1]
        turn = np.array([[1, 0, by], [0, 1, 0.4 * by]], np.float32)
        size = (frame.shape[1], frame.shape[0])
        return cast(Frame, cv2.warpAffine(frame, turn, size, borderMode=cv2.BORDER_REFLECT))

    def _overexposed(self, frame: Frame) -> Frame:
        return lit(frame, self._amount)


def harmless(kind: str, frame: Frame, progress: float, random: np.random.Generator) -> Frame:
    """Change a frame in a way that is no fault; `progress` is how far into the clip it is, 0..1.

    `dimmed`: half of the light from the middle on; `daylight`: dusk and dawn; `infrared`: colour gives way to grey of
    another brightness; `rain`: streaks; `noise`: a sensor in the dark.
    """
    if kind == "dimmed":
        return lit(frame, 0.5) if progress > 0.5 else frame
    if kind == "daylight":
        return lit(frame, 0.7 + 0.5 * float(np.cos(2 * np.pi * progress)))
    if kind == "infrared":
        return _infrared(frame, random) if progress > 0.5 else frame
    if kind == "rain":
        return _rain(frame, random) if progress > 0.5 else frame
    return noisy(lit(frame, 0.4), 10.0, random) if progress > 0.5 else frame


def lit(frame: Frame, gain: float) -> Frame:
    """Return a frame under another light."""
    return cast(Frame, cv2.convertScaleAbs(frame, alpha=gain))


def noisy(frame: Frame, spread: float, random: np.random.Generator) -> Frame:
    """Add a sensor's noise, the same in all three colours; `spread` in levels of luma."""
    noise = random.normal(0.0, spread, frame.shape[:2])[:, :, None]
    return np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def _infrared(frame: Frame, random: np.random.Generator) -> Frame:
    blue, green, red = cv2.split(frame)
    grey = cv2.addWeighted(red, 0.8, cv2.subtract(green, blue), 0.6, 10)
    return noisy(cast(Frame, cv2.merge((grey, grey, grey))), 5.0, random)


def _rain(frame: Frame, random: np.random.Generator) -> Frame:
    height, width = frame.shape[:2]
    found = frame.copy()
    long = max(height // 20, 2)
    for x, y in zip(random.integers(0, width, 250).tolist(), random.integers(0, height, 250).tolist(), strict=True):
        cv2.line(found, (x, y), (x + long // 4, y + long), (190, 190, 190), max(width // 500, 1))
    return found
