"""The mapped dialect: an installation's own topics and JSON."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from sensors.dialects import mapped
from sensors.dialects.dialect import Lane, Refusal, Route
from sensors.lookup import Registry
from sensors.observation import SIMULATED
from sensors.site import MappedValue, Mapping, Site
from tests.sensors.dialects.suite import RECEIVED, DialectSuite, site


class TestMappedFlat(DialectSuite):
    dialect = mapped
    config = Mapping(topic="site/{area}/{point}", point="{point}", value="value", time="ts", scale=2.0, offset=1.0)
    topic = "site/a0/p0"
    good = (
        b'{"ts": 1763900000250, "value": 21.5}',
        b'{"value": "4.5", "ts": "1763900000250", "extra": {"deep": [1, 2]}}',
        b'{"value": true, "ts": null}',
        b'{"value": 3}',
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"21.5": "malformed",
        b'{"ts": 1}': "malformed",
        b'{"value": "warm"}': "malformed",
        b'{"value": [1]}': "malformed",
        b'{"value": 1, "ts": "later"}': "malformed",
        b'{"value": 1, "ts": {}}': "malformed",
        b'{"value": "nan"}': "not_finite",
        b'{"value": "1e999"}': "not_finite",
        b'{"value": NaN}': "not_finite",
        b'{"value": 1e999}': "not_finite",
    }

    def test_values_are_scaled_and_times_read_in_their_unit(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.value.tolist() == [44.0, 10.0, 3.0, 7.0]
        assert decoded.time[:2].tolist() == [1763900000.25, 1763900000.25]
        assert np.isnan(decoded.time[2:]).all()


class TestMappedNested(DialectSuite):
    dialect = mapped
    config = Mapping(
        topic="plant/+/dev-{point}/up", point="{point}", value="data.level.v", time="data.t", time_unit="iso"
    )
    topic = "plant/x/dev-p3/up"
    good = (b'{"data": {"level": {"v": 1.25}, "t": "2025-11-23T12:13:20Z"}, "n": 1}', b'{"data": {"level": {"v": 2}}}')
    bad = {  # noqa: RUF012
        b"{}": "malformed",
        b'{"data": null}': "malformed",
        b'{"data": {"level": 3}}': "malformed",
        b'{"data": {"level": {"v": 1}, "t": 1763900000}}': "malformed",
    }

    def test_paths_reach_into_objects(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.value.tolist() == [1.25, 2.0]
        assert decoded.time[0] == 1763900000.0 and math.isnan(decoded.time[1])


class TestMappedList(DialectSuite):
    dialect = mapped
    config = Mapping(
        topic="{area}/items/{point}/#", point="{point}", value="items.1.v", time="at", time_unit="s", simulated=True
    )
    topic = "a4/items/p4/a/b"
    foreign = ("other/thing", "", "/", "$SYS/broker/uptime")
    good = (b'{"items": [0, {"v": 5}], "at": 1763900000}',)
    bad = {b'{"items": [0, {"v": {}}]}': "malformed", b"[" * 5000: "malformed"}  # noqa: RUF012

    def test_paths_reach_into_lists_and_a_simulation_is_marked(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.value.tolist() == [5.0]
        assert decoded.quality.tolist() == [SIMULATED]

    def test_a_missing_value_is_not_finite_rather_than_invented(self) -> None:
        decoded = self.decode(b'{"items": []}')
        assert not np.isfinite(decoded.value).any()


class TestMappedUnit(DialectSuite):
    dialect = mapped
    config = Mapping(topic="site/{point}", point="{point}", unit="cm", scale=0.1)
    topic = "site/p0"
    good = (b'{"value": 25}', b'{"value": "40"}')
    bad = {b'{"value": {}}': "malformed"}  # noqa: RUF012

    def test_what_is_sent_in_another_unit_is_converted_after_scale_and_offset(self) -> None:
        np.testing.assert_allclose(self.decode(*self.good).value, [25.0, 40.0])

    def test_a_unit_that_measures_something_else_is_refused_with_the_topic(self) -> None:
        answer = mapped.resolve(
            self.topic, Mapping(topic="site/{point}", point="{point}", unit="mg/L"), self.registry()
        )
        assert answer == Refusal(
            "wrong_unit", "point 'p0': mg/L cannot be converted to mm: they do not measure the same"
        )


class TestMappedSeveral(DialectSuite):
    dialect = mapped
    config = Mapping(
        topic="plant/{area}/{point}",
        time="at",
        time_unit="s",
        values=(
            MappedValue(point="{point}", value="level", unit="m"),
            MappedValue(point="p6", value="raw.0", scale=2.0, offset=1.0),
            MappedValue(point="{area}-none", value="other"),
        ),
    )
    topic = "plant/a1/p1"
    good = (
        b'{"at": 1763900000, "level": 0.5, "raw": [3]}',
        b'{"raw": ["4"]}',
        b'{"level": true, "raw": []}',
    )
    bad = {  # noqa: RUF012
        b"": "malformed",
        b"[]": "malformed",
        b'{"at": 1}': "malformed",
        b'{"level": {}}': "malformed",
        b'{"level": 1, "at": "later"}': "malformed",
        b'{"other": 1}': "unknown_point",
        b'{"level": "nan"}': "not_finite",
        b'{"level": 1, "x": [' + b"[]," * 30_000 + b"1]}": "oversized",
    }

    def test_each_value_goes_to_its_point_in_the_order_of_the_messages(self) -> None:
        decoded = self.decode(*self.good)
        assert decoded.message.tolist() == [0, 0, 1, 2]
        assert decoded.point.tolist() == [1, 6, 6, 1]
        np.testing.assert_allclose(decoded.value, [500.0, 7.0, 9.0, 1000.0])
        assert decoded.time[:2].tolist() == [1763900000.0] * 2 and np.isnan(decoded.time[2:]).all()

    def test_one_bad_value_does_not_cost_the_others(self) -> None:
        decoded = self.decode(b'{"level": "high", "raw": [1], "other": 2}')
        assert decoded.point.tolist() == [6] and decoded.value.tolist() == [3.0]
        assert [(one.reason, one.detail) for one in decoded.refused] == [
            ("malformed", "level: value 'high'"),
            ("unknown_point", "other: no point 'a1-none'"),
        ]

    def test_topics_of_other_place_holders_keep_their_own_points(self) -> None:
        lane, _ = self.lane()
        lane.subjects = [(("area", "a1"), ("point", "p1")), (("area", "a2"), ("point", "p2"))]
        decoded = mapped.decode(lane, np.array([1, 0, 1]), [b'{"level": 1}'] * 3, RECEIVED)
        assert decoded.point.tolist() == [2, 1, 2]

    def test_a_topic_none_of_whose_points_is_known_is_refused(self) -> None:
        config = Mapping(topic="x/{point}", values=(MappedValue(point="{point}", value="v"),))
        assert mapped.resolve("x/none", config, self.registry()) == Refusal("unknown_point", "no point 'none'")


@pytest.mark.parametrize(
    ("template", "point", "topic", "index"),
    [
        ("site/{area}/{point}", "{point}", "site/a2/p7", 7),
        ("{point}", "{point}", "p7", 7),
        ("t/{area}-{point}/v", "{point}", "t/a2-p7/v", 7),
        ("t/{area}/{point}", "{area}{point}", "t/p/7", 7),  # no area of the site, but part of the id
        ("a.b/{point}", "{point}", "a.b/p7", 7),
        ("x/{point}/#", "{point}", "x/p7", 7),
        ("x/{point}/y/{point}", "{point}", "x/p7/y/p7", 7),
        ("x/{point}", "p{point}", "x/7", 7),
    ],
)
def test_templates_make_up_the_point_id(template: str, point: str, topic: str, index: int) -> None:
    config = Mapping(topic=template, point=point)
    assert mapped.resolve(topic, config, Registry(site())) == Route("reading", index)


def test_a_place_holder_takes_as_much_as_it_can() -> None:
    assert mapped.point_id("t/a-b-p7/v", Mapping(topic="t/{area}-{point}/v", point="{point}@{area}")) == "p7@a-b"


def shared_site() -> Site:
    """Make a site whose p0 serves a0 and a1, and whose a1 was called `north` before."""
    made = site()
    point = msgspec.structs.replace(made.points[0], areas=("a0", "a1"))
    area = msgspec.structs.replace(made.areas[1], renamed_from=("north",))
    return msgspec.structs.replace(made, points=(point, *made.points[1:]), areas=(made.areas[0], area, *made.areas[2:]))


@pytest.mark.parametrize("named", ["a0", "a1", "north"])
def test_any_area_that_the_point_serves_may_stand_in_the_topic(named: str) -> None:
    config = Mapping(topic="site/{area}/{point}", point="{point}")
    assert mapped.resolve(f"site/{named}/p0", config, Registry(shared_site())) == Route("reading", 0)


@pytest.mark.parametrize("named", ["a2", "nowhere"])
def test_an_area_that_is_none_of_the_points_is_refused(named: str) -> None:
    wanted = Refusal("unknown_point", f"point 'p0' is in a0, a1, not in '{named}'")
    registry = Registry(shared_site())
    config = Mapping(topic="site/{area}/{point}", point="{point}")
    assert mapped.resolve(f"site/{named}/p0", config, registry) == wanted
    several = Mapping(topic="site/{area}/{point}", values=(MappedValue(point="{point}", value="v"),))
    assert mapped.resolve(f"site/{named}/p0", several, registry) == wanted


def test_an_area_of_the_site_that_is_part_of_the_id_is_looked_at_too() -> None:
    made = site()
    odd = msgspec.structs.replace(made.points[0], id="a3-x", areas=("a0",))
    registry = Registry(msgspec.structs.replace(made, points=(odd, *made.points[1:])))
    answer = mapped.resolve("t/a3", Mapping(topic="t/{area}", point="{area}-x"), registry)
    assert answer == Refusal("unknown_point", "point 'a3-x' is in a0, not in 'a3'")


@pytest.mark.parametrize(
    ("topic", "point", "fits"),
    [
        ("x/{point}", "{point}", True),
        ("x/{point}", "p{point}", True),
        ("x/{point}", "q{point}", False),
        ("x/{point}", "P{point}", False),
        ("x/y", "p7", True),
        ("x/y", "p99", False),
        ("x/{area}", "{area}-level", False),
        ("x/{area}/{point}", "{area}{point}", True),
    ],
)
def test_a_template_fits_where_some_topic_would_name_a_point(topic: str, point: str, fits: bool) -> None:
    assert mapped.fits(Mapping(topic=topic, point=point), Registry(site())) == [fits]


@pytest.mark.parametrize("topic", ["x/p7/y/p8", "x/p7/y", "x//y/", "x/p7/y/p7/z"])
def test_a_place_holder_met_twice_must_match_the_same(topic: str) -> None:
    assert mapped.resolve(topic, Mapping(topic="x/{point}/y/{point}", point="{point}"), Registry(site())) is None


def test_an_unknown_point_is_refused_by_name() -> None:
    answer = mapped.resolve(
        "site/x/none", Mapping(topic="site/{area}/{point}", point="{area}.{point}"), Registry(site())
    )
    assert answer == Refusal("unknown_point", "no point 'x.none'")


def test_an_empty_path_takes_the_payload_itself() -> None:
    lane = Lane("reading", Mapping(topic="v/{point}", point="{point}", value=""), Registry(site()))
    assert mapped.decode(lane, np.array([1, 2]), [b"4.5", b'"6"'], RECEIVED).value.tolist() == [4.5, 6.0]


def test_only_plain_digits_are_a_place_in_a_list() -> None:
    for step in ("²", "١", "9" * 5000):
        lane = Lane("reading", Mapping(topic="v/{point}", point="{point}", value=f"items.{step}"), Registry(site()))
        decoded = mapped.decode(lane, np.array([1]), [b'{"items": [1]}'], RECEIVED)
        assert np.isnan(decoded.value).all()
