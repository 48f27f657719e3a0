"""What is judged of counters and angles: increase and turn, learnt and run alike."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.fitting import fit
from models.area.fleet import Fleet
from models.area.model import Kind, Watch
from models.area.quantities import Quantity, gauges, learn
from models.area.store import Facts, decode, encode

KINDS: tuple[Quantity, ...] = ("gauge", "counter", "angle")
NAMES = ("rain", "bucket", "wind")


def weather(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values: a rate, a counter of it that is reset, and a direction about north that goes along."""
    random = np.random.default_rng(seed)
    rate = 5.0 + random.normal(size=rows)
    count = np.cumsum(rate + 0.1 * random.normal(size=rows))
    count[rows // 3 :] -= count[rows // 3] - 1.0
    wind = np.mod(10.0 * (rate - 5.0) + random.normal(size=rows), 360.0)
    return 1.7e9 + 10.0 * np.arange(rows), np.stack([rate, count, wind], axis=1)


def test_an_increase_is_of_an_interval_and_a_reset_is_unknown() -> None:
    found = learn(np.zeros((1, 1)), ["counter"]).of(
        np.array([[5.0], [11.0], [2.0]]), np.array([[np.nan], [5.0], [11.0]]), np.array([[1.0], [3.0], [1.0]])
    )
    assert found.tolist() == [[pytest.approx(np.nan, nan_ok=True)], [2.0], [pytest.approx(np.nan, nan_ok=True)]]


def test_an_angle_is_its_turn_from_where_it_usually_points_across_north() -> None:
    history = np.array([[350.0], [10.0], [355.0], [5.0]])
    north = learn(history, ["angle"])
    assert north.of_history(history, np.ones(4))[:, 0].tolist() == pytest.approx([-10.0, 10.0, -5.0, 5.0])
    assert gauges(1).of_history(history, np.ones(4)) is history


def test_a_reset_of_a_counter_or_a_swing_across_north_is_no_anomaly_and_a_parting_is() -> None:
    time, values = weather(1500)
    model = fit(time[:1000], values[:1000], NAMES, 10.0, kind="mahalanobis", measured=KINDS).model
    watch = Watch(model)
    calm = [watch.row(float(at), row).alarm for at, row in zip(time, values, strict=True)]
    assert np.mean(calm) < 0.005
    parted = values.copy()
    parted[1000:, 1] = parted[999, 1] + np.arange(1, 501) * 5.0  # the bucket no longer follows the rain
    parted[1000:, 1] += 2.0 * np.arange(1, 501)
    watch = Watch(model)
    found = [watch.row(float(at), row) for at, row in zip(time, parted, strict=True)]
    assert np.mean([one.alarm for one in found[1050:]]) > 0.9
    assert found[-1].top(NAMES) == "bucket"


def test_taken_for_gauges_they_would_have_been_far_out() -> None:
    time, values = weather(1500)
    model = fit(time[:1000], values[:1000], NAMES, 10.0, kind="mahalanobis").model
    watch = Watch(model)
    late = [watch.row(float(at), row).score for at, row in zip(time, values, strict=True)][1400:]
    assert min(late) > 0.9


def test_models_side_by_side_and_a_whole_history_judge_as_row_by_row() -> None:
    time, values = weather(800)
    models = [
        fit(time[:600], values[:600], NAMES, 10.0, kind="mahalanobis", measured=KINDS).model,
        fit(time[:600], values[:600, :1], NAMES[:1], 10.0, kind="mahalanobis").model,
    ]
    fleet, watch = Fleet(models), Watch(models[0])
    alone = []
    for at, row in zip(time.tolist(), values, strict=True):
        fleet.rows(fleet.due(at), at, np.tile(row, (2, 1)))
        alone.append(watch.row(at, row).score)
    assert fleet.score[0] == pytest.approx(alone[-1], abs=1e-9)
    whole = models[0].scores(models[0].smoothed(time, values))
    assert whole[models[0].span :] == pytest.approx(np.array(alone)[models[0].span :], abs=1e-9)
    assert np.isnan(whole[: models[0].span]).all()


@pytest.mark.parametrize("kind", ["mahalanobis", "forest"])
def test_a_whole_history_is_judged_without_what_is_lost_as_row_by_row(kind: Kind) -> None:
    time, values = weather(700)
    model = fit(time[:600], values[:600], NAMES, 10.0, kind=kind, measured=KINDS).model
    values[640:680, 1] = np.nan
    values[690, :] = np.inf
    watch = Watch(model)
    alone = [watch.row(at, row).score for at, row in zip(time.tolist(), values, strict=True)]
    whole = model.scores(model.smoothed(time, values))
    assert whole[model.span :] == pytest.approx(np.array(alone)[model.span :], abs=1e-9)


def test_what_is_measured_is_kept_with_the_model() -> None:
    time, values = weather(300)
    fitted = fit(time, values, NAMES, 10.0, kind="pca", measured=KINDS)
    stored = decode(encode("a", fitted, Facts(begin=0.0, end=1.0, rows=300, code="test")))
    for mine, theirs in zip(stored.model.quantities, fitted.model.quantities, strict=True):
        assert np.array_equal(mine, theirs)
