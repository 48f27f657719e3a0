"""Held-out scores, and observed over nominal."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import benchmark
from models.evaluation.nab import Series


def series(name: str, windows: tuple[tuple[int, int], ...] = (), moves: bool = True) -> Series:
    return Series(name, 864.0 * np.arange(1100), np.arange(1100.0) * moves, windows)


def test_a_score_that_comes_as_often_as_it_names_has_ratio_one() -> None:
    ranks = np.concatenate([np.ones(100), np.arange(1000) / 1000.0])
    made = [series("a"), series("b"), series("c", moves=False)]
    scores = {"a": ranks, "b": np.zeros(1100), "c": np.zeros(1100)}
    told = benchmark.rates(made, scores, {one.name: np.zeros(1100, np.bool_) for one in made})
    assert [(one.often, one.seldom) for one in told[:2]] == [pytest.approx((1.0, 1.0)), (0.0, 0.0)]
    summed = benchmark.load(told)
    assert (summed.series, summed.within) == (2, {"0.99": 0.5, "0.999": 0.5})


def test_windows_and_learning_are_left_out_and_alarms_are_a_point_and_day() -> None:
    one = series("a", ((500, 599),))
    alarms = np.zeros(1100, np.bool_)
    alarms[[50, 550, 700]] = True
    told = benchmark.rates([one], {"a": np.where(alarms, 1.0, 0.0)}, {"a": alarms})[0]
    assert (told.readings, told.alarms) == (900, 1)
    assert told.often == pytest.approx(100.0 / 900.0)
    assert told.days == pytest.approx(900 * 864.0 / 86400.0)
    assert benchmark.load([told]).alarms_per_day == pytest.approx(1.0 / 9.0)


def test_the_threshold_of_one_half_is_reported_on_the_other() -> None:
    made = [series(name, ((500, 599),)) for name in "ab"]
    scores = {name: np.zeros(1100) for name in "ab"}
    scores["a"][500], scores["b"][500] = 0.9, 0.8
    standard = benchmark.profiles(made, scores)[0]
    assert standard.score == pytest.approx(100.0)
    assert standard.threshold == pytest.approx(0.8)
    assert standard.held_out == (pytest.approx(0.0), pytest.approx(100.0))
