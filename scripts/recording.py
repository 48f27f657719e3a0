"""Read a recording: a table of text in the encoding, with the delimiters and under the heading its logger chose."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from models.area.wild import NO_VALUE
from models.interval import FIRST
from models.scoring import LARGEST
from scripts.times import Times, falls

_PROBLEMS = 20  # bad rows told one by one; the rest are counted
_LONGEST = 1 << 20  # characters of a line; what is longer comes in pieces, none of which is a row
_PREAMBLE = 100  # lines in which the heading is looked for
_MOST_TOLD = 30  # columns that are named where one is not found
_UNDER = 3  # lines under a heading of which one must be a row
_MOST_LINES = 100  # that a quoted text goes on for
_MOST_TURNED = 5_000_000  # rows of a recording that begins with its newest
_ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
_AMOUNT = re.compile(
    r"[<>~≈≤≥]?\s*([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))"
    r"(?:\s*[^\W\d_]{1,4}[²³]?(?:/[^\W\d_]{1,4}[²³]?)?|\s*[%‰*°]\s*[A-Z]?)?"
)
"""A number, perhaps with thousands parted, a sign of "less than" before it, and a unit or a flag after it."""
_WIDE = {ord("　"): " ", **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}}
"""Signs of full width, as Chinese offices write them, to those of ASCII."""
_OTHER = {
    b"PK\x03\x04": "an Excel workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
}
"""What a file is that begins so, and is often taken for a table of text."""
_MARK = re.compile(r"\d[-/:.年]\d+[-/:.月]|\d:\d|[A-Za-z]{3}")
"""What stands between the parts of a time, and in no number."""
_TIMES = re.compile(
    "t|time|timestamp|ts|unix( time)?|epoch|date|date ?time|zeit|datum|zeitstempel|(采集|监测)?时间|日期"
)
_SPACES, _SPACE = " ", re.compile(r"[ \t]+")
_DECIMAL = re.compile(r"[-+−]?(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?:\s*\D{1,8})?")
_UNIT = re.compile(r"[(\[（【].*$")


class ScoreError(ValueError):
    """Raised when a file cannot be scored at all. Says the file, the line and what would fix it."""


class BadRow(msgspec.Struct, frozen=True):
    """Say why a row was not scored."""

    line: int
    message: str


class Problems:
    """Count bad rows and keep the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[BadRow] = []

    def add(self, line: int, message: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < _PROBLEMS:
            self.first.append(BadRow(line, message))


class Row(msgspec.Struct, frozen=True):
    """A row whose time can be read: its line, its time as written and in unix seconds, the columns asked for."""

    line: int
    text: str
    time: float
    names: tuple[str, ...]
    values: tuple[str, ...]


class _Table(msgspec.Struct, frozen=True):
    """Say how a file is to be read: its encoding, what parts its columns, its heading, where the columns are."""

    encoding: str
    delimiter: str
    names: list[str]
    at: list[int]
    skipped: int  # lines before the first row
    line: int  # of the heading


_Each = TypeVar("_Each", bound=msgspec.Struct)


def read_rows(
    path: Path, source: IO[bytes], time_column: str, value_columns: Sequence[str], zone: tzinfo, problems: Problems
) -> Iterator[Row]:
    """Yield the rows that have all columns and a time; note the others. Raise `ScoreError` without such columns.

    The heading is the first line in which all columns are found, whatever stands before it; UTF-8, UTF-16, GB 18030 or
    Latin-1; parted by commas, semicolons, tabs or bars, or by spaces. A column is named by its heading, without its
    unit in brackets or in another case too where that is one only, or by its number from 1: then there may be no
    heading. A day and a time of it in two columns are named together: `date+time`.
    """
    before = _beginning(source)
    for mark, other in _OTHER.items():
        if before and before[0].startswith(mark):
            raise ScoreError(f"{path}: is no text but {other}; save what it holds as CSV")
    if not any(line.strip() for line in before):
        raise ScoreError(f"{path}: is empty; a heading and rows are needed")
    table = _table(path, before, time_column, value_columns, zone)
    when, at = table.at[: -len(value_columns)], table.at[-len(value_columns) :]
    chosen, needed = tuple(table.names[place] for place in at), max(table.at) + 1
    called = " ".join(table.names[place] for place in when)
    loosely = Times(zone)

    def whole(cells: Sequence[str]) -> bool:
        """Return whether a line that may be part of a quoted text is a row of its own."""
        return len(cells) >= needed and loosely.tells(_moment(cells, when))

    records = _records(_lines(source, table.encoding, table.skipped), table, whole)
    first = list(islice(records, FIRST))
    times = Times(zone, (_moment(record, when) for _, record in first if len(record) > max(when)))
    full = [record for _, record in first if len(record) >= needed]
    # where it parts no columns, a comma is a decimal one; where it does, a cell is quoted for it
    decimal_comma = table.delimiter != "," or _decimal_commas(record[place] for record in full for place in at)
    for line, record in chain(first, records):
        if len(record) < needed:
            problems.add(line, f"has {len(record)} columns, {needed} are needed")
            continue
        written = _moment(record, when)
        try:
            time = times.following(written)
        except ValueError:
            problems.add(line, f"{called}: not a time: {written[:40]!r}")
            continue
        yield Row(line, written, time, chosen, tuple(_cell(record[place], decimal_comma) for place in at))


def _moment(cells: Sequence[str], when: Sequence[int]) -> str:
    """Return the time of a row, which may stand in two cells: 2026-05-01 and 8:30, 20260501 and 830."""
    if len(when) == 1:
        return cells[when[0]].strip()
    day, hour = (cells[place].strip() for place in when)
    if day.isdecimal() and hour.isdecimal():
        return day + hour.zfill(4 if len(hour) <= 4 else 6)
    return f"{day} {hour}"


def columns_of(source: IO[bytes], zone: tzinfo) -> tuple[str, list[str]] | None:
    """Return the heading of the column of times, and those of the others that have one of their own; None without one.

    The column of times is the first that holds times with a mark between their parts, else the first that is called
    so: a number alone may be anything. The heading is the line before the rows, or before one that tells their units.
    """
    lines = [line for line in _beginning(source) if line.strip()]
    times = Times(zone)
    for at, line in enumerate(lines):
        for encoding, delimiter, names in _readings(line):
            if len(names) < 2:
                continue
            for below in lines[at + 1 : at + 1 + _UNDER]:
                cells = _quoted(below.decode(encoding, "replace").replace("\0", "").strip("\n"), delimiter) or []
                place = _time_place(names, cells, times)
                if place is None or times.tells(names[place]):
                    continue
                others = [name for other, name in enumerate(names) if other != place and names.count(name) == 1]
                return names[place], [name for name in others if name]
    return None


def _time_place(names: Sequence[str], cells: Sequence[str], times: Times) -> int | None:
    """Return the place of the column of times, by a row's cells and the heading; None where there is none."""
    if len(cells) != len(names):
        return None
    told = [place for place, cell in enumerate(cells) if names[place] and times.tells(cell)]
    marked = [place for place in told if _MARK.search(cells[place].strip())]
    called = [place for place in told if _TIMES.fullmatch(_folded(_UNIT.sub("", names[place])))]
    return next(iter(marked + called), None)


def oldest_first(path: Path, rows: Iterator[_Each], time: Callable[[_Each], float]) -> tuple[Iterator[_Each], bool]:
    """Return rows in the order of their time where they begin with the newest, and whether they do.

    Such a recording is held in memory; any other is passed on as it is. Raise `ScoreError` on too many rows to hold.
    """
    first = list(islice(rows, FIRST))
    if not falls([time(row) for row in first]):
        return chain(first, rows), False
    held = list(islice(chain(first, rows), _MOST_TURNED + 1))
    if len(held) > _MOST_TURNED:
        raise ScoreError(f"{path}: begins with its newest row and is too long to be turned: sort it by time first")
    return reversed(held), True


class Clock:
    """Tell the times of readings so that a clock that was set back goes on.

    A few readings that are not later than the last are left as they are, to be dropped. From the `PATIENCE`-th on that
    rises among them the clock was set back, or wrong before: time goes on from the last one, an interval later.
    """

    PATIENCE = 10

    def __init__(self) -> None:
        self._ahead = 0.0  # seconds that our time is ahead of the file's
        self._last = self._behind = -math.inf
        self._run = 0

    def __call__(self, time: float, interval: float) -> float:
        """Return the time of the next reading; `interval` (seconds) is how often they come."""
        now = time + self._ahead
        if now <= self._last:
            self._run = self._run + 1 if now > self._behind else 1
            self._behind = now
            if self._run < self.PATIENCE:
                return now
            self._ahead += self._last + interval - now
            now = self._last + interval
        self._run, self._behind, self._last = 0, -math.inf, now
        return now


def number(text: str) -> float:
    """Return the number that a cell holds; nan where it holds none, or one that stands for none (-9999, 1e300).

    A unit or a flag after it is left out, as is a sign of "less than" before it; 1,234.5 is read as written. Digits may
    be of full width.
    """
    try:
        value = float(text)
    except ValueError:
        told = _AMOUNT.fullmatch(text.translate(_WIDE).strip().replace("−", "-")) if len(text) < 64 else None
        value = float(told[1].replace(",", "")) if told else math.nan
    return math.nan if value in NO_VALUE or abs(value) > LARGEST else value


def _cell(text: str, decimal_comma: bool) -> str:
    """Return a cell with a point in its number."""
    text = text.strip()
    if not decimal_comma or "," not in text:
        return text
    if text.rfind(".") > text.rfind(","):
        return text.replace(",", "")  # 1,234.5
    return text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text.replace(",", "")


def _decimal_commas(cells: Iterable[str]) -> bool:
    """Return whether commas in numbers part decimals: some are not followed by the three digits of a thousand."""
    marked = [cell for cell in map(str.strip, cells) if "," in cell and "." not in cell]
    return any(_DECIMAL.fullmatch(cell) for cell in marked) and all(cell.count(",") == 1 for cell in marked)


def _wide(source: IO[bytes]) -> bool:
    """Return whether a file is UTF-16 by its mark; go back to its beginning."""
    source.seek(0)
    mark = source.read(2)
    source.seek(0)
    return mark in (b"\xff\xfe", b"\xfe\xff")


def _beginning(source: IO[bytes]) -> list[bytes]:
    """Return the first lines, in UTF-8 where the file is UTF-16, else as they are."""
    wide = _wide(source)
    lines = islice(_lines(source, "latin-1", 0), _PREAMBLE)
    return [line.encode("utf-8" if wide else "latin-1", "replace").removeprefix(b"\xef\xbb\xbf") for line in lines]


def _lines(source: IO[bytes], encoding: str, skipped: int) -> Iterator[str]:
    """Yield the lines of a file after those `skipped`, ended by \\n whatever ended them; UTF-16 where its mark says so.

    `source` can be asked how far it was read.
    """
    text = io.TextIOWrapper(source, "utf-16" if _wide(source) else encoding, "replace")
    try:
        lines = iter(partial(text.readline, _LONGEST), "")
        yield from islice(lines, skipped, None)
    finally:
        if not source.closed:  # or there is nothing left to keep open
            text.detach()  # or it would close what is still asked how far it was read


def _records(
    lines: Iterator[str], table: _Table, whole: Callable[[Sequence[str]], bool]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the records with the number of their last line.

    A quote that is not closed in its line is that of a text of several lines, unless one of these is a row by itself
    or it is never closed: then it stands for nothing, and the rows after it are read.
    """
    delimiter = table.delimiter
    numbered = enumerate(lines, table.skipped + 1)
    waiting: deque[tuple[int, str]] = deque()  # lines that were looked at and proved to be no part of a text
    while (one := waiting.popleft() if waiting else next(numbered, None)) is not None:
        number, line = one
        line = line.rstrip("\n")
        if "\0" in line:
            line = line.replace("\0", "")
        if '"' not in line:
            if line:
                yield number, line.split(None if delimiter == _SPACES else delimiter)
            continue
        if delimiter == _SPACES:
            line = _SPACE.sub(_SPACES, line.strip())
        cells = _quoted(line, delimiter)
        if cells is None:
            number, cells = _over_lines(number, line, delimiter, waiting, numbered, whole)
        yield number, cells


def _over_lines(
    number: int, line: str, delimiter: str, waiting: deque[tuple[int, str]], numbered: Iterator[tuple[int, str]],
    whole: Callable[[Sequence[str]], bool],
) -> tuple[int, list[str]]:  # fmt: skip
    """Return the record whose quoted text goes on in the next lines; where it does not, the line alone."""
    text = line
    for at in range(_MOST_LINES):
        if at == len(waiting):
            more = next(numbered, None)
            if more is None:
                break
            waiting.append(more)
        last, further = waiting[at]
        if further.count('"') % 2 == 0 and whole(_quoted(further, delimiter) or further.split(delimiter)):
            break  # what closes a text has an odd number of quotes
        text = f"{text}\n{further.rstrip()}"
        try:
            cells = _strictly(text, delimiter)
        except csv.Error:
            break
        if cells is not None:
            for _ in range(at + 1):
                waiting.popleft()
            return last, cells
    closed, split = _quoted(line + '"', delimiter) or [], line.replace('"', "").split(delimiter)
    return number, closed if len(closed) >= len(split) else split


def _quoted(line: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line with quotes in it; None where one is not closed."""
    try:
        return _strictly(line, delimiter)
    except csv.Error:  # a quote is closed before its cell ends, or a cell is too long
        try:
            return next(csv.reader((line,), delimiter=delimiter), [])
        except csv.Error:
            return line.split(delimiter)


def _strictly(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a record; None where a quote is not closed. Raise csv.Error on what is none."""
    try:
        return next(csv.reader((text,), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        if "unexpected end" in str(error):
            return None
        raise


def _table(path: Path, lines: Sequence[bytes], time: str, values: Sequence[str], zone: tzinfo) -> _Table:
    """Find the heading, and with it how the file is to be read."""
    day, _, hour = time.partition("+")
    apart = (day.strip(), hour.strip()) if hour.count("+") == 0 and day.strip() and hour.strip() else None
    ways = [(time, *values), *([(*apart, *values)] if apart is not None else [])]
    for wanted in ways:
        found = _headed(lines, wanted)
        if found is not None:
            return found
    wanted = ways[-1]
    full = [at for at, line in enumerate(lines) if line.strip() and not line.startswith(b"#")]
    if not full:
        raise ScoreError(f"{path}: is empty; a heading and rows are needed")
    at = full[0]
    every = [*_readings(lines[at]), *_spaced(lines[at])]
    if all(column.isdecimal() for column in wanted):  # of a row, a cell that is called as the column's number is none
        there = [int(column) - 1 for column in wanted]
        for encoding, delimiter, names in every:
            if -1 < min(there) <= max(there) < len(names) and _is_row(names, there, len(values), zone, delimiter):
                return _Table(encoding, delimiter, [f"column {n}" for n in range(1, len(names) + 1)], there, at, at)
    encoding, delimiter, names = max(every, key=lambda each: len(each[2]))
    fit = [each for each in every if all(_place(each[2], column) is not None for column in wanted)]
    if fit:
        encoding, delimiter, names = fit[0]
    places = [_place(names, column) for column in wanted]
    for column, place in zip(wanted, places, strict=True):
        if place is None:
            raise ScoreError(f"{path}:{at + 1}: no column {column!r}; there are: {_told(names)}")
    there = [place for place in places if place is not None]
    return _Table(encoding, delimiter, names, there, at + 1, at + 1)


def _headed(lines: Sequence[bytes], wanted: Sequence[str]) -> _Table | None:
    """Return how the file is to be read by the first line that names all columns; None where none does.

    A line of words is a heading parted by spaces only where the next is a row of such columns.
    """
    if all(column.isdecimal() for column in wanted):
        return None
    for parted in (_readings, _spaced):
        for find in (_place, _nearly):
            for at, line in enumerate(lines):
                for encoding, delimiter, names in parted(line):
                    places = [find(names, column) for column in wanted]
                    there = [place for place in places if place is not None]
                    if len(there) < len(places):
                        continue
                    below = next((text for text in lines[at + 1 :] if text.strip()), b"")
                    if parted is _readings or any(len(cells) == len(names) for _, _, cells in _spaced(below)):
                        return _Table(encoding, delimiter, names, there, at + 1, at + 1)
    return None


def _spaced(line: bytes) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the ways in which a line may be read that is parted by spaces, and may begin with a #."""
    for encoding in _ENCODINGS:
        try:
            text = line.decode(encoding).replace("\0", "").lstrip("# \t").strip()
        except UnicodeDecodeError:
            continue
        yield encoding, _SPACES, _quoted(_SPACE.sub(_SPACES, text), _SPACES) or []
        return


def _told(names: Sequence[str]) -> str:
    """Return names for people: the first ones, cut, without what is not to be printed."""
    plain = ["".join(sign for sign in name if sign.isprintable())[:40] or "(unnamed)" for name in names[:_MOST_TOLD]]
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return ", ".join(plain) + more


def _readings(line: bytes) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the ways in which a line may be read as a heading: encoding, delimiter, names."""
    for encoding in _ENCODINGS:
        try:
            text = line.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
        for delimiter in sorted(",;\t|", key=text.count, reverse=True):
            try:
                names = next(csv.reader([text], delimiter=delimiter), [])
            except csv.Error:
                continue
            yield encoding, delimiter, [name.strip() for name in names]
        if text.isascii():
            return


def _place(names: Sequence[str], wanted: str) -> int | None:
    """Return the place of a column by its heading, or by its number from 1."""
    if wanted in names:
        return names.index(wanted)
    return int(wanted) - 1 if wanted.isdecimal() and 1 <= int(wanted) <= len(names) else None


def _nearly(names: Sequence[str], wanted: str) -> int | None:
    """Return the place of the only column that is called so but for its case, its unit in brackets, and spaces."""
    for plain in (_folded, lambda name: _folded(_UNIT.sub("", name))):
        found = [place for place, name in enumerate(names) if plain(name) == plain(wanted) != ""]
        if len(found) == 1:
            return found[0]
    return _place(names, wanted) if wanted.isdecimal() else None


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def _is_row(cells: Sequence[str], places: Sequence[int], values: int, zone: tzinfo, delimiter: str) -> bool:
    """Return whether the first line is no heading but a row already; the last places are those of `values`."""
    when, at = places[:-values], places[-values:]
    if not Times(zone).tells(_moment(cells, when)):
        return False
    return all(math.isfinite(number(_cell(cells[place], delimiter != ","))) for place in at)
