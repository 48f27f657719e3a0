"""Crossings: when points came to their limits."""

from __future__ import annotations

import msgspec

from sensors import frame
from sensors.observation import BAD, HISTORICAL
from streams.crossings import APART, Crossing, Crossings
from streams.run import Run
from tests.streams.small_site import START, frame_of, site


def run(encoded: bytes) -> Run:
    """Make a run of one frame."""
    return Run([(0, frame.decode(encoded))], [0.0])


def crossings(*frames: tuple[float, float, int], below: bool = False) -> list[Crossing]:
    """Notice what there is in frames of (value of p1, seconds, quality)."""
    made = site()
    points = tuple(msgspec.structs.replace(point, limit_below=below) for point in made.points)
    found = Crossings()
    found.publish(msgspec.structs.replace(made, points=points))
    for value, seconds, quality in frames:
        found.note(run(frame_of([(1, START, value), (0, START, 20.0)], START + seconds, quality)))
    return [one for one in found.found if one.point == "p1"]


def test_a_limit_is_crossed_once_while_it_stays_crossed() -> None:
    assert crossings((39.9, 0, 0), (40.0, 10, 0), (50.0, 20, 0), (1.0, 30, 0), (41.0, 40, 0)) == [
        Crossing("p1", "a1", START + 10)
    ]


def test_after_an_hour_within_it_is_crossed_anew() -> None:
    found = crossings((40.0, 0, 0), (1.0, 10, 0), (40.0, APART + 1, 0))
    assert [one.time for one in found] == [START, START + APART + 1]


def test_a_floor_is_crossed_downwards() -> None:
    assert [one.time for one in crossings((41.0, 0, 0), (40.0, 10, 0), below=True)] == [START + 10]


def test_what_is_bad_or_history_or_of_no_point_crosses_nothing() -> None:
    assert not crossings((50.0, 0, BAD), (50.0, 10, HISTORICAL), (float("nan"), 20, 0))
    found = Crossings()
    found.note(run(frame_of([(1, START, 99.0)], START)))
    found.publish(site())
    found.note(run(frame_of([(77, START, 99.0)], START)))
    assert not found.found


def test_a_site_published_in_the_midst_keeps_what_is_crossed() -> None:
    found = Crossings()
    for _ in range(2):
        found.publish(site())
        found.note(run(frame_of([(1, START, 99.0)], START)))
    assert len(found.found) == 1
