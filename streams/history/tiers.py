"""How coarse the history is, and for how long: readings, then minutes, then hours of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streams.settings import Settings

DAY = 86400.0
FEW = 20_000
"""Spans of one point that a chart is made of, at most: as many as the explorer may be asked for."""


class Tier(NamedTuple):
    """One coarseness: its name, seconds of a span (0: each reading), and days for which it is kept (0: for good)."""

    name: str
    seconds: float
    days: float

    @property
    def kept(self) -> float:
        """For how many seconds it is kept."""
        return self.days * DAY or float("inf")


def tiers(found: Settings) -> tuple[Tier, Tier, Tier]:
    """List them, the finest first."""
    return (
        Tier("readings", 0.0, found.history_days),
        Tier("minutes", 60.0, found.history_minute_days),
        Tier("hours", 3600.0, found.history_hour_days),
    )


def fitting(
    listed: tuple[Tier, ...], since: Callable[[Tier], float], begin: float, end: float, interval: float
) -> Tier:
    """Choose the finest that gives no more than `FEW` spans of a time (unix seconds), and still has its beginning.

    `since` says from when on a tier is there. `interval` is how many seconds are between two readings: where that is
    more than a span has, spans are as many.
    """
    first = since(listed[-1])
    width = listed[-1].seconds  # the coarsest begins with the span that has the first reading in it
    here = [one for one in listed if since(one) < first + width or begin >= since(one)] or [listed[-1]]
    return next((one for one in here if (end - begin) / max(one.seconds, interval) <= FEW), here[-1])
