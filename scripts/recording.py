"""Read a recording: a table of text in the encoding, with the delimiters and under the heading its logger chose."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from models.interval import FIRST
from scripts.times import Times

_PROBLEMS = 20  # bad rows told one by one; the rest are counted
_LONGEST = 1 << 20  # characters of a line; what is longer comes in pieces, none of which is a row
_PREAMBLE = 100  # lines in which the heading is looked for
_MOST_TURNED = 5_000_000  # rows of a recording that begins with its newest
_ENCODINGS = ("utf-8", "gb18030", "latin-1")
_NO_VALUE = frozenset({-999.0, -6999.0, -9999.0, -99999.0, -999999.0, 1e31, 9.96921e36})
"""What loggers and services write where they have no value."""
_AMOUNT = re.compile(
    r"[<>~≈≤≥]?\s*([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))"
    r"(?:\s*[^\W\d_]{1,4}[²³]?(?:/[^\W\d_]{1,4}[²³]?)?|\s*[%‰*°]\s*[A-Z]?)?"
)
"""A number, perhaps with thousands parted, a sign of "less than" before it, and a unit or a flag after it."""
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


_Record = tuple[int, list[str]]
_Each = TypeVar("_Each", bound=msgspec.Struct)


def read_rows(
    path: Path, source: IO[bytes], time_column: str, value_columns: Sequence[str], zone: tzinfo, problems: Problems
) -> Iterator[Row]:
    """Yield the rows that have all columns and a time; note the others. Raise `ScoreError` without such columns.

    The heading is the first line in which all columns are found, whatever stands before it; UTF-8, UTF-16, GB 18030 or
    Latin-1; parted by commas, semicolons, tabs or bars. A column is named by its heading, without its unit in
    brackets or in another case too where that is one only, or by its number from 1: then there may be no heading.
    """
    lines = _lines(source)
    before = list(islice(lines, _PREAMBLE))
    if not any(line.strip() for line in before):
        raise ScoreError(f"{path}: is empty; a heading and rows are needed")
    table = _table(path, before, (time_column, *value_columns), zone)
    text = (line.decode(table.encoding, "replace").replace("\0", "") for line in chain(before[table.skipped :], lines))
    records = _records(csv.reader(text, delimiter=table.delimiter), table.skipped, problems)
    time_at, *at = table.at
    chosen, needed = tuple(table.names[place] for place in at), max(table.at) + 1
    decimal_comma = table.delimiter != ","  # where it parts no columns, a comma is a decimal one
    first = list(islice(records, FIRST))
    times = Times(zone, (record[time_at].strip() for _, record in first if len(record) > time_at))
    for line, record in chain(first, records):
        if len(record) < needed:
            problems.add(line, f"has {len(record)} columns, {needed} are needed")
            continue
        written = record[time_at].strip()
        try:
            time = times.read(written)
        except ValueError:
            problems.add(line, f"{table.names[time_at]}: not a time: {written[:40]!r}")
            continue
        yield Row(line, written, time, chosen, tuple(_cell(record[place], decimal_comma) for place in at))


def oldest_first(path: Path, rows: Iterator[_Each], time: Callable[[_Each], float]) -> tuple[Iterator[_Each], bool]:
    """Return rows in the order of their time where they begin with the newest, and whether they do.

    Such a recording is held in memory; any other is passed on as it is. Raise `ScoreError` on too many rows to hold.
    """
    first = list(islice(rows, FIRST))
    falls = sum(later < sooner for sooner, later in pairwise(map(time, first)))
    if len(first) < 3 or falls <= 0.9 * (len(first) - 1):
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
    """Return the number that a cell holds; nan where it holds none, or one that stands for none (-9999).

    A unit or a flag after it is left out, as is a sign of "less than" before it; 1,234.5 is read as written.
    """
    try:
        value = float(text)
    except ValueError:
        told = _AMOUNT.fullmatch(text.strip().replace("−", "-")) if len(text) < 64 else None
        value = float(told[1].replace(",", "")) if told else math.nan
    return math.nan if value in _NO_VALUE else value


def _cell(text: str, decimal_comma: bool) -> str:
    """Return a cell with a point in its number."""
    text = text.strip()
    if not decimal_comma or "," not in text:
        return text
    if text.rfind(".") > text.rfind(","):
        return text.replace(",", "")  # 1,234.5
    return text.replace(".", "").replace(",", ".") if text.count(",") == 1 else text.replace(",", "")


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    """Yield lines ended by \\n, in UTF-8 where the file is UTF-16, else as they are; `source` can be asked how far."""
    mark = source.read(4)
    source.seek(0)
    wide = mark[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = io.TextIOWrapper(source, "utf-16" if wide else "latin-1", "replace")
    try:
        for number, line in enumerate(iter(lambda: text.readline(_LONGEST), "")):
            raw = line.encode("utf-8", "replace") if wide else line.encode("latin-1")
            yield raw.removeprefix(b"\xef\xbb\xbf") if number == 0 else raw
    finally:
        text.detach()  # or it would close what is still asked how far it was read


def _records(table: Iterator[list[str]], skipped: int, problems: Problems) -> Iterator[_Record]:
    """Yield the records that are CSV with the number of their last line; note the others."""
    while True:
        try:
            record = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(skipped + table.line_num, f"not CSV: {error}")  # type: ignore[attr-defined]
            continue
        if record:
            yield skipped + table.line_num, record  # type: ignore[attr-defined]


def _table(path: Path, lines: Sequence[bytes], wanted: Sequence[str], zone: tzinfo) -> _Table:
    """Find the heading, and with it how the file is to be read."""
    if any(not column.isdecimal() for column in wanted):
        for find in (_place, _nearly):
            for at, line in enumerate(lines):
                for encoding, delimiter, names in _readings(line):
                    places = [find(names, column) for column in wanted]
                    if None not in places:
                        there = [place for place in places if place is not None]
                        return _Table(encoding, delimiter, names, there, at + 1, at + 1)
    full = [at for at, line in enumerate(lines) if line.strip() and not line.startswith(b"#")]
    if not full:
        raise ScoreError(f"{path}: is empty; a heading and rows are needed")
    at = full[0]
    encoding, delimiter, names = max(_readings(lines[at]), key=lambda each: len(each[2]))
    places = [_place(names, column) for column in wanted]
    for column, place in zip(wanted, places, strict=True):
        if place is None:
            there_are = ", ".join(name or "(unnamed)" for name in names)
            raise ScoreError(f"{path}:{at + 1}: no column {column!r}; there are: {there_are}")
    there = [place for place in places if place is not None]
    if _is_row(names, there, zone, delimiter):
        return _Table(encoding, delimiter, [f"column {n}" for n in range(1, len(names) + 1)], there, at, at)
    return _Table(encoding, delimiter, names, there, at + 1, at + 1)


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


def _is_row(cells: Sequence[str], places: Iterable[int], zone: tzinfo, delimiter: str) -> bool:
    """Return whether the first line is no heading but a row already."""
    time_at, *at = places
    try:
        Times(zone).read(cells[time_at])
    except ValueError:
        return False
    return all(math.isfinite(number(_cell(cells[place], delimiter != ","))) for place in at)
