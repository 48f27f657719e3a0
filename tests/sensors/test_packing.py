from __future__ import annotations

import numpy as np
import pytest

from sensors import frame
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.packing import REPEATS, Packer
from tests.rules.stage import a_point, a_site

PACKER = Packer(Registry(a_site(*(a_point(f"p{k}") for k in range(4)))))


def lengths(points: np.ndarray) -> list[int]:
    count = len(points)
    decoded = Decoded(
        np.arange(count),
        points,
        np.arange(count, dtype=float),
        np.arange(count, dtype=float),
        np.zeros(count, np.uint8),
    )
    frames = [frame.decode(value) for _, _, value in PACKER.pack(decoded, 1.0)]
    assert np.concatenate([one.value for one in frames]).tolist() == list(range(count))
    return [len(one) for one in frames]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (np.zeros(REPEATS, np.intp), [REPEATS]),
        (np.zeros(2 * REPEATS + 1, np.intp), [REPEATS, REPEATS, 1]),
        (np.arange(4 * REPEATS) % 4, [4 * REPEATS]),
    ],
)
def test_a_frame_holds_only_so_many_readings_of_one_point(points: np.ndarray, expected: list[int]) -> None:
    assert lengths(points) == expected
