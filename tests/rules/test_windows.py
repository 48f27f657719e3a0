from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.windows import PANES, Windows

ALL = {"mean", "min", "max", "sum", "count", "spread", "rate"}


def feed(windows: Windows, times: list[float], values: list[float]) -> None:
    for time, value in zip(times, values, strict=True):
        windows.add(np.array([0]), np.array([time]), np.array([value]))


def read(windows: Windows, statistic: str, now: float, duration: float = 160.0) -> float:
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
        assert all(np.isnan(read(windows, name, now)) for name in ("mean", "min", "max", "sum", "spread", "rate"))
        return
    assert read(windows, "sum", now) == inside.sum()
    assert read(windows, "mean", now) == pytest.approx(inside.mean())
    assert (read(windows, "min", now), read(windows, "max", now)) == (inside.min(), inside.max())
    assert read(windows, "spread", now) == inside.max() - inside.min()


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


@pytest.mark.parametrize("name", ["max", "spread", "rate"])
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
    assert read(after, name, 310.0) == {"max": 1.0, "spread": 0.0, "rate": 0.0}[name]


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
