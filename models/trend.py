"""A damped trend for irregular readings, and the time until it crosses a limit.

Holt's linear trend with damping (Gardner & McKenzie 1985), its gains made functions of elapsed time in rational form
(dt / (dt + tau), backward Euler), and damped hyperbolically: over a horizon h the level moves by
slope * h * D / (D + h). That needs no `exp` or `log`, so it is exact to the bit everywhere, and the crossing has a
closed form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arithmetic import Arithmetic, Column


class Trend(NamedTuple):
    """Hold one point's trend, time in steps of its pace. Flags are 1.0 while a slope stands out of the noise."""

    level: Column  # units
    slope: Column  # units a step
    drift: Column  # the slope averaged for long: sees a creep that a noisy point's slope cannot show
    noise: Column  # mean absolute one-step error, units
    count: Column  # readings since the last reset
    moving: Column  # flag of slope
    drifting: Column  # flag of drift


class Pace(NamedTuple):
    """Set a trend's time constants, steps, and when a slope stands out of the noise."""

    level: float
    slope: float
    damping: float  # of slope
    drift: float
    noise: float
    enter: float  # a slope stands out from this many times the noise, moved over its time constant ...
    leave: float  # ... until it falls below this many


def advance(op: type[Arithmetic], trend: Trend, pace: Pace, elapsed: Column, value: Column, reset: Column) -> Trend:
    """Move the trend on by a reading `elapsed` steps later; start afresh where `reset`."""
    count = trend.count + 1.0
    first = 1.0 / count
    carried = trend.slope * (pace.damping / (elapsed + pace.damping))
    error = value - (trend.level + carried * elapsed)
    gain = elapsed / (elapsed + pace.level)
    level = value - error * (1.0 - op.most(gain, first))
    slope = carried + error * gain / (elapsed + pace.slope)
    drift = trend.drift + (slope - trend.drift) * (elapsed / (elapsed + pace.drift))
    noise = trend.noise + (op.size(error) - trend.noise) * op.most(elapsed / (elapsed + pace.noise), first)
    enter, leave = noise * pace.enter, noise * pace.leave
    moving = op.where(op.size(slope) * pace.slope > op.where(trend.moving > 0.0, leave, enter), 1.0, 0.0)
    drifting = op.where(op.size(drift) * pace.drift > op.where(trend.drifting > 0.0, leave, enter), 1.0, 0.0)
    new = Trend(level, slope, drift, noise, count, moving, drifting)
    if not op.some(reset):
        return new
    fresh = Trend(value, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return Trend(*(op.where(reset, start, grown) for start, grown in zip(fresh, new, strict=True)))


def crossing(
    level: npt.NDArray[np.float64],
    slope: npt.NDArray[np.float64],
    moving: npt.NDArray[np.bool_],
    limit: npt.NDArray[np.float64],
    below: npt.NDArray[np.bool_],
    damping: float,
    horizon: float,
) -> npt.NDArray[np.float64]:
    """Return steps until the damped trend reaches `limit`: 0 if the level is there, inf if not within `horizon`."""
    distance = np.where(below, level - limit, limit - level)
    speed = np.where(below, -slope, slope)
    advancing = moving & (speed > 0.0)
    straight = distance / np.where(advancing, speed, 1.0)
    reaches = advancing & (straight < damping)
    time = straight * damping / np.where(reaches, damping - straight, 1.0)
    return np.where(distance <= 0.0, 0.0, np.where(reaches & (time <= horizon), time, np.inf))
