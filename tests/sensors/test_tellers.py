"""Cameras and sources that tell far too much are held to a rate; how things stand is told all the same."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from scripts.load import bench_site
from sensors import observation
from sensors.intake import Batch, Intake
from sensors.lookup import Registry
from sensors.observation import RECORD, CameraEvent, CameraHealth, SourceState
from sensors.site import Area, Camera, Flood, Frigate, HomeAssistant, Signals, Site, Text
from sensors.tellers import WINDOW
from tests.sensors.dialects import sparkplug_edge
from tests.sensors.test_intake import reading, refused, take

NOW = 1_763_900_000.0
RATE = 20
NAME = Text(zh="一", en="one")
LATER = NOW + WINDOW
HOUR = 3600.0


def watched(*areas: str, cameras: tuple[str, ...] = ("gate", "yard"), least: float = RATE) -> Site:
    """Make a site with cameras that Frigate speaks for, each of all `areas`."""
    made = msgspec.structs.replace(bench_site(20, 10, partitions=1), flood=Flood(least=least))
    found = tuple(Camera(id=id, name=NAME, areas=areas or ("a0",)) for id in cameras)
    return msgspec.structs.replace(made, cameras=found, signals=Signals(frigate=(Frigate(),)))


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


def status(state: str, camera: str = "gate") -> tuple[str, bytes]:
    return f"frigate/{camera}/status/detect", state.encode()


def lost(batch: Batch, camera: str = "gate") -> list[bool]:
    """Tell of a camera in turn whether its picture was said to be lost."""
    return ["loss" in one.faults for one in told(batch, CameraHealth) if one.camera == camera]


@pytest.mark.parametrize("last", ["online", "offline"])
def test_states_of_a_camera_without_end_are_a_flood_and_the_last_is_told(last: str) -> None:
    made = Intake(Registry(watched()))
    flapping = [status("offline" if last == "online" else "online"), status(last)] * 1000
    batch = take(made, *flapping, seen("yard", NOW, 1), received=NOW)
    passed = len(lost(batch))
    assert 0 < passed <= RATE * WINDOW + RATE
    assert made.quarantine.counts["flood"] == 2000 - passed
    assert [one.camera for one in told(batch, CameraEvent)] == ["yard"]
    after = take(made, received=LATER)
    assert lost(after) == [last == "offline"], "how it stands, once the window is over"
    assert [one.time for one in told(after, CameraHealth)] == [NOW]
    assert not told(take(made, received=LATER + WINDOW), CameraHealth), "once"


def test_a_state_held_back_is_due_without_any_message_and_forgotten_for_a_newer_one() -> None:
    made = Intake(Registry(watched()))
    take(made, *[status("offline"), status("online")] * 1000, received=NOW)
    take(made, received=NOW + 1)  # the summary of the quarantine goes out
    assert not made.pending(NOW + 9) and made.pending(LATER)
    newer = take(made, status("offline"), received=NOW + 9)
    assert lost(newer) == [True], "of another second, it passes"
    assert not made.pending(LATER)
    assert not told(take(made, received=LATER), CameraHealth)


def test_when_the_intake_is_to_end_what_is_held_back_is_due_at_once() -> None:
    made = Intake(Registry(watched()))
    take(made, *[status("online"), status("offline")] * 1000, received=NOW)
    made.checks.close()
    assert made.pending(NOW + 0.5)
    assert lost(take(made, received=NOW + 0.5)) == [True]


def test_what_a_camera_sees_does_not_count_as_what_is_said_of_its_picture() -> None:
    made = Intake(Registry(watched()))
    batch = take(made, *(seen("gate", NOW, k) for k in range(300)), status("offline"), received=NOW)
    assert lost(batch) == [True]
    assert made.quarantine.counts == {"flood": 300 - len(told(batch, CameraEvent))}


def test_what_is_said_once_is_one_of_however_many_areas() -> None:
    made = watched(least=1.0)
    areas = tuple(Area(id=f"a{k}", name=NAME, type=made.areas[0].type, place=made.areas[0].place) for k in range(300))
    cameras = tuple(Camera(id=f"c{k}", name=NAME, areas=(area.id,)) for k, area in enumerate(areas))
    large = msgspec.structs.replace(made, areas=areas, points=(), cameras=cameras)
    intake = Intake(Registry(large))
    for state in ("offline", "online"):
        batch = take(intake, ("frigate/available", state.encode()), received=NOW)
        assert {one.state for one in told(batch, SourceState)} == {state}
        assert {one.area for one in told(batch, SourceState)} == {area.id for area in areas}
    assert not intake.quarantine.counts
    wide = Intake(Registry(watched(*(f"a{k}" for k in range(10)), least=1.0)))
    assert len(told(take(wide, seen("gate", NOW, 1), seen("gate", NOW, 2), received=NOW), CameraEvent)) == 20


def test_an_outage_held_back_is_told_in_every_area() -> None:
    made = Intake(Registry(watched("a0", "a1", "a2")))
    available = [("frigate/available", state) for state in (b"online", b"offline")] * 500
    batch = take(made, *available, received=NOW)
    assert {one.state for one in told(batch, SourceState)} == {"online", "offline"}
    after = told(take(made, received=LATER), SourceState)
    assert sorted((one.area, one.state, one.cameras) for one in after) == [
        (area, "offline", ("gate", "yard")) for area in ("a0", "a1", "a2")
    ]


def test_who_was_seen_since_has_not_gone() -> None:
    made = Intake(Registry(watched()))
    take(made, *[("frigate/available", state) for state in (b"online", b"offline")] * 500, received=NOW)
    take(made, seen("gate", NOW + 5, 1), received=NOW + 5)
    [held] = told(take(made, received=LATER), SourceState)
    assert (held.state, held.cameras) == ("offline", ("yard",))


def test_what_the_broker_has_stored_is_no_sign_that_a_camera_is_back() -> None:
    made = Intake(Registry(watched()))
    take(made, *[("frigate/available", state) for state in (b"online", b"offline")] * 500, received=NOW)
    take(made, seen("gate", NOW - HOUR, 1), retained=(0,), received=NOW + 5)
    [held] = told(take(made, received=LATER), SourceState)
    assert (held.state, held.cameras) == ("offline", ("gate", "yard"))


def test_that_cameras_are_back_is_told_though_they_were_seen_since() -> None:
    made = Intake(Registry(watched()))
    take(made, *[("frigate/available", state) for state in (b"offline", b"online")] * 500, received=NOW)
    made.checks._tellers.heard((), ("gate",))
    [held] = told(take(made, received=LATER), SourceState)
    assert (held.state, held.cameras) == ("online", ("gate", "yard"))


def test_points_that_sent_since_have_not_gone() -> None:
    site = bench_site(20, 10, partitions=1)
    points = (msgspec.structs.replace(point, sources=(f"homeassistant:u{k}",)) for k, point in enumerate(site.points))
    signals = Signals(homeassistant=(HomeAssistant(),))
    made = Intake(Registry(msgspec.structs.replace(site, points=tuple(points), flood=Flood(), signals=signals)))
    config = {"availability_topic": "gw/lwt", "unit_of_measurement": site.points[0].unit}
    announced = [
        (f"homeassistant/sensor/{k}/config", json.dumps({**config, "unique_id": f"u{k}", "state_topic": f"gw/{k}"}))
        for k in (0, 1, 10)
    ]
    take(made, *((topic, body.encode()) for topic, body in announced), received=NOW)
    take(made, *[("gw/lwt", state) for state in (b"online", b"offline")] * 500, received=NOW)
    take(made, ("foreshock/readings/a0/p0", reading(1, NOW + 5)), received=NOW + 5)
    old = {"value": 1, "time": NOW - 3000, "quality": "historical"}  # what a logger catches up with
    take(made, ("foreshock/readings/a1/p1", json.dumps(old).encode()), received=NOW + 6)
    after = told(take(made, received=LATER), SourceState)
    assert sorted((one.area, one.points) for one in after) == [("a0", (10,)), ("a1", (1,))]


def test_what_is_held_back_goes_on_under_another_version_of_the_site() -> None:
    made = Intake(Registry(watched("a0", "a1")))
    take(made, *[("frigate/available", state) for state in (b"online", b"offline")] * 500, received=NOW)
    site = watched("a0")
    fresh = Intake(Registry(msgspec.structs.replace(site, areas=site.areas[:1], points=())))
    fresh.succeed(made)
    assert [(one.area, one.state) for one in told(take(fresh, received=LATER), SourceState)] == [("a0", "offline")]


def test_births_without_end_are_a_flood_and_a_death_after_them_is_told() -> None:
    made = Intake(Registry(msgspec.structs.replace(sparkplug_edge.a_site(), flood=Flood())))
    node = sparkplug_edge.node_birth(sparkplug_edge.metric("Load", 1.0), time=NOW)
    births = [sparkplug_edge.birth(*sparkplug_edge.tags(1), seq=1 + n % 255, time=NOW) for n in range(1000)]
    sent = [(one.topic, one.payload) for one in (node, *births, sparkplug_edge.node_death())]
    batch = take(made, *sent, received=NOW)
    assert 0 < len(told(batch, SourceState)) <= 2 * (RATE * WINDOW + RATE)
    assert made.quarantine.counts["flood"] > 500
    states: dict[int, str] = {}
    for one in [*told(batch, SourceState), *told(take(made, received=LATER), SourceState)]:
        states |= dict.fromkeys(one.points, one.state)
    assert set(states.values()) == {"offline"} and len(states) == 2


def test_a_point_bound_anew_to_an_entity_known_to_have_gone_is_told_so() -> None:
    site = bench_site(20, 10, partitions=1)

    def version(*names: str) -> Intake:
        bound = [
            msgspec.structs.replace(point, sources=(f"homeassistant:{name}",))
            for point, name in zip(site.points, names, strict=False)
        ]
        points = (*bound, *site.points[len(bound) :])
        signals = Signals(homeassistant=(HomeAssistant(),))
        return Intake(Registry(msgspec.structs.replace(site, points=points, signals=signals)))

    def announce(name: str) -> tuple[str, bytes]:
        body = {"unique_id": name, "state_topic": f"gw/{name}", "availability_topic": "gw/lwt"}
        return f"homeassistant/sensor/{name}/config", json.dumps(body).encode()

    before, after = version("u0"), version("u0", "u1")
    batch = take(before, announce("u0"), announce("u1"))
    batch = take(before, ("gw/lwt", b"offline"))
    assert [(one.state, one.points) for one in told(batch, SourceState)] == [("offline", (0,))]
    after.succeed(before)
    assert after.pending(NOW + 60), "nothing has to arrive for it"
    [one] = told(take(after, received=NOW + 60), SourceState)
    assert (one.state, one.points, one.time, one.received) == ("offline", (1,), NOW + 60, NOW + 60)
    assert not told(take(after, received=NOW + 120), SourceState)
