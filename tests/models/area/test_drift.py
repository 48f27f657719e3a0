"""A model says when its area has moved away from its history, and not by chance."""

from __future__ import annotations

import numpy as np
import pytest

from models.area import drift
from models.area.drift import PERIOD, Drift
from models.area.fitting import fit
from models.area.fleet import Fleet
from models.area.model import AreaModel
from tests.models.area.plant import NAMES, plant


def model(rows: int = 1000, seed: int = 0) -> AreaModel:
    time, values = plant(rows, seed)
    return fit(time, values, NAMES, 10.0, kind="mahalanobis").model


def run(fleet: Fleet, time: np.ndarray, values: np.ndarray) -> Drift:
    for at, row in zip(time.tolist(), values, strict=True):
        fleet.rows(fleet.due(at), at, row[None, :])
    usual = fleet.models[0].usual
    assert usual is not None
    rows = float((fleet.counted + fleet.former)[0])
    return drift.judge(usual, NAMES, rows, (fleet.outside + fleet.outside_former)[0])


@pytest.mark.parametrize("seed", range(1, 13))
def test_more_of_the_same_is_no_drift(seed: int) -> None:
    time, values = plant(1500, seed)
    found = run(Fleet([model(seed=0)]), time, values)
    assert not found.drifted, found
    assert found.rows == pytest.approx(1480, abs=10)


def test_a_point_that_has_moved_is_drift_and_named() -> None:
    time, values = plant(1500, 1)
    values[:, 1] += 12.0
    found = run(Fleet([model()]), time, values)
    assert found.drifted and found.moved == ("flow",)


def test_points_that_no_longer_go_together_are_drift_though_each_stays_where_it_was() -> None:
    time, values = plant(1500, 1)
    values[:, 4] = values[::-1, 4]
    found = run(Fleet([model()]), time, values)
    assert found.drifted and found.outside > 0.5


def test_a_few_rows_are_no_drift_yet() -> None:
    time, values = plant(40, 1)
    values[:, 1] += 12.0
    assert not run(Fleet([model()]), time, values).drifted


def test_what_was_long_ago_no_longer_counts() -> None:
    time, values = plant(600, 1)
    fleet = Fleet([model()])
    strange = values.copy()
    strange[:, 1] += 12.0
    assert run(fleet, time, strange).drifted
    assert run(fleet, time + PERIOD, values).drifted  # the period before counts with this one
    assert not run(fleet, time + 2 * PERIOD, values).drifted


def test_a_swing_that_the_history_holds_makes_its_rows_count_for_less() -> None:
    random = np.random.default_rng(0)
    noise = random.normal(size=(2000, 1))
    swing = 3.0 * np.sin(np.arange(2000.0) / 60.0)[:, None]
    quick, slow = drift.learn(noise[:, 0] ** 2, noise, 1), drift.learn(noise[:, 0] ** 2, 0.3 * noise + swing, 1)
    assert quick.repeats[1] < 4.0
    assert slow.repeats[1] > 10.0
