"""Shapes are called by their names, on noise and on a daily swing, whichever way they go."""

from __future__ import annotations

import numpy as np
import pytest

from models.shape import WORDS, Shape, coming, shape

NOISE = np.random.default_rng(3).normal(size=500) * 0.3
SWING = np.sin(np.arange(500) / 40.0) + 0.2 * NOISE
AFTER = np.concatenate([np.zeros(300), np.arange(200.0)])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("level_shift", [0.1, -0.1, 0.0, 0.1, 0.0, -0.1, 0.1, 0.0, 0.1, -0.1, 0.0, 5.0]),
        ("level_shift", [0.1, -0.1, 0.0, 0.1, 0.0, -0.1, 0.1, 0.0, 5.1, 5.0, 5.1, 4.9]),
        ("ramp", [0.1, -0.1, 0.0, 0.1, 0.0, -0.1, 0.3, 0.6, 1.0, 1.3, 1.6, 2.1]),
        ("growing_noise", [0.1, -0.1, 0.0, 0.1, 0.0, -0.1, 1.0, -1.1, 0.8, -0.9, 1.2, -0.7]),
        ("unclear", [0.1, -0.1, 0.0, 0.1, 0.0, -0.1, 0.1, 0.0, 0.1, -0.1, 0.0, 0.1]),
        ("unclear", [0.0] * 12),
        ("unclear", [0.0, 0.0, 0.0, 5.0]),
        ("unclear", [0.0] * 11 + [np.inf]),
        ("level_shift", [0.0] * 11 + [1e100]),
    ],
)
def test_how_a_reading_came_about_is_named_at_once(name: Shape, value: list[float], sign: float) -> None:
    with np.errstate(all="raise"):
        assert coming(sign * np.array(value)) == name


@pytest.mark.parametrize("usual", [NOISE, SWING])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("name", "put_on"),
    [
        ("level_shift", 5.0 * (AFTER > 0.0)),
        ("ramp", 0.04 * AFTER),
        ("growing_noise", 0.02 * AFTER * np.random.default_rng(4).normal(size=500)),
    ],
)
def test_what_is_put_on_is_named(usual: np.ndarray, sign: float, name: Shape, put_on: np.ndarray) -> None:
    assert shape(usual + sign * put_on, 320) == name
    assert set(WORDS[name]) == {"en", "zh"}


@pytest.mark.parametrize(
    ("value", "surprise"),
    [(np.zeros(500), 300), (np.zeros(3), 1), (NOISE, 499), (NOISE, 300), (np.array([0.0, np.inf] * 30), 30)],
)
def test_what_has_no_shape_is_unclear(value: np.ndarray, surprise: int) -> None:
    with np.errstate(all="raise"):
        assert shape(value, surprise) == "unclear"
