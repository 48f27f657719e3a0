"""Read a folder of recorded series, in whatever form `foreshock score` reads: NAB's layout with its windows, or plain.

One pass a file, all of its columns at once.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from models.evaluation import nab
from models.evaluation.folder import WINDOWS, FolderError
from models.interval import Pace
from scripts.recording import Clock, Problems, Row, ScoreError, columns_of, number, oldest_first, read_rows

Floats = npt.NDArray[np.float64]

ENDINGS = (".csv", ".tsv", ".txt")
LEAST = 700
"""Readings that a column must have to be a series."""
FEWEST_VALUES = 3
"""Different ones that it must have: a column of flags has two."""
MOST_WORDS = 0.5
"""Share of its cells that may be no numbers, those that are empty apart."""
MOST_BYTES = 256 * 1024 * 1024
QUALIFIERS = ("_qual", "_cd")  # of columns that say something of the one before them


def read_folder(folder: Path, zone: str = "UTC") -> list[nab.Series]:
    """Read every series under a folder, in order of name.

    With a file of windows each file is one of NAB's (a column of times, one of values) and the windows are placed on
    it; without, each column of numbers beside the column of times is a series, which holds no anomaly as far as is
    known. Times that name no zone are in `zone`. Raise FolderError when there is none, or when a file cannot be read.
    """
    if not folder.is_dir():
        raise FolderError(f"there is no folder {folder}")
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise FolderError(f"unknown time zone {zone!r}: use a name such as Asia/Shanghai") from error
    windows = next((folder / name for name in WINDOWS if (folder / name).is_file()), None)
    known = _windows(windows) if windows is not None else None
    series: list[nab.Series] = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()):
        try:
            if known is None:
                series.extend(_columns(path, path.relative_to(folder).as_posix(), local))
            else:
                name = f"{path.parent.name}/{path.name}"
                series.append(_one(path, name, known.get(name, ()), local))
        except OSError as error:
            raise FolderError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            if path.suffix.lower() == ".txt" and (known is None or f"{path.parent.name}/{path.name}" not in known):
                continue  # what a folder says of itself
            raise FolderError(f"{path}: is no recorded series: {error}") from error
    if not series:
        least = f"; a series has {LEAST} readings at least" if known is None else ""
        raise FolderError(f"there is no series in {folder}: CSV files with a column of times and one of numbers{least}")
    return series


def _windows(path: Path) -> Mapping[str, Sequence[Sequence[str]]]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FolderError(f"{path}: is no JSON: {error}") from error
    if not isinstance(known, dict):
        raise FolderError(f"{path}: names no files")
    return known


def _one(path: Path, name: str, windows: Sequence[Sequence[str]], zone: tzinfo) -> nab.Series:
    """Read a file of one series as it is: the benchmark counts rows, also those of which the clock stands back."""
    time, value = array("d"), array("d")
    for _, row in _rows(path, zone, 1):
        reading = number(row.values[0])
        if reading == reading:
            time.append(row.time)
            value.append(reading)
    if not time:
        raise ValueError("no row can be read")
    times = np.array(time)
    return nab.Series(name, times, np.array(value), nab.spans(times, windows))


def _columns(path: Path, name: str, zone: tzinfo) -> Iterator[nab.Series]:
    """Yield a series for each column of numbers: its readings, each later than the one before."""
    times, clock, pace, last = array("d"), Clock(), Pace(), float("-inf")
    titles: tuple[str, ...] = ()
    cells: list[array[float]] = []
    words: list[int] = []
    for place, row in _rows(path, zone, None):
        if place == 0:
            titles, cells, words = row.names, [array("d") for _ in row.names], [0] * len(row.names)
        time = clock(row.time, pace.interval)
        pace.changed(time)
        if time <= last:
            continue
        last = time
        times.append(time)
        for at, text in enumerate(row.values):
            value = number(text)
            cells[at].append(value)
            words[at] += value != value and text not in ("", "-9999")
    for title, column, said in zip(titles, cells, words, strict=True):
        value = np.array(column)
        there = np.isfinite(value)
        found = int(there.sum())
        if found < LEAST or said > MOST_WORDS * (found + said) or len(np.unique(value[there])) < FEWEST_VALUES:
            continue
        yield nab.Series(f"{name}:{title}", np.array(times)[there], value[there], ())


def _rows(path: Path, zone: tzinfo, most: int | None) -> Iterator[tuple[int, Row]]:
    """Yield the rows of a file, the oldest first, with `most` columns beside that of times; none where it has none."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES >> 20} MB")
    with path.open("rb") as source:
        found = columns_of(source, zone)
        if found is None:
            return
        time, others = found
        others = [one for one in others if not one.endswith(QUALIFIERS)][:most]
        if not others:
            return
        try:
            rows, _ = oldest_first(path, read_rows(path, source, time, others, zone, Problems()), lambda row: row.time)
            yield from zip(count(), rows, strict=False)
        except ScoreError as error:
            raise ValueError(str(error).removeprefix(f"{path}: ")) from error
