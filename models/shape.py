"""What a surprise looks like: a level shift, a ramp, or growing noise; at once, or once some readings have followed.

To tell it afterwards (`shape`), three models are held against the readings around it, each with the place of its
onset free: one step, one hinge (a line that begins to rise or fall), and no change of the mean. A step is a shift
where one reading differs from the next by much of its height, a hinge a ramp; where readings differ from one to the
next by far more than before, it is noise. Least squares over all onsets (Bai & Perron 1998 for one break).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Shape = Literal["level_shift", "ramp", "growing_noise", "freeze", "unclear"]

EDGE = 5
"""Readings that a step or hinge has on either side at least."""

ROUGHER = 2.0
"""Times that late readings differ more from one to the next than early ones, where noise has grown."""

NEAR = 4
"""Readings around a step's onset within which it is sudden."""

SUDDEN = 0.25, 0.6
"""Parts of a step's height by which one reading differs from the next: less is no step, more is one for certain."""

EXPLAINED = 0.5
"""Share of the spread that a step or hinge explains, where it is told."""

LEAST = 8
"""Readings from which `coming` names a shape."""

CLEAR = 3.0
"""Usual moves of a reading to the next that a step or ramp is larger than."""

RISING = 0.7
"""Share of all moves by which a ramp gets on."""

WORDS: dict[Shape, dict[str, str]] = {
    "level_shift": {"en": "level shift", "zh": "水平突变"},
    "ramp": {"en": "ramp", "zh": "持续爬升或下降"},
    "growing_noise": {"en": "growing noise", "zh": "噪声增大"},
    "freeze": {"en": "frozen value", "zh": "数值冻结"},
    "unclear": {"en": "no clear shape", "zh": "形态不明"},
}


def shape(value: Floats, surprise: int) -> Shape:
    """Name the shape of `value` (f8[n], in order of time) around the reading number `surprise`.

    Give as many readings before the surprise as there are, some hundreds at best, and all that followed. "unclear" when
    there are too few, or when none of the models holds.
    """
    count = len(value)
    if not EDGE <= surprise < count or count < 4 * EDGE:
        return "unclear"
    width = float(value.max() - value.min())
    if not 0.0 < width < np.inf:
        return "unclear"
    x = (value - value.min()) / width
    onsets = np.arange(EDGE, count - EDGE + 1)
    spread = float(np.sum((x - x.mean()) ** 2))
    left = _step(x, onsets)
    step, onset = 1.0 - float(left.min()) / spread, int(onsets[left.argmin()])
    hinge = 1.0 - float(_hinge(x, onsets).min()) / spread
    early, late = np.abs(np.diff(x[:surprise])), np.abs(np.diff(x[surprise:]))
    if len(late) >= EDGE and late.mean() > ROUGHER * max(float(early.mean()), 1e-9) and max(step, hinge) < 0.9:
        return "growing_noise"
    if max(step, hinge) < EXPLAINED:
        return "unclear"
    height = abs(float(x[onset:].mean() - x[:onset].mean()))
    jump = float(np.abs(np.diff(x[onset - NEAR : onset + NEAR])).max())
    if height * SUDDEN[0] <= jump <= height * SUDDEN[1]:
        return "level_shift" if step >= hinge else "ramp"
    return "level_shift" if jump > height * SUDDEN[1] else "ramp"


def coming(value: Floats) -> Shape:
    """Name how the newest of a few readings (f8[n], in order of time) came to be where it is, as far as it can be seen.

    The first half of them says how they usually move, the second what has come. "unclear" when in doubt; there is no
    future in it, so a step may yet prove to be a spike.
    """
    count = len(value)
    if count < LEAST or not np.isfinite(value).all():
        return "unclear"
    moves = np.diff(value / 2.0**20)  # no overflow
    half = len(moves) // 2
    net = float(moves[half:].sum())
    early, late = np.abs(moves[:half]), np.abs(moves[half:])
    travelled, largest = float(late.sum()), float((moves[half:] * np.sign(net)).max())
    usual = float(np.median(early))
    if travelled == 0.0:
        return "unclear"
    if abs(net) >= CLEAR * usual:
        if largest >= SUDDEN[1] * abs(net) and abs(net) >= SUDDEN[1] * travelled:
            return "level_shift"
        if abs(net) >= RISING * travelled:
            return "ramp"
    rough = float(np.median(late)) > ROUGHER * usual and abs(net) < 0.5 * travelled
    return "growing_noise" if rough else "unclear"


def _step(x: Floats, onsets: npt.NDArray[np.intp]) -> Floats:
    """Return what is left of the spread when the mean changes once, for each onset."""
    total, square = np.cumsum(x), float(np.sum(x * x))
    before, after = total[onsets - 1], total[-1] - total[onsets - 1]
    return np.asarray(square - before**2 / onsets - after**2 / (len(x) - onsets), np.float64)


def _hinge(x: Floats, onsets: npt.NDArray[np.intp]) -> Floats:
    """Return what is left when a line begins at each onset."""
    line = np.maximum(np.arange(len(x)) - onsets[:, None] + 1.0, 0.0)
    line -= line.mean(axis=1, keepdims=True)
    centred = x - x.mean()
    met = line @ centred
    return np.asarray(np.sum(centred * centred) - met**2 / np.sum(line * line, axis=1), np.float64)
