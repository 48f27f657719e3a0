"""Has an area moved away from what its model was learnt on? Counts of rows outside the usual, against chance.

Usual is the history's lower nine tenths of the joint distance, and the middle eight tenths of each smoothed channel.
How often a row lies outside is a share; as rows of a series repeat each other, the history also says of how many rows
one is as good as independent (batch means: how much its parts differ). A model is in drift when the lower bound
of that share (Clopper and Pearson 1934) is beyond twice the usual one: for the joint distance, or for a channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

JOINT, EACH = 0.1, 0.2
"""Share of usual rows outside: of the joint distance (above), and of a channel (above and below)."""

BEYOND = 2.0
"""Times the usual share that are drift."""

CHANCE = 1e-3
"""Chance at which a model that is not in drift may be called so at one look, over all its channels."""

PERIOD = 7 * 86400.0
"""Seconds after which counting begins anew; the period before counts with it, so one to two weeks are looked at."""

BLOCKS = (20, 60)
"""Parts of the history whose means are compared: the coarser ones tell slow swings, the finer ones quick ones."""

_SLACK = 0.05  # scales: a channel that hardly moved must not be outside by nothing


class Usual(NamedTuple):
    """Hold bounds of the usual, f8[1 + channels], the joint distance first.

    `outside` is the history's share of rows beyond, `repeats` how many rows are as good as one independent one.
    """

    low: Floats
    high: Floats
    outside: Floats
    repeats: Floats

    def beyond(self, distance: Floats, smooth: Floats) -> npt.NDArray[np.bool_]:
        """Tell which of distance (f8[rows]) and channels (f8[rows, channels]) are outside, bool[rows, 1 + channels]."""
        both = np.concatenate((distance[:, None], smooth), axis=1)
        found: npt.NDArray[np.bool_] = (both < self.low) | (both > self.high)
        return found


class Drift(NamedTuple):
    """Say how far an area has moved: shares of rows outside, `rows` looked at; `moved` names channels that moved."""

    rows: float
    independent: float  # rows that are as good as independent
    outside: float  # share of rows whose joint distance is unusual
    usual: float  # what that share was in the history
    drifted: bool
    moved: tuple[str, ...]


def learn(distance: Floats, smooth: Floats, span: int) -> Usual:
    """Learn the usual of held-out distances, f8[rows], and smoothed channels, f8[rows, channels]."""
    low = np.concatenate(([-1e300], np.quantile(smooth, 0.5 * EACH, axis=0) - _SLACK))
    high = np.concatenate(
        ([float(np.quantile(distance, 1.0 - JOINT))], np.quantile(smooth, 1.0 - 0.5 * EACH, axis=0) + _SLACK)
    )
    nobody = np.zeros_like(low)
    there = Usual(low, high, nobody, nobody).beyond(distance, smooth)
    return Usual(low, high, there.mean(axis=0), np.array([_repeats(each, span) for each in there.T]))


def _repeats(outside: npt.NDArray[np.bool_], span: int) -> float:
    """Return how many rows are as good as one: the variance of the means of blocks over that of independent rows."""
    share, most = float(outside.mean()), float(span)
    for blocks in BLOCKS:
        size = len(outside) // blocks
        if size >= 2 and 0.0 < share < 1.0:
            means = outside[: size * blocks].reshape(blocks, size).mean(axis=1)
            most = max(most, size * float(means.var(ddof=1)) / (share * (1.0 - share)))
    return most


def judge(usual: Usual, names: Sequence[str], rows: float, outside: Floats) -> Drift:
    """Judge counts: `rows` looked at, and how many of them were outside, f8[1 + channels]."""
    from scipy.special import betaincinv  # here: nobody who only runs a model needs scipy

    share = outside / max(rows, 1.0)
    count = rows / usual.repeats
    hits, chance = share * count, CHANCE / (len(names) + 1)
    with np.errstate(invalid="ignore"):
        least = np.where(hits > 0.0, betaincinv(np.maximum(hits, 1e-9), count - hits + 1.0, chance), 0.0)
    allowed = np.full(len(share), EACH)
    allowed[0] = JOINT
    beyond = least > BEYOND * np.maximum(allowed, usual.outside)
    moved = tuple(name for name, far in zip(names, beyond[1:].tolist(), strict=True) if far)
    return Drift(rows, float(count[0]), float(share[0]), float(usual.outside[0]), bool(beyond.any()), moved)
