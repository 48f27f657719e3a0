from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.console.traces import RAW, TraceStore, decimate


def fill(store: TraceStore, point: list[int], time: list[float], value: list[float], score: float = 0.5) -> None:
    store.append(
        np.array(point, np.uint32),
        np.array(time, float),
        np.array(value, float),
        np.full(len(point), score, np.float32),
        seen=max(time),
    )


def test_readings_come_back_as_they_were() -> None:
    store = TraceStore(3)
    fill(store, [0, 2, 0], [60.0, 61.0, 62.0], [1.5, 9.0, 2.5])
    series = store.trace(0, 0.0, 100.0, 100)
    assert series.time.tolist() == [60.0, 62.0]
    assert series.value.tolist() == [1.5, 2.5]
    assert series.score.tolist() == [0.5, 0.5]
    assert series.low is None
    assert store.trace(0, 61.0, 100.0, 100).time.tolist() == [62.0]
    assert len(store.trace(1, 0.0, 100.0, 100).time) == 0
    assert store.last_value[[0, 2]].tolist() == [2.5, 9.0]
    assert np.isnan(store.last_value[1])


def test_a_point_that_the_store_does_not_have_is_left_out() -> None:
    store = TraceStore(1)
    fill(store, [7, 0], [60.0, 61.0], [1.0, 2.0])
    fill(store, [7], [62.0], [1.0])
    assert store.trace(0, 0, 100, 10).value.tolist() == [2.0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 3 * RAW), min_size=1, max_size=6))
def test_the_ring_keeps_the_last_readings_however_they_were_cut(sizes: list[int]) -> None:
    store = TraceStore(2)
    total = sum(sizes)
    time = np.arange(total) + 1e6
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        point = np.zeros(size, np.uint32)
        store.append(point, time[part], np.sin(time[part]), np.zeros(size, np.float32), seen=0.0)
        start += size
    kept = time[-RAW:]
    series = store.trace(0, float(kept[0]), 1e9, 10**6)
    assert series.time.tolist() == kept.tolist()
    assert series.value.tolist() == np.sin(kept).tolist()


def test_before_the_ring_the_minutes_stand_in() -> None:
    store = TraceStore(1)
    time = np.arange(0.0, 7200.0) + 6e5
    value = np.sin(time / 100)
    for part in np.array_split(np.arange(7200), 37):
        store.append(np.zeros(len(part), np.uint32), time[part], value[part], np.ones(len(part), np.float32), seen=0.0)
    series = store.trace(0, 6e5, 7e5, 10_000)
    assert series.low is not None
    assert series.high is not None
    assert np.all(np.diff(series.time) > 0)
    assert np.isnan(series.score[0])
    assert series.score[-1] == 1.0
    assert np.allclose(series.low.min(), value.min(), atol=1e-6)
    assert np.allclose(series.high.max(), value.max(), atol=1e-6)
    first = value[:60]
    assert np.allclose([series.low[0], series.high[0], series.value[0]], [first.min(), first.max(), first[-1]])
    spans = (7200 - RAW) // 60 + 1  # with the minute in which the ring begins, of which the ring's are told one by one
    assert len(series.time) == spans + RAW


def test_a_fast_points_present_minute_is_told_reading_by_reading() -> None:
    store = TraceStore(1)
    times = 600_000.0 + np.arange(3000) / 100
    fill(store, [0] * 3000, times.tolist(), np.arange(3000.0).tolist())
    series = store.trace(0, 600_000.0, 600_060.0, 10**6)
    assert series.low is not None and series.high is not None
    assert series.time.tolist() == times[-RAW - 1 :].tolist()
    assert (series.low[0], series.value[0]) == (0.0, 3000.0 - RAW) and np.isnan(series.score[0])
    assert series.value[1:].tolist() == series.low[1:].tolist() == np.arange(3000.0)[-RAW:].tolist()


def test_a_window_that_begins_before_the_ring_and_ends_within_it_has_no_hole_at_the_seam() -> None:
    store = TraceStore(1)
    times = 600_000.25 + np.arange(RAW + 90)
    fill(store, [0] * len(times), times.tolist(), [1.0] * len(times))
    assert int(times[-RAW]) % 60 == 30, "the ring begins in the middle of a minute"
    for stop in (600_095.0, 600_200.5, 601_100.0):
        series = store.trace(0, 600_000.0, stop, 10**6)
        assert series.time[0] == 600_060.0 and series.time[-1] > stop - 1.5
        assert np.diff(series.time).max() <= 60.0
        spans = int(np.isnan(series.score).sum())
        assert spans == 2 and len(series.time) - spans == int(stop - times[-RAW] + 1)


Story = list[tuple[int, int, int]]
"""Batches of readings: how many, how far apart in seconds, and for how many of them history comes afterwards."""


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(1, 12), st.integers(0, 30)), min_size=1, max_size=6),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_every_reading_of_a_window_is_shown_once_as_itself_or_in_its_minute(
    story: Story, begin: float, end: float
) -> None:
    store, rng = TraceStore(1), np.random.default_rng(len(story))
    at, told = 600_000.25, {}
    for count, step, late in story:
        times = (at + step * np.arange(count)).tolist()
        at += step * count
        fill(store, [0] * count, times, [float(n) for n in range(count)])
        past = sorted({round(float(one)) + 0.5 for one in rng.uniform(600_000.5, at, late)} - set(told))
        past = [one for one in past if one < times[-1]]
        if past:
            history(store, past, [-float(n) for n in range(len(past))])
        told |= {one: float(n) for n, one in enumerate(times)} | {one: -float(n) for n, one in enumerate(past)}
    first, last = min(told), max(told)
    start, stop = sorted((first - 1.125 + begin * (last - first + 2), first - 1.125 + end * (last - first + 2)))
    series = store.trace(0, start, stop, 10**6)
    low, high = (series.value if one is None else one for one in (series.low, series.high))
    shown = {one: (a, b) for one, a, b in zip(series.time.tolist(), low.tolist(), high.tolist(), strict=True)}
    assert len(shown) == len(series.time) and (np.diff(series.time) > 0).all()
    lost = float(store._lost[0])  # up to here it is the minutes that tell
    spans = (set(shown) - set(told)) | ({lost} & set(shown))
    assert all(one in {stop, lost} or one % 60 == 0 for one in spans)
    for time, value in told.items():
        if start < time < stop:
            span = min(time // 60 * 60 + 60, stop, max(lost, time))
            as_itself = time in shown and time not in spans
            assert as_itself != (time <= lost and span in spans), "once: as itself or in its minute"
            inside = shown[time if as_itself else span]
            assert inside[0] <= value <= inside[1]


def test_a_minute_of_another_day_takes_its_place_and_late_ones_do_not_undo_it() -> None:
    store = TraceStore(1)
    day = 86400.0
    fill(store, [0, 0], [60.0, day + 60.0], [5.0, 7.0])
    fill(store, [0], [61.0], [-9.0])
    minute = 1
    assert store._low[0, minute] == store._high[0, minute] == 7.0


def test_values_that_are_not_numbers_do_not_spoil_a_minute() -> None:
    store = TraceStore(1)
    fill(store, [0, 0, 0], [60.0, 61.0, 62.0], [1.0, float("nan"), float("inf")])
    assert store._low[0, 1] == store._high[0, 1] == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=500), st.integers(2, 60))
def test_decimation_loses_no_extreme(values: list[float], most: int) -> None:
    store = TraceStore(1)
    value = np.array(values)
    time = np.arange(len(value), dtype=float) * 10 + 1e6
    store.append(np.zeros(len(value), np.uint32), time, value, np.zeros(len(value), np.float32), seen=0.0)
    series = decimate(store.trace(0, 0.0, 1e9, 10**6), most)
    assert len(series.time) <= max(most, 1)
    assert series.low is not None
    assert series.high is not None
    assert series.low.min() == value.min()
    assert series.high.max() == value.max()
    assert series.value[-1] == value[-1]
    assert series.time[-1] == time[-1]


def test_ages_count_from_arrival() -> None:
    store = TraceStore(2)
    fill(store, [0], [1000.0], [1.0])
    ages = store.ages(1004.0)
    assert ages[0] == 4.0
    assert np.isnan(ages[1])


def test_a_point_scored_in_two_partitions_is_kept_once() -> None:
    store = TraceStore(1)
    fill(store, [0, 0], [60.0, 61.0], [1.0, 2.0])
    fill(store, [0, 0, 0], [60.0, 61.0, 62.0], [1.0, 2.0, 3.0])
    assert store.trace(0, 0.0, 100.0, 100).time.tolist() == [60.0, 61.0, 62.0]


def test_a_point_is_learning_while_its_last_reading_has_no_score() -> None:
    store = TraceStore(2)
    assert not store.learning(0)
    for time, score, expected in ((1.0, np.nan, True), (2.0, 0.0, False)):
        store.append(np.zeros(1, np.uint32), np.array([time]), np.ones(1), np.array([score], np.float32), seen=0.0)
        assert store.learning(0) is expected


def history(store: TraceStore, time: list[float], value: list[float]) -> None:
    """Tell readings of point 0 without a score, as the engine does of history that is older than what it has."""
    fill(store, [0] * len(time), time, value, score=np.nan)


def test_history_that_comes_later_is_put_where_it_belongs_once_and_is_no_sign_of_life() -> None:
    store = TraceStore(1)
    fill(store, [0, 0], [100.0, 120.0], [1.0, 3.0])
    for _ in range(2):
        history(store, [110.0, 50.0], [2.0, 0.5])
    series = store.trace(0, 0.0, 200.0, 100)
    assert series.time.tolist() == [50.0, 100.0, 110.0, 120.0]
    assert series.value.tolist() == [0.5, 1.0, 2.0, 3.0]
    assert (store.last_value[0], store.last_time[0], store.last_seen[0]) == (3.0, 120.0, 120.0)
    assert not store.learning(0)
    fill(store, [0], [90.0], [9.0])
    assert 90.0 not in store.trace(0, 0.0, 200.0, 100).time.tolist(), "what was scored and is older is another's copy"


def test_history_takes_the_place_of_the_oldest_and_the_minutes_know_what_is_older_still() -> None:
    store = TraceStore(1)
    time = [6_000.0 + 2 * k for k in range(RAW)]
    fill(store, [0] * RAW, time, [1.0] * RAW)
    history(store, [6_001.0, 3_000.0], [2.0, 5.0])
    kept = store.trace(0, 6_000.0, 1e9, 10**6)
    assert kept.time.tolist()[:2] == [6_001.0, 6_002.0] and len(kept.time) == RAW
    fill(store, [0], [time[-1] + 2], [1.0])
    whole = store.trace(0, 0.0, 1e9, 10**6)
    assert 5.0 in whole.value.tolist() and whole.time.tolist() == sorted(whole.time.tolist())


def test_a_minutes_last_value_stays_its_newest() -> None:
    store = TraceStore(1)
    fill(store, [0], [70.0], [7.0])
    fill(store, [0] * RAW, [1_000.0 + k for k in range(RAW)], [1.0] * RAW)
    history(store, [65.0], [3.0])
    series = store.trace(0, 0.0, 200.0, 10)
    assert series.value.tolist() == [7.0] and series.low is not None and series.low.tolist() == [3.0]


def test_room_for_more_points_keeps_what_is_there() -> None:
    store = TraceStore(2)
    store.append(np.array([1], np.uint32), np.array([60.0]), np.array([5.0]), np.array([0.5], np.float32), 61.0)
    store.grow(5)
    store.grow(3)  # never less
    assert len(store) == 5
    assert store.trace(1, 0, 100, 10).value.tolist() == [5.0]
    store.append(np.array([4], np.uint32), np.array([61.0]), np.array([7.0]), np.array([0.5], np.float32), 62.0)
    assert store.trace(4, 0, 100, 10).value.tolist() == [7.0]
    assert store.trace(2, 0, 100, 10).value.tolist() == []
