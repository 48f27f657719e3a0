"""The expected interval."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.nab import Series
from models.interval import FIRST, usual_interval


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], 60.0),
        ([5.0], 60.0),
        ([5.0, 5.0, 4.0], 60.0),
        ([0.0, 10.0, 20.0, 50.0], 10.0),
        ([0.0, 10.0, 9.0, 29.0], 15.0),
    ],
)
def test_it_is_the_median_step_forward(times: list[float], expected: float) -> None:
    assert usual_interval(times) == expected


def test_what_comes_later_is_not_looked_at() -> None:
    slow = FIRST * 60.0 + 3600.0 * np.arange(1, 2000)
    time = np.concatenate([60.0 * np.arange(FIRST), slow])
    assert Series("late", time, np.zeros(len(time)), ()).interval == 60.0
