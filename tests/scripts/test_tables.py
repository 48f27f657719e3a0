"""`foreshock import`: what is said of a table with mistakes in it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from scripts.cli import application

DISTRICT = Path(__file__).parents[2] / "examples" / "district"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    shutil.copytree(DISTRICT, folder)
    return folder


def take(file: Path, text: str, site: Path, *arguments: str) -> Result:
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(application("import"), ["import", str(file), "--site", str(site), *arguments])


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


def test_a_sound_table_is_taken(site: Path, tmp_path: Path) -> None:
    result = take(tmp_path / "points.csv", "id,areas,quantity,limit\nnew-1,slope-01,rain,5\n", site)
    assert result.exit_code == 0 and "points: 1 added" in result.stdout
    assert (site / "areas" / "imported.yaml").exists()
