"""The ranks are held to the rates that they name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arithmetic import ARRAYS, SCALARS
from models.calibration import FINEST, OFTEN, SELDOM, Hold, Peaks, hold, hold_one, peaks_over


def held(shares: np.ndarray) -> tuple[np.ndarray, Hold]:
    factors, told = Hold(1.0, 1.0), []
    for share in shares.tolist():
        one, factors = hold(SCALARS, factors, share, False)
        told.append(one)
    return np.array(told), factors


@pytest.mark.parametrize("off", [0.25, 0.5, 2.0, 4.0])
def test_shares_that_are_off_by_a_factor_come_as_often_as_they_say(off: float) -> None:
    shares = np.minimum(np.random.default_rng(1).random(40_000) * off, 1.0)
    told, _ = held(np.maximum(shares, FINEST))
    assert 0.8 < np.mean(told <= OFTEN) / OFTEN < 1.2
    assert 0.7 < np.mean(told <= SELDOM) / SELDOM < 1.3


def test_shares_that_come_in_runs_are_held_to_their_rate_over_few_readings() -> None:
    shares = np.full(4000, 0.5)
    for begin in range(200, 4000, 500):
        shares[begin : begin + 40] = FINEST  # 320 in 4 000, where 4 are due
    told, _ = held(shares)
    assert 2 <= np.sum(told <= SELDOM) <= 16


def test_the_tail_is_left_as_it_is_and_nothing_happens_while_learning() -> None:
    assert hold(SCALARS, Hold(8.0, 8.0), 1e-6, False)[0] == 1e-6
    assert hold(SCALARS, Hold(0.125, 0.125), FINEST, False)[0] == FINEST
    assert hold(SCALARS, Hold(2.0, 0.5), 1e-6, True)[1] == Hold(2.0, 0.5)


def test_factors_stay_within_reach_where_nothing_is_ever_rare() -> None:
    _, factors = held(np.ones(20_000))
    assert factors == Hold(1.0 / 16.0, 1.0 / 16.0)


def test_what_only_the_tail_can_say_does_not_silence_the_ranks() -> None:
    after = hold(SCALARS, Hold(1.0, 1.0), 1e-6, False)[1]
    assert after.often == 1.0 and after.seldom > 1.0
    assert hold(SCALARS, Hold(1.0, 1.0), FINEST, False)[1].often > 1.0


def test_a_rise_from_record_to_record_is_one_event_until_it_has_grown_by_half() -> None:
    peaks, told = Peaks(0.0, 1000.0, 0.0, -1e9), []
    for place, excess in enumerate([0.1, 0.12, 0.14, 0.16, 0.30, 0.2]):
        share, event, peaks = peaks_over(SCALARS, peaks, excess, 60.0 * place, 4500.0)
        told.append(event)
    assert told == [True, False, False, False, True, False]
    assert peaks.events == 5.0 and peaks.peak == 0.30  # each record counts for how often the range is left
    assert peaks_over(SCALARS, peaks, 0.01, 60.0 * 6 + 4501.0, 4500.0)[1]  # long after, anything is new
    assert share == 7.0 / 1001.0


@given(st.floats(0.0625, 16.0), st.floats(0.0625, 16.0), st.floats(1e-9, 1.0))
def test_one_reading_is_held_to_the_same_bits(often: float, seldom: float, share: float) -> None:
    held, *factors = hold_one(often, seldom, share)
    assert (held, Hold(*factors)) == hold(SCALARS, Hold(often, seldom), share, False)


def test_a_larger_share_is_never_told_as_the_smaller_one() -> None:
    shares = np.sort(np.random.default_rng(2).random(2000) ** 4)
    for often in (0.125, 1.0, 8.0):
        for seldom in (0.125, 1.0, 8.0):
            factors = Hold(np.full(2000, often), np.full(2000, seldom))
            told, _ = hold(ARRAYS, factors, shares, np.zeros(2000, np.bool_))
            assert np.all(np.diff(told) >= -1e-7)
            assert told.max() <= 1.0
