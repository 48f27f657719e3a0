"""Alarms that ring too often: chattering ones, whose rings are folded until they calm down, and fleeting ones.

A folded ring is recorded and shown like any other, and sends people out where nobody is on their way: it only makes no
sound. A ring at a higher level than any since the chattering began is never folded.
"""

from __future__ import annotations

import msgspec


class Rings(msgspec.Struct, kw_only=True, gc=False):
    """When the alarm of one rule and scope rang of late, across the alarms that it was. The level is a rank."""

    times: list[float] = []  # arrival clock, at most as many as make it chatter
    chattering: bool = False
    level: int = 0  # the highest since it chatters
    folded: int = 0  # rings that were not to be heard since it chatters
    window: float = 600.0  # seconds within which they count, as the alarm's rule last said


def ring(rings: Rings, rank: int, clock: float, most: int, window: float) -> bool:
    """Note that an alarm rings at a rank; say whether this ring is folded.

    It chatters from the ring that is the `most`-th within `window` seconds; that one is still heard.
    """
    rings.window = window
    recent = [time for time in rings.times if time > clock - window]
    rings.times = [*recent[1 - most :], clock]
    if not rings.chattering:
        rings.chattering = len(rings.times) >= most
        rings.level = rank
        return False
    folded = rank <= rings.level
    rings.level = max(rings.level, rank)
    rings.folded += folded
    return folded


def calm_at(rings: Rings) -> float:
    """Return when the rings are so long ago that they are forgotten, and a chattering alarm has calmed down."""
    return rings.times[-1] + rings.window if rings.times else float("-inf")
