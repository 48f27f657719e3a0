"""Observed over nominal."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.budget import alarms_per_day, calibration_of


def test_a_perfect_score_has_ratio_one() -> None:
    score = np.concatenate([np.ones(100), np.arange(1000) / 1000.0])
    told = calibration_of([score, np.zeros(1100)], 0.01)
    assert told.ratios == pytest.approx((1.0, 0.0))
    assert told.within(0.5, 2.0) == 0.5
    assert told.median == pytest.approx(0.5)


def test_alarms_per_day_counts_points_and_days() -> None:
    time = np.array([0.0, 86400.0])
    assert alarms_per_day([np.array([True, True]), np.array([False, False])], [time, time]) == 1.0
