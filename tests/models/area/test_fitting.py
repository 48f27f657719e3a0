"""Models of several points: what they find, when they alarm, and which channel they name."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.channels import UTMOST, learn, smoothed, span_of
from models.area.fitting import FitError, fit
from models.area.forest import isolation
from models.area.model import KINDS, Judged, Kind, Watch
from tests.models.area.plant import NAMES, plant


def judge(kind: Kind | None, values: np.ndarray, time: np.ndarray, trained: int = 600) -> list[Judged]:
    watch = Watch(fit(time[:trained], values[:trained], NAMES, 10.0, kind=kind).model)
    return [watch.row(float(at), row) for at, row in zip(time, values, strict=True)]


@pytest.mark.parametrize("kind", ["mahalanobis", "pca"])
def test_quiet_rows_raise_little_and_a_shift_is_found_and_named(kind: Kind) -> None:
    time, values = plant(1000)
    values[800:, 2] += 20.0
    found = judge(kind, values, time)
    assert np.mean([one.alarm for one in found[600:800]]) < 0.02
    assert np.mean([one.alarm for one in found[840:]]) > 0.9
    late = [one.top(NAMES) for one in found[840:] if one.score >= 0.99]
    assert late.count("current") > 0.9 * len(late)


def test_a_forest_scores_what_is_off_in_all_channels_highest() -> None:
    time, values = plant(1060)
    values[1000:] += 25.0
    fitted = fit(time[:1000], values[:1000], NAMES, 10.0, kind="forest").model
    smooth = smoothed(fitted.channels.scaled(values), np.ones(1060), fitted.span)
    scores = 1.0 - fitted.limits.rarity(fitted.shape.distance(smooth))
    assert scores[-10:].min() > np.quantile(scores[fitted.span : 1000], 0.97)
    assert scores[-10:].min() >= 0.95


def test_channels_that_part_are_found_though_each_stays_in_its_range() -> None:
    time, values = plant(1000)
    cut = values.copy()
    cut[800:, 1] = values[800:, 1].mean()  # the flow no longer follows the pressure
    low, high = values[:600, 1].min(), values[:600, 1].max()
    assert low < cut[800:, 1].min() and cut[800:, 1].max() < high
    assert np.mean([one.alarm for one in judge("mahalanobis", cut, time)[840:]]) > 0.5


def test_nothing_looks_ahead() -> None:
    time, values = plant(900)
    whole = judge("mahalanobis", values, time)
    part = judge("mahalanobis", values[:700], time[:700])
    assert [one.score for one in part] == [one.score for one in whole[:700]]


def test_an_event_is_told_once_and_the_state_lasts() -> None:
    time, values = plant(900)
    values[700:760] += 15.0
    found = judge("mahalanobis", values, time)
    assert sum(one.event for one in found[600:]) == 1
    assert sum(one.alarm for one in found[600:]) > 40


def test_scores_of_quiet_rows_are_as_rare_as_they_say() -> None:
    time, values = plant(6000)
    scores = np.array([one.score for one in judge("mahalanobis", values, time, 3000)[3000:]])
    assert 0.04 < np.mean(scores >= 0.9) < 0.2
    assert np.mean(scores >= 0.999) < 0.005


def test_shares_of_a_surprising_row_add_up_to_one() -> None:
    time, values = plant(900)
    values[700:, 0] += 30.0
    last = judge("pca", values, time)[-1]
    assert last.shares.sum() == pytest.approx(1.0)
    assert last.top(NAMES) == "pressure"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_measurement_is_lost_and_the_others_are_judged_by_themselves(kind: Kind) -> None:
    time, values = plant(760)
    model = fit(time[:600], values[:600], NAMES, 10.0, kind=kind).model
    told = []
    for hostile in (np.nan, np.inf, -np.inf, 1e300, -1e300):
        values[700:, 3] = hostile
        watch = Watch(model)
        told.append([watch.row(float(at), row).score for at, row in zip(time, values, strict=True)])
        if kind != "forest":
            known = np.arange(len(NAMES)) != 3
            covariance = np.linalg.inv(model.shape.precision)[np.ix_(known, known)]
            away = (watch.state - model.shape.centre)[known]
            alone = away @ np.linalg.solve(covariance, away)
            assert model.shape.distance(watch.state[None])[0] == pytest.approx(alone)
            assert model.shape.contributions(watch.state[None])[0, 3] == pytest.approx(0.0, abs=1e-9)
    assert told.count(told[0]) == len(told)
    assert np.mean(np.array(told[0][700:]) >= 0.999) < 0.05


def test_a_storm_that_came_once_does_not_hide_what_fails_in_it() -> None:
    random = np.random.default_rng(0)
    learnt, rows = 1400, 1700
    values = random.normal(size=(rows, 4))
    values[:, 3] = 0.01 * random.normal(size=rows) + 5.0 * (np.arange(rows) >= 1130)  # it rains, and goes on
    values[1500:, :2] += np.linspace(0.0, 5.0, rows - 1500)[:, None]
    time, names = 60.0 * np.arange(rows), ("a", "b", "c", "rain")
    watch = Watch(fit(time[:learnt], values[:learnt], names, 60.0, kind="mahalanobis").model)
    found = [watch.row(float(at), row) for at, row in zip(time, values, strict=True)]
    assert not any(one.alarm for one in found[learnt:1500])
    assert all(one.alarm for one in found[1660:])
    assert found[-1].top(names) in ("a", "b") and found[-1].shares[3] < 0.1


def test_a_channel_that_is_back_is_judged_again() -> None:
    time, values = plant(900)
    values[700:760, 2] = np.nan
    values[800:, 2] += 20.0
    found = judge("mahalanobis", values, time)
    assert not any(one.alarm for one in found[700:800])
    assert all(one.alarm and one.top(NAMES) == "current" for one in found[840:])


def test_a_channel_that_never_moved_is_learnt_and_its_first_move_found() -> None:
    time, values = plant(900)
    values[:, 4] = 7.0
    values[800:, 4] = 9.0
    found = judge("mahalanobis", values, time)
    assert not any(one.alarm for one in found[600:800])
    assert all(one.alarm for one in found[830:])
    assert found[-1].top(NAMES) == "speed"


def test_a_long_history_chooses_by_trial_and_a_short_one_does_not() -> None:
    time, values = plant(1600)
    trials = fit(time, values, NAMES, 10.0).trials
    assert [trial.kind for trial in trials] == list(KINDS)
    assert sum(trial.chosen for trial in trials) == 1
    assert all(trial.false < 0.05 for trial in trials)
    assert max(trial.found for trial in trials) > 0.7
    assert [trial.kind for trial in fit(time[:400], values[:400], NAMES, 10.0).trials] == ["mahalanobis"]


def test_the_same_history_gives_the_same_model() -> None:
    _, values = plant(300)
    one, other = isolation(values), isolation(values)
    assert np.array_equal(one.distance(values), other.distance(values))


def test_too_short_and_too_wide_histories_are_refused_with_what_is_needed() -> None:
    time, values = plant(40)
    with pytest.raises(FitError, match="50 are needed"):
        fit(time, values, NAMES, 10.0)
    with pytest.raises(FitError, match="65 points"):
        fit(np.arange(9.0), np.zeros((9, 65)), [str(number) for number in range(65)], 1.0)


def test_one_spike_counts_no_more_than_the_utmost() -> None:
    _, values = plant(200)
    channels = learn(values)
    assert channels.scaled(np.full(5, 1e9)).tolist() == [UTMOST] * 5


@pytest.mark.parametrize(("rows", "count", "span"), [(400, 8, 20), (100_000, 8, 20), (200, 8, 10), (30, 20, 1)])
def test_smoothing_leaves_enough_independent_rows(rows: int, count: int, span: int) -> None:
    assert span_of(rows, count) == span
