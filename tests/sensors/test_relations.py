"""Drivers and redundant points of a site: what they become, and that every mistake is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.lookup import Registry
from sensors.registry import check_site, load_site
from sensors.site import Driver
from tests.sensors.test_registry import FILES, write

RIVER = "      level: 1\n"
GAUGES = """\
points:
  - {id: upper, quantity: level, areas: [river-01]}
  - {id: upmost, quantity: level, areas: [slope-01]}
"""


def folder(path: Path, level: str, gauges: str = GAUGES) -> Path:
    water = FILES["areas/water.yaml"].replace(RIVER, f"      level: {{{level}}}\n") + gauges
    return write(path / "site", {**FILES, "areas/water.yaml": water})


def test_drivers_have_a_lag_and_go_to_the_partition_of_what_they_drive(tmp_path: Path) -> None:
    site = load_site(folder(tmp_path, "drivers: [rain-1, {point: upmost, lag: 90 min}]"))
    point = next(one for one in site.points if one.id == "river-01-level-1")
    assert point.drivers == (Driver(point="rain-1", lag=8 * 3600.0), Driver(point="upmost", lag=5400.0))
    registry = Registry(site)
    assert set(registry.partitions_of("river-01-level-1")) <= set(registry.partitions_of("upmost"))
    assert registry.partition("slope-01") in registry.partitions_of("upmost")


def test_a_group_names_its_redundant_points_by_place_holders_and_a_point_is_not_its_own(tmp_path: Path) -> None:
    names = '"{area}-level-1", "{area}-level-2", "{area}-level-3"'
    site = load_site(folder(tmp_path, f"count: 3, redundant: [{names}]"))
    points = {one.id: one for one in site.points}
    assert points["river-01-level-2"].redundant == ("river-01-level-1", "river-01-level-3")


@pytest.mark.parametrize(
    ("level", "field", "words"),
    [
        ("drivers: [rain-9]", "drivers", "unknown point 'rain-9'"),
        ("drivers: [river-01-level-1]", "drivers", "cannot drive itself"),
        ("drivers: [rain-1, rain-1]", "drivers", "named twice"),
        ("drivers: [{point: rain-1, lag: soon}]", "drivers", "the lag of 'rain-1' is no duration"),
        ("drivers: [{point: rain-1, lag: 60 d}]", "drivers", "the lag of 'rain-1' is no duration"),
        ("kind: counter, drivers: [rain-1]", "drivers", "only a gauge has drivers"),
        ("redundant: [upper, upper]", "redundant", "named twice"),
        ("redundant: [nowhere]", "redundant", "unknown point 'nowhere'"),
        ("redundant: [rain-1]", "redundant", "'rain-1' is in 'mm/h'"),
        (f"drivers: [{', '.join(['rain-1'] * 9)}]", "drivers", "at most 8 drivers"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(tmp_path: Path, level: str, field: str, words: str) -> None:
    site, problems = check_site(folder(tmp_path, level))
    assert site is None
    assert any(words in one.message for one in problems), problems
    assert {(one.file, one.field) for one in problems} == {("areas/water.yaml", f"areas[0].points.level.{field}")}
    assert problems[0].line == 8


def test_a_circle_of_drivers_is_told_at_each_of_them(tmp_path: Path) -> None:
    gauges = GAUGES.replace("areas: [river-01]", "areas: [river-01], drivers: [upmost]")
    gauges = gauges.replace("areas: [slope-01]", "areas: [slope-01], drivers: [river-01-level-1]")
    _, problems = check_site(folder(tmp_path, "drivers: [upper]", gauges))
    assert [one.message for one in problems] == [
        "drives itself: river-01-level-1 ← upper ← upmost ← river-01-level-1",
        "drives itself: upper ← upmost ← river-01-level-1 ← upper",
        "drives itself: upmost ← river-01-level-1 ← upper ← upmost",
    ]


def test_what_has_no_size_drives_nothing(tmp_path: Path) -> None:
    gauges = GAUGES.replace("{id: upper, quantity: level,", "{id: upper, quantity: level, kind: switch, ")
    _, problems = check_site(folder(tmp_path, "drivers: [upper]", gauges))
    assert "'upper' is a switch: a driver is a gauge or a counter" in [one.message for one in problems]
