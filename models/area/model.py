"""A model of an area: channels, a cloud or a forest, and limits; and the watch that goes by it row by row."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from models.area import drift
from models.area.channels import Channels, measured, weight
from models.area.forest import Forest
from models.area.gaussian import Gaussian
from models.area.limits import Limits
from models.area.quantities import Quantities
from models.scoring import TELLING

Floats = npt.NDArray[np.float64]
Kind = Literal["mahalanobis", "pca", "forest"]
KINDS: tuple[Kind, ...] = ("mahalanobis", "pca", "forest")

REFRACTORY = 75.0
"""Rows after an event within which what goes on, or comes back, is no new one."""


class AreaModel(NamedTuple):
    """Hold what was learnt of an area's points `names`; `rate` of its independent rows may be judged anomalous."""

    kind: Kind
    names: tuple[str, ...]
    interval: float  # seconds between rows
    span: int  # rows that are smoothed over
    rate: float
    channels: Channels
    shape: Gaussian | Forest
    limits: Limits
    quantities: Quantities
    usual: drift.Usual | None = None  # of a model from before drift was looked for

    @property
    def alarming(self) -> float:
        """Return the score from which a row is judged anomalous."""
        return 1.0 - self.rate

    def steps_of(self, time: Floats) -> Floats:
        """Return the intervals since the row before, f8[rows]; 1 for the first."""
        return np.concatenate(([1.0], np.diff(time) / self.interval))

    def smoothed(self, time: Floats, values: Floats) -> Floats:
        """Return the channels of rows as they are judged, f8[rows, channels], as `Watch` has them row by row."""
        steps = self.steps_of(time)
        before = np.concatenate((np.full((1, values.shape[1]), np.nan), values[:-1]))
        judged = values if self.quantities.plain else self.quantities.of(values, before, steps[:, None])
        scaled, lost = self.channels.scaled(judged), ~measured(values)
        found, state = np.empty_like(scaled), np.zeros(scaled.shape[1])
        for place in range(len(scaled)):
            state = found[place] = self.follow(state, scaled[place], lost[place], float(steps[place]), place)
        return found

    def follow(self, state: Floats, scaled: Floats, lost: npt.NDArray[np.bool_], steps: float, seen: int) -> Floats:
        """Return the smoothed channels after a row, f8[channels]; what is `lost` is as the others foretell it."""
        state = state + (scaled - state) * weight(steps, self.span, seen)
        return self.shape.completed(state, lost) if lost.any() else state

    def scores(self, smooth: Floats) -> Floats:
        """Return the scores of smoothed rows, f8[rows]; NaN for those in which it would be learning."""
        found = 1.0 - self.limits.rarity(self.shape.distance(smooth))
        found[: self.span] = np.nan
        return found


class Judged(NamedTuple):
    """Say what is thought of a row."""

    score: float  # 0..1; 0.99: one independent row in a hundred is this far out or more; 0 while learning
    alarm: bool  # the row is anomalous: a state
    event: bool  # one early event: the state begins, beyond the refractory
    shares: Floats  # each channel's share of the distance, f8[channels], adding up to 1; 0 where nothing is surprising

    def top(self, names: tuple[str, ...]) -> str:
        """Name the channel that contributes most ('' where nothing is surprising)."""
        return names[int(self.shares.argmax())] if self.shares.any() else ""


class Watch:
    """Judge an area's rows one by one. Pure: time comes with the rows."""

    def __init__(self, model: AreaModel) -> None:
        self.model = model
        self.state = np.zeros(len(model.names))
        self.before = np.full(len(model.names), np.nan)
        self.seen = 0
        self.last = -np.inf
        self.alarmed = -np.inf  # when the state last held

    def row(self, time: float, values: Floats) -> Judged:
        """Judge the values (f8[channels], unix time later than the last row's); the row is judged without those lost.

        What is no measurement is lost, and taken for what the other channels foretell until it is back. The score is 0
        until as many rows were seen as are smoothed over.
        """
        model = self.model
        steps = (time - self.last) / model.interval if self.seen else 1.0
        judged = values if model.quantities.plain else model.quantities.of(values, self.before, steps)
        self.before = values
        self.state = model.follow(self.state, model.channels.scaled(judged), ~measured(values), steps, self.seen)
        self.seen += 1
        self.last = time
        if self.seen <= model.span:
            return Judged(0.0, False, False, np.zeros(len(self.state)))
        rows = self.state[None, :]
        score = 1.0 - float(model.limits.rarity(model.shape.distance(rows))[0])
        alarm = score >= model.alarming
        event = alarm and time - self.alarmed > REFRACTORY * model.interval
        self.alarmed = time if alarm else self.alarmed
        shares = np.zeros(len(self.state))
        if score >= TELLING:
            shares = shares_of(model.shape.contributions(rows))[0]
        return Judged(score, alarm, event, shares)


def shares_of(contributions: Floats) -> Floats:
    """Return contributions as shares of what speaks for an anomaly, f8[rows, channels]; what speaks against is 0."""
    speaks = np.maximum(contributions, 0.0)
    total = speaks.sum(axis=1, keepdims=True)
    return np.where(total > 0.0, speaks / np.where(total > 0.0, total, 1.0), 0.0)
