"""Counts of events against their hour of the week: rates held, surges found, outages no low counts, no look ahead."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.counts import DAY, MOST, WEEK, Counts, chance, upper

Floats = npt.NDArray[np.float64]
QUARTER = 900.0
PER_DAY = 96


def usual(number: int, mean: float) -> float:
    """Events that a quarter of an hour brings: a day and a weekend, `mean` on the whole."""
    hour, day = number % PER_DAY / 4.0, number // PER_DAY % 7
    swing = 0.1 + 0.9 * max(0.0, float(np.sin((hour - 6.0) / 12.0 * np.pi)))
    return mean * swing * 2.6 * (1.5 if day >= 5 else 0.8)


def drawn(days: int, mean: float, shape: float | None, seed: int, streams: int = 1, first: int = 0) -> Floats:
    """Draw counts, f8[windows, streams]: Poisson, or with a rate that scatters as a gamma variable of that `shape`."""
    random = np.random.default_rng(seed)
    rates = np.array([usual(first + number, mean) for number in range(days * PER_DAY)])[:, None]
    scattered = random.gamma(shape, 1.0 / shape, (len(rates), streams)) if shape else np.ones((len(rates), streams))
    return random.poisson(rates * scattered).astype(np.float64)


def judged(counts: Floats, model: Counts | None = None) -> Floats:
    """Return the p-value of every window and stream, NaN while the model learns."""
    model = model or Counts(QUARTER)
    model.grow(counts.shape[1] - model.rows)
    found = np.full(counts.shape, np.nan)
    for number, count in enumerate(counts):
        mean, doubt = model.expected(number)
        spread = model.scatter() + doubt
        for row in np.flatnonzero(~model.learning()):
            found[number, row] = upper(int(count[row]), float(mean[row]), float(spread[row]))
        model.close(number, count, np.zeros(len(count), np.bool_))
    return found


@pytest.mark.parametrize(("mean", "shape"), [(1.0, None), (10.0, None), (4.0, 5.0), (30.0, 2.0)])
def test_scores_come_as_often_as_they_say(mean: float, shape: float | None) -> None:
    p = judged(drawn(21, mean, shape, 1, streams=10))[7 * PER_DAY :]
    for level in (0.01, 0.001):
        assert 0.5 <= np.mean(p <= level) / level <= 2.0


def test_scores_of_busy_streams_come_as_often_as_they_say() -> None:
    streams, days = 8, 24
    random = np.random.default_rng(1)
    kinds = [(200.0, 0.01), (200.0, 0.1), (1000.0, 0.02), (1000.0, 0.1), (5000.0, 0.1), (5000.0, 0.01)]
    mean, scatter = (np.repeat(column, streams) for column in zip(*kinds, strict=True))
    rates = mean * random.gamma(1.0 / scatter, scatter, (days * PER_DAY, len(mean)))
    model = Counts(QUARTER)
    p = judged(random.poisson(rates).astype(np.float64), model)[14 * PER_DAY :]
    assert model.scatter() == pytest.approx(scatter, rel=0.35)
    for place, kind in enumerate(kinds):
        of_kind = p[:, place * streams : (place + 1) * streams]
        assert 0.5 <= np.mean(of_kind <= 0.01) / 0.01 <= 1.6, kind
        assert 0.3 <= np.mean(of_kind <= 0.001) / 0.001 <= 2.5, kind


def test_a_rate_that_moves_within_the_hour_is_followed_and_one_that_steps_is_not_smoothed() -> None:
    days, learnt = 28, 21 * PER_DAY
    hour = np.arange(days * PER_DAY) % PER_DAY // 4
    rate = np.where((hour >= 8) & (hour < 20), 1800.0, 100.0)[:, None] * np.ones(4)
    counts = np.concatenate((drawn(days, 5000.0, None, 1, 4), np.random.default_rng(1).poisson(rate)), axis=1)
    model = Counts(QUARTER)
    model.grow(8)
    for number in range(learnt):
        model.close(number, counts[number], np.zeros(8, np.bool_))
    p = np.empty((7 * PER_DAY, 8))
    for number in range(learnt, len(counts)):
        mean, doubt = model.expected(number)
        told = zip(counts[number].tolist(), mean.tolist(), (model.scatter() + doubt).tolist(), strict=True)
        p[number - learnt] = [upper(int(count), *foretold) for count, *foretold in told]
        model.close(number, counts[number], np.zeros(8, np.bool_))
    assert np.mean(p[:, :4] <= 0.001) <= 0.002 and np.mean(p[:, 4:] <= 0.001) <= 0.002
    dawn, usually = days * PER_DAY + 7 * 4, np.array([usual(days * PER_DAY + 7 * 4 + at, 5000.0) for at in range(4)])
    followed = np.array([model.expected(dawn + at)[0][:4] for at in range(4)])
    assert followed == pytest.approx(usually[:, None] * np.ones(4), rel=0.05)
    before, after = model.expected(dawn + 3)[0][4:], model.expected(dawn + 4)[0][4:]
    assert before == pytest.approx(100.0, rel=0.1)
    assert after == pytest.approx(1800.0, rel=0.1)


@pytest.mark.parametrize(("mean", "shape", "within"), [(10.0, None, 2), (10.0, 10.0, 12), (3.0, None, 12)])
def test_a_tripled_rate_is_found_within_few_windows(mean: float, shape: float | None, within: int) -> None:
    noon = 14 * PER_DAY + 44
    counts = drawn(15, mean, shape, 5, streams=8)
    counts[noon:] = drawn(15, 3.0 * mean, shape, 6, streams=8)[noon:]
    p = judged(counts[: noon + within])
    assert np.mean((p[noon:] <= 0.001).any(axis=0)) >= 0.85


def test_the_same_count_is_usual_at_noon_and_a_surprise_at_night() -> None:
    model = Counts(QUARTER)
    judged(drawn(28, 10.0, None, 3), model)
    night, noon = 28 * PER_DAY + 8, 28 * PER_DAY + 48
    p = []
    for number in (night, noon):
        mean, doubt = model.expected(number)
        p.append(upper(18, float(mean[0]), float(model.scatter()[0] + doubt[0])))
    assert p[0] < 0.001 and p[1] > 0.1


def test_nothing_is_judged_before_two_days_are_known() -> None:
    p = judged(drawn(3, 5.0, None, 0))
    assert np.isnan(p[: 2 * PER_DAY]).all() and not np.isnan(p[2 * PER_DAY :]).any()
    assert Counts(DAY).needed == 14 and Counts(WEEK).needed == 4


def test_a_score_does_not_depend_on_what_comes_after() -> None:
    counts = drawn(6, 5.0, 3.0, 1)
    assert np.array_equal(judged(counts)[:400], judged(counts[:400]), equal_nan=True)


def test_a_row_does_not_touch_its_neighbour() -> None:
    both, alone = Counts(QUARTER), Counts(QUARTER)
    both.grow(2)
    alone.grow(1)
    for number, count in enumerate(drawn(5, 5.0, None, 1)):
        both.close(number, np.array([count[0], 1e6]), np.zeros(2, np.bool_))
        alone.close(number, count, np.zeros(1, np.bool_))
    for name in Counts.ARRAYS:
        assert np.array_equal(getattr(both, name)[:1], getattr(alone, name))


def test_windows_without_their_source_teach_nothing() -> None:
    model = Counts(QUARTER)
    judged(drawn(10, 5.0, None, 1), model)
    before = {name: array.copy() for name, array in model.state().items()}
    for number in range(10 * PER_DAY, 14 * PER_DAY):
        model.close(number, np.zeros(1), np.ones(1, np.bool_))
    assert np.array_equal(model.total, before["total"]) and np.array_equal(model.windows, before["windows"])
    assert np.array_equal(model.scattered, before["scattered"])


def test_a_source_that_was_away_was_not_silent() -> None:
    model = Counts(QUARTER)
    judged(drawn(10, 5.0, None, 1), model)
    first = 10 * PER_DAY
    for number in range(first, first + PER_DAY):
        model.close(number, np.zeros(1), np.ones(1, np.bool_))
    assert not model.muted()[0]
    for number in range(first + PER_DAY, first + 2 * PER_DAY):
        model.close(number, np.zeros(1), np.zeros(1, np.bool_))
    assert model.muted()[0], "but now it is"


def test_an_incredible_silence_is_no_low_count_until_it_has_lasted_a_week() -> None:
    model = Counts(QUARTER)
    judged(drawn(14, 10.0, None, 1), model)
    noon = 14 * PER_DAY + 48
    usual_before = float(model.expected(noon)[0][0])
    for number in range(14 * PER_DAY, 20 * PER_DAY):
        model.close(number, np.zeros(1), np.zeros(1, np.bool_))
    assert model.muted()[0]
    assert float(model.expected(noon)[0][0]) > 0.7 * usual_before
    for number in range(20 * PER_DAY, 36 * PER_DAY):
        model.close(number, np.zeros(1), np.zeros(1, np.bool_))
    assert float(model.expected(noon)[0][0]) < 0.5 * usual_before, "then it is the new habit"


def test_one_flood_is_not_the_habit_and_a_lasting_rise_becomes_it() -> None:
    model = Counts(QUARTER)
    counts = drawn(21, 10.0, None, 2)
    judged(counts, model)
    noon = 21 * PER_DAY + 48
    usual_before = float(model.expected(noon)[0][0])
    model.close(21 * PER_DAY, np.array([float(MOST)]), np.zeros(1, np.bool_))
    assert float(model.expected(noon)[0][0]) < 1.5 * usual_before
    p = judged(np.concatenate((counts, 3.0 * drawn(14, 10.0, 20.0, 3))))
    first, last = p[21 * PER_DAY : 22 * PER_DAY], p[-3 * PER_DAY :]
    assert np.mean(first <= 0.001) > 0.2
    assert np.mean(last <= 0.001) < 0.05, "two weeks on, three times as many are no news"


def test_the_tail_is_that_of_the_distribution() -> None:
    random = np.random.default_rng(0)
    for mean, scatter, count in ((2.0, 1e-9, 6), (50.0, 1e-9, 70), (20.0, 0.3, 45), (3000.0, 0.01, 4000)):
        rates = mean * (random.gamma(1.0 / scatter, scatter, 400_000) if scatter > 1e-6 else np.ones(400_000))
        drawn_counts = random.poisson(rates)
        share = np.mean(drawn_counts > count) + 0.5 * np.mean(drawn_counts == count)
        assert upper(count, mean, scatter) == pytest.approx(share, rel=0.2, abs=2e-5)


@pytest.mark.parametrize(
    ("count", "mean", "scatter"),
    [(300_000, 1e5, 1.0), (9000, 3000.0, 10.0), (4000, 2000.0, 25.0), (100_000, 5e4, 0.5), (200_000, 1e5, 0.1)],
)
def test_the_tail_of_many_events_is_whole(count: int, mean: float, scatter: float) -> None:
    shape, steps = 1.0 / scatter, np.arange(count)
    ratios = np.log((steps + shape) / (steps + 1.0)) + np.log(scatter * mean / (1.0 + scatter * mean))
    pmf = np.exp(np.concatenate(([0.0], np.cumsum(ratios))) - shape * np.log1p(scatter * mean))
    assert upper(count, mean, scatter) == pytest.approx(1.0 - pmf[:-1].sum() - 0.5 * pmf[-1], rel=1e-6)


def test_what_is_extreme_gives_a_number() -> None:
    assert upper(0, 0.0, 0.1) == 1.0 and upper(1, 0.0, 0.1) == 0.0
    assert 0.0 <= upper(MOST, 1e-9, 25.0) < 1e-3 and 0.0 <= upper(MOST, 9e5, 1e-6) < 1e-9
    assert upper(5, 5.0, 0.1) == 1.0, "no more than usual"


def test_the_least_of_several_is_judged_as_such() -> None:
    assert chance(1, 0.01) == 0.01 and chance(10, 0.001) == pytest.approx(0.00996, rel=1e-3)
    assert chance(5, 0.0) == 0.0 and chance(5, 1.0) == 1.0


@pytest.mark.parametrize("window", [60.0, 5400.0, DAY, WEEK, 32 * DAY])
def test_any_window_learns_in_bounded_space(window: float) -> None:
    model = Counts(window)
    model.grow(3)
    size = model.nbytes
    for number in range(int(model.needed) + 5):
        model.close(number, np.array([1.0, 2.0, 0.0]), np.zeros(3, np.bool_))
    assert model.nbytes == size <= 3 * 1500 and not model.learning().any()
    assert np.isfinite(model.expected(999)[0]).all()
