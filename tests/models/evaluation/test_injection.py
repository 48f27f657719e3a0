"""Faults are put on as they are said to be, found on a quiet series, and nothing is found where none is."""

from __future__ import annotations

import numpy as np

from models.evaluation import injection
from models.evaluation.injection import FAULTS, HISTORY, LENGTH, Trial, put_on, stretches, summary, trials
from models.evaluation.nab import Series


def series(count: int = 4500, windows: tuple[tuple[int, int], ...] = ()) -> Series:
    random = np.random.default_rng(5)
    value = 20.0 + 3.0 * np.sin(2.0 * np.pi * np.arange(count) / 288.0) + 0.2 * random.normal(size=count)
    return Series("swing", 300.0 * np.arange(count), value, windows)


def test_every_fault_is_put_on_behind_the_same_history() -> None:
    found = list(stretches([series()], seed=1))
    assert [one.fault for one in found] == ["", *FAULTS]
    clean = found[0]
    width = np.ptp(clean.value[: clean.begin])
    for one in found[1:]:
        assert np.array_equal(one.value[: one.begin], clean.value[: clean.begin])
        put = one.value[-1] - clean.value[-1]
        if one.fault == "level_shift":
            assert np.allclose(np.abs(one.value[one.begin :] - clean.value[clean.begin :]), width)
        elif one.fault == "ramp":
            assert np.isclose(abs(put), 1.5 * width)
        elif one.fault == "freeze":
            assert np.ptp(one.value[one.begin - 1 :]) == 0.0
        elif one.fault == "dropout":
            assert len(one.time) == len(clean.time) - LENGTH + 1 and one.end == len(one.value)


def test_windows_and_the_beginning_are_left_alone() -> None:
    for one in stretches([series(windows=((2000, 4499),))], seed=2, each=5):
        assert one.begin >= injection.LEAST
        assert one.time[-1] < 300.0 * 2000
        assert one.begin <= HISTORY
    assert not list(stretches([series(windows=((0, 4499),))], seed=2))
    assert not list(stretches([Series("flat", 300.0 * np.arange(2000), np.ones(2000), ())], seed=2))


def test_the_same_seed_puts_the_same_on() -> None:
    one, other = ([found.value for found in stretches([series()], seed=3)] for _ in range(2))
    assert all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))


def test_faults_on_a_daily_swing_are_found_by_name_and_none_is_found_without() -> None:
    figures = {one.fault: one for one in summary(trials(list(stretches([series()], seed=4, each=3))))}
    assert figures[""].found == 0
    assert all(figures[fault].found == figures[fault].trials == 3 for fault in FAULTS)
    assert (
        sum(figures[fault].named for fault in FAULTS) >= 14
    )  # a ramp that a swing hides at first may look like a shift
    assert figures["level_shift"].median_after == 0.0


def test_a_small_fault_may_go_unseen_and_counts_as_such() -> None:
    clean = next(stretches([series()], seed=5))
    small = put_on(clean, "level_shift", 1e-6, np.random.default_rng(1))
    assert [one.after for one in trials([small])] == [None]


def test_wrong_names_are_told_apart_from_misses() -> None:
    told = summary(
        [Trial("s", "ramp", 0.0, 60.0, "ramp"), Trial("s", "ramp", 0.0, 30.0, "level_shift"),
         Trial("s", "ramp", 0.0, None, "")]
    )  # fmt: skip
    assert [(one.trials, one.found, one.named, one.median_after, one.others) for one in told] == [
        (3, 2, 1, 45.0, {"level_shift": 1})
    ]
