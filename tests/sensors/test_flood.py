"""Floods: a point that sends far too much is held to a rate; backlogs and its neighbours are not."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from scripts.load import bench_site
from sensors import observation
from sensors.flood import WINDOW
from sensors.intake import Batch, Intake
from sensors.lookup import Registry
from sensors.observation import FLOOD, RECORD, CameraEvent, CameraHealth, SourceState
from sensors.site import Camera, Flood, Frigate, Signals, Site, Text
from tests.sensors.dialects import sparkplug_edge
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


def watched() -> Site:
    """Make a site with two cameras that Frigate speaks for."""
    name = Text(zh="一", en="one")
    made = site()
    cameras = tuple(Camera(id=id, name=name, areas=("a0",)) for id in ("gate", "yard"))
    return msgspec.structs.replace(made, cameras=cameras, signals=Signals(frigate=(Frigate(),)))


def seen(camera: str, at: float, number: int) -> tuple[str, bytes]:
    after = {"id": f"e{number}", "camera": camera, "label": "person", "frame_time": at, "start_time": at, "score": 0.9}
    return "frigate/events", json.dumps({"type": "new", "before": after, "after": after}).encode()


def told(batch: Batch, kind: type) -> list[Any]:
    found = [
        observation.decode(value) for topic, _, value in batch.records if topic == "observations" and value[0] == RECORD
    ]
    return [one for one in found if isinstance(one, kind)]


def test_a_camera_that_floods_events_is_held_to_a_rate_and_harms_no_other() -> None:
    made = Intake(Registry(watched()))
    passed, others, kept = 0, 0, []
    for n in range(50):
        now = NOW + 0.2 * n
        batch = take(made, *(seen("gate", now, k) for k in range(100)), seen("yard", now, n), received=now)
        cameras = [one.camera for one in told(batch, CameraEvent)]
        passed, others = passed + cameras.count("gate"), others + cameras.count("yard")
        kept += [one for one in refused(batch) if one.topic]
    assert others == 50
    assert RATE * WINDOW <= passed <= 2 * RATE * WINDOW + RATE
    assert made.quarantine.counts == {"flood": 5000 - passed}
    assert [one.reason for one in kept] == ["flood"] and kept[0].detail.startswith("camera gate tells")


def test_events_of_a_backlog_each_of_its_own_time_pass() -> None:
    made = Intake(Registry(watched()))
    batch = take(made, *(seen("gate", NOW - 2000 + k, k) for k in range(1500)), received=NOW)
    assert len(told(batch, CameraEvent)) == 1500


def test_states_of_a_camera_without_end_are_a_flood() -> None:
    made = Intake(Registry(watched()))
    states = [("frigate/gate/status/detect", state) for state in (b"online", b"offline")] * 1000
    batch = take(made, *states, seen("yard", NOW, 1), received=NOW)
    assert 0 < len(told(batch, CameraHealth)) <= RATE * WINDOW + RATE
    assert made.quarantine.counts["flood"] == 2000 - len(told(batch, CameraHealth))
    assert [one.camera for one in told(batch, CameraEvent)] == ["yard"]


def test_births_without_end_are_a_flood() -> None:
    made = Intake(Registry(msgspec.structs.replace(sparkplug_edge.a_site(), flood=Flood())))
    node = sparkplug_edge.node_birth(sparkplug_edge.metric("Load", 1.0), time=NOW)
    births = [sparkplug_edge.birth(*sparkplug_edge.tags(1), seq=1 + n % 255, time=NOW) for n in range(1000)]
    batch = take(made, *((one.topic, one.payload) for one in (node, *births)), received=NOW)
    assert 0 < len(told(batch, SourceState)) <= 2 * (RATE * WINDOW + RATE)
    assert made.quarantine.counts["flood"] > 500
