"""How seldom changes from one code to another are, and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.codes import COLUMNS, MOST, PLAIN, Codes
from models.hours import FEWER
from models.hours import MOST as MOST_HOURS
from tests.models.slow_codes import SlowCodes


def test_a_change_is_as_seldom_as_the_changes_that_are_at_least_as_rare() -> None:
    codes = Codes()
    for turn in range(10):
        codes.change(0, 0.0, 1.0, 20.0 * turn, 0.0, 0.0)
        codes.change(0, 1.0, 0.0, 20.0 * turn + 5.0, 0.0, 0.0)
    new = codes.change(0, 0.0, 2.0, 199.0, 0.0, 0.0)
    assert (new.share, new.times, new.unseen, new.codes) == (1.0 / 200.0, 0.0, True, 2)
    codes.change(0, 2.0, 0.0, 200.0, 0.0, 0.0)
    again = codes.change(0, 0.0, 2.0, 399.0, 0.0, 0.0)
    assert (again.share, again.times, again.unseen) == (3.0 / 400.0, 1.0, False)  # once there, once back, and this one
    usual = codes.change(0, 0.0, 1.0, 499.0, 0.0, 0.0)
    assert usual.share == (10 + 10 + 2 + 1 + 1) / 500.0


def test_rows_know_nothing_of_each_other_and_forget() -> None:
    codes = Codes()
    codes.change(0, 0.0, 1.0, 10.0, 0.0, 0.0)
    assert codes.change(1, 0.0, 1.0, 10.0, 0.0, 0.0).unseen
    codes.forget(0)
    assert codes.change(0, 0.0, 1.0, 10.0, 0.0, 0.0).unseen
    assert not codes.change(1, 0.0, 1.0, 20.0, 0.0, 0.0).unseen


def test_memory_is_bounded_and_keeps_what_comes_most_often() -> None:
    codes = Codes()
    for turn in range(5):
        codes.change(0, 0.0, 1.0, float(turn), 0.0, 0.0)
    for code in range(1000):
        codes.change(0, float(code), float(code + 1), 10.0 + code, 0.0, 0.0)
    state = codes.state()
    others = np.isnan(state[:, 1])
    assert (~others).sum() == MOST
    assert state[:, 3].sum() == 1005.0, "those that gave way are counted together"
    assert codes.change(0, 0.0, 1.0, 2000.0, 0.0, 0.0).times >= 5.0


def test_state_goes_on_where_it_stopped() -> None:
    one, other = Codes(), Codes()
    random = np.random.default_rng(1)
    last = 0.0
    for turn in range(300):
        now = float(random.integers(0, 12))
        one.change(turn % 3, last, now, float(turn), 7000.0 * turn, 0.0)
        last = now
    other.restore(one.state())
    assert other.state().tobytes() == one.state().tobytes()
    for turn in range(300, 400):
        now = float(random.integers(0, 12))
        reading = turn % 3, last, now, float(turn), 7000.0 * turn, 0.0
        assert one.change(*reading) == other.change(*reading)
        last = now


HOUR, DAY = 3600.0, 86400.0


def clockwork(codes: Codes, days: range, hour: float, every: int = 1) -> list[float]:
    """Switch on at an hour and off two hours later, every so many days, read each minute; return shares of going on."""
    told = []
    for day in days[::every]:
        at = day * DAY + hour * HOUR
        told.append(codes.change(0, 0.0, 1.0, at / 60.0, at, 0.0).share)
        codes.change(0, 1.0, 0.0, at / 60.0 + 120.0, at + 2.0 * HOUR, 0.0)
    return told


def test_a_change_that_comes_every_day_at_that_hour_is_usual_then_and_seldom_at_another() -> None:
    codes = Codes()
    told = clockwork(codes, range(40), 18.0)
    assert max(told[1:2]) < 0.01  # once is chance
    assert min(told[2:]) >= 2.0 / 3.0
    assert min(told[28:]) == 28.0 / 29.0
    at = 40 * DAY + 17.2 * HOUR
    assert codes.change(0, 0.0, 1.0, at / 60.0, at, 0.0).share > 0.9  # the hour before counts as well
    codes.change(0, 1.0, 0.0, at / 60.0 + 5.0, at + 300.0, 0.0)
    at = 41 * DAY + 3.0 * HOUR
    assert codes.change(0, 0.0, 1.0, at / 60.0, at, 0.0).share < 0.002


def test_a_change_that_comes_every_week_at_that_hour_is_usual_from_the_third_on() -> None:
    told = clockwork(Codes(), range(70), 23.5, every=7)
    assert told[1] < 0.01
    assert min(told[2:]) >= 2.0 / 3.0


def test_a_habit_that_has_ended_is_forgotten_after_four_weeks() -> None:
    codes = Codes()
    clockwork(codes, range(40), 18.0)
    at = 70 * DAY + 18.0 * HOUR
    assert codes.change(0, 0.0, 1.0, at / 60.0, at, 0.0).share < 0.001


def test_hours_move_with_a_clock_that_is_set_anew() -> None:
    codes = Codes()
    clockwork(codes, range(40), 18.0)
    codes.shift(0, -8.0 * HOUR)
    at = 40 * DAY + 10.0 * HOUR
    assert codes.change(0, 0.0, 1.0, at / 60.0, at, 0.0).share > 0.9


@pytest.mark.parametrize(
    ("last", "step", "then"),
    [(39 * DAY + 23.2 * HOUR, 2160.0, 39 * DAY + 23.9 * HOUR), (40 * DAY + 300.0, -1200.0, 39 * DAY + 23.8 * HOUR)],
)
def test_hours_outlive_a_clock_that_is_set_anew_at_midnight(last: float, step: float, then: float) -> None:
    """Hours move by whole ones, so the day may have moved and the clock not, or the other way round."""
    codes, many = Codes(), Codes()
    clockwork(codes, range(39), 18.0)
    codes.change(0, 0.0, 2.0, 57_600.0, last, 0.0)
    codes.shift(0, step)
    many.restore(codes.state())
    for before, at in ((2.0, then), (0.0, 40 * DAY + 18.0 * HOUR)):
        numbers = before, 1.0, at / 60.0, at, 0.0
        one, told = codes.change(0, *numbers), many.changes(np.array([0]), *(np.array([each]) for each in numbers))
        assert told.share[0] == one.share
    assert one.share > 0.9


def test_changes_at_any_hour_score_no_oftener_than_they_say() -> None:
    random = np.random.default_rng(3)
    codes, last, told = Codes(), 0.0, []
    for at in np.sort(random.integers(0, 120 * 1440, 480)).tolist():
        told.append((at, codes.change(0, last, 1.0 - last, float(at), 60.0 * at, 0.0).share))
        last = 1.0 - last
    for level in (0.01, 0.003, 0.001):
        assert sum(share <= level for at, share in told if at > 20 * 1440) <= 1.3 * level * 100 * 1440


def test_a_state_from_before_the_hours_were_kept_goes_on_without_them() -> None:
    one, other = Codes(), Codes()
    clockwork(one, range(40), 18.0)
    other.restore(one.state()[:, :PLAIN])
    at = 40 * DAY + 18.0 * HOUR
    assert other.change(0, 0.0, 1.0, at / 60.0, at, 0.0).times == 40.0


@pytest.mark.parametrize(
    ("codes", "step", "seldom"),
    [(2, 1800.0, 20.0), (5, 7000.0, 20.0), (12, 600.0, 1.0), (12, 7000.0, 20.0), (40, 86400.0, 20.0)],
)
def test_answers_are_those_of_the_plain_form(codes: int, step: float, seldom: float) -> None:
    random, quick, slow = np.random.default_rng(codes), Codes(), SlowCodes()
    last = {0: 0.0, 1: 0.0}
    for turn in range(900):
        row = int(random.integers(0, 2))
        after = float(min(int(random.exponential(codes / 4)), codes - 1)) if turn % 7 else float(turn // 48 % codes)
        if after == last[row]:
            continue
        reading = row, last[row], after, seldom * turn, step * turn, 0.0
        assert quick.change(*reading) == slow.change(*reading)
        last[row] = after
        if turn % 400 == 0:
            quick, was = Codes(), quick.state()
            quick.restore(was)


def test_rows_that_are_judged_together_are_told_what_each_would_be_alone() -> None:
    random, quick, single, slow = np.random.default_rng(5), Codes(), Codes(), SlowCodes()
    kinds = random.choice([2, 4, 7, 30], 40)  # some outgrow others' room, some lose their rarest
    last = np.zeros(len(kinds))
    for turn in range(110):
        after = random.integers(-1, kinds).astype(float)
        rows = random.permutation(np.flatnonzero((after != last) & (random.random(len(kinds)) < 0.7)))
        time = turn * 9000.0 + rows * 60.0
        told = quick.changes(
            rows, last[rows], after[rows], np.full(len(rows), 12.0 * turn), time, np.zeros(len(rows))
        )  # fmt: skip
        alone = [
            slow.change(row, last[row], after[row], 12.0 * turn, at, 0.0)
            for row, at in zip(rows.tolist(), time.tolist(), strict=True)
        ]
        assert [tuple(one) for one in zip(*(column.tolist() for column in told), strict=True)] == alone
        for row, at in zip(rows.tolist(), time.tolist(), strict=True):
            single.change(row, last[row], after[row], 12.0 * turn, at, 0.0)
        last[rows] = after[rows]
        if turn % 50 == 25:
            quick.shift(3, 7200.0)  # there and back
            quick.shift(3, -7200.0)
        if turn % 50 == 49:
            assert single.state().tobytes() == quick.state().tobytes()
            quick.forget(7)
            single.forget(7)
            for kept in (slow.pasts, slow.forgotten, slow.clocks):
                kept.pop(7, None)


CODE = st.sampled_from([0.0, -0.0, 1.0, 2.5, -3.0, 1e-50, 1e99, -1e99, 3.4028235677973366e38, 255.0])
HOURS = st.sampled_from([0, 1, 5, 23, 24, 25, 168, 671, 672, 673, 674, 675, 700, 719, 720, 721, 5000, -1, -700])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(CODE, CODE, HOURS), min_size=1, max_size=60))
def test_odd_codes_and_clocks_are_counted_alike_alone_and_in_arrays(sent: list[tuple[float, float, int]]) -> None:
    one, other, time = Codes(), Codes(), -40.0 * DAY
    for place, (before, after, hours) in enumerate(sent):
        time += HOUR * hours
        row, numbers = np.array([0]), (before, after, 5.0 * place, time, 0.0)
        told = other.changes(row, *(np.array([each]) for each in numbers))
        assert one.change(0, *numbers) == tuple(column[0] for column in told)
    assert one.state().tobytes() == other.state().tobytes()


@pytest.mark.parametrize(
    ("codes", "seldom", "odd", "most"),
    [
        *((2, 30.0, 0.0, 280), (4, 30.0, 0.0, 340), (16, 30.0, 0.0, 451), (50, 1.0, 0.0, 451), (50, 30.0, 0.0, 451)),
        *((50, 30.0, 1000.0, 720), (50, 30.0, 0.5, 1000)),  # with a row's 393 less than 1.5 kB whatever its codes are
    ],
)
def test_a_row_takes_no_more_memory_than_its_changes_need(codes: int, seldom: float, odd: float, most: int) -> None:
    random, counts, rows = np.random.default_rng(codes), Codes(), np.arange(64)
    last = np.zeros(64)
    for turn in range(110):
        after = (last + 1 + random.integers(0, codes - 1, 64)) % codes
        readings, time = np.full(64, seldom * turn), np.full(64, 7000.0 * turn)
        counts.changes(rows, last + odd, after + odd, readings, time, np.zeros(64))
        last = after
    assert counts.nbytes <= most * 64


@pytest.mark.parametrize(("codes", "hours", "most"), [(21, MOST_HOURS + 2, MOST_HOURS), (36, 36, FEWER)])
def test_hours_are_kept_until_one_has_not_come_for_long(codes: int, hours: int, most: int) -> None:
    counts = Codes()
    told: dict[int, list[float]] = {}
    for day in range(1, 45):
        for place in range(hours):  # each code at an hour or two of its own, the first hour only for two weeks
            at = day * DAY + place % 24 * HOUR + place * 60.0
            if place or day < 15:
                change = counts.change(0, 0.0, float(place % codes), 60.0 * at, at, DAY)
                told.setdefault(place, []).append(change.share)
    assert all(min(told[place][3:]) > 0.7 for place in range(most))
    assert max(told[most][3:21]) < 0.01  # no room ...
    assert min(told[most][-14:]) > 0.3  # ... until eight days after the first one's last
    assert max(told[most + 1][3:]) < 0.01


@pytest.mark.parametrize("kinds", [12, 40])
def test_codes_of_a_point_of_many_score_no_oftener_than_they_say(kinds: int) -> None:
    random, codes, last, told = np.random.default_rng(4), Codes(), 0.0, []
    for turn in range(1000):
        after = float((last + random.integers(1, kinds)) % kinds)  # 132 or 1560 kinds of change, of which 64 are kept
        told.append(codes.change(0, last, after, float(turn), 60.0 * turn, 0.0).share)
        last = after
    assert np.mean(np.array(told[300:]) <= 0.01) <= 0.013
    new = codes.change(0, last, 99.0, 1000.0, 60000.0, 0.0)
    assert new.unseen
    assert new.share == 1.0 / 1001.0 or kinds == 40, "of twelve codes none was forgotten"


@pytest.mark.parametrize("odd", [255.0, -1.0, 2.5, 70000.0])
def test_a_code_that_needs_wider_numbers_changes_nothing_of_what_was_counted(odd: float) -> None:
    codes, slow = Codes(), SlowCodes()
    for turn, (before, after) in enumerate([(0.0, 1.0), (1.0, 254.0), (254.0, 0.0)] * 9 + [(0.0, odd), (odd, 1.0)] * 3):
        reading = 0, before, after, 30.0 * turn, 7000.0 * turn, 0.0
        assert codes.change(*reading) == slow.change(*reading)
    again = Codes()
    again.restore(codes.state())
    assert again.state().tobytes() == codes.state().tobytes()


def test_counts_go_on_beyond_what_two_bytes_hold() -> None:
    state = np.zeros((2, PLAIN))
    state[:, 2], state[:, 3] = [1.0, 2.0], [2.0**16 - 1.0, 7.0]
    one, many = Codes(), Codes()
    for codes in (one, many):
        codes.restore(state)
    for turn in range(3):
        told = many.changes(np.array([0]), *(np.array([each]) for each in (0.0, 1.0, 1e6, 0.0, 0.0)))
        alone = one.change(0, 0.0, 1.0, 1e6, 0.0, 0.0)
        assert alone == tuple(column[0] for column in told)
        assert alone.times == 2.0**16 - 1.0 + turn
    assert one.state().tobytes() == many.state().tobytes()


def test_a_state_of_more_changes_than_are_kept_is_refused() -> None:
    state = np.zeros((MOST + 1, PLAIN))
    state[:, 2], state[:, 3] = np.arange(MOST + 1), 1.0
    with pytest.raises(ValueError, match="more than 64 changes"):
        Codes().restore(state)


def test_a_state_of_hours_of_each_change_keeps_those_that_came_on_most_days() -> None:
    """As it was written when twelve changes of a point had all their hours: more than a point keeps now."""
    state = np.zeros((14, COLUMNS))
    state[:, 2], state[:, 3], state[:, PLAIN] = np.arange(14) + 1.0, 40.0, 24.0 * 700 + 17
    state[:, PLAIN + 1 :] = 2.0**17 + 1.0  # at 17 and at midnight ...
    state[:12, PLAIN + 1 :: 2] += 2.0**23 + 2.0**9 + 2.0**2  # ... of twelve at three more hours every other day
    state[13, PLAIN + 1 :] = [1.0, *[0.0] * (COLUMNS - PLAIN - 2)]
    codes = Codes()
    codes.restore(state)
    at = 701 * DAY + 17 * HOUR
    told = [codes.change(0, 0.0, code, at / 60.0, at, 0.0).share for code in range(1, 15)]
    assert min(told[:13]) > 0.4
    assert told[13] < 0.01
