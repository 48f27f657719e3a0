"""The damped trend on its own."""

from __future__ import annotations

import numpy as np
import pytest

from models.arithmetic import SCALARS
from models.trend import Pace, Trend, advance, crossing, damped, swinging

PACE = Pace(level=1.0, slope=2.0, damping=24.0, drift=24.0, noise=50.0, bend=4.0, enter=2.0, leave=1.0)


def follow(values: list[float], steps: list[float]) -> Trend:
    trend = Trend(values[0], 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    for value, step in zip(values, steps, strict=True):
        trend = advance(SCALARS, trend, PACE, step, value, False)
    return trend


def test_a_ramp_has_its_slope_whatever_the_sampling() -> None:
    even = follow([0.5 * place for place in range(1, 80)], [1.0] * 79)
    random = np.random.default_rng(0)
    steps = random.uniform(0.2, 2.5, 120)
    uneven = follow(list(0.5 * np.cumsum(steps)), list(steps))
    assert even.slope == pytest.approx(0.5, rel=0.1)
    assert uneven.slope == pytest.approx(0.5, rel=0.15)
    assert even.moving
    assert even.drifting


def test_a_reset_starts_afresh() -> None:
    trend = advance(SCALARS, follow([1.0, 2.0, 3.0], [1.0] * 3), PACE, 1.0, 50.0, True)
    assert trend == Trend(50.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)


def steps_to(limit: float, level: float = 0.0, slope: float = 1.0, below: bool = False, moving: bool = True) -> float:
    one = (np.array([each]) for each in (level, slope))
    return float(
        crossing(*one, np.array([moving]), np.array([limit]), np.array([below]), damping=24.0, horizon=100.0)[0]
    )


def test_crossing_is_where_the_damped_trend_meets_the_limit() -> None:
    time = steps_to(12.0)
    assert time == pytest.approx(24.0)
    assert time * 24.0 / (24.0 + time) == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"limit": -1.0}, 0.0),
        ({"limit": 24.0}, np.inf),  # the damped trend comes to rest just there
        ({"limit": 20.0}, np.inf),  # beyond the horizon
        ({"limit": 5.0, "slope": -1.0}, np.inf),
        ({"limit": 5.0, "slope": 0.0}, np.inf),
        ({"limit": 5.0, "moving": False}, np.inf),
        ({"limit": -12.0, "slope": -1.0, "below": True}, 24.0),
    ],
)
def test_crossing_cases(case: dict[str, float], expected: float) -> None:
    assert steps_to(**case) == pytest.approx(expected)  # type: ignore[arg-type]


def test_a_slope_that_is_seen_to_fall_dies_out_as_fast() -> None:
    slope = np.array([1.0, -1.0, 1.0, 1.0, 0.0])
    bend = np.array([-0.1, 0.1, 0.1, 0.0, -0.1])
    told = damped(slope, bend, 48.0)
    assert told[:2] == pytest.approx(1.0 / (1.0 / 48.0 + 0.05))  # 2 * slope / bend is 20
    assert told[2:4] == pytest.approx(48.0)
    assert np.isfinite(told).all()


def test_the_bend_of_a_ramp_is_none_and_that_of_a_slowing_rise_is_negative() -> None:
    ramp = follow([0.5 * place for place in range(1, 80)], [1.0] * 79)
    slowing = follow([20.0 * place / (20.0 + place) for place in range(1, 20)], [1.0] * 19)
    assert abs(ramp.bend) < 0.02 * ramp.slope
    assert slowing.bend < -0.02 * slowing.slope


@pytest.mark.parametrize(
    ("slope", "limit", "below", "expected"),
    [
        (0.0, 1.5, False, 2.5),  # the third hour's profile is 2: half of the way from 1 to 2
        (0.0, 3.0, False, np.inf),
        (0.5, 3.0, False, 3.0 - 0.5 / 1.5),
        (0.0, -1.0, True, np.inf),
        (-1.0, -0.5, True, 0.5),
    ],
)
def test_trend_and_daily_profile_reach_a_limit_together(
    slope: float, limit: float, below: bool, expected: float
) -> None:
    one = (np.array([each]) for each in (0.0, slope, 1e12, 0.0))
    profile, lead = np.array([[0.0, 1.0, 2.0, 0.0]]), np.array([[1.0, 2.0, 3.0, 4.0]])
    told = swinging(*one, profile, lead, np.array([limit]), np.array([below]))
    assert told[0] == pytest.approx(expected, rel=1e-6)
