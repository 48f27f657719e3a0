"""The native dialect: single readings and frames."""

from __future__ import annotations

import json
import math
import time

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import measure
from sensors.claimed_units import MOST_NEW, REMEMBERED, ClaimedUnits
from sensors.dialects import native
from sensors.dialects.dialect import Lane, Refusal, Route
from sensors.lookup import Registry
from sensors.observation import BAD, HISTORICAL, SIMULATED, UNCERTAIN
from sensors.site import Point
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site

PRODUCT = ("mm", "kg", "s", "A", "K")


def warm(points: tuple[Point, ...]) -> tuple[Point, ...]:
    return (msgspec.structs.replace(points[0], quantity="temperature", unit="°C"), *points[1:])


class TestNativeReadings(DialectSuite):
    dialect = native
    config = "foreshock"
    topic = "foreshock/readings/a0/p0"
    good = (
        b"21.5",
        b'{"value": 1, "time": 1763900000.5}',
        b"-3e2",
        b" 7 ",
        b"true",
        b'{"value": 2.5, "time": "2025-11-23T12:13:20Z", "quality": "simulated", "unit": "mm"}',
        b'{"value": 3,\n "quality": ["bad", "uncertain"]}',
        b"+5",
        b"007.5",
        b"null",
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"1 2": "malformed",
        b"\n": "malformed",
        b"abc": "malformed",
        b'"12"': "malformed",
        b"[1]": "malformed",
        b"{}": "malformed",
        b'{"value": "high"}': "malformed",
        b'{"value": 1} {"value": 2}': "malformed",
        b'{"value": 1,': "malformed",
        b'"time": 2}': "malformed",
        b'{"value": 1, "time": "yesterday"}': "malformed",
        b'{"value": 1, "time": "2025-13-01T00:00:00Z"}': "malformed",
        b'{"value": 1, "quality": "splendid"}': "malformed",
        b'{"value": 1, "quality": 16}': "malformed",
        b"\xff\xfe": "malformed",
        b"[" * 3000: "malformed",
        b"NaN": "not_finite",
        b"-inf": "not_finite",
        b"1e999": "not_finite",
        b'{"value": NaN}': "not_finite",
        b'{"value": -Infinity, "time": 1}': "not_finite",
    }

    def test_columns_hold_what_the_payloads_say(self) -> None:
        decoded = self.decode(*self.good)
        values = decoded.value.tolist()
        assert values[:9] == [21.5, 1.0, -300.0, 7.0, 1.0, 2.5, 3.0, 5.0, 7.5]
        assert math.isnan(values[9]), "null is left for the check of finite values"
        assert decoded.time[[1, 5]].tolist() == [1763900000.5, 1763900000.0]
        assert np.isnan(decoded.time[[0, 2, 3, 4, 6, 7, 8]]).all()
        assert decoded.quality.tolist() == [0, 0, 0, 0, 0, SIMULATED, BAD | UNCERTAIN, 0, 0, 0]

    @pytest.mark.parametrize(
        ("time", "expected"),
        [
            (1763900000, 1763900000.0),
            (1763900000.25, 1763900000.25),
            (1763900000250, 1763900000.25),
            ("2025-11-23T12:13:20.25Z", 1763900000.25),
            ("2025-11-23T20:13:20.25+08:00", 1763900000.25),
            ("9999-01-01T00:00:00Z", 253370764800.0),  # far off, but not milliseconds
            ("2025-11-23 20:13:20.25", 1763900000.25),  # without an offset: local time of the site, Asia/Shanghai
        ],
    )
    def test_times_are_seconds_milliseconds_or_iso(self, time: object, expected: float) -> None:
        decoded = self.decode(json.dumps({"value": 1, "time": time}).encode())
        assert decoded.time.tolist() == [expected]

    def test_hostile_payloads_cannot_shift_readings_to_other_points(self) -> None:
        # A line decoder would read these five payloads as five values, two of them at the wrong point.
        decoded = self.decode(b"", b"1", b"2 3", b'{"value":4,', b'"time":5}')
        assert decoded.message.tolist() == [1]
        assert decoded.value.tolist() == [1.0]

    def test_a_value_in_another_unit_is_converted_and_its_neighbours_are_not(self) -> None:
        decoded = self.decode(
            b"1", b'{"value": 1, "unit": "cm"}', b'{"value": 1, "time": 5}', b'{"value": 2, "unit": "m"}'
        )
        assert decoded.value.tolist() == pytest.approx([1.0, 10.0, 1.0, 2000.0])
        assert not decoded.refused
        plain = self.decode(b'{"value": 1, "unit": "mm"}', b'{"value": 2, "unit": ""}', b'{"value": 3, "unit": null}')
        assert plain.value.tolist() == [1.0, 2.0, 3.0]

    def test_degrees_of_another_scale_are_converted_with_their_offset(self) -> None:
        registry = Registry(msgspec.structs.replace(site(), points=warm(site().points)))
        lane = Lane("reading", "foreshock", registry)
        payloads = [b'{"value": 212, "unit": "degF"}', b'{"value": 273.15, "unit": "K"}']
        decoded = native.decode(lane, np.array([0, 0]), payloads, RECEIVED)
        assert decoded.value.tolist() == pytest.approx([100.0, 0.0], abs=1e-9)

    @pytest.mark.parametrize("unit", ["degF", "blorps", "__import__('os')", "x" * 5000, "mm^mm", "毫米"])
    def test_a_unit_of_another_kind_or_of_none_is_refused(self, unit: str) -> None:
        bad = json.dumps({"value": 1, "unit": unit}).encode()
        decoded = self.decode(b"1", bad, b'{"value": 2, "other": 1}')
        assert [(one.message, one.reason) for one in decoded.refused] == [(1, "wrong_unit")]
        assert "p0" in decoded.refused[0].detail and len(decoded.refused[0].detail) < 300
        assert decoded.value.tolist() == [1.0, 2.0]
        assert [one.reason for one in self.decode(b'{"value": 1, "unit": 5}').refused] == ["malformed"]

    def test_units_without_end_are_not_kept_without_end(self) -> None:
        lane, point = self.lane()
        payloads = [json.dumps({"value": 1, "unit": f"x{k:05}"}).encode() for k in range(5000)]
        decoded = native.decode(lane, np.full(len(payloads), point), payloads, RECEIVED)
        assert len(decoded.refused) == 5000
        assert len(ClaimedUnits.of(lane)) <= REMEMBERED
        for start in range(0, 5000, 50):
            native.decode(lane, np.full(50, point), payloads[start : start + 50], RECEIVED + start)
        assert 0 < len(ClaimedUnits.of(lane)) <= REMEMBERED

    def test_a_source_of_nonsense_keeps_no_other_point_from_its_unit(self) -> None:
        lane, point = self.lane()
        payloads = [json.dumps({"value": 1, "unit": f"x{k:05}"}).encode() for k in range(500)]
        payloads += [b'{"value": 1, "unit": "[in_i]"}', b'{"value": 1, "unit": "mm"}']
        points = np.array([point] * 500 + [1, 1])
        decoded = native.decode(lane, points, payloads, RECEIVED)
        assert [one.reason for one in decoded.refused] == ["wrong_unit"] * 500
        assert decoded.value.tolist() == pytest.approx([25.4, 1.0])

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
    def test_values_survive_exactly(self, values: list[float]) -> None:
        bare = self.decode(*(repr(value).encode() for value in values))
        objects = self.decode(*(json.dumps({"value": value}).encode() for value in values))
        assert bare.value.tolist() == objects.value.tolist() == values


class TestNativeFrames(DialectSuite):
    dialect = native
    config = "foreshock"
    topic = "foreshock/frames/a0"
    good = (
        b'{"points": ["p0", "p1"], "values": [1.5, 2], "times": [1763900000, "2025-11-23T12:13:20Z"]}',
        msgspec.msgpack.encode({"points": ["p3"], "values": [9.0], "time": 1763900000.0, "quality": "bad"}),
        msgspec.msgpack.encode(
            {
                "points": ["p1", "p2"],
                "values": np.array([3.0, 4.0]).tobytes(),
                "times": np.array([1763900000.0, 1763900001.0]).tobytes(),
                "quality": [0, ["simulated", "historical"]],
            }
        ),
        b'{"points": ["p0"], "values": [true]}',
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"12": "malformed",
        b"\x93\x01\x02\x03": "malformed",
        b'{"points": ["p0"], "values": []}': "malformed",
        b'{"points": "p0", "values": [1]}': "malformed",
        b'{"points": ["p0"], "values": [1], "times": [1, 2]}': "malformed",
        b'{"points": ["p0"], "values": [1], "times": [1], "time": 1}': "malformed",
        b'{"points": ["p0"], "values": [1], "quality": ["good", "good"]}': "malformed",
        b'{"points": ["p0"], "values": [1], "time": "noon"}': "malformed",
        b'{"points": ["p0"], "values": ["1"]}': "malformed",
        b'{"points": ["p0"], "values": [NaN]}': "not_finite",
        b'{"points": ["nobody"], "values": [1]}': "unknown_point",
        b'{"points": [], "values": []}': "malformed",
        b'{"points": ["p0"], "values": [1], "unit": ["mm", "mm"]}': "malformed",
        b'{"points": ["p0"], "values": [1], "unit": []}': "malformed",
        b'{"points": ["p0"], "values": [1], "unit": "degF"}': "wrong_unit",
        msgspec.msgpack.encode({"points": ["p0"], "values": b"1234567"}): "malformed",
        msgspec.msgpack.encode({"points": ["p0"], "values": [1.0], "times": [math.inf]}): "not_finite",
    }

    def test_columns_hold_what_the_frames_say(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.message.tolist() == [0, 0, 1, 2, 2, 3]
        assert decoded.point.tolist() == [0, 1, 3, 1, 2, 0]
        assert decoded.value.tolist() == [1.5, 2.0, 9.0, 3.0, 4.0, 1.0]
        assert decoded.time[:5].tolist() == [1763900000.0, 1763900000.0, 1763900000.0, 1763900000.0, 1763900001.0]
        assert decoded.quality.tolist() == [0, 0, BAD, 0, SIMULATED | HISTORICAL, 0]

    def test_one_unknown_point_does_not_cost_the_others(self) -> None:
        decoded = self.decode(b'{"points": ["p0", "nobody", "p2", "none"], "values": [1, 2, 3, 4]}')
        assert decoded.point.tolist() == [0, 2]
        assert decoded.value.tolist() == [1.0, 3.0]
        assert [(one.reason, one.readings) for one in decoded.refused] == [("unknown_point", 2)]
        assert "'nobody', 'none'" in decoded.refused[0].detail

    def test_units_are_one_for_all_or_one_a_reading(self) -> None:
        frames = (
            {"points": ["p0", "p1"], "values": [1.0, 2.0], "unit": "cm"},
            {"points": ["p0", "p1"], "values": [1.0, 2.0], "unit": [None, "m"]},
        )
        for payloads in (map(msgspec.msgpack.encode, frames), map(msgspec.json.encode, frames)):
            assert self.decode(*payloads).value.tolist() == pytest.approx([10.0, 20.0, 1.0, 2000.0])
        mixed = self.decode(b'{"points": ["p0", "nobody", "p2"], "values": [1, 2, 3], "unit": ["degF", "degF", "mm"]}')
        assert mixed.value.tolist() == [3.0]
        assert {(one.reason, one.readings) for one in mixed.refused} == {("unknown_point", 1), ("wrong_unit", 1)}

    @pytest.mark.parametrize(
        "units",
        [
            [f"x{k:05}" for k in range(12_000)],
            ["*".join(f"{one}^{1 + k // 7**n % 7}" for n, one in enumerate(PRODUCT)) for k in range(8_000)],
            ["x" * 1_000_000],
        ],
        ids=["none", "products", "long"],
    )
    def test_units_made_to_be_slow_are_refused_in_time_and_not_kept(self, units: list[str]) -> None:
        measure.load()  # pint's import is not the payload's doing
        body = {"points": ["p0"] * len(units), "values": [1.0] * len(units), "unit": units}
        payload, best = msgspec.json.encode(body), math.inf
        for _ in range(3):
            lane, point = self.lane()
            begun = time.thread_time()
            decoded = native.decode(lane, np.array([point]), [payload], RECEIVED)
            best = min(best, time.thread_time() - begun)
            assert [(one.reason, one.readings) for one in decoded.refused] == [("wrong_unit", len(units))]
            assert len(decoded.refused[0].detail) < 300
            assert len(ClaimedUnits.of(lane)) <= MOST_NEW
        assert best < 0.05

    def test_a_unit_that_no_point_can_be_in_costs_one_look_however_many_points_claim_it(self) -> None:
        lane, point = self.lane()
        body = {"points": ["p0", "p1", "p2"] * 20, "values": [1.0] * 60, "unit": "degC*m"}
        decoded = native.decode(lane, np.array([point]), [msgspec.json.encode(body)], RECEIVED)
        assert [(one.reason, one.readings) for one in decoded.refused] == [("wrong_unit", 60)]
        assert len(ClaimedUnits.of(lane)) == 1

    def test_a_list_of_points_is_looked_up_once(self) -> None:
        lane, _ = self.lane()
        payload = self.good[0]
        first = native.decode(lane, np.array([-1, -1]), [payload, payload], RECEIVED)
        assert len(lane.cache["lists"]) == 1
        assert first.point.tolist() == [0, 1, 0, 1]


def test_topics_name_an_area_and_a_point_that_serves_it() -> None:
    registry = Registry(site())
    assert native.resolve("foreshock/readings/a1/p6", "foreshock", registry) == Route("reading", 6)
    for topic, reason in {
        "foreshock/readings/a1/p0": "unknown_point",
        "foreshock/readings/a1/nobody": "unknown_point",
        "foreshock/readings/nowhere/p0": "unknown_topic",
        "foreshock/frames/nowhere": "unknown_topic",
    }.items():
        answer = native.resolve(topic, "foreshock", registry)
        assert isinstance(answer, Refusal) and answer.reason == reason
    assert native.resolve("foreshock/alarms/a1", "foreshock", registry) is None
