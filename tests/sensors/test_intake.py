"""From messages to records: checks, stamps, partitions, quarantine."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.load import bench_site
from sensors import frame, observation, packing, quarantine
from sensors.dialects import mapped
from sensors.intake import Batch, Intake, Limits
from sensors.lookup import Registry
from sensors.observation import GOOD, HISTORICAL, LATE, OUT_OF_RANGE, CameraEvent, CameraHealth
from sensors.partition import partition_of
from sensors.reader import Arrivals, Oversized
from sensors.site import Camera, Frigate, Mapping, Onvif, SenML, Signals, Site, Text
from tests.sensors.dialects import sparkplug_edge

NOW = 1_763_900_000.0
NAME = Text(zh="一", en="one")


def site() -> Site:
    made = bench_site(
        20,
        10,
        partitions=4,
        signals=Signals(
            mapped=(Mapping(topic="site/{point}", point="{point}"),),
            frigate=(Frigate(),),
            onvif=(Onvif(prefix="{camera}"),),
            senml=(SenML(topic="senml/#"),),
        ),
    )
    points = list(made.points)
    points[0] = msgspec.structs.replace(points[0], range=(0.0, 100.0))
    points[1] = msgspec.structs.replace(points[1], accept_age=60.0)
    points[2] = msgspec.structs.replace(points[2], areas=tuple(area.id for area in made.areas))
    return msgspec.structs.replace(
        made, points=tuple(points), cameras=(Camera(id="cam", name=NAME, areas=("a0", "a1")),)
    )


def take(intake: Intake, *sent: tuple[str, bytes], retained: tuple[int, ...] = (), received: float = NOW) -> Batch:
    arrivals = Arrivals()
    for place, (topic, payload) in enumerate(sent):
        route = intake.topics[topic.encode()]
        if not route:
            arrivals.refused[place] = topic.encode()
        arrivals.routes.append(route)
        arrivals.payloads.append(payload)
    arrivals.retained += retained
    return intake.take(arrivals, received)


def readings(batch: Batch) -> list[tuple[int, int, float, float, int]]:
    """List (partition, point, time, value, quality) of all frames."""
    out = []
    for topic, partition, record in batch.records:
        if topic == packing.TOPIC and record[0] == observation.FRAME:
            one = frame.decode(record)
            columns = (one.point.tolist(), one.time.tolist(), one.value.tolist(), one.quality.tolist())
            out += [(partition, *row) for row in zip(*columns, strict=True)]
    return out


def refused(batch: Batch) -> list[quarantine.Refused]:
    return [quarantine.decode(record) for topic, _, record in batch.records if topic == quarantine.TOPIC]


def reading(value: float, time: float | None = NOW) -> bytes:
    return json.dumps({"value": value} if time is None else {"value": value, "time": time}).encode()


def intake(**limits: int) -> Intake:
    return Intake(Registry(site()), limits=Limits(**limits))


def test_a_reading_goes_to_its_areas_partition() -> None:
    batch = take(intake(), ("foreshock/readings/a3/p3", reading(7.0)))
    assert readings(batch) == [(partition_of("s3", 4), 3, NOW, 7.0, 0)]
    assert batch.readings == 1


def test_a_shared_point_goes_to_each_of_its_partitions_once() -> None:
    made = intake()
    batch = take(
        made,
        ("foreshock/readings/a0/p0", reading(1)),
        ("foreshock/readings/a7/p2", reading(2)),
        ("foreshock/readings/a0/p0", reading(3, NOW + 1)),
    )
    partitions = {partition_of(f"s{k}", 4) for k in range(10)}
    assert sorted(row[0] for row in readings(batch) if row[1] == 2) == sorted(partitions)
    assert batch.readings == 3
    home = [row[3] for row in readings(batch) if row[0] == partition_of("s0", 4)]
    assert home == [1.0, 2.0, 3.0], "arrival order holds within a partition"


def test_flags_and_refusals_of_time_and_range() -> None:
    made = intake()
    batch = take(
        made,
        ("foreshock/readings/a0/p0", reading(101)),
        ("foreshock/readings/a3/p3", reading(1, NOW - 601)),
        ("foreshock/readings/a1/p1", reading(1, NOW - 61)),
        ("foreshock/readings/a3/p3", reading(1, NOW - 31 * 86400)),
        ("foreshock/readings/a3/p3", reading(1, NOW + 61)),
        ("foreshock/readings/a3/p3", b"null"),
        ("foreshock/readings/a4/p4", reading(5, NOW + 59)),
    )
    assert [(row[1], row[4]) for row in sorted(readings(batch), key=lambda row: row[1])] == [
        (0, OUT_OF_RANGE),
        (3, LATE),
        (4, 0),
    ]
    assert sorted(one.reason for one in refused(batch)) == ["ancient", "ancient", "future", "not_finite"]
    [future] = [one for one in refused(batch) if one.reason == "future"]
    assert future.topic == "foreshock/readings/a3/p3"
    assert future.raw == reading(1, NOW + 61)
    assert "p3" in future.detail
    assert made.quarantine.counts == {"ancient": 2, "future": 1, "not_finite": 1}


def test_readings_without_a_time_get_rising_stamps_of_arrival() -> None:
    made = intake()
    batch = take(made, *[("foreshock/readings/a0/p0", b"1")] * 5)
    again = take(made, *[("foreshock/readings/a0/p0", b"1")] * 5, received=NOW - 59)
    times = [row[2] for row in readings(batch) + readings(again)]
    assert times[0] == NOW
    assert (np.diff(times) > 0).all(), "even when the clock is set back"
    assert times[-1] - NOW < 1e-4


def test_a_clock_that_is_set_back_far_does_not_get_readings_refused() -> None:
    made = intake()
    take(made, *[("foreshock/readings/a0/p0", b"1")] * 5)
    again = take(made, *[("foreshock/readings/a0/p0", b"1")] * 5, received=NOW - 3600)
    later = take(made, ("foreshock/readings/a0/p0", b"1"), received=NOW - 3600)
    times = [row[2] for row in readings(again) + readings(later)]
    assert len(times) == 6 and times[0] == NOW - 3600 and (np.diff(times) > 0).all()
    assert not made.quarantine.counts


def test_everything_else_is_refused_with_topic_and_raw_bytes() -> None:
    made = intake(single=100, frame=200)
    batch = take(
        made,
        ("nobody/knows", b"1"),
        ("foreshock/readings/a0/none", b"2"),
        ("foreshock/readings/a0/p0", b"x"),
        ("foreshock/readings/a0/p0", b" " * 101),
        ("foreshock/frames/a0", b" " * 201),
        ("foreshock/readings/a0/p0", reading(9)),
        ("site/p5", b'{"value": 6}'),
        ("site/none", b'{"value": 6}'),
        ("frigate/events", b"{}"),
    )
    assert sorted((row[1], row[3]) for row in readings(batch)) == [(0, 9.0), (5, 6.0)]
    assert {(one.topic, one.reason) for one in refused(batch)} == {
        ("nobody/knows", "unknown_topic"),
        ("foreshock/readings/a0/none", "unknown_point"),
        ("foreshock/readings/a0/p0", "malformed"),
        ("foreshock/readings/a0/p0", "oversized"),
        ("foreshock/frames/a0", "oversized"),
        ("site/none", "unknown_point"),
        ("frigate/events", "malformed"),
    }
    assert all(one.raw for one in refused(batch))
    assert {partition for topic, partition, _ in batch.records if topic == "quarantine"} == {0}


def test_messages_too_large_to_be_taken_in_are_a_message_each() -> None:
    made = intake()
    arrivals = Arrivals(oversized=[Oversized(0, b"foreshock/frames/a0", b"{" * 10, 2_000_000 + n) for n in range(3)])
    kept = refused(made.take(arrivals, NOW))
    assert [(one.reason, one.size, one.part, one.readings) for one in kept] == [
        ("oversized", 2_000_000 + n, 0, 1) for n in range(3)
    ]
    assert made.quarantine.counts == {"oversized": 3}


def test_a_stored_copy_without_a_time_is_refused_and_one_with_a_time_is_not() -> None:
    made = intake()
    batch = take(
        made,
        ("foreshock/readings/a0/p0", b"1"),
        ("foreshock/readings/a0/p0", reading(2)),
        ("foreshock/readings/a0/p0", b"3"),
        retained=(0, 1),
    )
    assert [row[3] for row in readings(batch)] == [2.0, 3.0]
    assert [one.reason for one in refused(batch)] == ["retained"]


def test_a_time_that_counts_from_arrival_says_nothing_of_a_stored_copy() -> None:
    packs = (b'[{"n":"p3","v":1,"t":-5}]', b'[{"n":"p4","v":2,"bt":1763899990}]')
    sent = [("foreshock/readings/a0/p0", reading(1.0)), *(("senml/x", pack) for pack in packs)]
    batch = take(intake(), *sent, retained=(1, 2))
    assert sorted(row[1] for row in readings(batch)) == [0, 4]
    assert [(one.reason, one.topic) for one in refused(batch)] == [("retained", "senml/x")]
    assert sorted(row[1] for row in readings(take(intake(), *sent))) == [0, 3, 4]


def test_bad_readings_of_a_frame_are_one_record_that_counts_them() -> None:
    made = intake()
    payload = msgspec.msgpack.encode(
        {"points": ["p0", "p3", "p4", "none"], "values": [math.nan, 1.0, math.inf, 2.0], "time": NOW}
    )
    batch = take(made, ("foreshock/frames/a0", payload))
    assert [(row[1], row[3]) for row in readings(batch)] == [(3, 1.0)]
    assert sorted((one.reason, one.readings) for one in refused(batch)) == [("not_finite", 2), ("unknown_point", 1)]
    assert made.quarantine.counts == {"not_finite": 2, "unknown_point": 1}


def event(time: float) -> bytes:
    return json.dumps(
        {"type": "new", "after": {"id": "e", "camera": "cam", "label": "debris", "frame_time": time}}
    ).encode()


def test_a_camera_event_goes_to_the_partition_of_each_area() -> None:
    batch = take(intake(), ("frigate/events", event(NOW)))
    found = [(partition, observation.decode(record)) for _, partition, record in batch.records]
    assert [(partition, one.area) for partition, one in found if isinstance(one, CameraEvent)] == [
        (partition_of("s0", 4), "a0"),
        (partition_of("s1", 4), "a1"),
    ]
    assert batch.events == 2


def test_a_camera_event_out_of_time_is_refused_or_flagged() -> None:
    made = intake()
    assert take(made, ("frigate/events", event(NOW + 100))).events == 0
    assert made.quarantine.counts == {"future": 2}
    late = take(made, ("frigate/events", event(NOW - 700)))
    assert {
        one.quality for _, _, record in late.records if isinstance(one := observation.decode(record), CameraEvent)
    } == {LATE}


def properties(batch: Batch) -> list[CameraEvent | CameraHealth]:
    found = [observation.decode(record) for topic, _, record in batch.records if topic == packing.TOPIC]
    return [one for one in found if isinstance(one, CameraEvent | CameraHealth)]


def a_property(topic: str, value: bool, age: float | None) -> tuple[str, bytes]:
    time = None if age is None else datetime.fromtimestamp(NOW - age, UTC).isoformat()
    return f"cam/onvif-ej/{topic}", json.dumps({"UtcTime": time, "Data": {"State": value}}).encode()


def test_a_stored_property_of_long_ago_is_history_and_a_recent_one_is_not() -> None:
    motion = "VideoSource/MotionAlarm/&1"
    for stored, age, quality in (
        ((0,), 7200, LATE | HISTORICAL),  # the bridge has connected: what began two hours ago is not news
        ((0,), 30, GOOD),
        ((), 7200, LATE),  # queued while the bridge was away: news that is late
    ):
        found = properties(take(intake(), a_property(motion, True, age), retained=stored))
        assert [one.quality for one in found] == [quality, quality]


def test_a_stored_property_without_a_time_is_refused_and_a_live_one_is_stamped() -> None:
    made = intake()
    sent = a_property("VideoSource/MotionAlarm/&1", True, None)
    batch = take(made, sent, sent, retained=(0,))
    assert [one.time for one in properties(batch)] == [NOW, NOW]
    assert {one.reason for one in refused(batch)} == {"retained"}


def test_a_stored_fault_of_a_picture_holds_until_it_changes() -> None:
    batch = take(intake(), a_property("VideoSource/ImageTooDark/&1", True, 90 * 86400), retained=(0,))
    assert [(one.quality, one.time) for one in properties(batch)] == [(GOOD, NOW)]


def test_a_record_holds_no_more_readings_than_allowed() -> None:
    batch = take(intake(record=3), *[("foreshock/readings/a0/p0", b"1")] * 8)
    assert [len(frame.decode(record)) for _, _, record in batch.records] == [3, 3, 2]


SENT = st.sampled_from(
    [
        ("foreshock/readings/a0/p0", b"1.5"),
        ("foreshock/readings/a1/p1", reading(2)),
        ("foreshock/readings/a1/p2", reading(3)),
        ("site/p5", b'{"value": 4}'),
        ("foreshock/frames/a0", b'{"points": ["p6", "p7"], "values": [5, 6]}'),
        ("foreshock/readings/a0/p0", b"?"),
        ("no/where", b"1"),
        ("frigate/events", event(NOW)),
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(SENT, max_size=20), st.integers(0, 20))
def test_how_messages_are_cut_into_batches_changes_nothing_but_frames(sent: list[tuple[str, bytes]], cut: int) -> None:
    whole, halves = intake(), intake()
    once = readings(take(whole, *sent))
    twice = readings(take(halves, *sent[:cut])) + readings(take(halves, *sent[cut:]))
    for partition in range(4):
        ours = [(row[1], row[3], row[4]) for row in once if row[0] == partition]
        theirs = [(row[1], row[3], row[4]) for row in twice if row[0] == partition]
        assert ours == theirs
    assert whole.quarantine.counts == halves.quarantine.counts


def test_a_decoder_that_breaks_costs_the_culprit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [("foreshock/readings/a3/p3", reading(1.0)), ("site/p4", b"1"), ("site/p5", b"13"), ("site/p6", b"2")]
    one = intake()
    numbers = mapped._numbers

    def broken(raw: list) -> object:
        if 13 in raw:
            raise ZeroDivisionError("unlucky")
        return numbers(raw)

    monkeypatch.setattr(mapped, "_numbers", broken)
    sent = [(topic, b'{"value": %s}' % payload if topic.startswith("site") else payload) for topic, payload in sent]
    batch = take(one, *sent)
    assert sorted((point, value) for _, point, _, value, _ in readings(batch)) == [(3, 1.0), (4, 1.0), (6, 2.0)]
    (culprit,) = refused(batch)
    assert (culprit.reason, culprit.topic, culprit.raw) == ("malformed", "site/p5", b'{"value": 13}')
    assert culprit.detail == "ZeroDivisionError: unlucky"
    assert one.quarantine.counts == {"malformed": 1}


def test_a_refusal_says_whether_the_message_told_something_as_well() -> None:
    made = Intake(Registry(sparkplug_edge.a_site()))
    node = sparkplug_edge.node_birth(sparkplug_edge.metric("Load", 1.0), time=NOW)
    bad = sparkplug_edge.metric("M2", "high", datatype=sparkplug_edge.STRING)
    birth = sparkplug_edge.birth(sparkplug_edge.metric("M1", 1.0), bad, seq=1, time=NOW)
    batch = take(made, (node.topic, node.payload), (birth.topic, birth.payload), ("foreshock/readings/a0/p3", b"{"))
    assert [(one.reason, one.said) for one in refused(batch)] == [("not_a_reading", True), ("unknown_point", False)]
