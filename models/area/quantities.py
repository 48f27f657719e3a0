"""What of a value is judged: a gauge's value, a counter's increase an interval, an angle's turn from where it points.

The same as the bank scores of single points (`models.scoring`), for rows of many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Quantity = Literal["gauge", "counter", "angle"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

CIRCLE = 360.0
"""Degrees of a full turn."""


class Quantities(NamedTuple):
    """Say which channels count, and which turn, bool[..., channels]; `origin`, f8, is where those usually point."""

    counter: Bools
    angle: Bools
    origin: Floats

    @property
    def plain(self) -> bool:
        """Whether all channels are gauges."""
        return not (self.counter.any() or self.angle.any())

    def some(self, which: npt.NDArray[np.intp]) -> Quantities:
        """Return those of some rows."""
        return Quantities(self.counter[which], self.angle[which], self.origin[which])

    def of(self, values: Floats, before: Floats, steps: Floats | float) -> Floats:
        """Return what is judged of values, f8[..., channels].

        `before` are those of the row before, NaN where there was none, and `steps` the intervals since. The increase
        of a counter that was reset, or begins, is unknown: NaN.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            rise = values - before
            increase = np.where(rise >= 0.0, rise / steps, np.nan)
            turn = np.mod(values - self.origin + 0.5 * CIRCLE, CIRCLE) - 0.5 * CIRCLE
        return np.where(self.counter, increase, np.where(self.angle, turn, values))

    def of_history(self, values: Floats, steps: Floats) -> Floats:
        """Return what is judged of a history, f8[rows, channels]; what is unknown of it is the channel's median."""
        if self.plain:
            return values
        before = np.concatenate((np.full((1, values.shape[1]), np.nan), values[:-1]))
        found = self.of(values, before, steps[:, None])
        known = np.isfinite(found)
        usual = [
            float(np.median(found[known[:, at], at])) if known[:, at].any() else 0.0 for at in range(len(known[0]))
        ]
        return np.where(known, found, np.array(usual))


def learn(values: Floats, kinds: Sequence[Quantity]) -> Quantities:
    """Learn where angles usually point from a history, f8[rows, channels]: their mean direction."""
    kind = np.array(kinds)
    around = np.exp(1j * values * (2.0 * np.pi / CIRCLE)).mean(axis=0)
    angle = kind == "angle"
    origin = np.where(angle, np.mod(np.angle(around) * (CIRCLE / (2.0 * np.pi)), CIRCLE), 0.0)
    return Quantities(kind == "counter", angle, np.asarray(origin, np.float64))


def gauges(channels: int) -> Quantities:
    """Return channels that are all gauges."""
    return Quantities(np.zeros(channels, np.bool_), np.zeros(channels, np.bool_), np.zeros(channels))
