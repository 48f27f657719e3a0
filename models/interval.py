"""The expected time between readings, learnt from the first ones: what comes later is not known yet."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from itertools import islice, pairwise

FIRST = 200
"""Readings looked at."""


def usual_interval(times: Iterable[float]) -> float:
    """Return the median step forward (seconds) between the first `FIRST` times, 60 s when there is none."""
    steps = [later - sooner for sooner, later in pairwise(islice(times, FIRST)) if later > sooner]
    return statistics.median(steps) if steps else 60.0
