"""What a value leaves of its daily swing: the novelty of range of a reading for its hour.

The swing is the profile that `models.season` learns, about the mean of the last 24 hours. Days are early and late, so a
reading is as usual wherever the profile has been from an hour before to the hour after; the residual is how far it lies
outside of that. Its range is remembered in two generations, as the other streams' are (`models.novelty`), and is no
narrower than the profile's own error: a swing that repeats itself to the last bit must not make news of a float's.
"""

from __future__ import annotations

from typing import NamedTuple

from models.arithmetic import Arithmetic, Column
from models.novelty import UTMOST

KNOWN = 48.0
"""Hours that the swing must have been there before a residual counts ..."""
YOUNG = 72.0
"""... and at which it counts half: a young range still grows."""
ERRORS, SWINGS = 4.0, 0.1
"""The range reaches at least so many root mean square errors of the profile, and of what it explains, about nothing."""
REACH = 2.0
"""Widths that one reading may widen the range by: a lone spike must not hide for weeks what comes after it."""
LARGEST = 1e18
"""More is not kept: it does not fit single precision, nor does its square."""
_BITS = 1e-6  # of the range: less is the rounding of single precision


class Departure(NamedTuple):
    """Say how a reading departs from what is usual at its hour."""

    swing: Column  # the daily profile at its time
    excess: Column  # 0 inside the range, else the distance outside in units of the range
    low: Column  # the range that was compared with, as values of this hour
    high: Column


NO_DEPARTURE = Departure(0.0, 0.0, 0.0, 0.0)


class Range(NamedTuple):
    """Hold the residual's range: running generation and the one before, each with 0 in it."""

    low: Column
    high: Column
    before_low: Column
    before_high: Column


def depart(
    op: type[Arithmetic], ranges: Range, profile: tuple[Column, ...], part: Column, mean: Column, spread: Column,
    missed: Column, swung: Column, value: Column, over: Column,
) -> tuple[Departure, Range]:  # fmt: skip
    """Hold a value against its hour's profile and the residual's range; return what is told and the range after it.

    `profile`: at the full hours from the one before its own to the second after, and `part` of its hour that has
    passed. `mean`: of the last day; `spread`, `missed`: variance without and with the profile. `swung`: hours that the
    swing has been there, 0 where nothing is known (the mean after a gap is not). `over`: a new generation begins.
    """
    before, first, second, after = profile
    low = op.least(op.least(before, first), op.least(second, after)) + mean
    high = op.most(op.most(before, first), op.most(second, after)) + mean
    rest = op.most(value - high, 0.0) + op.least(value - low, 0.0)
    ranges = Range(
        op.where(over, 0.0, ranges.low),
        op.where(over, 0.0, ranges.high),
        op.where(over, ranges.low, ranges.before_low),
        op.where(over, ranges.high, ranges.before_high),
    )
    error = op.root(ERRORS * ERRORS * missed + SWINGS * SWINGS * spread)
    lowest = op.least(op.least(ranges.low, ranges.before_low), -error)
    highest = op.most(op.most(ranges.high, ranges.before_high), error)
    width = highest - lowest
    beyond = op.most(rest - highest, lowest - rest)
    young = YOUNG / op.most(swung, 1.0)
    excess = beyond / op.where(width > 0.0, width * (1.0 + young * young), 1.0)
    told = op.both(swung >= KNOWN, beyond > width * _BITS)
    reach = width * REACH
    kept = op.least(op.most(rest, op.most(lowest - reach, -LARGEST)), op.least(highest + reach, LARGEST))
    kept = op.where(swung > 0.0, kept, 0.0)
    after_it = ranges._replace(low=op.least(ranges.low, kept), high=op.most(ranges.high, kept))
    swing = first + (second - first) * part
    return Departure(swing, op.where(told, op.least(excess, UTMOST), 0.0), low + lowest, high + highest), after_it
