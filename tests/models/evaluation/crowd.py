"""Made flows of people through gates: a station with its two peaks, a square on weekends, wet days and chance."""

from __future__ import annotations

import numpy as np

from models.counts import DAY, HOUR, WEEK
from models.evaluation.tally import Stream

WINDOW = 900.0


def gates(weeks: int = 8, seed: int = 0) -> list[Stream]:
    """Make the crossings of two stations and two squares, each way, in windows of a quarter of an hour."""
    random = np.random.default_rng(seed)
    at = np.arange(int(weeks * WEEK / WINDOW)) * WINDOW
    hour, day = at % DAY / HOUR, at // DAY
    weekend = day % 7 >= 5
    rain = np.repeat(random.random(int(weeks * 7)) < 0.25, int(DAY / WINDOW))  # every fourth day is wet
    found = []
    for number in range(2):
        for way, peak in (("in", 8.3), ("out", 18.2)):
            rush = np.exp(-0.5 * ((hour - peak) / 0.9) ** 2) * np.where(weekend, 0.2, 1.0)
            found.append((f"station-{number}:{way}", 2.0 + 60.0 * (number + 1) * rush + 8.0 * _open(hour)))
            leisure = np.exp(-0.5 * ((hour - (16.0 if way == "in" else 21.0)) / 2.5) ** 2)
            found.append((f"square-{number}:{way}", 0.5 + 25.0 * (number + 1) * leisure * np.where(weekend, 2.0, 1.0)))
    return [
        Stream(
            name,
            int(1.7e9 // WEEK * WEEK // WINDOW),
            random.poisson(rate * np.where(rain, 0.7, 1.0) * random.gamma(8.0, 1.0 / 8.0, len(at))).astype(np.float64),
        )
        for name, rate in found
    ]


def _open(hour: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return ((hour >= 6.0) & (hour < 23.5)).astype(np.float64)
