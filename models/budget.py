"""The budget of false alarms: what a row's alarms have spent of it, and how much more the next one must show for that.

A threshold on the tail comes as often as it says only where tails are what the tail supposes, and where nothing trends.
So it is held to its rate, as the ranks are (adaptive conformal inference, Gibbs & Candès 2021), on the scale of months:
each alarm spends one, time pays it back at the budget's rate, and while a row owes some the tail that is supposed is
the heavier. It is bounded: only so many are owed, and an excess that is certain needs no more than without debts.
Scores know nothing of it, nor does their order.
"""

from __future__ import annotations

from models.arithmetic import Arithmetic, Column
from models.calibration import tail

SLOWEST = 1e-15
"""Alarms a second that a budget is at least."""


def owed(op: type[Arithmetic], spent: Column, time: Column, rate: Column, free: float, most: float) -> Column:
    """Return how many alarms are not paid back `free` seconds after `time`, at most `most`.

    `rate` a second are paid back, all by the time `spent`.
    """
    return op.least(op.most(spent - time - free, 0.0) * op.most(rate, SLOWEST), most)


def spend(op: type[Arithmetic], spent: Column, time: Column, rate: Column, alarm: Column, most: float) -> Column:
    """Return until when the budget is spent, one more where there is an `alarm`."""
    each = 1.0 / op.most(rate, SLOWEST)
    return op.where(alarm, op.least(op.most(spent, time) + each, time + each * most), spent)


def enough(
    op: type[Arithmetic], share: Column, excess: Column, scale: Column, asked: Column, owes: Column, certain: float
) -> Column:
    """Return whether an excess (in ranges) is an alarm at the p-value `asked` of a row that `owes` alarms.

    `share`, `scale`: as in `calibration.tail`. From `certain` ranges on nothing that is owed counts. By the cube: one
    alarm too many is chance and asks for twice the excess, two for nine times.
    """
    stretch = scale * op.where(excess >= certain, 1.0, 1.0 + owes * owes * owes)
    return op.both(tail(share, excess, stretch) <= asked, excess > 0.0)
