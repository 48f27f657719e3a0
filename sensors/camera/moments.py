"""The moments of an alarm that pictures are taken for, and which picture of a ring shows each."""

from __future__ import annotations

from collections.abc import Sequence

BEFORE, AFTER = 10.0, 5.0
"""Seconds before and after an alarm that its pictures span."""

MOST = 16
"""Pictures of one camera for one alarm."""

NEAR = 2.5
"""Seconds by which a picture may be off the moment that it stands for."""


def moments(count: int) -> tuple[float, ...]:
    """Spread so many moments evenly over the span, in seconds from the alarm; the alarm's own is always one."""
    if not 1 <= count <= MOST:
        raise ValueError(f"pictures of an alarm are 1 to {MOST}, not {count}")
    if count == 1:
        return (0.0,)
    step = (BEFORE + AFTER) / (count - 1)
    spread = [round(step * place - BEFORE, 1) for place in range(count)]
    spread[min(range(count), key=lambda place: abs(spread[place]))] = 0.0
    return tuple(spread)


def nearest(pictures: Sequence[tuple[float, bytes]], at: float) -> tuple[float, bytes] | None:
    """Choose the picture (unix time, JPEG) that is nearest to a unix time, None when none is near."""
    best = min(pictures, key=lambda one: abs(one[0] - at), default=None)
    return best if best is not None and abs(best[0] - at) <= NEAR else None
