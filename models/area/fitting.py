"""Fit an area's model to its history, and choose the kind that stands the test of the history's later part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.area import channels as channelling
from models.area import drift, forest, gaussian, limits, quantities
from models.area.faults import injected
from models.area.model import KINDS, AreaModel, Kind
from models.area.quantities import Quantities, Quantity
from models.area.wild import without_wild

Floats = npt.NDArray[np.float64]

RATE = 1e-3
"""Share of independent rows that may be judged anomalous by chance: the shipped budget."""

BLOCKS = 5
"""Parts of the history that are held out in turn."""

STRETCHES, APART = 4, 5
"""Stretches, each so many spans long at least, that a part is made of when it is looked at again in a finer grain."""

FARTHER = 4.0
"""Times the squared distance in the finer grain (twice as far) that held-out rows count as at most. A storm that came
once lies in one part, and all the others foretell nothing of it: without this, nothing would be far any more."""

EARLIER = 0.6
"""Share of the history that candidates are fitted to, to be tried on the rest."""

CLEARLY = 0.1
"""By how much another kind must find more of the faults put on before it replaces the Mahalanobis distance."""

ENOUGH = 30
"""Independent rows that the later part must hold for a choice: fewer cannot tell one kind from another."""

FEWEST = 30
MOST_CHANNELS = 64


_LEARN: dict[Kind, Callable[[Floats], gaussian.Gaussian | forest.Forest]] = {
    "mahalanobis": gaussian.mahalanobis,
    "pca": gaussian.principal,
    "forest": forest.isolation,
}


class FitError(ValueError):
    """Raised when a history is too short or too wide to learn from: says what is needed."""


class Trial(NamedTuple):
    """Say how a kind did on the later part of the history."""

    kind: Kind
    false: float  # share of its rows judged anomalous as they were
    found: float  # share of the faults put on that were found
    chosen: bool = False

    @property
    def worth(self) -> float:
        """Return what was found, less what was false."""
        return self.found - self.false


class Fitted(NamedTuple):
    """Hold a model, how its kind was chosen, and how many values of the history were no measurements."""

    model: AreaModel
    trials: tuple[Trial, ...]
    wild: int = 0


def fit(
    time: Floats,
    values: Floats,
    names: Sequence[str],
    interval: float,
    *,
    rate: float = RATE,
    kind: Kind | None = None,
    measured: Sequence[Quantity] | None = None,
) -> Fitted:
    """Fit a model to rows (time f8[rows] ascending, values f8[rows, channels] finite) `interval` seconds apart.

    `measured` says what each channel is, by default a gauge. Without a `kind` the candidates are tried first. Values
    that are no measurements are left out: `models.area.wild`. Raise `FitError` on too few rows (10 a channel, 30 at
    least) or more than 64 channels.
    """
    rows, count = values.shape
    if count > MOST_CHANNELS:
        raise FitError(f"{count} points are more than {MOST_CHANNELS}; choose those that belong together")
    needed = max(FEWEST, 10 * count)
    if rows < needed:
        raise FitError(f"{rows} rows are too few to learn {count} points from; {needed} are needed")
    steps = np.concatenate(([1.0], np.diff(time) / interval))
    values, wild = without_wild(values)
    measures = quantities.learn(values, measured) if measured is not None else quantities.gauges(count)
    if not measures.plain:  # what a counter rose by at once is none either
        values, more = without_wild(measures.of_history(values, steps))
        wild += more
    trials: tuple[Trial, ...] = ()
    if kind is None:
        trials = tried(steps, values, tuple(names), interval, rate)
    chosen = kind or max(trials, key=lambda trial: trial.chosen).kind
    model = _model(chosen, steps, values, tuple(names), interval, rate)
    return Fitted(model._replace(quantities=measures), trials, wild)


def tried(steps: Floats, values: Floats, names: tuple[str, ...], interval: float, rate: float) -> tuple[Trial, ...]:
    """Fit every kind to the earlier part of the history and try it on the rest; mark the one to take.

    The Mahalanobis distance stays unless another is clearly worth more: a short history is soon over-read.
    """
    cut = int(EARLIER * len(values))
    if (len(values) - cut) / channelling.span_of(cut, values.shape[1]) < ENOUGH:
        return (Trial("mahalanobis", np.nan, np.nan, True),)
    found = []
    for kind in KINDS:
        model = _model(kind, steps[:cut], values[:cut], names, interval, rate)
        limit = model.limits.at(rate)

        def judged(part: Floats, model: AreaModel = model, limit: float = limit) -> npt.NDArray[np.bool_]:
            whole = np.concatenate((values[:cut], part))
            smooth = channelling.smoothed(model.channels.scaled(whole), steps, model.span)
            return model.shape.distance(smooth[cut:]) >= limit

        false = float(judged(values[cut:]).mean())
        hits = [bool(judged(fault.values)[fault.at].any()) for fault in injected(values[cut:], model.channels.scale)]
        found.append(Trial(kind, false, float(np.mean(hits))))
    best = max(found, key=lambda trial: trial.worth)
    if best.worth < found[0].worth + CLEARLY:
        best = found[0]
    return tuple(trial._replace(chosen=trial is best) for trial in found)


def _held_out(smooth: Floats, learn: Callable[[Floats], gaussian.Gaussian | forest.Forest], stretches: int) -> Floats:
    """Return the distance of each row from what was learnt without its part: every fifth stretch, f8[rows]."""
    part = np.arange(len(smooth)) * stretches // len(smooth) % BLOCKS
    held = np.empty(len(smooth))
    for number in range(BLOCKS):
        held[part == number] = learn(smooth[part != number]).distance(smooth[part == number])
    return held


def _model(
    kind: Kind, steps: Floats, values: Floats, names: tuple[str, ...], interval: float, rate: float
) -> AreaModel:
    channels = channelling.learn(values)
    span = channelling.span_of(*values.shape)
    smooth = channelling.smoothed(channels.scaled(values), steps, span)[span:]
    learn = _LEARN[kind]
    held = _held_out(smooth, learn, BLOCKS)
    finer = BLOCKS * min(STRETCHES, len(smooth) // (APART * span * BLOCKS))
    if kind != "forest" and finer > BLOCKS:
        near = np.sort(_held_out(smooth, learn, finer))
        order = np.argsort(held, kind="stable")
        held[order] = np.minimum(held[order], FARTHER * near)
    rows = len(smooth) / span
    table = (
        limits.exponential(held, rows)
        if kind == "forest"
        else limits.gaussian(held, len(names), rows, rows * (BLOCKS - 1) / BLOCKS)
    )
    plain: Quantities = quantities.gauges(len(names))  # what is judged of values is worked out by now
    usual = drift.learn(held, smooth, span)
    return AreaModel(kind, names, interval, span, rate, channels, learn(smooth), table, plain, usual)
