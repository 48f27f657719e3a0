"""Clocks of sources: wrong ones are set right once that is known to last; history and outages are left alone."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.load import bench_site
from sensors.clocks import APART, SAMPLES
from sensors.dialects.dialect import Decoded
from sensors.lookup import Registry
from sensors.observation import HISTORICAL, LATE, SKEWED
from sensors.quality import Inspector
from sensors.site import Site, Skew

NOW = 1_763_900_000.0
HOUR = 3600.0


def inspector(**skew: float) -> Inspector:
    site: Site = msgspec.structs.replace(bench_site(6), skew=Skew(**skew))  # type: ignore[arg-type]
    return Inspector(Registry(site))


def arrive(made: Inspector, received: float, *readings: tuple[int, float], quality: int = 0) -> Decoded:
    """Let readings (point, time) arrive together; give them as they are passed on, what is refused left out."""
    decoded = Decoded(
        np.arange(len(readings)),
        np.array([point for point, _ in readings], np.intp),
        np.array([time for _, time in readings]),
        np.ones(len(readings)),
        np.full(len(readings), quality, np.uint8),
    )
    made.stamp(decoded, received)
    bad = made.inspect(decoded, received)
    if bad is not None:
        keep = bad == 0
        decoded.time, decoded.quality, decoded.point = decoded.time[keep], decoded.quality[keep], decoded.point[keep]
    return decoded


def settle(made: Inspector, ahead: float, start: float = NOW, step: float = 10.0, count: int = SAMPLES) -> float:
    """Let point 0 send with its clock `ahead`, one reading a `step`; give when the next is due."""
    for n in range(count):
        arrive(made, start + n * step, (0, start + n * step + ahead))
    return start + count * step


@pytest.mark.parametrize("ahead", [8 * HOUR, -8 * HOUR, 5.75 * HOUR, 20.0, -40.0])
def test_a_clock_that_stays_wrong_is_set_right(ahead: float) -> None:
    made = inspector()
    due = settle(made, ahead)
    passed = arrive(made, due, (0, due + ahead), (1, due))
    assert passed.time.tolist() == pytest.approx([due, due], abs=1e-6)
    assert passed.quality.tolist() == [SKEWED, 0]
    assert made.clocks.figures() == {"p0": pytest.approx(ahead, abs=1e-6)}
    [note] = made.clocks.take_notes()
    assert note.startswith(f"p0: the clock is {abs(ahead):.3f} s {'ahead' if ahead > 0 else 'behind'}; times are set")


def test_a_time_zone_is_taken_out_whole_so_that_the_fractions_of_seconds_stay() -> None:
    made = inspector()
    for n in range(SAMPLES):
        arrive(made, NOW + 10 * n + 0.7, (0, NOW + 10 * n + 8 * HOUR))
    assert arrive(made, NOW + 100.7, (0, NOW + 100 + 8 * HOUR)).time.tolist() == [NOW + 100]


def test_until_it_is_known_readings_are_refused_or_flagged_as_ever() -> None:
    made = inspector()
    assert len(arrive(made, NOW, (0, NOW + HOUR))) == 0
    assert arrive(made, NOW, (1, NOW - HOUR)).quality.tolist() == [LATE]


def test_a_clock_that_is_right_again_is_no_longer_moved() -> None:
    made = inspector()
    due = settle(made, HOUR)
    made.clocks.take_notes()
    for n in range(3):
        passed = arrive(made, due + n, (0, due + n))
        assert passed.time.tolist() == [due + n] and passed.quality.tolist() == [0]
    assert made.clocks.take_notes() == ["p0: the clock is right again"]
    assert made.clocks.wrong == 0


def test_a_wrong_clock_that_is_set_wrong_anew_is_followed() -> None:
    made = inspector()
    due = settle(made, HOUR)
    due = settle(made, 2 * HOUR, due, count=2 * SAMPLES)
    assert arrive(made, due, (0, due + 2 * HOUR)).time.tolist() == [due]


def test_a_site_may_only_want_to_be_told() -> None:
    made = inspector(correct=False)
    due = settle(made, -HOUR)
    passed = arrive(made, due, (0, due - HOUR))
    assert passed.time.tolist() == [due - HOUR]
    assert passed.quality.tolist() == [SKEWED | LATE]


def test_within_the_tolerance_or_beyond_any_time_zone_no_clock_is_wrong() -> None:
    for ahead in (4.9, -4.9, -15 * HOUR):
        made = inspector()
        due = settle(made, ahead)
        assert arrive(made, due, (0, due + ahead)).time.tolist() == [due + ahead]
        assert made.clocks.wrong == 0


def test_a_backlog_that_is_caught_up_is_history() -> None:
    made = inspector()
    for n in range(60):  # twice as fast as it was taken
        arrive(made, NOW + 10 * n, (0, NOW - HOUR + 20 * n), (0, NOW - HOUR + 20 * n + 10))
    assert made.clocks.wrong == 0


def test_what_comes_after_a_silence_and_is_no_older_than_that_is_history() -> None:
    made = inspector()
    arrive(made, NOW, (0, NOW))
    start = NOW + HOUR  # it kept what it could not send, and sends the oldest whenever there is a new one
    for n in range(50):
        passed = arrive(made, start + 60 * n, (0, NOW + 60 + 60 * n))
        assert passed.time.tolist() == [NOW + 60 + 60 * n]
    assert made.clocks.wrong == 0


def test_a_clock_set_back_without_a_silence_is_wrong() -> None:
    made = inspector()
    arrive(made, NOW, (0, NOW))
    due = settle(made, -HOUR, NOW + 10)
    assert arrive(made, due, (0, due - HOUR)).time.tolist() == [due]


def test_a_frame_of_history_is_measured_by_its_newest_reading() -> None:
    made = inspector()
    for n in range(20):
        now = NOW + 900 * n
        passed = arrive(made, now, *((0, now - 60 * k) for k in range(14, -1, -1)))
        assert passed.time.tolist() == [now - 60 * k for k in range(14, -1, -1)]
    assert made.clocks.wrong == 0


def test_what_its_source_calls_history_is_neither_measured_nor_moved() -> None:
    made = inspector()
    for n in range(20):
        arrive(made, NOW + 10 * n, (0, NOW + 10 * n - HOUR), quality=HISTORICAL)
    assert made.clocks.wrong == 0
    due = settle(made, -HOUR, NOW + HOUR)
    assert arrive(made, due, (0, due - HOUR), quality=HISTORICAL).time.tolist() == [due - HOUR]


def test_readings_without_a_time_have_no_clock() -> None:
    made = inspector()
    for n in range(20):
        arrive(made, NOW + 10 * n, (0, float("nan")))
    assert made.clocks.wrong == 0


@settings(max_examples=50, deadline=None)
@given(
    ahead=st.floats(-13 * HOUR, 13 * HOUR),
    jitter=st.lists(st.floats(-1.5, 1.5), min_size=40, max_size=40),
    step=st.floats(APART, 60.0),
)
def test_whatever_the_offset_a_steady_clock_ends_up_within_the_tolerance(
    ahead: float, jitter: list[float], step: float
) -> None:
    made = inspector()
    for n, noise in enumerate(jitter):
        now = NOW + n * step
        passed = arrive(made, now, (0, now + ahead + noise))
    assert len(passed) == 1
    if abs(ahead) > 5.0 + 1.5:
        assert abs(float(passed.time[0]) - now) <= 5.0 + 1.5


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(allow_nan=True, allow_infinity=True)), min_size=1, max_size=30))
def test_no_time_is_too_odd(readings: list[tuple[int, float]]) -> None:
    made = inspector()
    for n in range(SAMPLES + 1):
        arrive(made, NOW + 10 * n, *readings)
