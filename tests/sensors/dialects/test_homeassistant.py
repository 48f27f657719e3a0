"""The Home Assistant dialect: announced entities that the site binds become points."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.claimed_units import MOST_NEW, MOST_TOGETHER, TOO_MANY, ClaimedUnits
from sensors.dialects import announced, homeassistant
from sensors.dialects.announced import Config, Topic
from sensors.dialects.dialect import Decoded, Lane, Refusal, Route, Wanted
from sensors.lookup import Registry
from sensors.observation import SourceState
from sensors.site import HomeAssistant, Site
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, shared, site

CONFIG = HomeAssistant()

SOURCES: dict[str, dict[str, Any]] = {
    "p0": {"sources": ("homeassistant:u_temp",), "unit": "°C"},
    "p1": {"sources": ("homeassistant:u_hum",), "unit": "%RH"},
    "p2": {"sources": ("homeassistant:u_door",), "unit": "1"},
    "p3": {"sources": ("homeassistant:u_odd",), "unit": "mm", "source_unit": "cm"},
}


def bound_site() -> Site:
    made = site()
    points = [msgspec.structs.replace(point, **SOURCES.get(point.id, {})) for point in made.points]
    return msgspec.structs.replace(made, points=tuple(points))


class House:
    """A lane that messages are decoded on one after another, by topic."""

    def __init__(self) -> None:
        self.registry = Registry(bound_site())
        self.lane = Lane("frame", CONFIG, self.registry)
        self.wanted: list[Wanted] = []

    def say(self, topic: str, body: Any) -> Decoded:
        route = homeassistant.resolve(topic, CONFIG, self.registry)
        subject = route.subject if isinstance(route, Route) else Topic(topic)
        if subject not in self.lane.subjects:
            self.lane.subjects.append(subject)
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        place = np.array([self.lane.subjects.index(subject)])
        decoded = homeassistant.decode(self.lane, place, [payload], RECEIVED)
        self.wanted += decoded.wanted
        return decoded

    def announce(self, object_id: str, component: str = "sensor", **message: Any) -> Decoded:
        return self.say(f"homeassistant/{component}/{object_id}/config", message)


def reasons(decoded: Decoded) -> list[str]:
    return [one.reason for one in decoded.refused]


def states(decoded: Decoded) -> list[tuple[str, tuple[int, ...], str]]:
    assert all(isinstance(event, SourceState) for _, event in decoded.events)
    return [(event.area, event.points, event.state) for _, event in decoded.events if isinstance(event, SourceState)]


TEMPERATURE = {
    "unique_id": "u_temp",
    "state_topic": "gw/1",
    "unit_of_measurement": "°F",
    "value_template": "{{ value_json.t }}",
}


class TestReadings(DialectSuite):
    dialect = homeassistant
    config = CONFIG
    topic = "homeassistant/sensor/gw/temp/config"
    good = (b'{"t": 212}', b'{"t": "32", "more": [1]}', b'{"t": 50.0}')
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"212": "unbound",
        b"{}": "unbound",
        b'{"other": 3}': "unbound",
        b'{"t": "warm"}': "malformed",
        b'{"t": [1]}': "malformed",
        b'{"t": {}}': "malformed",
        b'{"t": null}': "not_finite",
        b'{"t": "unavailable"}': "not_finite",
        b'{"t": "nan"}': "not_finite",
        b"[" * 5000: "malformed",
        b"\xff": "malformed",
        b'{"t": ' + b" " * 65_536 + b"3}": "oversized",
    }

    def registry(self) -> Registry:
        return Registry(bound_site())

    def lane(self) -> tuple[Lane, int]:
        house = House()
        house.say(self.topic, TEMPERATURE)
        house.say("gw/1", {"t": 0})
        return house.lane, house.lane.subjects.index(Topic("gw/1"))

    def test_values_are_converted_and_have_no_time(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.value.tolist() == pytest.approx([100.0, 0.0, 10.0])
        assert np.isnan(decoded.time).all()
        assert set(decoded.point.tolist()) == {Registry(bound_site()).points["p0"].index}


class TestAnnouncements(DialectSuite):
    """Announcements are hostile input too: the inherited tests, with a point bound and a stranger."""

    dialect = homeassistant
    config = CONFIG
    topic = "homeassistant/device/gw-1/config"
    good = (json.dumps({"cmps": {"a": {"p": "sensor", "uniq_id": "u_temp", "stat_t": "gw/1"}}}).encode(),)
    bad = {  # noqa: RUF012
        b"{}": "malformed",
        b"[" * 5000: "malformed",
        b'{"cmps": {}}': "unbound",
        b'{"cmps": {"a": {"p": "light", "uniq_id": "l"}}}': "unbound",
        b'{"cmps": {"a": {"p": "sensor", "uniq_id": "l", "stat_t": "x"}}}': "unbound",
        b'{"cmps": {"a": {"p": "sensor", "uniq_id": "u_temp", "stat_t": "x", "unit_of_meas": "m"}}}': "wrong_unit",
        b'{"cmps": {"a": {"p": "sensor", "uniq_id": "u_temp", "stat_t": "x", "val_tpl": "{% 1 %}"}}}': "unsupported",
        b'{"cmps": {"a": {"p": "sensor", "uniq_id": "u_temp", "stat_t": "#"}}}': "malformed",
        b" " * 262_145: "oversized",
    }

    def registry(self) -> Registry:
        return Registry(bound_site())

    def check(self, decoded: Decoded, count: int) -> None:
        assert not len(decoded) and not decoded.events
        assert {one.message for one in decoded.refused} <= set(range(count))

    def test_good_payloads_are_taken_whole(self) -> None:
        decoded = self.decode(*self.good)
        assert not decoded.refused
        assert decoded.wanted == [Wanted("gw/1", Topic("gw/1"))]

    def lane(self) -> tuple[Lane, int]:
        lane, _ = super().lane()
        lane.subjects.append(Config("device", "gw-1"))
        return lane, 0


def test_only_what_the_site_binds_is_asked_for() -> None:
    house = House()
    assert house.announce("t", **TEMPERATURE).wanted == [Wanted("gw/1", Topic("gw/1"))]
    stranger = house.announce("s", unique_id="stranger", state_topic="x/1", device_class="temperature", name="Hall")
    assert (stranger.wanted, reasons(stranger)) == ([], ["unbound"])
    assert [one.source for one in homeassistant.unbound(house.lane)] == ["homeassistant:stranger"]


def test_a_point_is_bound_by_its_own_id_too() -> None:
    assert House().announce("x", unique_id="p7", state_topic="x").wanted


def test_one_message_carries_the_values_of_many_entities() -> None:
    house = House()
    house.announce("t", **TEMPERATURE)
    house.announce("h", unique_id="u_hum", state_topic="gw/1", unit_of_measurement="%", device_class="humidity",
                   value_template="{{ value_json.h | round(1) }}")  # fmt: skip
    decoded = house.say("gw/1", {"t": 32, "h": 40.04})
    assert dict(zip(decoded.point.tolist(), decoded.value.tolist(), strict=True)) == pytest.approx({0: 0.0, 1: 40.0})
    part = house.say("gw/1", {"h": 41})
    assert (part.value.tolist(), part.refused) == ([41.0], []), "what is not in it is not missed"
    mixed = house.say("gw/1", {"t": "hot", "h": 42})
    assert (mixed.value.tolist(), reasons(mixed)) == ([42.0], ["malformed"])


@pytest.mark.parametrize(
    ("message", "payload", "expected"),
    [
        ({}, b"ON", 1.0),
        ({}, b"OFF", 0.0),
        ({}, b"on", 1.0),
        ({"payload_on": "open", "payload_off": "shut"}, b"shut", 0.0),
        ({"payload_on": True, "payload_off": False, "value_template": "{{ value_json.c }}"}, b'{"c": true}', 1.0),
        ({"payload_on": 1, "payload_off": 0, "value_template": "{{ value_json.c }}"}, b'{"c": 0}', 0.0),
        ({"value_template": "{{ 'ON' if value_json.w > 3 else 'OFF' }}"}, b'{"w": 4}', 1.0),
        ({}, b"ajar", "malformed"),
        ({}, b"None", "not_finite"),
    ],
)
def test_a_binary_sensor_is_one_or_nought(message: dict[str, Any], payload: bytes, expected: float | str) -> None:
    house = House()
    house.announce("d", "binary_sensor", unique_id="u_door", state_topic="gw/door", **message)
    decoded = house.say("gw/door", payload)
    assert (decoded.value.tolist() or reasons(decoded)) == [expected]


def test_a_unit_that_nobody_knows_gives_way_to_the_sites() -> None:
    house = House()
    house.announce("o", unique_id="u_odd", state_topic="gw/odd", unit_of_measurement="smoots")
    assert house.say("gw/odd", b"1.5").value.tolist() == [15.0]


def test_an_announcement_taken_back_is_let_go() -> None:
    house = House()
    house.announce("t", **TEMPERATURE, availability_topic="gw/lwt")
    again = house.announce("t", **TEMPERATURE | {"state_topic": "gw/2"})
    assert set(again.wanted) == {Wanted("gw/2", Topic("gw/2")), Wanted("gw/1", None), Wanted("gw/lwt", None)}
    assert house.say("gw/2", {"t": 32}).value.tolist() == pytest.approx([0.0])
    assert reasons(house.say("gw/1", {"t": 32})) == ["unbound"]
    gone = house.say("homeassistant/sensor/t/config", b"")
    assert (gone.wanted, gone.refused) == ([Wanted("gw/2", None)], [])
    assert house.say("homeassistant/sensor/t/config", b"").wanted == []
    assert homeassistant.unbound(house.lane) == []


def test_a_topic_that_others_read_is_kept() -> None:
    house = House()
    house.announce("t", **TEMPERATURE)
    house.announce("h", unique_id="u_hum", state_topic="gw/1", value_template="{{ value_json.h }}")
    assert house.say("homeassistant/sensor/t/config", b"").wanted == []
    assert house.say("gw/1", {"t": 1, "h": 5}).value.tolist() == [5.0]


def test_a_device_that_no_longer_has_a_component_lets_it_go() -> None:
    house = House()
    parts = {"t": {"p": "sensor"} | TEMPERATURE, "h": {"p": "sensor", "uniq_id": "u_hum", "stat_t": "gw/h"}}
    house.announce("gw", "device", cmps=parts)
    assert house.announce("gw", "device", cmps=parts | {"h": {"p": "sensor"}}).wanted == [
        Wanted("gw/1", Topic("gw/1")),
        Wanted("gw/h", None),
    ]


def test_the_first_to_use_a_unique_id_has_it() -> None:
    house = House()
    house.announce("t", **TEMPERATURE)
    thief = house.announce("thief", unique_id="u_temp", state_topic="evil")
    assert (thief.wanted, reasons(thief)) == ([], ["malformed"])
    assert house.say("gw/1", {"t": 32}).value.tolist() == pytest.approx([0.0])


def test_a_broken_announcement_leaves_what_was_announced() -> None:
    house = House()
    house.announce("t", **TEMPERATURE)
    assert reasons(house.say("homeassistant/sensor/t/config", b"{")) == ["malformed"]
    assert house.say("gw/1", {"t": 32}).value.tolist() == pytest.approx([0.0])


def test_availability_says_which_points_are_there() -> None:
    house = House()
    house.announce("t", **TEMPERATURE, availability_topic="gw/lwt")
    house.announce("h", unique_id="u_hum", state_topic="gw/h", availability_topic="gw/lwt")
    away = house.say("gw/lwt", b"offline")
    assert states(away) == [("a0", (0,), "offline"), ("a1", (1,), "offline")]
    event = away.events[0][1]
    assert isinstance(event, SourceState) and event.source == "homeassistant:gw/lwt"
    assert (event.time, event.received) == (RECEIVED, RECEIVED)
    assert [state for _, _, state in states(house.say("gw/lwt", b"online"))] == ["online", "online"]
    assert reasons(house.say("gw/lwt", b"perhaps")) == ["malformed"]
    assert reasons(house.say("gw/lwt", b"x" * 5000)) == ["oversized"]


def test_an_availability_that_is_not_understood_costs_no_readings() -> None:
    house = House()
    odd = [{"topic": "odd", "value_template": "{% if 1 %}online{% endif %}"}, {"topic": "gw/lwt"}]
    told = house.announce("t", **TEMPERATURE, availability=odd, availability_mode="all")
    assert reasons(told) == ["unsupported"]
    assert [one.topic for one in told.wanted] == ["gw/1", "gw/lwt"]
    assert house.say("gw/1", {"t": 32}).value.tolist() == pytest.approx([0.0])
    assert states(house.say("gw/lwt", b"online")) == [], "nobody knows what the other says"
    assert states(house.say("gw/lwt", b"offline")) == [("a0", (0,), "offline")]


def test_who_is_announced_late_learns_what_was_said_before() -> None:
    house = House()
    house.announce("t", **TEMPERATURE, availability_topic="gw/lwt")
    house.say("gw/lwt", b"offline")
    late = house.announce("h", unique_id="u_hum", state_topic="gw/h", availability_topic="gw/lwt")
    assert states(late) == [("a1", (1,), "offline")]
    again = house.announce("h", unique_id="u_hum", state_topic="gw/h", availability_topic="gw/lwt")
    assert states(again) == [], "the same announcement again says nothing new"


@pytest.mark.parametrize(
    ("mode", "said", "expected"),
    [
        (
            "latest",
            [("bridge", "online"), ("device", "offline"), ("bridge", "online")],
            ["online", "offline", "online"],
        ),
        ("all", [("bridge", "online"), ("device", "online"), ("bridge", "offline")], [None, "online", "offline"]),
        ("all", [("bridge", "offline"), ("device", "online")], ["offline", "offline"]),
        ("any", [("bridge", "offline"), ("device", "online"), ("device", "offline")], [None, "online", "offline"]),
    ],
)
def test_several_availability_topics(mode: str, said: list[tuple[str, str]], expected: list[str | None]) -> None:
    house = House()
    topics = [{"topic": "bridge", "value_template": "{{ value_json.state }}"}, {"topic": "device"}]
    house.announce("t", **TEMPERATURE, availability=topics, availability_mode=mode)
    found = []
    for topic, state in said:
        decoded = house.say(topic, {"state": state} if topic == "bridge" else state.encode())
        found.append(next((one for _, _, one in states(decoded)), None))
    assert found == expected


def test_another_version_of_the_site_takes_over_what_was_announced() -> None:
    house = House()
    house.announce("t", **TEMPERATURE, availability_topic="gw/lwt")
    house.announce("s", unique_id="stranger", state_topic="gw/s", availability_topic="gw/lwt")
    house.say("gw/lwt", b"offline")
    made = bound_site()
    points = [msgspec.structs.replace(point, sources=("homeassistant:stranger",)) for point in made.points[:1]]
    after = House()
    after.registry = Registry(msgspec.structs.replace(made, points=(*points, *made.points[1:])))
    after.lane = Lane("frame", CONFIG, after.registry)
    inherited = homeassistant.succeed(after.lane, house.lane)
    assert {one.topic for one in inherited.wanted} == {"gw/s", "gw/lwt"}
    assert [(one.points, one.state, one.source) for one in inherited.states] == [
        ((0,), "offline", "homeassistant:gw/lwt")
    ], "it is known to be gone before it says so again"
    assert [one.source for one in homeassistant.unbound(after.lane)] == ["homeassistant:u_temp"]
    assert after.say("gw/s", b"4").value.tolist() == [4.0]
    gone = after.say("homeassistant/sensor/s/config", b"")
    assert {one.topic for one in gone.wanted if one.subject is None} == {"gw/s", "gw/lwt"}


def test_another_version_of_the_site_says_nothing_of_what_was_bound_and_known_already() -> None:
    house = House()
    several = [{"topic": "gw/lwt"}, {"topic": "gw/door"}]
    house.announce("t", **TEMPERATURE, availability=several, availability_mode="all")
    house.announce("s", unique_id="stranger", state_topic="gw/s")
    house.say("gw/lwt", b"offline")
    after = House()
    assert homeassistant.succeed(after.lane, house.lane).states == []
    assert states(after.say("gw/lwt", b"offline")) == states(house.say("gw/lwt", b"offline")), "it is known still"
    swapped = House()
    made = bound_site()
    points = [
        msgspec.structs.replace(made.points[0], sources=()),
        msgspec.structs.replace(made.points[1], **SOURCES["p0"]),
    ]
    swapped.registry = Registry(msgspec.structs.replace(made, points=(*points, *made.points[2:])))
    swapped.lane = Lane("frame", CONFIG, swapped.registry)
    told = homeassistant.succeed(swapped.lane, after.lane).states
    assert [(one.points, one.state) for one in told] == [((1,), "offline")], "another point is bound to it now"


def test_entities_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announced, "MOST_ENTITIES", 3)
    house = House()
    for number in range(5):
        house.announce(f"s{number}", unique_id=f"s{number}", state_topic="x")
    assert len(homeassistant.unbound(house.lane)) == 3
    assert reasons(house.announce("t", **TEMPERATURE)) == ["oversized"]
    house.say("homeassistant/sensor/s0/config", b"")
    assert house.announce("t", **TEMPERATURE).wanted, "room is made by what is taken back"


def test_listeners_to_one_topic_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announced, "MOST_LISTENERS", 2)
    house = House()
    found = [reasons(house.announce(f"e{k}", unique_id=f"p{k}", state_topic="gw/all")) for k in range(5, 9)]
    assert found == [[], [], ["oversized"], ["oversized"]]
    assert len(house.say("gw/all", b"3").value) == 2


def test_illegal_discovery_topics_say_so() -> None:
    registry = Registry(site())
    assert isinstance(homeassistant.resolve("homeassistant/sensor/a b/config", CONFIG, registry), Refusal)
    for topic in ("homeassistant/status", "homeassistant/sensor/x/state", "x/homeassistant/sensor/a/config"):
        assert homeassistant.resolve(topic, CONFIG, registry) is None


MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "unique_id": st.sampled_from(["u_temp", "u_hum", "other", "", 3]),
        "state_topic": st.sampled_from(["gw/1", "gw/2", "~/x", "+", None]),
        "value_template": st.sampled_from(
            ["", "{{ value }}", "{{ value_json.t }}", "{{", "{{ value_json.t | float }}"]
        ),
        "availability_topic": st.sampled_from(["gw/1", "gw/lwt", ""]),
        "availability": st.sampled_from([{"topic": "gw/2"}, [{"topic": "gw/lwt"}, {}], "x"]),
        "availability_mode": st.sampled_from(["all", "any", "latest", "none"]),
        "unit_of_measurement": st.sampled_from(["°F", "%", "mm", "\x00", "m" * 40]),
        "~": st.sampled_from(["gw", 3]),
    },
)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["homeassistant/sensor/a/config", "homeassistant/binary_sensor/b/config"]), MESSAGES),
    st.tuples(
        st.just("homeassistant/device/d/config"),
        st.fixed_dictionaries(
            {"cmps": st.dictionaries(st.sampled_from("xyz"), MESSAGES.map(lambda m: m | {"p": "sensor"}))}
        ),
    ),
    st.tuples(st.sampled_from(["homeassistant/sensor/a/config", "homeassistant/device/d/config"]), st.just(b"")),
    st.tuples(
        st.sampled_from(["gw/1", "gw/2", "gw/lwt", "gw/x"]),
        st.sampled_from([b"online", b"offline", b"21", b'{"t": 3}', b"", b"\xff"]),
    ),
)


@shared
@given(st.lists(STEPS, max_size=12))
def test_what_is_asked_for_is_what_bound_entities_name(steps: list[tuple[str, Any]]) -> None:
    house = House()
    wanted: set[str] = set()
    for topic, body in steps:
        for one in house.say(topic, body).wanted:
            if one.subject is None:
                wanted.discard(one.topic)
            else:
                wanted.add(one.topic)
        book = house.lane.cache["book"]
        assert wanted == {*book.readers, *book.watchers}
        assert all(book.readers.values()) and all(book.watchers.values())
        assert {bound.entity.topic for bound in book.bound.values()} == set(book.readers)
        assert set(book.bound) <= set(book.entities)
        assert set(book.entities) == {name for names in book.owned.values() for name in names}
        assert book.size == sum(len(msgspec.msgpack.encode(one)) for one in book.entities.values())


def crowd(units: list[str], start: int = 0) -> dict[str, Any]:
    """Tell of a device with so many sensors, each in a unit of its own."""
    return {
        f"c{k}": {"platform": "sensor", "unique_id": f"crowd_{k}", "state_topic": f"gw/{k}", "unit_of_measurement": one}
        for k, one in enumerate(units, start)
    }


def crowded(count: int) -> House:
    """Bind points in millimetres to the sensors of a crowd."""
    house, made = House(), bound_site()
    first = msgspec.structs.replace(made.points[0], unit="mm", source_unit="")
    many = tuple(
        msgspec.structs.replace(first, id=f"q{k}", index=100 + k, sources=(f"homeassistant:crowd_{k}",))
        for k in range(count)
    )
    house.registry = Registry(msgspec.structs.replace(made, points=made.points + many))
    house.lane = Lane("frame", CONFIG, house.registry)
    return house


def test_an_announcement_may_ask_for_so_many_units_only_and_again_for_those_it_asked_for() -> None:
    house = crowded(200)
    units = [f"nonsense{chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(200)]
    body = {"device": {"identifiers": ["crowd"]}, "origin": {"name": "x"}, "components": crowd(units)}
    for turn in range(10):
        decoded = house.say("homeassistant/device/crowd/config", {**body, "turn": turn})
        assert reasons(decoded) == ["wrong_unit"] * 200
    assert len(ClaimedUnits.of(house.lane)) <= MOST_TOGETHER


def test_units_one_too_many_in_an_announcement_are_looked_up_with_the_next_messages() -> None:
    house = crowded(MOST_NEW + 2)
    units = [f"nonsense{chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(MOST_NEW)]
    body = {"device": {"identifiers": ["crowd"]}, "origin": {"name": "x"}, "components": crowd([*units, "yd", "cm"])}
    first = house.say("homeassistant/device/crowd/config", body)
    assert [one.detail.endswith(TOO_MANY) for one in first.refused] == [False] * MOST_NEW + [True]
    assert house.say(f"gw/{MOST_NEW + 1}", b"2").value.tolist() == [20.0]
    assert list(dict.fromkeys(wanted.topic for wanted in house.wanted)) == [f"gw/{MOST_NEW + 1}", f"gw/{MOST_NEW}"]
    assert house.say(f"gw/{MOST_NEW}", b"2").value.tolist() == pytest.approx([1828.8])


def test_a_unit_with_a_logarithm_is_refused_and_its_neighbours_are_not() -> None:
    house = crowded(2)
    body = {"device": {"identifiers": ["crowd"]}, "origin": {"name": "x"}, "components": crowd(["dB/km", "cm"])}
    assert reasons(house.say("homeassistant/device/crowd/config", body)) == ["wrong_unit"]
    assert house.say("gw/1", b"2").value.tolist() == [20.0]
