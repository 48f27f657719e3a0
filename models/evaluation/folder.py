"""Read a folder of recorded series: NAB's own layout with its windows, or plain CSV files without any."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.evaluation import nab

WINDOWS = ("windows.json", "combined_windows.json", "labels/combined_windows.json")
"""Where the windows of anomalies may stand, under the folder."""

ABSENT = ("", "NA", "NULL", "null", "nan", "NaN", "-9999")
"""What stands in a column where there is no value."""

LEAST = 700
"""Readings that a column must have to be a series."""


class FolderError(ValueError):
    """Raised when a folder holds nothing to evaluate; says what would."""


def read_folder(folder: Path) -> list[nab.Series]:
    """Read every series under a folder, in order of name.

    With a file of windows each CSV is one of NAB's (timestamp, value) and the windows are placed on it; without, each
    column of numbers beside the first column of times is a series, which holds no anomaly as far as is known. Raise
    FolderError when there is none, or when a file cannot be read.
    """
    if not folder.is_dir():
        raise FolderError(f"there is no folder {folder}")
    windows = next((folder / name for name in WINDOWS if (folder / name).is_file()), None)
    files = sorted(folder.rglob("*.csv"))
    series: list[nab.Series] = []
    known: dict[str, list[list[str]]] = {}
    if windows is not None:
        try:
            known = json.loads(windows.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FolderError(f"{windows}: is no JSON: {error}") from error
    for path in files:
        try:
            if windows is None:
                series.extend(_columns(path, path.relative_to(folder).as_posix()))
            else:
                series.append(nab.read_series(path, known.get(f"{path.parent.name}/{path.name}", [])))
        except (ValueError, KeyError, IndexError, UnicodeDecodeError, csv.Error) as error:
            raise FolderError(f"{path}: is no recorded series: {error}") from error
    if not series:
        raise FolderError(f"there is no series in {folder}: CSV files with a column of times and one of numbers")
    return series


def _columns(path: Path, name: str) -> Iterator[nab.Series]:
    with path.open(newline="", encoding="utf-8") as stream:
        table = list(csv.reader(stream))
    if len(table) < LEAST:
        return
    heading, rows = table[0], [row for row in table[1:] if len(row) == len(table[0])]
    when = next((place for place in range(len(heading)) if rows and _moment(rows[0][place]) is not None), None)
    if when is None:
        return
    times = [_moment(row[when]) for row in rows]
    for place, title in enumerate(heading):
        if place == when or title == "" or title.endswith(("_qual", "_cd")):
            continue
        one = _series(f"{name}:{title}", times, [row[place] for row in rows])
        if one is not None:
            yield one


def _series(name: str, times: Sequence[float | None], texts: Sequence[str]) -> nab.Series | None:
    """Make a series of the readings that have time and value, each later than the one before; None: not numbers."""
    kept: list[tuple[float, float]] = []
    for time, text in zip(times, texts, strict=True):
        if text in ABSENT or time is None or (kept and time <= kept[-1][0]):
            continue
        try:
            value = float(text)
        except ValueError:
            return None
        if math.isfinite(value):
            kept.append((time, value))
    if len(kept) < LEAST or len({value for _, value in kept}) < 3:
        return None
    columns = np.array(kept).T
    return nab.Series(name, columns[0].copy(), columns[1].copy(), ())


def _moment(text: str) -> float | None:
    if not any(mark in text for mark in "-/:"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
