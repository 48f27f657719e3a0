"""`foreshock import`: what is said of a table with mistakes in it."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli import application
from tests.few_rules import with_rules


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return with_rules(tmp_path / "site", "gas.yaml")


def take(file: Path, text: str, site: Path, *arguments: str) -> Result:
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(
        application("import"), ["import", str(file), "--site", str(site), "--language", "en", *arguments]
    )


def test_all_mistakes_are_named_with_file_row_and_column(site: Path, tmp_path: Path) -> None:
    text = "id,areas,quantity,limit\nnew-1,slope-99,rian,abc\nnew-2,slope-01,rain,5\nNew 3,slope-01,rain,5\n"
    result = take(tmp_path / "points.csv", text, site)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines[:-1]] == [
        ["✗ points.csv:2", "areas"],
        ["✗ points.csv:2", "limit"],
        ["✗ points.csv:2", "quantity"],
        ["✗ points.csv:4", "id"],
    ]
    assert "did you mean 'rain'" in result.stderr and "try 'new-3'" in result.stderr
    assert lines[-1] == "✗ 4 problem(s); nothing was written"
    assert not (site / "areas" / "imported.yaml").exists()


def test_of_many_mistakes_some_are_named_and_the_rest_counted(site: Path, tmp_path: Path) -> None:
    text = "id,areas,quantity,limit\n" + "".join(f"new-{k},slope-01,rain,x{k}\n" for k in range(60))
    result = take(tmp_path / "points.csv", text, site)
    assert sum(line.startswith("✗ points.csv") for line in result.stderr.splitlines()) == 50
    assert "… and 10 more" in result.stderr and "60 problem(s)" in result.stderr
    named = json.loads(take(tmp_path / "points.csv", text, site, "--json").stdout)["problems"]
    assert len(named) == 60 and named[0]["file"] == "points.csv" and named[0]["field"] == "limit"


UNITS = """id,areas,quantity,unit
crack-cm,slope-01,crack,cm
crack-mm,slope-01,crack,mm
tilt-mrad,slope-01,tilt,mrad
slope-01-dm,slope-01,displacement,m
heat-f,slope-01,temperature,degF
gas-ppb,slope-01,co,ppb
"""


def test_points_in_other_units_have_their_quantitys_limits_in_them(site: Path, tmp_path: Path) -> None:
    taken = take(tmp_path / "points.csv", UNITS, site)
    assert taken.exit_code == 0, taken.stderr
    checked = CliRunner().invoke(application("check"), ["check", str(site)])
    assert checked.exit_code == 0, checked.stderr  # no rule's own test goes by the points that are there
    table = tmp_path / "all.csv"
    CliRunner().invoke(application("export"), ["export", str(table), "--site", str(site)])
    with table.open(encoding="utf-8-sig", newline="") as stream:
        points = {row["id"]: row for row in csv.DictReader(stream)}
    assert points["crack-mm"]["red"] == "15" and points["crack-cm"]["red"] == "1.5"
    assert points["crack-cm"]["range_high"] == "10" and points["crack-cm"]["normal_high"] == "0.2"
    assert float(points["tilt-mrad"]["yellow"]) == pytest.approx(math.radians(0.4) * 1000)
    assert points["slope-01-dm"]["red"] == "0.04"
    assert points["heat-f"]["red"] == "167" and points["heat-f"]["range_low"] == "-4"
    assert points["gas-ppb"]["limit"] == "26000"
    before = table.read_bytes()
    again = take(table, before.decode("utf-8-sig"), site)
    assert again.exit_code == 0 and "0 added, 6 updated" in again.stdout  # what was inherited is written out now
    CliRunner().invoke(application("export"), ["export", str(table), "--site", str(site)])
    assert table.read_bytes() == before


def test_a_unit_that_measures_something_else_is_refused(site: Path, tmp_path: Path) -> None:
    result = take(tmp_path / "points.csv", "id,areas,quantity,unit\ng,slope-01,co,mg/m^3\n", site)
    assert result.exit_code == 1 and not (site / "areas" / "imported.yaml").exists()
    assert result.stderr.startswith("✗ points.csv:2: unit: limit, levels, range, normal of this quantity cannot be")
    assert "ppm cannot be converted to mg/m^3" in result.stderr and "keep the unit ppm" in result.stderr


def test_what_the_rules_do_not_bear_is_not_written(site: Path, tmp_path: Path) -> None:
    """It would stop the next start: `foreshock run` loads the rules, and so must the import."""
    own = "unit,limit,blue,yellow,orange,red,range_low,range_high,normal_low,normal_high"
    text = f"id,areas,quantity,{own}\nodd,gas-01,methane,ppm,30,10,20,30,40,0,90,0,5\n"
    result = take(tmp_path / "points.csv", text, site)
    assert result.exit_code == 1 and not (site / "areas" / "imported.yaml").exists()
    assert "✗ rules/gas.yaml:9: rules[0].levels" in result.stderr and "nothing was written" in result.stderr
    assert "%LEL cannot be compared with ppm: they do not measure the same (point 'odd' is in ppm)" in result.stderr


def test_a_sound_table_is_taken(site: Path, tmp_path: Path) -> None:
    result = take(tmp_path / "points.csv", "id,areas,quantity,limit\nnew-1,slope-01,rain,5\n", site)
    assert result.exit_code == 0 and "points: 1 added" in result.stdout
    assert (site / "areas" / "imported.yaml").exists()
