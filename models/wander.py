"""Slow creeps: the mean of the last day against the range that it kept in the four weeks before.

A point that moves by less a day than its noise takes every other range along: each reading is hardly further out than
one before it, and the next one is back inside. So the range that is compared with does not hold what is going on now:
the running four weeks are remembered apart, and only the ones before them are compared with. What moves on for weeks
then stands off by more and more. It is told from as many ranges on as are certain whatever the budget owes
(`models.budget`), and what was told becomes part of the range.

The mean of a whole day has no daily swing in it, and of noise little. A mean's weeks have weekends in them.
"""

from __future__ import annotations

from typing import NamedTuple

from models.arithmetic import Arithmetic, Column
from models.novelty import NARROW, TINIEST, UTMOST

KEPT = 28 * 24.0
"""Hours that each range is of."""
APART = 2 * 86400.0
"""Seconds after an early event in which a day's mean tells nothing: it follows what was told then."""
_BITS = 1e-6  # of a mean: less is the rounding of single precision


class Weeks(NamedTuple):
    """Hold the ranges of the day's mean: of the four weeks that are running, and of those before."""

    low: Column
    high: Column
    before_low: Column
    before_high: Column


class Wander(NamedTuple):
    """Say how far the mean of the last day has wandered."""

    excess: Column  # 0 inside the range, else the distance outside in units of the range
    mean: Column
    low: Column  # the range that was compared with
    high: Column


NO_WANDER = Wander(0.0, 0.0, 0.0, 0.0)


def wandered(
    op: type[Arithmetic], weeks: Weeks, mean: Column, origin: Column, learnt: Column, certain: float
) -> tuple[Wander, Weeks]:
    """Hold the mean of the last day, as it is known at a full hour, against its range; return the ranges after it.

    `mean` and `weeks` are told from `origin` on. `learnt`: hours known by now, this one counted. An excess of `certain`
    ranges and more becomes part of the range.
    """
    begins = learnt - op.whole((learnt - 1.0) / KEPT) * KEPT == 1.0
    before_low, before_high = (
        op.where(begins, now, was) for now, was in ((weeks.low, weeks.before_low), (weeks.high, weeks.before_high))
    )
    beyond = op.most(mean - before_high, before_low - mean)
    least = op.most(op.size(origin + mean) * NARROW + op.size(mean) * _BITS, TINIEST)
    known = op.both(learnt > KEPT, beyond > least)
    excess = op.where(known, op.least(beyond / op.most(before_high - before_low, least), UTMOST), 0.0)
    told = excess >= certain
    after = Weeks(
        op.where(begins, mean, op.least(weeks.low, mean)),
        op.where(begins, mean, op.most(weeks.high, mean)),
        op.where(told, op.least(before_low, mean), before_low),
        op.where(told, op.most(before_high, mean), before_high),
    )
    return Wander(excess, origin + mean, origin + before_low, origin + before_high), after
