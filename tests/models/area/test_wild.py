"""Values of a history that are no measurements."""

from __future__ import annotations

import numpy as np
import pytest

from models.area.fitting import fit
from models.area.wild import without_wild
from tests.models.area.plant import NAMES, plant


def test_what_comes_often_or_of_a_column_that_mostly_stands_still_is_no_wild_value() -> None:
    values = np.random.default_rng(0).normal(size=(300, 2))
    values[::30, 0] = 1e5  # one in thirty
    values[:, 1] = 0.0
    values[50, 1] = 40.0
    assert without_wild(values) == (pytest.approx(values), 0)


@pytest.mark.parametrize(("wild", "often"), [(65535.0, 3), (-999.0, 30), (1e300, 3), (-1e300, 1)])
def test_a_history_with_wild_values_teaches_what_it_would_without_them(wild: float, often: int) -> None:
    time, values = plant(600)
    spoilt = values.copy()
    spoilt[100 : 100 + often, 2] = wild
    plain, found = (
        fit(time, values, NAMES, 10.0, kind="mahalanobis"),
        fit(time, spoilt, NAMES, 10.0, kind="mahalanobis"),
    )
    assert (plain.wild, found.wild) == (0, often)
    assert found.model.channels.scale == pytest.approx(plain.model.channels.scale, rel=0.15)
    assert found.model.channels.centre == pytest.approx(plain.model.channels.centre, abs=0.5)


def test_a_counter_that_jumped_once_teaches_its_usual_increase() -> None:
    time, values = plant(600)
    total = np.cumsum(np.abs(values), axis=0)
    total[300:, 1] += 4e7
    kinds = ["counter"] * len(NAMES)
    plain, found = (
        fit(time, each, NAMES, 10.0, kind="mahalanobis", measured=kinds)  # type: ignore[arg-type]
        for each in (np.cumsum(np.abs(values), axis=0), total)
    )
    assert found.wild == 1
    assert found.model.channels.scale == pytest.approx(plain.model.channels.scale, rel=0.05)


def test_a_column_that_stands_still_but_for_a_sign_of_no_value_stands_still() -> None:
    values = np.full((300, 1), 7.0)
    values[::10] = -9999.0
    assert (without_wild(values)[0] == 7.0).all()
    values = np.where(np.arange(300)[:, None] % 2, -999.0, 7.0)  # mostly so: that is what it measures
    assert without_wild(values)[1] == 0
