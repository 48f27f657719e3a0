"""The Frigate dialect: tracked objects, reviews, whether it runs, and whether pictures arrive."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np

from sensors.dialects import frigate
from sensors.dialects.dialect import Inherited, Lane, Refusal
from sensors.lookup import Registry
from sensors.observation import SIMULATED, CameraEvent, SourceState
from sensors.site import Frigate
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site


def message(phase: str = "new", **after: Any) -> bytes:
    state = {
        "id": "1763900000.1-ab",
        "camera": "cam-1",
        "label": "debris",
        "frame_time": 1763900000.5,
        "start_time": 1763900000.1,
        "end_time": None,
        "score": 0.6,
        "top_score": 0.83,
        "false_positive": False,
        "box": [1, 2, 3, 4],
        "sub_label": ["x", 0.5],
        "current_zones": ["road"],
        "entered_zones": ["slope", "road"],
        **after,
    }
    return json.dumps({"type": phase, "before": None, "after": state}).encode()


class TestFrigate(DialectSuite):
    dialect = frigate
    config = Frigate()
    topic = "frigate/events"
    good = (message(), message("end", end_time=1763900009.0), message("update", camera="yard", simulated=True))
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"{}": "malformed",
        b'{"type": "new", "after": {}}': "malformed",
        message("gone"): "malformed",
        message(camera="nowhere"): "unknown_camera",
        message(false_positive=True): "false_positive",
        message(label=None): "malformed",
    }

    def test_an_event_goes_to_every_area_of_its_camera(self) -> None:
        events = [event for _, event in self.decode(message()).events]
        assert [event.area for event in events] == ["a0", "a1"]
        first = events[0]
        assert (first.camera, first.kind, first.phase, first.confidence) == ("cam-1", "debris", "new", 0.83)
        assert first.zones == ("slope", "road")
        assert (first.time, first.received) == (1763900000.5, RECEIVED)

    def test_what_an_event_says_is_cut_to_its_longest(self) -> None:
        zones = [f"{place:05}" + "z" * 300 for place in range(5000)]
        long = message(id="i" * 60_000, label="l" * 1000, current_zones=zones, top_score=77.0)
        event = self.decode(long).events[0][1]
        assert (len(event.event), len(event.kind), len(event.zones)) == (256, 256, 32)
        assert max(map(len, event.zones)) == 256 and event.confidence is None

    def test_an_end_carries_its_own_time(self) -> None:
        assert self.decode(message("end", end_time=1763900009.0)).events[0][1].time == 1763900009.0

    def test_a_camera_is_found_by_its_source_and_a_simulation_is_marked(self) -> None:
        [(_, event)] = self.decode(message(camera="yard", simulated=True)).events
        assert (event.camera, event.area, event.quality) == ("cam-2", "a2", SIMULATED)

    def test_a_sub_label_in_any_form_changes_nothing(self) -> None:
        for name in (None, "postman", ["postman", 0.9], [], {"a": 1}, 5):
            assert self.decode(message(sub_label=name)).events == self.decode(message()).events


def review(phase: str = "new", **after: Any) -> bytes:
    state = {
        "id": "1763900000.1-rv",
        "camera": "cam-1",
        "start_time": 1763900000.1,
        "end_time": None,
        "severity": "alert",
        "thumb_path": "/media/x.webp",
        "data": {
            "detections": ["1763900000.1-ab"],
            "objects": ["person", "car"],
            "sub_labels": [["bob", 0.9], None],
            "zones": ["gate"],
            "audio": ["speech"],
        },
        **after,
    }
    return json.dumps({"type": phase, "before": state, "after": state}).encode()


class TestReviews(DialectSuite):
    dialect = frigate
    config = Frigate()
    topic = "frigate/reviews"
    good = (review(), review("update"), review("end", end_time=1763900030.0), review(severity="detection", data=None))
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"{}": "malformed",
        review("gone"): "malformed",
        review(severity="significant_motion"): "malformed",
        review(data={"zones": "gate"}): "malformed",
        review(camera="nowhere"): "unknown_camera",
        b'{"type": "new", "after": {"data": ' + b"[" * 5000 + b"]" * 5000 + b"}}": "malformed",
    }

    def test_a_review_is_an_event_of_its_severity(self) -> None:
        [(_, event), (_, other)] = self.decode(review()).events
        assert isinstance(event, CameraEvent)
        assert (event.area, other.area) == ("a0", "a1")
        assert (event.kind, event.phase, event.zones, event.detail) == (
            "alert",
            "new",
            ("gate",),
            "person, car, speech",
        )
        assert (event.event, event.time) == ("1763900000.1-rv", 1763900000.1)

    def test_a_review_ends_at_its_end(self) -> None:
        [(_, event), _] = self.decode(review("end", end_time=1763900030.0)).events
        assert (event.phase, event.time) == ("end", 1763900030.0)


class TestAvailable(DialectSuite):
    dialect = frigate
    config = Frigate(prefix="site/frigate")
    topic = "site/frigate/available"
    good = (b"online", b"offline", b"stopped")
    bad = {b"": "malformed", b"restarting": "malformed", b"\xff" * 100: "malformed"}  # noqa: RUF012

    def test_when_it_stops_its_cameras_are_gone_in_every_area(self) -> None:
        for word, state in ((b"stopped", "offline"), (b"offline", "offline"), (b"online", "online")):
            said = [one for _, one in self.decode(word).events]
            assert all(isinstance(one, SourceState) for one in said)
            assert [(one.area, one.state, one.cameras, one.source) for one in said] == [
                ("a0", state, ("cam-1",), "frigate:site/frigate"),
                ("a1", state, ("cam-1",), "frigate:site/frigate"),
                ("a2", state, ("cam-2",), "frigate:site/frigate"),
            ]


class TestStatus(DialectSuite):
    dialect = frigate
    config = Frigate()
    topic = "frigate/yard/status/detect"
    good = (b"online", b"offline", b"disabled")
    bad = {b"": "malformed", b"ON": "malformed", b'{"a": 1}': "malformed"}  # noqa: RUF012

    def test_a_stream_that_does_not_arrive_is_loss(self) -> None:
        told = [one for _, one in self.decode(b"offline", b"online", b"disabled").events]
        assert [(one.camera, one.faults, one.judged) for one in told] == [
            ("cam-2", {"loss": 1.0}, True),
            ("cam-2", {}, True),
            ("cam-2", {}, False),
        ]
        assert {one.source for one in told} == {"frigate:detect"}

    def test_the_status_of_an_unknown_camera_is_refused(self) -> None:
        refusal = frigate.resolve("frigate/nowhere/status/detect", Frigate(), self.registry())
        assert isinstance(refusal, Refusal)
        assert refusal.reason == "unknown_camera"


def test_an_installation_watches_what_the_site_says_or_what_is_nobody_elses() -> None:
    made = site()
    first, second = made.cameras
    third = msgspec.structs.replace(first, id="cam-3", sources=("onvif:cam-3",))
    fourth = msgspec.structs.replace(first, id="cam-4", sources=("onvif:cam-4", "frigate:back"))
    registry = Registry(msgspec.structs.replace(made, cameras=(first, second, third, fourth)))
    assert [one.id for one in frigate.watched(Frigate(), registry)] == ["cam-1", "cam-2", "cam-4"]
    assert [one.id for one in frigate.watched(Frigate(cameras=("cam-3",)), registry)] == ["cam-3"]


def test_messages_of_all_topics_are_decoded_together_in_order() -> None:
    registry = Registry(site())
    lane = Lane("event", Frigate(), registry, ["reviews", "available"])
    sent = [b"online", message(), review(), message(label=None), b"x"]
    decoded = frigate.decode(lane, np.array([1, -1, 0, -1, 1]), sent, RECEIVED)
    assert [place for place, _ in decoded.events] == [0, 0, 0, 1, 1, 2, 2]
    assert {one.message for one in decoded.refused} == {3, 4}


def test_an_object_that_stays_in_a_zone_loiters() -> None:
    lane = Lane("event", Frigate(dwell={"gate": "1 min"}), Registry(site()))

    def told(phase: str, time: float, *zones: str) -> list[tuple[str, str, tuple[str, ...]]]:
        payload = message(phase, camera="yard", frame_time=time, current_zones=zones, entered_zones=["gate"])
        decoded = frigate.decode(lane, np.array([-1]), [payload], RECEIVED)
        return [(one.kind, one.phase, one.zones) for _, one in decoded.events if one.kind == "loitering"]

    assert told("new", RECEIVED, "gate") == []
    assert told("update", RECEIVED + 61, "gate") == [("loitering", "new", ("gate",))]
    assert told("end", RECEIVED + 70) == [("loitering", "end", ("gate",))]


def test_an_event_without_a_time_has_none_and_its_object_loiters_by_arrival() -> None:
    lane = Lane("event", Frigate(dwell={"gate": "1 min"}), Registry(site()))
    made: list[CameraEvent] = []
    for phase, received in (("new", RECEIVED), ("update", RECEIVED + 61)):
        payload = message(phase, camera="yard", frame_time=None, start_time=None, current_zones=["gate"])
        decoded = frigate.decode(lane, np.array([-1]), [payload], received)
        made += [one for _, one in decoded.events if isinstance(one, CameraEvent)]
    assert {math.isnan(one.time) for one in made} == {True}, "so that a stored copy is not taken for what is now"
    assert [one.phase for one in made if one.kind == "loitering"] == ["new"]


def test_an_object_loiters_on_when_the_site_changes() -> None:
    lane = Lane("event", Frigate(dwell={"gate": "1 min"}), Registry(site()))

    def told(lane: Lane, phase: str, time: float) -> list[str]:
        payload = message(phase, camera="yard", frame_time=time, current_zones=["gate"])
        decoded = frigate.decode(lane, np.array([-1]), [payload], RECEIVED)
        return [one.phase for _, one in decoded.events if one.kind == "loitering"]

    assert told(lane, "new", RECEIVED) == []
    after = Lane("event", Frigate(dwell={"gate": "2 min"}), Registry(site()))
    assert frigate.succeed(after, lane) == Inherited()
    assert told(after, "update", RECEIVED + 61) == []
    assert told(after, "update", RECEIVED + 121) == ["new"]
    last = Lane("event", Frigate(), Registry(site()))
    frigate.succeed(last, after)
    assert told(last, "update", RECEIVED + 122) == ["end"]
    frigate.succeed(after, Lane("event", Frigate(), Registry(site())))
