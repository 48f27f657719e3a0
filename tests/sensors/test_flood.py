"""Floods: a point that sends far too much is held to a rate; backlogs and its neighbours are not."""

from __future__ import annotations

import json

import msgspec

from scripts.load import bench_site
from sensors.flood import WINDOW
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.observation import FLOOD
from sensors.site import Flood, Site
from tests.sensors.test_intake import reading, readings, refused, take

NOW = 1_763_900_000.0
RATE = 20


def site() -> Site:
    return msgspec.structs.replace(bench_site(20, 10, partitions=1), flood=Flood())


def flooded(intake: Intake, count: int, received: float) -> tuple[int, int]:
    """Let p0 send `count` readings and p1 one at once; tell how many of each were passed on."""
    sent = [("foreshock/readings/a0/p0", reading(1, None))] * count
    batch = take(intake, *sent, ("foreshock/readings/a1/p1", reading(2, received)), received=received)
    points = [row[1] for row in readings(batch)]
    return points.count(0), points.count(1)


def test_a_flood_is_held_to_its_rate_and_harms_no_other() -> None:
    made = Intake(Registry(site()))
    passed = 0
    for n in range(100):  # 1 000 a second for ten seconds
        mine, other = flooded(made, 100, NOW + 0.1 * n)
        assert other == 1
        passed += mine
    burst = RATE * WINDOW
    assert burst <= passed <= 2 * burst + 100
    assert made.quarantine.counts == {"flood": 10_000 - passed}


def test_of_a_flood_one_message_a_window_is_kept_and_the_rest_is_counted() -> None:
    made = Intake(Registry(site()))
    kept = []
    for n in range(50):
        sent = [("foreshock/readings/a0/p0", reading(1, None))] * 100
        kept += refused(take(made, *sent, received=NOW + 0.1 * n))
    [first] = [one for one in kept if one.topic]
    assert first.reason == "flood" and first.raw == reading(1, None) and first.detail.startswith("p0: ")
    assert made.quarantine.unkept["flood"] == made.quarantine.counts["flood"] - 1


def test_what_passes_of_a_flood_says_so() -> None:
    made = Intake(Registry(site()))
    for n in range(5):
        flooded(made, 100, NOW + 0.1 * n)
    batch = take(
        made,
        *[("foreshock/readings/a0/p0", reading(1, NOW + 1.5))] * 30,
        ("foreshock/readings/a1/p1", reading(2, NOW + 1.5)),
        received=NOW + 1.5,
    )
    assert {(row[1], row[4]) for row in readings(batch)} == {(0, FLOOD), (1, 0)}


def test_after_the_flood_everything_passes_again() -> None:
    made = Intake(Registry(site()))
    for n in range(20):
        flooded(made, 100, NOW + 0.1 * n)
    later = NOW + 2 * WINDOW
    batch = take(made, ("foreshock/readings/a0/p0", reading(1, later)), received=later)
    assert [(row[1], row[4]) for row in readings(batch)] == [(0, 0)]


def test_a_backlog_of_thousands_passes_because_each_has_its_own_time() -> None:
    made = Intake(Registry(site()))
    for start in range(0, 5000, 1000):
        times = [NOW - 60.0 * (5000 - n) for n in range(start, start + 1000)]
        body = {"points": ["p0"] * 1000, "times": times, "values": [1.0] * 1000}
        batch = take(made, ("foreshock/frames/a0", json.dumps(body).encode()), received=NOW + start / 1000)
        assert len(readings(batch)) == 1000
    assert not made.quarantine.counts


def test_a_source_that_repeats_one_time_is_held_to_its_rate() -> None:
    made = Intake(Registry(site()))
    sent = [("foreshock/readings/a0/p0", reading(1, NOW))] * 1000
    passed = sum(len(readings(take(made, *sent, received=NOW + n))) for n in range(5))
    assert passed <= 2 * RATE * WINDOW


def test_a_point_that_is_read_often_may_send_often() -> None:
    fast = site()
    points = (msgspec.structs.replace(fast.points[0], interval=0.01), *fast.points[1:])
    made = Intake(Registry(msgspec.structs.replace(fast, points=points)))
    passed = sum(flooded(made, 100, NOW + 0.1 * n)[0] for n in range(50))
    assert passed == 5000


def test_a_clock_of_arrival_set_back_begins_a_new_window() -> None:
    made = Intake(Registry(site()))
    for n in range(20):
        flooded(made, 100, NOW + 0.1 * n)
    assert flooded(made, 1, NOW - 3600.0) == (1, 1)
