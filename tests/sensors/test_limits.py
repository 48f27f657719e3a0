"""Limits, ranges and bands in another unit."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.limits import in_unit
from sensors.measure import UnitError


@pytest.mark.parametrize(
    ("value", "source", "target", "found"),
    [
        (25, "mm", "cm", 2.5),
        (3, "mm", "cm", 0.3),  # 3 * 0.1 is a little more: a crack of 0.3 cm would stay below its limit
        ({"yellow": 45, "red": 60}, "°C", "degF", {"yellow": 113, "red": 140}),
        ((-20, 80), "°C", "degF", (-4, 176)),
        (5, "°C", "K", 278.15),
        ((273.15, 313.15), "K", "°C", (0, 40)),
        (5, "degC/h", "degF/h", 9),
        (26, "ppm", "ppb", 26_000),
        (0, "m", "mm", 0),
    ],
)
def test_what_is_written_in_one_unit_is_the_same_in_another(value: Any, source: str, target: str, found: Any) -> None:
    assert in_unit(value, source, target) == found


@pytest.mark.parametrize(
    ("value", "source", "target", "words"),
    [
        (1, "ppm", "mg/m^3", "do not measure the same"),
        (1, "%LEL", "%", "do not measure the same"),
        (45, "°", "%", "do not measure the same"),
        (60, "dB", "1", "no linear scale"),
        (5, "K", "°C", "5 K could be a difference"),
        ({"red": 8}, "K", "degF", "8 K could be a difference"),
        ((-10, 20), "K", "°C", "20 K could be a difference"),
    ],
)
def test_what_cannot_be_the_same_is_refused(value: Any, source: str, target: str, words: str) -> None:
    with pytest.raises(UnitError, match=words):
        in_unit(value, source, target)
