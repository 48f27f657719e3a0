"""What no point should send: it warns of nothing, raises nothing, and touches no neighbour."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bank import Bank

YEAR = 365 * 86400.0
BAD = st.sampled_from([np.nan, np.inf, -np.inf, 1e300, -1e300, 1e100, -1e100, 1e99, 5e-324, -0.0, 0.0])
CLOCK = st.sampled_from([np.nan, np.inf, -np.inf, -1e18, -3600.0, 0.0, 1e-9, 0.001, 60.0, YEAR / 2, 1e15])
KINDS = st.sampled_from(["gauge", "counter", "angle", "switch", "state"])


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        yield


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CLOCK, BAD), min_size=1, max_size=60),
    KINDS,
    st.sampled_from([2, 5, 30, 40]),  # the last are judged in arrays
    st.integers(0, 2**32 - 1),
)
def test_a_neighbours_scores_are_the_same_bits_beside_whatever_is_sent(
    sent: list[tuple[float, float]], kind: str, points: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    beside, alone = Bank(), Bank()
    for bank in (beside, alone):
        bank.grow(points)
    beside.configure(0, interval=60.0, kind=kind)  # type: ignore[arg-type]
    rows = np.arange(points)
    for place in range(110):
        values = random.normal(size=points)
        times = np.full(points, 60.0 * place)
        if place >= 50 and sent:
            off, value = sent[place % len(sent)]
            times[0] += off
            values[0] = value
        told = beside.update(rows, times, values)
        expected = alone.update(rows[1:], times[1:], values[1:])
        for column, other in zip(told, expected, strict=True):
            assert column[1:].tobytes() == other.tobytes()
        assert np.all((told.score >= 0.0) & (told.score <= 1.0))
    whole, rest = beside.state(), alone.state()
    codes, others = whole.pop("codes"), rest.pop("codes")  # a line a change, not a row
    assert codes[codes[:, 0] > 0.0].tobytes() == others.tobytes()
    for name, array in whole.items():
        assert array[1:].tobytes() == rest[name][1:].tobytes()


SERIES = {
    "constant": (60.0 * np.arange(400.0), np.full(400, 7.0)),
    "zero": (60.0 * np.arange(400.0), np.zeros(400)),
    "two a year": (YEAR / 2 * np.arange(200.0), np.random.default_rng(1).normal(size=200)),
    "1 kHz": (1.7e9 + 0.001 * np.arange(400.0), np.random.default_rng(2).normal(size=400)),
    "1e300": (60.0 * np.arange(400.0), np.where(np.arange(400) % 3 == 0, 1e300, 1.0)),
    "huge": (60.0 * np.arange(400.0), np.where(np.arange(400) % 2 == 0, 9e99, -9e99)),
    "tiny": (60.0 * np.arange(400.0), 5e-324 * np.arange(400.0)),
    "clock steps back": (60.0 * (np.arange(400.0) % 150.0), np.random.default_rng(3).normal(size=400)),
    "nan": (60.0 * np.arange(400.0), np.where(np.arange(400) % 2 == 0, np.nan, 1.0)),
}


@pytest.mark.parametrize("batch", [1, 40])
@pytest.mark.parametrize("kind", ["gauge", "counter", "angle", "switch", "state"])
@pytest.mark.parametrize("name", SERIES)
def test_odd_series_give_scores_etas_and_reasons_without_a_warning(name: str, kind: str, batch: int) -> None:
    bank = Bank()
    bank.grow(batch)
    for row in range(batch):
        bank.configure(row, interval=60.0, kind=kind)  # type: ignore[arg-type]
    rows = np.arange(batch)
    for time, value in zip(*SERIES[name], strict=True):
        told = bank.update(rows, np.full(batch, time), np.full(batch, value))
        assert np.all((told.score >= 0.0) & (told.score <= 1.0))
        eta = bank.eta(rows, np.full(batch, 5.0), np.zeros(batch, np.bool_))
        assert np.all(np.isnan(eta) | (eta >= 0.0))
    assert len(bank.reason_text(0)) < 150
    assert bank.stuck(rows).dtype == np.bool_
    state = bank.state()["fields"][:, 3:]
    assert np.all(np.isfinite(state))


def test_a_constant_is_never_surprising_and_the_first_change_of_it_is() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    row = np.array([0])
    for place in range(500):
        assert bank.update(row, np.array([60.0 * place]), np.array([7.0])).score[0] < 0.99
    assert bank.update(row, np.array([60.0 * 500]), np.array([7.1])).alarm[0]


def test_bursts_of_a_thousand_readings_a_second_raise_no_alarms_of_noise() -> None:
    random, points = np.random.default_rng(6), 20
    bank, rows, alarms = Bank(), np.arange(points), 0
    for row in rows.tolist():
        bank.configure(row, interval=0.001)
    for place in range(12 * 150):
        time = 7200.0 * (place // 150) + 0.001 * (place % 150)
        alarms += int(bank.update(rows, np.full(points, time), random.standard_t(3, size=points)).alarm.sum())
    assert alarms <= 4  # of 20 point-days; were each reading a chance of its own it is more than 20
    told = bank.update(rows, np.full(points, 86400.0), np.full(points, 1e4))
    assert told.alarm.all()
