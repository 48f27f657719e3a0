"""Folders of series: NAB's layout, plain tables, and what is neither."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models.evaluation.folder import FolderError, read_folder


def table(path: Path, heading: str, rows: int = 800) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    start = datetime(2026, 1, 1)
    lines = [f"{start + timedelta(minutes=5 * n)},{n % 7}.5,{'NULL' if n % 2 else n},words" for n in range(rows)]
    path.write_text("\n".join([heading, *lines]) + "\n", encoding="utf-8")


def test_windows_are_placed_where_the_folder_has_them(tmp_path: Path) -> None:
    table(tmp_path / "group" / "one.csv", "timestamp,value,other,note", 100)
    windows = {"group/one.csv": [["2026-01-01 01:00:00", "2026-01-01 02:00:00"]]}
    (tmp_path / "windows.json").write_text(json.dumps(windows), encoding="utf-8")
    (one,) = read_folder(tmp_path)
    assert (one.name, one.windows, len(one.value)) == ("group/one.csv", ((12, 24),), 100)


def test_without_windows_every_column_of_enough_numbers_is_a_series(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", "datetime,level,half,note")
    table(tmp_path / "b.csv", "datetime,level,half,note", 100)
    table(tmp_path / "c.csv", "datetime,level_qual,half,note")
    assert [(one.name, one.windows) for one in read_folder(tmp_path)] == [("a.csv:level", ())]


def test_what_is_no_folder_of_series_says_so(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="there is no folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(FolderError, match="no series"):
        read_folder(tmp_path)
    (tmp_path / "windows.json").write_text("{", encoding="utf-8")
    with pytest.raises(FolderError, match="no JSON"):
        read_folder(tmp_path)
    (tmp_path / "windows.json").write_text("{}", encoding="utf-8")
    (tmp_path / "x.csv").write_text("timestamp,value\nnever,1\n", encoding="utf-8")
    with pytest.raises(FolderError, match=r"x\.csv"):
        read_folder(tmp_path)
