"""Made recordings whose limits are to be foreseen: rivers, creeks with a daily swing, creeping slopes. Seeded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOUR = 3600.0
DAY = 24 * HOUR
START = 1_400_004_000.0  # a full hour


def river(seed: int, storage: float = 12.0, days: int = 120) -> tuple[Floats, Floats]:
    """Return hourly times and gage heights (ft) of a rain-fed river; see `rained`."""
    time, height, _ = rained(seed, storage, days)
    return time, height


def rained(seed: int, storage: float = 12.0, days: int = 120) -> tuple[Floats, Floats, Floats]:
    """Return hourly times, gage heights (ft) of a rain-fed river, and the rain (mm in the hour before).

    Storms come every six days on average (exponential depth, gamma duration); soil that is wet lets more run off; three
    linear reservoirs of `storage` hours each (Nash 1957) and a slow one for the groundwater; height by a rating curve.
    """
    random = np.random.default_rng(seed)
    hours = days * 24
    rain = np.zeros(hours)
    at = random.exponential(144.0)
    while at < hours:
        shares = random.gamma(1.5, 1.0, int(random.gamma(2.0, 6.0)) + 1)
        part = rain[int(at) : int(at) + len(shares)]
        part += random.exponential(18.0) * shares[: len(part)] / shares.sum()
        at += len(shares) + random.exponential(144.0)
    stores, ground, wet = np.zeros(3), 0.0, 0.3
    flow = np.empty(hours)
    for hour, fallen in enumerate(rain.tolist()):
        running = fallen * wet
        wet = min(0.9, max(0.1, wet + 0.012 * fallen * (1.0 - wet) - 0.0015 * wet))
        ground += 0.3 * running - ground / 60.0
        through = 0.7 * running
        for store in range(3):
            stores[store] += through
            through = stores[store] / storage
            stores[store] -= through
        flow[hour] = through + ground / 60.0 + 0.05
    height = 2.0 + 4.0 * np.sqrt(flow) + 0.003 * random.normal(size=hours)
    return START + HOUR * np.arange(hours), height.round(2), rain.round(1)


def creek(seed: int, days: int = 60, swing: float = 3.0) -> tuple[Floats, Floats]:
    """Return times (15 min) and values of a creek that swings daily, more on some days, about a slowly moving mean."""
    random = np.random.default_rng(seed)
    time = START + 900.0 * np.arange(days * 96)
    weather = np.cumsum(random.normal(size=days + 2)) * 0.4
    mean = np.interp(time, START + DAY * np.arange(days + 2), 10.0 + weather)
    size = np.interp(time, START + DAY * np.arange(days + 2), swing * random.uniform(0.8, 1.2, days + 2))
    turn = 2.0 * np.pi * time / DAY
    noise = 0.05 * random.normal(size=len(time))
    return time, (mean + size * (np.sin(turn) + 0.3 * np.sin(2.0 * turn)) + noise).round(2)


def creep(
    seed: int, *, fails: bool = True, interval: float = 900.0, days: float = 12.0, noise: float = 0.15
) -> tuple[Floats, Floats]:
    """Return times and displacement (mm) that creeps by inverse velocity until it fails, or that comes to rest."""
    random = np.random.default_rng(seed)
    time = START + interval * np.arange(int(days * DAY / interval))
    onset, failure = (START + days * DAY * random.uniform(*span) for span in ((0.2, 0.4), (0.9, 0.98)))
    time = time[time < failure]
    if fails:
        moved = 6.0 * np.log((failure - onset) / (failure - time))
    else:
        moved = 12.0 * (1.0 - np.exp(-np.maximum(time - onset, 0.0) / (0.1 * days * DAY)))
    value = np.where(time > onset, moved, 0.0) + noise * random.normal(size=len(time))
    return time, value.round(3)
