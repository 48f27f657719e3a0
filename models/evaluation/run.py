"""Run the bank over recorded series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.bank import Bank, BankSettings
from models.evaluation import nab
from models.interval import paces

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def run_bank(
    series: list[nab.Series],
    settings: BankSettings | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, Floats], dict[str, Bools]]:
    """Score all series side by side, one row each, reading by reading; return scores and alarms by name.

    Each is expected at the pace that its readings have shown so far, as `foreshock score` does. `progress` is told
    (readings done, in all) of the longest series.
    """
    bank = Bank(settings)
    bank.grow(len(series))
    changes: dict[int, list[tuple[int, float]]] = {}
    for row, one in enumerate(series):
        for place, interval in paces(one.time.tolist()):
            changes.setdefault(place, []).append((row, interval))
    lengths = np.array([len(one.time) for one in series])
    scores = {one.name: np.zeros(len(one.time)) for one in series}
    alarms = {one.name: np.zeros(len(one.time), np.bool_) for one in series}
    for place in range(int(lengths.max())):
        rows = np.flatnonzero(lengths > place)
        for row, interval in changes.get(place, ()):
            bank.configure(row, interval=interval)
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
