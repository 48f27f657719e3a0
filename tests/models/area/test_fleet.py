"""Models side by side judge as each would alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.fitting import fit
from models.area.fleet import Fleet
from models.area.model import Watch
from tests.models.area.plant import NAMES, plant


def test_models_of_different_width_judge_as_each_alone() -> None:
    time, values = plant(460)
    values[430:, 1] += 20.0
    models = [
        fit(time[:400], values[:400], NAMES, 10.0, kind="mahalanobis").model,
        fit(time[:400], values[:400, :2], NAMES[:2], 10.0, kind="pca").model,
        fit(time[:400], values[:400, :3], NAMES[:3], 20.0, kind="forest").model,
    ]
    fleet, watches = Fleet(models), [Watch(model) for model in models]
    for at, row in zip(time.tolist(), values, strict=True):
        due = fleet.due(at)
        fleet.rows(due, at, np.tile(row, (len(due), 1)))
        for place in due.tolist():
            judged = watches[place].row(at, row[: len(models[place].names)])
            if watches[place].seen > models[place].span:
                assert fleet.score[place] == pytest.approx(judged.score, abs=1e-9)
            else:
                assert np.isnan(fleet.score[place])
    assert fleet.score[0] > 0.999
    assert fleet.shares(0).argmax() == 1
    assert watches[2].seen == 230


def test_a_state_goes_over_to_the_same_model_at_another_place() -> None:
    time, values = plant(440)
    one = fit(time[:400], values[:400], NAMES, 10.0, kind="mahalanobis").model
    two = fit(time[:400], values[:400, :2], NAMES[:2], 10.0, kind="mahalanobis").model
    here, there = Fleet([one, two]), Fleet([two])
    for at, row in zip(time.tolist(), values, strict=True):
        here.rows(here.due(at), at, np.tile(row, (2, 1)))
    there.restore(here.state(), [(1, 0)])
    assert there.score[0] == here.score[1]
    assert there.last[0] == time[-1]
