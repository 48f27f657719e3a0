"""Where a point's latest readings lead: the damped trend of `models.trend` drawn ahead, with the range it has.

For a chart, from readings alone. It knows no daily swing, no driver and no creep: those are the bank's (`models.eta`),
and so is every alarm.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models import trend
from models.scoring import BankSettings, pace_of

Floats = npt.NDArray[np.float64]

SETTINGS = BankSettings()


class Outlook(NamedTuple):
    """Hold a path from the trend's level at the last reading on, and when it crosses the limit."""

    time: Floats  # f8[n], unix seconds; the first is the last reading's
    value: Floats  # f8[n], units
    low: Floats  # f8[n]; between low and high it lies about eight times in ten
    high: Floats  # f8[n]
    eta: (
        tuple[float, float, float] | None
    )  # seconds from the last reading: expected, soonest, latest (inf: maybe never)


def outlook(
    time: Floats,
    value: Floats,
    interval: float,
    ahead: float,
    limit: float | None = None,
    *,
    below: bool = False,
    steps: int = 24,
    settings: BankSettings = SETTINGS,
) -> Outlook | None:
    """Follow readings and draw their trend `ahead` seconds on.

    `time` f8[n] unix seconds in order, `value` f8[n] finite; `interval` the seconds expected between readings. None
    while the trend is learning, and when no movement stands out of the noise. `eta` is None without a limit, past it,
    and where the trend does not reach it within the bank's horizon. `below`: the limit is a floor.
    """
    line = _follow(time, value, interval, settings)
    if line is None or line.count < settings.trend_learn or not (line.moving or line.drifting):
        return None
    tempo, spread = max(interval, settings.least), settings.trend_spread
    moves = _moves(line, settings)
    steps_on = np.linspace(0.0, ahead, steps + 1) / tempo

    def path(faster: float) -> Floats:
        each = [slope * faster * steps_on * (reach / (reach + steps_on)) for slope, reach in stretched(faster)]
        farthest = np.max(np.abs(each), axis=0)  # all go the same way
        return np.asarray(line.level + np.sign(moves[0][0]) * farthest, np.float64)

    def stretched(faster: float) -> list[tuple[float, float]]:
        return [(slope, reach * faster * faster) for slope, reach in moves]

    def crossed(faster: float) -> float:
        slope, reach = np.array(stretched(faster)).T
        every = np.ones(len(slope), np.bool_)
        level, goal = np.full(len(slope), line.level), np.full(len(slope), limit, np.float64)
        told = trend.crossing(level, slope * faster, every, goal, every & below, reach, settings.trend_horizon)
        return float(told.min()) * tempo

    slower, faster = path(1.0 / spread), path(spread)
    eta = None
    if limit is not None and 0.0 < (expected := crossed(1.0)) < np.inf:
        eta = expected, crossed(spread), crossed(1.0 / spread)
    low, high = np.minimum(slower, faster), np.maximum(slower, faster)
    return Outlook(steps_on * tempo + time[-1], path(1.0), low, high, eta)


def _moves(line: trend.Trend, settings: BankSettings) -> list[tuple[float, float]]:
    """List the slopes that stand out (units a step) with the steps over which each dies out, as `models.eta` does."""
    moves = []
    if line.moving:
        reach = trend.damped(np.array([line.slope]), np.array([line.bend]), settings.trend_reach)
        moves.append((line.slope, float(reach[0])))
    if line.drifting and not (line.moving and line.slope * line.drift < 0.0):
        moves.append((line.drift, settings.drift_damping))
    return moves


def _follow(time: Floats, value: Floats, interval: float, settings: BankSettings) -> trend.Trend | None:
    """Follow the readings after the last gap, as a bank's row does; None without any.

    A gap is told by the pace, not by `interval`: of fast readings the older ones are known by their minutes only.
    """
    if not len(time):
        return None
    pace, tempo = pace_of(settings), max(interval, settings.least)
    gaps = np.flatnonzero(np.diff(time) > tempo * settings.gap)
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    line = trend.Trend(float(value[first]), 0.0, 0.0, 0.0, 1.0, False, False, 0.0)
    elapsed = np.diff(time[first:]) / tempo
    for step, one in zip(elapsed.tolist(), value[first + 1 :].tolist(), strict=True):
        line = trend.Trend(*_next(pace, step, one, line))
    return line


def _next(
    pace: trend.Pace, step: float, value: float, line: trend.Trend
) -> tuple[float, float, float, float, float, bool, bool, float]:
    level, slope, drift, noise, count, moving, drifting, bend = line
    return trend.advance_one(pace, step, value, level, slope, drift, noise, count, moving, drifting, bend)
