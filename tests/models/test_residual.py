"""A value held against what is usual at its hour: found where it is not, and no news where all is as every day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import residual
from models.arithmetic import ARRAYS, SCALARS
from models.bank import Bank
from models.reason import HOUR_ABOVE, HOUR_BELOW
from models.season import MEAN, RANGE, SWUNG, WEEKS
from tests.models.recordings import DAY, HOUR, START

QUARTER = 900.0
NIGHT = 11 * 96 + 8  # 02:00 of the twelfth day


def swing(noise: float, seed: int = 1, days: int = 13) -> tuple[np.ndarray, np.ndarray]:
    """Return times (15 min) and a swing of 5 to 15 that is highest at two in the afternoon."""
    start = START - START % DAY
    time = start + QUARTER * np.arange(days * 96)
    value = 10.0 + 5.0 * np.cos(2.0 * np.pi * (time / HOUR - 14.0) / 24.0)
    return time, value + noise * np.random.default_rng(seed).normal(size=len(time))


def run(time: np.ndarray, value: np.ndarray, copies: int = 1) -> tuple[Bank, np.ndarray, np.ndarray]:
    """Run a series through a bank, as many rows of it at once; return the bank, alarms and reasons of the first row."""
    bank, rows = Bank(), np.arange(copies)
    for row in rows.tolist():
        bank.configure(row, interval=float(np.median(np.diff(time))))
    told = [bank.update(rows, np.full(copies, now), np.full(copies, x)) for now, x in zip(time, value, strict=True)]
    return bank, np.array([each.alarm[0] for each in told]), np.array([each.reason[0] for each in told])


@pytest.mark.parametrize(("noise", "at_night"), [(0.2, 14.0), (0.8, 14.0), (0.2, 10.0)])
def test_a_night_at_the_value_of_the_day_is_found_though_it_is_within_the_range(noise: float, at_night: float) -> None:
    time, value = swing(noise)
    value[NIGHT : NIGHT + 8] = at_night
    bank, alarm, reason = run(time[: NIGHT + 8], value[: NIGHT + 8])
    assert alarm[NIGHT : NIGHT + 8].any() and not alarm[:NIGHT].any()
    assert reason[NIGHT] == HOUR_ABOVE
    assert bank.outside[1][0] < at_night


def test_a_day_that_does_not_come_is_found_and_told_in_both_languages() -> None:
    time, value = swing(0.2)
    noon = NIGHT + 10 * 4
    value[noon] = 6.0
    bank, alarm, reason = run(time[: noon + 1], value[: noon + 1])
    assert alarm[noon] and reason[noon] == HOUR_BELOW
    assert "usual at this hour" in bank.reason_text(0) and "该时段" in bank.reason_text(0, "zh-CN")


def test_a_swing_that_repeats_itself_to_the_last_bit_is_no_news() -> None:
    time, value = swing(0.0)
    bank, alarm, reason = run(time, value)
    assert bank.state()["season"][0, SWUNG] > residual.KNOWN
    assert not alarm.any() and not np.isin(reason, (HOUR_ABOVE, HOUR_BELOW)).any()


def test_what_has_no_swing_has_no_residual() -> None:
    time, _ = swing(0.0)
    bank, _, reason = run(time, np.random.default_rng(2).normal(size=len(time)))
    assert not bank.state()["season"][0, [SWUNG, *range(RANGE, RANGE + 4)]].any()
    assert not np.isin(reason, (HOUR_ABOVE, HOUR_BELOW)).any()


def test_many_at_once_and_one_alone_keep_the_same_bits() -> None:
    time, value = (each[::2] for each in swing(0.2))
    at = NIGHT // 2 + np.arange(4)
    value[at] += np.array([9.0, -3.0, 900.0, 2.0])
    one, *told = run(time[: at[-1] + 8], value[: at[-1] + 8])
    many, *others = run(time[: at[-1] + 8], value[: at[-1] + 8], copies=33)
    assert all((a == b).all() for a, b in zip(told, others, strict=True))
    assert np.isin(told[1], (HOUR_ABOVE, HOUR_BELOW)).any()
    for name, array in one.state().items():
        if name not in ("codes", "guesses"):
            assert array[0].tobytes() == many.state()[name][0].tobytes(), name


def test_after_a_gap_nothing_is_judged_until_the_mean_of_a_day_is_known() -> None:
    time, value = swing(0.2, days=16)
    gap = 12 * 96
    time, value = np.delete(time, slice(gap, gap + 96)), np.delete(value, slice(gap, gap + 96))
    value[gap:] += 40.0
    _, _, reason = run(time, value)
    assert not np.isin(reason[gap : gap + 90], (HOUR_ABOVE, HOUR_BELOW)).any()


def test_a_lone_spike_widens_the_range_by_a_few_widths_only() -> None:
    time, value = swing(0.2)
    bank, _, _ = run(time[:NIGHT], value[:NIGHT])
    before = bank.state()["season"][0, RANGE : RANGE + 4]
    bank.update(np.array([0]), time[NIGHT : NIGHT + 1], np.array([1e9]))
    after = bank.state()["season"][0, RANGE : RANGE + 4]
    assert before[1] < after[1] < 20.0


def test_a_state_without_residuals_is_taken_over_and_begins_them() -> None:
    time, value = swing(0.2)
    bank, _, _ = run(time[:NIGHT], value[:NIGHT])
    state = bank.state()
    old = {**state, "season": state["season"][:, :MEAN].astype(np.float64)}
    old["season"][0, 2] = 1e60  # held in double precision then
    other = Bank()
    other.restore(old)
    season = other.state()["season"]
    assert season.dtype == np.float32 and np.isfinite(season).all() and not season[0, MEAN:WEEKS].any()
    told = other.update(np.array([0]), time[NIGHT : NIGHT + 1], np.array([14.0]))
    assert not told.alarm[0] and not other.state()["season"][0, RANGE:WEEKS].any()


numbers = st.floats(-1e6, 1e6)
sizes = st.floats(0.0, 1e6)


@given(
    st.tuples(sizes, sizes, sizes, sizes), st.tuples(numbers, numbers, numbers, numbers), numbers, sizes, sizes,
    st.integers(0, 300), numbers, st.booleans(),
)  # fmt: skip
def test_a_residual_is_the_same_in_both_machines_and_news_only_outside_its_range(
    bounds: tuple[float, ...], profile: tuple[float, ...], mean: float, spread: float, missed: float, swung: int,
    value: float, over: bool,
) -> None:  # fmt: skip
    ranges = residual.Range(-bounds[0], bounds[1], -bounds[2], bounds[3])
    rest = (profile, 0.25, mean, spread, missed, float(swung), value, over)
    told, after = residual.depart(SCALARS, ranges, *rest)
    columns = [np.array([each]) for each in rest[1:]]
    many, many_after = residual.depart(
        ARRAYS, residual.Range(*map(np.array, zip(ranges))), tuple(np.array([each]) for each in profile), *columns
    )
    for one, column in zip((*told, *after), (*many, *many_after), strict=True):
        assert np.float64(one).tobytes() == np.broadcast_to(column, 1)[0].astype(np.float64).tobytes()
    assert (told.excess > 0.0) <= (value > told.high or value < told.low)
    assert after.low <= 0.0 <= after.high and told.low <= told.high
    if swung < residual.KNOWN:
        assert told.excess == 0.0
