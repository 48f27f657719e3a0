"""How rare a distance is: a table from distances to p-values, learnt once, so that a model runs without scipy.

What the history is long enough to say is said by conformal rank (Vovk 2005): the share of held-out rows as far or
farther. Rows of a smoothed series repeat each other, so a history of n rows says nothing finer than
1 / (n / span + 1). Beyond that the tail goes on from there: for Gaussian models by Hotelling's T² of a new row, given
as many independent rows as the history holds (wide when they are few, and never narrower than the held-out rows ask);
for others by the mean excess of the held-out rows (peaks over threshold with an exponential tail).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVELS: Floats = np.geomspace(1.0, 1e-6, 61)
"""P-values of the table, ten a decade; what is rarer than the last is told as the last."""


class Limits(NamedTuple):
    """Hold distances, f8[61], that are exceeded with the probability of LEVELS; ascending."""

    distance: Floats

    def rarity(self, distance: Floats) -> Floats:
        """Return p-values, f8[n], of distances: between two entries of the table by straight line."""
        return np.asarray(np.interp(distance, self.distance, LEVELS))

    def at(self, level: float) -> float:
        """Return the distance that is exceeded with probability `level`."""
        return float(np.interp(-np.log(level), -np.log(LEVELS), self.distance))


def gaussian(held: Floats, channels: int, rows: float, fitted: float) -> Limits:
    """Return the limits of squared Mahalanobis distances.

    `held`: those of held-out rows, by models of `fitted` independent rows; `rows`: independent rows of the final model.
    """
    finest = 1.0 / (rows + 1.0)
    said = finest <= LEVELS
    tail, narrower = hotelling(LEVELS, channels, rows), hotelling(LEVELS, channels, fitted)
    spread = np.where(narrower > 0.0, tail / np.where(narrower > 0.0, narrower, 1.0), 1.0)
    body = np.quantile(held, 1.0 - LEVELS) * spread
    edge = float(hotelling(np.array([finest]), channels, fitted)[0])
    stretch = max(1.0, float(np.quantile(held, 1.0 - finest)) / edge)
    return _ascending(np.where(said, body, stretch * tail))


def exponential(held: Floats, rows: float) -> Limits:
    """Return the limits of any score of which held-out values are known; `rows`: how many of them are independent."""
    finest = max(1.0 / (rows + 1.0), LEVELS[-1])
    edge = float(np.quantile(held, 1.0 - finest))
    above = float(np.quantile(held, 1.0 - max(finest, 0.1)))
    excess = held[held > above] - above
    scale = max(float(excess.mean()) if len(excess) else 0.0, 1e-9)
    body = np.quantile(held, 1.0 - LEVELS)
    return _ascending(np.where(finest <= LEVELS, body, edge + scale * np.log(finest / LEVELS)))


def hotelling(level: Floats, channels: int, rows: float) -> Floats:
    """Return T² of a new row that is exceeded with probability `level`, given `rows` independent rows (Hotelling 1931).

    Its distribution is that of F, here by its relation to the beta distribution.
    """
    from scipy.special import betainccinv  # here: nobody who only runs a model needs scipy

    rows = max(rows, channels + 1.0)
    free = rows - channels
    beta = np.asarray(betainccinv(0.5 * channels, 0.5 * free, level), np.float64)
    ratio: Floats = beta / np.maximum(1.0 - beta, 1e-300)
    return ratio * ((rows + 1.0) * (rows - 1.0) / rows)


def _ascending(distance: Floats) -> Limits:
    distance = np.maximum.accumulate(np.minimum(distance, 1e12))
    distance[0] = min(distance[0], 0.0)
    return Limits(distance + np.arange(len(distance)) * 1e-12 * max(1.0, float(abs(distance[-1]))))
