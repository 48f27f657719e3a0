"""The SenML dialect: packs of RFC 8428 in JSON and CBOR. Tests named after a section use that section's examples."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import cbor2
import msgspec
import numpy as np
import pytest

from sensors import measure
from sensors.dialects import senml
from sensors.dialects.dialect import Decoded, Lane, Route
from sensors.dialects.senml_pack import MAX_CBOR, MAX_RECORDS
from sensors.dialects.senml_units import UNITS
from sensors.lookup import Registry
from sensors.observation import SIMULATED
from sensors.site import Point, SenML, Site
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site

LABELS = {
    "bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6,
    "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip

OW = "urn:dev:ow:10e2073a01080063"
SENT: dict[str, tuple[str, str]] = {
    OW: ("%RH", "gauge"),
    f"{OW}:temp": ("°C", "gauge"),
    f"{OW}:voltage": ("V", "gauge"),
    f"{OW}:current": ("mA", "gauge"),
    f"{OW}:open": ("1", "switch"),
    f"{OW}:heat": ("1", "switch"),
    f"{OW}:fan": ("1", "switch"),
    "2001:db8::2/temperature": ("K", "gauge"),
    "2001:db8::2/humidity": ("%RH", "gauge"),
    "2001:db8::1/temperature": ("°C", "gauge"),
    "2001:db8::1/humidity": ("%RH", "gauge"),
    "meter": ("m^3", "counter"),
}
"""SenML names, and the unit and kind of their points: p0, p1, …"""


def known() -> Registry:
    """Make a registry whose first points are known by the names of the examples."""
    made: Site = site()
    points: list[Point] = list(made.points)
    for k, (name, (unit, kind)) in enumerate(SENT.items()):
        points[k] = msgspec.structs.replace(points[k], sources=(f"senml:{name}",), unit=unit, kind=kind)  # type: ignore[arg-type]
    return Registry(msgspec.structs.replace(made, points=tuple(points)))


def cbor(*records: dict[str, Any]) -> bytes:
    return cbor2.dumps([{LABELS.get(label, label): value for label, value in record.items()} for record in records])


def text(*records: dict[str, Any]) -> bytes:
    return json.dumps(list(records)).encode()


class SenMLSuite(DialectSuite):
    dialect = senml
    config = SenML(topic="senml/#")
    topic = "senml/x"

    def registry(self) -> Registry:
        return known()


class TestSenMLInJson(SenMLSuite):
    good = (
        text({"n": "p12", "v": 21.5}),
        text({"bn": "p1", "bt": 1763900000, "n": "3", "v": 4}, {"n": "4", "v": 5, "t": 1, "ut": 60}),
        b'[{"bn":"urn:dev:ow:10e2073a01080063:","n":"open","vb":true, "extra": {"deep": [1]}}]',
        b' [{"bn":"p12"},\n{"v":1e3}]',
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"[": "malformed",
        b"[]": "malformed",
        b"{}": "malformed",
        b"21.5": "malformed",
        b"[1]": "malformed",
        b"[{}]": "malformed",
        b'[{"bn":"p12"}]': "malformed",
        b'[{"n":"p12"}]': "malformed",
        b'[{"v":1}]': "malformed",
        b'[{"n":"p12","v":null}]': "malformed",
        b'[{"n":"p12","v":"1"}]': "malformed",
        b'[{"n":"p12","v":true}]': "malformed",
        b'[{"n":"p12","vb":1}]': "malformed",
        b'[{"n":12,"v":1}]': "malformed",
        b'[{"n":"p12","v":1}]]': "malformed",
        b'[{"n":"p12","v":1,"vb":true}]': "malformed",
        b'[{"n":"p12","vs":"a","vd":"aGk"}]': "malformed",
        b'[{"n":"p12","v":1,"must_":1}]': "malformed",
        b'[{"n":"p12","v":1,"must\\u005f":1}]': "malformed",
        b'[{"n":"p12","v":1,"bver":11}]': "malformed",
        b'[{"n":"p12","v":1,"bve\\u0072":11}]': "malformed",
        b'[{"n":"p12","v":1,"bver":0}]': "malformed",
        b'[{"n":"p12","v":1,"bver":9},{"n":"p12","v":1,"bver":10}]': "malformed",
        b'[{"n":"_p12","v":1}]': "malformed",
        b'[{"n":"p 12","v":1}]': "malformed",
        '[{"n":"p12\u0661","v":1}]'.encode(): "malformed",
        b'[{"n":"p12\\n","v":1}]': "malformed",
        text({"n": "p" * 501, "v": 1}): "malformed",
        b"[" * 5000: "malformed",
        b'[{"n":"nobody","v":1}]': "unknown_point",
        b'[{"n":"p12","vs":"warm"}]': "not_a_reading",
        b'[{"n":"p12","vd":"aGkgCg"}]': "not_a_reading",
        b'[{"n":"p12","s":5}]': "not_a_reading",
        b'[{"n":"p12","u":"Cel","v":1}]': "wrong_unit",
        b'[{"n":"p12","u":"furlong","v":1}]': "wrong_unit",
        b'[{"n":"meter","u":"Cel","s":1}]': "wrong_unit",
        b'[{"n":"p12","v":NaN}]': "not_finite",
        b'[{"n":"p12","v":1e999}]': "not_finite",
        b'[{"n":"p12","v":1,"bt":1e308,"t":1e308}]': "not_finite",
        text(*[{"n": "p12", "v": 1}] * (MAX_RECORDS + 1)): "oversized",
    }

    def test_names_and_times_are_put_together(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.message.tolist() == [0, 1, 1, 2, 3]
        assert decoded.point.tolist() == [12, 13, 14, 4, 12]
        assert decoded.value.tolist() == [21.5, 4.0, 5.0, 1.0, 1000.0]
        assert decoded.time[1:3].tolist() == [1763900000.0, 1763900001.0]
        assert np.isnan(decoded.time[[0, 3, 4]]).all() and decoded.relative == []


class TestSenMLInCbor(SenMLSuite):
    config = SenML(topic="senml/{device}/up", format="cbor", base="p", simulated=True)
    topic = "senml/1/up"
    good = (
        cbor({"n": "12", "v": 21.5}),
        cbor({"bn": "p1", "bt": 1763900000, "n": "3", "v": 4}, {"n": "4", "v": 5, "t": 1.5, "ut": 60}),
        cbor({"bn": f"{OW}:", "n": "open", "vb": True, "extra": 1}),
        b"\xd9\xd9\xf7" + cbor({"n": "12", "v": -3}),
        bytes.fromhex("9fbf0062313202c48221196ab3ffff"),  # lists without a length; 273.15 as a decimal fraction
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"\xff": "malformed",
        b"\x81": "malformed",
        b"\x80": "malformed",
        b"\xa0": "malformed",
        b"\x81\x01": "malformed",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff": "malformed",
        b"\x81" * 5000: "malformed",
        b'[{"n":"12","v":1}]': "malformed",
        cbor({"n": "12", "v": 1}) + b"\x00": "malformed",
        cbor({"n": "12", "v": "1"}): "malformed",
        cbor({"n": "12", "v": True}): "malformed",
        cbor({"n": "12", "v": None}): "malformed",
        cbor({"n": "12", "v": 1, "must_": 1}): "malformed",
        cbor({"n": "12", "v": 1, "bver": 11}): "malformed",
        cbor2.dumps([{"n": "12", "v": 1}]): "malformed",
        cbor2.dumps([{False: "12", 2: 1}]): "malformed",
        cbor2.dumps([{0.0: "12", 2: 1}]): "malformed",
        cbor2.dumps([{0: "12", 2: 1, (1, 2): 3}]): "malformed",
        bytes.fromhex("81a30062313202010202"): "malformed",  # v twice
        bytes.fromhex("81a20062313202c249ffffffffffffffffff"): "malformed",  # a bignum
        bytes.fromhex("81a20062313202d82363612b62"): "malformed",  # a regular expression
        bytes.fromhex("81a20062313202c5821a7fffffff01"): "malformed",  # a bigfloat of 2**(2**31)
        cbor({"n": "12", "vd": "text"}): "malformed",
        cbor({"n": "12", "vd": b"data"}): "not_a_reading",
        cbor({"n": "12", "v": 1, "t": math.nan}): "not_finite",
        cbor({"n": "12", "v": 1, "bt": math.inf}): "not_finite",
        cbor(*[{"v": 1}] * (MAX_RECORDS + 1)): "oversized",
        cbor({"n": "12", "vs": "x" * MAX_CBOR}): "oversized",
    }

    def test_names_begin_with_the_base_of_the_topic_until_a_pack_says_otherwise(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.point.tolist() == [12, 13, 14, 4, 12, 12]
        assert decoded.value.tolist() == [21.5, 4.0, 5.0, 1.0, -3.0, 273.15]
        assert decoded.time[1:3].tolist() == [1763900000.0, 1763900001.5]
        assert set(decoded.quality.tolist()) == {SIMULATED}


def decoded(*records: dict[str, Any], config: SenML | None = None, base: str = "") -> Decoded:
    """Decode one pack as JSON and as CBOR, which must say the same."""
    lane = Lane("frame", config or SenML(topic="senml/#"), known(), [base])
    one = senml.decode(lane, np.array([0]), [text(*records)], RECEIVED)
    data = [{label: b"" if label == "vd" else value for label, value in record.items()} for record in records]
    other = senml.decode(lane, np.array([0]), [cbor(*data)], RECEIVED)
    for name in ("point", "time", "value", "quality"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.refused, one.relative) == (other.refused, other.relative)
    return one


def said(found: Decoded) -> dict[str, list[float]]:
    """List what was decoded: values by SenML name."""
    names = list(SENT)
    heard: dict[str, list[float]] = {}
    for point, value in zip(found.point.tolist(), found.value.tolist(), strict=True):
        heard.setdefault(names[point], []).append(round(value, 9))
    return heard


# RFC 8428's examples


def test_5_1_1_a_single_datapoint() -> None:
    found = decoded({"n": f"{OW}:temp", "u": "Cel", "v": 23.1})
    assert said(found) == {f"{OW}:temp": [23.1]} and math.isnan(found.time[0])


def test_5_1_2_several_datapoints_of_now() -> None:
    found = decoded({"bn": f"{OW}:", "n": "voltage", "u": "V", "v": 120.1}, {"n": "current", "u": "A", "v": 1.2})
    assert said(found) == {f"{OW}:voltage": [120.1], f"{OW}:current": [1200.0]}
    assert np.isnan(found.time).all()


def test_5_1_2_current_of_each_of_five_seconds() -> None:
    first = {"bn": f"{OW}:", "bt": 1.276020076001e09, "bu": "A", "bver": 5, "n": "voltage", "u": "V", "v": 120.1}
    rest = [{"n": "current", "t": t, "v": v} for t, v in ((-5, 1.2), (-4, 1.3), (-3, 1.4), (-2, 1.5), (-1, 1.6))]
    found = decoded(first, *rest, {"n": "current", "v": 1.7})
    assert said(found) == {f"{OW}:voltage": [120.1], f"{OW}:current": [1200.0, 1300.0, 1400.0, 1500.0, 1600.0, 1700.0]}
    np.testing.assert_allclose(found.time - 1.276020076001e09, [-5, -4, -3, -2, -1, 0, 0], atol=1e-6)


def test_5_1_3_several_measurements_and_5_1_4_resolved() -> None:
    packed = [
        {"bn": OW, "bt": 1.320067464e09, "bu": "%RH", "v": 20},
        {"u": "lon", "v": 24.30621},
        {"u": "lat", "v": 60.07965},
        {"t": 60, "v": 20.3},
        {"t": 120, "v": 20.7},
        {"u": "%EL", "t": 150, "v": 98},
        {"t": 180, "v": 21.2},
    ]
    found = decoded(*packed)
    assert said(found) == {OW: [20.0, 20.3, 20.7, 21.2]}
    assert (found.time - 1.320067464e09).tolist() == [0.0, 60.0, 120.0, 180.0]
    assert [(one.reason, one.readings) for one in found.refused] == [("wrong_unit", 3)], "a place is no humidity"
    resolved = [{"n": OW, "u": "%RH", "t": t + 1.320067464e09, "v": v} for t, v in ((0, 20), (60, 20.3), (120, 20.7))]
    again = decoded(*resolved)
    assert again.value.tolist() == found.value.tolist()[:3] and again.time.tolist() == found.time.tolist()[:3]


def test_5_1_5_several_types_of_data() -> None:
    found = decoded(
        {"bn": f"{OW}:", "n": "temp", "u": "Cel", "v": 23.1},
        {"n": "label", "vs": "Machine Room"},
        {"n": "open", "vb": False},
        {"n": "nfc-reader", "vd": "aGkgCg"},
    )
    assert said(found) == {f"{OW}:temp": [23.1], f"{OW}:open": [0.0]}
    assert [(one.reason, one.readings) for one in found.refused] == [("not_a_reading", 2)]


def test_5_1_6_a_collection_of_resources() -> None:
    found = decoded(
        {"bn": "2001:db8::2/", "bt": 1.320078429e09, "n": "temperature", "u": "Cel", "v": 25.2},
        {"n": "humidity", "u": "%RH", "v": 30},
        {"bn": "2001:db8::1/", "n": "temperature", "u": "Cel", "v": 12.3},
        {"n": "humidity", "u": "%RH", "v": 67},
    )
    assert said(found) == {
        "2001:db8::2/temperature": [298.35],
        "2001:db8::2/humidity": [30.0],
        "2001:db8::1/temperature": [12.3],
        "2001:db8::1/humidity": [67.0],
    }
    assert set(found.time.tolist()) == {1.320078429e09}, "the base time of the first record goes on"


def test_5_1_7_a_first_record_of_nothing_but_a_base() -> None:
    found = decoded(
        {"bn": f"{OW}:"}, {"n": "temp", "u": "Cel", "v": 23.1}, {"n": "heat", "u": "/", "v": 1}, {"n": "fan", "v": 0}
    )
    assert said(found) == {f"{OW}:temp": [23.1], f"{OW}:heat": [1.0], f"{OW}:fan": [0.0]}
    assert not found.refused


# Base values, sums, times, units


def test_base_values_are_added_and_stand_for_values_that_are_left_out() -> None:
    found = decoded(
        {"bv": 20, "n": "p12", "v": 1.5},
        {"n": "p13"},
        {"bv": 1, "n": "p14", "v": 0},
        {"n": "p15", "vb": True},
    )
    assert found.value.tolist() == [21.5, 20.0, 1.0, 1.0]


def test_a_sum_is_the_value_of_a_counter_in_the_unit_times_seconds() -> None:
    found = decoded(
        {"bs": 1000, "u": "l/s", "n": "meter", "v": 3, "s": 500}, {"n": "meter", "u": "m3/s", "t": 1, "s": -999}
    )
    assert said(found) == {"meter": [1.5, 1.0]}
    assert said(decoded({"n": "meter", "u": "l", "v": 2000})) == {"meter": [2.0]}, "without a sum the value is meant"
    assert decoded({"n": "p12", "v": 3, "s": 500}).value.tolist() == [3.0], "what is no counter has no use for sums"


def test_times_below_2_28_count_from_arrival() -> None:
    found = decoded({"n": "p12", "v": 1, "t": 10}, {"n": "p12", "v": 2, "t": -5}, {"n": "p13", "v": 3})
    assert found.value.tolist() == [2.0, 3.0, 1.0], "in order of time"
    np.testing.assert_array_equal(found.time, [RECEIVED - 5, np.nan, RECEIVED + 10])
    assert found.relative == [0]
    assert decoded({"n": "p12", "v": 1, "t": 2**28}).time.tolist() == [2.0**28]
    assert decoded({"n": "p12", "v": 1, "t": 2**28 - 1}).time.tolist() == [RECEIVED + 2**28 - 1]


def test_a_unit_of_the_record_goes_before_the_base_unit() -> None:
    found = decoded({"bu": "m", "n": "p12", "v": 1}, {"n": "p13", "u": "cm", "v": 1}, {"n": "p14", "u": "", "v": 1})
    np.testing.assert_allclose(found.value, [1000.0, 10.0, 1000.0])


def test_one_bad_record_does_not_cost_the_others() -> None:
    found = decoded({"n": "p12", "v": 1}, {"n": "nobody", "v": 2}, {"n": "none", "v": 3}, {"n": "p13", "vs": "x"})
    assert found.value.tolist() == [1.0]
    assert [(one.reason, one.readings) for one in found.refused] == [("not_a_reading", 1), ("unknown_point", 2)]


def test_every_registered_unit_is_one_of_ours() -> None:
    for unit in UNITS.values():
        assert measure.is_unit(unit)
    for sent, value, ours, expected in (
        ("Cel", 20.0, "K", 293.15),
        ("m3/s", 1.0, "m^3/h", 3600.0),
        ("/", 0.25, "%", 25.0),
        ("/1000", 5.0, "%", 0.5),
        ("ug/m3", 5.0, "mg/m^3", 0.005),
        ("deg", 180.0, "mrad", math.pi * 1000),
        ("hPa", 1.0, "kPa", 0.1),
    ):
        assert measure.convert_value(value, UNITS[sent], ours) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[" + b",".join([b"{}"] * 300_000) + b"]", "oversized"),
        (b'[{"bn":"' + b"a" * 900_000 + b'"},' + b",".join([b'{"n":"b","v":1}'] * 4990) + b"]", "malformed"),
        (b'[{"n":"\\n","v":1,"x":[' + b",".join([b"[]"] * 300_000) + b"]}]", "malformed"),
        (text(*[{"n": "p12", "u": f"x{k}", "v": 1} for k in range(MAX_RECORDS)]), "wrong_unit"),
        (text(*[{"n": "meter", "u": "Cel", "s": 1}] * MAX_RECORDS), "wrong_unit"),
        (
            b"[" + b",".join([b'{"v":0.99999999999999999e-300,"s":0.99999999999999999E-0300}'] * 4990) + b"]",
            "oversized",
        ),
    ],
)
def test_what_is_made_to_be_slow_is_refused_in_time(payload: bytes, reason: str) -> None:
    lane = Lane("frame", SenML(topic="senml/#"), known(), [""])
    measure.registry()  # pint's import is not the payload's doing
    best = math.inf
    for _ in range(5):
        begun = time.thread_time()
        found = senml.decode(lane, np.array([0]), [payload], RECEIVED)
        best = min(best, time.thread_time() - begun)
    assert {one.reason for one in found.refused} == {reason} and not len(found)
    assert best < 0.05


def test_what_names_mean_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senml, "_MAX_BOUND", 10)
    lane = Lane("frame", SenML(topic="senml/#"), known(), [""])
    for unit in ("", "m", "cm", "mm", "km", "V", "A", "K"):
        for k in range(12, 20):
            senml.decode(lane, np.array([0]), [text({"n": f"p{k}", "u": unit, "v": 1})], RECEIVED)
            senml.decode(lane, np.array([0]), [text({"n": f"nobody{k}", "u": unit, "v": 1})], RECEIVED)
    assert len(lane.cache) <= 80


def test_topics_of_one_device_share_its_base() -> None:
    config = SenML(topic="senml/{device}/#", base="urn:{device}:")
    assert senml.topics(config) == ("senml/+/#",)
    for topic in ("senml/7", "senml/7/up"):
        assert senml.resolve(topic, config, known()) == Route("frame", subject="urn:7:")
    assert senml.resolve("senml", config, known()) is None
    assert senml.resolve("$SYS/x", SenML(topic="{device}/x"), known()) is None
