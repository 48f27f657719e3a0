"""A film for a scene: the slope above the football ground in the rain, drawn, with what its camera sees.

The picture is drawn once and then only changed: light fades, rain streaks move, stones break out of the scar when the
scene's camera events say so, and at the end the slope comes down in two slides. Everything follows from the scene and
the seed. A burnt-in line says that it is a simulation.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import numpy.typing as npt

from scripts.simulator import FILMED
from scripts.simulator.scenes import MINUTE, Scene

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.int32]

WIDTH, HEIGHT = 640, 360
RATE = 1.0
"""Frames a second of the film's own time: a camera is sampled once a second."""

FAILS = {"landslide": (52 * MINUTE, 56 * MINUTE)}
"""Seconds of the scene at which the slope comes down, in two slides."""

EARLY = 100.0
"""Seconds by which stones are in view before the camera's analytics report them."""

AFTERMATH = 20.0
"""Seconds of the film that goes round once the scene is over."""


class FootageError(RuntimeError):
    """Raised when the film cannot be written, with the file."""


def render(
    file: Path,
    scene: Scene,
    start: float,
    seconds: float,
    speed: float,
    zone: str,
    frozen: float | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Film `seconds` of a scene at a speed; return the number of frames.

    `start` is the unix time of the first picture, for the burnt-in clock. `frozen`: all pictures show the place as it
    is at this second of the scene, without a clock. `stop` ends the drawing, and then there is no file. The file is an
    AVI of JPEG pictures; it appears under its name once it is whole. Raise `FootageError`.
    """
    fresh = file.with_name(f".{file.stem}.part.avi")
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(fresh), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise FootageError(f"cannot write the film {file}")
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 80)
    stage = Stage(scene)
    frames = max(1, math.ceil(seconds / speed * RATE))
    try:
        for number in range(frames):
            if stop is not None and stop.is_set():
                break
            at = number * speed / RATE
            clock = datetime.fromtimestamp(start + at, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
            writer.write(stage.picture(at, number, clock) if frozen is None else stage.picture(frozen, number, ""))
    finally:
        writer.release()
    if stop is not None and stop.is_set():
        fresh.unlink(missing_ok=True)
        return 0
    if not fresh.exists():
        raise FootageError(f"cannot write the film {file}")
    fresh.replace(file)
    return frames


class Film:
    """A film that begins and ends with its scene. It is drawn on a thread of its own while the history is delivered."""

    def __init__(self, file: Path, scene: Scene, start: float, seconds: float, speed: float, zone: str) -> None:
        self._file = file
        self._waiting = file.with_name(f".{file.stem}.waiting.avi")
        self._after = file.with_name(f".{file.stem}.after.avi")
        self._stop = threading.Event()
        file.unlink(missing_ok=True)

        def draw() -> None:
            # some seconds more than the scene, so that what goes round afterwards is there before the film is over
            render(self._waiting, scene, start, seconds + 5 * speed, speed, zone, stop=self._stop)
            render(self._after, scene, start + seconds, AFTERMATH, 1.0, zone, frozen=seconds, stop=self._stop)

        self._thread = threading.Thread(target=draw, name="film", daemon=True)
        self._thread.start()

    def show(self) -> None:
        """Put the film where the camera is to read it: the scene begins."""
        self._swap(self._waiting)

    def end(self) -> None:
        """Put in its place the film of what is left: the scene is over."""
        self._swap(self._after)

    def close(self) -> None:
        """Stop drawing, and take away what was not shown."""
        self._stop.set()
        self._thread.join(2.0)
        self._waiting.unlink(missing_ok=True)
        self._after.unlink(missing_ok=True)

    def _swap(self, made: Path) -> None:
        while self._thread.is_alive() and not made.exists():
            self._thread.join(0.05)
        if made.exists():
            made.replace(self._file)


class Stage:
    """The drawn place, and its picture at any second of a scene."""

    def __init__(self, scene: Scene, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        camera = FILMED.get(scene.name, "")
        self.falls = [one.at - EARLY for one in scene.seen if one.camera == camera and one.label == "debris"]
        self.fails = FAILS.get(scene.name, (math.inf, math.inf))
        self.camera = camera
        self.earth = _blend(_noise(self._random, 5), _noise(self._random, 40), (52, 78, 104), (92, 122, 150))
        self.place = self._drawn()
        self.rain = [self._streaks() for _ in range(6)]
        self.shade = _vignette()
        self.stones = [self._fall(index) for index in range(len(self.falls))]

    def picture(self, at: float, number: int, clock: str) -> Image:
        """Draw the picture (BGR, HEIGHT × WIDTH) at a second of the scene."""
        image = self.place.copy()
        self._scar(image, at)
        for fall, stones in zip(self.falls, self.stones, strict=True):
            if at >= fall:
                _lay(image, stones, (at - fall) / 60.0)
        for index, fails in enumerate(self.fails):
            if at >= fails:
                self._slide(image, index, (at - fails) / 75.0)
        light = 1.0 - 0.30 * min(max(at / 3600.0, 0.0), 1.0)  # dusk
        image = cv2.multiply(image, self.shade, scale=light / 255.0)
        image = cv2.add(image, self.rain[number % len(self.rain)])
        _caption(image, self.camera, clock)
        return image

    # -- the place ---------------------------------------------------------------------------------------------------

    def _drawn(self) -> Image:
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        fade = np.linspace(0, 1, 150)[:, None]
        image[:150] = ((1 - fade) * (92, 80, 72) + fade * (158, 148, 140))[:, None].astype(np.uint8)  # low cloud
        cloud = cv2.GaussianBlur(_noise(self._random, 60), (0, 0), 12)[:150]
        image[:150] = np.clip(image[:150] + (cloud[..., None] * 50 - 25), 0, 255).astype(np.uint8)
        _fill(
            image, [(0, 96), (90, 70), (210, 84), (330, 62), (470, 86), (640, 58), (640, 200), (0, 200)], (112, 108, 98)
        )
        self._face(image)
        self._wall(image)
        self._ground(image)
        self._stand(image)
        haze = np.clip((220 - np.arange(HEIGHT)) / 220.0, 0, 1)[:, None, None] * 0.22
        image = (image * (1 - haze) + np.array((150, 146, 140)) * haze).astype(np.uint8)
        return cv2.GaussianBlur(image, (0, 0), 0.7)

    def _face(self, image: Image) -> None:
        """Draw the slope: grass and shrubs over earth, two berms, a drain down its middle."""
        outline = [
            (0, 118),
            (70, 92),
            (170, 48),
            (290, 26),
            (400, 34),
            (500, 60),
            (590, 96),
            (640, 112),
            (640, 236),
            (0, 236),
        ]
        green = _blend(_noise(self._random, 4), _noise(self._random, 30), (38, 62, 46), (70, 112, 92))
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        _fill(mask, outline, 255)
        image[mask > 0] = green[mask > 0]
        bare = cv2.GaussianBlur(_noise(self._random, 26), (0, 0), 3)
        patches = ((bare > 0.66) & (mask > 0)).astype(np.uint8) * 255
        patches = cv2.GaussianBlur(patches, (0, 0), 2.0)[..., None] / 255.0 * 0.7
        image[:] = (image * (1 - patches) + self.earth * patches).astype(np.uint8)
        for left, middle, right in ((150, 104, 134), (196, 164, 184)):
            berm = np.array([(x, left + (middle - left) * math.sin(math.pi * x / 640) + (right - left) * x / 640)
                             for x in range(0, 641, 16)], np.int32)  # fmt: skip
            cv2.polylines(image, [berm], False, (118, 132, 136), 3, cv2.LINE_AA)
            cv2.polylines(image, [berm + np.array((0, 3), np.int32)], False, (34, 46, 44), 2, cv2.LINE_AA)
        drain = np.array([(338, 30), (342, 106), (350, 166), (356, 236)], np.int32)
        cv2.polylines(image, [drain], False, (128, 132, 132), 5, cv2.LINE_AA)
        cv2.polylines(image, [drain], False, (70, 74, 74), 2, cv2.LINE_AA)
        for x, y in self._random.uniform((0, 110), (640, 226), (170, 2)):
            if mask[int(y), int(min(x, 639))]:
                size = 2 + 5 * (y - 60) / 170 * self._random.uniform(0.5, 1.2)
                tone = self._random.uniform(0.55, 1.15)
                cv2.ellipse(image, (int(x), int(y)), (int(size * 1.4), int(size)), 0, 0, 360,
                            (34 * tone, 70 * tone, 46 * tone), -1, cv2.LINE_AA)  # fmt: skip

    def _wall(self, image: Image) -> None:
        """Draw the retaining wall of blocks with its weep holes, and the coping."""
        top, bottom = 224, 262
        image[top:bottom] = _blend(_noise(self._random, 3), _noise(self._random, 50), (96, 102, 104), (134, 140, 142))[
            top:bottom
        ]
        for row, y in enumerate(range(top, bottom, 10)):
            cv2.line(image, (0, y), (WIDTH, y), (84, 88, 90), 1)
            for x in range(-20 + 16 * (row % 2), WIDTH, 32):
                cv2.line(image, (x, y), (x, y + 10), (88, 92, 94), 1)
        for x in range(40, WIDTH, 78):
            cv2.circle(image, (x, 248), 2, (40, 42, 42), -1, cv2.LINE_AA)
            cv2.line(image, (x, 250), (x, 261), (78, 84, 86), 2)  # wet
        cv2.rectangle(image, (0, top - 4), (WIDTH, top), (156, 160, 160), -1)
        cv2.line(image, (0, bottom), (WIDTH, bottom), (52, 56, 56), 2)

    def _ground(self, image: Image) -> None:
        """Draw the path at the wall's foot and the pitch with its lines, in perspective."""
        image[263:276] = (92, 96, 100)
        flat = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for stripe in range(10):
            cv2.rectangle(
                flat, (stripe * 64, 0), (stripe * 64 + 63, HEIGHT), (58, 112, 66) if stripe % 2 else (50, 98, 58), -1
            )
        white = (196, 204, 200)
        cv2.rectangle(flat, (24, 24), (616, 336), white, 3)
        cv2.line(flat, (320, 24), (320, 336), white, 3)
        cv2.circle(flat, (320, 180), 54, white, 3, cv2.LINE_AA)
        for x, inner in ((24, 128), (616, 512)):
            cv2.rectangle(flat, (min(x, inner), 90), (max(x, inner), 270), white, 3)
        corners = np.array([(0, 0), (640, 0), (640, 360), (0, 360)], np.float32)
        onto = np.array([(96, 276), (600, 276), (900, 452), (-170, 452)], np.float32)
        seen = cv2.warpPerspective(
            flat, cv2.getPerspectiveTransform(corners, onto), (WIDTH, HEIGHT), flags=cv2.INTER_AREA
        )
        inside = seen.any(axis=2)
        grass = _noise(self._random, 3)[..., None] * 26 - 13
        image[276:] = np.clip(np.array((72, 92, 82)) + grass[276:], 0, 255).astype(np.uint8)
        image[inside] = np.clip(seen + grass, 0, 255).astype(np.uint8)[inside]
        shine = cv2.GaussianBlur((_noise(self._random, 46) > 0.72).astype(np.float32), (0, 0), 5)[276:, :, None] * 0.28
        image[276:] = (image[276:] * (1 - shine) + np.array((150, 150, 146)) * shine).astype(np.uint8)  # puddles
        for x in (118, 582):  # goals
            cv2.rectangle(image, (x - 10, 284), (x + 10, 300), (206, 210, 210), 1, cv2.LINE_AA)

    def _stand(self, image: Image) -> None:
        """Draw the north stand below the slope, its roof, and the flood lights."""
        for step in range(5):
            tone = 120 - 12 * step
            colour = (tone + 40, tone, tone - 26) if step % 2 else (tone, tone, tone)
            _fill(
                image,
                [(396, 276 - step * 6), (560, 276 - step * 6), (556, 270 - step * 6), (400, 270 - step * 6)],
                colour,
            )
        for x in (404, 452, 504, 552):
            cv2.line(image, (x, 276), (x, 226), (64, 68, 70), 2, cv2.LINE_AA)
        _fill(image, [(390, 226), (566, 226), (558, 216), (402, 216)], (150, 138, 120))
        cv2.line(image, (390, 227), (566, 227), (84, 78, 70), 2)
        for x, foot in ((50, 292), (622, 292)):
            cv2.line(image, (x, foot), (x, 128), (58, 62, 64), 3, cv2.LINE_AA)
            cv2.rectangle(image, (x - 13, 118), (x + 13, 130), (190, 214, 220), -1)
            glow = np.zeros((HEIGHT, WIDTH), np.float32)
            cv2.circle(glow, (x, 124), 26, 1.0, -1)
            glow = cv2.GaussianBlur(glow, (0, 0), 18)[..., None] * 0.55
            image[:] = np.clip(image * (1 - 0.4 * glow) + np.array((206, 226, 232)) * glow, 0, 255).astype(np.uint8)

    # -- what changes ------------------------------------------------------------------------------------------------

    def _streaks(self) -> Image:
        layer = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x, y, length, tone in self._random.uniform((-20, -20, 8, 26), (WIDTH, HEIGHT, 24, 92), (420, 4)):
            cv2.line(layer, (int(x), int(y)), (int(x + length * 0.22), int(y + length)), float(tone), 1, cv2.LINE_AA)
        layer = cv2.blur(layer, (1, 3))
        return cv2.merge([layer, layer, layer])

    def _scar(self, image: Image, at: float) -> None:
        """Open the scar below the crown: a crack first, then bare wet earth that grows with every fall."""
        fallen = sum(min(max((at - fall) / 90.0, 0.0), 1.0) for fall in self.falls)
        if fallen <= 0:
            return
        size = 10 + 13 * fallen
        angles = np.linspace(0, 2 * math.pi, 26, endpoint=False)
        ragged = np.random.default_rng(3).uniform(0.6, 1.3, 26)
        ragged = (np.roll(ragged, 1) + 2 * ragged + np.roll(ragged, -1)) / 4
        outline = np.stack((430 + size * 1.7 * ragged * np.cos(angles), 118 + size * ragged * np.sin(angles)), 1)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        _fill(mask, outline, 255)
        image[mask > 0] = self.earth[mask > 0]
        cv2.polylines(image, [outline[13:].astype(np.int32)], False, (30, 40, 50), 2, cv2.LINE_AA)

    def _fall(self, index: int) -> npt.NDArray[np.float64]:
        """Draw lots for the stones of one fall: x and y where they start, x and y where they lie, size, tone."""
        random = np.random.default_rng(100 + index)
        count = 9 + 9 * index
        start = np.stack((random.normal(432, 10, count), random.normal(132, 6, count)), 1)
        reach = 262 + 9 * index + np.abs(random.normal(0, 5 + 5 * index, count))
        x = np.clip(random.normal(420, 18 + 9 * index, count), 360, 500)
        lie = np.stack((x, np.where(random.random(count) < 0.35, random.uniform(178, 222, count), reach)), 1)
        return np.column_stack(
            (start, lie, random.uniform(2.0, 4.2 + 0.9 * index, count), random.uniform(0.6, 1.2, count))
        )

    def _slide(self, image: Image, index: int, progress: float) -> None:
        """Let earth run over the wall and the stand onto the pitch; `progress` 1 and more is at rest."""
        share = min(max(progress, 0.0), 1.0) ** 0.6
        half = (62, 92)[index]
        centre = (430, 404)[index]
        toe = 150 + ((296, 326)[index] - 150) * share
        ragged = np.random.default_rng(11 + index).uniform(-9, 9, 40)
        down = np.linspace(0, 1, 20)
        spread = half * (0.55 + 0.75 * down**1.6)
        y = (84, 66)[index] + (toe - (84, 66)[index]) * down
        left = np.stack((centre - spread + ragged[:20], y), 1)
        right = np.stack((centre + spread + ragged[20:], y), 1)[::-1]
        nose = np.stack(
            (centre + spread[-1] * np.cos(np.linspace(math.pi, 0, 9)), toe + 15 * np.sin(np.linspace(0, math.pi, 9))), 1
        )
        outline = np.concatenate((left, nose, right))
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        _fill(mask, outline, 255)
        soft = cv2.GaussianBlur(mask, (0, 0), 1.6)[..., None] / 255.0
        bulge = (0.74 + 0.42 * (np.arange(WIDTH) - centre + half) / (2 * half)).clip(0.66, 1.16)[None, :, None]
        image[:] = np.clip(image * (1 - soft) + self.earth * bulge * soft, 0, 255).astype(np.uint8)
        random = np.random.default_rng(21 + index)
        for k in range(70):
            along = random.random()
            x = centre + random.uniform(-0.9, 0.9) * half * (0.55 + 0.75 * along**1.6)
            at = (int(x), int((84, 66)[index] + (toe - (84, 66)[index]) * along))
            _stone(image, at, random.uniform(1.5, 3.0 + 4.5 * along), random.uniform(0.55, 1.2), k)


def _lay(image: Image, stones: npt.NDArray[np.float64], progress: float) -> None:
    """Draw the stones of a fall on their way (`progress` below 1) or at rest, with a trail of dust and water."""
    for number, (x, y, lie_x, lie_y, size, tone) in enumerate(stones.tolist()):
        share = min(max(progress * 1.6 - 0.03 * number, 0.0), 1.0) ** 1.7
        at = (int(x + (lie_x - x) * share), int(y + (lie_y - y) * share))
        if 0.02 < share < 0.98:
            cv2.line(image, at, (at[0] + 2, at[1] - 9), (96, 116, 132), 2, cv2.LINE_AA)
        _stone(image, at, size * (0.6 + 0.5 * share), tone, number)


def _stone(image: Image, at: tuple[int, int], size: float, tone: float, number: int) -> None:
    axes = (max(1, round(size * 1.25)), max(1, round(size * 0.85)))
    cv2.ellipse(image, (at[0] + 1, at[1] + 2), axes, 0, 0, 360, (28, 34, 38), -1, cv2.LINE_AA)
    cv2.ellipse(image, at, axes, 23 * (number % 8), 0, 360, (84 * tone, 104 * tone, 122 * tone), -1, cv2.LINE_AA)


def _caption(image: Image, camera: str, clock: str) -> None:
    """Burn in the camera, the clock, and that this is a simulation."""
    for text, at in ((camera.upper(), (12, 22)), (clock, (12, 40))):
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (20, 20, 20), 3, cv2.LINE_AA)
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (238, 238, 238), 1, cv2.LINE_AA)
    cv2.rectangle(image, (506, 8), (630, 32), (0, 190, 250), -1)
    cv2.putText(image, "SIMULATION", (513, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.58, (16, 16, 16), 2, cv2.LINE_AA)


def _noise(random: np.random.Generator, grain: int) -> npt.NDArray[np.float32]:
    """Make noise 0..1 with features of about `grain` pixels."""
    small = random.random((HEIGHT // grain + 2, WIDTH // grain + 2)).astype(np.float32)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def _blend(
    fine: npt.NDArray[np.float32], coarse: npt.NDArray[np.float32], dark: Sequence[float], light: Sequence[float]
) -> Image:
    """Colour noise between two tones."""
    share = (0.45 * fine + 0.55 * coarse)[..., None]
    return (np.array(dark) * (1 - share) + np.array(light) * share).astype(np.uint8)


def _vignette() -> Image:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    shade = 255 * (1 - 0.26 * (x * x + y * y) / 2)
    return cv2.merge([shade.astype(np.uint8)] * 3)


def _fill(image: npt.NDArray[np.uint8], outline: object, colour: object) -> None:
    points: Points = np.round(np.array(outline)).astype(np.int32)
    cv2.fillPoly(image, [points], colour, cv2.LINE_AA)  # type: ignore[call-overload]
