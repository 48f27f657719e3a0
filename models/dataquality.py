"""The health of a point's readings, apart from risk: how long the value has not changed, and gaps between readings."""

from __future__ import annotations

from models.arithmetic import Arithmetic, Column


def flat_since(op: type[Arithmetic], since: Column, time: Column, dt: Column, still: Column, gap: Column) -> Column:
    """Return the time of the reading since which the value has not changed; `still`: nor has it now.

    It moves on over a gap: what a point measured while nothing was heard of it is not known, so `time` less this is
    how long the same value has been heard.
    """
    if not op.some(still):
        return time
    heard = since + op.where(gap, dt, 0.0) if op.some(gap) else since
    return op.where(still, heard, time)


def gap(elapsed: Column, interval: Column, intervals: float) -> Column:
    """Return whether more than `intervals` expected intervals (seconds) have passed between two readings."""
    return elapsed > interval * intervals


def turned(op: type[Arithmetic], value: Column, reference: Column, period: Column) -> Column:
    """Return the angle from `reference` to `value`, both within one circle of `period`: -period/2..period/2."""
    step = value - reference
    step = op.where(step > 0.5 * period, step - period, step)
    return op.where(step < -0.5 * period, step + period, step)
