"""A triage model: a logistic regression over `case.vector`, run without scikit-learn."""

from __future__ import annotations

from math import exp
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.triage.case import Case, Tallies, vector

Floats = npt.NDArray[np.float64]

FARTHEST = 5.0
"""Spreads from the mean beyond which a number says no more."""
LEAST, MOST = 0.01, 0.99
"""No alarm is told as surely real, or surely not."""


class TriageModel(NamedTuple):
    """Weights of the numbers of a case, each less its `centre` and over its `scale`; f8[numbers]."""

    centre: Floats
    scale: Floats
    weights: Floats
    intercept: float
    tallies: Tallies

    def odds(self, case: Case) -> float:
        """Return how likely an alarm is to be real, 0.01..0.99."""
        return float(self.odds_of(np.array([vector(case, self.tallies)]))[0])

    def odds_of(self, numbers: Floats) -> Floats:
        """Return the same for cases that are numbers already (f8[cases, numbers])."""
        scaled = np.clip((numbers - self.centre) / self.scale, -FARTHEST, FARTHEST)
        told = np.array([1.0 / (1.0 + exp(-min(max(x, -50.0), 50.0))) for x in scaled @ self.weights + self.intercept])
        held: Floats = np.clip(told, LEAST, MOST)
        return held
