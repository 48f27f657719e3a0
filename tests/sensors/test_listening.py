"""What becomes of a message, told without taking it."""

from __future__ import annotations

import json

import msgspec
import pytest

from sensors.listening import Heard, Listener
from sensors.lookup import Registry
from sensors.site import HomeAssistant
from sensors.tap import Message
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


def test_a_large_frame_is_counted_whole_and_listed_in_part() -> None:
    payload = {"points": ["p1"] * 300, "values": [1] * 300, "times": [NOW - 300 + k for k in range(300)]}
    heard = hear("foreshock/frames/a1", json.dumps(payload).encode())
    assert heard.count == 300 and len(heard.readings) == 50
