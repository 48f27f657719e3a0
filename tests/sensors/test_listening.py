"""What becomes of a message, told without taking it."""

from __future__ import annotations

import json

import msgspec
import pytest

from sensors.listening import Heard, Listener, event_of
from sensors.lookup import Registry
from sensors.observation import SIMULATED, CameraHealth, Report, SourceState
from sensors.site import Flood, HomeAssistant
from sensors.tap import Message
from tests.sensors.dialects import sparkplug_edge
from tests.sensors.test_redecoding import NOW, site


def hear(topic: str, payload: bytes, *, retained: bool = False) -> Heard:
    return Listener(Registry(site(5, cameras=("gate",)))).hear(Message(NOW, topic, payload, retained))


def test_what_would_be_taken_is_shown_as_readings() -> None:
    heard = hear("foreshock/readings/a1/p1", json.dumps({"value": 2.5, "time": NOW - 700}).encode())
    assert (heard.verdict, heard.count) == ("taken", 1)
    [reading] = heard.readings
    assert (reading.point, reading.value, reading.time, reading.quality) == ("p1", 2.5, NOW - 700, ("late",))


@pytest.mark.parametrize(
    ("topic", "payload", "verdict", "reason"),
    [
        ("foreshock/readings/a7/p7", b"1", "refused", "unknown_point"),
        ("foreshock/readings/a1/p1", b"{", "refused", "malformed"),
        ("foreshock/readings/a1/p1", b"9" * 5000, "refused", "oversized"),
        ("foreshock/readings/a1/p1", b'{"value":1,"time":1}', "refused", "ancient"),
        ("foreshock/frames/a1", b'{"points":["p1","p9"],"values":[1,2],"time":1763900000}', "partly", "unknown_point"),
    ],
)
def test_what_would_be_refused_says_why(topic: str, payload: bytes, verdict: str, reason: str) -> None:
    heard = hear(topic, payload)
    assert heard.verdict == verdict
    assert [one.reason for one in heard.troubles] == [reason] and heard.troubles[0].detail


def test_a_topic_that_the_bridge_does_not_subscribe_to_is_unheard() -> None:
    heard = hear("elsewhere/x", b"21.5\x1b")
    assert (heard.verdict, heard.beginning, heard.troubles) == ("unheard", "21.5\x1b", ())


@pytest.mark.parametrize(
    ("payload", "beginning"),
    [
        ("摄像机".encode() * 20, "摄像机" * 13 + "摄"),  # 120 bytes hold forty characters
        (b"x" + "摄".encode() * 60, "x" + "摄" * 39),
        (b"\xff{", "\\xff{"),
        (b"x" + "摄".encode()[:2], "x\\xe6\\x91"),
    ],
)
def test_the_beginning_of_a_payload_ends_with_a_whole_character(payload: bytes, beginning: str) -> None:
    assert hear("elsewhere", payload).beginning == beginning


def test_a_topic_that_an_announcement_told_of_is_heard() -> None:
    made = site(5)
    bound = msgspec.structs.replace(made.points[1], sources=("homeassistant:u1",))
    signals = msgspec.structs.replace(made.signals, homeassistant=(HomeAssistant(),))
    points = (made.points[0], bound, *made.points[2:])
    listener = Listener(Registry(msgspec.structs.replace(made, points=points, signals=signals)))
    assert listener.hear(Message(NOW, "dev/x", b"3", False)).verdict == "unheard"
    announced = json.dumps({"unique_id": "u1", "state_topic": "dev/x"}).encode()
    listener.hear(Message(NOW, "homeassistant/sensor/x/config", announced, True))
    heard = listener.hear(Message(NOW, "dev/x", b"3", False))
    assert (heard.verdict, heard.count) == ("taken", 1)


def test_a_stored_copy_without_a_time_is_refused_as_the_bridge_does() -> None:
    assert hear("foreshock/readings/a1/p1", b"1", retained=True).troubles[0].reason == "retained"


def test_what_is_too_much_is_refused_as_a_flood() -> None:
    listener = Listener(Registry(msgspec.structs.replace(site(5, cameras=("gate",)), flood=Flood())))
    for topic, payload in (("foreshock/readings/a1/p1", b"1"), ("frigate/gate/status/detect", b"offline")):
        told = [listener.hear(Message(NOW + 0.001 * k, topic, payload, False)) for k in range(500)]
        assert {one.verdict for one in told} == {"taken", "refused"}
        refused = [one.troubles for one in told if one.verdict == "refused"]
        assert len(refused) > 250
        assert {trouble.reason for troubles in refused for trouble in troubles} == {"flood"}
        assert all(len(troubles) == 1 and troubles[0].detail for troubles in refused)
    frame = {"points": ["p2"] * 500, "values": [1] * 500, "time": NOW}
    heard = listener.hear(Message(NOW, "foreshock/frames/a1", json.dumps(frame).encode(), False))
    assert heard.verdict == "partly"
    assert heard.count + sum(one.readings for one in heard.troubles) == 500


def test_a_large_frame_is_counted_whole_and_listed_in_part() -> None:
    payload = {"points": ["p1"] * 300, "values": [1] * 300, "times": [NOW - 300 + k for k in range(300)]}
    heard = hear("foreshock/frames/a1", json.dumps(payload).encode())
    assert heard.count == 300 and len(heard.readings) == 50


def test_an_event_is_shown_with_its_kind_its_subject_and_what_was_decoded() -> None:
    after = {"id": "7.1-x", "camera": "gate", "frame_time": NOW, "label": "person", "top_score": 0.87}
    after |= {"start_time": NOW - 5, "entered_zones": ["road"]}
    heard = hear("frigate/events", json.dumps({"type": "new", "before": {}, "after": after}).encode())
    [event] = heard.events
    assert (heard.verdict, event.what, event.kind, event.subject) == ("taken", "camera event", "person", "gate")
    assert (event.area, event.time) == ("a0", NOW)
    assert event.fields == {"phase": "new", "confidence": "0.87", "zones": "road", "id": "7.1-x"}


def test_a_camera_that_says_how_it_is_and_an_installation_that_goes_are_shown() -> None:
    [lost] = hear("frigate/gate/status/detect", b"offline").events
    assert (lost.what, lost.kind, lost.subject) == ("camera health", "loss 1", "gate")
    assert lost.fields == {"by": "frigate:detect"}
    [back] = hear("frigate/gate/status/detect", b"online").events
    assert back.kind == "in order"
    [gone] = hear("frigate/available", b"offline").events
    assert (gone.what, gone.kind, gone.fields) == ("source", "offline", {"cameras": "gate"})


def test_births_are_taken_whole_and_deaths_name_what_they_end() -> None:
    listener = Listener(Registry(sparkplug_edge.a_site()))

    def tell(one: sparkplug_edge.Message) -> Heard:
        return listener.hear(Message(sparkplug_edge.RECEIVED, one.topic, one.payload, False))

    rebirth = sparkplug_edge.metric("Node Control/Rebirth", False)
    born = tell(sparkplug_edge.node_birth(rebirth, sparkplug_edge.metric("Load", 5.0)))
    assert (born.verdict, born.troubles) == ("taken", ()), "bdSeq and Rebirth are the protocol's own"
    [online] = born.events
    assert (online.what, online.kind, online.subject) == ("source", "online", "sparkplug:plant/edge")
    assert online.fields == {"points": "p0"}
    [offline] = tell(sparkplug_edge.node_death()).events
    assert (offline.kind, offline.fields) == ("offline", {"points": "p0"})


def test_many_points_are_counted_and_texts_are_cut() -> None:
    registry = Registry(site())
    state = SourceState(area="a0", source="s", state="offline", time=1, received=1, points=tuple(range(9)))
    assert event_of(state, registry).fields == {"points": "p0, p1, p2, p3, p4 and 4 more"}
    told = Report(id="1", area="a0", category="noise", time=1, received=1, text="x" * 999, subject="k1", actor="u")
    said = event_of(told, registry)
    assert (said.what, said.kind, said.subject) == ("report", "noise", "k1")
    assert said.fields == {"text": "x" * 120, "by": "u"}
    health = CameraHealth(area="a0", camera="gate", time=1, received=1, judged=False, quality=SIMULATED)
    judged = event_of(health, registry)
    assert (judged.kind, judged.fields["quality"]) == ("cannot be judged", "simulated")
