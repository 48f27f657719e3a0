"""A small plant: five channels driven by two causes, one of them a slow swing, with noise of their own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NAMES = ("pressure", "flow", "current", "heat", "speed")
MIX = np.array([[1.0, 0.8, 0.5, 0.0, 0.3], [0.0, 0.4, -0.6, 1.0, 0.9]])


def plant(rows: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return times, f8[rows], and values, f8[rows, 5]."""
    random = np.random.default_rng(seed)
    time = 1.7e9 + 10.0 * np.arange(rows)
    causes = np.stack([np.sin(np.arange(rows) / 9.0), random.normal(size=rows)], axis=1)
    values = 100.0 + 5.0 * (causes @ MIX) + 0.5 * random.normal(size=(rows, 5))
    return time, values
