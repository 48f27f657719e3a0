"""Learn a triage model from verdicts, and prove it on the later ones: the past teaches, what came after judges.

Logistic regression (scikit-learn) is calibrated by its own loss. How often a rule, a place or a kind of place was real
before is counted up to when each alarm opened, from verdicts that were given by then: nothing looks ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.triage.case import Tallies, Verdict, tallied, tally, vector
from models.triage.model import FARTHEST, TriageModel

Floats = npt.NDArray[np.float64]

FEWEST, FEWEST_EACH = 60, 15
"""Verdicts that are needed in all, and of each kind: real and nuisance."""
EARLIER = 0.7
"""Share of the verdicts, the earlier ones, that the trial learns from; the rest is foretold."""
BINS = 5


class TriageError(ValueError):
    """Raised when there are too few verdicts to learn from: says how many there are and how many are needed."""


class Bin(msgspec.Struct, frozen=True, array_like=True):
    """Alarms to which similar odds were given: how many, the mean of what was told, and the share that was real."""

    count: int
    told: float
    real: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How a model did on the verdicts after those it learnt from. Brier: mean squared error, 0 the best."""

    verdicts: int
    real: int
    tested: int
    brier: float
    brier_constant: float  # of always telling the share that was real before
    order: float  # how often a real alarm is put before a nuisance (area under the ROC curve); 0.5 is chance
    bins: tuple[Bin, ...]

    @property
    def helps(self) -> bool:
        """Tell whether it foretold better than a constant."""
        return self.brier < self.brier_constant


class Fitted(NamedTuple):
    """A model of all verdicts, and how one of the earlier ones did on the later."""

    model: TriageModel
    figures: Figures


def fit(verdicts: Sequence[Verdict]) -> Fitted:
    """Learn from verdicts. Raise `TriageError` on too few."""
    ordered = sorted(verdicts, key=lambda one: (one.case.opened, one.closed, one.case.rule, one.case.scope))
    real = np.array([one.real for one in ordered], np.bool_)
    _enough(real, "")
    numbers = _numbers(ordered)
    weight = np.array([one.weight for one in ordered], np.float64)
    cut = int(EARLIER * len(ordered))
    begin = ordered[cut].case.opened
    closed = np.array([one.closed for one in ordered])
    taught = np.flatnonzero((np.arange(len(ordered)) < cut) & (closed <= begin))  # known when the first was foretold
    if real[taught].all() or not real[taught].any():
        _enough(real[taught], " before the later ones that are to be foretold")
    trial = _learn(numbers[taught], real[taught], weight[taught], tallied(ordered[n] for n in taught))
    told = np.array([trial.odds(one.case) for one in ordered[cut:]])  # as it will be asked: no later verdict is known
    constant = float(np.average(real[taught], weights=weight[taught]))
    figures = _figures(real, told, real[cut:], weight[cut:], constant)
    return Fitted(_learn(numbers, real, weight, tallied(ordered)), figures)


def _enough(real: npt.NDArray[np.bool_], which: str) -> None:
    yes, no = int(real.sum()), int((~real).sum())
    if yes + no < FEWEST or min(yes, no) < FEWEST_EACH:
        raise TriageError(
            f"{yes + no} verdicts{which} ({yes} real, {no} nuisance) are too few to learn from; "
            f"{FEWEST} are needed, {FEWEST_EACH} of each"
        )


def _numbers(ordered: Sequence[Verdict]) -> Floats:
    """Write cases (by time) as numbers, each with what was known of its like when it opened."""
    known: Tallies = {}
    waiting = sorted(ordered, key=lambda one: one.closed)
    at = 0
    found = []
    for one in ordered:
        while at < len(waiting) and waiting[at].closed <= one.case.opened:
            tally(known, waiting[at])
            at += 1
        found.append(vector(one.case, known))
    return np.array(found, np.float64)


def _learn(numbers: Floats, real: npt.NDArray[np.bool_], weight: Floats, tallies: Tallies) -> TriageModel:
    from sklearn.linear_model import LogisticRegression  # here: a console that only asks a model needs none of it

    centre, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    scaled = np.clip((numbers - centre) / scale, -FARTHEST, FARTHEST)
    found = LogisticRegression(C=0.1, max_iter=1000).fit(scaled, real, sample_weight=weight)
    return TriageModel(centre, scale, found.coef_[0].astype(np.float64), float(found.intercept_[0]), tallies)


def _figures(
    every: npt.NDArray[np.bool_], told: Floats, real: npt.NDArray[np.bool_], weight: Floats, constant: float
) -> Figures:
    order = np.argsort(told, kind="stable")
    bins = tuple(
        Bin(
            len(part),
            float(np.average(told[part], weights=weight[part])),
            float(np.average(real[part], weights=weight[part])),
        )
        for part in np.array_split(order, BINS)
        if len(part)
    )
    yes, no = told[real], told[~real]
    pairs = np.sign(yes[:, None] - no[None, :]) if len(yes) and len(no) else np.zeros((1, 1))
    return Figures(
        verdicts=len(every),
        real=int(every.sum()),
        tested=len(real),
        brier=float(np.average((told - real) ** 2, weights=weight)),
        brier_constant=float(np.average((constant - real) ** 2, weights=weight)),
        order=float(0.5 + 0.5 * pairs.mean()),
        bins=bins,
    )
