"""Score the models on made series of kinds that they were not built on: novelty, limits from above and below, a pump.

Prints a table a kind: points and false alarms by NAB, how crossings are foreseen, and what a joint model finds.
`python -m scripts.evaluate_made --seeds 3` takes a minute a seed.
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.evaluation import benchmark, gauge, nab, skab
from models.evaluation.run import run_bank
from models.warning import HORIZON
from scripts import made_series


def novelty(seeds: range, threshold: float, console: Console) -> None:
    """Tell of each kind NAB's standard score at the shipped threshold, windows found, false alarms, and rates."""
    series = made_series.series(seeds)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("novelty")
        scores, alarms = run_bank(series, progress=lambda n, of: progress.update(task, completed=n, total=of))
    table = Table("kind", "standard", "found", "false", "alarmed", "false a day", "0.99", "0.999", box=None)
    standard = nab.PROFILES["standard"]
    for kind in (*made_series.KINDS, ""):
        mine = [one for one in series if one.name.startswith(f"{kind}/") or not kind]
        told = nab.judge(mine, scores, standard, threshold)
        rates = benchmark.rates(mine, scores, alarms)
        alarmed = sum(bool(alarms[one.name][a : b + 1].any()) for one in mine for a, b in one.windows)
        table.add_row(
            kind or "all", f"{told.score:.1f}", f"{told.hits} of {told.windows}", str(told.false), str(alarmed),
            f"{sum(one.alarms for one in rates) / sum(one.days for one in rates):.3f}",
            f"{np.mean([one.often for one in rates]):.2f}", f"{np.mean([one.seldom for one in rates]):.2f}",
        )  # fmt: skip
    console.print(table)


def limits(seeds: range, console: Console) -> None:
    """Tell how the crossings of each kind's limits, above and below, are foreseen over all seeds."""
    table = Table("kind", "limit", "foreseen", "median lead h", "warnings", "false share", "a week", box=None)
    for kind, make in made_series.GAUGES.items():
        for below in (False, True):
            found = []
            for seed in seeds:
                one = make(np.random.default_rng(seed), below=below)
                eta = gauge.etas(one.time, one.value, one.limit, below=below)
                found.append(
                    gauge.foresee(one.time, one.value, eta, one.limit, horizon=HORIZON, apart=HORIZON, below=below)
                )
            crossings, warned = sum(one.crossings for one in found), sum(one.warnings for one in found)
            false, leads = sum(one.false for one in found), [c.lead or 0.0 for one in found for c in one.crossed]
            table.add_row(
                kind, "below" if below else "above", f"{sum(one.detected for one in found)} of {crossings}",
                f"{np.median(leads) / gauge.HOUR if leads else 0.0:.1f}", str(warned), f"{false / max(warned, 1):.2f}",
                f"{false * gauge.WEEK / sum(one.span for one in found):.2f}",
            )  # fmt: skip
    console.print(table)


def together(seeds: range, console: Console) -> None:
    """Tell what the joint model of the first 400 rows finds of a pump whose valve closes."""
    told = skab.figures([skab.score(made_series.pump(seed)) for seed in seeds])
    console.print(f"pump: F1 {told.f1:.3f} at a false-alarm rate of {told.far:.3f}, {told.mar:.3f} missed")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="series of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--threshold", type=float, default=0.99919, help="of the score, as NAB at hand has it")
    parser.add_argument("--only", choices=("novelty", "limits", "together"), default=None)
    asked = parser.parse_args()
    seeds, console = range(asked.first, asked.first + asked.seeds), Console()
    if asked.only in (None, "novelty"):
        novelty(seeds, asked.threshold, console)
    if asked.only in (None, "limits"):
        limits(seeds, console)
    if asked.only in (None, "together"):
        together(seeds, console)


if __name__ == "__main__":
    main()
