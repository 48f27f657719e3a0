"""The compact series of rules' own tests."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rules.series import MAX_STEPS, VectorError, flags, levels, numbers, pictures, times
from sensors.flags import FLAGS


def test_numbers_are_repeated_drawn_out_and_left_out() -> None:
    assert numbers("3 4*2 0..2*3 _", "values", math.nan, None).tolist()[:6] == [3, 4, 4, 0, 1, 2]
    assert numbers("1", "values", 0.0, 3).tolist() == [1, 0, 0]
    assert np.isnan(numbers("_*2", "values", 0.0, None)).all()


@pytest.mark.parametrize(
    ("step", "at", "last"),
    [
        (30, [0, 30, 60, 90], 30),
        ("10 s", [0, 10, 20, 30], 10),
        ("10s*2 5m 1m", [0, 10, 20, 320], 60),
        ("10s 5m", [0, 10, 310, 610], 300),  # the last goes on
        ("10s 5m*90", [0, 10, 310, 610], 300),
    ],
)
def test_a_step_is_one_duration_or_one_from_each_to_the_next(step: float | str, at: list[float], last: float) -> None:
    found, counts = times(step, 4)
    assert (found.tolist(), counts) == (at, last)


@pytest.mark.parametrize("step", ["", "10", "0 s", "10s 0s", "10s soon", "10s*99999", -1])
def test_a_step_that_takes_no_time_or_is_none_is_refused(step: float | str) -> None:
    with pytest.raises(VectorError) as told:
        times(step, 4)
    assert told.value.field == "step"


def test_what_is_too_long_or_unknown_is_refused_with_its_field() -> None:
    for read, field in (
        (lambda: numbers("1*99999", "point.values", 0.0, None), "point.values"),
        (lambda: numbers("1 two", "point.values", 0.0, None), "point.values"),
        (lambda: numbers("1*3", "point.eta", 0.0, 2), "point.eta"),
        (lambda: flags("jmp", "point.flags", 3), "point.flags"),
        (lambda: levels("violet", "expect"), "expect"),
        (lambda: levels("", "expect"), "expect"),
        (lambda: pictures("dark"), "camera"),
    ):
        with pytest.raises(VectorError) as told:
            read()
        assert told.value.field == field
    assert MAX_STEPS < 99_999


def test_flags_and_pictures_are_read() -> None:
    assert flags("_ jump*2", "point.flags", 4).tolist() == [0, FLAGS["jump"], FLAGS["jump"], 0]
    assert pictures("none black*2 blur+cover _") == [(), ("black",), ("black",), ("blur", "cover"), None]
