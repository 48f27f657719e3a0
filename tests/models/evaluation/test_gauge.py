"""The judge of time-to-limit, and the bank's bar on a real gauge where the data is at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation.gauge import HOUR, Foresight, etas, foresee, panels, read_gauge
from tests.models.recordings import creek, creep, river

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


def test_a_floor_is_crossed_downwards() -> None:
    time = HOUR * np.arange(100.0)
    value = np.where(time < 50 * HOUR, 5.0, 1.0)
    eta = np.where(time < 47 * HOUR, np.inf, HOUR)
    told = foresee(time, value, eta, 2.0, horizon=6 * HOUR, apart=6 * HOUR, below=True)
    assert (told.crossings, told.leads, told.false) == (1, (3 * HOUR,), 0)
    assert told.false_a_week == 0.0


def test_every_miss_and_false_warning_has_its_picture() -> None:
    time = HOUR * np.arange(300.0)
    value = np.zeros(300)
    value[[150, 250]] = 2.0
    eta = np.full(300, np.inf)
    eta[[20, 245]] = HOUR
    found = foresee(time, value, eta, 1.0, horizon=6 * HOUR, apart=6 * HOUR)
    drawn = panels(time, value, found)
    assert [one.title for one in drawn] == ["all readings", "false warning", "missed"]
    assert [one.title for one in panels(time, value, found, every=True)][-1] == "warned 5.0 h before"
    assert len(panels(time, value, found, most=1)) == 2


def judged_series(time: np.ndarray, value: np.ndarray, quantile: float) -> Foresight:
    limit = float(np.quantile(value, quantile))
    eta = etas(time, value, limit, float(time[1] - time[0]))
    return foresee(time, value, eta, limit, horizon=12 * HOUR, apart=12 * HOUR)


def test_made_rivers_are_warned_of_hours_ahead() -> None:
    told = [judged_series(*river(seed, days=165), 0.95) for seed in (10, 11, 12)]
    leads = [one.lead or 0.0 for each in told for one in each.crossed]
    assert len(leads) >= 10
    assert np.mean(np.array(leads) > 0.0) >= 0.9
    assert np.median(leads) >= 5 * HOUR
    assert sum(each.false for each in told) <= 0.40 * sum(each.warnings for each in told)  # 0.31 over eight seeds


def test_made_creeks_with_a_daily_swing_rarely_warn_wrongly() -> None:
    told = [judged_series(*creek(seed, days=42), 0.9) for seed in range(2)]
    assert all(each.false_a_week <= 1.0 for each in told)
    assert all(each.detected >= 0.8 * each.crossings > 0 for each in told)


def test_a_tide_read_by_the_hour_is_foreseen_though_it_bends_as_much_as_it_moves() -> None:
    time = HOUR * np.arange(24.0 * 21)
    value = 1.3 * np.cos(2 * np.pi * time / (12.42 * HOUR)) + 0.3 * np.cos(2 * np.pi * time / (12 * HOUR))
    told = judged_series(time, value, 0.95)
    assert told.detected >= 0.9 * told.crossings > 0


@pytest.mark.parametrize(("noise", "least"), [(0.15, 4 * HOUR), (0.5, 4 * HOUR)])
def test_inverse_velocity_warns_of_a_noisy_creep_hours_before_the_trend_does(noise: float, least: float) -> None:
    leads: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(2):
        time, value = creep(seed, noise=noise)
        limit = 0.7 * float(value.max())
        for creeps, found in leads.items():
            eta = etas(time, value, limit, 900.0, creeps=creeps)
            told = foresee(time, value, eta, limit, horizon=12 * HOUR, apart=12 * HOUR)
            assert (told.detected, told.false) == (1, 0)
            found.append(told.median_lead)
    assert np.median(leads[True]) >= least
    assert np.median(leads[True]) > np.median(leads[False])


@pytest.mark.skipif(not DATA.exists(), reason="the gauge's record is not at hand")
def test_the_trend_reaches_its_bar_on_a_river() -> None:
    told = judged_series(*read_gauge(DATA, "65565_00065"), 0.95)
    assert told.detected == told.crossings > 0
    assert told.median_lead >= 5 * HOUR
    assert told.false_share <= 0.35
