"""CSV and XLSX as rows of text: what people's programs write, and what hostile ones do."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from sensors.document import DocumentError, Problem
from sensors.spreadsheet import table
from sensors.spreadsheet.table import guarded, read_table


def problem(path: Path, sheet: str = "") -> Problem:
    with pytest.raises(DocumentError) as raised:
        read_table(path, sheet)
    return raised.value.problems[0]


def book(path: Path, *rows: list[object], sheet: str = "s") -> Path:
    workbook = Workbook()
    page = workbook.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    workbook.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_in_the_encodings_that_offices_write(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file = tmp_path / "points.csv"
    lines = ["编号,名称,限值", "", "p-1, 雨量计 ,50", 'p-2,"甲', "乙", '"']
    text = "\r\n".join(lines[:3]).replace(",", delimiter) + "\r\n"
    file.write_bytes(text.encode(encoding))
    found = read_table(file)
    assert found.header == ("编号", "名称", "限值")
    assert [(row.number, row.cells) for row in found.rows] == [(3, ("p-1", "雨量计", "50"))]


def test_a_workbook_gives_what_is_seen_in_its_cells(tmp_path: Path) -> None:
    file = book(tmp_path / "p.xlsx", ["id", "limit", "yes", None], [None], ["p-1", 50.0, True], [7, 0.25])
    assert [(row.number, row.cells) for row in read_table(file).rows] == [
        (3, ("p-1", "50", "true")),
        (4, ("7", "0.25", "")),
    ]
    assert read_table(file, "s").header == ("id", "limit", "yes")
    assert "its sheets are s" in problem(file, "t").message


def test_a_formula_is_refused_with_its_cell_and_never_worked_out(tmp_path: Path) -> None:
    found = problem(book(tmp_path / "p.xlsx", ["id", "limit"], ["p-1", '=HYPERLINK("http://x")']))
    assert (found.line, found.field) == (2, "B")
    assert "formula" in found.message


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        (b"", 0, "it is empty"),
        (b"id\n\xff\xfe\xff\n", 2, "neither UTF-8 nor GB18030"),
        (b"id\n\0\n", 2, "zero byte"),
        (b'id,name\n"p', 2, "not CSV"),
        (b'id\n"a\nb"\n', 2, "a line break"),
        (b"id\na\x07b\n", 2, "control character"),
        (b"id\na,b\n", 2, "2 cells under 1 column names"),
        (b"id\n" + b"x" * 5000 + b"\n", 2, "5,000 characters"),
        (b"id" + b"," * 100 + b"x" + b",x" * 200 + b"\n", 1, "more than 200 columns"),
        (b"id,name\n" + b'"' + b"x" * 200_000 + b'"\n', 2, "field larger than field limit"),
    ],
)
def test_what_is_no_table_is_refused_with_its_row(tmp_path: Path, content: bytes, row: int, words: str) -> None:
    file = tmp_path / "points.csv"
    file.write_bytes(content)
    found = problem(file)
    assert (found.file, found.line) == ("points.csv", row)
    assert words in found.message


def test_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "points.csv"
    file.write_text("id\n" + "a\n" * 5)
    monkeypatch.setattr(table, "MAX_ROWS", 4)
    assert "more than 4 rows" in problem(file).message
    monkeypatch.setattr(table, "MAX_BYTES", 3)
    assert "at most 3 are read" in problem(file).message
    assert problem(tmp_path / "none.csv").message.startswith("cannot be read")
    (tmp_path / "points.ods").write_text("x")
    assert "neither .csv nor .xlsx" in problem(tmp_path / "points.ods").message


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(30):
            archive.writestr(f"xl/{part}.xml", bytes(10_000_000))
    assert bomb.stat().st_size < 400_000
    assert "unpacks to 300,000,000 bytes" in problem(bomb).message
    monkeypatch.setattr(table, "MAX_PARTS", 20)
    assert "30 parts" in problem(bomb).message


def test_entities_of_a_workbook_are_not_expanded(tmp_path: Path) -> None:
    good = book(tmp_path / "p.xlsx", ["id"], ["p-1"])
    evil = tmp_path / "evil.xlsx"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(evil, "w") as target:
        for part in source.infolist():
            content = source.read(part)
            if part.filename.startswith("xl/worksheets/"):
                content = bomb.encode() + content.replace(b"p-1", b"&c;")
            target.writestr(part, content)
    assert "no workbook that can be read" in problem(evil).message


@cache
def _book_bytes() -> bytes:
    """Make a workbook once: its bytes hold the time, and examples must not differ by it."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return book(Path(folder) / "p.xlsx", ["id", "name"], ["p-1", "x"]).read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "p.xlsx"
        raw = bytearray(_book_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        file.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
        try:
            read_table(file)
        except DocumentError as error:
            assert error.problems


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "p.csv"
        file.write_bytes(content)
        try:
            assert read_table(file).header
        except DocumentError as error:
            assert error.problems


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8))
def test_no_text_is_written_that_a_spreadsheet_takes_for_a_formula_and_all_come_back(text: str) -> None:
    written = guarded(text)
    assert written[0] not in "=+@" and (written[0] != "-" or float(written) <= 0)
    assert table._plain(written) == text


def test_columns_are_named_as_spreadsheets_do() -> None:
    assert [table.column_name(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
