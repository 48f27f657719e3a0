"""Score a recorded series reading by reading, as the live engine would: `foreshock score`."""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import chain, islice, repeat
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankResult, BankSettings, Kind
from models.interval import Pace, Paces
from scripts.foresight import HEADING, NO_LIMIT, Foresight, Limit, drive
from scripts.recording import BadRow, Clock, Problems, ScoreError, number, oldest_first, read_rows
from scripts.strip import Strip

GAP, STUCK = "gap", "stuck"
"""What `quality` says, as the flags of a site's readings do: the first reading after a gap, one that stands still."""

_SOME = 1000  # readings of which states are kept side by side
_ALONE, _FIRST = (0,), np.zeros(1, np.intp)
_BIT = ("0", "1")


class ScoreReport(msgspec.Struct, frozen=True):
    """Tell what was done: rows read, readings scored, early events, bad rows (the first ones with line and reason).

    `quality` counts the early events of data quality: gaps, and values that came to stand still.
    """

    rows: int
    scored: int
    alarms: int
    bad: int
    problems: tuple[BadRow, ...]
    interval: float  # seconds between readings that were expected at the end
    kind: Kind
    quality: int = 0
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
    period: float = 360.0,
    zone: str = "UTC",
    settings: BankSettings | None = None,
    limit: Limit | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ScoreReport:
    """Score one column of a CSV and write a CSV of time, value, score, alarm, quality, quality_alarm, a row for each.

    How the file is read: `scripts.recording.read_rows`, and its times `scripts.times.Times`; a time without a zone is
    in `zone`. `interval` seconds between readings; by default the median of those that have come, after the first ones
    only another where they come four times as seldom or as often (`models.interval.Pace`). `period` is an angle's full
    circle. With a `limit` it also writes eta, eta_low, eta_high (seconds, inf where none is foreseen, empty while
    learning) and warning (0 or 1, `models.warning`) before quality; the limit's drivers are further columns, read
    beside. `quality` is empty, `gap` or `stuck`, and `quality_alarm` 1 where either begins: of the sensor, apart from
    `score` and `alarm`. `progress` is told (bytes read, bytes in all). The file is streamed; one that begins with its
    newest row is held, scored from its oldest on and written as it was. Rows that cannot be read are counted and told;
    a reading that is not later than the one before is written with score 0, as the engine drops it, until it is clear
    that the clock was set back (`scripts.recording.Clock`). Raise `ScoreError` on a missing file or column or when no
    row can be read.
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScoreError(f"unknown time zone {zone!r}: use a name such as Asia/Shanghai") from error
    if interval is not None and not (math.isfinite(interval) and interval > 0.0):
        raise ScoreError(f"the interval must be a positive number of seconds, not {interval}")
    if limit is not None and not (math.isfinite(limit.value) and math.isfinite(limit.horizon) and limit.horizon > 0.0):
        raise ScoreError(NO_LIMIT)
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
        readings, turned = oldest_first(
            path, _readings(path, source, time_column, value_column, local, problems, drivers), _time
        )
        first = next(readings, None)
        if first is None:
            raise ScoreError(_unread(path, problems))
        bank = Bank(settings)
        paces = _followed(bank, kind, period, limit, interval)
        foresight = Foresight(limit) if limit is not None else None
        try:
            sink = out.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise ScoreError(f"{out}: cannot be written: {error.strerror}") from error
        tally = _Tally()
        rows = _scored(bank, foresight, paces, chain((first,), readings), source, total, progress, tally)
        with sink:
            writer = csv.writer(sink, lineterminator="\n")
            more = HEADING if foresight is not None else ()
            writer.writerow(("time", "value", "score", "alarm", *more, "quality", "quality_alarm"))
            writer.writerows(reversed(list(rows)) if turned else rows)
    return ScoreReport(
        tally.rows + problems.count,
        tally.scored,
        tally.alarms,
        problems.count,
        tuple(problems.first),
        paces.interval,
        kind,
        tally.quality,
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
        readings, _ = oldest_first(
            path, _readings(path, source, time_column, value_column, local, problems, drivers), _time
        )
        clock, pace = Clock(), Pace()
        for reading in readings:
            time = clock(reading.time, pace.interval)
            pace.changed(time)
            if times and time <= times[-1]:
                again += 1
                continue
            times.append(time)
            values.append(reading.value)
            driven.append(reading.drivers)
    if not times:
        raise ScoreError(_unread(path, problems))
    beside = np.array(driven).reshape(len(times), len(drivers)).T
    return np.array(times), np.array(values), beside, problems.count + again


def _unread(path: Path, problems: Problems) -> str:
    """Say that a file has no row to read, and what is wrong with the first."""
    told = f"; {problems.first[0].line}: {problems.first[0].message}" if problems.first else ""
    return f"{path}: no row can be read{told}"


def _followed(bank: Bank, kind: Kind, period: float, limit: Limit | None, declared: float | None) -> Paces:
    """Have a bank expect readings of the value (row 0) and of its drivers as often as they have come so far."""
    creeps = limit is not None and limit.creeps

    def expect(row: int, interval: float) -> None:
        if row == 0:
            bank.configure(row, interval=interval, kind=kind, period=period, creeps=creeps)
        else:
            bank.configure(row, interval=interval)
        if bank.drivers is not None:
            bank.drivers.expect(row, interval)

    paces = Paces(1 + (0 if limit is None else len(limit.drivers)), declared, expect)
    if limit is not None:
        drive(bank, limit, paces.interval)
    return paces


class _Tally:
    """Count the rows of a recording, the readings scored, the alarms, and those of data quality."""

    rows = scored = alarms = quality = 0


def _scored(
    bank: Bank, foresight: Foresight | None, paces: Paces, readings: Iterator[_Reading], source: IO[bytes], total: int,
    progress: Callable[[int, int], None] | None, tally: _Tally,
) -> Iterator[tuple[str, ...]]:  # fmt: skip
    """Run readings through the bank one by one; yield what is to be written of each."""
    last, clock, states, stood = -math.inf, Clock(), Strip(bank, _SOME), False
    while some := list(islice(readings, _SOME)):
        times, taken, scores, alarms, gaps = [], [], [], [], []
        for place, reading in enumerate(some):
            time = clock(reading.time, paces.interval)
            result = _update(bank, paces, time, reading)
            states.keep(place)
            times.append(time)
            taken.append(time > last)
            last = max(last, time)
            scores.append(result.score.item(0))
            alarms.append(result.alarm.item(0))
            gaps.append(result.gap.item(0))
        stuck = states.stuck(np.arange(len(some))).tolist()
        begun = [gap or (now and not before) for gap, now, before in zip(gaps, stuck, (stood, *stuck), strict=False)]
        stood = stuck[-1]
        told: Iterable[tuple[str, ...]] = repeat(())
        if foresight is not None:
            told = foresight.after(states, zip(times, (reading.value for reading in some), taken, strict=True))
        for reading, score, alarm, more, gap, still, first in zip(
            some, scores, alarms, told, gaps, stuck, begun, strict=False
        ):
            quality = GAP if gap else STUCK if still else ""
            yield (reading.text, reading.value_text, f"{score:.12g}", _BIT[alarm], *more, quality, _BIT[first])
        tally.rows += len(some)
        tally.scored += sum(taken)
        tally.alarms += sum(alarms)
        tally.quality += sum(begun)
        if progress is not None and len(some) == _SOME:
            progress(source.tell(), total)
    if progress is not None:
        progress(total, total)


def _update(bank: Bank, paces: Paces, time: float, reading: _Reading) -> BankResult:
    """Give the bank a reading, and what was read beside it; return what is said of them, of the reading first."""
    if not reading.drivers:
        paces.read(_ALONE, time)
        return bank.update(_FIRST, np.array((time,)), np.array((reading.value,)))
    values = np.array((reading.value, *reading.drivers))
    read = np.flatnonzero(np.isfinite(values))
    paces.read(read.tolist(), time)
    result = bank.update(read, np.full(len(read), time), values[read])
    bank.drive()
    return result


def _time(reading: _Reading) -> float:
    return reading.time


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
        plain = (
            text
            if text[-1:].isdecimal() and text[:1] not in "<>~" and "," not in text and text.isascii()
            else f"{value!r}"
        )
        yield _Reading(row.line, row.text, row.time, plain, value, tuple(map(number, others)))
