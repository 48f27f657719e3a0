"""The ONVIF dialect: properties and events of cameras, faults of their pictures, inputs as points."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest

from sensors.dialects import onvif
from sensors.dialects.dialect import Decoded, Lane, Refusal, Route
from sensors.dialects.onvif import Subject
from sensors.lookup import Registry
from sensors.observation import CameraEvent, CameraHealth, SourceState
from sensors.site import Onvif
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site

AT = "2025-11-23T12:13:14.500Z"
SECONDS = 1763899994.5


def message(data: dict[str, Any] | None, time: str | None = AT, **source: Any) -> bytes:
    return json.dumps({"UtcTime": time, "Source": source, "Data": data}).encode()


CROSSED = message({"ObjectId": "15"}, VideoSource="1", AnalyticsConfiguration="2", Rule="Fence")
INSIDE = b'{"UtcTime":"%s","Source":{"VideoSource":1,"Rule":"Yard"},"Key":{"ObjectId":4},"Data":{"IsInside":true}}' % (
    AT.encode()
)
LONGER = message(
    {"SimpleItem": [{"Name": "State", "Value": "true"}]},
    SimpleItem={"Name": "VideoSourceConfigurationToken", "Value": "1"},
)


def registry() -> Registry:
    """Make the suite's site with cameras and points that ONVIF names."""
    made = site()
    cameras = list(made.cameras)
    cameras[1] = msgspec.structs.replace(cameras[1], sources=("onvif:gate/cam-9", "onvif:dome/2"))
    points = list(made.points)
    points[3] = msgspec.structs.replace(points[3], sources=("onvif:cam-1/Device/Trigger/DigitalInput/DI1",))
    points[4] = msgspec.structs.replace(
        points[4], sources=("onvif:cam-1/RuleEngine/CountAggregation/Counter/1/In.Count",)
    )
    return Registry(msgspec.structs.replace(made, cameras=tuple(cameras), points=tuple(points)))


def decode(topic: str, *payloads: bytes, config: Onvif | None = None, prefix: str = "{camera}") -> Decoded:
    config = config or Onvif(prefix=prefix)
    known = registry()
    route = onvif.resolve(topic, config, known)
    assert isinstance(route, Route)
    lane = Lane(route.kind, config, known, [route.subject])
    return onvif.decode(lane, np.zeros(len(payloads), np.intp), list(payloads), RECEIVED)


def said(topic: str, payload: bytes, **how: Any) -> list[Any]:
    decoded = decode(topic, payload, **how)
    assert not decoded.refused
    return [one for _, one in decoded.events]


class TestOnvif(DialectSuite):
    dialect = onvif
    config = Onvif(prefix="+")
    topic = "cam-1/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/Fence"
    good = (CROSSED, INSIDE, LONGER, message(None), message({"State": False}, time=None), b"")
    bad = {  # noqa: RUF012
        b"null": "malformed",
        b"[1]": "malformed",
        b"{": "malformed",
        b'{"UtcTime": 5}': "malformed",
        b'{"Data": [1]}': "malformed",
        message({}, time="yesterday"): "malformed",
        message({}, time="0000-13-01T00:00:00Z"): "malformed",
        message({str(n): n for n in range(100)}): "malformed",
        b'{"Data": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}": "malformed",
        b'{"Data": {"Likelihood": NaN}}': "not_finite",
    }


class TestFaults(DialectSuite):
    dialect = onvif
    config = Onvif(prefix="site/{camera}")
    topic = "site/yard/onvif-ej/VideoSource/ImageTooDark/&1/ImagingService"
    good = (message({"State": "true"}, Source="1"), message({"State": 0}), b"")
    bad = {b"true": "malformed"}  # noqa: RUF012


class TestInput(DialectSuite):
    dialect = onvif
    config = Onvif(prefix="+")
    topic = "cam-1/onvif-ej/Device/Trigger/DigitalInput/&DI1"
    good = (message({"LogicalState": "true"}, InputToken="DI1"), message({"LogicalState": False}), b"")
    bad = {message({"LogicalState": "perhaps"}): "malformed", message({}): "malformed"}  # noqa: RUF012

    def registry(self) -> Registry:
        return registry()


@pytest.mark.parametrize(
    ("rest", "subject"),
    [
        ("RuleEngine/LineDetector/Crossed/&1/2/Fence", ("RuleEngine/LineDetector/Crossed", ("1", "2", "Fence"))),
        ("RuleEngine/LineDetector/Crossed&/1/2/Fence", ("RuleEngine/LineDetector/Crossed", ("1", "2", "Fence"))),
        ("VideoSource/MotionAlarm/&VideoSource/1", ("VideoSource/MotionAlarm", ("VideoSource", "1"))),
        ("Device/tns1:Trigger/tns1:Relay/&Relay-1", ("Device/Trigger/Relay", ("Relay-1",))),
        ("VideoSource/MotionAlarm", ("VideoSource/MotionAlarm", ())),
    ],
)
def test_a_topic_is_split_into_what_and_of_what(rest: str, subject: tuple[str, tuple[str, ...]]) -> None:
    route = onvif.resolve(f"cam-1/onvif-ej/{rest}", Onvif(prefix="+"), registry())
    assert route == Route("event", subject=Subject("cam-1", *subject))


@pytest.mark.parametrize(
    ("prefix", "topic", "name"),
    [
        ("cam/+", "cam/7/onvif-ej/A/B", "cam/7"),
        ("cam/{camera}", "cam/7/onvif-ej/A/B", "7"),
        ("site/+/cam-{camera}/x", "site/a/cam-7/x/onvif-ej/A/B", "7"),
        ("cam-7", "cam-7/onvif-ej/A/B", "cam-7"),
        ("cam/+", "cam/7/8/onvif-ej/A/B", None),
        ("cam/+", "cam/7/onvif-ej", None),
    ],
)
def test_a_prefix_names_the_device(prefix: str, topic: str, name: str | None) -> None:
    made = site()
    camera = msgspec.structs.replace(made.cameras[0], sources=("onvif:7", "onvif:cam/7", "onvif:cam-7"))
    known = Registry(msgspec.structs.replace(made, cameras=(camera,)))
    route = onvif.resolve(topic, Onvif(prefix=prefix), known)
    assert (route.subject.name if isinstance(route, Route) else route) == name


def test_a_device_that_the_site_does_not_have_is_refused_by_its_topic() -> None:
    refusal = onvif.resolve("cam-77/onvif-ej/VideoSource/MotionAlarm", Onvif(prefix="+"), registry())
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "unknown_camera"


def test_a_topic_without_an_event_is_refused() -> None:
    assert isinstance(onvif.resolve("c/onvif-ej/&1", Onvif(prefix="+"), registry()), Refusal)


def test_a_crossing_is_an_event_in_every_area_with_the_rule_as_its_zone() -> None:
    events = said("cam-1/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/Fence", CROSSED)
    assert [(one.area, one.camera, one.kind, one.phase, one.zones) for one in events] == [
        ("a0", "cam-1", "crossing", "new", ("Fence",)),
        ("a1", "cam-1", "crossing", "new", ("Fence",)),
    ]
    assert (events[0].time, events[0].received) == (SECONDS, RECEIVED)
    assert events[0].event == "RuleEngine/LineDetector/Crossed/1/2/Fence#15"


@pytest.mark.parametrize("value", [True, "true", "1", 1, "active"])
def test_a_property_that_is_true_begins(value: Any) -> None:
    [event] = said("yard/onvif-ej/VideoSource/MotionAlarm/&1", message({"State": value}))
    assert (event.kind, event.phase) == ("motion", "new")


@pytest.mark.parametrize("value", [False, "false", "0", 0, "inactive"])
def test_a_property_that_is_false_ends_and_so_does_one_that_is_deleted(value: Any) -> None:
    topic = "yard/onvif-ej/RuleEngine/CellMotionDetector/Motion/&1"
    [begun] = said(topic, message({"IsMotion": True}))
    for payload in (message({"IsMotion": value}), b"", json.dumps({"PropertyOperation": "Deleted"}).encode()):
        [ended] = said(topic, payload)
        assert (ended.kind, ended.phase, ended.event) == ("motion", "end", begun.event)


def test_what_has_no_time_says_so() -> None:
    [event] = said("yard/onvif-ej/VideoSource/MotionAlarm", message({"State": True}, time=None))
    assert math.isnan(event.time)


def test_a_time_without_an_offset_is_utc_as_its_name_says() -> None:
    [event] = said("yard/onvif-ej/VideoSource/MotionAlarm", message({}, time="2025-11-23T12:13:14.5"))
    assert event.time == SECONDS


@pytest.mark.parametrize(
    ("local", "kind"),
    [
        ("RuleEngine/FieldDetector/ObjectsInside", "intrusion"),
        ("RuleEngine/FieldDetector/ObjectIsLoitering", "loitering"),
        ("RuleEngine/LoiteringDetector/ObjectIsLoitering", "loitering"),
        ("RuleEngine/MotionRegionDetector/Motion", "motion"),
        ("RuleEngine/CountAggregation/Counter", "count"),
        ("RuleEngine/FireDetector/Fire", "fire"),
        ("AudioAnalytics/Audio/DetectedSound", "sound"),
        ("Device/Trigger/DigitalInput", "digital_input"),
        ("Device/HardwareFailure/StorageFailure", "disk_failure"),
        ("VendorEngine/Special/HardHatMissing", "hardhatmissing"),
    ],
)
def test_topics_have_kinds(local: str, kind: str) -> None:
    [event] = said(f"yard/onvif-ej/{local}/&1", message({"State": True}))
    assert isinstance(event, CameraEvent)
    assert event.kind == kind


@pytest.mark.parametrize(
    ("local", "fault"),
    [
        ("RuleEngine/TamperDetector/Tamper", "cover"),
        ("VideoSource/GlobalSceneChange/ImagingService", "shift"),
        ("VideoSource/ImageTooDark/ImagingService", "black"),
        ("VideoSource/ImageTooBright/AnalyticsService", "overexposed"),
        ("VideoSource/ImageTooBlurry/RecordingService", "blur"),
        ("VideoSource/SignalLoss", "loss"),
    ],
)
def test_what_is_wrong_with_a_picture_is_the_cameras_health(local: str, fault: str) -> None:
    topic = f"cam-1/onvif-ej/{local}/&1"
    [there] = said(topic, message({"State": True}))
    assert isinstance(there, CameraHealth)
    assert (there.area, there.camera, there.faults, there.time) == ("a0", "cam-1", {fault: 1.0}, RECEIVED)
    for payload in (message({"State": "false"}), b""):
        [gone] = said(topic, payload)
        assert (gone.faults, gone.source) == ({}, there.source)


def test_each_fault_is_a_source_of_its_own() -> None:
    [dark] = said("cam-1/onvif-ej/VideoSource/ImageTooDark/X", message({"State": True}))
    [blurred] = said("cam-1/onvif-ej/VideoSource/ImageTooBlurry/X", message({"State": False}))
    assert dark.source != blurred.source


def test_an_input_that_is_bound_is_a_reading_of_its_point() -> None:
    topic = "cam-1/onvif-ej/Device/Trigger/DigitalInput/&DI1"
    decoded = decode(topic, message({"LogicalState": "true"}), message({"LogicalState": False}, time=None))
    assert not decoded.events
    assert (decoded.point.tolist(), decoded.value.tolist(), decoded.message.tolist()) == ([3, 3], [1.0, 0.0], [0, 1])
    assert decoded.time[0] == SECONDS and math.isnan(decoded.time[1])


def test_one_value_of_several_is_bound_by_its_name() -> None:
    topic = "cam-1/onvif-ej/RuleEngine/CountAggregation/Counter/&1/In"
    decoded = decode(topic, message({"Reset": "false", "Count": "17"}))
    assert (decoded.point.tolist(), decoded.value.tolist()) == ([4], [17.0])


def test_a_point_whose_property_is_deleted_has_no_data() -> None:
    [state] = said("cam-1/onvif-ej/Device/Trigger/DigitalInput/&DI1", b"")
    assert isinstance(state, SourceState)
    assert (state.state, state.points) == ("offline", (3,))


@pytest.mark.parametrize(
    ("data", "zones"),
    [
        ({"ObjectId": "15", "Direction": "In"}, ("Fence", "Fence:in")),
        ({"ObjectId": "15", "CrossDirection": " OUT "}, ("Fence", "Fence:out")),
        ({"ObjectId": "15"}, ("Fence",)),
        ({"ObjectId": "15", "Direction": "x" * 400}, ("Fence", "Fence:" + "x" * 16)),
        ({"ObjectId": "15", "Direction": ""}, ("Fence",)),
    ],
)
def test_each_way_over_a_line_is_a_zone_of_its_own(data: dict[str, str], zones: tuple[str, ...]) -> None:
    events = said(TestOnvif.topic, message(data, VideoSource="1", Rule="Fence"))
    assert {(event.kind, event.zones) for event in events} == {("crossing", zones)}


def test_a_camera_is_found_by_prefix_and_by_lens() -> None:
    crossed = "onvif-ej/RuleEngine/LineDetector/Crossed/&2"
    for payload in (message({}, VideoSource="2"), message({}), b""):
        assert [one.camera for one in said(f"dome/{crossed}", payload)] == ["cam-2"]
    [event] = said(f"gate/cam-9/{crossed}", message({}), prefix="gate/+")
    assert event.camera == "cam-2"
    [refused] = decode(f"dome/{crossed.replace('2', '1')}", message({}, VideoSource="1")).refused
    assert refused.reason == "unknown_camera"


def test_the_site_renames_and_leaves_out_kinds() -> None:
    config = Onvif(
        prefix="{camera}",
        kinds={"crossing": "trespass", "motion": "", "VideoSource/GlobalSceneChange/X": "landslide"},
    )
    [crossed] = said("yard/onvif-ej/RuleEngine/LineDetector/Crossed", CROSSED, config=config)
    assert crossed.kind == "trespass"
    [moved] = said("yard/onvif-ej/VideoSource/GlobalSceneChange/X", message({"State": True}), config=config)
    assert (type(moved), moved.kind) == (CameraEvent, "landslide")
    decoded = decode("yard/onvif-ej/VideoSource/MotionAlarm", message({"State": True}), config=config)
    assert not decoded.events
    assert [one.reason for one in decoded.refused] == ["ignored"]


def test_a_likelihood_is_the_confidence() -> None:
    [event] = said("yard/onvif-ej/RuleEngine/FireDetector/Fire", message({"State": True, "Likelihood": "0.87"}))
    assert event.confidence == 0.87
    [event] = said("yard/onvif-ej/RuleEngine/FireDetector/Fire", message({"State": True, "Likelihood": "87"}))
    assert event.confidence is None
