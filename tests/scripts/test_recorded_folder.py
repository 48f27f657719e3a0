"""Folders of series: NAB's layout, tables as people have them, and what is neither."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.evaluation.folder import FolderError
from scripts.recorded_folder import read_folder


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
    table(tmp_path / "d.csv", "datetime,level,level,level")
    (tmp_path / "e.csv").write_text("datetime,level_qual\n2026-01-01 00:00:00,A\n", encoding="utf-8")
    assert [(one.name, one.windows) for one in read_folder(tmp_path)] == [("a.csv:level", ())]


def test_tables_are_read_as_loggers_and_offices_write_them(tmp_path: Path) -> None:
    table(tmp_path / "plain.csv", "datetime,level,half,note")
    heading, *rows = (tmp_path / "plain.csv").read_text(encoding="utf-8").splitlines()
    start, cells = datetime(2026, 1, 1, tzinfo=UTC), [row.split(",") for row in rows]
    german = [f"{datetime.fromisoformat(at):%d.%m.%Y %H:%M};{value.replace('.', ',')};x" for at, value, *_ in cells]
    unix = [f"{start.timestamp() + 300 * n:.0f}\t{value}" for n, (_, value, *_) in enumerate(cells)]
    for name, lines, encoding in (
        ("german.CSV", ["# Pegel; 7", "Zeit;Stand (m);Anm", "TS;m;", *german], "cp1252"),
        ("newest.csv", [heading, *rows[::-1]], "utf-16"),
        ("unix.tsv", ["time\tlevel", *unix], "utf-8-sig"),
        ("chinese.txt", ["时间,水位（米）,时长,备注", *rows], "gb18030"),
    ):
        (tmp_path / name).write_bytes("\r\n".join(lines).encode(encoding))
    (tmp_path / "README.txt").write_text("These are levels, and\nnothing else, in 2026\n")
    found = read_folder(tmp_path)
    assert [one.name for one in found] == [
        *("chinese.txt:水位（米）", "german.CSV:Stand (m)", "newest.csv:level", "plain.csv:level", "unix.tsv:level")
    ]
    for one in found:
        assert one.time.tolist() == [start.timestamp() + 300.0 * n for n in range(800)]
        assert one.value.tolist() == [n % 7 + 0.5 for n in range(800)]
    shanghai = {one.name: one.time[0] for one in read_folder(tmp_path, "Asia/Shanghai")}
    assert shanghai["plain.csv:level"] == start.timestamp() - 8 * 3600.0
    assert shanghai["unix.tsv:level"] == start.timestamp()


def test_what_is_no_folder_of_series_says_so(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="unknown time zone"):
        read_folder(tmp_path, "Mars/Base")
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


def test_what_a_folder_says_of_itself_is_no_series(tmp_path: Path) -> None:
    table(tmp_path / "group" / "one.csv", "timestamp,value,other,note", 100)
    (tmp_path / "LICENSE.txt").write_text("Whoever takes this\nmay give it on.\n", encoding="utf-8")
    (tmp_path / "windows.json").write_text("{}", encoding="utf-8")
    assert [one.name for one in read_folder(tmp_path)] == ["group/one.csv"]
