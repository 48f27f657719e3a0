"""Score a recorded series reading by reading, as the live engine would: `foreshock score`."""

from __future__ import annotations

import csv
import math
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import chain, islice
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings, Kind
from models.interval import FIRST, usual_interval
from scripts.foresight import HEADING, Foresight, Limit, drive

_PROBLEMS = 20  # bad rows told one by one; the rest are counted
_NO_VALUE = frozenset({-9999.0, -99999.0, -999999.0})  # what loggers and services write where they have none


class ScoreError(ValueError):
    """Raised when a file cannot be scored at all. Says the file, the line and what would fix it."""


class BadRow(msgspec.Struct, frozen=True):
    """Say why a row was not scored."""

    line: int
    message: str


class ScoreReport(msgspec.Struct, frozen=True):
    """Tell what was done: rows read, readings scored, early events, bad rows (the first ones with line and reason)."""

    rows: int
    scored: int
    alarms: int
    bad: int
    problems: tuple[BadRow, ...]
    interval: float  # seconds between readings that the bank was told to expect
    kind: Kind
    warnings: int = 0  # early warnings of the limit, where one was given


class _Reading(msgspec.Struct, frozen=True):
    line: int
    text: str  # the time as the file has it
    time: float
    value_text: str
    value: float
    drivers: tuple[float, ...] = ()  # nan where there is none


def score_file(
    path: Path,
    time_column: str,
    value_column: str,
    out: Path,
    *,
    interval: float | None = None,
    kind: Kind = "gauge",
    zone: str = "UTC",
    settings: BankSettings | None = None,
    limit: Limit | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ScoreReport:
    """Score one column of a CSV and write a CSV of time, value, score, alarm (one row a readable row, in order).

    Columns are named by their heading, or by their number from 1. Times are ISO 8601 (with or without zone; without,
    they are in `zone`), or unix seconds, milliseconds, microseconds or nanoseconds. `interval` seconds between
    readings; by default the median of the first ones. With a `limit` it also writes eta, eta_low, eta_high (seconds,
    inf where none is foreseen, empty while learning) and warning (0 or 1, `models.warning`); the limit's drivers are
    further columns, read beside. `progress` is told (bytes
    read, bytes in all). The file is streamed. Rows that cannot be read are counted and told; a reading that is not
    later than the one before is written with score 0, as the engine drops it. Raise `ScoreError` on a missing file or
    column or when no row can be read.
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScoreError(f"unknown time zone {zone!r}: use a name such as Asia/Shanghai") from error
    if interval is not None and not (math.isfinite(interval) and interval > 0.0):
        raise ScoreError(f"the interval must be a positive number of seconds, not {interval}")
    if limit is not None and not (math.isfinite(limit.value) and math.isfinite(limit.horizon) and limit.horizon > 0.0):
        raise ScoreError("the limit must be a number, and its horizon a positive number of seconds")
    if out.exists() and path.exists() and out.samefile(path):
        raise ScoreError(f"{out}: would overwrite the file that is read; choose another --out")
    try:
        source = path.open("rb")
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror}") from error
    with source:
        total = path.stat().st_size
        problems = Problems()
        drivers = () if limit is None else limit.drivers
        readings = _readings(path, source, time_column, value_column, local, problems, drivers)
        first = list(islice(readings, FIRST))
        if not first:
            told = f"; {problems.first[0].line}: {problems.first[0].message}" if problems.first else ""
            raise ScoreError(f"{path}: no row can be read{told}")
        if interval is None:
            interval = usual_interval([reading.time for reading in first])
        bank = Bank(settings)
        bank.configure(0, interval=interval, kind=kind, creeps=limit is not None and limit.creeps)
        if limit is not None:
            drive(bank, limit, interval)
        foresight = Foresight(limit) if limit is not None else None
        try:
            sink = out.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise ScoreError(f"{out}: cannot be written: {error.strerror}") from error
        with sink:
            scored, alarms, rows = _write(sink, bank, foresight, chain(first, readings), source, total, progress)
    return ScoreReport(
        rows + problems.count,
        scored,
        alarms,
        problems.count,
        tuple(problems.first),
        interval,
        kind,
        foresight.warnings if foresight is not None else 0,
    )


def read_series(
    path: Path, time_column: str, value_column: str, zone: str = "UTC", drivers: Sequence[str] = ()
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
    """Return times (unix seconds, rising) and values of a CSV, those of its drivers, and how many rows were left out.

    The drivers' are f8[drivers, n], nan where a cell is no number. Left out are rows that cannot be read and readings
    that are not later than the one before. Raise `ScoreError` as `score_file` does.
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScoreError(f"unknown time zone {zone!r}: use a name such as Asia/Shanghai") from error
    problems, times, values, again = Problems(), array("d"), array("d"), 0
    driven: list[tuple[float, ...]] = []
    try:
        source = path.open("rb")
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror}") from error
    with source:
        for reading in _readings(path, source, time_column, value_column, local, problems, drivers):
            if times and reading.time <= times[-1]:
                again += 1
                continue
            times.append(reading.time)
            values.append(reading.value)
            driven.append(reading.drivers)
    if not times:
        raise ScoreError(f"{path}: no row can be read")
    beside = np.array(driven).reshape(len(times), len(drivers)).T
    return np.array(times), np.array(values), beside, problems.count + again


def _write(
    sink: IO[str],
    bank: Bank,
    foresight: Foresight | None,
    readings: Iterator[_Reading],
    source: IO[bytes],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[int, int, int]:
    """Run readings through the bank one by one; return how many were scored, alarmed and written."""
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(("time", "value", "score", "alarm", *(HEADING if foresight is not None else ())))
    scored = alarms = rows = 0
    last = -math.inf
    for reading in readings:
        values = np.array([reading.value, *reading.drivers])
        read = np.flatnonzero(np.isfinite(values))
        result = bank.update(read, np.full(len(read), reading.time), values[read])
        bank.drive()
        alarm = bool(result.alarm[0])
        told = () if foresight is None else foresight.after(bank, reading.time, reading.value, reading.time > last)
        writer.writerow((reading.text, reading.value_text, f"{result.score[0]:.12g}", int(alarm), *told))
        rows += 1
        scored += reading.time > last
        last = max(last, reading.time)
        alarms += alarm
        if progress is not None and rows % 1000 == 0:
            progress(source.tell(), total)
    if progress is not None:
        progress(total, total)
    return scored, alarms, rows


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


def read_lines(source: IO[bytes]) -> Iterator[str]:
    """Yield lines as text, so that `source` can be asked how far it is."""
    for number, line in enumerate(iter(source.readline, b"")):
        text = line.decode("utf-8-sig" if number == 0 else "utf-8", "replace")
        yield text.replace("\0", "")


class Row(msgspec.Struct, frozen=True):
    """A row whose time can be read: its line, its time as written and in unix seconds, the columns asked for."""

    line: int
    text: str
    time: float
    names: tuple[str, ...]
    values: tuple[str, ...]


def read_rows(
    path: Path, source: IO[bytes], time_column: str, value_columns: Sequence[str], zone: tzinfo, problems: Problems
) -> Iterator[Row]:
    """Yield the rows that have all columns and a time; note the others. Raise `ScoreError` without such columns."""
    lines = read_lines(source)
    skipped = 0
    heading = next(lines, "")
    while heading and (not heading.strip() or _is_remark(heading, time_column)):
        heading, skipped = next(lines, ""), skipped + 1
    delimiter = max(",;\t|", key=heading.count)
    table = csv.reader(chain(("\n",) * skipped, (heading,), lines), delimiter=delimiter)
    point = "," if delimiter != "," else "."  # where it parts no columns, a comma is a decimal one
    try:
        names = [name.strip() for name in next(record for record in table if record)]
    except (StopIteration, csv.Error) as error:
        raise ScoreError(f"{path}: is empty; a heading and rows are needed") from error
    time_at = column_of(path, names, time_column)
    at = [column_of(path, names, wanted) for wanted in value_columns]
    chosen, needed = tuple(names[place] for place in at), max(time_at, *at) + 1
    while True:
        try:
            record = next(table)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(table.line_num, f"not CSV: {error}")
            continue
        if not record:
            continue
        if len(record) < needed:
            problems.add(table.line_num, f"has {len(record)} columns, {needed} are needed")
            continue
        text = record[time_at].strip()
        try:
            time = read_time(text, zone)
        except ValueError:
            problems.add(table.line_num, f"{names[time_at]}: not a time: {text[:40]!r}")
            continue
        yield Row(table.line_num, text, time, chosen, tuple(record[place].strip().replace(point, ".") for place in at))


def _is_remark(line: str, time_column: str) -> bool:
    """Return whether a line is one of those that services begin their files with, and not the heading."""
    names = [name.strip(' "\r\n') for name in re.split(r"[,;\t|]", line)]
    heads = time_column in names or (time_column.isdecimal() and len(names) > 1)
    return line.startswith("#") and not heads


def _readings(
    path: Path,
    source: IO[bytes],
    time_column: str,
    value_column: str,
    zone: tzinfo,
    problems: Problems,
    drivers: Sequence[str] = (),
) -> Iterator[_Reading]:
    """Yield the readable rows; note the others. What is no number in a driver's column was not read."""
    for row in read_rows(path, source, time_column, (value_column, *drivers), zone, problems):
        (name, *_), (text, *others) = row.names, row.values
        value = number(text)
        if not math.isfinite(value):
            problems.add(row.line, f"{name}: not a number: {text[:40]!r}")
            continue
        yield _Reading(row.line, row.text, row.time, text, value, tuple(map(number, others)))


def number(text: str) -> float:
    """Return the number that a cell holds; nan where it holds none, or one that stands for none (-9999)."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return math.nan if value in _NO_VALUE else value


def column_of(path: Path, names: list[str], wanted: str) -> int:
    """Return the place of a column by its heading, or by its number from 1."""
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise ScoreError(f"{path}:1: no column {wanted!r}; there are: {', '.join(name or '(unnamed)' for name in names)}")


def read_time(text: str, zone: tzinfo = UTC) -> float:
    """Return unix seconds of a time as people write it. Raise ValueError on anything else.

    ISO 8601 (space or T, with or without zone, Z), also with `/` in the date and without leading zeros; month/day/year;
    unix time, its unit told by its size: seconds, milliseconds, microseconds or nanoseconds.
    """
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if len(text) == 8 and text.isdecimal():  # a bare date, YYYYMMDD
            return datetime.strptime(text, "%Y%m%d").replace(tzinfo=zone).timestamp()
        if not math.isfinite(number):
            raise ValueError(text)
        size = abs(number)
        if size > 4e18:  # nanoseconds of the next century: no clock says more
            raise ValueError(text)
        return number / (1.0 if size < 1e11 else 1e3 if size < 1e14 else 1e6 if size < 1e17 else 1e9)
    plain = text.replace("/", "-").removesuffix(" UTC")
    try:
        moment = datetime.fromisoformat(plain)
    except ValueError:
        moment = _loose(plain)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if text.endswith(" UTC") else zone)
    return moment.timestamp()


def _loose(text: str) -> datetime:
    """Return a local time that lacks leading zeros (2024-4-1 7:05) or that an American logger wrote (4-1-2024)."""
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%m-%d-%Y %H:%M:%S", "%m-%d-%Y %H:%M"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(text)
