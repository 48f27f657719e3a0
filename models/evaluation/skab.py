"""The SKAB benchmark: outliers in runs of a valve test bed, 8 channels at 1 s (Katser and Kozitsin 2020).

Each run is on its own: a model learns from its first 400 rows, then judges row by row. Figures are over all runs'
rows after those: F1 of rows judged anomalous, FAR (share of normal rows judged anomalous), MAR (share of anomalous rows
missed). Always judging anomalous has F1 0.70 there, so the FAR belongs beside it; the published tables count the
learnt rows too, which leaves F1 as it is where none is judged anomalous and lowers FAR.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.area.fitting import RATE, fit
from models.area.model import Watch
from models.interval import usual_interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TRAIN = 400
RATES = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
"""Rates tried on one half of the runs, the best of which is reported on the other."""


class SkabError(ValueError):
    """Raised when a folder holds no runs, or a file is none: which, and what is wrong."""


class Run(NamedTuple):
    """Hold one run: time f8[rows] (unix s), values f8[rows, channels], and which rows are anomalous, bool[rows]."""

    name: str
    time: Floats
    channels: tuple[str, ...]
    values: Floats
    anomalous: Bools


class Scored(NamedTuple):
    """Hold what a model thought of a run: scores f8[rows] (0 where it learnt), and what each surprising row was for."""

    run: Run
    kind: str
    score: Floats
    top: tuple[str, ...]


class Figures(NamedTuple):
    """Hold the protocol's figures."""

    f1: float
    far: float
    mar: float


def load(folder: Path) -> list[Run]:
    """Read the runs of a folder (`0.csv`, …, semicolons). Raise `SkabError`."""
    files = sorted(folder.glob("*.csv"), key=lambda file: (len(file.stem), file.stem))
    if not files:
        raise SkabError(f"{folder}: there is no run (.csv) in it")
    return [_read(file) for file in files]


def _read(file: Path) -> Run:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        table = csv.reader(stream, delimiter=";")
        names = next(table, [])
        if names[:1] != ["datetime"] or "anomaly" not in names:
            raise SkabError(
                f"{file}:1: not a run of SKAB: the columns datetime, …, anomaly are needed, with semicolons"
            )
        channels = [place for place, name in enumerate(names) if name not in ("datetime", "anomaly", "changepoint")]
        try:
            rows = [
                (
                    datetime.fromisoformat(record[0]).replace(tzinfo=UTC).timestamp(),
                    [float(record[place]) for place in channels],
                    float(record[names.index("anomaly")]) > 0.0,
                )
                for record in table
                if record
            ]
        except (ValueError, IndexError) as error:
            raise SkabError(f"{file}:{table.line_num}: {error}") from error
    if len(rows) <= TRAIN:
        raise SkabError(f"{file}: has {len(rows)} rows; more than {TRAIN} are needed")
    time, values, anomalous = zip(*rows, strict=True)
    return Run(file.name, np.array(time), tuple(names[at] for at in channels), np.array(values), np.array(anomalous))


def score(run: Run) -> Scored:
    """Learn from a run's first rows and score the others one by one."""
    first = run.time[:TRAIN]
    model = fit(first, run.values[:TRAIN], run.channels, usual_interval(first.tolist())).model
    watch = Watch(model)
    judged = [watch.row(time, values) for time, values in zip(run.time.tolist(), run.values, strict=True)]
    found = np.array([one.score for one in judged])
    found[:TRAIN] = 0.0
    return Scored(run, model.kind, found, tuple(one.top(model.names) for one in judged))


def figures(scored: Sequence[Scored], rate: float = RATE, skip: int = TRAIN) -> Figures:
    """Return the figures over runs, without their first `skip` rows, where a row is anomalous by `rate`."""
    told = np.concatenate([one.score[skip:] for one in scored]) >= 1.0 - rate
    truth = np.concatenate([one.run.anomalous[skip:] for one in scored])
    hit, false, missed = (int(each.sum()) for each in (told & truth, told & ~truth, ~told & truth))
    return Figures(
        2.0 * hit / max(2 * hit + false + missed, 1), false / max(int((~truth).sum()), 1), missed / max(hit + missed, 1)
    )


def crossed(scored: Sequence[Scored]) -> list[tuple[float, Figures]]:
    """Return, for each half of the runs (every other one), the best rate on the other half and its figures here."""
    halves = (scored[::2], scored[1::2])
    found = []
    for mine, other in (halves, halves[::-1]):
        if mine and other:
            best = max(RATES, key=lambda rate, other=other: figures(other, rate).f1)  # type: ignore[misc]
            found.append((best, figures(mine, best)))
    return found
