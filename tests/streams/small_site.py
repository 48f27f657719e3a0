"""A small site with rules, and records to put through an engine: shared by the tests of streams."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np

from rules.rule import Rule
from sensors import frame, observation
from sensors.observation import CameraEvent, Command, Observation, Publication, SourceState, Tick
from sensors.partition import partition_of
from sensors.site import Area, AreaType, Camera, Field, Place, Point, Site, Text, Unit
from streams import bundle
from streams.bundle import Bundle

START = 1_767_225_600.0
NAME = Text(zh="测试", en="test")
RATIONALE = {
    "cause": "test",
    "consequence": "test",
    "response": "test",
    "time_to_respond": "10 min",
    "owner": "test",
    "review": "2030-01-01",
}


def site(points: int = 6, partitions: int = 1, version: str = "v1") -> Site:
    """Make a site of three areas in two subdistricts with `points` points of displacement."""
    return Site(
        id="small",
        name=NAME,
        version=version,
        partitions=partitions,
        fields=(Field(id="natural", name=NAME),),
        area_types=(AreaType(id="slope", field="natural", name=NAME),),
        places=(
            Place(id="d", kind="district", name=NAME),
            Place(id="s0", kind="subdistrict", name=NAME, parent="d"),
            Place(id="s1", kind="subdistrict", name=NAME, parent="d"),
            Place(id="c0", kind="community", name=NAME, parent="s0"),
            Place(id="c1", kind="community", name=NAME, parent="s1"),
        ),
        areas=tuple(Area(id=f"a{k}", name=NAME, type="slope", place=f"c{k % 2}", group=f"s{k % 2}") for k in range(3)),
        points=tuple(
            Point(
                id=f"p{k}",
                name=NAME,
                areas=(f"a{k % 3}",),
                quantity="displacement",
                unit="mm",
                interval=10.0,
                limit=40.0,
                index=k,
            )
            for k in range(points)
        ),
        cameras=(Camera(id="cam", name=NAME, areas=("a0",)),),
        units=(Unit(id="team", name=NAME, kind="community", place="c0"),),
    )


def rules(threshold: float = 20.0) -> tuple[Rule, ...]:
    """Make three rules: levels with delays, a camera event's part, silence."""
    return msgspec.convert(
        [
            {
                "id": "creep",
                "title": {"zh": "位移", "en": "displacement"},
                "where": {"quantity": "displacement"},
                "levels": {
                    "yellow": {"when": f"value > {threshold / 2}", "clear": f"value < {threshold / 4}", "for": "20 s"},
                    "orange": {"when": f"value > {threshold}", "clear": f"value < {threshold * 0.75}"},
                    "red": {"when": f"value > {threshold * 1.5} and seen('debris', '5 min')"},
                },
                "rationale": RATIONALE,
            },
            {
                "id": "novel",
                "title": {"zh": "异常", "en": "novel"},
                "where": {"quantity": "displacement"},
                "levels": {"blue": {"when": "score > 0.99 and mean('5 min') > 1"}},
                "rationale": RATIONALE,
            },
            {
                "id": "silent",
                "title": {"zh": "无数据", "en": "no data"},
                "kind": "data_quality",
                "levels": {"blue": {"when": "age > 60 s"}},
                "rationale": RATIONALE,
            },
        ],
        tuple[Rule, ...],
    )


def published(content: Bundle, version: str = "v1", time: float = START) -> bytes:
    """Make the record that puts a bundle in force."""
    return observation.encode(
        Publication(version=version, bundle=bundle.pack(content), author="test", reason="test", time=time)
    )


def frame_of(readings: list[tuple[int, float, float]], received: float, quality: int = 0) -> bytes:
    """Make a frame of (point, time, value)."""
    point, time, value = (np.array(column) for column in zip(*readings, strict=True))
    return frame.encode(
        point.astype("u4"),
        time.astype("f8"),
        value.astype("f8"),
        np.full(len(readings), quality, "u1"),
        registry="v1",
        received=received,
    )


def record(what: Observation) -> bytes:
    """Encode an observation."""
    return observation.encode(what)


def tick(time: float) -> bytes:
    """Make a tick."""
    return record(Tick(time=time))


def debris(time: float, area: str = "a0", camera: str = "cam") -> bytes:
    """Have the camera see debris."""
    return record(CameraEvent(area=area, camera=camera, kind="debris", event=f"e{time}", time=time, received=time))


def source(state: Literal["offline", "online"], time: float, *points: int, area: str = "a0", quality: int = 0) -> bytes:
    """Have a source say of itself that it has gone or come back."""
    return record(
        SourceState(
            area=area,
            source="sparkplug:plant/edge",
            state=state,
            time=time,
            received=time,
            points=points,
            quality=quality,
        )
    )


def command(kind: str, target: str, area: str, time: float, id: str, **args: object) -> bytes:
    """Make an operator's command."""
    return record(Command(id=id, kind=kind, target=target, area=area, actor="user:li", time=time, args=dict(args)))


def partition_of_area(content: Site, area: str) -> int:
    """Name the partition of an area."""
    found = next(one for one in content.areas if one.id == area)
    return partition_of(found.group, content.partitions)
