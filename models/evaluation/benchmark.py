"""What the bank reaches on a benchmark: NAB's scores, the rate of its scores against what they name, its alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from models.evaluation import nab

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEARNING = 100
"""Readings at the start that have no score yet and are not counted."""


class ProfileFigures(msgspec.Struct, frozen=True):
    """Say what one of NAB's profiles makes of the scores: with the best threshold, and with one from the other half."""

    profile: str
    score: float
    threshold: float
    hits: int
    windows: int
    false: int
    held_out: tuple[float, float]  # second half by the first half's threshold, and the other way round


class Rates(msgspec.Struct, frozen=True):
    """Hold one series' quiet readings against what the scores and the budget name."""

    series: str
    readings: int  # outside all windows, after learning
    varies: bool  # false: it never moves, so that nothing can come as often as it should
    often: float  # readings at 0.99 or more, over how many there should be
    seldom: float  # readings at 0.999 or more, over how many there should be
    alarms: int  # at the shipped budget, outside all windows
    days: float  # that those readings took


class Load(msgspec.Struct, frozen=True):
    """Sum up rates."""

    series: int  # that move at all
    within: dict[str, float]  # share of them between half and twice, by level
    alarms_per_day: float  # a point


def profiles(series: Sequence[nab.Series], scores: Mapping[str, Floats]) -> list[ProfileFigures]:
    """Return the figures of each profile."""
    first, second = nab.halves(series)
    told = []
    for name, profile in nab.PROFILES.items():
        best = nab.judge(series, scores, profile)
        held = [
            nab.judge(other, scores, profile, nab.judge(mine, scores, profile).threshold).score
            for mine, other in ((first, second), (second, first))
        ]
        told.append(
            ProfileFigures(name, best.score, best.threshold, best.hits, best.windows, best.false, (held[0], held[1]))
        )
    return told


def quiet(one: nab.Series) -> Bools:
    """Return which readings lie outside all windows and after learning, bool[n]."""
    found = np.ones(len(one.time), np.bool_)
    found[:LEARNING] = False
    for first, last in one.windows:
        found[first : last + 1] = False
    return found


def rates(series: Sequence[nab.Series], scores: Mapping[str, Floats], alarms: Mapping[str, Bools]) -> list[Rates]:
    """Return observed over nominal rates of each series where it is quiet."""
    told = []
    for one in series:
        calm = quiet(one)
        count = int(calm.sum())
        score = scores[one.name][calm]
        often, seldom = (
            float(np.mean(score >= level - 1e-12)) / (1.0 - level) if count else 0.0 for level in (0.99, 0.999)
        )
        told.append(
            Rates(
                one.name,
                count,
                bool(np.ptp(one.value) > 0.0),
                often,
                seldom,
                int(np.sum(alarms[one.name] & calm)),
                float(np.diff(one.time, prepend=one.time[0])[calm].sum()) / 86400.0,
            )
        )
    return told


def load(found: Sequence[Rates]) -> Load:
    """Sum up rates of several series; one that never moves counts for alarms only."""
    moving = [one for one in found if one.varies]
    days = sum(one.days for one in found)
    return Load(
        len(moving),
        {
            level: sum(0.5 <= ratio <= 2.0 for ratio in ratios) / len(moving) if moving else 1.0
            for level, ratios in (
                ("0.99", [one.often for one in moving]),
                ("0.999", [one.seldom for one in moving]),
            )
        },
        sum(one.alarms for one in found) / days if days else 0.0,
    )
