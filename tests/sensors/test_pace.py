from __future__ import annotations

import pytest

from sensors.pace import FEW, MANY, MOST, STRETCH, Pace


@pytest.mark.parametrize(
    ("readings", "times"),
    [
        *((0, 1), (1, 1), (FEW, 1), ((FEW + MANY) // 2, 1 + STRETCH / 2), (MANY, 1 + STRETCH)),
        *(((MANY + MOST) // 2, 1 + STRETCH * 1.5), (MOST, 1 + STRETCH * 2)),
    ],
)
def test_the_floor_grows_with_what_a_batch_holds(readings: int, times: float) -> None:
    assert Pace().pause(1.0, 0, readings, 0.010) == pytest.approx(0.010 * times)


def test_it_grows_no_further_however_much_a_batch_holds() -> None:
    assert Pace().pause(1.0, 0, 100 * MOST, 0.010) == Pace().pause(1.0, 0, MOST, 0.010)


def test_a_broker_that_stops_at_a_number_is_not_kept_waiting_for_the_floor() -> None:
    pace = Pace()
    pauses = []
    for turn in range(8):
        pauses.append(pace.pause(turn * 0.002, 20, 20, 0.010))
        pace.waiting -= 20
    assert pauses[:3] == [0.010] * 3
    assert pauses[-1] == pytest.approx(0.6 * 0.002)


def test_a_broker_that_stops_at_nothing_is_read_at_the_floor() -> None:
    pace = Pace()
    pauses = []
    for turn in range(8):
        pauses.append(pace.pause(turn * 0.002, 20 + turn, 20 + turn, 0.010))
        pace.waiting -= 20 + turn
    assert pauses == [0.010] * 8
