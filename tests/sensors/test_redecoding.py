"""Refused messages decoded once more: what comes of each, and that nothing is taken twice."""

from __future__ import annotations

import json

import msgspec
import pytest

from scripts.load import bench_site
from sensors import frame, observation, packing, push, quarantine
from sensors.intake import Intake
from sensors.lookup import Registry
from sensors.observation import FRAME, HISTORICAL, LATE, CameraEvent
from sensors.quarantine import Refused
from sensors.redecoding import arrivals_of, redecode
from sensors.site import Camera, Flood, Frigate, Mapping, Signals, Site, Text

NOW = 1_763_900_000.0
NAME = Text(zh="一", en="one")


def site(points: int = 20, *, template: str = "site/{point}", cameras: tuple[str, ...] = ()) -> Site:
    made = bench_site(20, 10, signals=Signals(mapped=(Mapping(topic=template, point="{point}"),), frigate=(Frigate(),)))
    return msgspec.structs.replace(
        made,
        points=made.points[:points],
        cameras=tuple(Camera(id=name, name=NAME, areas=("a0",)) for name in cameras),
    )


def intake(content: Site) -> Intake:
    return Intake(Registry(content))


def refused_by(content: Site, topic: str, payload: bytes, *, retained: bool = False) -> list[Refused]:
    """Let a bridge with this site refuse a message, and give what it keeps."""
    bridge = intake(content)
    batch = bridge.take(arrivals_of(bridge, topic, payload, retained=retained), NOW)
    return [quarantine.decode(record) for topic, _, record in batch.records if topic == quarantine.TOPIC]


def readings(records: list[tuple[str, int, bytes]]) -> list[tuple[int, float, float, int]]:
    found = []
    for topic, _, value in records:
        assert topic == packing.TOPIC
        if value[0] == FRAME:
            one = frame.decode(value)
            rows = zip(one.point.tolist(), one.time.tolist(), one.value.tolist(), one.quality.tolist(), strict=True)
            found += list(rows)
    return found


def test_a_point_added_later_takes_its_reading_as_history_of_the_time_it_arrived() -> None:
    [refused] = refused_by(site(5), "foreshock/readings/a7/p7", b"3.5")
    made = redecode(intake(site()), refused, NOW + 60)
    assert (made.outcome, made.readings, made.taken) == ("accepted", 1, {7})
    [(point, time, value, quality)] = readings(made.records)
    assert (point, value, quality) == (7, 3.5, HISTORICAL)
    assert time == pytest.approx(NOW, abs=0.001)


def test_what_was_long_ago_is_late_too() -> None:
    [refused] = refused_by(site(5), "foreshock/readings/a7/p7", b"3.5")
    [(_, _, _, quality)] = readings(redecode(intake(site()), refused, NOW + 86_400).records)
    assert quality == HISTORICAL | LATE


def test_a_mended_template_takes_what_the_wrong_one_did_not_know() -> None:
    wrong, mended = site(template="plant/{point}"), site(template="foreshock/readings/x/{point}")
    [refused] = refused_by(wrong, "foreshock/readings/x/p3", b'{"value": 2}')
    assert redecode(intake(wrong), refused, NOW).outcome == "refused"
    native = msgspec.structs.replace(mended.signals, native="")
    made = redecode(intake(msgspec.structs.replace(mended, signals=native)), refused, NOW)
    assert (made.outcome, made.taken) == ("accepted", {3})


def test_what_is_refused_still_says_why() -> None:
    [refused] = refused_by(site(5), "foreshock/readings/a7/p7", b"3.5")
    made = redecode(intake(site(6)), refused, NOW)
    assert (made.outcome, made.records) == ("refused", [])
    assert made.reasons == {"unknown_point": 1} and "p7" in made.details[0]


def test_of_a_frame_only_what_was_not_taken_then_is_taken_now() -> None:
    payload = json.dumps({"points": ["p1", "p7", "p8"], "values": [1, 7, 8], "time": NOW - 1}).encode()
    [refused] = refused_by(site(5), "foreshock/frames/a1", payload)
    assert (refused.reason, refused.readings) == ("unknown_point", 2)
    first = redecode(intake(site(8)), refused, NOW)
    assert [row[:3] for row in readings(first.records)] == [(7, NOW - 1, 7.0)]
    assert first.reasons == {"unknown_point": 1}
    second = redecode(intake(site()), refused, NOW, taken=first.taken)
    assert [row[:3] for row in readings(second.records)] == [(8, NOW - 1, 8.0)]
    assert redecode(intake(site()), refused, NOW, taken=first.taken | second.taken).outcome == "taken_before"


def test_several_reasons_of_one_message_are_parts_of_one() -> None:
    payload = json.dumps({"points": ["p1", "p7"], "values": [None, 7], "time": NOW}).encode()
    kept = refused_by(site(5), "foreshock/frames/a1", payload)
    assert {one.reason for one in kept} == {"unknown_point", "not_finite"}
    assert [one.part for one in kept] == [0, 1]
    assert kept[0].raw == kept[1].raw == payload


def test_a_stored_copy_without_a_time_is_one_still() -> None:
    [refused] = refused_by(site(5), "foreshock/readings/a7/p7", b"3.5", retained=True)
    assert refused.retained
    made = redecode(intake(site()), refused, NOW)
    assert (made.outcome, set(made.reasons)) == ("refused", {"retained"})


def test_what_is_cut_and_what_is_no_message_is_said_so() -> None:
    summary = Refused(time=NOW, source="bridge", topic="", reason="malformed", readings=9)
    record = Refused(time=NOW, source="bridge", topic="observations/0", reason="log_refused", raw=b"x", size=1)
    cut = Refused(time=NOW, source="bridge", topic="foreshock/readings/a1/p1", reason="oversized", raw=b"1", size=5000)
    assert [redecode(intake(site()), one, NOW).outcome for one in (summary, record, cut)] == [
        "no_message",
        "no_message",
        "cut",
    ]


def test_a_camera_event_is_taken_once_and_as_history() -> None:
    after = {"id": "e1", "camera": "gate", "label": "person", "frame_time": NOW, "start_time": NOW, "score": 0.9}
    payload = json.dumps({"type": "new", "before": after, "after": after}).encode()
    [refused] = refused_by(site(), "frigate/events", payload)
    assert refused.reason == "unknown_camera"
    made = redecode(intake(site(cameras=("gate",))), refused, NOW)
    assert (made.outcome, made.events) == ("accepted", 1)
    event = observation.decode(made.records[0][2])
    assert isinstance(event, CameraEvent) and event.quality == HISTORICAL
    assert redecode(intake(site(cameras=("gate",))), refused, NOW, said=True).outcome == "taken_before"


def test_a_reading_that_was_pushed_over_http_is_taken_as_one_that_came_over_mqtt() -> None:
    gate = push.Push(Registry(site(5)))
    pushed = gate.take([push.Reading("p7", 3.5, NOW - 5), push.Reading("p1", 1.0)], NOW, NOW, "token:gw#1")
    [refused] = [quarantine.decode(record) for topic, _, record in pushed.records if topic == quarantine.TOPIC]
    assert redecode(intake(site(6)), refused, NOW).reasons == {"unknown_point": 1}
    made = redecode(intake(site()), refused, NOW)
    assert readings(made.records) == [(7, NOW - 5, 3.5, HISTORICAL)]
    broken = msgspec.structs.replace(refused, raw=b"{", size=1)
    assert redecode(intake(site()), broken, NOW).reasons == {"malformed": 1}
    (nan,) = gate.take([push.Reading("p1", float("nan"))], NOW, NOW, "token:gw#1").records
    assert redecode(intake(site()), quarantine.decode(nan[2]), NOW).reasons == {"not_finite": 1}


def test_a_stock_of_messages_is_no_flood_however_close_together_they_came() -> None:
    """Of a thousand undated ones at a hundred a second, 639 were called no message at all, at every try."""
    one = intake(msgspec.structs.replace(site(), flood=Flood(least=1.0, times=1.0)))
    raws = [b"%d" % k for k in range(1000)]
    outcomes = [
        redecode(
            one,
            Refused(
                time=NOW + 0.01 * k,
                source="bridge",
                topic="foreshock/readings/a0/p0",
                reason="unknown_topic",
                raw=raw,
                size=len(raw),
            ),
            NOW + 86_400,
        ).outcome
        for k, raw in enumerate(raws)
    ]
    assert set(outcomes) == {"accepted"}


def test_a_stock_of_events_and_of_pushed_readings_is_no_flood_either() -> None:
    one = intake(msgspec.structs.replace(site(cameras=("gate",)), flood=Flood(least=1.0, times=1.0)))
    outcomes = set()
    for k in range(200):
        after = {"id": f"e{k}", "camera": "gate", "label": "person", "frame_time": NOW, "start_time": NOW}
        event = json.dumps({"type": "new", "before": after, "after": after}).encode()
        reading = push.as_sent(push.Reading("p1", float(k)))
        for topic, raw in (("frigate/events", event), (f"{push.TOPIC} token:gw#1", reading)):
            kept = Refused(time=NOW, source="bridge", topic=topic, reason="unknown_point", raw=raw, size=len(raw))
            outcomes.add(redecode(one, kept, NOW + 60).outcome)
    assert outcomes == {"accepted"}
