"""Gateways of a site: who names them, and that every mistake is told at its place; tables carry them too."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.registry import check_site, load_site
from sensors.site import Gateway, Text
from sensors.spreadsheet import entries, export
from sensors.spreadsheet.table import read_table
from tests.sensors.test_registry import FILES, write

AREA = "  - id: river-01\n"
LEVEL = "      level: 1\n"


def folder(path: Path, gateways: str, area: str = "", level: str = "1") -> Path:
    water = FILES["areas/water.yaml"]
    assert AREA in water and LEVEL in water
    water = water.replace(AREA, AREA + area).replace(LEVEL, f"      level: {level}\n")
    return write(path / "site", {**FILES, "areas/water.yaml": f"{water}gateways:\n{gateways}"})


GW = "  - {id: gw-1, name: {zh: 网关, en: gateway}, area: river-01, sources: ['sparkplug:p/n'], silent_after: 3 min}\n"
GW2 = "  - {id: gw-2, name: {zh: 网关, en: gateway}}\n"


def test_an_area_names_the_gateway_of_its_points_and_a_point_another(tmp_path: Path) -> None:
    level = "{count: 2, each: {2: {gateway: gw-2}}}"
    site = load_site(folder(tmp_path, GW + GW2, "    gateway: gw-1\n", level))
    points = {one.id: one.gateway for one in site.points}
    assert (points["river-01-level-1"], points["river-01-level-2"]) == ("gw-1", "gw-2")
    name = Text(zh="网关", en="gateway")
    first = Gateway(id="gw-1", name=name, area="river-01", sources=("sparkplug:p/n",), silent_after=180.0)
    assert site.gateways == (first, Gateway(id="gw-2", name=name))


@pytest.mark.parametrize(
    ("gateways", "level", "field", "words"),
    [
        (GW, "{gateway: gw-9}", "areas[0].points.level.gateway", "which there is not"),
        (GW + GW, "{gateway: gw-1}", "gateways[1].id", "gateway 'gw-1' is already given"),
        (GW, "1", "gateways[0].id", "no point names the gateway 'gw-1'"),
        (GW.replace("3 min", "1 s"), "{gateway: gw-1}", "gateways[0].silent_after", "10 s to 31 d"),
        (GW.replace("river-01", "nowhere"), "{gateway: gw-1}", "gateways[0].area", "unknown area"),
        (GW.replace("sparkplug:p/n", "node"), "{gateway: gw-1}", "gateways[0].sources", "is no source"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(
    tmp_path: Path, gateways: str, level: str, field: str, words: str
) -> None:
    site, problems = check_site(folder(tmp_path, gateways, level=level))
    assert site is None
    (problem,) = {one for one in problems if words in one.message}
    assert problem.file == "areas/water.yaml" and problem.line > 1 and field in problem.field


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_table_of_points_carries_their_gateway_there_and_back(tmp_path: Path, ending: str) -> None:
    place = folder(tmp_path, GW, "    gateway: gw-1\n")
    table = tmp_path / f"points.{ending}"
    export.write(table, load_site(place), "points", "zh-CN")
    planned = entries.plan(read_table(table), place)
    assert not planned.added and not planned.updated, "what was exported is what is there"
    alone = tmp_path / "more.csv"
    alone.write_text("编号,区域,监测量,所属网关\nextra-1,river-01,level,gw-1\n", encoding="utf-8")
    entries.write(entries.plan(read_table(alone), place))
    assert next(one for one in load_site(place).points if one.id == "extra-1").gateway == "gw-1"
