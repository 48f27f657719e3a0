"""The two shapes: a cloud, whose contributions add up, and a forest that equals scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

from models.area import forest, gaussian
from models.area.limits import LEVELS, exponential, hotelling
from models.area.limits import gaussian as gaussian_limits
from tests.models.area.plant import plant


def test_the_cloud_is_ledoit_and_wolfs() -> None:
    _, rows = plant(300)
    cloud = gaussian.mahalanobis(rows)
    assert cloud.distance(rows) == pytest.approx(LedoitWolf().fit(rows).mahalanobis(rows))


def test_principal_components_count_residual_and_score() -> None:
    _, rows = plant(300)
    fitted = PCA(gaussian.EXPLAINED, svd_solver="full").fit(rows)
    scores = fitted.transform(rows)
    residual = ((rows - fitted.inverse_transform(scores)) ** 2).sum(axis=1) / fitted.noise_variance_
    score = (scores**2 / fitted.explained_variance_).sum(axis=1)
    assert gaussian.principal(rows).distance(rows) == pytest.approx(residual + score, rel=1e-6)


@pytest.mark.parametrize("learn", [gaussian.mahalanobis, gaussian.principal])
def test_contributions_add_up_to_the_distance(learn: object) -> None:
    _, rows = plant(300)
    cloud = learn(rows)  # type: ignore[operator]
    assert cloud.contributions(rows).sum(axis=1) == pytest.approx(cloud.distance(rows))


@pytest.mark.parametrize("learn", [gaussian.mahalanobis, gaussian.principal])
def test_sensors_that_say_the_same_do_not_make_a_float_s_last_bits_news(learn: object) -> None:
    same = np.random.default_rng(0).normal(size=400)
    cloud = learn(np.stack([same, same], axis=1))  # type: ignore[operator]
    usual = cloud.distance(np.stack([same, same * (1.0 + 1e-14)], axis=1))
    assert usual.min() >= 0.0
    assert usual.max() == pytest.approx((same**2).max() / same.var(), rel=0.05)
    assert cloud.distance(np.array([[0.0, 0.5]]))[0] > 10.0, "but they part"


@pytest.mark.parametrize("features", [1.0, 0.6])
def test_the_forest_equals_scikit_learns(features: float) -> None:
    _, rows = plant(500)
    _, other = plant(300, seed=1)
    other[::7] += 20.0
    fitted = IsolationForest(n_estimators=50, max_features=features, random_state=3).fit(rows)
    ours = forest.arrays_of(fitted, np.median(rows, axis=0))
    assert -ours.distance(other) == pytest.approx(fitted.score_samples(other), abs=1e-12)


def test_a_forest_names_the_channel_that_is_off() -> None:
    _, rows = plant(500)
    grown = forest.isolation(rows)
    off = np.median(rows, axis=0)[None, :].repeat(5, axis=0)
    off[np.arange(5), np.arange(5)] += 40.0
    assert grown.contributions(off).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


def test_hotellings_limit_is_exceeded_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    fits, new = random.normal(size=(4000, 20, 3)), random.normal(size=(4000, 3))
    beyond = 0
    limit = hotelling(np.array([0.01]), 3, 20.0)[0]
    for rows, row in zip(fits, new, strict=True):
        away = row - rows.mean(axis=0)
        beyond += away @ np.linalg.solve(np.cov(rows.T), away) > limit
    assert 0.006 < beyond / 4000 < 0.015


def test_limits_ascend_and_say_no_less_than_the_held_out_rows() -> None:
    held = np.random.default_rng(0).chisquare(4, size=2000) * 3.0
    for limits in (gaussian_limits(held, 4, 100.0, 80.0), exponential(held, 100.0)):
        assert (np.diff(limits.distance) > 0.0).all()
        assert limits.at(0.05) >= np.quantile(held, 0.95) * 0.95
        assert limits.rarity(np.array([-1.0, 1e13])).tolist() == [1.0, LEVELS[-1]]
