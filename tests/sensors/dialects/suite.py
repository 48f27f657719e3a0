"""What every dialect must do, as tests that each dialect's own test class inherits."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.load import bench_site
from sensors import observation
from sensors.dialects.dialect import Decoded, Lane, Refusal, Route
from sensors.lookup import Registry
from sensors.observation import CAMERA_FAULTS, CameraEvent, CameraHealth, Said, SourceState
from sensors.quarantine import REASONS
from sensors.site import LEVELS, Camera, Signals, Site, Text
from sensors.topics import covers

RECEIVED = 1_763_900_000.0


def site(signals: Signals | None = None) -> Site:
    """Make a small site with two cameras."""
    import msgspec

    name = Text(zh="摄像机", en="camera")
    cameras = (
        Camera(id="cam-1", name=name, areas=("a0", "a1")),
        Camera(id="cam-2", name=name, areas=("a2",), source="yard"),
    )
    return msgspec.structs.replace(bench_site(20, 5, signals=signals), cameras=cameras)


shared = settings(
    max_examples=150,
    deadline=None,
    database=None,  # examples are of one dialect; the tests are run by several
    suppress_health_check=[HealthCheck.differing_executors],
)


class DialectSuite:
    """Subclass with `dialect`, `config`, `topic` (a good one), `good` (payloads) and `bad` (payload → reason)."""

    dialect: ModuleType
    config: Any
    topic: str
    good: tuple[bytes, ...]
    bad: dict[bytes, str]
    may_be_silent = False  # whether a message may say nothing of any point and yet be heard: a birth of nothing bound
    foreign: tuple[str, ...] = ("other/thing", "", "/", "$SYS/broker/uptime", "foreshockk/readings/a0/p0")

    def registry(self) -> Registry:
        return Registry(site())

    def lane(self) -> tuple[Lane, int]:
        registry = self.registry()
        route = self.dialect.resolve(self.topic, self.config, registry)
        assert isinstance(route, Route)
        if route.subject is None:
            return Lane(route.kind, self.config, registry), route.point
        return Lane(route.kind, self.config, registry, [route.subject]), 0

    def decode(self, *payloads: bytes) -> Decoded:
        lane, point = self.lane()
        return self.dialect.decode(lane, np.full(len(payloads), point), list(payloads), RECEIVED)

    def check(self, decoded: Decoded, count: int) -> None:
        lengths = {
            len(decoded.point),
            len(decoded.time),
            len(decoded.value),
            len(decoded.quality),
            len(decoded.message),
        }
        assert len(lengths) == 1
        assert (np.diff(decoded.message) >= 0).all()
        said = {*decoded.message.tolist(), *(place for place, _ in decoded.events)}
        refused = {one.message for one in decoded.refused}
        assert said | refused <= set(range(count))
        assert all(one.reason in REASONS and one.readings > 0 for one in decoded.refused)
        for _, one in decoded.events:
            self.check_said(one)
        lane, _ = self.lane()
        assert self.may_be_silent or said | refused == set(range(count)), "every message says something or is refused"
        if lane.kind != "frame":
            assert not said & refused

    def check_said(self, one: Said) -> None:
        known = self.registry()
        assert one.received == RECEIVED and (math.isnan(one.time) or math.isfinite(one.time))
        assert one.area in known.areas
        assert observation.decode(observation.encode(one)) == one or math.isnan(one.time)
        if isinstance(one, CameraEvent):
            assert one.area in known.cameras[one.camera].areas
            assert one.kind and one.phase in ("new", "update", "end")
            assert one.level == "" or one.level in LEVELS
        elif isinstance(one, CameraHealth):
            assert one.area == known.cameras[one.camera].areas[0]
            assert set(one.faults) <= set(CAMERA_FAULTS)
            assert all(0.0 <= confidence <= 1.0 for confidence in one.faults.values())
        elif isinstance(one, SourceState):
            assert one.points or one.cameras
            assert all(one.area in known.by_index[point].areas for point in one.points)
            assert all(one.area in known.cameras[camera].areas for camera in one.cameras)

    def test_the_filters_cover_the_topic(self) -> None:
        filters = self.dialect.topics(self.config)
        assert filters
        assert any(covers(one, self.topic) for one in filters)

    def test_foreign_topics_are_not_taken(self) -> None:
        for topic in self.foreign:
            assert self.dialect.resolve(topic, self.config, self.registry()) is None

    def test_good_payloads_are_taken_whole(self) -> None:
        decoded = self.decode(*self.good)
        self.check(decoded, len(self.good))
        assert not decoded.refused
        assert len(decoded) or decoded.events

    def test_bad_payloads_are_refused_with_their_reason(self) -> None:
        for payload, reason in self.bad.items():
            decoded = self.decode(payload)
            assert [one.reason for one in decoded.refused] == [reason], payload
            assert not len(decoded) and not decoded.events, payload

    def test_a_bad_payload_leaves_its_neighbours_alone(self) -> None:
        alone = self.decode(self.good[0])
        for payload in self.bad:
            decoded = self.decode(self.good[0], payload, self.good[0])
            self.check(decoded, 3)
            for place in (0, 2):
                rows = decoded.message == place
                assert decoded.value[rows].tolist() == alone.value.tolist()
                np.testing.assert_array_equal(decoded.time[rows], alone.time)
            assert {one.message for one in decoded.refused} == {1}

    @shared
    @given(st.lists(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode)), min_size=1, max_size=8))
    def test_garbage_never_raises(self, payloads: list[bytes]) -> None:
        self.check(self.decode(*payloads), len(payloads))

    @shared
    @given(st.data())
    def test_damaged_payloads_never_raise_nor_touch_their_neighbours(self, data: st.DataObject) -> None:
        whole = bytearray(data.draw(st.sampled_from(self.good)))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(whole)))
            whole[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=3))
        decoded = self.decode(self.good[0], bytes(whole), self.good[0])
        self.check(decoded, 3)
        alone = self.decode(self.good[0])
        assert decoded.value[decoded.message == 2].tolist() == alone.value.tolist()

    @shared
    @given(st.text(max_size=40))
    def test_any_topic_is_answered(self, topic: str) -> None:
        answer = self.dialect.resolve(topic, self.config, self.registry())
        assert answer is None or isinstance(answer, Route | Refusal)
