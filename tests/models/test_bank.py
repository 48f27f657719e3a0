"""The bank: batch invariance, learning, early events, kinds, data quality, time to limit, state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bank import Bank, BankResult, BankSettings
from models.layout import CREEPS, EARLIER, FIELDS, KIND, MOVING, OLDEST, RECENT, SLOW, SWINGS
from models.reason import VALUE_ABOVE
from scripts import made_series

KINDS = ("gauge", "counter", "switch", "angle", "state")
# Small time constants, so that generations turn, counts halve and stays settle within a short test.
QUICK = BankSettings(
    warm_up=5, generation=60.0, generation_intervals=20.0, memory=40.0, settle=20.0, settle_intervals=10.0,
    least=1.0, ranks=20.0,
)  # fmt: skip


def make_bank(kinds: list[str], quick: bool = True) -> Bank:
    bank = Bank(QUICK if quick else None)
    bank.grow(len(kinds))
    for row, kind in enumerate(kinds):
        bank.configure(row, interval=(1.0, 2.0, 3.0, 0.4)[row % 4], kind=kind)  # type: ignore[arg-type]
    return bank


def feed(bank: Bank, values: np.ndarray, start: float = 0.0, step: float = 60.0, row: int = 0) -> list[BankResult]:
    at = np.array([row])
    return [
        bank.update(at, np.array([start + step * place]), np.array([value]))
        for place, value in enumerate(np.asarray(values, np.float64))
    ]


def same_state(one: Bank, other: Bank) -> bool:
    first, second = one.state(), other.state()
    return all(first[name].tobytes() == second[name].tobytes() for name in first)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.sampled_from([0.0, 0.05]))
def test_outcome_does_not_depend_on_how_rows_are_split_or_ordered(seed: int, points: int, broken: float) -> None:
    random = np.random.default_rng(seed)
    kinds = [KINDS[int(kind)] for kind in random.choice(5, points, p=[0.6, 0.1, 0.1, 0.1, 0.1])]
    whole, parts, mixed = make_bank(kinds), make_bank(kinds), make_bank(kinds)
    level = np.zeros(points)
    time = np.zeros(points)
    for _ in range(60):
        level = level + random.normal(size=points) * random.choice(
            [0.0, 1.0, 1.0, 30.0], points, p=[0.2, 0.4, 0.38, 0.02]
        )
        level = np.where(random.random(points) < 0.1, np.round(level, 0) * -0.0, level)  # negative zeros and repeats
        time = time + random.choice([0.3, 1.0, 2.0, 40.0], points, p=[0.1, 0.7, 0.18, 0.02])
        value = np.where(random.random(points) < broken, random.choice([np.nan, np.inf, 1e300, -1e99]), level)
        moment = np.where(random.random(points) < broken, time - 5.0, time)
        rows = np.flatnonzero(random.random(points) < 0.9)
        expected = whole.update(rows, moment[rows], value[rows])
        order = random.permutation(len(rows))
        cuts = np.sort(random.integers(0, len(rows) + 1, 3))
        for piece in np.split(order, cuts):
            told = parts.update(rows[piece], moment[rows[piece]], value[rows[piece]])
            for column, full in zip(told, expected, strict=True):
                assert column.dtype == full.dtype
                assert column.tobytes() == full[piece].tobytes()
        for piece in alone(order, 6):
            told = mixed.update(rows[piece], moment[rows[piece]], value[rows[piece]])
            assert told.score.tobytes() == expected.score[piece].tobytes()
    assert same_state(whole, parts)
    assert same_state(whole, mixed)


def alone(order: np.ndarray, count: int) -> list[np.ndarray]:
    """Cut an order into `count` rows on their own, and the rest together: other rows each time, so all go both ways."""
    return [*np.split(order[:count], range(1, min(count, len(order)))), order[count:]]


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_swings_creeps_and_times_to_limit_do_not_depend_on_how_rows_are_split(seed: int) -> None:
    random = np.random.default_rng(seed)
    points, mine = 36, 12  # so many that the whole is worked in arrays, of which these are held against
    interval = np.resize([900.0, 1800.0, 3600.0], points)
    banks = [Bank(), Bank(), Bank()]
    for bank in banks:
        bank.grow(points)
        for row in range(points):
            bank.configure(row, interval=float(interval[row]), creeps=row % 4 == 0)
    whole, parts, singles = banks
    everyone, limit, below = np.arange(points), np.full(points, 4.0), np.arange(points) % 2 == 1
    drift, noise = random.normal(size=points) * 1e-6, random.uniform(0.0, 0.3, points)
    time = np.full(points, 1.7e9)
    for step in range(5 * 96):
        time = time + np.where(random.random(points) < 0.01, 9 * interval, interval)
        swing = np.sin(2.0 * np.pi * time / 86400.0) * (everyone // 3 % 4)
        value = swing + drift * (time - 1.7e9) + noise * random.normal(size=points)
        value = np.where(random.random(points) < 0.002, 1e99, value)
        whole.update(everyone, time, value)
        for piece in np.split(random.permutation(mine), [9]):
            parts.update(piece, time[piece], value[piece])
        for row in everyone[:mine]:
            singles.update(everyone[row : row + 1], time[row : row + 1], value[row : row + 1])
        if step % 40 == 0:
            low, high = whole.eta_range(everyone, limit, below)
            eta = whole.eta(everyone, limit, below)
            for row in everyone[:mine]:
                one = slice(row, row + 1)
                assert singles.eta(everyone[one], limit[one], below[one]).tobytes() == eta[one].tobytes()
            known = ~np.isnan(eta)
            assert (low[known] <= eta[known]).all()
            assert (eta[known] <= high[known]).all()
    assert same_state(parts, singles)
    for name, array in whole.state().items():
        assert array[:mine].tobytes() == parts.state()[name][:mine].tobytes()


def test_the_interval_of_a_foreseen_crossing_holds_it_while_a_swing_goes_against_the_trend() -> None:
    random, n, one = np.random.default_rng(1), 96 * 14, np.zeros(1, np.intp)
    bank, below = Bank(), np.array([False])
    bank.configure(0, interval=900.0)
    time = 900.0 * np.arange(n)
    value = 10 + 3 * np.sin(2 * np.pi * time / 86400) + np.cumsum(random.normal(0, 0.03, n))
    foreseen = 0
    for step in range(n):
        bank.update(one, time[step : step + 1], value[step : step + 1])
        if step > 96 * 8:
            limit = np.array([np.median(value[step - 400 : step]) + 2.0])
            eta, (soonest, latest) = bank.eta(one, limit, below), bank.eta_range(one, limit, below)
            assert soonest <= eta <= latest
            foreseen += bool(np.isfinite(eta[0]))
    assert foreseen > 50


def test_large_batches_are_worked_in_pieces_with_the_same_bits() -> None:
    random = np.random.default_rng(5)
    points = 9000
    whole, parts = make_bank(["gauge"] * points), make_bank(["gauge"] * points)
    everyone = np.arange(points)
    for step in range(12):
        value = random.normal(size=points)
        one = whole.update(everyone, np.full(points, 1.0 + step), value)
        two = [
            parts.update(piece, np.full(len(piece), 1.0 + step), value[piece]) for piece in np.array_split(everyone, 7)
        ]
        assert one.score.tobytes() == np.concatenate([each.score for each in two]).tobytes()
    assert same_state(whole, parts)


def test_no_look_ahead() -> None:
    values = np.random.default_rng(3).normal(size=600)
    other = values.copy()
    other[400:] = 99.0
    first = [result.score[0] for result in feed(make_bank(["gauge"]), values)]
    second = [result.score[0] for result in feed(make_bank(["gauge"]), other)]
    assert first[:400] == second[:400]


def test_learning_never_alarms_and_says_so() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    values = np.zeros(100)
    values[10::10] = 1e6 * np.arange(1, 10)
    for result in feed(bank, values):
        assert result.learning[0]
        assert result.score[0] == 0.0
        assert not result.alarm[0]
    assert not bank.update(np.array([0]), np.array([1e6]), np.array([1.0])).learning[0]


def test_a_step_far_outside_the_range_is_one_early_event_with_its_reason() -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    random = np.random.default_rng(1)
    feed(bank, 12.0 + np.clip(random.normal(size=3000), -2, 2) * 0.5, step=300.0)
    results = feed(bank, 16.0 + random.normal(size=60) * 0.01, start=3000 * 300.0, step=300.0)
    assert results[0].alarm[0]
    assert results[0].score[0] > 0.999
    assert results[0].reason[0] == VALUE_ABOVE
    assert sum(result.alarm[0] for result in results) == 1
    assert bank.reason_text(0) != ""


def seconds(seed: int, readings: int) -> np.ndarray:
    """Return f8[36, readings] as sensors send them each second: noise, what moves in minutes, a walk, a slow trend."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(36, readings))
    noise[9:18] = np.cumsum(noise[9:18], axis=1)
    for place in range(1, readings):
        noise[18:27, place] = 0.998 * noise[18:27, place - 1] + 0.06 * noise[18:27, place]
    noise[27:] = 0.3 * noise[27:] + 0.02 * np.arange(readings)
    return noise


def test_a_step_in_readings_each_second_is_told_within_a_minute_and_nothing_before() -> None:
    values, rows, alarms = seconds(4, 760), np.arange(36), np.zeros(36, np.int64)
    noise = values[:9, :700].std(axis=1)
    values[:9, 700:] += 40.0 * noise[:, None]
    values[18:27, 700:] -= 40.0 * values[18:27, :700].std(axis=1)[:, None]
    bank = Bank()
    for row in rows.tolist():
        bank.configure(row, interval=1.0)
    for place in range(700):
        alarms += bank.update(rows, np.full(36, 1.7e9 + place), values[:, place]).alarm
    assert not alarms.any()
    for place in range(700, 760):
        alarms += bank.update(rows, np.full(36, 1.7e9 + place), values[:, place]).alarm
    assert alarms[:9].all()
    assert alarms[18:27].all()
    assert alarms.max() == 1  # one early event each
    assert alarms[9:18].sum() + alarms[27:].sum() == 0
    for place in range(760, 840):
        value = values[:, 759] + np.where(rows < 9, 1e5 * (place >= 820), 0.0)
        alarms += bank.update(rows, np.full(36, 1.7e9 + place), value).alarm
    assert (alarms[:9] == 2).all()  # the first does not hide a far larger one, nor does its own first reading
    assert alarms[9:].max() == 1


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_steps_in_fast_readings_are_told_alike_alone_and_in_batches(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(36, 150))
    onset = random.integers(110, 140, 36)
    values += (np.arange(150) >= onset[:, None]) * random.choice([4.0, 20.0, 100.0], 36)[:, None]
    whole, alone = Bank(), Bank()
    for row in range(36):
        for bank in (whole, alone):
            bank.configure(row, interval=0.5)
    for place in range(150):
        time = 0.5 * place
        told = whole.update(np.arange(36), np.full(36, time), values[:, place])
        for row in range(36):
            one = alone.update(np.array([row]), np.array([time]), values[row, place : place + 1])
            assert [column[0] for column in one] == [column[row] for column in told]
    assert same_state(whole, alone)


def stops_after(moves: np.ndarray, *, batch: int = 1) -> tuple[Bank, list[int]]:
    """Feed a counter that `moves` each minute and stands for an hour then; return which readings since raise alarms."""
    value = np.append(np.cumsum(moves), np.full(60, np.cumsum(moves)[-1]))
    bank, rows, alarms = Bank(), np.arange(batch), []
    for row in rows.tolist():
        bank.configure(row, interval=60.0, kind="counter")
    for place, each in enumerate(value.tolist()):
        told = bank.update(rows, np.full(batch, 60.0 * place), np.full(batch, each))
        if told.alarm.any():
            assert told.alarm.all()
            alarms.append(place - len(moves))
    return bank, alarms


def test_one_wild_reading_after_a_pause_is_no_step() -> None:
    random, bank, rows = np.random.default_rng(5), Bank(), np.arange(40)
    for row in rows.tolist():
        bank.configure(row, interval=1.0)
    now, told = 1.7e9, 0
    for number in range(660):
        now += 6.0 if number == 600 else 1.0
        value = random.normal(size=40) + (10.0 if number == 600 else 0.0)
        told += int(bank.update(rows, np.full(40, now), value).alarm.sum())
    assert told == 0


def test_the_first_step_of_a_coarse_sensor_is_no_event() -> None:
    bank, rows = Bank(), np.arange(20)
    for row in rows.tolist():
        bank.configure(row, interval=1.0)
    for number in range(400):
        value = np.where(number >= 150 + 5 * rows, 20.1, 20.0)
        assert not bank.update(rows, np.full(20, 1.7e9 + number), value).alarm.any()


def test_a_counter_that_stops_after_an_alarm_of_its_own_is_told_all_the_same() -> None:
    random, bank, total, told = np.random.default_rng(1), Bank(), 0.0, []
    bank.configure(0, interval=60.0, kind="counter")
    for number in range(2200):
        if number < 2020:
            total += 500.0 if 2000 <= number < 2010 else random.uniform(4.0, 6.0)
        if bank.update(np.array([0]), np.array([1.7e9 + 60.0 * number]), np.array([total])).alarm[0]:
            told.append(number)
    assert any(2000 <= one < 2010 for one in told) and any(2020 < one <= 2060 for one in told)


@pytest.mark.parametrize("batch", [1, 40])
def test_a_counter_that_always_moved_and_stops_raises_one_alarm_that_calls_it_frozen(batch: int) -> None:
    bank, alarms = stops_after(np.random.default_rng(2).uniform(0.1, 12.0, 1500).round(1), batch=batch)
    assert alarms == [30]  # its increase of 0 is all but within its range
    assert bank.shape(0) == "freeze"
    assert bank.reason_text(0) != ""


def test_a_stopped_counter_is_told_in_words_while_it_is_news() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0, kind="counter")
    moved = np.cumsum(np.random.default_rng(2).poisson(5.0, 1500) + 0.0)
    moved += 9750.0 - moved[-1]
    value = np.append(moved, np.full(31, 9750.0))
    assert feed(bank, value)[-1].alarm[0]
    assert bank.reason_text(0) == "counter has stood at 9750 for 31 min, having moved all the time before, frozen value"
    assert bank.reason_text(0, "zh-CN") == "计数值停在 9750 已 31 分钟，此前一直在走动，形态：数值冻结"


def test_a_counter_that_has_stood_as_long_before_or_is_a_day_old_at_most_is_not_called_stopped() -> None:
    moves = np.random.default_rng(2).uniform(0.1, 12.0, 1500)
    assert stops_after(moves[:1200])[1] == []  # its first night has not been
    moves[700:715] = 0.0
    assert stops_after(moves)[1] == []


def test_reason_is_told_in_both_languages() -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    feed(bank, np.where(np.arange(3000) % 2 == 0, 12.1, 14.0), step=300.0)
    assert feed(bank, np.array([14.2]), start=3000 * 300.0)[0].alarm[0]
    assert bank.reason_text(0) == "value 14.2 above 12.1…14 seen in the last 10 d, 11 % of the range beyond it"
    assert bank.reason_text(0, "zh-CN") == "数值 14.2 高于最近 10 天内的范围 12.1…14，超出幅度为范围的 11 %"


@pytest.mark.parametrize(
    ("after", "told", "told_zh"),
    [
        ([16.0], "level shift", "水平突变"),
        ([16.0, 16.1, 16.3], "outside for 15 min, level shift", "已持续 15 分钟，形态：水平突变"),
        (12.1 + 0.4 * np.arange(8.0), "ramp", "持续爬升或下降"),
        ([11.0, 13.5, 10.5, 14.0, 10.0, 15.0], "growing noise", "噪声增大"),
    ],
)
def test_the_reason_tells_how_far_for_how_long_and_in_what_shape(after: list[float], told: str, told_zh: str) -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    usual = 12.0 + 0.1 * np.sin(np.arange(3000))
    feed(bank, np.concatenate([usual, after]), step=300.0)
    assert "of the range beyond it" in bank.reason_text(0) or " times the range beyond it" in bank.reason_text(0)
    assert bank.reason_text(0).endswith(f", {told}")
    assert bank.reason_text(0, "zh-CN").endswith(told_zh)
    feed(bank, np.array([12.0]), start=4000 * 300.0)
    assert not bank.reason_text(0).endswith(told)  # that was of another reading


def test_a_value_that_stands_far_outside_is_called_frozen() -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    feed(bank, np.concatenate([12.0 + 0.1 * np.sin(np.arange(3000)), np.full(40, 12.0)]), step=300.0)
    assert bank.shape(0) == "freeze"


@pytest.mark.parametrize("kind", ["counter", "angle", "switch", "state"])
def test_only_gauges_have_a_shape(kind: str) -> None:
    bank = Bank()
    bank.configure(0, interval=300.0, kind=kind)  # type: ignore[arg-type]
    feed(bank, np.concatenate([12.0 + 0.1 * np.sin(np.arange(200)), [40.0]]), step=300.0)
    assert bank.shape(0) == "unclear"


def test_a_rare_place_within_the_range_scores_without_an_alarm() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    random = np.random.default_rng(2)
    values = random.normal(size=3000) * 0.1
    values[150:300] = 10.0  # the range is wide, of the means too
    feed(bank, values)
    result = feed(bank, np.array([3.0]), start=3000 * 60.0)[0]
    assert 0.85 < result.score[0] < 0.999  # the means after that stay were as far out for a while
    assert not result.alarm[0]


def test_scores_are_calibrated_on_readings_without_anomalies() -> None:
    points, steps = 100, 3000
    random = np.random.default_rng(11)
    bank = Bank()
    bank.grow(points)
    for row in range(points):
        bank.configure(row, interval=60.0)
    shapes = random.normal(size=(steps, points))
    shapes[:, points // 2 :] = np.exp(shapes[:, points // 2 :] * 0.5)  # half of them with a longer tail
    everyone, said, alarms = np.arange(points), [], 0
    for step in range(steps):
        result = bank.update(everyone, np.full(points, 60.0 * step), shapes[step])
        said.append(result.score)
        alarms += int(result.alarm.sum())
    scores = np.array(said)[500:]
    assert 0.1 < np.mean(scores >= 0.95) / 0.05 < 1.2  # coarse ranks err on the quiet side
    assert 0.2 < np.mean(scores >= 0.99) / 0.01 < 1.2
    assert 0.3 < np.mean(scores >= 0.999) / 0.001 < 3.0
    assert alarms / (points * steps * 60.0 / 86400.0) < 0.1


def test_a_lasting_shift_becomes_the_new_normal() -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    random = np.random.default_rng(4)
    feed(bank, random.normal(size=1000), step=300.0)
    feed(bank, 100.0 + random.normal(size=500), start=1000 * 300.0, step=300.0)
    result = feed(bank, np.array([110.0]), start=1500 * 300.0)[0]
    assert result.score[0] > 0.999  # 10 is a lot again, though the old range reached from 0 to 100
    assert feed(bank, np.array([50.0]), start=1501 * 300.0)[0].reason[0] != 0


def test_a_short_excursion_leaves_the_range_as_it_was() -> None:
    bank = Bank()
    bank.configure(0, interval=300.0)
    random = np.random.default_rng(4)
    feed(bank, random.normal(size=1000), step=300.0)
    feed(bank, 100.0 + random.normal(size=50), start=1000 * 300.0, step=300.0)
    feed(bank, random.normal(size=50), start=1050 * 300.0, step=300.0)
    assert feed(bank, np.array([90.0]), start=1100 * 300.0)[0].score[0] < 1.0
    assert not feed(bank, np.array([90.0]), start=1101 * 300.0)[0].alarm[0]


@pytest.mark.parametrize("batch", [1, 40])
def test_what_is_much_larger_than_what_raised_the_last_alarm_is_told_within_its_refractory(batch: int) -> None:
    random, rows = np.random.default_rng(5), np.arange(batch)
    values = np.concatenate([random.uniform(-1.0, 1.0, 1500), [2.2], random.uniform(-1.0, 1.0, 20), np.full(60, 40.0)])
    small = np.concatenate([values[:1521], np.full(60, 2.6)])  # no worse than the chance alarm before it
    told = []
    for series in (values, small):
        bank = Bank()
        bank.grow(batch)
        for row in range(batch):
            bank.configure(row, interval=300.0)
        times = (np.full(batch, 300.0 * place) for place in range(len(series)))
        results = [bank.update(rows, time, np.full(batch, value)) for time, value in zip(times, series, strict=True)]
        told.append([place for place, one in enumerate(results) if one.alarm.any()])
        assert all(one.alarm.all() or not one.alarm.any() for one in results)
    assert told == [[1500, 1521], [1500]]


@pytest.mark.parametrize("batch", [1, 40])
def test_a_lone_spike_does_not_hide_for_weeks_what_comes_after_it(batch: int) -> None:
    bank, random, rows = Bank(), np.random.default_rng(1), np.arange(batch)
    for row in rows.tolist():
        bank.configure(row, interval=300.0)
    values = 20.0 + 0.2 * random.normal(size=1300)
    values[1000], values[1001:1003] = 60.0, 20.0
    values[1200:1203], values[1250:1260], values[1280:1285] = 25.0, 60.0, 60.0
    wide, alarms = [], []
    for place, value in enumerate(values):
        told = bank.update(rows, np.full(batch, 300.0 * place), np.full(batch, value))
        wide.append(float(bank.reach[0]))
        alarms += [place] if told.alarm[0] else []
    # the spike, the step after it, and what is eight times worse than that step; the same again is not told
    assert alarms == [1000, 1200, 1250]
    assert wide[1000] > 39.0 and wide[1001] == pytest.approx(3.0 * wide[999])
    assert wide[-1] > 39.0  # what stays there for some readings is known as far out as it was


def test_counters_are_scored_by_their_increments_and_survive_resets() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0, kind="counter")
    random = np.random.default_rng(6)
    steps = 10.0 + random.random(1500)
    steps[0] = 1e6  # what it stood at before the first reading
    total = np.cumsum(steps)
    total[700:] -= total[700] - 5.0  # reset to zero, then five counted
    results = feed(bank, total)
    assert not any(result.alarm[0] for result in results)
    burst = feed(bank, np.array([total[-1] + 90.0]), start=1500 * 60.0)[0]
    assert burst.alarm[0]


@pytest.mark.parametrize("kind", ["switch", "state"])
def test_switches_and_codes_are_a_surprise_only_at_a_change_and_tell_since_when_they_stand(kind: str) -> None:
    bank = Bank()
    bank.configure(0, interval=60.0, kind=kind)  # type: ignore[arg-type]
    values = np.zeros(500)
    values[400:] = 1.0
    results = feed(bank, values)
    assert [place for place, result in enumerate(results) if result.score[0]] == [400]
    assert results[400].score[0] == 1.0 - 1.0 / 401.0
    assert not any(result.alarm[0] for result in results)  # a day's budget is not a promise to know all codes so soon
    assert [result.learning[0] for result in results] == [True] * 100 + [False] * 400
    assert bank.last_value[0] == 1.0
    assert bank.flat_since[0] == 400 * 60.0
    assert not bank.stuck(np.array([0]))[0]


def test_scores_of_codes_come_no_more_often_than_they_say() -> None:
    random = np.random.default_rng(4)
    bank = Bank()
    bank.configure(0, interval=60.0, kind="state")
    odds = np.array([[0.98, 0.015, 0.005], [0.1, 0.89, 0.01], [0.3, 0.0, 0.7]])
    values = [0]
    for _ in range(6000):
        values.append(int(random.choice(3, p=odds[values[-1]])))
    scores = np.array([result.score[0] for result in feed(bank, np.array(values, float))])
    rates = [(scores[1000:] >= level).mean() / (1.0 - level) for level in (0.96, 0.98, 0.99, 0.995)]
    assert max(rates) <= 1.3
    assert rates[0] >= 0.3  # a few changes are as many steps, so most levels are not reached


@pytest.mark.parametrize("batch", [1, 40])
def test_a_switch_that_turns_by_the_clock_is_no_surprise_then_and_one_at_another_hour(batch: int) -> None:
    bank = Bank()
    for row in range(batch):
        bank.configure(row, interval=600.0, kind="switch")
    day = np.zeros(144)
    day[100:120] = 1.0
    values = np.tile(day, 12)
    values[11 * 144 + 30 : 11 * 144 + 33] = 1.0  # on the last night
    scores = []
    for place, value in enumerate(values):
        told = bank.update(np.arange(batch), np.full(batch, 600.0 * place), np.full(batch, value))
        scores.append(told.score[0])
    assert scores[144 + 100] > 0.98  # the second evening: not a habit yet
    assert max(scores[3 * 144 : 11 * 144]) < 0.5
    assert [place for place, score in enumerate(scores) if place >= 3 * 144 and score > 0.98] == [
        11 * 144 + 30,
        11 * 144 + 33,
    ]
    assert max(scores[11 * 144 + 90 :]) < 0.5
    bank.shift(np.arange(batch), np.full(batch, 8.0 * 3600.0))
    late = bank.update(np.arange(batch), np.full(batch, 600.0 * (12 * 144 + 48 + 100)), np.ones(batch))
    assert late.score[0] < 0.5  # the habit has moved with the clock


@pytest.mark.parametrize("batch", [1, 40])
def test_a_habit_that_ended_years_ago_is_seldom_again_and_its_code_still_known(batch: int) -> None:
    bank, rows = Bank(), np.arange(batch)
    for row in range(batch):
        bank.configure(row, interval=4 * 86400.0, kind="state")
    told = []
    days = [*range(0, 2 * 365, 4), *range(2 * 365 + 2, 7 * 365, 36), 7 * 365]
    for place, day in enumerate(days):
        code = 2.0 if day == days[-1] or (place % 4 == 0 and day < 2 * 365) else float(place % 2)
        told.append(bank.update(rows, np.full(batch, 1.7e9 + day * 86400.0), np.full(batch, code)))
    assert max(one.score.max() for one in told[110:180]) < 0.86 < 0.95 < told[-1].score.min(), "not for five years"
    assert not told[-1].alarm.any(), "what was seen stays known"
    state = bank.state()["codes"]
    assert state[:, 3].min() >= 1.0 and state[:, 3].max() < 20, "nothing counts for longer than it is worth"


def test_a_code_that_was_never_seen_in_months_is_an_early_event_with_its_reason() -> None:
    bank = Bank()
    bank.configure(0, interval=3600.0, kind="state")
    values = np.resize(np.repeat([1.0, 2.0], [20, 4]), 2400)
    results = feed(bank, values, step=3600.0)
    assert not any(result.alarm[0] or result.score[0] >= 0.99 for result in results[200:])
    again = feed(bank, np.array([7.0]), start=2400 * 3600.0)[0]
    assert again.alarm[0] and again.score[0] == 1.0 - 1.0 / 1001.0
    assert bank.reason_text(0) == "code 7 after 2, never seen in the last 100 d"
    assert bank.reason_text(0, "zh-CN") == "代码 7（此前为 2）在最近 100 天内从未出现"
    feed(bank, np.array([1.0]), start=2401 * 3600.0)
    second = feed(bank, np.array([7.0]), start=2402 * 3600.0)[0]
    assert not second.alarm[0] and second.score[0] >= 0.99
    assert bank.reason_text(0) == "change from 1 to 7, seen 0 times in the last 100 d"


def test_angles_wrap() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0, kind="angle")
    values = np.random.default_rng(7).normal(size=1500) * 5.0 % 360.0  # around north
    results = feed(bank, values)
    assert sum(int(result.alarm[0]) for result in results) <= 1
    assert feed(bank, np.array([180.0]), start=1500 * 60.0)[0].alarm[0]


def test_flat_and_gap_are_told() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    feed(bank, np.array([1.0, 2.0, 2.0, 2.0]))
    assert bank.flat_since[0] == 60.0
    assert bank.last_time[0] == 180.0
    row = np.array([0])
    assert not bank.update(row, np.array([180.0 + 299.0]), np.array([2.0])).gap[0]
    assert bank.flat_since[0] == 60.0
    assert bank.update(row, np.array([180.0 + 299.0 + 301.0]), np.array([2.0])).gap[0]
    assert bank.flat_since[0] == 60.0 + 301.0, "what was measured in a gap is not known"
    assert bank.update(row, np.array([180.0 + 299.0 + 301.0 + 400.0]), np.array([3.0])).gap[0]
    assert bank.flat_since[0] == bank.last_time[0]


@pytest.mark.parametrize("kind", ["gauge", "switch", "counter", "angle"])
def test_a_gap_is_no_part_of_how_long_a_value_is_flat(kind: str) -> None:
    bank, rows = Bank(), np.arange(80)
    for row in range(81):
        bank.configure(row, interval=60.0, kind=kind)  # type: ignore[arg-type]
    times = np.concatenate((np.arange(40), 1000 + np.arange(40))) * 60.0
    for time in times:
        bank.update(rows, np.full(80, time), np.full(80, 5.0))
        bank.update(np.array([80]), np.array([time]), np.array([5.0]))  # by the path for few readings
    assert (times[-1] - bank.flat_since[:81] == 78 * 60.0).all()


@pytest.mark.parametrize(
    ("time", "value"), [(1000.0, np.nan), (1000.0, np.inf), (1000.0, 1e200), (0.0, 5.0), (np.nan, 5.0)]
)
@pytest.mark.parametrize("batch", [1, 40])
def test_unusable_readings_change_nothing(time: float, value: float, batch: int) -> None:
    bank = make_bank(["gauge"] * batch, quick=False)
    rows = np.arange(batch)
    bank.update(rows, np.full(batch, 10.0), np.full(batch, 1.0))
    before = bank.state()
    result = bank.update(rows, np.full(batch, time), np.full(batch, value))
    assert not result.score.any()
    assert all(before[name].tobytes() == array.tobytes() for name, array in bank.state().items())


def test_eta_foresees_a_steady_rise() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    feed(bank, np.full(50, 10.0) + np.random.default_rng(8).normal(size=50) * 0.02)
    rows, limit, below = np.array([0]), np.array([20.0]), np.array([False])
    assert np.isinf(bank.eta(rows, limit, below)[0])
    feed(bank, 10.0 + 0.1 * np.arange(40), start=3000.0)
    left = bank.eta(rows, limit, below)[0]
    assert 40 * 60.0 < left < 3 * 61 * 60.0  # straight on it would be 61 minutes; damping makes it later
    assert np.isinf(bank.eta(rows, np.array([0.0]), np.array([True]))[0])
    assert bank.eta(rows, np.array([12.0]), below)[0] == 0.0
    assert np.isinf(bank.eta(rows, np.array([1e6]), below)[0])


def test_eta_foresees_a_fall_to_a_floor_and_is_not_told_too_early() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    rows, limit, below = np.array([0]), np.array([1.0]), np.array([True])
    assert np.isnan(bank.eta(rows, limit, below)[0])
    feed(bank, np.array([6.0, 5.9]))
    assert np.isnan(bank.eta(rows, limit, below)[0])
    feed(bank, 6.0 - 0.1 * np.arange(30), start=600.0)
    assert 0.0 < bank.eta(rows, limit, below)[0] < 4 * 3600.0


def test_a_daily_peak_is_foreseen_before_it_rises() -> None:
    bank = Bank()
    bank.configure(0, interval=900.0)
    time = 900.0 * np.arange(8 * 96)
    feed(bank, 5.0 + 2.0 * np.sin(2.0 * np.pi * time / 86400.0), step=900.0)
    rows, below = np.array([0]), np.array([False])
    peak = 6 * 3600.0  # of the day; the last reading is a quarter of an hour before midnight
    eta = bank.eta(rows, np.array([6.5]), below)[0]
    low, high = bank.eta_range(rows, np.array([6.5]), below)
    truth = 86400.0 / (2.0 * np.pi) * np.arcsin(0.75) + 900.0
    assert eta == pytest.approx(truth, abs=1200.0)
    assert low[0] <= eta <= high[0] <= peak + 900.0
    assert np.isinf(bank.eta(rows, np.array([7.5]), below)[0])
    assert np.isinf(bank.eta(rows, np.array([2.5]), np.array([True]))[0])


def test_a_drift_is_not_believed_against_what_moves_now() -> None:
    bank = Bank()
    bank.configure(0, interval=3600.0)
    feed(bank, np.concatenate([np.arange(60.0), 60.0 - np.arange(8.0)]), step=3600.0)
    assert np.isinf(bank.eta(np.array([0]), np.array([61.0]), np.array([False]))[0])


def test_noise_has_no_eta() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    values = np.random.default_rng(9).normal(size=2000)
    finite = 0
    for place, value in enumerate(values):
        bank.update(np.array([0]), np.array([60.0 * place]), np.array([value]))
        finite += bool(np.isfinite(bank.eta(np.array([0]), np.array([6.0]), np.array([False]))[0]))
    assert finite < 40


def test_a_gap_resets_the_trend_but_not_the_range() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    feed(bank, 0.1 * np.arange(200.0))
    rows, limit, below = np.array([0]), np.array([21.0]), np.array([False])
    assert np.isfinite(bank.eta(rows, limit, below)[0])
    result = feed(bank, np.array([5.0]), start=200 * 60.0 + 3600.0)[0]
    assert result.gap[0]
    assert not result.learning[0]
    assert np.isnan(bank.eta(rows, limit, below)[0])


def test_state_goes_on_where_it_stopped() -> None:
    random = np.random.default_rng(10)
    values = random.normal(size=(60, 20))
    one = make_bank(["gauge"] * 20)
    rows = np.arange(20)
    for step in range(30):
        one.update(rows, np.full(20, float(step)), values[step])
    other = Bank(QUICK)
    other.restore(one.state())
    for step in range(30, 60):
        first = one.update(rows, np.full(20, float(step)), values[step])
        second = other.update(rows, np.full(20, float(step)), values[step])
        assert first.score.tobytes() == second.score.tobytes()
    assert same_state(one, other)


def test_restore_refuses_another_layout() -> None:
    state = make_bank(["gauge"]).state()
    with pytest.raises(ValueError, match="fine"):
        Bank().restore({**state, "fine": state["fine"][:, :3]})
    with pytest.raises(ValueError, match="fields"):
        Bank().restore({})


def test_configure_refuses_nonsense_and_keeps_what_is_learnt() -> None:
    bank = make_bank(["gauge"])
    with pytest.raises(ValueError, match="kind"):
        bank.configure(0, kind="valve")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="interval"):
        bank.configure(0, interval=0.0)
    feed(bank, np.arange(20.0), step=1.0)
    bank.configure(0, interval=5.0)
    assert bank.last_value[0] == 19.0
    bank.configure(0, interval=5.0, kind="switch")
    assert np.isnan(bank.last_value[0])


@pytest.mark.parametrize(
    ("kind", "creeps", "bytes_each"),
    [("gauge", False, 985), ("counter", False, 985), ("gauge", True, 1057), ("state", False, 393)],
)
def test_a_row_keeps_only_what_its_kind_needs(kind: str, creeps: bool, bytes_each: int) -> None:
    bank = make_bank([kind] * 10)
    for row in range(10):
        bank.configure(row, kind=kind, creeps=creeps)  # type: ignore[arg-type]
        feed(bank, np.arange(3.0), row=row)
    assert bank.row_bytes == bytes_each  # with what rules keep 1.5 kB


def test_a_place_that_a_row_of_codes_has_left_is_blank_for_the_next() -> None:
    random = np.random.default_rng(2)
    used, new = make_bank(["gauge", "gauge"]), make_bank(["switch", "gauge"])
    used.configure(0, creeps=True)
    for turn in range(150):
        used.update(np.array([0]), np.array([600.0 * turn]), random.normal(size=1))
    used.configure(0, kind="switch")
    used.configure(1, creeps=True)
    new.configure(1, creeps=True)
    for value in random.normal(size=150):
        assert feed(used, [value], row=1) == feed(new, [value], row=1)
    assert used.row_bytes == new.row_bytes
    for name, array in used.state().items():
        assert array[1:].tobytes() == new.state()[name][1:].tobytes(), name


@pytest.mark.parametrize("points", [1, 7])  # one by one, and in arrays
def test_a_new_code_among_many_is_told_where_none_was_new_for_long(points: int) -> None:
    """Sixteen codes are too many for 300 readings at one in a hundred; none new in twice a hundred is enough."""
    rows, codes = np.arange(2 * points), np.arange(301) % 16.0
    codes[300] = 99.0
    always = np.where(np.arange(301) % 40 == 20, 100.0 + np.arange(301), codes)  # another new one every 40 readings
    bank = Bank()
    for row in rows.tolist():
        bank.configure(row, interval=600.0, kind="state", budget=6.0)
    alarms = np.zeros(2 * points)
    for turn in range(301):
        value = np.repeat([codes[turn], always[turn]], points)
        told = bank.update(rows, np.full(2 * points, 600.0 * turn), value).alarm
        alarms += told
    assert told.tolist() == [True] * points + [False] * points
    assert alarms.tolist() == [1.0] * points + [0.0] * points


def test_a_code_that_may_be_one_of_those_that_were_forgotten_is_no_early_event() -> None:
    """Forty codes in any order, all known by the 120th reading: what is forgotten of them comes back all the time."""
    codes, rows = np.random.default_rng(0).integers(0, 40, 4400).astype(np.float64), np.arange(13)
    one, many = make_bank(["state"], quick=False), Bank()
    one.configure(0, interval=600.0, kind="state", budget=30.0)
    feed(one, codes[:4350], step=600.0)
    state = one.state()
    lines = np.tile(state["codes"], (13, 1))
    lines[:, 0] = np.repeat(rows, len(state["codes"]))
    many.restore({name: np.repeat(array, 13, axis=0) for name, array in state.items()} | {"codes": lines})
    alarms = np.zeros(14)
    for turn, code in enumerate(codes[4350:].tolist(), 4350):
        time, value = np.full(13, 600.0 * turn), np.full(13, code)
        alarms[0] += one.update(rows[:1], time[:1], value[:1]).alarm[0]
        alarms[1:] += many.update(rows, time, value).alarm
    assert not alarms.any()


def test_an_empty_batch_is_fine() -> None:
    result = make_bank(["gauge"]).update(np.empty(0, np.intp), np.empty(0), np.empty(0))
    assert len(result.score) == 0
    assert result.reason.dtype == np.uint8


def test_a_slow_creep_is_one_early_event_once_a_day_is_known() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    random = np.random.default_rng(12)
    assert not any(result.alarm[0] for result in feed(bank, 2.0 + 0.05 * random.normal(size=1500)))
    creep = 2.0 + 0.02 * np.arange(120) + 0.05 * random.normal(size=120)
    told = [bool(result.alarm[0]) for result in feed(bank, creep, start=1500 * 60.0)]
    assert sum(told) == 1
    assert creep[told.index(True)] < 3.0  # the range was 1.8 to 2.2


def test_a_daily_swing_that_is_not_yet_known_raises_no_alarm() -> None:
    bank = Bank()
    bank.grow(20)
    for row in range(20):
        bank.configure(row, interval=120.0)
    random = np.random.default_rng(13)
    phase, alarms = random.random(20), 0
    for step in range(2 * 720):
        swing = 20.0 + 5.0 * np.sin(2.0 * np.pi * (step / 720.0 + phase)) + 0.2 * random.normal(size=20)
        alarms += int(bank.update(np.arange(20), np.full(20, 120.0 * step), swing).alarm.sum())
    assert alarms <= 1


def test_a_shifted_row_goes_on_as_if_its_clock_had_always_stood_there() -> None:
    values = np.random.default_rng(5).normal(size=300)
    values[250] = 40.0
    step = 3600.0 * 2.0**8  # times stay exact, and a profile turns by whole hours
    here, there = make_bank(["gauge"]), make_bank(["gauge"])
    feed(here, values, start=step)
    here.shift(np.array([0]), np.array([-step]))
    feed(there, values)
    assert here.reason_text(0) == there.reason_text(0) != ""
    assert same_state(here, there)


def test_a_row_with_a_larger_budget_alarms_at_less() -> None:
    random = np.random.default_rng(14)
    quiet = 12.0 + np.clip(random.normal(size=3000), -2, 2) * 0.5
    told = []
    for budget in (0.0001, None, 5.0):
        bank = Bank()
        bank.configure(0, interval=300.0, budget=budget)
        feed(bank, quiet, step=300.0)
        told.append(bool(feed(bank, np.array([13.25]), start=3000 * 300.0)[0].alarm[0]))
    assert told == [False, True, True]
    told = []
    for budget in (None, 5.0):
        bank = Bank()
        bank.configure(0, interval=300.0, budget=budget)
        feed(bank, quiet, step=300.0)
        told.append(bool(feed(bank, np.array([13.03]), start=3000 * 300.0)[0].alarm[0]))
    assert told == [False, True]
    with pytest.raises(ValueError, match="budget"):
        bank.configure(0, budget=0.0)


def earlier(state: dict[str, np.ndarray], values: np.ndarray) -> dict[str, np.ndarray]:
    """Return a state in the layout of before: all fields in one array, a number for each flag, last values as such."""
    known = {
        name: column
        for names, part in ((FIELDS, "fields"), (SLOW, "slow"))
        for name, column in zip(names, state[part].T, strict=True)
    }
    flags = known["flags"].astype(int)
    known["kind"], known["marks"] = flags // KIND, (flags & (CREEPS | SWINGS)) // CREEPS
    known["moving"], known["drifting"] = flags & MOVING, (flags >> 1) & 1
    older = {**state, "fields": np.array([known[name] for name in EARLIER]).T.astype(float), "recent": values}
    del older["slow"]
    return older


def test_a_state_of_the_layout_before_goes_on_to_the_same_bits() -> None:
    one, other = make_bank(["gauge", "counter", "angle"]), Bank(QUICK)
    values = np.random.default_rng(21).normal(size=(120, 3)).cumsum(axis=0)
    values[84:] += 30.0  # a trend stands out, a stay begins, a shape is told
    for step, value in enumerate(values[:90]):
        one.update(np.arange(3), np.full(3, float(step)), value)
    ring = np.roll(values[90 - RECENT : 90], 90 % RECENT, axis=0).T.copy()
    other.restore(earlier(one.state(), ring))
    for name, array in one.state().items():
        if name != "recent":
            assert array.tobytes() == other.state()[name].tobytes(), name
    assert other.shape(0) == one.shape(0) != "unclear"
    for step, value in enumerate(values[90:]):
        told = [bank.update(np.arange(3), np.full(3, 90.0 + step), value) for bank in (one, other)]
        assert all(column.tobytes() == also.tobytes() for column, also in zip(*told, strict=True))


def test_a_state_from_before_the_held_ranks_is_taken_over() -> None:
    one = make_bank(["gauge", "counter"])
    feed(one, np.random.default_rng(15).normal(size=50))
    older = earlier(one.state(), np.zeros((2, RECENT)))
    del older["recent"]
    older["fields"] = older["fields"][:, :OLDEST]
    other = Bank(QUICK)
    other.restore(older)
    assert other.last_value[0] == one.last_value[0]
    kept, found = one.state(), other.state()
    for name in ("coarse", "fine", "day", "profile", "stay"):
        assert found[name].tobytes() == kept[name].tobytes(), name
    assert not feed(other, np.array([0.0]), start=50 * 60.0)[0].learning[0]


def test_a_point_that_stands_still_for_longer_than_ever_is_stuck() -> None:
    bank = Bank()
    bank.configure(0, interval=60.0)
    random = np.random.default_rng(16)
    feed(bank, np.repeat(random.normal(size=40), 15))  # it often stands still for 15 readings
    row = np.array([0])
    feed(bank, np.full(40, 2.0), start=600 * 60.0)
    assert not bank.stuck(row)[0]
    feed(bank, np.full(20, 2.0), start=640 * 60.0)
    assert bank.stuck(row)[0]
    feed(bank, np.array([2.1]), start=660 * 60.0)
    assert not bank.stuck(row)[0]


def test_an_alarm_of_a_creep_tells_its_own_reading_against_the_range_that_was_left() -> None:
    one = made_series.ambient(np.random.default_rng(0))
    bank = Bank()
    bank.configure(0, interval=3600.0)
    quiet = 0
    for time, value in zip(one.time[:1200].tolist(), one.value[:1200].tolist(), strict=True):
        told = bank.update(np.zeros(1, np.intp), np.array([time]), np.array([value]))
        if told.alarm[0]:
            quiet += told.score[0] < 0.99
            low, high = (float(each[0]) for each in bank.outside)
            assert told.reason[0] and (value < low or value > high)
            assert bank.reason_text(0).startswith(f"value {value:.2f} ")
            assert "outside for" in bank.reason_text(0) or told.score[0] >= 0.99
    assert quiet, "one of them rose so slowly that its score is none"
