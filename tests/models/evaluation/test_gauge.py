"""The judge of time-to-limit, and the bank's bar on a real gauge where the data is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation.gauge import HOUR, Foresight, foresee
from models.evaluation.run import gauge_figures

DATA = Path(__file__).parents[4] / "shared" / "data" / "water" / "keag_first_half.csv"


def judged(warned: list[int]) -> Foresight:
    time = HOUR * np.arange(100.0)
    value = np.zeros(100)
    value[50:60] = 2.0
    eta = np.full(100, np.inf)
    eta[warned] = 3 * HOUR
    return foresee(time, value, eta, 1.0, horizon=6 * HOUR, apart=6 * HOUR)


def test_a_warning_under_way_at_the_crossing_detects_it_with_its_lead() -> None:
    told = judged([45, 46, 47, 48, 49])
    assert (told.crossings, told.detected, told.warnings, told.false) == (1, 1, 1, 0)
    assert told.median_lead == 5 * HOUR


def test_a_warning_that_nothing_follows_is_false() -> None:
    told = judged([10, 11, 48])
    assert (told.detected, told.warnings, told.false) == (1, 2, 1)
    assert told.false_share == 0.5


def test_no_warning_is_no_detection() -> None:
    told = judged([])
    assert (told.crossings, told.detected) == (1, 0)
    assert told.median_lead == 0.0


@pytest.mark.skipif(not DATA.exists(), reason="the gauge's record is not at hand")
def test_the_trend_reaches_its_bar_on_a_river() -> None:
    told = gauge_figures(DATA)
    assert told["detected"] == told["crossings"]
    assert float(str(told["median lead h"])) >= 3.5
    assert float(str(told["false share"])) <= 0.40
