"""A damped trend for irregular readings, and the time until it crosses a limit.

Holt's linear trend with damping (Gardner & McKenzie 1985), its gains made functions of elapsed time in rational form
(dt / (dt + tau), backward Euler), and damped hyperbolically: over a horizon h the level moves by
slope * h * D / (D + h). That needs no `exp` or `log`, so it is exact to the bit everywhere, and the crossing has a
closed form. A slope that is already falling dies out as fast as it is seen to: the curve's bend at h = 0 is
-2 * slope / D, so a bend that is seen gives its own D.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arithmetic import Arithmetic, Column

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Trend(NamedTuple):
    """Hold one point's trend, time in steps of its pace. Flags say that a slope stands out of the noise."""

    level: Column  # units
    slope: Column  # units a step
    drift: Column  # the slope averaged for long: sees a creep that a noisy point's slope cannot show
    noise: Column  # mean absolute one-step error, units
    count: Column  # readings since the last reset
    moving: Column  # flag of slope
    drifting: Column  # flag of drift
    bend: Column  # how the slope changes, units a step and step


class Pace(NamedTuple):
    """Set a trend's time constants, steps, and when a slope stands out of the noise."""

    level: float
    slope: float
    damping: float  # of slope
    drift: float
    noise: float
    bend: float
    enter: float  # a slope stands out from this many times the noise, moved over its time constant ...
    leave: float  # ... until it falls below this many


def advance(op: type[Arithmetic], trend: Trend, pace: Pace, elapsed: Column, value: Column, reset: Column) -> Trend:
    """Move the trend on by a reading `elapsed` steps later; start afresh where `reset`."""
    count = trend.count + 1.0
    first = 1.0 / count
    carried = trend.slope * (pace.damping / (elapsed + pace.damping))
    error = value - (trend.level + carried * elapsed)
    gain, to_drift, to_noise = op.gains(elapsed, (pace.level, pace.drift, pace.noise))
    level = value - error * (1.0 - op.most(gain, first))
    slope = carried + error * gain / (elapsed + pace.slope)
    drift = trend.drift + (slope - trend.drift) * to_drift
    bend = trend.bend + (slope - trend.slope - trend.bend * elapsed) / (elapsed + pace.bend)
    noise = trend.noise + (op.size(error) - trend.noise) * op.most(to_noise, first)
    moving = op.size(slope) * pace.slope > noise * op.where(trend.moving, pace.leave, pace.enter)
    drifting = op.size(drift) * pace.drift > noise * op.where(trend.drifting, pace.leave, pace.enter)
    new = Trend(level, slope, drift, noise, count, moving, drifting, bend)
    if not op.some(reset):
        return new
    fresh = Trend(value, 0.0, 0.0, 0.0, 1.0, False, False, 0.0)
    return Trend(*(op.where(reset, start, grown) for start, grown in zip(fresh, new, strict=True)))


def advance_one(
    pace: Pace, elapsed: float, value: float, level: float, slope: float, drift: float, noise: float, count: float,
    moving: bool, drifting: bool, bend: float,
) -> tuple[float, float, float, float, float, bool, bool, float]:  # fmt: skip
    """Do the same for one trend that is not reset, in plain Python, to the same bits."""
    to_level, to_slope, damping, to_drift, to_noise, to_bend, enter, leave = pace
    count += 1.0
    first = 1.0 / count
    carried = slope * (damping / (elapsed + damping))
    error = value - (level + carried * elapsed)
    gain = elapsed / (elapsed + to_level)
    level = value - error * (1.0 - (gain if gain > first else first))
    before = slope
    slope = carried + error * gain / (elapsed + to_slope)
    drift += (slope - drift) * (elapsed / (elapsed + to_drift))
    bend += (slope - before - bend * elapsed) / (elapsed + to_bend)
    gain = elapsed / (elapsed + to_noise)
    noise += (abs(error) - noise) * (gain if gain > first else first)
    moving = abs(slope) * to_slope > noise * (leave if moving else enter)
    drifting = abs(drift) * to_drift > noise * (leave if drifting else enter)
    return level, slope, drift, noise, count, moving, drifting, bend


def damped(slope: Floats, bend: Floats, damping: float) -> Floats:
    """Return the steps (f8[n]) over which slopes die out: `damping`, sooner where they are seen to fall."""
    falling = np.where(slope > 0.0, -bend, bend)
    seen = np.maximum(falling, 0.0) / np.where(slope == 0.0, 1.0, 2.0 * np.abs(slope))
    return 1.0 / (1.0 / damping + seen)


def crossing(
    level: Floats, slope: Floats, moving: Bools, limit: Floats, below: Bools, damping: Floats | float, horizon: float
) -> Floats:
    """Return steps until the damped trend reaches `limit`: 0 if the level is there, inf if not within `horizon`."""
    distance = np.where(below, level - limit, limit - level)
    speed = np.where(below, -slope, slope)
    advancing = moving & (speed > 0.0)
    straight = distance / np.where(advancing, speed, 1.0)
    reaches = advancing & (straight < damping)
    time = straight * damping / np.where(reaches, damping - straight, 1.0)
    return np.where(distance <= 0.0, 0.0, np.where(reaches & (time <= horizon), time, np.inf))


def swinging(
    level: Floats, slope: Floats, damping: Floats, now: Floats, profile: Floats, lead: Floats, limit: Floats,
    below: Bools,
) -> Floats:  # fmt: skip
    """Return steps until trend and daily profile together reach `limit`, inf if not within the profile given.

    `now` f8[n] is the profile now, `profile` f8[n, hours] what it is `lead` f8[n, hours] steps from now.
    """
    side = np.where(below, -1.0, 1.0)[:, None]
    until = np.concatenate([np.zeros((len(level), 1)), lead], axis=1)
    path = level[:, None] + slope[:, None] * until * (damping[:, None] / (damping[:, None] + until))
    short = side * (limit[:, None] - path - np.concatenate([now[:, None], profile], axis=1))
    at = (short <= 0.0).argmax(axis=1)
    each = np.arange(len(level))
    last = np.maximum(at - 1, 0)
    was, over = short[each, last], -short[each, at]
    part = was / np.where(was + over > 0.0, was + over, 1.0)
    time = until[each, last] + (until[each, at] - until[each, last]) * part
    return np.where(short[each, at] <= 0.0, np.where(at == 0, 0.0, time), np.inf)
