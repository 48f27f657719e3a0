"""A table of readings: what goes in comes out to the bit, and what cannot be used is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.history import HistoryError, checked, moments, read_csv, table, unix_seconds

NOON = 1_700_000_000.0


@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=20))
def test_moments_give_their_unix_seconds_back(times: list[float]) -> None:
    there = moments(np.array(times))
    assert unix_seconds(there) == pytest.approx(times, rel=0, abs=5e-10)
    recent = np.array(times) + 1e9  # of this century a float steps by more than a nanosecond: nothing is lost
    assert unix_seconds(moments(recent)).tolist() == recent.tolist()


def test_readings_stand_in_the_order_of_their_arrival() -> None:
    found = table(
        np.array(["a", "b", "a"]),
        NOON + np.array([0.0, 5.0, 1.0]),
        np.arange(3.0),
        None,
        NOON + np.array([9.0, 6.0, 7.0]),
    )
    assert found["point"].tolist() == ["b", "a", "a"]
    assert found["value"].tolist() == [1.0, 2.0, 0.0]
    assert checked(found)[1].tolist() == [NOON + 5.0, NOON + 1.0, NOON]


def test_quality_and_arrival_may_be_left_out() -> None:
    point, time, value, quality, received = checked(pd.DataFrame({"point": "p", "time": [NOON], "value": [1]}))
    assert (point.tolist(), time.tolist(), value.tolist()) == (["p"], [NOON], [1.0])
    assert quality.tolist() == [0] and received.tolist() == [NOON]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"point": ["p"], "value": [1.0]}, "lacks time"),
        ({"point": ["p"], "time": ["noon"], "value": [1.0]}, "must be moments and numbers"),
        ({"point": ["p"], "time": [np.nan], "value": [1.0]}, "some times are missing"),
        ({"point": ["p"], "time": pd.to_datetime(["2026-01-01"]), "value": [1.0]}, "have no zone"),
    ],
)
def test_what_is_no_table_of_readings_is_refused(frame: dict[str, object], said: str) -> None:
    with pytest.raises(HistoryError, match=said):
        checked(pd.DataFrame(frame))


@pytest.mark.parametrize(
    "times",
    [
        ["2023-11-15 06:13:20", "2023-11-15 06:13:21.5"],
        ["2023-11-14T22:13:20Z", "2023-11-15T06:13:21.5+08:00"],
        ["1700000000", "1700000001.5"],
        ["1700000000000", "1700000001500"],
        ["1700000000000000000", "1700000001500000000"],
    ],
)
def test_a_csv_of_any_usual_form_of_time_is_read(tmp_path: Path, times: list[str]) -> None:
    file = tmp_path / "river.csv"
    file.write_text("when,level,note\n" + "".join(f"{time},{2 + n},x\n" for n, time in enumerate(times)) + "?,?,?\n")
    found = read_csv(file, time="when", value="level", point="river", zone="Asia/Shanghai")
    assert unix_seconds(found["time"]).tolist() == [NOON, NOON + 1.5]
    assert found["value"].tolist() == [2.0, 3.0] and set(found["point"]) == {"river"}
    assert found.attrs["left_out"] == 1


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("when,level\n", "UTC", "no row has both"),
        ("when,level\nx,y\n", "UTC", "no row has both"),
        ("time,level\n1700000000,1\n", "UTC", "cannot be read"),
        ("when,level\n1700000000,1\n", "Mars/Olympus", "cannot be read"),
        ("", "UTC", "cannot be read"),
        ("when,level\n" + '"' + "9" * 400 + '",1\n', "UTC", "no row has both"),
    ],
)
def test_a_csv_that_gives_nothing_is_refused(tmp_path: Path, text: str, zone: str, said: str) -> None:
    file = tmp_path / "river.csv"
    file.write_text(text)
    with pytest.raises(HistoryError, match=said):
        read_csv(file, time="when", value="level", point="river", zone=zone)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"none\.csv: cannot be read"):
        read_csv(tmp_path / "none.csv", time="when", value="level", point="river")
