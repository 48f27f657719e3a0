"""Pushed readings: checked as any other, kept in the quarantine when refused, and alike when sent again."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from sensors import frame, quarantine
from sensors.claimed_units import MOST_OF_A_POINT, TOO_MANY
from sensors.lookup import Registry
from sensors.observation import BAD, OUT_OF_RANGE
from sensors.push import Push, Pushed, Reading, Turned
from sensors.site import Flood
from tests.sensors.dialects.suite import site

NOW = 1_763_900_000.0


def push() -> Push:
    return Push(Registry(site()))


def test_readings_are_packed_with_their_source_and_times() -> None:
    given = [
        Reading("p0", 1.0, NOW - 1),
        Reading("p1", 2.0, "2025-11-23T12:13:10Z"),
        Reading("p2", 3.0, None, "bad"),
        Reading("p3", 1e9, (NOW - 2) * 1000),
    ]
    pushed = push().take(given, NOW - 5, NOW, "token:plc")
    assert (pushed.accepted, pushed.refused) == (4, [])
    frames = [frame.decode(value) for topic, _, value in pushed.records if topic == "observations"]
    assert {one.header.source for one in frames} == {"token:plc"}
    found = {
        int(point): (time, value, quality)
        for one in frames
        for point, time, value, quality in zip(one.point, one.time, one.value, one.quality, strict=True)
    }
    assert found[0] == (NOW - 1, 1.0, 0)
    assert found[1] == (1_763_899_990.0, 2.0, 0)
    assert found[2] == (NOW - 5 + 2e-6, 3.0, BAD)
    assert found[3][0] == NOW - 2
    assert found[3][2] in (0, OUT_OF_RANGE)


def test_what_cannot_be_used_is_refused_alone_and_kept() -> None:
    given = [
        Reading("p0", 1.0, NOW),
        Reading("nobody", 1.0, NOW),
        Reading("p1", None, NOW),
        Reading("p1", 1.0, "yesterday"),
        Reading("p1", 1.0, NOW, "splendid"),
        Reading("p1", 1.0, NOW + 3600),
        Reading("p1", 1.0, NOW - 400 * 86400),
        Reading("p1", float("nan"), NOW),
    ]
    one = push()
    pushed = one.take(given, NOW, NOW, "token:plc")
    assert pushed.accepted == 1
    reasons = ["unknown_point", "not_finite", "malformed", "malformed", "future", "ancient", "not_finite"]
    assert [(found.place, found.reason) for found in pushed.refused] == list(enumerate(reasons, 1))
    assert pushed.refused[4] == Turned(5, "future", "p1: 1 hour ahead of our clock")
    kept = [quarantine.decode(value) for topic, _, value in pushed.records if topic == quarantine.TOPIC]
    assert [found.reason for found in kept] == reasons
    assert b"nobody" in kept[0].raw and kept[0].topic == "/api/v1/readings token:plc"
    assert one.quarantine.counts["not_finite"] == 2


@pytest.mark.parametrize(("value", "raw"), [(float("nan"), b"NaN"), (float("-inf"), b"-Infinity"), (None, b"null")])
def test_a_value_that_is_not_finite_is_kept_as_it_was_sent(value: float | None, raw: bytes) -> None:
    pushed = push().take([Reading("p1", value, NOW)], NOW, NOW, "token:plc")
    (kept,) = [quarantine.decode(record) for topic, _, record in pushed.records if topic == quarantine.TOPIC]
    assert (kept.reason, kept.raw) == ("not_finite", b'{"point":"p1","value":%s,"time":1763900000.0}' % raw)


def test_the_same_push_with_the_same_stamp_gives_the_same_times() -> None:
    given = [Reading(f"p{k}", float(k)) for k in range(10)]
    times = []
    for received in (NOW, NOW + 60):
        records = push().take(given, NOW, received, "x").records
        times.append(np.sort(np.concatenate([frame.decode(value).time for _, _, value in records])))
    assert (times[0] == times[1]).all()
    assert (np.diff(times[0]) > 0).all()


def test_what_is_refused_keeps_the_time_that_its_push_gave_it() -> None:
    """Replayed after a mend, a reading that was pushed again meanwhile is the same one."""
    raws = []
    for received in (NOW, NOW + 30):
        records = push().take([Reading("p0", 1.0), Reading("nobody", 2.0)], NOW, received, "x").records
        raws += [quarantine.decode(record).raw for topic, _, record in records if topic == quarantine.TOPIC]
    assert raws[0] == raws[1]
    assert msgspec.json.decode(raws[0])["time"] == NOW + 1e-6


def test_a_push_of_nothing_usable_gives_no_frame() -> None:
    pushed = push().take([Reading("nobody", 1.0)], NOW, NOW, "x")
    assert pushed.accepted == 0
    assert {topic for topic, _, _ in pushed.records} == {quarantine.TOPIC}


def test_a_point_that_is_pushed_far_too_often_is_held_to_its_rate_and_harms_no_other() -> None:
    given = [Reading("p0", float(k), NOW) for k in range(2000)] + [Reading("p1", 1.0, NOW)]
    made = msgspec.structs.replace(site(), flood=Flood(least=20.0, times=20.0))
    one = Push(Registry(made))
    pushed = one.take(given, NOW, NOW, "x")
    assert {one.reason for one in pushed.refused} == {"flood"}
    assert 0 < pushed.accepted < 1000
    assert {one.place for one in pushed.refused} <= set(range(2000)), "the other point is not among them"
    assert pushed.accepted + len(pushed.refused) == len(given), "who pushes is told of each"
    kept = [quarantine.decode(value) for topic, _, value in pushed.records if topic == quarantine.TOPIC]
    assert [found.reason for found in kept if found.topic] == ["flood"], "one is kept, the others are counted"
    assert one.quarantine.counts == {"flood": len(pushed.refused)}


def values_of(pushed: Pushed) -> list[float]:
    frames = [frame.decode(value) for topic, _, value in pushed.records if topic == "observations"]
    return sorted(float(value) for one in frames for value in one.value)


def test_a_value_in_another_unit_is_stored_in_the_points() -> None:
    pushed = push().take([Reading("p0", 2.5, NOW, unit="m"), Reading("p1", 3.0, NOW, unit="mm")], NOW, NOW, "x")
    assert pushed.accepted == 2
    assert values_of(pushed) == [3.0, 2500.0]


def test_a_unit_that_cannot_become_the_points_is_refused_alone() -> None:
    given = [Reading("p0", 1.0, NOW, unit=unit) for unit in ("dB/m", "kg", "x" * 5000)] + [Reading("p1", 1.0, NOW)]
    pushed = push().take(given, NOW, NOW, "x")
    assert [(one.place, one.reason) for one in pushed.refused] == [(k, "wrong_unit") for k in range(3)]
    assert values_of(pushed) == [1.0]


def test_units_are_rationed_over_pushes_and_remembered() -> None:
    one = push()
    for k in range(MOST_OF_A_POINT):
        one.take([Reading("p0", 1.0, NOW, unit=f"x{k}")], NOW, NOW, "x")
    late = [Reading("p0", 2.0, NOW, unit="[in_i]")]
    assert [found.detail for found in one.take(late, NOW, NOW, "x").refused] == [TOO_MANY]
    assert values_of(one.take(late, NOW, NOW + 1, "x")) == pytest.approx([50.8])
    heir = push()
    heir.succeed(one)
    for k in range(MOST_OF_A_POINT):
        heir.take([Reading("p0", 1.0, NOW, unit=f"y{k}")], NOW, NOW + 1, "x")
    assert values_of(heir.take(late, NOW, NOW + 1, "x")) == pytest.approx([50.8])
