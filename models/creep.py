"""Inverse velocity: when a creeping slope or wall fails (Fukuzono 1985).

Before failure 1 / speed falls towards zero along a straight line: 1 / v = b (T - t). Speed is read off steps of
movement that stand out of the noise, not off single readings, so its inverse is seconds a step over the step; a
regression over the last steps, in O(1), tells b and T. From there the movement left until T - t seconds are down to s
is ln((T - t) / s) / b.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.arithmetic import Arithmetic, Column

Floats = npt.NDArray[np.float64]

QUANTITIES = frozenset({"displacement", "tilt", "inclination", "crack", "settlement", "convergence"})
"""What creeps before it fails, as sites name it."""

STEP = 5.0
"""Mean errors of the trend that make a step: 1 / v is then known to about a third."""
MEMORY = 12.0
"""Steps over which the regression reaches back."""
LEAST = 6.0
"""Steps from which it is believed."""
FIT = 0.6
"""Share of the variance of 1 / v that the line must explain."""
PAUSE = 3.0
"""Times the last step's duration after which no step means a stop, and another step another movement."""
_HALVINGS = 8
_LARGEST = 1e100  # its square is still a number


class Creep(NamedTuple):
    """Hold one point's regression. Inverse speeds are seconds a unit, signed by the direction."""

    place: Column  # units: where the last step ended
    since: Column  # unix seconds: when
    lasted: Column  # seconds that it took
    steps: Column
    time: Column  # means, and spreads about them
    inverse: Column
    time_spread: Column
    joint_spread: Column
    inverse_spread: Column


def follow(
    op: type[Arithmetic], fields: tuple[Column, ...], time: Column, level: Column, noise: Column, restart: Column
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Move on by a reading whose smoothed value is `level`; start afresh where `restart`."""
    creep = Creep(*fields)
    moved = level - creep.place
    taken = op.both(op.size(moved) > noise * STEP, op.both(creep.since > 0.0, time > creep.since))
    lasted = time - creep.since
    inverse = op.least(op.most(lasted / op.where(taken, moved, 1.0), -_LARGEST), _LARGEST)
    turned = inverse * creep.inverse < 0.0
    broken = op.either(lasted > creep.lasted * PAUSE, creep.lasted > lasted * PAUSE)
    steps = op.where(op.either(turned, broken), 1.0, creep.steps + 1.0)
    gain = op.most(1.0 / steps, 1.0 / MEMORY)
    keep = 1.0 - gain
    off, away = time - 0.5 * lasted - creep.time, inverse - creep.inverse
    new = Creep(
        level,
        time,
        lasted,
        steps,
        creep.time + gain * off,
        creep.inverse + gain * away,
        keep * (creep.time_spread + gain * off * off),
        keep * (creep.joint_spread + gain * off * away),
        keep * (creep.inverse_spread + gain * away * away),
    )
    started = op.either(restart, creep.since == 0.0)
    first = Creep(level, time, *(0.0 * level for _ in range(7)))
    return tuple(
        op.where(started, fresh, op.where(taken, stepped, old))
        for fresh, stepped, old in zip(first, new, creep, strict=True)
    ), ()


def failing(fields: Floats, time: Floats, distance: Floats, rising: npt.NDArray[np.bool_]) -> Floats:
    """Return seconds (f8[n]) until a movement of `distance` (f8[n], > 0) more, inf where nothing is failing that way.

    `fields` f8[n, Creep], `time` f8[n] unix seconds now, `rising` bool[n] the direction asked about.
    """
    creep = Creep(*fields.T)
    with np.errstate(all="ignore"):
        slope = creep.joint_spread / creep.time_spread
        fit = creep.joint_spread * creep.joint_spread / (creep.time_spread * creep.inverse_spread)
        left = creep.time - creep.inverse / slope - time
        fails = (
            (creep.steps >= LEAST)
            & (fit >= FIT)
            & (slope * creep.inverse < 0.0)
            & (left > 0.0)
            & ((creep.inverse > 0.0) == rising)
            & (time - creep.since <= PAUSE * creep.lasted)
        )
        told = left * (1.0 - _fallen(np.abs(slope) * distance))
    return np.where(fails & np.isfinite(told), told, np.inf)


def _fallen(x: Floats) -> Floats:
    """Return exp(-x) within 1e-3 for x >= 0, in operations that give the same bits everywhere."""
    fallen = 1.0 / (1.0 + x / 2.0**_HALVINGS)
    for _ in range(_HALVINGS):
        fallen = fallen * fallen
    return np.asarray(fallen, np.float64)
