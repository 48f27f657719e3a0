from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.windows import PANES, SAMPLE, Windows

ALL = {"mean", "min", "max", "sum", "count", "spread", "rate", "slope", "delta", "quantile"}


def feed(windows: Windows, times: list[float], values: list[float]) -> None:
    for time, value in zip(times, values, strict=True):
        windows.add(np.array([0]), np.array([time]), np.array([value]))


def read(windows: Windows, statistic: str, now: float, duration: float = 160.0, share: float = 0.5) -> float:
    if statistic == "quantile":
        return float(windows.quantile(share, duration, np.array([0]), np.array([now]))[0])
    return float(windows.read(statistic, duration, np.array([0]), np.array([now]))[0])


def a_window(duration: float = 160.0) -> Windows:
    return Windows({duration: dict.fromkeys(ALL, np.array([0]))}, 1)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(-50, 50)), min_size=1, max_size=80),
    st.integers(0, 200),
)
def test_a_window_speaks_of_the_panes_that_it_covers(steps: list[tuple[int, int]], later: int) -> None:
    windows = a_window()
    times = np.cumsum([float(step) for step, _ in steps])
    values = np.array([float(value) for _, value in steps])
    feed(windows, times.tolist(), values.tolist())
    now = float(times[-1] + later)
    inside = values[np.floor(times / 10) > np.floor(now / 10) - PANES]
    assert read(windows, "count", now) == len(inside)
    if not len(inside):
        assert all(np.isnan(read(windows, name, now)) for name in ALL - {"count"})
        return
    assert read(windows, "sum", now) == inside.sum()
    assert read(windows, "mean", now) == pytest.approx(inside.mean())
    assert (read(windows, "min", now), read(windows, "max", now)) == (inside.min(), inside.max())
    assert read(windows, "spread", now) == inside.max() - inside.min()
    assert read(windows, "delta", now) == inside[0]
    for share in (0.1, 0.5, 0.9, 0.999):
        assert read(windows, "quantile", now, share=share) == np.quantile(inside, share, method="inverted_cdf")


def test_nothing_is_known_before_the_first_reading() -> None:
    assert all(np.isnan(read(a_window(), name, 100.0)) for name in ALL)


def test_rate_is_the_slope_and_needs_half_the_window() -> None:
    windows = a_window()
    feed(windows, [1000.0, 1030.0, 1060.0], [5.0, 8.0, 11.0])
    assert np.isnan(read(windows, "rate", 1060.0))
    feed(windows, [1090.0, 1120.0], [14.0, 17.0])
    assert read(windows, "rate", 1120.0) == pytest.approx(0.1)


def test_rows_and_durations_do_not_mix() -> None:
    windows = Windows({60.0: {"mean": np.array([0, 2])}, 600.0: {"mean": np.array([2])}}, 4)
    rows = np.arange(4)
    for time in (0.0, 100.0):
        windows.add(rows, np.full(4, time), rows + time)
    now = np.full(4, 100.0)
    assert windows.read("mean", 60.0, rows, now).tolist()[::2] == [100.0, 102.0]
    assert windows.read("mean", 600.0, rows, now).tolist()[2] == 52.0
    assert np.isnan(windows.read("mean", 600.0, rows, now)[[0, 1, 3]]).all()


def test_state_stays_small() -> None:
    rows = np.arange(1000)
    windows = Windows({600.0: {"rate": rows, "mean": rows}}, 1000)
    assert windows.nbytes / 1000 <= 350


def test_a_row_keeps_no_figure_that_only_another_row_needs() -> None:
    one, many = np.array([0]), np.arange(1000)
    windows = Windows({600.0: {"mean": many, "max": one}}, 1000)
    assert windows.nbytes < Windows({600.0: {"mean": many, "max": many}}, 1000).nbytes * 0.7
    windows.add(many, np.full(1000, 5.0), many.astype(float))
    now = np.full(1000, 5.0)
    assert windows.read("mean", 600.0, many, now).tolist() == many.tolist()
    top = windows.read("max", 600.0, many, now)
    assert top[0] == 0.0
    assert np.isnan(top[1:]).all()


@pytest.mark.parametrize("name", ["max", "spread", "rate", "slope", "delta", "quantile"])
def test_a_figure_that_a_window_did_not_keep_is_unknown_until_its_panes_are_filled_again(name: str) -> None:
    row = np.array([0])
    before = Windows({160.0: {"sum": row}}, 1)
    feed(before, [float(t) for t in range(0, 160, 5)], [1.0] * 32)
    after = Windows({160.0: {"sum": row, name: row}}, 1)
    ((duration, _, _, arrays),) = before.state()
    after.restore(duration, arrays, row, row)
    assert read(after, "sum", 159.0) == 32.0
    for time in range(160, 310, 5):  # the pane of 150 to 160 was kept without the figure
        feed(after, [float(time)], [1.0])
        assert read(after, "sum", float(time)) == 31.0 + (time % 10 == 5)
        assert np.isnan(read(after, name, float(time)))
    feed(after, [310.0], [1.0])
    assert read(after, name, 310.0) == {"spread": 0.0, "rate": 0.0, "slope": 0.0}.get(name, 1.0)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(-50, 50)), min_size=1, max_size=80),
    st.integers(-40, 40),
    st.integers(0, 200),
)
def test_a_shifted_window_speaks_of_the_same_readings(steps: list[tuple[int, int]], panes: int, later: int) -> None:
    here, there = a_window(), a_window()
    times = np.cumsum([float(step) for step, _ in steps])
    feed(here, times.tolist(), [float(value) for _, value in steps])
    feed(there, (times + 10.0 * panes).tolist(), [float(value) for _, value in steps])
    here.shift(np.array([0]), np.array([10.0 * panes]))
    now = float(times[-1] + later) + 10.0 * panes
    for name in ALL:
        np.testing.assert_array_equal(read(here, name, now), read(there, name, now))


def test_a_wild_reading_moves_the_rate_but_not_the_slope() -> None:
    windows = a_window()
    feed(windows, [float(t) for t in range(0, 160, 10)], [1e6 if t == 70 else 0.5 * t for t in range(0, 160, 10)])
    assert abs(read(windows, "rate", 150.0)) > 100
    assert read(windows, "slope", 150.0) == pytest.approx(0.5)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(-50, 50)), min_size=2, max_size=40))
def test_the_slope_is_theil_and_sens_of_the_panes(steps: list[tuple[int, int]]) -> None:
    windows = a_window()
    times = np.cumsum([float(step) for step, _ in steps])
    values = np.array([float(value) for _, value in steps])
    feed(windows, times.tolist(), values.tolist())
    pane = np.floor(times / 10)
    kept = [pane == one for one in np.unique(pane) if one > pane[-1] - PANES]
    when, what = [times[one].mean() for one in kept], [values[one].mean() for one in kept]
    slopes = [(what[b] - what[a]) / (when[b] - when[a]) for b in range(len(when)) for a in range(b)]
    if not slopes or when[-1] - when[0] < 80.0:
        assert np.isnan(read(windows, "slope", float(times[-1])))
    else:
        assert read(windows, "slope", float(times[-1])) == pytest.approx(np.median(slopes), abs=1e-9)


def test_a_quantile_of_more_readings_than_are_kept_stays_within_its_bound() -> None:
    windows = a_window()
    random = np.random.default_rng(5)
    times = np.sort(random.uniform(0, 160, 5_000))
    values = random.permutation(5_000).astype(float) + 100.0 * (times > 80)
    feed(windows, times.tolist(), values.tolist())
    for share in (0.05, 0.25, 0.5, 0.9, 0.99):
        answer = read(windows, "quantile", 159.9, share=share)
        assert abs(float((values <= answer).mean()) - share) <= 0.085
    assert windows.nbytes < 3000


def test_panes_with_few_readings_weigh_as_few() -> None:
    windows = a_window()
    feed(windows, [t / 100 for t in range(1000)], [1.0] * 1000)  # one pane, a thousand readings
    feed(windows, [float(t) for t in range(10, 160, 10)], [9.0] * 15)
    assert read(windows, "quantile", 150.0, share=0.95) == 1.0
    assert read(windows, "quantile", 150.0, share=0.99) == 9.0


def test_a_sample_follows_from_the_readings_alone() -> None:
    here, there = a_window(), Windows({160.0: {"quantile": np.array([0, 1])}}, 2)
    times = [t / 7 for t in range(1000)]
    values = [float((t * 37) % 101) for t in range(1000)]
    feed(here, times, values)
    for time, value in zip(times, values, strict=True):
        there.add(np.array([0, 1]), np.array([time, time]), np.array([-value, value]))
    assert len(times) > SAMPLE * PANES
    both = there.quantile(0.7, 160.0, np.array([0, 1]), np.array([times[-1]] * 2))
    assert both[1] == read(here, "quantile", times[-1], share=0.7)


SOME = {
    60.0: {"mean": np.array([0, 1]), "max": np.array([0, 1]), "count": np.array([0, 1]), "quantile": np.array([1])},
    160.0: {
        "min": np.array([0]), "sum": np.array([0, 2]), "spread": np.array([0]), "rate": np.array([0]),
        "delta": np.array([2]),
    },
}  # fmt: skip
BOUNDED = [(60.0, "mean"), (60.0, "max"), (60.0, "count"), (160.0, "min"), (160.0, "sum"), (160.0, "spread")]
READINGS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0.3, 1.1, 4.0, 30.0, 400.0]), st.integers(-50, 50)), max_size=40
)


@settings(max_examples=50)
@given(READINGS, READINGS)
def test_many_readings_at_one_go_leave_what_one_after_the_other_does_within_the_bounds_told_before(
    before: list[tuple[int, float, int]], after: list[tuple[int, float, int]]
) -> None:
    one, many = Windows(SOME, 3), Windows(SOME, 3)
    now = np.zeros(3)

    def columns(readings: list[tuple[int, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows, times, values = np.array([each[0] for each in readings], np.intp), [], []
        for row, step, value in readings:
            now[row] += step
            times.append(now[row])
            values.append(value / 7.0)
        return rows, np.array(times), np.array(values)

    for rows, times, values in (columns(before), columns(after)):
        mine = np.flatnonzero(rows == 0)
        low, high = (np.array([edge(values[mine], initial=first)]) for edge, first in ((np.min, 9e9), (np.max, -9e9)))
        bounds = {
            (duration, name, above): one.bound(
                name, duration, np.array([0]), low, high, np.array([len(mine)]), above=above
            )
            for duration, name in BOUNDED
            for above in (True, False)
        }
        for row, time, value in zip(rows, times, values, strict=True):
            one.add(np.array([row]), np.array([time]), np.array([value]))
            for duration, name in BOUNDED if row == 0 else ():
                found = one.read(name, duration, np.array([0]), np.array([time]))[0]
                least, most = bounds[duration, name, False], bounds[duration, name, True]
                assert least is not None and most is not None
                assert least[0] - 1e-9 <= found <= most[0] + 1e-9
        many.add_many(rows, times, values)
        for (_, _, _, mine_now), (_, _, _, theirs) in zip(many.state(), one.state(), strict=True):
            assert {name: array.tobytes() for name, array in mine_now.items()} == {
                name: array.tobytes() for name, array in theirs.items()
            }
