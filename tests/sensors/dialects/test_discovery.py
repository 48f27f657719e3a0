"""Discovery messages: what a device says of its own sensors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sensors.dialects.discovery import (
    MOST_COMPONENTS,
    Availability,
    DiscoveryError,
    Entity,
    entities,
    propose,
    units,
)


def read(message: Any, component: str = "sensor", place: str = "slope/tilt") -> list[Entity]:
    found, faults = entities(component, place, json.dumps(message).encode())
    assert not faults
    return found


def test_an_entity_tells_where_it_publishes_and_how_it_is_read() -> None:
    (entity,) = read(
        {
            "name": "Tilt",
            "unique_id": "ab12_tilt",
            "state_topic": "gw/ab12/state",
            "value_template": "{{ value_json.tilt }}",
            "unit_of_measurement": "°",
            "device_class": None,
            "state_class": "measurement",
            "device": {"identifiers": ["ab12"], "name": "Slope"},
            "availability_topic": "gw/ab12/lwt",
            "payload_available": "up",
        }
    )
    assert entity == Entity(
        name="ab12_tilt",
        component="sensor",
        topic="gw/ab12/state",
        template="{{ value_json.tilt }}",
        unit="°",
        title="Slope Tilt",
        availability=(Availability("gw/ab12/lwt", "up", "offline"),),
    )


def test_abbreviated_keys_and_the_base_topic_mean_the_same() -> None:
    (entity,) = read(
        {
            "~": "gw/ab12",
            "uniq_id": "u",
            "stat_t": "~/state",
            "val_tpl": "{{ value }}",
            "pl_on": True,
            "pl_off": 0,
            "dev_cla": "motion",
            "dev": {"ids": "ab12", "name": "Gate"},
            "avty_mode": "all",
            "avty": [
                {"t": "~/lwt", "pl_avail": "1", "pl_not_avail": "0"},
                {"topic": "bridge/~", "val_tpl": "{{ value }}"},
            ],
        },
        "binary_sensor",
    )
    assert (entity.topic, entity.on, entity.off, entity.device_class) == ("gw/ab12/state", "True", "0", "motion")
    assert entity.mode == "all"
    assert entity.availability == (
        Availability("gw/ab12/lwt", "1", "0"),
        Availability("bridge/gw/ab12", template="{{ value }}"),
    )


def test_an_entity_without_an_id_is_named_by_its_place() -> None:
    assert read({"stat_t": "a"})[0].name == "slope/tilt"


def test_a_device_tells_of_all_its_components_at_once() -> None:
    found = read(
        {
            "dev": {"ids": "ab12", "name": "Station"},
            "o": {"name": "gateway"},
            "state_topic": "gw/ab12/state",
            "availability_topic": "gw/lwt",
            "cmps": {
                "t": {"p": "sensor", "unique_id": "ab12_t", "value_template": "{{ value_json.t }}"},
                "h": {"p": "sensor", "uniq_id": "ab12_h", "stat_t": "gw/ab12/h", "avty": {"t": "gw/h/lwt"}},
                "light": {"p": "light", "unique_id": "ab12_l", "command_topic": "gw/ab12/set"},
                "gone": {"p": "sensor"},
            },
        },
        "device",
    )
    assert [(one.name, one.topic, one.availability[0].topic) for one in found] == [
        ("ab12_t", "gw/ab12/state", "gw/lwt"),
        ("ab12_h", "gw/ab12/h", "gw/h/lwt"),
    ]


def test_a_faulty_component_leaves_the_others_alone() -> None:
    message = {"cmps": {"a": {"p": "sensor", "stat_t": 3}, "b": {"p": "sensor", "stat_t": "ok"}, "c": 4}}
    found, faults = entities("device", "d", json.dumps(message).encode())
    assert [one.topic for one in found] == ["ok"]
    assert len(faults) == 1 and faults[0].startswith("d/a:")


def test_what_we_announced_ourselves_and_what_has_no_value_is_left() -> None:
    assert read({"o": {"name": "Foreshock"}, "stat_t": "a"}) == []
    assert read({"state_topic": "a"}, "light") == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"stat_t": ""},
        {"stat_t": "a/+/b"},
        {"stat_t": "a/#"},
        {"stat_t": "$SYS/x"},
        {"stat_t": "a\0b"},
        {"stat_t": "x" * 513},
        {"stat_t": "~/s", "~": "x" * 512},
        {"stat_t": "a", "unique_id": "x" * 257},
        {"stat_t": "a", "unique_id": 7},
        {"stat_t": "a", "val_tpl": "x" * 1025},
        {"stat_t": "a", "avty": [{"t": "b"}] * 9},
        {"stat_t": "a", "avty": [{"t": "#"}]},
        {"stat_t": "a", "avty": "b"},
        {"stat_t": "a", "avty_mode": "some"},
        {"stat_t": "a", "pl_on": {}},
    ],
)
def test_what_is_out_of_bounds_is_a_fault(message: Any) -> None:
    found, faults = entities("sensor", "x", json.dumps(message).encode())
    assert not found and len(faults) == 1


@pytest.mark.parametrize(
    "payload",
    [
        b"online",
        b"[]",
        b"\xff",
        b"[" * 5000,
        json.dumps({"cmps": {str(k): {"p": "sensor"} for k in range(MOST_COMPONENTS + 1)}}).encode(),
        json.dumps({"dev": {}}).encode(),
    ],
)
def test_what_is_no_message_at_all_is_refused(payload: bytes) -> None:
    with pytest.raises(DiscoveryError):
        entities("device", "x", payload)


def entity(**changes: Any) -> Entity:
    return Entity(**{"name": "u", "component": "sensor", "topic": "t", **changes})


@pytest.mark.parametrize(
    ("unit", "device_class", "expected"),
    [
        ("", "", ()),
        ("°C", "temperature", ("°C",)),
        ("°F", "temperature", ("degF",)),
        ("%", "humidity", ("%RH", "%")),
        ("%", "moisture", ("%",)),
        ("µg/m³", "pm25", ("µg/m^3",)),
        ("μg/m³", "pm25", ("µg/m^3",)),
        ("m³/h", "volume_flow_rate", ("m^3/h",)),
        ("W/m²", "irradiance", ("W/m^2",)),
    ],
)
def test_units_are_written_as_a_site_writes_them(unit: str, device_class: str, expected: tuple[str, ...]) -> None:
    assert units(entity(unit=unit, device_class=device_class)) == expected


def test_a_point_is_proposed_by_class_and_unit() -> None:
    assert propose(entity(unit="°C", device_class="temperature", title="Hall")) == (
        "homeassistant:u", "Hall", "temperature", "°C", "gauge",
    )  # fmt: skip
    assert propose(entity(unit="mm/h", device_class="precipitation_intensity"))[2:] == ("rain", "mm/h", "gauge")
    assert propose(entity(component="binary_sensor", device_class="smoke"))[2:] == ("smoke", "1", "switch")
