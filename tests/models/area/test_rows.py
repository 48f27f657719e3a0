"""Rows of a common clock."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.rows import RowsError, common_rows


def test_the_last_value_is_held_and_long_holds_are_marked() -> None:
    quick = np.arange(0.0, 200.0, 10.0)
    halting = np.concatenate([np.arange(5.0, 60.0, 10.0), np.arange(155.0, 200.0, 10.0)])
    rows = common_rows([quick, halting], [quick, halting], ["quick", "halting"])
    assert rows.interval == 10.0
    assert rows.time[0] == 5.0
    assert rows.values[0].tolist() == [0.0, 5.0]
    assert rows.values[1].tolist() == [10.0, 15.0]
    at = int((120.0 - 5.0) / 10.0)
    assert rows.values[at].tolist() == [110.0, 55.0]
    assert rows.gap[at]
    assert not rows.gap[3]


def test_the_clock_may_be_that_of_the_model_which_is_to_judge() -> None:
    time = np.arange(0.0, 200.0, 10.0)
    rows = common_rows([time, time], [time, time], ["a", "b"], 40.0)
    assert rows.interval == 40.0
    assert rows.time.tolist() == [0.0, 40.0, 80.0, 120.0, 160.0]
    assert rows.values[:, 0].tolist() == rows.time.tolist()
    assert not rows.gap.any()


def test_a_point_without_readings_is_named() -> None:
    with pytest.raises(RowsError, match="silent has 1"):
        common_rows([np.arange(5.0), np.zeros(1)], [np.arange(5.0), np.zeros(1)], ["live", "silent"])


def test_points_without_common_time_and_endless_rows_are_refused() -> None:
    with pytest.raises(RowsError, match="no time in common"):
        common_rows([np.arange(5.0), np.arange(90.0, 90.1, 0.05)], [np.zeros(5), np.zeros(2)], ["a", "b"])
    with pytest.raises(RowsError, match="shorter range"):
        common_rows([np.array([0.0, 1.0, 2.0, 9e9])], [np.zeros(4)], ["a"])
