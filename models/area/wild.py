"""Values of a history that are no measurements: one of them is enough to blind its column.

The spread of a column is told from its rows, so a transmitter that starts at 65535, or that writes -999 while it has
nothing to say, makes all that is true of the column small.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NO_VALUE = frozenset({-999.0, -6999.0, -9999.0, -99999.0, -999999.0, 1e31, 9.96921e36})
"""What loggers and services write where they have no value."""
_FULL = (65535.0, 32767.0, -32768.0, 4294967295.0, 2147483647.0, -2147483648.0)
"""A register with all bits set, or at its end."""
_SIGNS = np.array([*sorted(NO_VALUE), *_FULL])
WILD, SELDOM = 1000.0, 0.01
"""What no measurement is: times the distance of the quartiles from the median, and how large a share of a column."""
OFF, OFTEN = 10.0, 0.25
"""The same of what stands for no value: it can be real, but not so far off, nor mostly."""
_LARGEST = 1e100  # beyond this a value is no measurement, however the others are


def without_wild(values: Floats) -> tuple[Floats, int]:
    """Return values, f8[rows, columns] all finite, without those so far off that they blind their column, and how many.

    The one before stands in the place of each, or the column's median. Of a column whose quartiles are alike nearly all
    of its rows are taken for the quartiles.
    """
    with np.errstate(over="ignore"):
        least, low, middle, high, most = np.percentile(values, (1, 25, 50, 75, 99), axis=0)
        width, away = np.where(high > low, high - low, most - least), np.abs(values - middle)
        wild = ((away > WILD * width) & (width > 0.0)) | ~(np.abs(values) < _LARGEST)
        wild &= wild.sum(axis=0) <= SELDOM * len(values)
        none = np.isin(values, _SIGNS) & (away > OFF * (high - low))
    wild |= none & (none.sum(axis=0) <= OFTEN * len(values))
    if not wild.any():
        return values, 0
    place = np.where(wild, -1, np.arange(len(values))[:, None])
    before = np.maximum.accumulate(place, axis=0)
    held = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    return np.where(before < 0, middle, held), int(wild.sum())
