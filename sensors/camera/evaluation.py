"""Measure camera health on clips: clean, with each fault put on after the warm-up, and with what is no fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np

from sensors.camera.health import Health
from sensors.camera.spoiling import FAULTS, HARMLESS, STRENGTHS, Spoiler, harmless
from sensors.camera.stream import Frame, StreamError
from sensors.site import HealthSettings

AFTER = 60
"""Frames that a fault is put on for."""

WITHIN = {"freeze": 30}
"""Frames within which a fault must be told; ten where nothing is said."""

MOST_FRAMES = 100_000
ENDINGS = (".avi", ".mp4", ".mkv", ".mov")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What one run over one clip gave."""

    clip: str
    put_on: str  # clean, a fault, or one of `HARMLESS`
    strength: str = ""
    found: bool | None = None  # None where nothing was to be found
    frames: int | None = None  # from the first spoilt frame until it was told
    told: tuple[str, ...] = ()  # all that was told
    false: int = 0  # faults told that were not there; on a fault: told before it was put on
    judged: bool = True
    us_per_frame: float = 0.0  # CPU after decoding

    @property
    def good(self) -> bool:
        """Tell whether it is as it must be."""
        late = self.frames is not None and self.frames > WITHIN.get(self.put_on, 10)
        return not self.false and self.found is not False and not late


def clips(folder: Path) -> list[Path]:
    """List the clips of a folder."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)


def trials(clip: Path) -> Iterator[Callable[[float], Trial]]:
    """Yield the runs over a clip, to be called with the frames a second to take (0 is all)."""
    yield lambda rate: _clean(clip, rate, "clean")
    for fault in FAULTS:
        for strength in STRENGTHS:
            yield lambda rate, fault=fault, strength=strength: _spoilt(clip, rate, fault, strength)  # type: ignore[misc]
    for kind in HARMLESS:
        yield lambda rate, kind=kind: _clean(clip, rate, kind)  # type: ignore[misc]


def _clean(clip: Path, rate: float, kind: str) -> Trial:
    health, told, spent, count = Health(), set[str](), 0.0, 0
    false = 0
    random = np.random.default_rng(1)
    length = length_of(clip, rate)
    for place, frame in enumerate(frames(clip, rate)):
        shown = frame if kind == "clean" else harmless(kind, frame, min(place / length, 1.0), random)
        begin = time.thread_time()
        change = health.feed(float(place), shown)
        spent += time.thread_time() - begin
        count += 1
        if change is not None and change.faults:
            told |= change.faults.keys()
            false += 1
    judged = health.now is not None and health.now.judged
    cost = round(1e6 * spent / max(count, 1), 1)
    return Trial(clip=clip.name, put_on=kind, told=tuple(sorted(told)), false=false, judged=judged, us_per_frame=cost)


def _spoilt(clip: Path, rate: float, fault: str, strength: str) -> Trial:
    health, spoil = Health(), Spoiler(fault, strength)
    told: set[str] = set()
    after: int | None = None
    begun: int | None = None
    false = 0
    judged, spent, place = True, 0.0, 0
    warm = max(HealthSettings().learn + 20, 0)
    for place, frame in enumerate(frames(clip, rate)):
        if begun is None and place >= warm:
            begun = place
            judged = health.now is not None and health.now.judged
        if begun is not None and place - begun >= AFTER:
            break
        shown = frame if begun is None else spoil(frame)
        begin = time.thread_time()
        change = health.feed(float(place), shown)
        spent += time.thread_time() - begin
        if change is not None and change.faults:
            told |= change.faults.keys()
            false += begun is None
            if begun is not None and after is None and fault in change.faults:
                after = place - begun + 1
    return Trial(
        clip=clip.name,
        put_on=fault,
        strength=strength,
        found=after is not None if begun is not None else None,
        frames=after,
        told=tuple(sorted(told)),
        false=false,
        judged=judged,
        us_per_frame=round(1e6 * spent / max(place, 1), 1),
    )


def length_of(clip: Path, rate: float = 0.0) -> float:
    """Return how many frames `frames` is about to give, as the film says; at least 1."""
    capture = cv2.VideoCapture(str(clip))
    try:
        count, pace = (float(capture.get(what)) for what in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
    finally:
        capture.release()
    return max(count * min(rate / pace, 1.0) if rate > 0 and pace > 0 else count, 1.0)


def frames(clip: Path, rate: float = 0.0) -> Iterator[Frame]:
    """Yield a clip's frames, `rate` a second of its own time; 0 is every one. Raise `StreamError`."""
    capture = cv2.VideoCapture(str(clip))
    try:
        if not capture.isOpened():
            raise StreamError(f"cannot open {clip}")
        pace = float(capture.get(cv2.CAP_PROP_FPS)) or 25.0
        turn = -1
        for place in range(MOST_FRAMES):
            if not capture.grab():
                return
            if rate > 0:
                now = int(place / pace * rate)
                if now == turn:
                    continue
                turn = now
            good, frame = capture.retrieve()
            if not good or frame is None:
                return
            yield frame  # type: ignore[misc]
    finally:
        capture.release()
