"""Hold the budget of false alarms against drawn series in which nothing happens: alarms over what the budget allows.

Readings of 5 minutes: white noise, correlated noise, heavy tails (Student's t with 3 and 2 degrees of freedom), a
random walk, a steady trend and a daily swing with noise. Beside all days the later half, when what a new point owes is
paid back. `python -m scripts.evaluate_budget` takes some minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.bank import Bank

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Floats]

STEP, DAY = 300.0, 86400.0
START = 1_767_225_600.0  # 2026-01-01
BUDGETS = (0.003, 0.03, 0.3)
KEEP = 0.95
"""What correlated noise keeps of itself from one reading to the next."""


def _correlated(random: np.random.Generator, steps: int, points: int) -> Floats:
    noise = random.normal(size=(steps, points))
    for step in range(1, steps):
        noise[step] += KEEP * noise[step - 1]
    return noise


def _swing(random: np.random.Generator, steps: int, points: int) -> Floats:
    day: Floats = 5.0 * np.sin(2.0 * np.pi * STEP * np.arange(steps) / DAY)
    return day[:, None] + random.normal(size=(steps, points))


KINDS: dict[str, Draw] = {
    "white noise": lambda random, steps, points: random.normal(size=(steps, points)),
    "correlated": _correlated,
    "Student, 3": lambda random, steps, points: random.standard_t(3.0, (steps, points)),
    "Student, 2": lambda random, steps, points: random.standard_t(2.0, (steps, points)),
    "random walk": lambda random, steps, points: np.cumsum(random.normal(size=(steps, points)), axis=0),
    "steady trend": lambda random, steps, points: (
        0.01 * np.arange(steps)[:, None] + random.normal(size=(steps, points))
    ),
    "daily swing": _swing,
}


def trial(
    kind: str, days: int, points: int, seed: int, progress: Callable[[int], None] = lambda steps: None
) -> npt.NDArray[np.float64]:
    """Return alarms over what each of BUDGETS allows, f8[BUDGETS, 2]: on all days, and on the later half of them.

    `progress` is told how many readings of each point are done since it was told last.
    """
    steps = int(days * DAY / STEP)
    value = KINDS[kind](np.random.default_rng(seed), steps, points)
    bank, rows = Bank(), np.arange(points * len(BUDGETS))
    for row in rows.tolist():
        bank.configure(row, interval=STEP, budget=BUDGETS[row // points])
    alarms = np.zeros((2, len(rows)))
    for step in range(steps):
        told = bank.update(rows, np.full(len(rows), START + STEP * step), np.tile(value[step], len(BUDGETS))).alarm
        alarms[int(2 * step >= steps)] += told
        if step % 500 == 0:
            progress(500)
    whole, later = alarms.sum(axis=0), alarms[1]
    halves = [each.reshape(len(BUDGETS), points).mean(axis=1) for each in (whole / days, later / (0.5 * days))]
    return np.asarray(np.array(halves).T / np.array(BUDGETS)[:, None], np.float64)


def main() -> None:
    """Print a table, a row a kind."""
    parser = argparse.ArgumentParser(prog="python -m scripts.evaluate_budget", description=__doc__)
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--points", type=int, default=12, help="of each kind and budget")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--kind", action="append", choices=tuple(KINDS), help="only these; all where there is none")
    asked = parser.parse_args()
    kinds, console = asked.kind or list(KINDS), Console()
    table = Table("alarms over the budget (later half)", *map(str, BUDGETS), box=None)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=len(kinds) * asked.days * DAY / STEP)
        for kind in kinds:
            progress.update(task, description=kind)
            told = trial(kind, asked.days, asked.points, asked.seed, lambda steps: progress.advance(task, steps))
            table.add_row(kind, *(f"{whole:.1f} ({later:.1f})" for whole, later in told.tolist()))
    console.print(table)


if __name__ == "__main__":
    main()
