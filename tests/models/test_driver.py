"""Drivers: what has fallen and not arrived is a rise to come, believed while it explains how the point moves."""

from __future__ import annotations

import numpy as np
import pytest

from models.bank import Bank
from models.driver import Brings, Drive, Drivers, brings
from models.evaluation.gauge import HOUR, Driven, Foresight, etas, foresee
from tests.models.recordings import START, rained

Floats = np.ndarray
LIMIT, CEILING = np.array([10.0]), np.array([False])
POINT, GAUGE = np.array([0]), np.array([1])


def valley(days: int = 40, seed: int = 3, lag: float = 8 * HOUR) -> tuple[Floats, Floats, Floats]:
    """Return hourly times, levels and rain where rain passes two reservoirs and nothing else happens but recession."""
    random = np.random.default_rng(seed)
    hours = days * 24
    rain = np.where(random.random(hours) < 0.02, random.uniform(5.0, 20.0, hours), 0.0).round(1)
    level, first, second, left = np.empty(hours), 0.0, 0.0, 0.5 * lag / (0.5 * lag + HOUR)
    stands = 2.0
    for hour in range(hours):
        held = first + rain[hour]
        first = held * left
        through = second + held - first
        second = through * left
        stands += 0.1 * (through - second) - 0.004 * (stands - 2.0)
        level[hour] = stands
    return START + HOUR * np.arange(hours), (level + 0.002 * random.normal(size=hours)).round(3), rain


def driven(what: Brings = "amounts", lag: float = 8 * HOUR) -> Bank:
    bank = Bank()
    bank.configure(0, interval=HOUR)
    bank.configure(1, interval=HOUR)
    bank.drivers = Drivers([Drive(0, 1, lag, what, HOUR)], 2)
    return bank


def feed(bank: Bank, time: Floats, level: Floats, rain: Floats) -> None:
    for at, stands, fallen in zip(time, level, rain, strict=True):
        bank.update(np.array([1, 0]), np.full(2, at), np.array([fallen, stands]))
        bank.drive()


def test_rain_that_has_fallen_is_foreseen_before_the_level_moves() -> None:
    time, level, rain = valley()
    dry, wet = level[-1], 60.0
    limit = np.array([dry + 3.0])
    alone, bank = Bank(), driven()
    alone.configure(0, interval=HOUR)
    feed(bank, time, level, rain)
    for at, stands in zip(time, level, strict=True):
        alone.update(POINT, np.array([at]), np.array([stands]))
    assert bank.eta(POINT, limit, CEILING)[0] == np.inf, "none stays none"
    now = time[-1] + HOUR
    feed(bank, np.array([now]), np.array([dry]), np.array([wet]))
    alone.update(POINT, np.array([now]), np.array([dry]))
    assert alone.eta(POINT, limit, CEILING)[0] == np.inf
    eta = bank.eta(POINT, limit, CEILING)[0]
    assert 2 * HOUR < eta < 12 * HOUR  # half of 0.1 * 60 arrives within about 7 hours
    low, high = bank.eta_range(POINT, limit, CEILING)
    assert low[0] <= eta <= high[0]


@pytest.mark.parametrize("below", [False, True])
def test_the_soonest_is_no_later_than_the_latest_while_level_and_rain_go_apart(below: bool) -> None:
    time, level, rain = valley()
    side = -1.0 if below else 1.0
    bank = driven()
    feed(bank, time, side * level, rain)
    hours, falling = HOUR * np.arange(1, 13), 0.4 * np.arange(1, 13)
    floor, met = np.array([below]), 0
    for step, fell in zip(hours, falling, strict=True):
        feed(bank, time[-1:] + step, side * (level[-1:] - fell), np.array([30.0]))
        for above in (0.1, 0.5, 2.0):
            limit = np.array([side * (level[-1] - fell + above)])
            (low,), (high,) = bank.eta_range(POINT, limit, floor)
            assert low <= bank.eta(POINT, limit, floor)[0] <= high, (step, above)
            met += np.isfinite(low)
    assert met > 1


def test_a_gauge_that_explains_nothing_changes_nothing() -> None:
    time, level, rain = valley(days=20)
    shuffled = np.random.default_rng(1).permutation(rain)
    for other in (shuffled, np.zeros(len(rain)), np.full(len(rain), np.nan)):
        limit = float(np.quantile(level, 0.9))
        alone = etas(time, level, limit, HOUR)
        beside = etas(time, level, limit, HOUR, drivers=[Driven(other, 8 * HOUR, "amounts")])
        assert np.mean((alone == beside) | (np.isnan(alone) & np.isnan(beside))) > 0.97


def test_a_driver_that_falls_silent_is_left_aside() -> None:
    time, level, rain = valley()
    bank = driven()
    feed(bank, time, level, rain)
    assert bank.drivers is not None
    assert bank.drivers.rise(POINT)[0].tolist() == [True]
    for hour in range(1, 9):
        bank.update(POINT, np.array([time[-1] + hour * HOUR]), level[-1:])
        bank.drive()
    assert bank.drivers.rise(POINT)[0].tolist() == [False]


@pytest.mark.parametrize("what", ["amounts", "total", "level"])
def test_amounts_totals_and_levels_bring_the_same(what: Brings) -> None:
    time, level, rain = valley()
    told = rain if what == "amounts" else np.cumsum(rain) + 5.0
    reference, bank = driven(), driven(what)
    feed(reference, time, level, rain)
    feed(bank, time, level, told)
    assert bank.drivers is not None
    assert reference.drivers is not None
    np.testing.assert_allclose(bank.drivers.rise(POINT)[1], reference.drivers.rise(POINT)[1], rtol=0.2, atol=1e-3)


def test_a_counter_that_is_reset_brings_no_less_than_nothing() -> None:
    bank = driven("total")
    feed(bank, START + HOUR * np.arange(4.0), np.full(4, 2.0), np.array([100.0, 103.0, 0.0, 2.0]))
    assert bank.drivers is not None
    assert bank.drivers.state()["sums"][0, 2] == 5.0


def test_how_readings_are_cut_into_batches_changes_no_bit() -> None:
    time, level, rain = valley(days=8)
    whole, parts = driven(), driven()
    random = np.random.default_rng(2)
    for at, stands, fallen in zip(time, level, rain, strict=True):
        whole.update(np.array([0, 1]), np.full(2, at), np.array([stands, fallen]))
        for row in random.permutation(2):
            parts.update(np.array([row]), np.array([at]), np.array([(stands, fallen)[row]]))
        whole.drive()
        parts.drive()
        assert whole.eta(POINT, LIMIT, CEILING).tobytes() == parts.eta(POINT, LIMIT, CEILING).tobytes()
    assert whole.drivers is not None
    assert parts.drivers is not None
    for name, array in whole.drivers.state().items():
        assert array.tobytes() == parts.drivers.state()[name].tobytes()


def test_a_restored_state_goes_on_to_the_bit_and_pairs_that_went_are_left_out() -> None:
    time, level, rain = valley(days=12)
    whole, bank = driven(), driven()
    half = len(time) // 2
    feed(whole, time, level, rain)
    feed(bank, time[:half], level[:half], rain[:half])
    assert bank.drivers is not None
    assert whole.drivers is not None
    kept = bank.drivers.state()
    bank.drivers = Drivers([Drive(0, 1, 8 * HOUR, "amounts", HOUR)], 2)
    bank.drivers.restore(kept)
    feed(bank, time[half:], level[half:], rain[half:])
    assert bank.drivers.shared.tobytes() == whole.drivers.shared.tobytes()
    other = Drivers([Drive(1, 0, 8 * HOUR, "level", HOUR)], 2)
    other.restore(kept)
    assert np.isnan(other.shared[0, 0])


def test_a_driver_that_proves_to_be_of_another_kind_begins_anew() -> None:
    time, level, rain = valley(days=12)
    bank = driven()
    feed(bank, time, level, np.cumsum(rain))  # a total, taken for amounts
    assert bank.drivers is not None
    kept = bank.drivers.state()
    now, new = (Drivers([Drive(0, 1, 8 * HOUR, what, HOUR)], 2) for what in ("total", "total"))
    now.restore(kept)
    assert now.sums.tobytes() == new.sums.tobytes()
    assert now.shared.tobytes() == new.shared.tobytes()
    older = {name: array for name, array in kept.items() if name != "brings"}
    now.restore(older)  # of a state that does not say it, as before
    assert now.sums.tobytes() == bank.drivers.sums.tobytes()


def test_hostile_readings_leave_finite_numbers() -> None:
    time, level, rain = valley(days=4)
    bank = driven()
    feed(bank, time, level, rain)
    later = time[-1] + HOUR * np.arange(1.0, 9.0)
    odd = np.array([1e300, np.nan, np.inf, -1e99, 1e99, -np.inf, 0.0, -0.0])
    feed(bank, later, np.full(8, 2.0), odd)
    feed(bank, later - 5 * HOUR, np.full(8, 2.0), odd)  # a clock that steps back
    assert bank.drivers is not None
    assert np.isfinite(bank.drivers.shared).all()
    assert np.isfinite(bank.drivers.rise(POINT)[1]).all()


def test_a_clock_set_anew_moves_what_is_kept() -> None:
    time, level, rain = valley(days=12)
    bank, moved = driven(), driven()
    half = len(time) // 2
    for each, step in ((bank, 0.0), (moved, 7200.0)):
        feed(each, time[:half], level[:half], rain[:half])
        each.shift(np.array([0, 1]), np.full(2, step))
        feed(each, time[half:] + step, level[half:], rain[half:])
    assert bank.drivers is not None
    assert moved.drivers is not None
    assert bank.drivers.rise(POINT)[1].tobytes() == moved.drivers.rise(POINT)[1].tobytes()


def test_what_a_driver_brings_follows_from_what_it_is() -> None:
    assert brings("rain", "gauge") == "amounts"
    assert brings("rain", "counter") == "total"
    assert brings("level", "gauge") == "level"


def judged(series: tuple[Floats, Floats, Floats], rain: bool) -> Foresight:
    time, value, fallen = series
    limit = float(np.quantile(value, 0.95))
    drivers = [Driven(fallen, 8 * HOUR, "amounts")] if rain else []
    eta = etas(time, value, limit, HOUR, drivers=drivers)
    return foresee(time, value, eta, limit, horizon=12 * HOUR, apart=12 * HOUR)


def test_rain_makes_warnings_of_made_rivers_earlier() -> None:
    rivers = [rained(seed, days=90) for seed in (10, 11)]
    alone, beside = ([judged(one, rain) for one in rivers] for rain in (False, True))
    leads = [np.mean([one.lead or 0.0 for each in told for one in each.crossed]) for told in (alone, beside)]
    assert leads[1] > leads[0]
    assert all(each.detected == each.crossings for each in beside)
    assert sum(each.false for each in beside) <= 0.5 * sum(each.warnings for each in beside)  # 0.36 over eight seeds
