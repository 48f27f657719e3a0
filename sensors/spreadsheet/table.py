"""Read a CSV or XLSX file as rows of text, within limits. Formulas are refused, never worked out."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from sensors.document import DocumentError, Problem

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024
"""Bytes of a workbook's parts together, as its directory says; zipfile reads no more of each than that."""

MAX_PARTS = 2_000
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELL = 4_000
MAX_PROBLEMS = 200

_RISKY = ("=", "+", "@", "\t")
_FORMULA = "\0formula"
"""Stands for a cell with a formula; told by identity, so that no text of a file can be it."""


class Row(msgspec.Struct, frozen=True):
    """One row: the line or row number that a person sees, and its cells, as many as there are columns.

    `unread` are the places of cells that cannot be read; they are empty.
    """

    number: int
    cells: tuple[str, ...]
    unread: frozenset[int] = frozenset()


class Table(msgspec.Struct, frozen=True):
    """A header and the rows under it; empty rows are left out. `problems` are the cells that cannot be read."""

    file: str
    header: tuple[str, ...]
    header_row: int
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()


def read_table(path: Path, sheet: str = "") -> Table:
    """Read a file by its ending: .csv (UTF-8, UTF-16 or GB18030; comma, semicolon or tab) or .xlsx.

    Raise `DocumentError` with file, row and column of what cannot be read, or when it is beyond a limit.
    """
    found = survey_table(path, sheet)
    if found.problems:
        raise DocumentError(found.problems)
    return found


def survey_table(path: Path, sheet: str = "") -> Table:
    """Read a file as `read_table` does, but go on past cells that cannot be read: they are the table's problems.

    Raise `DocumentError` for what is no table at all, is beyond a limit, or has more than `MAX_PROBLEMS` such cells.
    """
    file = path.name
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _refused(file, f"it has {size:,} bytes, at most {MAX_BYTES:,} are read")
        if path.suffix.lower() == ".xlsx":
            return _table(file, _workbook_rows(path, sheet))
        if path.suffix.lower() in (".csv", ".tsv", ".txt"):
            return _table(file, _csv_rows(file, path.read_bytes()))
    except OSError as error:
        raise _refused(file, f"cannot be read: {error.strerror or error}") from error
    raise _refused(file, "is neither .csv nor .xlsx; save it as one of them")


def _table(file: str, rows: Iterator[tuple[int, list[str]]]) -> Table:
    header: tuple[str, ...] = ()
    header_row = 0
    found: list[Row] = []
    problems: list[Problem] = []
    for number, cells in rows:
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise _refused(file, f"more than {MAX_COLUMNS} columns", number)
        unread = _wrong_cells(file, number, cells, header)
        problems += unread.values()
        if len(problems) > MAX_PROBLEMS or (unread and not header):
            raise DocumentError(problems)
        cells = ["" if place in unread else _plain(cell.strip()) for place, cell in enumerate(cells)]
        if not header:
            header, header_row = tuple(cells), number
            continue
        if len(cells) > len(header):
            message = f"{len(cells)} cells under {len(header)} column names"
            problems.append(Problem(file, number, column_name(len(header)), message))
            del cells[len(header) :]
        if len(found) >= MAX_ROWS:
            raise _refused(file, f"more than {MAX_ROWS:,} rows; split it", number)
        found.append(Row(number, tuple(cells) + ("",) * (len(header) - len(cells)), frozenset(unread)))
    if not header:
        raise _refused(file, "it is empty: the first row names the columns")
    return Table(file, header, header_row, tuple(found), tuple(problems))


def _wrong_cells(file: str, number: int, cells: Iterable[str], header: tuple[str, ...]) -> dict[int, Problem]:
    """Find the cells of a row that cannot be read, by their places."""
    found = {}
    for place, cell in enumerate(cells):
        column = header[place] if place < len(header) else column_name(place)
        if cell is _FORMULA:
            message = "a formula stands in the cell: copy the column and paste its values"
            found[place] = Problem(file, number, column_name(place), message)
        elif len(cell) > MAX_CELL:
            message = f"{len(cell):,} characters, at most {MAX_CELL:,} are read"
            found[place] = Problem(file, number, column, message)
        elif not cell.strip().isprintable():
            message = "a line break or a control character stands in the cell"
            found[place] = Problem(file, number, column, message)
    return found


def _plain(cell: str) -> str:
    """Take off the ' that keeps spreadsheets from taking a text for a formula; see `guarded`."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in (*_RISKY, "-", "'") and cell[1:2] else cell


def guarded(text: str) -> str:
    """Put a ' before what a spreadsheet would take for a formula, unless it is a number."""
    if text[:1] in (*_RISKY, "'") or (text[:1] == "-" and not _is_number(text)):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def column_name(place: int) -> str:
    """Name a column as spreadsheets do: A … Z, AA …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def _refused(file: str, message: str, row: int = 0) -> DocumentError:
    return DocumentError([Problem(file, row, "", message)])


def decode(file: str, source: bytes) -> str:
    """Decode a text file: by its byte order mark, else as UTF-8, else as GB18030. Raise `DocumentError`."""
    kinds: tuple[str, ...]
    if source.startswith((b"\xff\xfe", b"\xfe\xff")):
        kinds = ("utf-16",)
    elif source.startswith(b"\xef\xbb\xbf"):
        kinds = ("utf-8-sig",)
    else:
        kinds = ("utf-8", "gb18030")
    failed = 0
    for kind in kinds:
        try:
            return source.decode(kind)
        except UnicodeDecodeError as error:
            failed = max(failed, error.start)
    row = source.count(b"\n", 0, failed) + 1
    raise _refused(file, "is neither UTF-8 nor GB18030 text; save it as CSV UTF-8", row)


def _csv_rows(file: str, source: bytes) -> Iterator[tuple[int, list[str]]]:
    text = decode(file, source)
    if "\0" in text:
        raise _refused(file, "is no text: a zero byte stands in it", text.count("\n", 0, text.index("\0")) + 1)
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error as error:
        raise _refused(file, f"not CSV: {error}", number) from error


def _workbook_rows(path: Path, sheet: str) -> Iterator[tuple[int, list[str]]]:
    file = path.name
    _check_archive(path)
    from openpyxl import load_workbook  # here: it takes as long to load as most commands

    try:
        workbook = load_workbook(path, read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # what a broken archive makes of the library is not listed anywhere
        raise _refused(file, f"is no workbook that can be read: {str(error)[:200] or type(error).__name__}") from error
    try:
        if sheet and sheet not in workbook.sheetnames:
            raise _refused(file, f"has no sheet '{sheet}'; its sheets are {', '.join(workbook.sheetnames[:20])}")
        page = workbook[sheet] if sheet else workbook.worksheets[0]
        reset = getattr(page, "reset_dimensions", None)
        if reset is not None:
            reset()  # a file may say that it has a million columns
        yield from _cells(file, page)
    except DocumentError:
        raise
    except Exception as error:
        raise _refused(file, f"is broken inside: {str(error)[:200] or type(error).__name__}") from error
    finally:
        workbook.close()


def _cells(file: str, page: Any) -> Iterator[tuple[int, list[str]]]:
    blank = 0
    for number, cells in enumerate(page.iter_rows(max_col=MAX_COLUMNS + 1), 1):
        found = []
        for cell in cells:
            found.append(_FORMULA if cell.data_type == "f" else _text(cell.value))
        blank = 0 if any(found) else blank + 1
        if number > MAX_ROWS + 1_000 or blank > 10_000:
            raise _refused(file, f"more than {MAX_ROWS:,} rows, or 10,000 empty ones in a row", number)
        yield number, found


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def _check_archive(path: Path) -> None:
    """Refuse a workbook that would unpack to too much, before any of it is unpacked."""
    file = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _refused(file, f"is no workbook: {error}") from error
    if len(parts) > MAX_PARTS:
        raise _refused(file, f"has {len(parts):,} parts, at most {MAX_PARTS:,} are read")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED:
        raise _refused(file, f"unpacks to {unpacked:,} bytes, at most {MAX_UNPACKED:,} are read")
