"""Score several columns of a recording together, row by row, by a model of its first rows: `foreshock score`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from itertools import chain, islice
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np
import numpy.typing as npt

from models.area.fitting import RATE, FitError, Fitted, fit
from models.area.model import Watch
from models.area.rows import MOST_ROWS, STALE
from models.interval import usual_interval
from scripts.recording import BadRow, Clock, Problems, ScoreError, number, oldest_first, read_rows

Floats = npt.NDArray[np.float64]


class AreaReport(msgspec.Struct, frozen=True):
    """Tell what was done: rows read, trained on, judged anomalous, early events, rows and values that were bad."""

    rows: int
    trained: int
    anomalous: int
    events: int
    bad: int
    problems: tuple[BadRow, ...]
    interval: float  # seconds between rows
    kind: str  # of the model
    span: int  # rows that it smooths over
    partial: int = 0  # rows judged without a column that was lost
    late: int = 0  # rows that were not later than the one before, and not judged
    wild: int = 0  # values of the rows learnt from that were taken for none: `models.area.wild`


class _Row(msgspec.Struct, frozen=True):
    text: str
    time: float
    texts: tuple[str, ...]
    values: Floats
    read: npt.NDArray[np.bool_]  # which of them are of this row: the others are held


def score_area(
    path: Path,
    time_column: str,
    value_columns: Sequence[str],
    out: Path,
    *,
    train_rows: int,
    zone: str = "UTC",
    rate: float = RATE,
    progress: Callable[[int, int], None] | None = None,
) -> AreaReport:
    """Learn from the first `train_rows` readable rows of a CSV, then judge the rows after them one by one.

    Writes time, the values, score, alarm (1 for every row judged anomalous), top (the column that contributes most to a
    surprising row). Rows that were learnt from have score 0. A value that cannot be read is held from the row before,
    for as long as a live point's is (`models.area.rows.STALE` of its own intervals): from then on rows are judged by
    the other columns, which is told. A row that is not later than the one before has score 0 and is not judged. `rate`
    is the share of independent rows that may be judged anomalous by chance. Raise `ScoreError` where nothing can be
    learnt.
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScoreError(f"unknown time zone {zone!r}: use a name such as Asia/Shanghai") from error
    if len(set(value_columns)) < len(value_columns):
        raise ScoreError("a column is named twice")
    if out.exists() and path.exists() and out.samefile(path):
        raise ScoreError(f"{out}: would overwrite the file that is read; choose another --out")
    try:
        source = path.open("rb")
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror}") from error
    with source:
        problems = Problems()
        rows, turned = oldest_first(path, _rows(path, source, time_column, value_columns, local, problems), _time)
        rows = _holding(rows)
        first = list(islice(rows, train_rows))
        if len(first) < train_rows:
            raise ScoreError(f"{path}: has {len(first)} readable rows, fewer than the {train_rows} to learn from")
        fitted = _learn(path, first, value_columns, rate)
        try:
            sink = out.open("w", newline="", encoding="utf-8")
        except OSError as error:
            raise ScoreError(f"{out}: cannot be written: {error.strerror}") from error
        with sink:
            tally = _Tally()
            held = _Held(first, fitted.model.interval)
            judged = _judged(fitted, held, chain(first, rows), train_rows, source, path.stat().st_size, progress, tally)
            writer = csv.writer(sink, lineterminator="\n")
            writer.writerow(("time", *fitted.model.names, "score", "alarm", "top"))
            writer.writerows(reversed(list(judged)) if turned else judged)
    model = fitted.model
    return AreaReport(
        tally.rows, train_rows, tally.anomalous, tally.events, problems.count, tuple(problems.first), model.interval,
        model.kind, model.span, tally.partial, tally.late, fitted.wild,
    )  # fmt: skip


def read_history(
    path: Path, time_column: str, value_columns: Sequence[str], zone: str = "UTC"
) -> tuple[Floats, Floats, Problems]:
    """Read columns of a CSV as times, f8[rows] ascending, values, f8[rows, columns], and what could not be read.

    It may begin with its newest row; of a longer one the first `MOST_ROWS` rows are read. Raise `ScoreError`.
    """
    problems = Problems()
    try:
        local = ZoneInfo(zone)
        with path.open("rb") as source:
            some = islice(_rows(path, source, time_column, value_columns, local, problems), MOST_ROWS)
            rows = list(_holding(oldest_first(path, some, _time)[0]))
    except OSError as error:
        raise ScoreError(f"{path}: cannot be read: {error.strerror}") from error
    except (ZoneInfoNotFoundError, ScoreError) as error:
        raise ScoreError(str(error)) from error
    if not rows:
        raise ScoreError(f"{path}: no row can be read")
    time, values = np.array([row.time for row in rows]), np.array([row.values for row in rows])
    later = time > np.concatenate(([-np.inf], np.maximum.accumulate(time)[:-1]))
    return time[later], values[later], problems


def _learn(path: Path, first: list[_Row], names: Sequence[str], rate: float) -> Fitted:
    """Fit the model to the rows that are in order."""
    time = np.array([row.time for row in first])
    values = np.array([row.values for row in first])
    later = time > np.concatenate(([-np.inf], np.maximum.accumulate(time)[:-1]))
    try:
        return fit(time[later], values[later], names, usual_interval(time[later].tolist()), rate=rate)
    except FitError as error:
        raise ScoreError(f"{path}: {error}; see --train-rows") from error


class _Held:
    """Tell which columns have had no value for so long that the last one says nothing any more."""

    def __init__(self, first: Sequence[_Row], interval: float) -> None:
        read = np.array([row.read for row in first]).T
        time = np.array([row.time for row in first])
        each = [usual_interval(time[mine].tolist()) if mine.sum() > 1 else interval for mine in read]
        self._patience = STALE * np.maximum(each, interval)
        self._last = np.full(len(read), -np.inf)

    def values(self, time: float, row: _Row) -> Floats:
        """Return a row's values, NaN for those that are lost."""
        self._last[row.read] = time
        return np.where(time - self._last <= self._patience, row.values, np.nan)


class _Tally:
    """Count the rows of a recording, those anomalous, early events, rows with a column lost, and those not later."""

    rows = anomalous = events = partial = late = 0


def _judged(
    fitted: Fitted, held: _Held, rows: Iterator[_Row], trained: int, source: IO[bytes], total: int,
    progress: Callable[[int, int], None] | None, tally: _Tally,
) -> Iterator[tuple[str, ...]]:  # fmt: skip
    """Judge rows one by one; yield what is to be written of each."""
    names = fitted.model.names
    watch, clock = Watch(fitted.model), Clock()
    for row in rows:
        score, alarm, top = 0.0, False, ""
        time = clock(row.time, fitted.model.interval)
        tally.late += not time > watch.last
        if time > watch.last:
            values = held.values(time, row)
            judged = watch.row(time, values)
            if tally.rows >= trained:
                tally.partial += bool(np.isnan(values).any())
                score, alarm, top = judged.score, judged.alarm, judged.top(names)
                tally.events += judged.event
        yield (row.text, *row.texts, f"{score:.12g}", str(int(alarm)), top)
        tally.rows += 1
        tally.anomalous += alarm
        if progress is not None and tally.rows % 1000 == 0:
            progress(source.tell(), total)
    if progress is not None:
        progress(total, total)


def _time(row: _Row) -> float:
    return row.time


def _rows(
    path: Path,
    source: IO[bytes],
    time_column: str,
    value_columns: Sequence[str],
    zone: tzinfo,
    problems: Problems,
) -> Iterator[_Row]:
    """Yield the rows with a readable time, NaN for values that cannot be read; note these."""
    for row in read_rows(path, source, time_column, value_columns, zone, problems):
        values = np.array([number(text) for text in row.values])
        read = np.isfinite(values)
        for place in np.flatnonzero(~read).tolist():
            problems.add(row.line, f"{row.names[place]}: not a number, held: {row.values[place][:40]!r}")
        yield _Row(row.text, row.time, row.values, values, read)


def _holding(rows: Iterator[_Row]) -> Iterator[_Row]:
    """Yield rows in the order of their time with the last value of each column, once every one has had a value."""
    held: Floats | None = None
    for row in rows:
        held = row.values if held is None else np.where(row.read, row.values, held)
        if not np.isnan(held).any():
            yield msgspec.structs.replace(row, values=held)
