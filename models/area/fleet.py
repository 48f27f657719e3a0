"""All areas' models of a partition side by side: one pass of numpy judges a row of each that is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.area.channels import Channels, weight
from models.area.drift import PERIOD, Usual
from models.area.forest import Forest
from models.area.limits import LEVELS
from models.area.model import AreaModel, shares_of
from models.area.quantities import Quantities

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

STATE = ("seen", "last", "score", "begun", "counted", "former")
WIDE = ("smooth", "before", "outside", "outside_former")
"""State of one row a model, and of one row of its channels; of `outside` the joint distance comes first."""


class Fleet:
    """Hold models and how far each has come: arrays of one row a model, padded to the widest. Pure."""

    def __init__(self, models: Sequence[AreaModel]) -> None:
        self.models = tuple(models)
        count, width = len(models), max((len(model.names) for model in models), default=0)
        centre, scale = np.zeros((count, width)), np.ones((count, width))
        self.usual, self.precision = np.zeros((count, width)), np.zeros((count, width, width))
        self.span, self.interval = np.ones(count), np.ones(count)
        self.limits = np.zeros((count, len(LEVELS)))
        self.forests: dict[int, Forest] = {}
        for place, model in enumerate(models):
            own = len(model.names)
            centre[place, :own], scale[place, :own] = model.channels
            self.span[place], self.interval[place] = model.span, model.interval
            self.limits[place] = model.limits.distance
            if isinstance(model.shape, Forest):
                self.forests[place] = model.shape
            else:
                self.usual[place, :own] = model.shape.centre
                self.precision[place, :own, :own] = model.shape.precision
        self.centre, self.scale = centre, scale
        self._measure(models, count, width)
        self.smooth, self.seen = np.zeros((count, width)), np.zeros(count)
        self.before = np.full((count, width), np.nan)  # the values of the last row, where some count or turn
        self.last, self.score = np.full(count, -np.inf), np.full(count, np.nan)
        self.begun = np.full(count, np.nan)  # when counting of what is outside the usual began
        self.counted, self.former = np.zeros(count), np.zeros(count)  # rows since, and in the period before
        self.outside, self.outside_former = np.zeros((count, width + 1)), np.zeros((count, width + 1))

    def _measure(self, models: Sequence[AreaModel], count: int, width: int) -> None:
        """Lay out what each channel measures, and what is usual of it."""
        counter, angle = np.zeros((count, width), np.bool_), np.zeros((count, width), np.bool_)
        origin, low, high = (
            np.zeros((count, width)),
            np.full((count, width + 1), -np.inf),
            np.full((count, width + 1), np.inf),
        )
        for place, model in enumerate(models):
            own = len(model.names)
            counter[place, :own], angle[place, :own], origin[place, :own] = model.quantities
            if model.usual is not None:
                low[place, : own + 1], high[place, : own + 1] = model.usual.low, model.usual.high
        self.quantities = Quantities(counter, angle, origin)
        self.gauges = self.quantities.plain
        nothing = np.zeros_like(low)
        self.usual_rows = Usual(low, high, nothing, nothing)

    def due(self, time: float) -> Places:
        """Return the models whose next row is due at a time (unix s); ticks may be half a second early."""
        return np.flatnonzero(time - self.last >= self.interval - 0.5)

    def rows(self, which: Places, time: float, values: Floats) -> None:
        """Judge a row of some models: values f8[which, width], whatever beyond a model's own channels.

        `score` of these is then 0..1, NaN until a model has seen as many rows as it smooths over.
        """
        steps = np.where(self.seen[which] > 0.0, (time - self.last[which]) / self.interval[which], 1.0)
        if not self.gauges:
            measures = self.quantities.some(which)
            values, self.before[which] = measures.of(values, self.before[which], steps[:, None]), values
        scaled = Channels(self.centre[which], self.scale[which]).scaled(values)
        new = weight(steps, self.span[which], self.seen[which])
        self.smooth[which] += (scaled - self.smooth[which]) * new[:, None]
        self.seen[which] += 1.0
        self.last[which] = time
        distance = self._contributions(which).sum(axis=1)
        for at, place in enumerate(which.tolist()):
            if place in self.forests:
                distance[at] = self.forests[place].distance(self._own(place))[0]
        known = self.seen[which] > self.span[which]
        self.score[which] = np.where(known, 1.0 - self._rarity(which, distance), np.nan)
        self._count(which[known], time, distance[known])

    def _count(self, which: Places, time: float, distance: Floats) -> None:
        """Count rows, and those outside the usual; begin anew after a period."""
        over = which[~(time - self.begun[which] < PERIOD)]  # NaN before the first
        if over.size:
            self.former[over], self.outside_former[over] = self.counted[over], self.outside[over]
            self.counted[over], self.outside[over], self.begun[over] = 0.0, 0.0, time
        usual = self.usual_rows
        beyond = Usual(usual.low[which], usual.high[which], usual.outside[which], usual.repeats[which])
        self.counted[which] += 1.0
        self.outside[which] += beyond.beyond(distance, self.smooth[which])

    def shares(self, place: int) -> Floats:
        """Return the share of each channel in what a model judged last, f8[channels], adding up to 1."""
        found: Floats = shares_of(self.models[place].shape.contributions(self._own(place)))[0]
        return found

    def shift(self, seconds: float) -> None:
        """Move the clock on which rows were counted."""
        self.last += seconds
        self.begun += seconds

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """Return copies of all that changes."""
        return {name: getattr(self, name).copy() for name in (*STATE, *WIDE)}

    def restore(self, state: Mapping[str, npt.NDArray[Any]], pairs: Sequence[tuple[int, int]]) -> None:
        """Take over the state of models that are the same: pairs of (place there, place here)."""
        for there, here in pairs:
            own = len(self.models[here].names)
            for name in WIDE:
                if name in state:  # not in older snapshots
                    wide = own + name.startswith("outside")
                    getattr(self, name)[here, :wide] = state[name][there, :wide]
            for name in STATE:
                if name in state:
                    getattr(self, name)[here] = state[name][there]

    def follow(self, other: Fleet, there: int, here: int) -> None:
        """Go on where another model of the same channels, at `there`, stood: from its smoothed values on this scale.

        What it has counted is not taken over: it was held against another history.
        """
        own = len(self.models[here].names)
        values = other.centre[there, :own] + other.scale[there, :own] * other.smooth[there, :own]
        turned = other.quantities.origin[there, :own] - self.quantities.origin[here, :own]
        values = np.where(self.quantities.angle[here, :own], values + turned, values)
        self.smooth[here, :own] = Channels(self.centre[here, :own], self.scale[here, :own]).scaled(values)
        self.before[here, :own] = other.before[there, :own]
        self.seen[here], self.last[here] = other.seen[there], other.last[there]
        if self.seen[here] > self.span[here] and not np.isnan(other.score[there]):
            model = self.models[here]
            self.score[here] = 1.0 - model.limits.rarity(model.shape.distance(self._own(here)))[0]

    def _own(self, place: int) -> Floats:
        found: Floats = self.smooth[place : place + 1, : len(self.models[place].names)]
        return found

    def _contributions(self, which: Places) -> Floats:
        away = self.smooth[which] - self.usual[which]
        turned: Floats = (away[:, None, :] * self.precision[which]).sum(axis=2)
        return away * turned

    def _rarity(self, which: Places, distance: Floats) -> Floats:
        """Read p-values off each model's own table, as `Limits.rarity` does."""
        table = self.limits[which]
        high = np.clip((table <= distance[:, None]).sum(axis=1), 1, len(LEVELS) - 1)
        each = np.arange(len(which))
        left, right = table[each, high - 1], table[each, high]
        part = np.clip((distance - left) / (right - left), 0.0, 1.0)
        found: Floats = LEVELS[high - 1] + (LEVELS[high] - LEVELS[high - 1]) * part
        return found
