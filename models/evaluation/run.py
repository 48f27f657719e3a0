"""Run the bank over recorded series. `python -m models.evaluation.run FOLDER` prints the gauge's figures.

FOLDER holds `water/keag_first_half.csv`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings
from models.evaluation import gauge, nab
from models.interval import usual_interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def run_bank(
    series: list[nab.Series],
    settings: BankSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, Floats], dict[str, Bools]]:
    """Score all series side by side, one row each, reading by reading; return scores and alarms by name.

    `progress` is told (readings done, in all) of the longest series.
    """
    bank = Bank(settings)
    bank.grow(len(series))
    for row, one in enumerate(series):
        bank.configure(row, interval=one.interval)
    lengths = np.array([len(one.time) for one in series])
    scores = {one.name: np.zeros(len(one.time)) for one in series}
    alarms = {one.name: np.zeros(len(one.time), np.bool_) for one in series}
    for place in range(int(lengths.max())):
        rows = np.flatnonzero(lengths > place)
        there = [series[row] for row in rows]
        told = bank.update(
            rows, np.array([one.time[place] for one in there]), np.array([one.value[place] for one in there])
        )
        for one, score, alarm in zip(there, told.score, told.alarm, strict=True):
            scores[one.name][place] = score
            alarms[one.name][place] = alarm
        if progress is not None and place % 50 == 0:
            progress(place, int(lengths.max()))
    return scores, alarms


def gauge_figures(path: Path, column: str = "65565_00065") -> dict[str, object]:
    """Return detection, median lead and false share against the 95 % quantile, warned by eta within 12 hours."""
    time, value = gauge.read_gauge(path, column)
    limit = float(np.quantile(value, 0.95))
    eta = gauge.etas(time, value, limit, usual_interval(time.tolist()))
    told = gauge.foresee(time, value, eta, limit, horizon=12 * gauge.HOUR, apart=12 * gauge.HOUR)
    return {
        "data": path.name,
        "limit": round(limit, 3),
        "crossings": told.crossings,
        "detected": told.detected,
        "median lead h": round(told.median_lead / gauge.HOUR, 1),
        "warnings": told.warnings,
        "false share": round(told.false_share, 2),
    }


def main() -> None:
    """Print one JSON line a data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    if (folder / "water" / "keag_first_half.csv").exists():
        sys.stdout.write(json.dumps(gauge_figures(folder / "water" / "keag_first_half.csv")) + "\n")


if __name__ == "__main__":
    main()
