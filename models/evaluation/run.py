"""Run the bank over the evaluation data and print its figures: `python -m models.evaluation.run FOLDER`.

FOLDER holds `nab/` (series beside windows.json) and `water/keag_first_half.csv`; what is absent is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings
from models.evaluation import budget, gauge, nab
from models.interval import usual_interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def run_bank(
    series: list[nab.Series], settings: BankSettings | None = None
) -> tuple[dict[str, Floats], dict[str, Bools]]:
    """Score all series side by side, one row each, reading by reading; return scores and alarms by name."""
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
    return scores, alarms


def nab_figures(folder: Path) -> dict[str, object]:
    """Return NAB scores of the three profiles, held-out scores, calibration and alarm load."""
    series = nab.load(folder)
    scores, alarms = run_bank(series)
    verdicts = {name: nab.judge(series, scores, profile) for name, profile in nab.PROFILES.items()}
    standard = nab.PROFILES["standard"]
    first, second = nab.halves(series)
    held = [
        nab.judge(other, scores, standard, nab.judge(mine, scores, standard).threshold).score
        for mine, other in ((first, second), (second, first))
    ]
    false, days = 0, 0.0
    for one in series:
        outside = np.ones(len(one.time), np.bool_)
        for begin, end in one.windows:
            outside[begin : end + 1] = False
        false += int((alarms[one.name] & outside).sum())
        days += float(one.time[-1] - one.time[0]) / 86400.0
    told = {}
    for nominal in (0.01, 0.001):
        measured = budget.calibration_of(list(scores.values()), nominal)
        told[str(nominal)] = {
            "median": round(measured.median, 2),
            "within 0.3-3": round(measured.within(0.3, 3.0), 2),
            "within 0.5-2": round(measured.within(0.5, 2.0), 2),
        }
    return {
        "data": "nab",
        "series": len(series),
        **{name: round(verdict.score, 1) for name, verdict in verdicts.items()},
        "threshold": verdicts["standard"].threshold,
        "threshold from one half, score of the other": [round(score, 1) for score in held],
        "false alarms per point-day at the shipped budget": round(false / days, 4),
        "observed over nominal": told,
    }


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
    if (folder / "nab" / "windows.json").exists():
        sys.stdout.write(json.dumps(nab_figures(folder / "nab")) + "\n")
    if (folder / "water" / "keag_first_half.csv").exists():
        sys.stdout.write(json.dumps(gauge_figures(folder / "water" / "keag_first_half.csv")) + "\n")


if __name__ == "__main__":
    main()
