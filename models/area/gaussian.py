"""Distance from the cloud of an area's usual rows: Mahalanobis by a shrunken covariance, or by principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXPLAINED = 0.9
"""Share of the variance that the principal components hold; the rest counts as noise, alike in all directions."""

STILL = 1e-3
"""Scales that every direction is taken to scatter by at least: far below what a channel's own scale calls small."""


class Gaussian(NamedTuple):
    """Hold a cloud: its centre f8[channels] and the inverse of its covariance, f8[channels, channels]."""

    centre: Floats
    precision: Floats

    def distance(self, rows: Floats) -> Floats:
        """Return squared Mahalanobis distances, f8[rows]: those of PCA are residual and score in one."""
        found: Floats = self.contributions(rows).sum(axis=1)
        return found

    def completed(self, row: Floats, lost: npt.NDArray[np.bool_]) -> Floats:
        """Return a row, f8[channels], with what the others foretell of the `lost` ones, bool[channels].

        Its distance is then that of the others by themselves, and the lost ones have no part in it.
        """
        found = row.copy()
        inner, outer = self.precision[np.ix_(lost, lost)], self.precision[np.ix_(lost, ~lost)]
        towards = outer @ (row - self.centre)[~lost]
        try:
            found[lost] = self.centre[lost] - np.linalg.solve(inner, towards)
        except np.linalg.LinAlgError:  # nothing is known of a direction: the least that agrees with the others
            found[lost] = self.centre[lost] - np.linalg.lstsq(inner, towards)[0]
        return found

    def contributions(self, rows: Floats) -> Floats:
        """Return each channel's part in each row's distance, f8[rows, channels]: they add up to it exactly."""
        away = rows - self.centre
        turned: Floats = (away[:, None, :] * self.precision).sum(axis=2)
        return away * turned


def mahalanobis(rows: Floats) -> Gaussian:
    """Learn the cloud of rows, f8[rows, channels], its covariance shrunk as Ledoit and Wolf (2004) say."""
    from sklearn.covariance import LedoitWolf  # here and below: who only runs a model need not load scikit-learn

    fitted = LedoitWolf().fit(_stirred(rows))
    return Gaussian(np.array(fitted.location_), np.array(fitted.get_precision()))


def principal(rows: Floats) -> Gaussian:
    """Learn the principal components of rows, f8[rows, channels], as a cloud (probabilistic PCA, Tipping 1999)."""
    from sklearn.decomposition import PCA

    channels = rows.shape[1]
    rows = _stirred(rows)
    fitted = PCA(EXPLAINED if channels > 1 else 1, svd_solver="full").fit(rows)
    if channels > 1 and fitted.n_components_ >= channels:  # then nothing would be left for the residual
        fitted = PCA(channels - 1, svd_solver="full").fit(rows)
    noise = max(float(fitted.noise_variance_), STILL * STILL)  # where points say the same there is none
    spread, main = np.maximum(fitted.explained_variance_, noise), fitted.components_
    precision = np.eye(channels) / noise + (main.T * (1.0 / spread - 1.0 / noise)) @ main
    return Gaussian(np.array(fitted.mean_), np.asarray(precision, np.float64))


def _stirred(rows: Floats) -> Floats:
    """Return rows of which no channel stands quite still, so that a covariance can be inverted.

    The stir is the same each time.
    """
    still = rows.std(axis=0) < 1e-6
    if not still.any():
        return rows
    stir = STILL * np.random.default_rng(0).normal(size=rows.shape)
    return np.where(still, rows + stir, rows)
