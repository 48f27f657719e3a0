from __future__ import annotations

import pytest

from sensors.camera.moments import moments, nearest


def test_moments_span_ten_seconds_before_to_five_after() -> None:
    assert moments(1) == (0.0,)
    assert moments(2) == (-10.0, 0.0)
    assert moments(4) == (-10.0, -5.0, 0.0, 5.0)


@pytest.mark.parametrize("count", range(1, 17))
def test_the_alarms_own_moment_is_always_one_and_none_comes_twice(count: int) -> None:
    found = moments(count)
    assert len(set(found)) == count
    assert 0.0 in found
    assert list(found) == sorted(found)
    assert -10.0 <= found[0] <= found[-1] <= 5.0


@pytest.mark.parametrize("count", [0, -1, 17])
def test_no_more_moments_than_a_ring_has_pictures(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 16"):
        moments(count)


def test_the_nearest_picture_shows_a_moment_if_it_is_near_enough() -> None:
    pictures = [(10.0, b"a"), (12.0, b"b"), (20.0, b"c")]
    assert nearest(pictures, 11.4) == (12.0, b"b")
    assert nearest(pictures, 16.0) is None
    assert nearest([], 1.0) is None
