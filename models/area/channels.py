"""An area's points as channels of one kind: centred and scaled by their history, winsorised, smoothed over some rows.

Smoothing is an exponentially weighted mean (EWMA), as in the multivariate control chart of Lowry et al. (1992): faults
last longer than noise does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

UTMOST = 5.0
"""Scales from the centre beyond which a value counts as no further: one spike says no more than that it is one."""

SPAN = 20
"""Rows that smoothing spans, where the history is long enough."""

GAP = 5.0
"""Intervals that a row counts for at most after a gap: one row must not stand for all that was not seen."""

_QUARTILES_APART = 1.349  # standard deviations between the quartiles of normal noise
_LARGEST = 1e100  # beyond this a value is not a measurement, and differences could overflow


class Channels(NamedTuple):
    """Hold what makes values channels: centre and scale, f8[channels], of the history."""

    centre: Floats
    scale: Floats

    def scaled(self, values: Floats) -> Floats:
        """Return values (f8[..., channels]) from the centre in scales, within ±UTMOST; those that are none are 0."""
        with np.errstate(over="ignore", invalid="ignore"):
            away = np.clip(
                (np.where(measured(values), values, self.centre) - self.centre) / self.scale, -UTMOST, UTMOST
            )
        return away


def measured(values: Floats) -> npt.NDArray[np.bool_]:
    """Return which values (f8[...]) are measurements: finite, and of a size that something can have."""
    found: npt.NDArray[np.bool_] = np.abs(values) < _LARGEST
    return found


def learn(values: Floats) -> Channels:
    """Learn the channels of a history, f8[rows, channels], all finite.

    The scale is that of the quartiles; of a channel that mostly stands still a tenth of the standard deviation, and of
    one that never moved a thousandth of its value.
    """
    low, centre, high = np.percentile(values, (25, 50, 75), axis=0)
    scale = np.maximum((high - low) / _QUARTILES_APART, 0.1 * values.std(axis=0))
    still = np.maximum(1e-3 * np.abs(centre), 1e-9)
    return Channels(centre, np.where(scale > 1e-12 * np.maximum(np.abs(centre), 1e-300), scale, still))


def span_of(rows: int, channels: int) -> int:
    """Return the rows that smoothing may span: as many as leave enough independent ones to know all channels by."""
    return max(1, min(SPAN, rows // (2 * channels + 4)))


def weight(steps: Floats | float, span: Floats | int, seen: Floats | int) -> Floats:
    """Return the weight of a new row that comes `steps` intervals after the last, `seen` rows before it."""
    steps = np.clip(steps, 0.0, GAP)
    return np.maximum(steps / (steps + 0.5 * (span - 1.0) + 1e-300), 1.0 / (seen + 1.0))


def smoothed(scaled: Floats, steps: Floats, span: int) -> Floats:
    """Return scaled rows smoothed, f8[rows, channels]. `steps`, f8[rows]: intervals since the row before."""
    found = np.empty_like(scaled)
    state = np.zeros(scaled.shape[1])
    for place, row in enumerate(scaled):
        state = state + (row - state) * weight(float(steps[place]), span, place)
        found[place] = state
    return found
