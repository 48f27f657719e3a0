"""Hold scores and alarms against what they promise: observed over nominal rate, and alarms a point and day."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True):
    """Say how often scores reached a level, against how often they should: one ratio a series, 1 is perfect."""

    nominal: float
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """Return the median ratio."""
        return float(np.median(self.ratios))

    def within(self, low: float, high: float) -> float:
        """Return the share of series whose ratio lies in low..high."""
        ratios = np.array(self.ratios)
        return float(np.mean((ratios >= low) & (ratios <= high)))


def calibration_of(scores: Sequence[Floats], nominal: float, skip: int = 100) -> Calibration:
    """Return observed over nominal rate of `score >= 1 - nominal` per series, without the first `skip` readings."""
    return Calibration(
        nominal, tuple(float(np.mean(each[skip:] >= 1.0 - nominal - 1e-12)) / nominal for each in scores)
    )


def alarms_per_day(alarms: Sequence[npt.NDArray[np.bool_]], times: Sequence[Floats]) -> float:
    """Return alarms per point and day over series of alarm flags and their times (unix seconds)."""
    days = sum(float(time[-1] - time[0]) for time in times) / 86400.0
    return sum(int(each.sum()) for each in alarms) / days if days else 0.0
