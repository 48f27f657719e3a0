"""Reports about one person: a rise against their own past and against all others."""

from __future__ import annotations

import numpy as np

from models.repeats import DAY, FIRST_RATE, Rate, rise

MONTH = 28 * DAY


def test_the_more_come_in_a_month_the_more_surprising_they_are() -> None:
    times = [0.0, 9 * DAY, 15 * DAY, 20 * DAY, 24 * DAY]
    scores = [rise(times[: n + 1], 0, 0.0, MONTH, FIRST_RATE).score for n in range(5)]
    assert scores[0] == scores[1] == 0.0, "one is no rise, and the second makes no series yet"
    assert 0.8 < scores[2] < scores[3] < scores[4] and scores[3] > 0.98 and scores[4] > 0.995


def test_who_was_always_reported_so_often_is_no_news() -> None:
    weekly = [week * 7 * DAY for week in range(30)]
    assert rise(weekly, 0, 0.0, MONTH, FIRST_RATE).score < 0.9
    calm_then_weekly = [0.0, *(150 * DAY + week * 7 * DAY for week in range(4))]
    assert rise(calm_then_weekly, 0, 0.0, MONTH, FIRST_RATE).score > 0.99


def test_the_rate_is_learnt_of_all_and_stays_bounded() -> None:
    rate = Rate()
    assert rate.value == FIRST_RATE
    rate.learn(100, 100 * 20 * DAY)
    assert 1 / 30 < rate.value * DAY < 1 / 20
    for _ in range(20_000):
        rate.learn(1, DAY)
    assert rate.repeats <= 2001 and rate.value * DAY > 0.4


def test_scores_of_a_quiet_town_come_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(7)
    rate, scores = 1.0 / (60.0 * DAY), []
    for _ in range(1500):
        own = rate * random.gamma(1.0)
        gaps = random.exponential(1.0 / max(own, 1e-12), 40)
        times = [0.0, *np.cumsum(gaps).tolist()]
        times = [time for time in times if time < 365 * DAY]
        scores += [rise(times[: n + 1], 0, 0.0, MONTH, rate).score for n in range(1, len(times))]
    share = np.mean(np.array(scores) >= 0.99)
    assert 0.003 <= share <= 0.02
