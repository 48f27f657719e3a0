"""One frame as health looks at it, and the usual view of a camera, learnt from its frames.

A frame is looked at as 160×120 grey pixels. The usual view is the running mean of the gradient at each pixel, and only
edges that stand still count: what people and cars do does not. By block of the view the gradient now is compared with
the usual one: its correlation says whether the structure is still there (light and contrast do not matter), its size
whether it is as sharp as ever. A slight blur shows only in finer detail, which is looked at as 320×240 pixels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from sensors.camera.stream import Frame

Array = npt.NDArray[np.float32]

WIDTH, HEIGHT = 160, 120

FINE = (2 * WIDTH, 2 * HEIGHT)
"""Size at which the finer detail is looked at."""

GRID = (8, 6)
"""Blocks across and down."""

COARSE = (20, 15)
"""Size of the coarse picture."""

FORGET = 200.0
"""Frames that the usual view is a running mean over, once it is learnt."""

SETTLED = 16
"""Frames from which a frame is compared with the view that it is learnt into."""

EDGE = 40.0
"""Size of a mean gradient (four times a step of luma) from which a pixel may be an edge of the view."""

STEADY = 0.5
"""Share of a pixel's gradient energy that its mean explains, from which the edge stands still."""

TEXTURE = 0.02
"""Share of a block's pixels that are steady edges, from which it can be judged."""

JUDGED = 0.2
"""Share of the blocks that can be judged, from which the view can."""

STILL_THERE = 0.35
"""Correlation of a block's gradient with its usual one, from which its structure is still there."""

BARE = 0.2
"""Share of a block's usual energy below which there is nothing to be seen in it."""

MOVED = 1.25
"""Pixels of 160 by which the view has moved before it counts."""

REGAINED = 0.15
"""Correlation of the gradient that a move must win back, or it is none."""

BURNT = 250
"""Luma from which a pixel is burnt out."""

COLOURED, GREY = 5.0, 2.0
"""Mean difference between colours above which a picture is in colour, below which it is grey (infrared at night)."""


class Look(NamedTuple):
    """One frame, made small: grey u1[120, 160] and fine u1[240, 320] with their gradients, the coarse picture
    f4[15, 20], figures of the whole."""

    grey: npt.NDArray[np.uint8]
    dx: Array
    dy: Array
    fine: npt.NDArray[np.uint8]
    fine_dx: npt.NDArray[np.int16]
    fine_dy: npt.NDArray[np.int16]
    coarse: Array
    mean: float
    spread: float
    energy: float
    detail: float
    burnt: float
    chroma: float


class View:
    """The usual view: means of the gradient, its energy and the picture."""

    def __init__(self) -> None:
        self.frames = 0
        self.dx = np.zeros((HEIGHT, WIDTH), np.float32)
        self.dy = np.zeros((HEIGHT, WIDTH), np.float32)
        self.square = np.zeros((HEIGHT, WIDTH), np.float32)
        self.picture = np.zeros((HEIGHT, WIDTH), np.float32)
        self.fine = np.zeros((2 * HEIGHT, 2 * WIDTH), np.float32)
        self.spread = 0.0
        self.energy = 0.0
        self.detail = 0.0
        self.least_detail = 1.0  # what was left of the finer detail in the poorest of the frames, slowly forgotten
        self.burnt = 0.0
        self.coloured = False
        self._masked: tuple[Array, Array, Array, npt.NDArray[np.bool_]] | None = None
        self._masked_fine: tuple[Array, Array, Array] | None = None

    def learn(self, look: Look, left: float | None = None) -> None:
        """Take in a frame that shows the usual view; `left` of its finer detail, where that is known already."""
        self.frames += 1
        rate = max(1.0 / self.frames, 1.0 / FORGET)
        if self.frames > SETTLED:
            left = self.detailed(look)[0] if left is None else left
            self.least_detail += (1.0 if left < self.least_detail else 1.0 / FORGET) * (left - self.least_detail)
        for mean, now in (
            (self.dx, look.dx),
            (self.dy, look.dy),
            (self.square, look.dx * look.dx + look.dy * look.dy),
            (self.picture, look.grey.astype(np.float32)),
            (self.fine, look.fine.astype(np.float32)),
        ):
            cv2.accumulateWeighted(now, mean, rate)
        self.spread += rate * (look.spread - self.spread)
        self.energy += rate * (look.energy - self.energy)
        self.detail += rate * (look.detail - self.detail)
        self.burnt += rate * (look.burnt - self.burnt)
        if look.chroma > COLOURED or look.chroma < GREY:
            self.coloured = look.chroma > COLOURED
        if self.frames % 16 == 0:
            self._masked = self._masked_fine = None

    def steady(self) -> tuple[Array, Array, Array, npt.NDArray[np.bool_]]:
        """Return the gradient where edges stand still (else 0), its energy by block, and which blocks can be judged."""
        if self._masked is None:
            power = self.dx * self.dx + self.dy * self.dy
            masked = ((power > EDGE * EDGE) & (power > STEADY * self.square)).astype(np.float32)
            share = _blocks(masked)
            self._masked = (self.dx * masked, self.dy * masked, _blocks(power * masked), share >= TEXTURE)
        return self._masked

    @property
    def judged(self) -> bool:
        """Tell whether the view has enough texture."""
        return bool(self.steady()[3].mean() >= JUDGED)

    def compare(self, look: Look) -> tuple[float, float]:
        """Return the share of the structure that is gone, and the sharpness of what there is (1 is as usual)."""
        left, there = self._structure(look)
        textured = self.steady()[3]
        return 1.0 - float(there[textured].mean()), float(np.median(left[textured])) / self._gain(look)

    def _structure(self, look: Look) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return by block how much of the usual gradient there is, and whether its structure is still there."""
        dx, dy, power, _ = self.steady()
        mask = (dx != 0) | (dy != 0)
        along = _blocks(look.dx * dx + look.dy * dy)
        now = _blocks((look.dx * look.dx + look.dy * look.dy) * mask)
        there = np.asarray(along > STILL_THERE * np.sqrt(now * power) + 1e-6)
        left: Array = np.divide(along, np.maximum(power, 1e-6), dtype=np.float32)
        return left, there

    def hidden(self, look: Look) -> tuple[float, float, float]:
        """Return the share of the structure in whose place nothing is to be seen; how far the coarse picture there is
        the usual one, as a correlation; and how much of the usual light there is where the structure is still there.
        """
        there, textured = self._structure(look)[1], self.steady()[3]
        bare = textured & ~there & (_blocks(look.dx * look.dx + look.dy * look.dy) < BARE * _blocks(self.square))
        behind, before = (
            cv2.resize(where.astype(np.uint8), COARSE, interpolation=cv2.INTER_NEAREST) > 0
            for where in (bare, textured & there)
        )
        if not behind.any():
            return 0.0, 1.0, 1.0
        usual = _coarse(self.picture)
        same = _correlation(look.coarse[behind], usual[behind])
        light = float(look.coarse[before].mean() / max(usual[before].mean(), 1.0)) if before.any() else 1.0
        return float(bare.sum() / textured.sum()), same, light

    def detailed(self, look: Look) -> tuple[float, float]:
        """Return how much of the finer detail is left where edges stand still, and in the whole (1 is as usual)."""
        dx, dy, power = self._steady_fine()
        gain = self._gain(look)
        along, textured = _blocks(look.fine_dx * dx + look.fine_dy * dy), power > 0
        left = float(np.median(along[textured] / power[textured])) if textured.any() else 1.0
        return left / gain, look.detail / max(self.detail, 1e-6) / gain

    def _steady_fine(self) -> tuple[Array, Array, Array]:
        """Return the finer gradient where edges stand still (else 0), and its energy by block, 0 where not judged."""
        if self._masked_fine is None:
            steady, _, _, textured = self.steady()
            mask = cv2.resize((steady != 0).astype(np.float32), FINE, interpolation=cv2.INTER_NEAREST)
            dx, dy = (cv2.Sobel(self.fine, cv2.CV_32F, across, 1 - across) * mask for across in (1, 0))
            self._masked_fine = dx, dy, _blocks(dx * dx + dy * dy) * textured
        return self._masked_fine

    def _gain(self, look: Look) -> float:
        return min(max(look.spread / max(self.spread, 1e-6), 0.25), 4.0)

    def alike(self, look: Look) -> float:
        """Return the correlation of the coarse picture with the usual one, -1..1."""
        return _correlation(look.coarse, _coarse(self.picture))

    def moved(self, look: Look) -> float:
        """Return how sure it is, 0..1, that the camera looks a little elsewhere: the structure is there, but moved."""
        (x, y), _ = cv2.phaseCorrelate(self.picture, look.grey.astype(np.float32), _WINDOW)
        if not np.hypot(x, y) >= MOVED:
            return 0.0
        back = np.array([[1, 0, x], [0, 1, y]], np.float32)
        dx, dy = self.steady()[:2]
        usual = [cv2.warpAffine(one, back, (WIDTH, HEIGHT)) for one in (dx, dy)]
        here, moved = _alignment(look, dx, dy), _alignment(look, usual[0], usual[1])
        return min(moved, 1.0) if moved > here + REGAINED else 0.0


def look_at(frame: Frame) -> Look:
    """Make a BGR frame small, and measure it."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    while grey.shape[1] >= 2 * FINE[0] and grey.shape[0] >= 2 * FINE[1]:  # by halves: thrice as fast as at once
        grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
    fine = cv2.resize(grey, FINE, interpolation=cv2.INTER_AREA)
    grey = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    dx, dy = cv2.spatialGradient(grey)
    fine_dx, fine_dy = cv2.spatialGradient(fine)
    mean, spread = cv2.meanStdDev(grey)
    colours = cv2.resize(frame, (32, 24), interpolation=cv2.INTER_NEAREST)
    return Look(
        grey=grey,  # type: ignore[arg-type]
        dx=dx.astype(np.float32),
        dy=dy.astype(np.float32),
        fine=fine,  # type: ignore[arg-type]
        fine_dx=fine_dx,  # type: ignore[arg-type]
        fine_dy=fine_dy,  # type: ignore[arg-type]
        coarse=_coarse(grey.astype(np.float32)),
        mean=float(mean[0, 0]),
        spread=float(spread[0, 0]),
        energy=_energy(dx, dy),  # type: ignore[arg-type]
        detail=_energy(fine_dx, fine_dy),  # type: ignore[arg-type]
        burnt=float(np.count_nonzero(grey >= BURNT)) / (WIDTH * HEIGHT),
        chroma=float(np.mean(colours.max(axis=2) - colours.min(axis=2))),
    )


def _energy(dx: npt.NDArray[np.int16], dy: npt.NDArray[np.int16]) -> float:
    return float(cv2.norm(dx, cv2.NORM_L1) + cv2.norm(dy, cv2.NORM_L1)) / dx.size


def _blocks(values: Array) -> Array:
    """Return the mean of each block, f4[6, 8]."""
    return cv2.resize(values, GRID, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _coarse(picture: Array) -> Array:
    return cv2.resize(picture, COARSE, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size > 1e-6 else 0.0


def _alignment(look: Look, dx: Any, dy: Any) -> float:
    """Return the correlation of a frame's gradient with another, where that is an edge."""
    edge = (dx != 0) | (dy != 0)
    now = look.dx[edge], look.dy[edge]
    usual = dx[edge], dy[edge]
    size = float(np.sqrt((now[0] @ now[0] + now[1] @ now[1]) * (usual[0] @ usual[0] + usual[1] @ usual[1])))
    return float(now[0] @ usual[0] + now[1] @ usual[1]) / size if size > 0 else 0.0


_WINDOW = cv2.createHanningWindow((WIDTH, HEIGHT), cv2.CV_32F)
